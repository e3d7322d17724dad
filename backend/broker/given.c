// SPDX-License-Identifier: MIT
#include <broker/given.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <broker/control_socket.h>
#include <broker/controller.h>
#include <broker/describer.h>
#include <broker/event.h>
#include <broker/given_hub.h>
#include <broker/mark.h>
#include <broker/ports_follow.h>
#include <broker/remote.h>

struct given *given_add(struct broker *broker, const struct place *place, const char *guest)
{
	struct given *given, **end = &broker->given;

	if (broker->given_count >= XVHC_GIVEN_PORTS_MAX)
		return NULL;
	given = calloc(1, sizeof(*given));
	if (!given)
		return NULL;
	given->place = *place;
	if (!place_is_remote(place))
		given->at = *place;
	snprintf(given->guest, sizeof(given->guest), "%s", guest);
	for (int side = 0; side < 2; side++) {
		given->claim[side].fd = -1;
		given->hub[side].fd = -1;
	}
	while (*end)
		end = &(*end)->next;
	*end = given;
	broker->given_count++;
	broker->wishes_dirty = true;
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
	struct given *given;

	for (int side = 0; side < 2; side++)
		for (given = broker->given; connector->side[side] && given; given = given->next)
			if (place_equal(&given->at, &connector->side[side]->place))
				return given;
	return NULL;
}

struct given *given_around(const struct broker *broker, const struct connector *connector)
{
	for (struct given *given = broker->given; given; given = given->next) {
		for (int side = 0; side < 2; side++) {
			if (!connector->side[side])
				continue;
			if (place_is_behind(&given->place, &connector->side[side]->place) ||
			    place_is_behind(&connector->side[side]->place, &given->place))
				return given;
		}
	}
	return NULL;
}

void given_free(struct broker *broker, struct given *given)
{
	struct given **at = &broker->given;

	while (*at != given)
		at = &(*at)->next;
	*at = given->next;
	broker->given_count--;
	broker->wishes_dirty = true;
	describer_release(broker, given);
	hubs_drop(broker, given);
	mark_follow(broker, given, NULL);
	for (int side = 0; side < 2; side++)
		jobs_close_fd(broker->hub_jobs, given->claim[side].fd);
	if (given->controller)
		controller_unbind(broker, given);
	free(given);
	broker->ports_again = true;
	broker->again = true;
}

void given_names(const struct broker *broker, const struct given *given, char *text, size_t size)
{
	const struct connector *connector = topology_find_place(&broker->topology, &given->at);
	char names[2 * PLACE_SHORT_MAX > XVHC_PLACE_MAX ? 2 * PLACE_SHORT_MAX : XVHC_PLACE_MAX];

	if (connector && !place_is_remote(&given->place))
		connector_names(connector, names);
	else
		place_format(&given->place, names);
	snprintf(text, size, "%s", names);
}

void given_answer(struct broker *broker, struct given *given, bool ok, const char *format, ...)
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

void given_take(struct broker *broker, struct given *given)
{
	if (given->taking)
		return;
	if (given->in_file) {
		(void)ports_sync(broker);
		ports_file_remove(&broker->file, &given->place);
		broker->file_dirty = true;
	}
	given_return(broker, given);
}

void given_return(struct broker *broker, struct given *given)
{
	given->taking = true;
	broker->wishes_dirty = true;
	given->undecided_until_ms = 0;
	broker->again = true;
}

void given_worker_state(struct broker *broker, struct given *given, enum port_state state)
{
	if (given->device_state != DEVICE_ATTACHED)
		return;
	/* Only the last of a worker's states is sure to come. */
	if (!given->attached_told)
		event_tell(broker, EVENT_ATTACHED, (struct event_about){.given = given},
			   "the guest is told of the device");
	if (state == PORT_CONFIGURED && given->guest_use != PORT_CONFIGURED)
		event_tell(broker, EVENT_CONFIGURED, (struct event_about){.given = given},
			   "the guest's drivers use the device");
	given->attached_told = true;
	given->guest_use = state;
	/* It can be used, after all. */
	if (state == PORT_CONFIGURED)
		given->opens_failed = 0;
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
	given_open_failed(broker, given, "the device does not answer", false);
}

void given_open_failed(struct broker *broker, struct given *given, const char *text, bool in_use)
{
	char names[XVHC_PLACE_MAX];

	given_names(broker, given, names, sizeof(names));
	given->opens_failed++;
	/* It is tried again and again, but said once, and once more when it is given up. */
	if (given->opens_failed == 1 || (given->opens_failed == GIVEN_OPENS_MAX && !in_use))
		log_line(LOG_LEVEL_ERROR, "port %s, given to %s: %s%s", names, given->guest, text,
			 given->opens_failed == 1 ? "" : "; plug it in anew to try again");
	if (given->opens_failed == 1 || (given->opens_failed == GIVEN_OPENS_MAX && !in_use))
		event_tell(broker, EVENT_ERROR, (struct event_about){.given = given}, "%s%s", text,
			   given->opens_failed == 1 ? "" : "; plug it in anew to try again");
	if (text != given->text)
		snprintf(given->text, sizeof(given->text), "%s", text);
	given->retry_at_ms = given->opens_failed < GIVEN_OPENS_MAX || in_use
				     ? broker->now_ms + GIVEN_RETRY_MS
				     : 0;
}

void given_worker_lost(struct broker *broker, struct given *given)
{
	if (given->device_state != DEVICE_ATTACHED && given->device_state != DEVICE_DETACHING)
		return;
	event_tell(broker, EVENT_DETACHED, (struct event_about){.given = given},
		   "the guest does not have the device any more");
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

static void whole_state_text(const struct broker *broker, const struct given *given, char *text,
			     size_t size)
{
	if (given->taking)
		snprintf(text, size, "on its way back to dom0");
	else if (place_is_remote(&given->place) && given->at.controller[0] == '\0')
		remote_state_text(given, text, size);
	else if (!topology_find_place(&broker->topology, &given->at))
		snprintf(text, size, "not there now");
	else if (given->device_state == DEVICE_IN_DOM0)
		snprintf(text, size, "still in dom0: %.400s", given->text);
	else if (given->device_state == DEVICE_HUB && given->confirmed)
		hub_state_text(broker, given, text, size);
	else if (given->device_state == DEVICE_FAILED || given->claim_state == CLAIM_FAILED)
		snprintf(text, size, "failed: %.400s", given->text);
	else if (given->judgement == JUDGEMENT_REFUSED && given->device_state == DEVICE_PRESENT)
		snprintf(text, size, "refused: %s", given->refused_by);
	else if (!given->confirmed)
		snprintf(text, size, "being given");
	else if (given->controller)
		bound_text(given, text, size);
	else
		snprintf(text, size, "waiting for the guest%s",
			 broker->own_domid == 0 ? "" : ", or for xvhcd-dom0 in dom0");
}

void given_state_text(const struct broker *broker, const struct given *given, char *text,
		      size_t size)
{
	size_t length;

	whole_state_text(broker, given, text, size);
	length = strlen(text);
	if (given->changed_from[0] != '\0')
		snprintf(text + length, size - length, "; it was %s before", given->changed_from);
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
