// SPDX-License-Identifier: MIT
/*
 * The order is that of given_state_text(): the state says what a port does, the reason why it does
 * no more. The topics are those of the command (cli/topic.c).
 */
#include <broker/given_reason.h>

#include <stdio.h>

#include <broker/controller.h>
#include <broker/guest.h>

static const char *const topic_guest = "guest";
static const char *const topic_policy = "policy";
static const char *const topic_dom0 = "dom0";
static const char *const topic_device = "device";

/* Of a port that is bound to a controller of a guest that runs. */
static const char *bound_reason(const struct broker *broker, const struct given *given, char *text,
				size_t size)
{
	const struct controller *controller = given->controller;
	const struct usb_device *device;

	switch (controller->phase) {
	case PHASE_NEW:
	case PHASE_WAITING:
		snprintf(text, size,
			 "%s's kernel has no frontend for it, or has not started that yet",
			 given->guest);
		return topic_guest;
	case PHASE_CLOSED:
		snprintf(text, size,
			 "%s has closed its USB controller: the frontend was unloaded there",
			 given->guest);
		return topic_guest;
	case PHASE_REFUSED:
		snprintf(text, size,
			 "%s's frontend asks for what xvhcd does not have; the log of xvhcd says "
			 "for what",
			 given->guest);
		return topic_guest;
	case PHASE_OFFLINE:
		snprintf(text, size, "xl has closed this USB controller of %s", given->guest);
		return topic_guest;
	case PHASE_PAUSING:
		snprintf(text, size,
			 "the connection with %s broke; it is made again after a pause, and the "
			 "log of xvhcd says why it broke",
			 given->guest);
		return topic_guest;
	case PHASE_CONNECTED:
		device = connector_device(topology_find_place(&broker->topology, &given->at));
		if (given->device_state != DEVICE_ATTACHED || controller->wire_version != 1 ||
		    !device || device->speed < USB_SPEED_SUPER)
			return NULL;
		snprintf(text, size,
			 "%s's frontend knows no SuperSpeed: the device is a high-speed one there",
			 given->guest);
		return topic_guest;
	case PHASE_CONNECTING:
	case PHASE_CLOSING:
	case PHASE_REMOVED:
		break;
	}
	return NULL;
}

static const char *absence_reason(const struct given *given, char *text, size_t size)
{
	if (place_is_remote(&given->place)) {
		snprintf(text, size, "%s", given->text);
		return NULL;
	}
	snprintf(text, size, "%s is not there now; %s gets the port when it comes back",
		 given->place.chain.depth > 1 ? "its hub, or its host controller,"
					      : "its host controller",
		 given->guest);
	return NULL;
}

void given_reason(const struct broker *broker, const struct given *given, char *text, size_t size,
		  const char **topic)
{
	text[0] = '\0';
	*topic = NULL;
	if (given->taking)
		return;
	if (!topology_find_place(&broker->topology, &given->at)) {
		*topic = absence_reason(given, text, size);
	} else if (given->device_state == DEVICE_IN_DOM0 || given->claim_state == CLAIM_FAILED) {
		snprintf(text, size, "%s", given->text);
		*topic = topic_dom0;
	} else if (given->device_state == DEVICE_FAILED ||
		   (given->device_state == DEVICE_HUB && given->text[0] != '\0')) {
		snprintf(text, size, "%s", given->text);
		*topic = topic_device;
	} else if (given->device_state == DEVICE_HUB) {
		return;
	} else if (given->judgement == JUDGEMENT_REFUSED && given->device_state == DEVICE_PRESENT) {
		snprintf(text, size, "%s may not have this device: %s", given->guest,
			 given->refused_by);
		*topic = given->described ? topic_policy : topic_device;
	} else if (given->controller) {
		*topic = bound_reason(broker, given, text, size);
	} else if (given->confirmed && !guest_find(broker, given->guest)) {
		snprintf(text, size, "%s does not run%s; it gets the port when it starts",
			 given->guest,
			 broker->own_domid == 0 ? "" : ", or xvhcd-dom0 does not in dom0");
	}
}
