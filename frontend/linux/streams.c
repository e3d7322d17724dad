// SPDX-License-Identifier: GPL-2.0-only
/*
 * Streams of bulk endpoints (USB 3.2, 8.12.1.4). The USB core asks for them in process context, so
 * whoever asks waits for the backend's answer.
 */
#include "xvhc.h"

void streams_answered(struct slot *slot, int error, u32 actual)
{
	if (!slot->streams)
		return;
	slot->streams->error = error;
	slot->streams->actual = actual;
	complete(&slot->streams->done);
	slot->streams = NULL;
}

static u32 endpoints_of(struct usb_host_endpoint **endpoints, unsigned int count)
{
	u32 set = 0;
	unsigned int i;

	for (i = 0; i < count; i++) {
		const struct usb_endpoint_descriptor *desc = &endpoints[i]->desc;

		set |= BIT(usb_endpoint_num(desc) + (usb_endpoint_dir_in(desc) ? 16 : 0));
	}
	return set;
}

static int ask(struct controller *controller, struct usb_device *device, u8 operation,
	       struct streams *streams)
{
	unsigned long flags;
	struct link *link;
	struct slot *slot;
	int rc = 0;
	u16 id;

	init_completion(&streams->done);
	spin_lock_irqsave(&controller->lock, flags);
	link = controller->link;
	if (!link || link->broken) {
		rc = -ESHUTDOWN;
	} else if (!link->ids_free_count) {
		rc = -EBUSY;
	} else {
		id = id_take(link, SLOT_STREAMS);
		slot = &link->slots[id];
		slot->portnum = root_port(device);
		slot->address = device->devnum;
		slot->operation = operation;
		slot->streams = streams;
		slot->expiry = jiffies + ANSWER_LIMIT;
		schedule_delayed_work(&controller->frontend->watchdog, ANSWER_LIMIT);
		link->wire->put(link, id);
		link_push(link);
	}
	spin_unlock_irqrestore(&controller->lock, flags);
	if (rc)
		return rc;
	/* Where the link goes first, or fails for lack of an answer, link.c ends this. */
	wait_for_completion(&streams->done);
	return streams->error ? -EINVAL : 0;
}

int streams_allocate(struct usb_hcd *hcd, struct usb_device *device,
		     struct usb_host_endpoint **endpoints, unsigned int endpoint_count,
		     unsigned int stream_count, gfp_t mem_flags)
{
	struct streams streams = {
		.endpoints = endpoints_of(endpoints, endpoint_count),
		.count = min_t(unsigned int, stream_count, XVHC_STREAMS_MAX),
	};
	int rc = ask(hcd_controller(hcd), device, XVHCIF_STREAMS_ALLOCATE, &streams);

	if (rc)
		return rc;
	/* A backend may have fewer, but not more; and with one there is nothing to choose from. */
	if (streams.actual < 2 || streams.actual > streams.count)
		return -EINVAL;
	return streams.actual;
}

int streams_free(struct usb_hcd *hcd, struct usb_device *device,
		 struct usb_host_endpoint **endpoints, unsigned int endpoint_count,
		 gfp_t mem_flags)
{
	struct streams streams = {
		.endpoints = endpoints_of(endpoints, endpoint_count),
	};

	/* A device that is gone has none either. */
	(void)ask(hcd_controller(hcd), device, XVHCIF_STREAMS_FREE, &streams);
	return 0;
}
