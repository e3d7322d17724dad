// SPDX-License-Identifier: MIT
/*
 * Each look begins anew from what XenStore has, so that this program may be ended and started at
 * any time. What it has made is written down in nodes that dom0 alone can read and write:
 *
 *   /tool/xvhc/controllers/<guest>/<number> = the driver domain
 *
 * A driver domain removes the backend's directory of a controller that it needs no longer. That,
 * and the end of either domain, is what makes the rest of it go away here.
 */
#include <dom0/maker.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <broker/controller.h>
#include <broker/controller_nodes.h>
#include <broker/guest.h>
#include <broker/wishes.h>

#define RECORDS "/tool/xvhc/controllers"
#define DOMID_MAX 0x7fefu
#define DEVID_MAX (CONTROLLER_DEVID_DRIVER_DOMAIN + 999u)

static char **list(struct maker *maker, const char *path, uint32_t *count)
{
	*count = 0;
	return maker->backend.store->ops->list(maker->backend.store, path, count);
}

static bool lives(struct maker *maker, uint32_t domid)
{
	return maker->backend.store->ops->domain_lives(maker->backend.store, domid);
}

static void remove_node(struct maker *maker, const char *path)
{
	(void)!maker->backend.store->ops->remove(maker->backend.store, XENSTORE_NO_TRANSACTION,
						 path);
}

static void domain_watch(struct maker *maker, bool on)
{
	static const char *const nodes[] = {"data/xvhc", "backend/vusb"};
	struct xenstore *store = maker->backend.store;
	char path[XENSTORE_PATH_MAX];

	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
		xenstore_path(path, "/local/domain/%u/%s", maker->backend.own_domid, nodes[i]);
		if (on)
			(void)!store->ops->watch(store, path, "driver");
		else
			store->ops->unwatch(store, path, "driver");
	}
}

/* Finds the driver domain among all, by its name. */
static void domain_follow(struct maker *maker, const struct guest *guests, uint32_t count)
{
	const struct guest *found = NULL;

	for (uint32_t i = 0; i < count && !found; i++)
		if (strcmp(guests[i].name, maker->domain) == 0)
			found = &guests[i];
	if (maker->present && (!found || found->domid != maker->backend.own_domid)) {
		log_line(LOG_LEVEL_INFO, "%s, domain %u, is gone", maker->domain,
			 maker->backend.own_domid);
		domain_watch(maker, false);
		maker->present = false;
	}
	if (found && !maker->present) {
		maker->backend.own_domid = found->domid;
		maker->present = true;
		log_line(LOG_LEVEL_INFO, "%s is domain %u", maker->domain, found->domid);
		domain_watch(maker, true);
	}
}

/* All domains but dom0. The caller frees the result; NULL: none, or no memory. */
static struct guest *guests_read(struct maker *maker, uint32_t *found)
{
	struct broker dom0 = {.store = maker->backend.store};
	uint32_t count, domid;
	char **names = list(maker, "/local/domain", &count);
	struct guest *guests = names ? calloc(count + 1, sizeof(*guests)) : NULL;

	*found = 0;
	for (uint32_t i = 0; guests && i < count; i++)
		if (number_parse(names[i], DOMID_MAX, &domid) && domid != 0 &&
		    guest_read(&dom0, domid, &guests[*found]))
			(*found)++;
	free(names);
	return guests;
}

/* A controller as controller_nodes.c knows it. */
static struct controller controller_of(uint32_t domid, uint32_t devid)
{
	struct controller controller = {
		.domid = domid,
		.devid = devid,
		.ports = XVHC_PORTS_DEFAULT,
		.ours = true,
	};

	return controller;
}

/* Removes one that its backend has removed, or of which a domain has ended. False: it is there. */
static bool record_clean(struct maker *maker, const char *record, uint32_t domid, uint32_t devid)
{
	struct controller controller = controller_of(domid, devid);
	struct broker backend = {.store = maker->backend.store};
	struct controller_view view;

	if (xenstore_read_number(backend.store, record, DOMID_MAX, &backend.own_domid) != 0 ||
	    backend.own_domid == 0) {
		remove_node(maker, record);
		return true;
	}
	if (lives(maker, domid) && lives(maker, backend.own_domid) &&
	    controller_view_read(&backend, &controller, &view))
		return false;
	/* Where a domain has ended, nothing of it must come back; what is gone already is gone. */
	controller_nodes_remove(&backend, &controller);
	remove_node(maker, record);
	log_line(LOG_LEVEL_INFO, "guest %u: controller %u is removed", domid, devid);
	return true;
}

/* Looks after the controllers of one guest that were made. Returns how many are there. */
static uint32_t records_of(struct maker *maker, uint32_t domid, bool *changed)
{
	char path[XENSTORE_PATH_MAX];
	uint32_t count, devid, kept = 0, be;
	char **names;

	xenstore_path(path, RECORDS "/%u", domid);
	names = list(maker, path, &count);
	for (uint32_t i = 0; names && i < count; i++) {
		if (!number_parse(names[i], DEVID_MAX, &devid))
			continue;
		xenstore_path(path, RECORDS "/%u/%u", domid, devid);
		if (record_clean(maker, path, domid, devid))
			*changed = true;
		else if (xenstore_read_number(maker->backend.store, path, DOMID_MAX, &be) == 0 &&
			 be == maker->backend.own_domid)
			kept++;
	}
	free(names);
	return kept;
}

static bool guest_is(const struct guest *guest, const char *name)
{
	return name[0] != '\0' &&
	       (strcmp(guest->name, name) == 0 || strcasecmp(guest->uuid, name) == 0);
}

static bool is_allowed(const struct maker *maker, const struct guest *guest)
{
	for (uint32_t i = 0; i < maker->guests_count; i++)
		if (guest_is(guest, maker->guests[i]))
			return true;
	return !maker->guests;
}

/* How many controllers the driver domain wishes for a guest. */
static uint32_t wishes_for(struct maker *maker, const struct guest *guest)
{
	struct xenstore *store = maker->backend.store;
	char path[XENSTORE_PATH_MAX], value[XENSTORE_VALUE_MAX];
	uint32_t count, wishes = 0;
	char **names;

	xenstore_path(path, "/local/domain/%u/" WISHES_NODE, maker->backend.own_domid);
	names = list(maker, path, &count);
	for (uint32_t i = 0; names && i < count && i < XVHC_CONTROLLERS_MAX; i++) {
		uint32_t number;

		if (!number_parse(names[i], XVHC_CONTROLLERS_MAX, &number))
			continue;
		xenstore_path(path, "/local/domain/%u/" WISHES_NODE "/%u", maker->backend.own_domid,
			      number);
		wishes += store->ops->read(store, XENSTORE_NO_TRANSACTION, path, value,
					   sizeof(value)) == 0 &&
			  guest_is(guest, value);
	}
	free(names);
	return wishes < MAKER_CONTROLLERS_MAX ? wishes : MAKER_CONTROLLERS_MAX;
}

/* The first number of which nothing is left, in the guest or in the records. */
static uint32_t devid_free(struct maker *maker, uint32_t domid)
{
	char path[XENSTORE_PATH_MAX], value[XENSTORE_VALUE_MAX];
	struct xenstore *store = maker->backend.store;

	for (uint32_t devid = CONTROLLER_DEVID_DRIVER_DOMAIN; devid <= DEVID_MAX; devid++) {
		xenstore_path(path, RECORDS "/%u/%u", domid, devid);
		if (store->ops->read(store, XENSTORE_NO_TRANSACTION, path, value, sizeof(value)) !=
		    -ENOENT)
			continue;
		xenstore_path(path, "/local/domain/%u/device/vusb/%u", domid, devid);
		if (store->ops->read(store, XENSTORE_NO_TRANSACTION, path, value, sizeof(value)) ==
		    -ENOENT)
			return devid;
	}
	return 0;
}

static void controller_make(struct maker *maker, const struct guest *guest)
{
	struct controller controller = controller_of(guest->domid, devid_free(maker, guest->domid));
	char path[XENSTORE_PATH_MAX];
	int result;

	if (controller.devid == 0)
		return;
	/* First the record: what is not written down would never be removed. */
	xenstore_path(path, RECORDS "/%u/%u", guest->domid, controller.devid);
	result = xenstore_write_number(maker->backend.store, XENSTORE_NO_TRANSACTION, path,
				       maker->backend.own_domid);
	if (result == 0)
		result = controller_nodes_make(&maker->backend, &controller, guest);
	if (result != 0)
		log_line(LOG_LEVEL_ERROR, "guest %u (%s) gets no controller: XenStore: %s",
			 guest->domid, guest->name, strerror(-result));
	else
		log_line(LOG_LEVEL_INFO, "guest %u (%s): controller %u of %s is made", guest->domid,
			 guest->name, controller.devid, maker->domain);
}

static void guest_look(struct maker *maker, const struct guest *guest, uint64_t now_ms)
{
	uint32_t wishes, there;
	bool changed = false;

	there = records_of(maker, guest->domid, &changed);
	if (changed)
		maker->make_at_ms = now_ms + MAKER_REMAKE_MS;
	if (!maker->present || guest->domid == maker->backend.own_domid)
		return;
	wishes = wishes_for(maker, guest);
	if (wishes > there && !is_allowed(maker, guest)) {
		log_limited(&maker->log, LOG_LEVEL_WARNING,
			    "%s has a port for guest %u (%s), which it may not serve: start "
			    "xvhcd-dom0 with this guest's name as well",
			    maker->domain, guest->domid, guest->name);
		return;
	}
	for (; wishes > there && now_ms >= maker->make_at_ms; there++)
		controller_make(maker, guest);
}

/* The records of guests that have ended. */
static void ended_clean(struct maker *maker)
{
	char path[XENSTORE_PATH_MAX];
	uint32_t count, domid;
	bool changed = false;
	char **names = list(maker, RECORDS, &count);

	for (uint32_t i = 0; names && i < count; i++) {
		if (!number_parse(names[i], DOMID_MAX, &domid) || lives(maker, domid))
			continue;
		(void)records_of(maker, domid, &changed);
		xenstore_path(path, RECORDS "/%u", domid);
		remove_node(maker, path);
	}
	free(names);
}

uint64_t maker_look(struct maker *maker, uint64_t now_ms)
{
	struct guest *guests;
	uint32_t count;

	ended_clean(maker);
	guests = guests_read(maker, &count);
	if (!guests)
		return 0;
	domain_follow(maker, guests, count);
	for (uint32_t i = 0; i < count; i++)
		guest_look(maker, &guests[i], now_ms);
	free(guests);
	return maker->make_at_ms > now_ms ? maker->make_at_ms : 0;
}

int maker_begin(struct maker *maker, struct xenstore *store, const char *domain,
		const char *const *guests, uint32_t guests_count)
{
	int result;

	memset(maker, 0, sizeof(*maker));
	maker->backend.store = store;
	maker->domain = domain;
	maker->guests = guests;
	maker->guests_count = guests_count;
	result = store->ops->watch(store, "@introduceDomain", "domains");
	return result == 0 ? store->ops->watch(store, "@releaseDomain", "domains") : result;
}
