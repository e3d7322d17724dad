// SPDX-License-Identifier: MIT
/*
 * A device is described once, when it comes, and judged by that as often as there is a reason: when
 * its description has come, before it goes to a guest, and when the policy has changed.
 *
 * What a guest had in this port is remembered. A device that comes soon after it was gone, and says
 * that it is something else, is taken for the same one in another dress: it did so by itself, or
 * somebody was quick with a hand. It is judged as any other, and `xvhc list` shows what it was.
 */
#include <broker/judge.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <broker/describer.h>
#include <broker/event.h>
#include <broker/given.h>
#include <broker/guest.h>

#define KINDS_SHOWN 4u

struct policy_subject judge_guest(const struct broker *broker, uint32_t domid)
{
	const struct guest *guest = guest_find_domid(broker, domid);
	struct policy_subject subject = {{NULL}, {NULL}};

	if (guest) {
		subject.names[0] = guest->name;
		subject.names[1] = guest->uuid;
	}
	return subject;
}

struct policy_subject judge_subject(const struct broker *broker, const struct given *given)
{
	const struct connector *connector;
	const struct guest *guest = given->controller
					    ? guest_find_domid(broker, given->controller->domid)
					    : guest_find(broker, given->guest);
	struct policy_subject subject = {{&given->place}, {given->guest, NULL, NULL}};
	int count = 1;

	if (guest) {
		subject.names[1] = guest->name;
		subject.names[2] = guest->uuid;
	}
	/* What holds for a port holds behind a hub in it. */
	for (; given; given = given->parent) {
		connector = topology_find_place(&broker->topology, &given->at);
		for (int side = 0; connector && side < 2; side++)
			if (connector->side[side] && count < POLICY_PLACES_MAX)
				subject.places[count++] = &connector->side[side]->place;
	}
	return subject;
}

/* `0781:5567 (08:06:50 03:01:01)` */
static void description_write(const struct message_description *description, char *text,
			      size_t size)
{
	size_t at = (size_t)snprintf(text, size, "%04x:%04x", description->vendor,
				     description->product);

	for (uint32_t i = 0; i < description->kinds && i < KINDS_SHOWN && at < size; i++) {
		const struct message_kind *kind = &description->kind[i];

		at += (size_t)snprintf(text + at, size - at, "%s%02x:%02x:%02x", i ? " " : " (",
				       kind->class, kind->subclass, kind->protocol);
	}
	if (description->kinds > 0 && at < size)
		snprintf(text + at, size - at, "%s)",
			 description->kinds > KINDS_SHOWN ? " and more" : "");
}

/* Its last fields, and behind them padding that nobody has set. */
#define DESCRIPTION_BYTES                                                                          \
	(offsetof(struct message_description, kind) +                                              \
	 sizeof(((struct message_description *)0)->kind))

static void change_notice(struct broker *broker, struct given *given)
{
	char names[XVHC_PLACE_MAX], now[CHANGED_TEXT_MAX];

	if (!given->had_any || given->came_at_ms > given->had_until_ms + XVHC_CHANGE_WINDOW_MS ||
	    memcmp(&given->had, &given->description, DESCRIPTION_BYTES) == 0)
		return;
	description_write(&given->had, given->changed_from, sizeof(given->changed_from));
	description_write(&given->description, now, sizeof(now));
	given_names(broker, given, names, sizeof(names));
	log_line(LOG_LEVEL_WARNING, "port %s: the device %s, which %s had, has come back as %s",
		 names, given->changed_from, given->guest, now);
	event_tell(broker, EVENT_CHANGED,
		   (struct event_about){.given = given, .from = given->changed_from},
		   "the device %s has come back as %s", given->changed_from, now);
}

static struct policy_witness witness_of(const struct usb_device *device)
{
	struct policy_witness witness = {
		.vendor = device->vendor,
		.product = device->product,
		.version = device->version,
		.class = device->class,
	};

	return witness;
}

static void refuse(struct broker *broker, struct given *given, const char *why)
{
	char names[XVHC_PLACE_MAX], what[CHANGED_TEXT_MAX] = "device";

	given->judgement = JUDGEMENT_REFUSED;
	/* Said once, and not at each look. */
	if (strcmp(given->refused_by, why) == 0)
		return;
	snprintf(given->refused_by, sizeof(given->refused_by), "%s", why);
	if (given->described)
		description_write(&given->description, what, sizeof(what));
	given_names(broker, given, names, sizeof(names));
	log_line(LOG_LEVEL_WARNING, "port %s: %s does not get the device in it: %s (%s)", names,
		 given->guest, given->refused_by, what);
	event_tell(broker, EVENT_REFUSED,
		   (struct event_about){.given = given, .rule = given->refused_by},
		   "%s does not get the device: %s (%s)", given->guest, given->refused_by, what);
}

void judge_device(struct broker *broker, struct given *given)
{
	const struct usb_device *device = topology_find_device(&broker->topology, given->device);
	struct policy_subject subject = judge_subject(broker, given);
	struct policy_witness witness;
	char why[POLICY_TEXT_MAX];

	if (!given->described || !device || given->device_state == DEVICE_HUB)
		return;
	witness = witness_of(device);
	if (!policy_allows(&broker->policy, &subject, &given->description, &witness, why)) {
		refuse(broker, given, why);
		return;
	}
	given->judgement = JUDGEMENT_ALLOWED;
	given->refused_by[0] = '\0';
	given->allow_dfu = policy_allows_dfu(&broker->policy, &subject);
}

void given_described(struct broker *broker, struct given *given,
		     const struct message_description *description, const char *why)
{
	broker->again = true;
	if (!description) {
		refuse(broker, given, why);
		return;
	}
	given->description = *description;
	given->described = true;
	/* Fields behind the count are nothing that anybody shall compare or show. */
	for (uint32_t i = description->kinds; i < XVHC_KINDS_MAX; i++)
		memset(&given->description.kind[i], 0, sizeof(given->description.kind[i]));
	if (given->description.kinds > XVHC_KINDS_MAX) {
		given->described = false;
		refuse(broker, given, "its describer broke the protocol");
		return;
	}
	change_notice(broker, given);
	judge_device(broker, given);
}

void judge_hub(struct broker *broker, struct given *given, const struct usb_device *hub)
{
	memset(&given->description, 0, sizeof(given->description));
	given->description.vendor = hub->vendor;
	given->description.product = hub->product;
	given->description.version = hub->version;
	given->description.device.class = hub->class;
	given->description.kinds = 1;
	given->description.kind[0].class = CLASS_HUB;
	given->description.complete = 1;
	given->described = true;
	change_notice(broker, given);
}

void judge_opened(struct broker *broker, struct given *given, struct job *job)
{
	bool same = device_id_equal(job->device, given->device) && !given->taking;
	int error = job->error;

	if (error == 0 && same && given->describer) {
		error = describer_start(broker, given, job->fd);
		if (error != 0)
			snprintf(job->text, sizeof(job->text),
				 "the program that reads its descriptors does not start: %s",
				 strerror(-error));
	} else {
		describer_release(broker, given);
	}
	/* A device that went away while it was being opened is no failure. */
	if (error != 0 && job->error != -ENODEV && job->error != -ENOENT) {
		given->device_state = job->in_use ? DEVICE_IN_DOM0 : DEVICE_FAILED;
		given_open_failed(broker, given, job->text, job->in_use);
	}
	jobs_close_fd(broker->device_jobs, job->fd);
}

void judge_had(struct given *given)
{
	given->had_now = true;
}

void judge_forget(struct broker *broker, struct given *given)
{
	describer_release(broker, given);
	if (given->had_now) {
		given->had = given->description;
		given->had_any = true;
		given->had_until_ms = broker->now_ms;
	}
	given->had_now = false;
	given->came_at_ms = broker->now_ms;
	given->described = false;
	given->judgement = JUDGEMENT_NONE;
	given->refused_by[0] = '\0';
	given->changed_from[0] = '\0';
}

void judge_all(struct broker *broker)
{
	for (struct given *given = broker->given; given; given = given->next) {
		/* What could not be described gets another chance. */
		if (!given->described && given->judgement == JUDGEMENT_REFUSED)
			judge_forget(broker, given);
		judge_device(broker, given);
	}
	broker->again = true;
}
