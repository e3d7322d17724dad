// SPDX-License-Identifier: MIT
/*
 * A port of another machine is attached to a port of vhci_hcd's, a host controller that is none,
 * and is from then on a port like any other: given.at says where it is, while given.place stays its
 * name. When the link ends, the kernel unplugs the device and frees the port; then it is attached
 * anew, each time to any port that is free. Between attempts that fail there is more and more time.
 */
#include <broker/remote.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <broker/event.h>
#include <broker/given.h>
#include <broker/held.h>
#include <broker/usbip_job.h>

#define RETRY_MIN_MS 1000u
#define RETRY_MAX_MS 30000u
#define LOOK_MS 1000u /* until an attached port without a device is looked at again */

static void retry_later(struct broker *broker, struct given *given)
{
	uint32_t pause = RETRY_MIN_MS << (given->remote_failures < 5 ? given->remote_failures : 5);

	given->remote_failures++;
	given->remote_retry_ms = broker->now_ms + (pause < RETRY_MAX_MS ? pause : RETRY_MAX_MS);
}

static void import_begin(struct broker *broker, struct given *given)
{
	struct job *job = job_new(JOB_IMPORT, given);

	if (job)
		job->remote = given->place;
	if (!job || !jobs_submit(broker->remote_jobs, job)) {
		free(job);
		retry_later(broker, given);
		return;
	}
	given->job = job;
}

void remote_imported(struct broker *broker, struct given *given, struct job *job)
{
	char name[XVHC_PLACE_MAX];
	bool super = job->remote_super;

	place_format(&given->place, name);
	if (job->error != 0) {
		if (!given->confirmed && !given->in_file) {
			given_answer(broker, given, false, "Port %s is not given: %s.", name,
				     job->text);
			given_free(broker, given);
			return;
		}
		/* It is tried again and again, but said once. */
		if (strcmp(given->text, job->text) != 0) {
			log_line(LOG_LEVEL_WARNING, "port %s is given to %s, but %s", name,
				 given->guest, job->text);
			event_tell(broker, EVENT_ERROR, (struct event_about){.given = given}, "%s",
				   job->text);
		}
		snprintf(given->text, sizeof(given->text), "%s", job->text);
		retry_later(broker, given);
		return;
	}
	log_line(LOG_LEVEL_INFO, "port %s is attached to port %u of vhci_hcd", name,
		 job->vhci_port);
	vhci_place(super, job->side[super].port, &given->at);
	given->vhci_port = job->vhci_port;
	given->claim[super].fd = job->side[super].fd;
	given->claim[super].instance = job->remote_instance;
	given->claim_state = CLAIM_HELD;
	given->text[0] = '\0';
	given->remote_failures = 0;
	given->remote_retry_ms = 0;
	broker->topology_dirty = true;
}

/* The link is gone, and so is the device: the next step attaches it anew. */
static void attachment_forget(struct broker *broker, struct given *given)
{
	char name[XVHC_PLACE_MAX];

	place_format(&given->place, name);
	log_line(LOG_LEVEL_WARNING, "port %s: the link is gone; it is tried again", name);
	event_tell(broker, EVENT_ERROR, (struct event_about){.given = given},
		   "the link is gone; it is tried again");
	for (int side = 0; side < 2; side++) {
		jobs_close_fd(broker->hub_jobs, given->claim[side].fd);
		given->claim[side].fd = -1;
	}
	given->claim_state = CLAIM_NONE;
	memset(&given->at, 0, sizeof(given->at));
	snprintf(given->text, sizeof(given->text), "the link is gone");
	retry_later(broker, given);
	broker->again = true;
}

/* An attached one. What is in use goes the way of any device that is unplugged. */
static bool attached_step(struct broker *broker, struct given *given,
			  const struct connector *connector)
{
	if (connector && connector_device(connector))
		return false;
	if (given->device_state != DEVICE_NONE || held_by_anyone(broker, given))
		return false;
	if (!connector || vhci_port_is_free(broker->options->sysfs, given->vhci_port)) {
		attachment_forget(broker, given);
		return false;
	}
	broker_wake_at(broker, broker->now_ms + LOOK_MS);
	return false;
}

bool remote_step(struct broker *broker, struct given *given, const struct connector *connector)
{
	char name[XVHC_PLACE_MAX];

	if (!place_is_remote(&given->place))
		return false;
	if (given->at.controller[0] != '\0')
		return attached_step(broker, given, connector);
	if (given->taking) {
		place_format(&given->place, name);
		log_line(LOG_LEVEL_INFO, "port %s is taken from %s", name, given->guest);
		given_answer(broker, given, true, "Port %s is taken from %s.", name, given->guest);
		event_tell(broker, EVENT_TAKEN, (struct event_about){.given = given},
			   "the port is taken from %s", given->guest);
		given_free(broker, given);
		return true;
	}
	if (broker->now_ms < given->remote_retry_ms) {
		broker_wake_at(broker, given->remote_retry_ms);
		return false;
	}
	import_begin(broker, given);
	return given->job != NULL;
}

void remote_state_text(const struct given *given, char *text, size_t size)
{
	if (given->text[0] == '\0')
		snprintf(text, size, "being attached");
	else
		snprintf(text, size, "not attached: %.400s", given->text);
}
