// SPDX-License-Identifier: MIT
#include <broker/diagnose.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <broker/controller_nodes.h>
#include <broker/given.h>
#include <broker/given_hub.h>
#include <broker/guest.h>

#define SLOW_MS 10000u /* a guest's driver has set up a device by then */

#define LOAD_DRIVER                                                                                \
	"In the guest: modprobe xvhc (or xen-hcd, where its kernel has it), and look whether its " \
	"kernel log says why not."

static void said(struct diagnosis *diagnosis, enum diagnosis_level level, const char *todo,
		 const char *format, ...) __attribute__((format(printf, 4, 5)));
static void said(struct diagnosis *diagnosis, enum diagnosis_level level, const char *todo,
		 const char *format, ...)
{
	va_list arguments;

	diagnosis->level = level;
	snprintf(diagnosis->todo, sizeof(diagnosis->todo), "%s", todo);
	va_start(arguments, format);
	vsnprintf(diagnosis->what, sizeof(diagnosis->what), format, arguments);
	va_end(arguments);
}

/* A guest has the device. */
static void attached(const struct broker *broker, const struct given *given, uint32_t wire,
		     struct diagnosis *diagnosis)
{
	bool slow = broker->now_ms - given->came_at_ms > SLOW_MS;

	if (given->guest_use == PORT_CONFIGURED)
		said(diagnosis, DIAGNOSIS_OK, "", "its device is in use (wire version %u)", wire);
	else if (!slow)
		said(diagnosis, DIAGNOSIS_OK, "", "its device is being set up by the guest");
	else
		said(diagnosis, DIAGNOSIS_WARNING,
		     "Look into the guest's kernel log: does it have a driver for this device?",
		     "the guest has not configured its device (wire version %u)", wire);
}

static void connected(struct broker *broker, const struct given *given, struct diagnosis *diagnosis)
{
	struct frontend_offer offer;

	/* What is there now may be nonsense; it only tells the version. */
	if (frontend_read(broker, given->controller, &offer))
		offer.version = 1;
	if (given->device_state == DEVICE_ATTACHED)
		attached(broker, given, offer.version, diagnosis);
	else if (given->device_state == DEVICE_NONE)
		said(diagnosis, DIAGNOSIS_OK, "", "it is ready, and empty (wire version %u)",
		     offer.version);
	else
		said(diagnosis, DIAGNOSIS_OK, "", "its device is on its way to the guest");
}

static void waiting(struct broker *broker, const struct given *given, struct diagnosis *diagnosis)
{
	struct controller_view view;

	if (!controller_view_read(broker, given->controller, &view))
		said(diagnosis, DIAGNOSIS_WARNING, "Wait a moment, and look again.",
		     "the guest's USB controller is being removed");
	else
		said(diagnosis, DIAGNOSIS_WARNING, LOAD_DRIVER,
		     "the guest runs, but no driver of it has connected to its USB controller %u "
		     "(its state is %d)",
		     given->controller->devid, (int)view.frontend);
}

static void refused(struct broker *broker, const struct given *given, struct diagnosis *diagnosis)
{
	struct frontend_offer offer;
	const char *fault = frontend_read(broker, given->controller, &offer);

	said(diagnosis, DIAGNOSIS_FAILURE,
	     "Unload the guest's driver and load it again: modprobe -r xvhc; modprobe xvhc.",
	     "what the guest's driver asks for cannot be served: %s",
	     fault ? fault : "the log of xvhcd says why");
}

static void bound(struct broker *broker, const struct given *given, struct diagnosis *diagnosis)
{
	const struct controller *controller = given->controller;

	switch (controller->phase) {
	case PHASE_CONNECTED:
		connected(broker, given, diagnosis);
		break;
	case PHASE_NEW:
	case PHASE_WAITING:
		waiting(broker, given, diagnosis);
		break;
	case PHASE_CLOSED:
		said(diagnosis, DIAGNOSIS_WARNING, LOAD_DRIVER,
		     "the guest has closed its USB controller %u", controller->devid);
		break;
	case PHASE_REFUSED:
		refused(broker, given, diagnosis);
		break;
	case PHASE_OFFLINE:
		said(diagnosis, DIAGNOSIS_WARNING, "Attach one again: xl usbctrl-attach.",
		     "the toolstack has closed the guest's USB controller %u", controller->devid);
		break;
	case PHASE_CONNECTING:
	case PHASE_CLOSING:
	case PHASE_PAUSING:
	case PHASE_REMOVED:
		said(diagnosis, DIAGNOSIS_WARNING,
		     "Wait a moment, and look again. If it stays so, the log of xvhcd says why.",
		     "the guest's USB controller %u is being connected (attempt %u)",
		     controller->devid, controller->attempts + 1);
		break;
	}
}

static void without_controller(const struct broker *broker, const struct given *given,
			       struct diagnosis *diagnosis)
{
	if (!guest_find(broker, given->guest))
		said(diagnosis, DIAGNOSIS_OK, "",
		     "the guest does not run; it gets the port when it starts");
	else
		said(diagnosis, DIAGNOSIS_FAILURE,
		     "The log of xvhcd says why. In a driver domain the toolstack has to make it.",
		     "the guest runs, but has no USB controller for the port");
}

/* What is wrong with the port or the device in it, whoever the guest is. False: nothing. */
static bool device_is_wrong(const struct given *given, struct diagnosis *diagnosis)
{
	if (given->device_state == DEVICE_IN_DOM0)
		said(diagnosis, DIAGNOSIS_FAILURE,
		     "Unmount it in dom0, or end what uses it: the guest gets it by itself then.",
		     "its device is still dom0's: %s", given->text);
	else if (given->claim_state == CLAIM_FAILED)
		said(diagnosis, DIAGNOSIS_FAILURE,
		     "End the program that has the port, or load the hub's driver; it is tried "
		     "again every few seconds.",
		     "it could not be claimed: %s", given->text);
	else if (given->device_state == DEVICE_FAILED)
		said(diagnosis, DIAGNOSIS_FAILURE,
		     "Unplug the device, and plug it in again. Does it work in dom0 (xvhc take)?",
		     "its device cannot be given: %s", given->text);
	else if (given->judgement == JUDGEMENT_REFUSED && given->device_state == DEVICE_PRESENT)
		said(diagnosis, DIAGNOSIS_WARNING,
		     "If the guest is to have it, change the filter in xvhc.conf (see "
		     "xvhc.conf(5)), and have xvhcd read it: systemctl reload xvhcd, or kill -HUP "
		     "$(pidof xvhcd).",
		     "its device is refused: %s", given->refused_by);
	else
		return false;
	return true;
}

static void hub(const struct broker *broker, const struct given *given, struct diagnosis *diagnosis)
{
	char text[IN_USE_TEXT_MAX];

	hub_state_text(broker, given, text, sizeof(text));
	if (given->text[0] != '\0')
		said(diagnosis, DIAGNOSIS_FAILURE, "Unplug the hub, and plug it in again.", "%s",
		     text);
	else
		said(diagnosis, DIAGNOSIS_OK, "", "%s", text);
}

void diagnose(struct broker *broker, const struct given *given, struct diagnosis *diagnosis)
{
	if (given->taking)
		said(diagnosis, DIAGNOSIS_WARNING, "Wait a moment, and look again.",
		     "it is on its way back to dom0");
	else if (place_is_remote(&given->place) && given->at.controller[0] == '\0')
		said(diagnosis, DIAGNOSIS_WARNING,
		     "Put that right; xvhcd tries again by itself. usbip.md tells what both "
		     "machines need.",
		     "it is not attached: %s", given->text);
	else if (!topology_find_place(&broker->topology, &given->at))
		said(diagnosis, DIAGNOSIS_WARNING,
		     "Plug its hub in, or load its host controller's driver. If it is gone for "
		     "good: xvhc take, and its place.",
		     "it is not there now");
	else if (!given->confirmed)
		said(diagnosis, DIAGNOSIS_WARNING, "Wait a moment, and look again.",
		     "it is being given just now");
	else if (device_is_wrong(given, diagnosis))
		return;
	else if (given->device_state == DEVICE_HUB)
		hub(broker, given, diagnosis);
	else if (given->controller)
		bound(broker, given, diagnosis);
	else
		without_controller(broker, given, diagnosis);
}
