// SPDX-License-Identifier: MIT
/*
 * The steps of a given port. At most one job runs for it at a time, and while it does, nothing else
 * is done for that port. Otherwise a step does the first of these that is due:
 *
 *   1. claim the hub ports, where the hub came, or came back
 *   2. note that the device came, went, or is another one; ask the worker for the old one back
 *   3. on its way back to dom0: ask the worker for the device, and see that it holds it no more;
 *      then give all back
 *   4. take the device from dom0's drivers: it may have been there before the claim. A hub is
 *      opened then, and each of its ports is a given port of its own (given_hub.c)
 *   5. bind the port to a controller, where its guest runs; reset a device that a guest had, once
 *      no other worker can hold it
 *   6. have the device described, and judge it: one that is refused stays where it is
 *   7. open the device and hand it to the worker, where one is connected to the guest
 */
#include <broker/given.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <broker/controller.h>
#include <broker/describer.h>
#include <broker/event.h>
#include <broker/given_hub.h>
#include <broker/guest.h>
#include <broker/held.h>
#include <broker/judge.h>
#include <broker/mark.h>
#include <broker/ports_follow.h>
#include <broker/remote.h>

/* The kernel waits for 5 s for an operation that is not answered, and may try some of them again.
 */
#define DETACH_LIMIT_MS 15000u

static bool job_begin(struct broker *broker, struct given *given, struct job *job)
{
	struct jobs *jobs = job && job->type == JOB_CLAIM    ? broker->hub_jobs
			    : job && job->type == JOB_DETACH ? broker->remote_jobs
							     : broker->device_jobs;

	if (!job || !jobs_submit(jobs, job)) {
		free(job);
		given->retry_at_ms = broker->now_ms + GIVEN_RETRY_MS;
		return false;
	}
	given->job = job;
	return true;
}

/* A job for this port, and for the device in it. */
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

/* The same for each device in the port: a hub of USB 3 is one on either side. */
static struct job *job_for_both(struct given *given, enum job_type type,
				const struct connector *connector, const struct usb_device *device)
{
	struct job *job = job_for(given, type, device);

	for (int side = 0; job && device && connector && side < 2; side++) {
		const struct kernel_port *port = connector->side[side];

		if (!port || !port->device || port->device == device)
			continue;
		job->other = port->device->id;
		memcpy(job->other_name, port->device->name, sizeof(job->other_name));
	}
	return job;
}

/* What is to be done with a device that is neither dom0's nor a guest's. */
static enum device_state state_of(const struct usb_device *device)
{
	return device->class == CLASS_HUB ? DEVICE_HUB : DEVICE_PRESENT;
}

/* 1. Whether a claim is missing or void. */
static bool claims_are_due(const struct broker *broker, const struct given *given,
			   const struct connector *connector)
{
	if (given->claim_state == CLAIM_FAILED)
		return given->retry_at_ms != 0 && broker->now_ms >= given->retry_at_ms;
	for (int side = 0; side < 2; side++) {
		const struct kernel_port *port = connector->side[side];

		if (port &&
		    (given->claim[side].fd < 0 || given->claim[side].instance != port->instance))
			return true;
	}
	return false;
}

static void claims_begin(struct broker *broker, struct given *given,
			 const struct connector *connector)
{
	struct job *job = job_for(given, JOB_CLAIM, NULL);

	for (int side = 0; job && side < 2; side++) {
		const struct kernel_port *port = connector->side[side];
		struct claim *claim = &given->claim[side];

		if (claim->fd >= 0 && (!port || claim->instance != port->instance)) {
			jobs_close_fd(broker->hub_jobs, claim->fd);
			claim->fd = -1;
		}
		if (!port)
			continue;
		claim->instance = port->instance;
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
		jobs_close_fd(broker->hub_jobs, given->claim[side].fd);
		given->claim[side].fd = -1;
	}
	given->claim_state = CLAIM_NONE;
}

/* The port cannot be given: an attempt ends, or a port that is given already is tried again. */
static void claim_failed(struct broker *broker, struct given *given, const struct job *job)
{
	char names[XVHC_PLACE_MAX];

	given_names(broker, given, names, sizeof(names));
	if (strcmp(given->text, job->text) != 0)
		event_tell(broker, EVENT_ERROR, (struct event_about){.given = given}, "%s",
			   job->text);
	/* What is wanted stands in a toolstack's node or in our file: try again. */
	if (!given->confirmed && !given->by_toolstack && !given->by_device && !given->in_file) {
		given_answer(broker, given, false, "Port %s is not given to %s: %s.", names,
			     given->guest, job->text);
		given_free(broker, given);
		return;
	}
	given->retry_at_ms = broker->now_ms + GIVEN_RETRY_MS;
	/* It is tried again and again, but said once. */
	if (strcmp(given->text, job->text) != 0)
		log_line(LOG_LEVEL_WARNING, "port %s is given to %s, but %s; it is tried again",
			 names, given->guest, job->text);
	snprintf(given->text, sizeof(given->text), "%s", job->text);
	if (job->type == JOB_CLAIM)
		given->claim_state = CLAIM_FAILED;
	else
		given->device_state = job->in_use ? DEVICE_IN_DOM0 : DEVICE_FAILED;
}

/* False where it could not be. */
static bool write_down(struct broker *broker, struct given *given)
{
	if (given->by_toolstack || given->by_device || given->in_file)
		return true;
	(void)ports_sync(broker);
	given->in_file = ports_file_find(&broker->file, &given->place) ||
			 ports_file_add(&broker->file, &given->place, given->guest) == 0;
	return given->in_file && ports_save(broker) == 0;
}

static void claim_confirm(struct broker *broker, struct given *given)
{
	const struct guest *guest = guest_find(broker, given->guest);
	char names[XVHC_PLACE_MAX], later[XVHC_GUEST_NAME_MAX + 96] = "";
	const char *unwritten = "";

	given->confirmed = true;
	broker->wishes_dirty = true;
	given_names(broker, given, names, sizeof(names));
	if (!write_down(broker, given))
		unwritten = " It could not be written down: after a restart of xvhcd it is not "
			    "given. The log of xvhcd says why.";
	log_line(LOG_LEVEL_INFO, "port %s is given to %s", names, given->guest);
	event_tell(broker, EVENT_GIVEN, (struct event_about){.given = given},
		   "the port is given to %s", given->guest);
	if (!guest && broker->own_domid != 0)
		snprintf(later, sizeof(later),
			 " %s gets it when it runs, and xvhcd-dom0 in dom0 makes its controller.",
			 given->guest);
	else if (!guest)
		snprintf(later, sizeof(later), " %s does not run; it gets the port when it starts.",
			 given->guest);
	given_answer(broker, given, true, "Port %s is given to %s.%s%s", names, given->guest, later,
		     unwritten);
}

static void claim_done(struct broker *broker, struct given *given, struct job *job)
{
	char names[XVHC_PLACE_MAX];

	for (int side = 0; side < 2; side++)
		given->claim[side].fd = job->side[side].fd;
	if (job->error != 0) {
		claim_failed(broker, given, job);
		return;
	}
	given->claim_state = CLAIM_HELD;
	given_names(broker, given, names, sizeof(names));
	log_line(LOG_LEVEL_DEBUG, "port %s is claimed", names);
	given->text[0] = '\0';
	given->retry_at_ms = 0;
}

/* 4. */
static void evict_begin(struct broker *broker, struct given *given,
			const struct connector *connector, const struct usb_device *device)
{
	struct job *job = job_for_both(given, JOB_EVICT, connector, device);

	if (job)
		job->first = !given->confirmed;
	job_begin(broker, given, job);
}

/* The device is out of the hands of dom0's drivers, or was never in them. */
static void evict_done(struct broker *broker, struct given *given, const struct job *job)
{
	const struct usb_device *device;

	if (job->error != 0) {
		/* It went away meanwhile, and with it what it was used for. */
		if (!topology_find_device(&broker->topology, job->device) && given->confirmed)
			return;
		claim_failed(broker, given, job);
		return;
	}
	device = topology_find_device(&broker->topology, job->device);
	if (device &&
	    (given->device_state == DEVICE_IN_DOM0 || given->device_state == DEVICE_FAILED))
		given->device_state = state_of(device);
	given->evict_due = false;
}

static void detach_begin(struct broker *broker, struct given *given)
{
	given->device_state = DEVICE_DETACHING;
	given->detach_until_ms = broker->now_ms + DETACH_LIMIT_MS;
	if (controller_detach(broker, given->controller, given->port) != 0)
		controller_restart(broker, given->controller, "its worker does not listen");
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
		detach_begin(broker, given);
		return true;
	}
	judge_forget(broker, given);
	given->device = now;
	given->device_state = device ? state_of(device) : DEVICE_NONE;
	if (given->claim_state == CLAIM_HELD)
		given->text[0] = '\0';
	/* A hub that is open already, where the one on its other side comes now, must stay so. */
	given->evict_due = device && !(given->device_state == DEVICE_HUB && given->confirmed);
	given->needs_reset = false;
	given->opens_failed = 0;
	given->guest_use = PORT_EMPTY;
	given->retry_at_ms = 0;
	if (given->device_state == DEVICE_HUB)
		judge_hub(broker, given, device);
	return false;
}

/* 3. Gives all back to dom0. */
static void release_begin(struct broker *broker, struct given *given,
			  const struct connector *connector, const struct usb_device *device)
{
	struct job *job;

	if (given->device_state == DEVICE_ATTACHED)
		detach_begin(broker, given);
	if (given->device_state == DEVICE_DETACHING || held_by_anyone(broker, given) ||
	    hub_has_given_ports(broker, given))
		return;
	/* Now dom0's programs may come near it. */
	mark_follow(broker, given, NULL);
	/* What dom0 uses itself, because it was there first, stays as it is. */
	if (place_is_remote(&given->place))
		job = job_for(given, JOB_DETACH, NULL);
	else
		job = job_for_both(given, JOB_RELEASE, connector,
				   given->device_state == DEVICE_IN_DOM0 ? NULL : device);
	if (job)
		job->vhci_port = given->vhci_port;
	for (int side = 0; job && side < 2; side++) {
		job->side[side].fd = given->claim[side].fd;
		if (connector && connector->side[side])
			job->side[side].port = connector->side[side]->number;
	}
	if (job_begin(broker, given, job)) {
		given->claim[0].fd = -1;
		given->claim[1].fd = -1;
		/* After the job: it unconfigures the hub first. */
		hubs_drop(broker, given);
	}
}

static void release_done(struct broker *broker, struct given *given, const struct job *job)
{
	char names[XVHC_PLACE_MAX];

	given_names(broker, given, names, sizeof(names));
	if (job->error != 0) {
		log_line(LOG_LEVEL_ERROR, "port %s is taken from %s, but %s", names, given->guest,
			 job->text);
		given_answer(broker, given, false,
			     "Port %s is taken from %s, but %s. Unplug the device and plug it in "
			     "again: dom0 has it then.",
			     names, given->guest, job->text);
		event_tell(broker, EVENT_ERROR, (struct event_about){.given = given}, "%s",
			   job->text);
	} else {
		log_line(LOG_LEVEL_INFO, "port %s is taken from %s", names, given->guest);
		given_answer(broker, given, true, "Port %s is taken from %s%s.", names,
			     given->guest, place_is_remote(&given->place) ? "" : "; dom0 has it");
	}
	event_tell(broker, EVENT_TAKEN, (struct event_about){.given = given},
		   "the port is taken from %s", given->guest);
	given_free(broker, given);
}

/* 5. What cannot be reset is used all the same: nobody has a better way to it. */
static void reset_done(struct broker *broker, struct given *given, const struct job *job)
{
	char names[XVHC_PLACE_MAX];

	given->needs_reset = false;
	if (job->error == 0 || job->error == -ENODEV || job->error == -ENOENT)
		return;
	given_names(broker, given, names, sizeof(names));
	log_line(LOG_LEVEL_WARNING,
		 "port %s, given to %s: resetting its device failed: %s. Plug it in anew if the "
		 "guest cannot use it",
		 names, given->guest, strerror(-job->error));
	event_tell(broker, EVENT_ERROR, (struct event_about){.given = given},
		   "resetting the device failed: %s", strerror(-job->error));
}

/* 6. */
static void describe_begin(struct broker *broker, struct given *given,
			   const struct usb_device *device)
{
	struct job *job;

	/* One that is there has not answered yet; where all are busy, the next free one tells. */
	if (given->describer || !describer_reserve(broker, given))
		return;
	job = job_for(given, JOB_OPEN, device);
	if (job)
		job->describe = true;
	if (!job_begin(broker, given, job))
		describer_release(broker, given);
}

/* 7. */
static void open_done(struct broker *broker, struct given *given, struct job *job)
{
	const struct usb_device *device = topology_find_device(&broker->topology, given->device);
	const struct connector *connector = topology_find_place(&broker->topology, &given->at);
	bool going = given->taking || hub_port_is_void(broker, given, connector);

	/* The guest's name may have become known since, or the policy have changed. */
	judge_device(broker, given);
	if (job->error == 0 && device && device_id_equal(job->device, given->device) &&
	    given->judgement == JUDGEMENT_ALLOWED && given->controller &&
	    controller_is_connected(given->controller) && !going) {
		if (controller_attach(broker, given->controller, given->port, device,
				      given->allow_dfu ? ATTACH_ALLOW_DFU : 0, job->fd) == 0) {
			judge_had(given);
			held_begin(broker, given, job->fd);
			given->device_state = DEVICE_ATTACHED;
			given->guest_use = PORT_ATTACHED;
			given->attached_told = false;
		} else {
			controller_restart(broker, given->controller, "its worker does not listen");
		}
	} else if (job->error != 0 && job->error != -ENODEV && job->error != -ENOENT) {
		given->device_state = job->in_use ? DEVICE_IN_DOM0 : DEVICE_FAILED;
		given_open_failed(broker, given, job->text, job->in_use);
	}
	jobs_close_fd(broker->device_jobs, job->fd);
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
	case JOB_EVICT:
		evict_done(broker, given, job);
		break;
	case JOB_OPEN:
		if (job->describe)
			judge_opened(broker, given, job);
		else
			open_done(broker, given, job);
		break;
	case JOB_IMPORT:
		remote_imported(broker, given, job);
		break;
	case JOB_DETACH:
	case JOB_RELEASE:
		release_done(broker, given, job);
		break;
	case JOB_RESET:
		reset_done(broker, given, job);
		break;
	case JOB_HUB:
		hub_done(broker, given, job);
		jobs_close_fd(broker->device_jobs, job->fd);
		break;
	case JOB_LABEL:
	case JOB_CLOSE:
	case JOB_QUIT:
		break;
	}
	free(job);
}

/* 5. Whether the device can be used; one that dom0 uses, or that failed, is tried again. */
static bool device_is_usable(struct broker *broker, struct given *given,
			     const struct usb_device *device)
{
	bool tried = given->device_state == DEVICE_IN_DOM0 || given->device_state == DEVICE_FAILED;

	if (!tried)
		return given->device_state == DEVICE_PRESENT;
	if (given->retry_at_ms == 0 || broker->now_ms < given->retry_at_ms)
		return false;
	given->retry_at_ms = 0;
	if (given->device_state == DEVICE_IN_DOM0)
		given->evict_due = true;
	else
		given->device_state = state_of(device);
	broker->again = true;
	return false;
}

static void bind(struct broker *broker, struct given *given)
{
	const struct guest *guest;
	char names[XVHC_PLACE_MAX];
	int result;

	if (given->controller || given->by_toolstack || !given->confirmed)
		return;
	guest = guest_find(broker, given->guest);
	if (!guest || given->retry_at_ms > broker->now_ms)
		return;
	result = controller_bind(broker, given, guest->domid);
	/* A driver domain has asked for one, and is told when it is there. */
	if (result == -EAGAIN && broker->own_domid != 0)
		return;
	if (result != 0) {
		given_names(broker, given, names, sizeof(names));
		log_line(LOG_LEVEL_ERROR,
			 "port %s, given to %s: guest %u gets no USB controller: %s; it is tried "
			 "again",
			 names, guest->name, guest->domid, strerror(-result));
		event_tell(broker, EVENT_ERROR, (struct event_about){.given = given},
			   "the guest gets no USB controller: %s", strerror(-result));
		given->retry_at_ms = broker->now_ms + GIVEN_RETRY_MS;
	}
}

/* The steps 2 to 4. True where there is nothing more to do for now. */
static bool prepare(struct broker *broker, struct given *given, const struct connector *connector)
{
	const struct usb_device *device = connector ? connector_device(connector) : NULL;

	if (device_follow(broker, given, device))
		return true;
	/* The policy has changed under it. */
	if (given->judgement == JUDGEMENT_REFUSED && given->device_state == DEVICE_ATTACHED)
		detach_begin(broker, given);
	if (given->taking) {
		release_begin(broker, given, connector, device);
		return true;
	}
	if (given->claim_state == CLAIM_HELD && given->evict_due) {
		if (broker->now_ms < given->retry_at_ms)
			return true;
		evict_begin(broker, given, connector, device);
		return true;
	}
	if (given->claim_state == CLAIM_HELD && !given->confirmed)
		claim_confirm(broker, given);
	return false;
}

/* A frontend takes an event of a speed that its controller does not have for a broken protocol. */
static bool device_is_too_fast(struct broker *broker, struct given *given,
			       const struct usb_device *device)
{
	char names[XVHC_PLACE_MAX];

	if (given->controller->usb_version > 1 || device->speed <= USB_SPEED_FULL)
		return false;
	given->device_state = DEVICE_FAILED;
	snprintf(given->text, sizeof(given->text),
		 "the device is too fast for a controller of USB 1.1: make one of version=2 (xl "
		 "usbctrl-attach)");
	given_names(broker, given, names, sizeof(names));
	log_line(LOG_LEVEL_WARNING, "port %s, given to %s: %s", names, given->guest, given->text);
	event_tell(broker, EVENT_ERROR, (struct event_about){.given = given}, "%s", given->text);
	return true;
}

/* A port behind a hub that is no longer there, or no longer the guest's, is forgotten. */
static void hub_port_end(struct broker *broker, struct given *given)
{
	if (given->device_state == DEVICE_ATTACHED)
		detach_begin(broker, given);
	/* A hub in it keeps its claims until no worker has a device behind it any more. */
	if (given->device_state == DEVICE_DETACHING || held_by_anyone(broker, given) ||
	    hub_has_given_ports(broker, given))
		return;
	event_tell(broker, EVENT_TAKEN, (struct event_about){.given = given},
		   "the port is the guest's no longer: its hub has gone, or is given no more");
	given_free(broker, given);
}

static void hub_begin(struct broker *broker, struct given *given, const struct connector *connector)
{
	struct job *job = hub_step(broker, given, connector);

	if (job)
		job_begin(broker, given, job);
}

static void given_step(struct broker *broker, struct given *given)
{
	const struct connector *connector = topology_find_place(&broker->topology, &given->at);
	const struct usb_device *device;
	char place[XVHC_PLACE_MAX];

	if (given->job || given->undecided_until_ms != 0 || remote_step(broker, given, connector))
		return;
	connector = topology_find_place(&broker->topology, &given->at);
	hubs_follow(broker, given, connector);
	if (hub_port_is_void(broker, given, connector)) {
		hub_port_end(broker, given);
		return;
	}
	if (!connector && given->claim_state == CLAIM_HELD)
		claims_drop(broker, given);
	if (!connector && !given->confirmed && !given->in_file && !place_is_remote(&given->place)) {
		place_format(&given->place, place);
		given_answer(broker, given, false,
			     "Port %s is not given to %s: it has gone, with its hub or its host "
			     "controller. xvhc list shows the ports that there are.",
			     place, given->guest);
		given_free(broker, given);
		return;
	}
	if (!given->taking)
		mark_follow(broker, given, connector);
	if (connector && !given->parent && !given->taking &&
	    claims_are_due(broker, given, connector)) {
		claims_begin(broker, given, connector);
		return;
	}
	if (prepare(broker, given, connector))
		return;
	bind(broker, given);
	if (given->claim_state != CLAIM_HELD)
		return;
	device = connector_device(connector);
	if (given->device_state == DEVICE_HUB) {
		hub_begin(broker, given, connector);
		return;
	}
	if (!device_is_usable(broker, given, device))
		return;
	if (given->judgement == JUDGEMENT_REFUSED ? held_by_anyone(broker, given)
						  : held_by_another(broker, given))
		return;
	if (given->needs_reset)
		job_begin(broker, given, job_for(given, JOB_RESET, device));
	else if (given->judgement == JUDGEMENT_NONE)
		describe_begin(broker, given, device);
	else if (given->judgement == JUDGEMENT_ALLOWED && given->controller &&
		 controller_is_connected(given->controller) &&
		 !device_is_too_fast(broker, given, device))
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
