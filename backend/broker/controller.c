// SPDX-License-Identifier: MIT
/*
 * Controllers. One comes into being in XenStore: made by a toolstack (xl), or by us for the first
 * port that is given to a running guest. Its life, in the words of enum controller_phase:
 *
 *   NEW -> WAITING -> CONNECTING -> CONNECTED -> CLOSING -> gone, OFFLINE, CLOSED or PAUSING
 *              ^---------------------------------------------- CLOSED, PAUSING (-> REMOVED)
 *
 * The worker stays until the frontend has closed, so that a frontend that cancels its transfers on
 * the way gets its answers. After our own end, or a worker's, the frontend is asked to close, and
 * then to connect again: by the state InitWait where it says that it understands this
 * (feature-reconnect); else by removing its directory for a moment, and making it anew, which to
 * the guest is an unplugged and a new controller.
 *
 * A guest can write its own nodes as often as it likes. Whatever it writes only marks the
 * controller as dirty, and each dirty controller costs one step per round of the loop.
 */
#include <broker/controller.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <broker/controller_nodes.h>
#include <broker/controller_text.h>
#include <broker/controller_worker.h>
#include <broker/event.h>
#include <broker/given.h>
#include <broker/guest.h>
#include <broker/judge.h>
#include <broker/toolstack.h>
#include <broker/wishes.h>

#define CONNECT_LIMIT_MS 10000u
#define CLOSE_LIMIT_MS 5000u
#define REVIVE_LIMIT_MS 10000u /* for a frontend to notice that we are back */
#define REMOVED_MIN_MS 500u    /* for a guest to notice that the directory is away */
#define STEADY_MS 60000u       /* a connection that lasted this long was a good one */

static struct controller *controller_find(const struct broker *broker, uint32_t domid,
					  uint32_t devid)
{
	for (uint32_t i = 0; i < XVHC_CONTROLLERS_MAX; i++) {
		struct controller *controller = broker->controllers[i];

		if (controller && controller->domid == domid && controller->devid == devid)
			return controller;
	}
	return NULL;
}

static void frontend_watch(struct broker *broker, const struct controller *controller, bool on)
{
	struct xenstore *store = broker->store;
	char path[XENSTORE_PATH_MAX], token[XENSTORE_TOKEN_MAX];
	int result = 0;

	frontend_path(controller, "state", path);
	snprintf(token, sizeof(token), "front/%u/%u", controller->domid, controller->devid);
	if (on)
		result = store->ops->watch(store, path, token);
	else
		store->ops->unwatch(store, path, token);
	if (result != 0)
		log_line(LOG_LEVEL_ERROR, "XenStore: watching %s failed: %s", path,
			 strerror(-result));
}

static void disconnected_tell(struct broker *broker, const struct controller *controller)
{
	static const char *const aims[] = {
		[AIM_RECONNECT] = "it may connect anew",
		[AIM_CLOSED] = "the guest has closed it",
		[AIM_OFFLINE] = "the toolstack has closed it, or xvhcd ends",
		[AIM_REMOVE] = "it has no port any more",
	};

	if (controller->phase == PHASE_CONNECTED)
		event_tell(broker, EVENT_DISCONNECTED,
			   (struct event_about){.controller = controller},
			   "controller %u of the guest is disconnected: %s", controller->devid,
			   aims[controller->aim]);
}

static void gone_tell(struct broker *broker, struct controller *controller)
{
	if (controller->phase == PHASE_CONNECTED)
		event_tell(broker, EVENT_DISCONNECTED,
			   (struct event_about){.controller = controller},
			   "controller %u of the guest is gone", controller->devid);
	controller->phase = PHASE_OFFLINE;
}

static struct controller *controller_new(struct broker *broker, uint32_t domid, uint32_t devid)
{
	struct controller *controller;
	struct policy_subject guest;

	for (uint32_t i = 0; i < XVHC_CONTROLLERS_MAX; i++) {
		if (broker->controllers[i])
			continue;
		controller = calloc(1, sizeof(*controller));
		if (!controller)
			return NULL;
		controller->domid = domid;
		controller->devid = devid;
		controller->slot = i;
		controller->dirty = true;
		controller->ports_dirty = true;
		guest = judge_guest(broker, domid);
		rate_init(&controller->changes,
			  policy_quota(&broker->policy, &guest, QUOTA_XENSTORE), clock_ms());
		broker->controllers[i] = controller;
		broker->again = true;
		return controller;
	}
	log_line(LOG_LEVEL_ERROR,
		 "guest %u: controller %u is not served: there are %u controllers already. Give "
		 "fewer guests ports of this machine",
		 domid, devid, XVHC_CONTROLLERS_MAX);
	return NULL;
}

static void controller_free(struct broker *broker, struct controller *controller)
{
	gone_tell(broker, controller);
	controller_worker_end(broker, controller, true);
	for (uint32_t port = 1; port <= USBIF_PORT_MAX; port++) {
		struct given *given = controller->given[port];

		if (!given)
			continue;
		given->controller = NULL;
		given->port = 0;
		if (given->by_toolstack)
			given_take(broker, given);
	}
	frontend_watch(broker, controller, false);
	broker->controllers[controller->slot] = NULL;
	free(controller);
	broker->again = true;
}

int controllers_watch(struct broker *broker)
{
	char path[XENSTORE_PATH_MAX];

	xenstore_path(path, "/local/domain/%u/backend/vusb", broker->own_domid);
	return broker->store->ops->watch(broker->store, path, "backend");
}

/* Some came or went. A driver domain knows guests by their controllers alone. */
static void controllers_changed(struct broker *broker)
{
	broker->controllers_dirty = true;
	broker->guests_dirty |= broker->own_domid != 0;
}

static void mark_dirty(struct broker *broker, uint32_t domid, uint32_t devid, bool ports)
{
	struct controller *controller = controller_find(broker, domid, devid);

	if (!controller) {
		controllers_changed(broker);
		return;
	}
	controller->dirty = true;
	controller->ports_dirty |= ports;
}

/* All controllers of a guest draw on the rate of the first of them. */
static struct rate *changes_of(const struct broker *broker, uint32_t domid)
{
	for (uint32_t i = 0; i < XVHC_CONTROLLERS_MAX; i++)
		if (broker->controllers[i] && broker->controllers[i]->domid == domid)
			return &broker->controllers[i]->changes;
	return NULL;
}

/* The guest wrote its state. It may do so as fast as it can; we look no faster than we like. */
static void frontend_changed(struct broker *broker, uint32_t domid, uint32_t devid)
{
	struct controller *controller = controller_find(broker, domid, devid);
	struct rate *changes = changes_of(broker, domid);
	uint64_t now_ms = clock_ms();

	if (!controller || !changes || controller->look_at_ms != 0)
		return;
	if (rate_take(changes, now_ms))
		controller->dirty = true;
	else
		controller->look_at_ms = now_ms + rate_wait_ms(changes, now_ms);
}

void controllers_event(struct broker *broker, const char *path, const char *token)
{
	unsigned int domid, devid;
	char below[16] = "";
	int fields;

	if (sscanf(token, "front/%u/%u", &domid, &devid) == 2) {
		frontend_changed(broker, domid, devid);
		return;
	}
	fields =
		sscanf(path, "/local/domain/%*u/backend/vusb/%u/%u/%15[^/]", &domid, &devid, below);
	if (fields == 3)
		mark_dirty(broker, domid, devid, strcmp(below, "port") == 0);
	else
		controllers_changed(broker);
}

/* Adds the controllers of one guest that we do not know yet. */
static void guest_controllers_scan(struct broker *broker, uint32_t domid)
{
	char path[XENSTORE_PATH_MAX];
	struct controller *controller;
	uint32_t count, devid;
	char **names;

	xenstore_path(path, "/local/domain/%u/backend/vusb/%u", broker->own_domid, domid);
	names = broker->store->ops->list(broker->store, path, &count);
	for (uint32_t i = 0; names && i < count; i++) {
		if (!number_parse(names[i], INT32_MAX, &devid) ||
		    controller_find(broker, domid, devid))
			continue;
		controller = controller_new(broker, domid, devid);
		if (controller)
			frontend_watch(broker, controller, true);
	}
	free(names);
}

void controllers_scan(struct broker *broker)
{
	char path[XENSTORE_PATH_MAX];
	uint32_t count, domid;
	char **names;

	xenstore_path(path, "/local/domain/%u/backend/vusb", broker->own_domid);
	names = broker->store->ops->list(broker->store, path, &count);
	for (uint32_t i = 0; names && i < count; i++)
		if (number_parse(names[i], UINT16_MAX, &domid))
			guest_controllers_scan(broker, domid);
	free(names);
	/* Those that are gone find out themselves. */
	for (uint32_t i = 0; i < XVHC_CONTROLLERS_MAX; i++)
		if (broker->controllers[i])
			broker->controllers[i]->dirty = true;
}

static void phase_set(struct broker *broker, struct controller *controller,
		      enum controller_phase phase, uint32_t limit_ms)
{
	controller->phase = phase;
	controller->until_ms = limit_ms ? broker->now_ms + limit_ms : 0;
	controller->dirty = true;
	broker->again = true;
}

static void close_begin(struct broker *broker, struct controller *controller, enum closing_aim aim)
{
	if (controller->phase == PHASE_CONNECTED &&
	    broker->now_ms >= controller->connected_at_ms + STEADY_MS)
		controller->attempts = controller->reprobes = 0;
	controller->aim = aim;
	disconnected_tell(broker, controller);
	backend_state_write(broker, controller, XENBUS_CLOSING);
	phase_set(broker, controller, PHASE_CLOSING, CLOSE_LIMIT_MS);
}

static uint32_t pause_ms(const struct broker *broker, const struct controller *controller)
{
	struct policy_subject guest = judge_guest(broker, controller->domid);
	uint32_t max = policy_quota(&broker->policy, &guest, QUOTA_RECONNECT) * 1000;
	uint32_t shift = controller->attempts < 16 ? controller->attempts : 16;
	uint32_t pause = XVHC_RECONNECT_PAUSE_MIN_MS << shift;

	return pause < max ? pause : max;
}

static void close_finish(struct broker *broker, struct controller *controller)
{
	char text[CONTROLLER_TEXT_MAX];
	uint32_t pause;

	controller_worker_end(broker, controller, false);
	switch (controller->aim) {
	case AIM_REMOVE:
		controller_nodes_remove(broker, controller);
		controller_free(broker, controller);
		return;
	case AIM_OFFLINE:
		backend_state_write(broker, controller, XENBUS_CLOSED);
		phase_set(broker, controller, PHASE_OFFLINE, 0);
		return;
	case AIM_CLOSED:
		backend_state_write(broker, controller, XENBUS_CLOSED);
		phase_set(broker, controller, PHASE_CLOSED, 0);
		controller->attempts++;
		return;
	case AIM_RECONNECT:
		pause = pause_ms(broker, controller);
		controller_text(broker, controller, text);
		log_limited(&controller->log_limit, LOG_LEVEL_INFO, "%s can connect anew in %u ms",
			    text, pause);
		event_tell(broker, EVENT_RESTARTING,
			   (struct event_about){.controller = controller, .pause_ms = pause},
			   "controller %u of the guest can connect anew in %u ms",
			   controller->devid, pause);
		phase_set(broker, controller, PHASE_PAUSING, pause);
		controller->attempts++;
		return;
	}
}

static void wait_begin(struct broker *broker, struct controller *controller, uint32_t limit_ms)
{
	backend_offer_write(broker, controller);
	backend_state_write(broker, controller, XENBUS_INIT_WAIT);
	phase_set(broker, controller, PHASE_WAITING, limit_ms);
}

static void step_new(struct broker *broker, struct controller *controller,
		     const struct controller_view *view)
{
	int result = backend_read(broker, controller);
	char text[CONTROLLER_TEXT_MAX];

	if (result != 0) {
		controller_text(broker, controller, text);
		log_line(LOG_LEVEL_ERROR,
			 "%s has no usable num-ports: detach it with the toolstack that made it, "
			 "and attach one with 1 to %u ports",
			 text, USBIF_PORT_MAX);
		phase_set(broker, controller, PHASE_OFFLINE, 0);
		return;
	}
	toolstack_adopt(broker, controller);
	if (view->backend == XENBUS_UNKNOWN || view->backend == XENBUS_INITIALISING ||
	    (view->backend == XENBUS_INIT_WAIT && view->frontend != XENBUS_CLOSING &&
	     view->frontend != XENBUS_CLOSED))
		wait_begin(broker, controller, 0);
	else
		close_begin(broker, controller, AIM_RECONNECT);
}

static void connect_begin(struct broker *broker, struct controller *controller)
{
	struct frontend_offer offer;
	const char *fault = frontend_read(broker, controller, &offer);
	char text[CONTROLLER_TEXT_MAX];
	int result;

	if (fault) {
		controller_text(broker, controller, text);
		log_limited(&controller->log_limit, LOG_LEVEL_WARNING,
			    "%s is refused: %s. Load xvhc or xen-hcd in the guest anew", text,
			    fault);
		event_tell(broker, EVENT_ERROR, (struct event_about){.controller = controller},
			   "controller %u of the guest is refused: %s", controller->devid, fault);
		backend_state_write(broker, controller, XENBUS_CLOSING);
		phase_set(broker, controller, PHASE_REFUSED, 0);
		return;
	}
	controller->connect_at_ms = broker->now_ms + pause_ms(broker, controller);
	phase_set(broker, controller, PHASE_CONNECTING, CONNECT_LIMIT_MS);
	result = controller_worker_start(broker, controller, &offer);
	if (result == -EDQUOT) {
		controller_restart(broker, controller,
				   "nothing is left for its transfers, of the guest's "
				   "bytes-in-flight or transfers-in-flight, or of usbcore's "
				   "usbfs_memory_mb: xvhc.conf raises the first two, "
				   "usbcore.usbfs_memory_mb=64 at boot the last");
	} else if (result != 0) {
		log_limited(&controller->log_limit, LOG_LEVEL_ERROR,
			    "%s cannot be started: %s. xvhc doctor checks it",
			    broker->options->worker, strerror(-result));
		controller_restart(broker, controller, "it has no worker");
	}
}

/* Makes a guest look anew at a controller that it has closed: see the head of this file. */
static void reprobe_begin(struct broker *broker, struct controller *controller)
{
	char text[CONTROLLER_TEXT_MAX];
	int result;

	controller_text(broker, controller, text);
	if (controller->reprobes++ >= XVHC_REPROBES_MAX) {
		log_line(LOG_LEVEL_WARNING,
			 "%s stays closed: its driver does not come back. Load xvhc or xen-hcd in "
			 "the guest anew, or restart the guest",
			 text);
		event_tell(broker, EVENT_ERROR, (struct event_about){.controller = controller},
			   "controller %u of the guest stays closed: its driver does not come back",
			   controller->devid);
		wait_begin(broker, controller, 0);
		return;
	}
	result = frontend_remove(broker, controller);
	if (result != 0 && result != -ENOENT) {
		log_line(LOG_LEVEL_ERROR,
			 "%s stays closed: we may not write its frontend directory (%s). Detach "
			 "and attach it with the toolstack that made it",
			 text, strerror(-result));
		wait_begin(broker, controller, 0);
		return;
	}
	phase_set(broker, controller, PHASE_REMOVED, REMOVED_MIN_MS << (controller->reprobes - 1));
}

static void reprobe_finish(struct broker *broker, struct controller *controller)
{
	int result = frontend_make(broker, controller);
	char text[CONTROLLER_TEXT_MAX];

	if (result != 0) {
		controller_text(broker, controller, text);
		log_line(LOG_LEVEL_ERROR, "%s: its frontend directory cannot be written: %s", text,
			 strerror(-result));
	}
	/* What the toolstack wrote at first was this, and the state Initialising for us, too. */
	wait_begin(broker, controller, REVIVE_LIMIT_MS);
	controller->stock_revived = true;
}

static void step_waiting(struct broker *broker, struct controller *controller,
			 enum xenbus_state frontend, bool late)
{
	switch (frontend) {
	case XENBUS_INITIALISED:
	case XENBUS_CONNECTED:
		/* Each connection is a process: a guest must not have us make them without end. */
		if (broker->now_ms < controller->connect_at_ms) {
			controller->dirty = true;
			broker_wake_at(broker, controller->connect_at_ms);
			break;
		}
		controller->stock_revived = false;
		connect_begin(broker, controller);
		break;
	case XENBUS_CLOSING:
	case XENBUS_CLOSED:
		if (late)
			reprobe_begin(broker, controller);
		else if (controller->until_ms == 0)
			close_begin(broker, controller, AIM_CLOSED);
		break;
	case XENBUS_UNKNOWN:
	case XENBUS_INITIALISING:
	default:
		/* Without a driver in the guest it stays here, which is no reason to try again. */
		if (late && controller->stock_revived && controller->connected_at_ms != 0)
			reprobe_begin(broker, controller);
		else if (late)
			controller->until_ms = 0;
		break;
	}
}

static void step_connected(struct broker *broker, struct controller *controller,
			   enum xenbus_state frontend, bool late)
{
	if (frontend == XENBUS_INITIALISED || frontend == XENBUS_CONNECTED) {
		if (late && controller->phase == PHASE_CONNECTING)
			controller_restart(broker, controller, "its worker does not connect");
		return;
	}
	close_begin(broker, controller,
		    frontend == XENBUS_INITIALISING ? AIM_RECONNECT : AIM_CLOSED);
}

static void step_pausing(struct broker *broker, struct controller *controller,
			 enum xenbus_state frontend, bool late)
{
	if (!late)
		return;
	if (frontend == XENBUS_INITIALISING || frontend == XENBUS_UNKNOWN)
		wait_begin(broker, controller, 0);
	else if (frontend == XENBUS_CLOSED && frontend_reconnects(broker, controller))
		wait_begin(broker, controller, REVIVE_LIMIT_MS);
	else
		reprobe_begin(broker, controller);
}

/* The phases that wait for a closed frontend to come back by itself. */
static void step_closed(struct broker *broker, struct controller *controller,
			enum xenbus_state frontend)
{
	bool is_closed = frontend == XENBUS_CLOSED || frontend == XENBUS_CLOSING;

	if (controller->phase == PHASE_REFUSED) {
		if (is_closed || frontend == XENBUS_INITIALISING)
			close_begin(broker, controller, AIM_CLOSED);
	} else if (!is_closed && frontend != XENBUS_UNKNOWN) {
		wait_begin(broker, controller, 0);
	}
}

static bool frontend_is_closed(enum xenbus_state frontend)
{
	return frontend == XENBUS_CLOSED || frontend == XENBUS_UNKNOWN ||
	       frontend == XENBUS_INITIALISING;
}

static void phase_step(struct broker *broker, struct controller *controller,
		       const struct controller_view *view, bool late)
{
	switch (controller->phase) {
	case PHASE_NEW:
		step_new(broker, controller, view);
		break;
	case PHASE_WAITING:
		step_waiting(broker, controller, view->frontend, late);
		break;
	case PHASE_CONNECTING:
	case PHASE_CONNECTED:
		step_connected(broker, controller, view->frontend, late);
		break;
	case PHASE_CLOSING:
		if (late || frontend_is_closed(view->frontend))
			close_finish(broker, controller);
		break;
	case PHASE_CLOSED:
	case PHASE_REFUSED:
		step_closed(broker, controller, view->frontend);
		break;
	case PHASE_PAUSING:
		step_pausing(broker, controller, view->frontend, late);
		break;
	case PHASE_REMOVED:
		if (late)
			reprobe_finish(broker, controller);
		break;
	case PHASE_OFFLINE:
		break;
	}
}

void controller_step(struct broker *broker, struct controller *controller)
{
	bool late = controller->until_ms != 0 && broker->now_ms >= controller->until_ms;
	struct controller_view view;

	if (controller->look_at_ms != 0 && broker->now_ms >= controller->look_at_ms) {
		controller->look_at_ms = 0;
		controller->dirty = true;
	}
	broker_wake_at(broker, controller->look_at_ms);
	if (!controller->dirty && !late)
		return;
	controller->dirty = false;
	if (!controller_view_read(broker, controller, &view)) {
		controller_free(broker, controller);
		return;
	}
	/* The toolstack removed it and made one with the same number before we looked. */
	if (controller->phase != PHASE_NEW && controller->phase != PHASE_WAITING &&
	    !controller->ours && view.online && view.backend == XENBUS_INITIALISING) {
		gone_tell(broker, controller);
		controller_worker_end(broker, controller, true);
		phase_set(broker, controller, PHASE_NEW, 0);
	}
	if (!view.online && controller->phase != PHASE_OFFLINE &&
	    !(controller->phase == PHASE_CLOSING && controller->aim == AIM_OFFLINE)) {
		close_begin(broker, controller, AIM_OFFLINE);
	}
	if (controller->ports_dirty && !controller->ours && controller->phase != PHASE_NEW &&
	    view.online) {
		controller->ports_dirty = false;
		toolstack_ports_follow(broker, controller);
	}
	if (broker->stopping && controller->phase != PHASE_CLOSING)
		return;
	phase_step(broker, controller, &view, late);
}

void controllers_guest_gone(struct broker *broker, uint32_t domid)
{
	for (uint32_t i = 0; i < XVHC_CONTROLLERS_MAX; i++) {
		struct controller *controller = broker->controllers[i];

		if (!controller || controller->domid != domid)
			continue;
		gone_tell(broker, controller);
		controller_worker_end(broker, controller, true);
		if (controller->ours) {
			controller_nodes_remove(broker, controller);
			controller_free(broker, controller);
			continue;
		}
		backend_state_write(broker, controller, XENBUS_CLOSED);
		phase_set(broker, controller, PHASE_OFFLINE, 0);
	}
}

static uint32_t port_free(const struct controller *controller)
{
	for (uint32_t port = 1; port <= controller->ports; port++)
		if (!controller->given[port])
			return port;
	return 0;
}

/* Makes a controller of ours, with the first number that is free. */
static struct controller *controller_make(struct broker *broker, uint32_t domid, int *error)
{
	uint32_t devid = CONTROLLER_DEVID_FIRST;
	struct controller *controller;
	char text[CONTROLLER_TEXT_MAX];

	while (controller_find(broker, domid, devid))
		devid++;
	*error = -ENOMEM;
	controller = controller_new(broker, domid, devid);
	if (!controller)
		return NULL;
	controller->ours = true;
	controller->ports = XVHC_PORTS_DEFAULT;
	*error = controller_nodes_make(broker, controller, NULL);
	if (*error != 0) {
		controller_free(broker, controller);
		return NULL;
	}
	frontend_watch(broker, controller, true);
	controller_text(broker, controller, text);
	log_line(LOG_LEVEL_INFO, "%s is made", text);
	return controller;
}

int controller_bind(struct broker *broker, struct given *given, uint32_t domid)
{
	struct controller *controller = NULL;
	char place[XVHC_PLACE_MAX];
	int error;

	for (uint32_t i = 0; i < XVHC_CONTROLLERS_MAX && !controller; i++) {
		struct controller *other = broker->controllers[i];

		if (other && other->ours && other->domid == domid && port_free(other) &&
		    !(other->phase == PHASE_CLOSING && other->aim == AIM_REMOVE))
			controller = other;
	}
	/* Only dom0 may write to a guest's part of XenStore: it is asked by wishes.c. */
	if (!controller && broker->own_domid != 0)
		return -EAGAIN;
	if (!controller)
		controller = controller_make(broker, domid, &error);
	if (!controller)
		return error;
	given->controller = controller;
	given->port = port_free(controller);
	controller->given[given->port] = given;
	tally_bound(broker, given);
	place_format(&given->place, place);
	port_node_write(broker, controller, given->port, place);
	return 0;
}

void controller_unbind(struct broker *broker, struct given *given)
{
	struct controller *controller = given->controller;

	tally_unbind(broker, given);
	controller->given[given->port] = NULL;
	if (controller->ours) {
		port_node_write(broker, controller, given->port, "");
	} else {
		controller->ports_dirty = true;
		controller->dirty = true;
	}
	given->controller = NULL;
	given->port = 0;
	broker->again = true;
}

void controllers_remove_empty(struct broker *broker)
{
	for (uint32_t i = 0; i < XVHC_CONTROLLERS_MAX; i++) {
		struct controller *controller = broker->controllers[i];
		bool empty = true;

		if (!controller || !controller->ours || controller->phase == PHASE_NEW ||
		    (controller->phase == PHASE_CLOSING && controller->aim == AIM_REMOVE))
			continue;
		for (uint32_t port = 1; port <= controller->ports; port++)
			empty = empty && !controller->given[port];
		/* What dom0 has made for a driver domain comes before the port that it is for. */
		if (empty && !(broker->own_domid != 0 && wishes_wait(broker, controller->domid)))
			close_begin(broker, controller, AIM_REMOVE);
	}
}

bool controller_is_connected(const struct controller *controller)
{
	return controller->phase == PHASE_CONNECTED && controller->worker &&
	       controller->worker->socket >= 0;
}

void controller_restart(struct broker *broker, struct controller *controller, const char *why)
{
	char text[CONTROLLER_TEXT_MAX];

	controller_text(broker, controller, text);
	log_limited(&controller->log_limit, LOG_LEVEL_WARNING, "%s is closed: %s", text, why);
	event_tell(broker, EVENT_ERROR, (struct event_about){.controller = controller},
		   "controller %u of the guest is closed: %s", controller->devid, why);
	controller_worker_end(broker, controller, true);
	controller->failures++;
	if (controller->phase == PHASE_CONNECTING || controller->phase == PHASE_CONNECTED)
		close_begin(broker, controller, AIM_RECONNECT);
}

void controllers_stop(struct broker *broker)
{
	for (uint32_t i = 0; i < XVHC_CONTROLLERS_MAX; i++) {
		struct controller *controller = broker->controllers[i];

		if (!controller)
			continue;
		if (controller->phase == PHASE_CONNECTING || controller->phase == PHASE_CONNECTED)
			close_begin(broker, controller, AIM_OFFLINE);
		else if (controller->phase == PHASE_REMOVED)
			reprobe_finish(broker, controller);
	}
}

bool controllers_stopped(const struct broker *broker)
{
	for (uint32_t i = 0; i < XVHC_CONTROLLERS_MAX; i++)
		if (broker->controllers[i] && broker->controllers[i]->phase == PHASE_CLOSING)
			return false;
	return true;
}

void controllers_fini(struct broker *broker)
{
	for (uint32_t i = 0; i < XVHC_CONTROLLERS_MAX; i++) {
		struct worker_slot *slot = &broker->workers[i];

		free(broker->controllers[i]);
		broker->controllers[i] = NULL;
		if (!slot->used)
			continue;
		worker_process_abort(&slot->process);
		tally_page_close(slot);
		slot->used = false;
	}
}
