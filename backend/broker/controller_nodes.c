// SPDX-License-Identifier: MIT
#include <broker/controller_nodes.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRANSACTION_ATTEMPTS 20u
#define WIRE_VERSION_MAX 2u
#define ORIGIN "xvhcd" /* the node "origin" of a controller that we made */

#if defined(__x86_64__)
#define NATIVE_PROTOCOL "x86_64-abi"
#elif defined(__aarch64__) || defined(__arm__)
#define NATIVE_PROTOCOL "arm-abi"
#else
#define NATIVE_PROTOCOL "native"
#endif

void backend_path(const struct broker *broker, const struct controller *controller,
		  const char *name, char path[XENSTORE_PATH_MAX])
{
	xenstore_path(path, "/local/domain/%u/backend/vusb/%u/%u%s%s", broker->own_domid,
		      controller->domid, controller->devid, *name ? "/" : "", name);
}

void frontend_path(const struct controller *controller, const char *name,
		   char path[XENSTORE_PATH_MAX])
{
	xenstore_path(path, "/local/domain/%u/device/vusb/%u%s%s", controller->domid,
		      controller->devid, *name ? "/" : "", name);
}

static enum xenbus_state state_read(struct broker *broker, const char *path)
{
	uint32_t state;

	if (xenstore_read_number(broker->store, path, XENBUS_STATE_MAX, &state) != 0)
		return XENBUS_UNKNOWN;
	return (enum xenbus_state)state;
}

bool controller_view_read(struct broker *broker, const struct controller *controller,
			  struct controller_view *view)
{
	char path[XENSTORE_PATH_MAX], value[XENSTORE_VALUE_MAX];
	uint32_t online = 1;
	int result;

	backend_path(broker, controller, "state", path);
	result = broker->store->ops->read(broker->store, XENSTORE_NO_TRANSACTION, path, value,
					  sizeof(value));
	if (result == -ENOENT)
		return false;
	view->backend = state_read(broker, path);
	backend_path(broker, controller, "online", path);
	if (xenstore_read_number(broker->store, path, UINT32_MAX, &online) == -EINVAL)
		online = 0;
	view->online = online != 0;
	frontend_path(controller, "state", path);
	view->frontend = state_read(broker, path);
	return true;
}

void backend_state_write(struct broker *broker, const struct controller *controller,
			 enum xenbus_state state)
{
	char path[XENSTORE_PATH_MAX];
	int result;

	backend_path(broker, controller, "state", path);
	/* Where the toolstack removed it just now, it must not come back as an empty shell. */
	if (state_read(broker, path) == XENBUS_UNKNOWN)
		return;
	result = xenstore_write_number(broker->store, XENSTORE_NO_TRANSACTION, path, state);
	if (result != 0)
		log_line(LOG_LEVEL_ERROR, "XenStore: writing %s failed: %s", path,
			 strerror(-result));
}

int backend_read(struct broker *broker, struct controller *controller)
{
	char path[XENSTORE_PATH_MAX], value[XENSTORE_VALUE_MAX];
	int result;

	backend_path(broker, controller, "origin", path);
	result = broker->store->ops->read(broker->store, XENSTORE_NO_TRANSACTION, path, value,
					  sizeof(value));
	controller->ours = result == 0 && strcmp(value, ORIGIN) == 0;
	backend_path(broker, controller, "usb-ver", path);
	if (xenstore_read_number(broker->store, path, UINT32_MAX, &controller->usb_version) != 0)
		controller->usb_version = 2;
	backend_path(broker, controller, "num-ports", path);
	result = xenstore_read_number(broker->store, path, USBIF_PORT_MAX, &controller->ports);
	if (result == 0 && controller->ports == 0)
		result = -EINVAL;
	return result;
}

static int frontend_make_in(struct broker *broker, uint32_t transaction,
			    const struct controller *controller)
{
	struct xenstore *store = broker->store;
	char path[XENSTORE_PATH_MAX], backend[XENSTORE_PATH_MAX];
	int result;

	frontend_path(controller, "", path);
	result = store->ops->make(store, transaction, path, controller->domid, broker->own_domid);
	backend_path(broker, controller, "", backend);
	frontend_path(controller, "backend", path);
	if (result == 0)
		result = store->ops->write(store, transaction, path, backend);
	frontend_path(controller, "backend-id", path);
	if (result == 0)
		result = xenstore_write_number(store, transaction, path, broker->own_domid);
	frontend_path(controller, "state", path);
	if (result == 0)
		result = xenstore_write_number(store, transaction, path, XENBUS_INITIALISING);
	return result;
}

static int guest_write_in(struct broker *broker, uint32_t transaction,
			  const struct controller *controller, const struct guest *guest)
{
	char path[XENSTORE_PATH_MAX];
	int result;

	backend_path(broker, controller, "guest-name", path);
	result = broker->store->ops->write(broker->store, transaction, path, guest->name);
	backend_path(broker, controller, "guest-uuid", path);
	return result != 0
		       ? result
		       : broker->store->ops->write(broker->store, transaction, path, guest->uuid);
}

static int backend_make_in(struct broker *broker, uint32_t transaction,
			   const struct controller *controller, const struct guest *guest)
{
	char frontend[XENSTORE_PATH_MAX], path[XENSTORE_PATH_MAX], name[16];
	struct xenstore *store = broker->store;
	const struct {
		const char *name;
		uint32_t value;
	} numbers[] = {
		{"frontend-id", controller->domid}, {"online", 1},
		{"state", XENBUS_INITIALISING},     {"usb-ver", 2},
		{"num-ports", controller->ports},
	};
	int result;

	backend_path(broker, controller, "", path);
	result = store->ops->make(store, transaction, path, broker->own_domid, controller->domid);
	frontend_path(controller, "", frontend);
	backend_path(broker, controller, "frontend", path);
	if (result == 0)
		result = store->ops->write(store, transaction, path, frontend);
	for (size_t i = 0; result == 0 && i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		backend_path(broker, controller, numbers[i].name, path);
		result = xenstore_write_number(store, transaction, path, numbers[i].value);
	}
	backend_path(broker, controller, "type", path);
	if (result == 0)
		result = store->ops->write(store, transaction, path, "pv");
	backend_path(broker, controller, "origin", path);
	if (result == 0)
		result = store->ops->write(store, transaction, path, ORIGIN);
	if (result == 0 && guest)
		result = guest_write_in(broker, transaction, controller, guest);
	for (uint32_t port = 1; result == 0 && port <= controller->ports; port++) {
		snprintf(name, sizeof(name), "port/%u", port);
		backend_path(broker, controller, name, path);
		result = store->ops->write(store, transaction, path, "");
	}
	return result;
}

/* Runs steps in one transaction, as often as others get in its way. */
static int transact(struct broker *broker, const struct controller *controller,
		    const struct guest *guest, bool backend)
{
	struct xenstore *store = broker->store;
	uint32_t transaction;
	int result, ended;

	for (uint32_t i = 0; i < TRANSACTION_ATTEMPTS; i++) {
		result = store->ops->begin(store, &transaction);
		if (result != 0)
			return result;
		if (backend)
			result = backend_make_in(broker, transaction, controller, guest);
		if (result == 0)
			result = frontend_make_in(broker, transaction, controller);
		ended = store->ops->end(store, transaction, result == 0);
		if (result != 0 || ended != -EAGAIN)
			return result != 0 ? result : ended;
	}
	return -EAGAIN;
}

int controller_nodes_make(struct broker *broker, const struct controller *controller,
			  const struct guest *guest)
{
	return transact(broker, controller, guest, true);
}

int frontend_make(struct broker *broker, const struct controller *controller)
{
	return transact(broker, controller, NULL, false);
}

int frontend_remove(struct broker *broker, const struct controller *controller)
{
	char path[XENSTORE_PATH_MAX];

	frontend_path(controller, "", path);
	return broker->store->ops->remove(broker->store, XENSTORE_NO_TRANSACTION, path);
}

void controller_nodes_remove(struct broker *broker, const struct controller *controller)
{
	struct xenstore *store = broker->store;
	char path[XENSTORE_PATH_MAX];
	uint32_t count;
	char **left;

	/* The guest may be gone, and its directory with it. */
	(void)!frontend_remove(broker, controller);
	backend_path(broker, controller, "", path);
	(void)!store->ops->remove(store, XENSTORE_NO_TRANSACTION, path);
	/* A toolstack removes empty directories above, too. */
	xenstore_path(path, "/local/domain/%u/backend/vusb/%u", broker->own_domid,
		      controller->domid);
	left = store->ops->list(store, path, &count);
	if (left && count == 0)
		(void)!store->ops->remove(store, XENSTORE_NO_TRANSACTION, path);
	free(left);
}

struct offered_number {
	const char *name;
	uint32_t *value;
	uint32_t max;
	const char *fault;
};

static const char *numbers_read(struct broker *broker, const struct controller *controller,
				const struct offered_number *numbers, size_t count)
{
	char path[XENSTORE_PATH_MAX];

	for (size_t i = 0; i < count; i++) {
		frontend_path(controller, numbers[i].name, path);
		if (xenstore_read_number(broker->store, path, numbers[i].max, numbers[i].value) !=
		    0)
			return numbers[i].fault;
	}
	return NULL;
}

static const char *frontend_read_1(struct broker *broker, const struct controller *controller,
				   struct frontend_offer *offer)
{
	const struct offered_number numbers[] = {
		{"urb-ring-ref", &offer->ring_ref[0], UINT32_MAX,
		 "its urb-ring-ref is no grant reference"},
		{"conn-ring-ref", &offer->event_ref, UINT32_MAX,
		 "its conn-ring-ref is no grant reference"},
	};
	char path[XENSTORE_PATH_MAX], value[XENSTORE_VALUE_MAX];
	const char *fault = numbers_read(broker, controller, numbers, 2);
	int result;

	if (fault)
		return fault;
	frontend_path(controller, "protocol", path);
	result = broker->store->ops->read(broker->store, XENSTORE_NO_TRANSACTION, path, value,
					  sizeof(value));
	/* Older frontends write none: they mean the native one. */
	if (result != -ENOENT && (result != 0 || strcmp(value, NATIVE_PROTOCOL) != 0))
		return "it is not a 64-bit guest: only the protocol " NATIVE_PROTOCOL " is spoken";
	return NULL;
}

/* The pool is the frontend's to choose: one that says nothing of it has none. */
static const char *pool_read(struct broker *broker, const struct controller *controller,
			     struct frontend_offer *offer)
{
	char path[XENSTORE_PATH_MAX], name[24];
	const char *fault = NULL;
	int result;

	frontend_path(controller, "pool-pages", path);
	result = xenstore_read_number(broker->store, path, XVHC_POOL_PAGES_MAX, &offer->pool_pages);
	if (result != 0 && result != -ENOENT)
		return "its pool-pages is not what max-pool-pages allows";
	for (uint32_t i = 0; !fault && i * XVHCIF_POOL_REFS_OF_A_PAGE < offer->pool_pages; i++) {
		const struct offered_number page = {name, &offer->pool_ref[i], UINT32_MAX,
						    "a pool-ref of it is no grant reference"};

		snprintf(name, sizeof(name), "pool-ref%u", i);
		fault = numbers_read(broker, controller, &page, 1);
	}
	return fault;
}

static const char *frontend_read_2(struct broker *broker, const struct controller *controller,
				   struct frontend_offer *offer)
{
	const struct offered_number numbers[] = {
		{"ring-page-order", &offer->ring_order, XVHCIF_RING_ORDER_MAX,
		 "its ring-page-order is not what max-ring-page-order allows"},
		{"head-ref", &offer->event_ref, UINT32_MAX, "its head-ref is no grant reference"},
	};
	const char *fault = numbers_read(broker, controller, numbers, 2);
	char name[24];

	for (uint32_t i = 0; !fault && i < 1u << offer->ring_order; i++) {
		const struct offered_number page = {name, &offer->ring_ref[i], UINT32_MAX,
						    "a ring-ref of it is no grant reference"};

		snprintf(name, sizeof(name), "ring-ref%u", i);
		fault = numbers_read(broker, controller, &page, 1);
	}
	return fault ? fault : pool_read(broker, controller, offer);
}

const char *frontend_read(struct broker *broker, const struct controller *controller,
			  struct frontend_offer *offer)
{
	const struct offered_number channel = {"event-channel", &offer->event_channel, UINT32_MAX,
					       "its event-channel is no event channel"};
	char path[XENSTORE_PATH_MAX];
	const char *fault;
	int result;

	memset(offer, 0, sizeof(*offer));
	fault = numbers_read(broker, controller, &channel, 1);
	if (fault)
		return fault;
	/* One that has never heard of it speaks version 1. */
	offer->version = 1;
	frontend_path(controller, "wire-version", path);
	result = xenstore_read_number(broker->store, path, WIRE_VERSION_MAX, &offer->version);
	if ((result != 0 && result != -ENOENT) || offer->version == 0)
		return "its wire-version is not what max-wire-version allows";
	if (offer->version == 2)
		return frontend_read_2(broker, controller, offer);
	return frontend_read_1(broker, controller, offer);
}

void backend_offer_write(struct broker *broker, const struct controller *controller)
{
	const struct {
		const char *name;
		uint32_t value;
	} numbers[] = {
		{"max-wire-version", WIRE_VERSION_MAX},
		{"max-ring-page-order", XVHCIF_RING_ORDER_MAX},
		{"max-pool-pages", XVHC_POOL_PAGES_MAX},
	};
	char path[XENSTORE_PATH_MAX];
	int result = 0;

	backend_path(broker, controller, "state", path);
	/* Where the toolstack removed it just now, it must not come back as an empty shell. */
	if (state_read(broker, path) == XENBUS_UNKNOWN)
		return;
	for (size_t i = 0; result == 0 && i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		backend_path(broker, controller, numbers[i].name, path);
		result = xenstore_write_number(broker->store, XENSTORE_NO_TRANSACTION, path,
					       numbers[i].value);
	}
	if (result != 0)
		log_line(LOG_LEVEL_ERROR, "XenStore: writing %s failed: %s", path,
			 strerror(-result));
}

bool frontend_reconnects(struct broker *broker, const struct controller *controller)
{
	char path[XENSTORE_PATH_MAX];
	uint32_t value;

	frontend_path(controller, "feature-reconnect", path);
	return xenstore_read_number(broker->store, path, 1, &value) == 0 && value == 1;
}

void port_node_read(struct broker *broker, const struct controller *controller, uint32_t port,
		    char value[XVHC_PLACE_MAX])
{
	char path[XENSTORE_PATH_MAX], name[16];

	snprintf(name, sizeof(name), "port/%u", port);
	backend_path(broker, controller, name, path);
	if (broker->store->ops->read(broker->store, XENSTORE_NO_TRANSACTION, path, value,
				     XVHC_PLACE_MAX) != 0)
		value[0] = '\0';
}

void port_node_write(struct broker *broker, const struct controller *controller, uint32_t port,
		     const char *value)
{
	char path[XENSTORE_PATH_MAX], name[16];
	int result;

	snprintf(name, sizeof(name), "port/%u", port);
	backend_path(broker, controller, name, path);
	result = broker->store->ops->write(broker->store, XENSTORE_NO_TRANSACTION, path, value);
	if (result != 0)
		log_line(LOG_LEVEL_ERROR, "XenStore: writing %s failed: %s", path,
			 strerror(-result));
}
