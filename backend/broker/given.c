// SPDX-License-Identifier: MIT
/*
 * Given ports. For each, at most one job runs at a time, and while it does, nothing else is done
 * for that port. Otherwise a step does the first of these that is due:
 *
 *   1. claim the hub ports, where the hub came, or came back
 *   2. note that the device came, went, or is another one; ask the worker for the old one back
 *   3. on its way back to dom0: ask the worker for the device; then give all back
 *   4. bind the port to a controller, where its guest runs
 *   5. reset a device that a guest had
 *   6. open the device and hand it to the worker, where one is connected to the guest
 */
#include <broker/given.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <broker/control_socket.h>
#include <broker/controller.h>
#include <broker/guest.h>

#define RETRY_MS 3000u
#define DETACH_LIMIT_MS 5000u
#define OPENS_MAX 5u /* attempts to open a device that is there and does not open */

struct given *given_add(struct broker *broker, const struct place *place, const char *guest)
{
	struct given *given, **end = &broker->given;

	if (broker->given_count >= XVHC_GIVEN_PORTS_MAX)
		return NULL;
	given = calloc(1, sizeof(*given));
	if (!given)
		return NULL;
	given->place = *place;
	snprintf(given->guest, sizeof(given->guest), "%s", guest);
	given->claim[0].fd = -1;
	given->claim[1].fd = -1;
	while (*end)
		end = &(*end)->next;
	*end = given;
	broker->given_count++;
	broker->again = true;
	return given;
}

struct given *given_find_place(const struct broker *broker, const struct place *place)
{
	for (struct given *given = broker->given; given; given = given->next)
		if (place_equal(&given->place, place))
			return given;
	return NULL;
}

struct given *given_find(const struct broker *broker, const struct connector *connector)
{
	struct given *given = NULL;

	for (int side = 0; side < 2 && !given; side++)
		if (connector->side[side])
			given = given_find_place(broker, &connector->side[side]->place);
	return given;
}

static void given_free(struct broker *broker, struct given *given)
{
	struct given **at = &broker->given;

	while (*at != given)
		at = &(*at)->next;
	*at = given->next;
	broker->given_count--;
	for (int side = 0; side < 2; side++)
		jobs_close_fd(broker->jobs, given->claim[side].fd);
	if (given->controller)
		controller_unbind(broker, given);
	free(given);
	broker->again = true;
}

void given_names(const struct broker *broker, const struct given *given, char *text, size_t size)
{
	const struct connector *connector = topology_find_place(&broker->topology, &given->place);
	char names[2 * PLACE_SHORT_MAX > XVHC_PLACE_MAX ? 2 * PLACE_SHORT_MAX : XVHC_PLACE_MAX];

	if (connector)
		connector_names(connector, names);
	else
		place_format(&given->place, names);
	snprintf(text, size, "%s", names);
}

/* Answers the client that waits for this port, if there is one. */
static void answer(struct broker *broker, struct given *given, bool ok, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
static void answer(struct broker *broker, struct given *given, bool ok, const char *format, ...)
{
	char text[COMMAND_TEXT_MAX];
	va_list arguments;

	if (given->waiter.serial == 0)
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	client_answer(broker, given->waiter, ok, text);
	given->waiter.serial = 0;
}

static bool job_begin(struct broker *broker, struct given *given, struct job *job)
{
	if (!job || !jobs_submit(broker->jobs, job)) {
		free(job);
		given->retry_at_ms = broker->now_ms + RETRY_MS;
		return false;
	}
	given->job = job;
	return true;
}

/* A job for this port's device; the claims are moved into it, and come back with it. */
static struct job *job_for(struct given *given, enum job_type type, const struct usb_device *device)
{
	struct job *job = job_new(type, given);

	if (!job)
		return NULL;
	if (device) {
		job->device = device->id;
		memcpy(job->device_name, device->name, sizeof(job->device_name));
	}
	return job;
}

/* 1. Whether a claim is missing or is on a hub that is no longer there. */
static bool claims_are_due(const struct broker *broker, const struct given *given,
			   const struct connector *connector)
{
	if (given->claim_state == CLAIM_FAILED)
		return given->retry_at_ms != 0 && broker->now_ms >= given->retry_at_ms;
	for (int side = 0; side < 2; side++) {
		const struct kernel_port *port = connector->side[side];

		if (port && (given->claim[side].fd < 0 ||
			     !device_id_equal(given->claim[side].hub, port->hub_id)))
			return true;
	}
	return false;
}

static void claims_begin(struct broker *broker, struct given *given,
			 const struct connector *connector)
{
	struct job *job = job_for(given, JOB_CLAIM, connector_device(connector));

	for (int side = 0; job && side < 2; side++) {
		const struct kernel_port *port = connector->side[side];
		struct claim *claim = &given->claim[side];

		if (claim->fd >= 0 && (!port || !device_id_equal(claim->hub, port->hub_id))) {
			jobs_close_fd(broker->jobs, claim->fd);
			claim->fd = -1;
		}
		if (!port)
			continue;
		claim->hub = port->hub_id;
		job->side[side].hub = port->hub_id;
		job->side[side].port = port->number;
		job->side[side].fd = claim->fd;
		memcpy(job->side[side].hub_name, port->hub, sizeof(port->hub));
	}
	job_begin(broker, given, job);
}

static void claims_drop(struct broker *broker, struct given *given)
{
	for (int side = 0; side < 2; side++) {
		jobs_close_fd(broker->jobs, given->claim[side].fd);
		given->claim[side].fd = -1;
	}
	given->claim_state = CLAIM_NONE;
}

static void claim_failed(struct broker *broker, struct given *given, const struct job *job)
{
	char names[XVHC_PLACE_MAX];

	given_names(broker, given, names, sizeof(names));
	if (!given->confirmed) {
		if (given->by_toolstack)
			log_line(LOG_LEVEL_WARNING, "port %s is not given to %s: %s", names,
				 given->guest, job->text);
		answer(broker, given, false, "Port %s is not given: %s.", names, job->text);
		given_free(broker, given);
		return;
	}
	given->retry_at_ms = broker->now_ms + RETRY_MS;
	given->claim_state = CLAIM_FAILED;
	if (job->in_use) {
		given->claim_state = CLAIM_HELD;
		given->device = job->device;
		given->device_state = DEVICE_IN_DOM0;
	}
	/* It is tried again and again, but said once. */
	if (strcmp(given->text, job->text) != 0)
		log_line(LOG_LEVEL_WARNING, "port %s is given to %s, but %s", names, given->guest,
			 job->text);
	snprintf(given->text, sizeof(given->text), "%s", job->text);
}

static void claim_confirm(struct broker *broker, struct given *given)
{
	const struct guest *guest = guest_find(broker, given->guest);
	char names[XVHC_PLACE_MAX], later[XVHC_GUEST_NAME_MAX + 80] = "";
	const char *unwritten = "";

	given->confirmed = true;
	given_names(broker, given, names, sizeof(names));
	if (!given->by_toolstack &&
	    (ports_file_add(&broker->file, &given->place, given->guest) != 0 ||
	     broker_ports_save(broker) != 0))
		unwritten = " It could not be written down: after a restart of xvhcd it is not "
			    "given. The log of xvhcd says why.";
	log_line(LOG_LEVEL_INFO, "port %s is given to %s", names, given->guest);
	if (!guest)
		snprintf(later, sizeof(later), " %s does not run; it gets the port when it starts.",
			 given->guest);
	answer(broker, given, true, "Port %s is given to %s.%s%s", names, given->guest, later,
	       unwritten);
}

static void claim_done(struct broker *broker, struct given *given, struct job *job)
{
	for (int side = 0; side < 2; side++) {
		given->claim[side].fd = job->side[side].fd;
		if (job->side[side].fd < 0)
			given->claim[side].hub.bus = 0;
	}
	if (job->error != 0) {
		claim_failed(broker, given, job);
		return;
	}
	given->claim_state = CLAIM_HELD;
	given->text[0] = '\0';
	given->retry_at_ms = 0;
	if (!given->confirmed)
		claim_confirm(broker, given);
}

/* 2. Notes what is in the port now. True where the worker has to give something back first. */
static bool device_follow(struct broker *broker, struct given *given,
			  const struct usb_device *device)
{
	const struct device_id none = {0};
	struct device_id now = device ? device->id : none;

	if (device_id_equal(given->device, now))
		return false;
	if (given->device_state == DEVICE_DETACHING)
		return true;
	if (given->device_state == DEVICE_ATTACHED) {
		given->device_state = DEVICE_DETACHING;
		given->detach_until_ms = broker->now_ms + DETACH_LIMIT_MS;
		if (controller_detach(broker, given->controller, given->port) != 0)
			controller_restart(broker, given->controller, "its worker does not listen");
		return true;
	}
	given->device = now;
	given->device_state = !device              ? DEVICE_NONE
			      : device->class == 9 ? DEVICE_HUB
						   : DEVICE_PRESENT;
	given->needs_reset = false;
	given->opens_failed = 0;
	given->guest_use = PORT_EMPTY;
	given->retry_at_ms = 0;
	return false;
}

/* 3. Gives all back to dom0. */
static void release_begin(struct broker *broker, struct given *given,
			  const struct connector *connector, const struct usb_device *device)
{
	struct job *job;

	if (given->device_state == DEVICE_ATTACHED) {
		given->device_state = DEVICE_DETACHING;
		given->detach_until_ms = broker->now_ms + DETACH_LIMIT_MS;
		if (controller_detach(broker, given->controller, given->port) != 0)
			controller_restart(broker, given->controller, "its worker does not listen");
	}
	if (given->device_state == DEVICE_DETACHING)
		return;
	/* What dom0 uses itself, because it was there first, stays as it is. */
	job = job_for(given, JOB_RELEASE, given->device_state == DEVICE_IN_DOM0 ? NULL : device);
	for (int side = 0; job && side < 2; side++) {
		job->side[side].fd = given->claim[side].fd;
		if (connector && connector->side[side])
			job->side[side].port = connector->side[side]->number;
	}
	if (job_begin(broker, given, job)) {
		given->claim[0].fd = -1;
		given->claim[1].fd = -1;
	}
}

static void release_done(struct broker *broker, struct given *given, const struct job *job)
{
	char names[XVHC_PLACE_MAX];

	given_names(broker, given, names, sizeof(names));
	if (job->error != 0) {
		log_line(LOG_LEVEL_ERROR, "port %s: %s", names, job->text);
		answer(broker, given, false, "Port %s is taken from %s, but %s.", names,
		       given->guest, job->text);
	} else {
		log_line(LOG_LEVEL_INFO, "port %s is taken from %s", names, given->guest);
		answer(broker, given, true, "Port %s is taken from %s; dom0 has it.", names,
		       given->guest);
	}
	given_free(broker, given);
}

/* 6. */
static void open_done(struct broker *broker, struct given *given, struct job *job)
{
	const struct usb_device *device = topology_find_device(&broker->topology, given->device);
	char names[XVHC_PLACE_MAX];

	if (job->error == 0 && device && device_id_equal(job->device, given->device) &&
	    given->controller && controller_is_connected(given->controller) && !given->taking) {
		if (controller_attach(broker, given->controller, given->port, device->speed,
				      job->fd) == 0) {
			given->device_state = DEVICE_ATTACHED;
			given->opens_failed = 0;
			given->guest_use = PORT_ATTACHED;
		} else {
			controller_restart(broker, given->controller, "its worker does not listen");
		}
	} else if (job->error != 0 && job->error != -ENODEV && job->error != -ENOENT) {
		given_names(broker, given, names, sizeof(names));
		if (given->opens_failed++ == 0)
			log_line(LOG_LEVEL_ERROR, "port %s, given to %s: %s", names, given->guest,
				 job->text);
		snprintf(given->text, sizeof(given->text), "%s", job->text);
		given->device_state = job->in_use ? DEVICE_IN_DOM0 : DEVICE_FAILED;
		given->retry_at_ms = given->opens_failed < OPENS_MAX || job->in_use
					     ? broker->now_ms + RETRY_MS
					     : 0;
	}
	jobs_close_fd(broker->jobs, job->fd);
}

void given_job_done(struct broker *broker, struct job *job)
{
	struct given *given = job->owner;

	given->job = NULL;
	broker->again = true;
	switch (job->type) {
	case JOB_CLAIM:
		claim_done(broker, given, job);
		break;
	case JOB_OPEN:
		open_done(broker, given, job);
		break;
	case JOB_RELEASE:
		release_done(broker, given, job);
		break;
	case JOB_RESET:
		given->needs_reset = false;
		break;
	case JOB_LABEL:
	case JOB_CLOSE:
	case JOB_QUIT:
		break;
	}
	free(job);
}

/* A device that dom0 uses, or that did not open, gets another try from time to time. */
static void device_retry(struct broker *broker, struct given *given)
{
	if ((given->device_state != DEVICE_IN_DOM0 && given->device_state != DEVICE_FAILED) ||
	    given->retry_at_ms == 0 || broker->now_ms < given->retry_at_ms)
		return;
	/* The claim job takes it from dom0's drivers whether the guest runs or not. */
	if (given->device_state == DEVICE_IN_DOM0)
		given->claim_state = CLAIM_FAILED;
	else
		given->retry_at_ms = 0;
	given->device_state = DEVICE_PRESENT;
}

static void bind(struct broker *broker, struct given *given)
{
	const struct guest *guest;
	int result;

	if (given->controller || given->by_toolstack || !given->confirmed)
		return;
	guest = guest_find(broker, given->guest);
	if (!guest || given->retry_at_ms > broker->now_ms)
		return;
	result = controller_bind(broker, given, guest->domid);
	if (result != 0) {
		log_line(LOG_LEVEL_ERROR, "guest %u (%s) gets no USB controller: %s", guest->domid,
			 guest->name, strerror(-result));
		given->retry_at_ms = broker->now_ms + RETRY_MS;
	}
}

static void given_step(struct broker *broker, struct given *given)
{
	const struct connector *connector = topology_find_place(&broker->topology, &given->place);
	const struct usb_device *device = connector ? connector_device(connector) : NULL;

	if (given->job)
		return;
	device_retry(broker, given);
	if (!connector && given->claim_state == CLAIM_HELD)
		claims_drop(broker, given);
	if (connector && !given->taking && claims_are_due(broker, given, connector)) {
		claims_begin(broker, given, connector);
		return;
	}
	if (device_follow(broker, given, device))
		return;
	if (given->taking) {
		release_begin(broker, given, connector, device);
		return;
	}
	bind(broker, given);
	if (given->device_state != DEVICE_PRESENT || given->claim_state != CLAIM_HELD)
		return;
	if (given->needs_reset)
		job_begin(broker, given, job_for(given, JOB_RESET, device));
	else if (given->controller && controller_is_connected(given->controller))
		job_begin(broker, given, job_for(given, JOB_OPEN, device));
}

void given_step_all(struct broker *broker)
{
	struct given *next;

	for (struct given *given = broker->given; given; given = next) {
		next = given->next;
		if (given->device_state == DEVICE_DETACHING && given->controller &&
		    broker->now_ms >= given->detach_until_ms)
			controller_restart(broker, given->controller,
					   "its worker does not give a device back");
		given_step(broker, given);
	}
	for (struct given *given = broker->given; given; given = given->next) {
		if (given->retry_at_ms > broker->now_ms)
			broker_wake_at(broker, given->retry_at_ms);
		if (given->device_state == DEVICE_DETACHING)
			broker_wake_at(broker, given->detach_until_ms);
	}
}

void given_take(struct broker *broker, struct given *given)
{
	if (given->taking)
		return;
	given->taking = true;
	if (given->confirmed && !given->by_toolstack) {
		ports_file_remove(&broker->file, &given->place);
		broker->file_dirty = true;
	}
	broker->again = true;
}

void given_worker_state(struct broker *broker, struct given *given, enum port_state state)
{
	(void)broker;
	if (given->device_state == DEVICE_ATTACHED)
		given->guest_use = state;
}

void given_worker_detached(struct broker *broker, struct given *given)
{
	bool asked = given->device_state == DEVICE_DETACHING;

	if (!asked && given->device_state != DEVICE_ATTACHED)
		return;
	given_worker_lost(broker, given);
	if (asked)
		return;
	/* The worker noticed before we did that it was unplugged, or could not use it. */
	given->device_state = DEVICE_FAILED;
	given->retry_at_ms = broker->now_ms + RETRY_MS;
	snprintf(given->text, sizeof(given->text), "the device does not answer");
}

void given_worker_lost(struct broker *broker, struct given *given)
{
	if (given->device_state != DEVICE_ATTACHED && given->device_state != DEVICE_DETACHING)
		return;
	given->device_state = DEVICE_PRESENT;
	given->needs_reset = true;
	given->guest_use = PORT_EMPTY;
	broker->again = true;
}

static void bound_text(const struct given *given, char *text, size_t size)
{
	static const char *const uses[] = {
		[PORT_EMPTY] = "not seen yet",
		[PORT_ATTACHED] = "plugged in",
		[PORT_ADDRESSED] = "addressed",
		[PORT_CONFIGURED] = "configured",
	};

	switch (given->controller->phase) {
	case PHASE_CONNECTED:
		if (given->device_state == DEVICE_ATTACHED)
			snprintf(text, size, "in use by %.200s (%s)", given->guest,
				 uses[given->guest_use]);
		else if (given->device_state == DEVICE_NONE)
			snprintf(text, size, "ready, empty");
		else
			snprintf(text, size, "connecting");
		break;
	case PHASE_NEW:
	case PHASE_WAITING:
		snprintf(text, size, "waiting for the guest's frontend driver");
		break;
	case PHASE_CLOSED:
		snprintf(text, size, "closed by the guest");
		break;
	case PHASE_REFUSED:
		snprintf(text, size, "refused: see the log of xvhcd");
		break;
	case PHASE_OFFLINE:
		snprintf(text, size, "closed by the toolstack");
		break;
	case PHASE_CONNECTING:
	case PHASE_CLOSING:
	case PHASE_PAUSING:
	case PHASE_REMOVED:
		snprintf(text, size, "connecting");
		break;
	}
}

void given_state_text(const struct broker *broker, const struct given *given, char *text,
		      size_t size)
{
	if (given->taking)
		snprintf(text, size, "on its way back to dom0");
	else if (!topology_find_place(&broker->topology, &given->place))
		snprintf(text, size, "not there now");
	else if (given->device_state == DEVICE_HUB)
		snprintf(text, size, "hub: not supported on a given port yet");
	else if (given->device_state == DEVICE_IN_DOM0)
		snprintf(text, size, "still in dom0: %.400s", given->text);
	else if (given->device_state == DEVICE_FAILED || given->claim_state == CLAIM_FAILED)
		snprintf(text, size, "failed: %.400s", given->text);
	else if (!given->confirmed)
		snprintf(text, size, "being given");
	else if (given->controller)
		bound_text(given, text, size);
	else
		snprintf(text, size, "waiting for the guest");
}

void given_fini(struct broker *broker)
{
	struct given *next;

	for (struct given *given = broker->given; given; given = next) {
		next = given->next;
		/* The claims end with the process, which is later than here: leave them. */
		free(given);
	}
	broker->given = NULL;
	broker->given_count = 0;
}
