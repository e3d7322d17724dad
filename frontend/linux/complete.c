// SPDX-License-Identifier: GPL-2.0-only
/*
 * From the rings to the USB core.
 *
 * The event channel's handler takes one response itself, and leaves the rest to its thread: to take
 * one is to copy data, for which interrupts need not stay off any longer than for one response. A
 * device with one transfer at a time, such as a stick, so needs no switch to that thread.
 *
 * Each response and each event is copied out of the ring once, and judged by core/ before anything
 * is done with it. A backend that fails this test loses the connection.
 */
#include "xvhc.h"

#include <linux/delay.h>
#include <linux/interrupt.h>
#include <linux/slab.h>
#include <xen/events.h>

/*
 * What class drivers make of it decides. ESHUTDOWN has them all stop, while some submit again at
 * once after ENODEV, for as long as the hub driver has not noticed. The hub driver itself, which
 * uses control transfers, is quiet about ENODEV alone.
 */
static int error_status(int error, const struct urb *urb)
{
	switch (error) {
	case XVHC_OK:
		return 0;
	case XVHC_ENODEV:
		return usb_endpoint_xfer_control(&urb->ep->desc) ? -ENODEV : -ESHUTDOWN;
	case XVHC_EINVAL:
		return -EINVAL;
	case XVHC_ESTALL:
		return -EPIPE;
	case XVHC_EBABBLE:
		return -EOVERFLOW;
	case XVHC_ECANCEL:
		return -ESHUTDOWN;
	case XVHC_ELIMIT:
		return -ENOSPC;
	default:
		return -EPROTO;
	}
}

void transfer_finish(struct controller *controller, struct transfer *transfer, int status)
{
	struct usb_hcd *hcd = bus_to_hcd(transfer->urb->dev->bus);

	lockdep_assert_held(&controller->lock);

	list_del(&transfer->all);
	list_del(&transfer->waiting);
	usb_hcd_unlink_urb_from_ep(hcd, transfer->urb);
	usb_hcd_giveback_urb(hcd, transfer->urb, status);
	kfree(transfer);
}

static void part_done(struct link *link, struct slot *slot, struct transfer *transfer,
		      const struct response *response)
{
	u32 actual = response->actual;
	struct urb *urb = transfer->urb;

	if (usb_urb_dir_in(urb))
		buffer_give(link, slot, 0, urb, slot->offset, actual);
	urb->actual_length += actual;
	if (response->error || actual < slot->length) {
		transfer->ended = true;
		transfer->status = error_status(response->error, urb);
	}
}

/* Each entry of the list is looked at once, in a copy: the page is the backend's to write. */
static int packets_done(struct link *link, struct slot *slot, struct urb *urb, int error)
{
	u32 at = 0;
	u32 i;

	for (i = 0; i < slot->packet_count; i++) {
		struct usb_iso_packet_descriptor *packet =
			&urb->iso_frame_desc[slot->packet_first + i];
		struct response entry = { .error = error };

		if (!error && link->wire->packet_read(link, slot, i, packet->length, &entry))
			return XVHC_EPROTO;
		packet->status = error_status(entry.error, urb);
		packet->actual_length = entry.actual;
		if (usb_urb_dir_in(urb))
			buffer_give(link, slot, at, urb, packet->offset, entry.actual);
		urb->actual_length += entry.actual;
		if (packet->status)
			urb->error_count++;
		at += packet->length;
	}
	return XVHC_OK;
}

/* An isochronous URB fails as a whole only where there is no point in going on. */
static int isoc_done(struct link *link, struct slot *slot, struct transfer *transfer,
		     const struct response *response)
{
	int error = response->error;

	if (slot->packet_first == 0)
		transfer->urb->start_frame = response->start_frame;
	if (error == XVHC_ENODEV || error == XVHC_ECANCEL || error == XVHC_EINVAL) {
		transfer->ended = true;
		transfer->status = error_status(error, transfer->urb);
	}
	return packets_done(link, slot, transfer->urb, error);
}

static void submit_answered(struct link *link, u16 id, const struct response *response)
{
	struct slot *slot = &link->slots[id];
	struct transfer *transfer = slot->transfer;

	if (usb_endpoint_xfer_isoc(&transfer->urb->ep->desc)) {
		if (isoc_done(link, slot, transfer, response)) {
			link_fail(link, "a packet is longer than was asked for");
			return;
		}
	} else {
		part_done(link, slot, transfer, response);
	}

	slot->transfer = NULL;
	slot_pages_give(link, slot);
	if (test_and_clear_bit(id, link->cancels_wanted))
		slot->cancel_open = false;
	if (!slot->cancel_open)
		id_release(link, id);
	transfer->in_flight--;
	if (!transfer->in_flight && transfer_is_sent(transfer))
		transfer_finish(link->controller, transfer, transfer->status);
}

static void cancel_answered(struct link *link, u16 id)
{
	u16 target = link->slots[id].target;

	link->slots[target].cancel_open = false;
	if (!link->slots[target].transfer)
		id_release(link, target);
	id_release(link, id);
}

static void response_handle(struct link *link, const struct response *response)
{
	struct slot *slot = &link->slots[response->id];

	switch (slot->use) {
	case SLOT_CANCEL:
		cancel_answered(link, response->id);
		return;
	case SLOT_PORT:
		port_answered(slot);
		id_release(link, response->id);
		return;
	case SLOT_STREAMS:
		streams_answered(slot, response->error, response->actual);
		id_release(link, response->id);
		return;
	case SLOT_TRANSFER:
		break;
	default:
		link_fail(link, "a response is to no request");
		return;
	}
	if (!slot->transfer)
		link_fail(link, "a response is to no request");
	else if (response->actual > slot->length)
		link_fail(link, "a response is longer than was asked for");
	else
		submit_answered(link, response->id, response);
}

/* Takes one response. Returns whether there was one. */
static bool response_take(struct link *link)
{
	struct controller *controller = link->controller;
	struct response response;
	unsigned long flags;
	bool resetting = false;
	int rc = 0;

	spin_lock_irqsave(&controller->lock, flags);
	if (controller->link == link && !link->broken)
		rc = link->wire->take(link, &response);
	if (rc > 0) {
		resetting = link->slots[response.id].use == SLOT_PORT;
		response_handle(link, &response);
	}
	spin_unlock_irqrestore(&controller->lock, flags);
	/* What a port has come to is to be looked at. */
	if (resetting)
		roothubs_notify(controller);
	return rc > 0;
}

/* Takes one port event, and puts a request for another. Returns whether there was one. */
static bool event_take(struct link *link)
{
	struct controller *controller = link->controller;
	struct port_event event;
	unsigned long flags;
	int rc = 0;

	spin_lock_irqsave(&controller->lock, flags);
	if (controller->link == link && !link->broken)
		rc = link->wire->event_take(link, &event);
	if (rc > 0)
		port_event_handle(controller, &event);
	spin_unlock_irqrestore(&controller->lock, flags);
	return rc > 0;
}

/*
 * Sends what can be sent now that there is room, once for all that was answered. Publishes the
 * requests for events. Returns whether a response or an event arrived meanwhile.
 */
static bool rings_recheck(struct link *link)
{
	struct controller *controller = link->controller;
	unsigned long flags;
	bool more = false;

	spin_lock_irqsave(&controller->lock, flags);
	if (controller->link == link && !link->broken) {
		transfers_start(link);
		if (front_ring_push(&link->events))
			notify_remote_via_irq(link->irq);
		more |= front_ring_recheck(&link->events);
		more |= front_ring_recheck(&link->requests);
	}
	spin_unlock_irqrestore(&controller->lock, flags);
	return more;
}

irqreturn_t link_interrupt(int irq, void *data)
{
	struct link *link = data;

	link->taken = response_take(link);
	if (!link->taken || rings_recheck(link))
		return IRQ_WAKE_THREAD;
	xen_irq_lateeoi(irq, 0);
	return IRQ_HANDLED;
}

/* URBs are given back by a softirq, which this thread then runs itself, not ksoftirqd. */
static bool response_take_in_thread(struct link *link)
{
	bool taken;

	local_bh_disable();
	taken = response_take(link);
	local_bh_enable();
	return taken;
}

irqreturn_t link_thread(int irq, void *data)
{
	struct link *link = data;
	unsigned int eoi_flags = link->taken ? 0 : XEN_EOI_FLAG_SPURIOUS;
	unsigned int events = 0;

	do {
		bool ports_changed = false;

		while (response_take_in_thread(link)) {
			eoi_flags = 0;
			cond_resched();
		}
		while (event_take(link)) {
			eoi_flags = 0;
			ports_changed = true;
			events++;
		}
		if (ports_changed)
			roothubs_notify(link->controller);
		/* A backend that flaps its ports must not keep a real-time thread running. */
		if (events >= USBIF_CONN_RING_SLOTS) {
			events = 0;
			usleep_range(1000, 2000);
		}
	} while (rings_recheck(link));

	xen_irq_lateeoi(irq, eoi_flags);
	return IRQ_HANDLED;
}
