// SPDX-License-Identifier: GPL-2.0-only
/*
 * From the USB core to the ring.
 *
 * An URB becomes a transfer, and a transfer one or more parts, each of which is a request. A
 * transfer waits in controller->waiting as long as it has parts to send. It is looked at again
 * whenever something was answered, so nothing here needs a timer.
 *
 * Parts of a bulk or interrupt transfer are sent one after another, each when the one before has
 * been answered in full: a short packet or an error ends an URB, and what was behind it must never
 * reach the device. Parts of an isochronous transfer are all sent at once, for they must not miss
 * their frames. Transfers of one endpoint keep their order: a later one starts when the earlier one
 * has nothing more to send.
 */
#include "xvhc.h"

#include <linux/bitops.h>
#include <linux/slab.h>

static bool is_isoc(const struct urb *urb)
{
	return usb_endpoint_xfer_isoc(&urb->ep->desc);
}

bool transfer_is_sent(const struct transfer *transfer)
{
	lockdep_assert_held(&transfer->controller->lock);

	if (transfer->ended)
		return true;
	if (is_isoc(transfer->urb))
		return transfer->packets_sent == transfer->urb->number_of_packets;
	return transfer->parts_sent == transfer->parts;
}

static bool endpoint_is_idle(const struct urb *urb)
{
	return list_is_first(&urb->urb_list, &urb->ep->urb_list);
}

/* The list of an endpoint changes only under our own lock: it is our URBs that are in it. */
static bool predecessor_is_sent(const struct urb *urb)
{
	const struct urb *before;

	if (endpoint_is_idle(urb))
		return true;
	before = list_prev_entry(urb, urb_list);
	return transfer_is_sent(before->hcpriv);
}

static bool id_is_to_spare(const struct link *link, const struct urb *urb)
{
	unsigned int free = hweight_long(link->ids_free);

	if (usb_endpoint_xfer_control(&urb->ep->desc))
		return free > IDS_FOR_CANCEL;
	/* Isochronous requests never stay for long. */
	if (is_isoc(urb) || endpoint_is_idle(urb))
		return free > IDS_FOR_CANCEL + IDS_FOR_CONTROL;
	return free > IDS_FOR_OTHERS;
}

static bool part_can_start(const struct link *link, const struct transfer *transfer)
{
	const struct urb *urb = transfer->urb;

	if (transfer_is_sent(transfer) || !id_is_to_spare(link, urb))
		return false;
	if (transfer->in_flight && !is_isoc(urb))
		return false;
	return predecessor_is_sent(urb);
}

static void part_choose(struct transfer *transfer, struct slot *slot)
{
	u32 left = transfer->urb->transfer_buffer_length;

	if (usb_endpoint_xfer_control(&transfer->urb->ep->desc)) {
		slot->offset = 0;
		slot->length = left;
	} else {
		slot->offset = min(transfer->parts_sent * PART_BYTES_MAX, left);
		slot->length = min(left - slot->offset, PART_BYTES_MAX);
	}
	if (!xvhc_trusted)
		buffer_clear(slot, slot->length);
	if (usb_urb_dir_out(transfer->urb))
		buffer_take(slot, 0, transfer->urb, slot->offset, slot->length);
	transfer->parts_sent++;
}

static void packets_choose(struct transfer *transfer, struct slot *slot)
{
	struct urb *urb = transfer->urb;

	slot->packet_first = transfer->packets_sent;
	slot->packet_count = 0;
	slot->length = 0;
	if (!xvhc_trusted)
		buffer_clear(slot, SLOT_PAGES * USBIF_PAGE_SIZE);
	while (transfer->packets_sent < urb->number_of_packets &&
	       slot->packet_count < XVHC_ISOC_PACKETS_MAX) {
		const struct usb_iso_packet_descriptor *packet =
			&urb->iso_frame_desc[transfer->packets_sent];

		if (packet->length > PART_BYTES_MAX - slot->length)
			break;
		if (usb_urb_dir_out(urb))
			buffer_take(slot, slot->length, urb, packet->offset, packet->length);
		slot->length += packet->length;
		slot->packet_count++;
		transfer->packets_sent++;
	}
}

static u16 id_take(struct link *link, enum slot_use use)
{
	u16 id = __ffs(link->ids_free);

	__clear_bit(id, &link->ids_free);
	link->slots[id].use = use;
	return id;
}

static void part_send(struct link *link, struct transfer *transfer)
{
	u16 id = id_take(link, SLOT_TRANSFER);
	struct slot *slot = &link->slots[id];
	struct usbif_urb_request request;

	slot->transfer = transfer;
	slot->cancelled = false;
	slot->cancel_open = false;
	if (is_isoc(transfer->urb))
		packets_choose(transfer, slot);
	else
		part_choose(transfer, slot);
	transfer->in_flight++;
	usbif_submit_encode(slot, id, &request);
	front_ring_put(&link->urb_ring, &request, sizeof(request));
}

static void cancels_send(struct link *link)
{
	while (link->cancels_wanted && link->ids_free) {
		u16 target = __ffs(link->cancels_wanted);
		u16 id = id_take(link, SLOT_CANCEL);
		struct slot *slot = &link->slots[id];
		struct usbif_urb_request request;

		__clear_bit(target, &link->cancels_wanted);
		slot->target = target;
		slot->pipe = link->slots[target].pipe;
		usbif_cancel_encode(slot, id, &request);
		front_ring_put(&link->urb_ring, &request, sizeof(request));
	}
}

void transfers_start(struct link *link)
{
	struct controller *controller = link->controller;
	struct transfer *transfer, *next;

	lockdep_assert_held(&controller->lock);

	if (link->broken)
		return;
	cancels_send(link);
	list_for_each_entry_safe(transfer, next, &controller->waiting, waiting) {
		if (hweight_long(link->ids_free) <= IDS_FOR_CANCEL)
			break;
		while (part_can_start(link, transfer))
			part_send(link, transfer);
		if (transfer_is_sent(transfer))
			list_del_init(&transfer->waiting);
	}
	link_push(link);
}

/* The port of the root hub that the device is behind, whatever number of hubs is between. */
static u8 root_port(const struct usb_device *device)
{
	while (device->parent && device->parent->parent)
		device = device->parent;
	return device->portnum;
}

static u32 parts_count(const struct urb *urb)
{
	u32 length = urb->transfer_buffer_length;
	u32 parts;

	if (usb_endpoint_xfer_control(&urb->ep->desc))
		return 1;
	parts = max_t(u32, DIV_ROUND_UP(length, PART_BYTES_MAX), 1);
	/* Version 1 of the wire has no flag for it: the empty packet is a request of its own. */
	if (urb->transfer_flags & URB_ZERO_PACKET && usb_endpoint_is_bulk_out(&urb->ep->desc) &&
	    length && length % usb_endpoint_maxp(&urb->ep->desc) == 0)
		parts++;
	return parts;
}

/* Whether the URB can be sent at all: 0 or an errno for its submitter. */
static int urb_check(const struct urb *urb)
{
	u32 length = urb->transfer_buffer_length;
	int i;

	if (length && !urb->num_sgs && !urb->transfer_buffer)
		return -EINVAL;
	if (usb_endpoint_xfer_control(&urb->ep->desc))
		return length > XVHC_TRANSFER_MAX ? -EMSGSIZE : 0;
	if (!is_isoc(urb))
		return 0;
	for (i = 0; i < urb->number_of_packets; i++) {
		const struct usb_iso_packet_descriptor *packet = &urb->iso_frame_desc[i];

		if (packet->length > PART_BYTES_MAX)
			return -EMSGSIZE;
		if (packet->offset > length || packet->length > length - packet->offset)
			return -EINVAL;
	}
	return 0;
}

int transfer_enqueue(struct usb_hcd *hcd, struct urb *urb, gfp_t mem_flags)
{
	struct controller *controller = hcd_controller(hcd);
	struct transfer *transfer;
	unsigned long flags;
	int rc;

	rc = urb_check(urb);
	if (rc)
		return rc;
	transfer = kzalloc(sizeof(*transfer), mem_flags);
	if (!transfer)
		return -ENOMEM;
	transfer->controller = controller;
	transfer->urb = urb;
	transfer->port = root_port(urb->dev);
	transfer->parts = parts_count(urb);

	spin_lock_irqsave(&controller->lock, flags);
	if (!controller->link || controller->link->broken)
		rc = -ESHUTDOWN;
	else
		rc = usb_hcd_link_urb_to_ep(hcd, urb);
	if (!rc) {
		urb->hcpriv = transfer;
		urb->error_count = 0;
		list_add_tail(&transfer->all, &controller->transfers);
		list_add_tail(&transfer->waiting, &controller->waiting);
		transfers_start(controller->link);
	}
	spin_unlock_irqrestore(&controller->lock, flags);

	if (rc)
		kfree(transfer);
	return rc;
}

static void slot_cancel(struct link *link, u16 id)
{
	struct slot *slot = &link->slots[id];

	if (slot->cancelled)
		return;
	slot->cancelled = true;
	slot->cancel_open = true;
	slot->expiry = jiffies + CANCEL_LIMIT;
	__set_bit(id, &link->cancels_wanted);
	schedule_delayed_work(&link->controller->frontend->watchdog, CANCEL_LIMIT);
}

/*
 * An URB with parts under way is given back when the last of them is answered, not here: its buffer
 * would be safe, but the device may still be at work, and a driver that stopped an endpoint must
 * find it stopped.
 */
int transfer_dequeue(struct usb_hcd *hcd, struct urb *urb, int status)
{
	struct controller *controller = hcd_controller(hcd);
	struct transfer *transfer;
	unsigned long flags;
	u16 id;
	int rc;

	spin_lock_irqsave(&controller->lock, flags);
	rc = usb_hcd_check_unlink_urb(hcd, urb, status);
	if (rc)
		goto out;
	transfer = urb->hcpriv;
	transfer->ended = true;
	list_del_init(&transfer->waiting);
	if (transfer->in_flight) {
		for (id = 0; id < USBIF_URB_RING_SLOTS; id++)
			if (controller->link->slots[id].transfer == transfer)
				slot_cancel(controller->link, id);
	} else {
		transfer_finish(controller, transfer, status);
	}
	transfers_start(controller->link);
out:
	spin_unlock_irqrestore(&controller->lock, flags);
	return rc;
}

void transfers_check(struct controller *controller)
{
	struct delayed_work *watchdog = &controller->frontend->watchdog;
	unsigned long now = jiffies;
	unsigned long next = 0; /* jiffies from now to the first of those that are left; 0: none */
	unsigned long flags;
	struct link *link;
	u16 id;

	spin_lock_irqsave(&controller->lock, flags);
	link = controller->link;
	for (id = 0; link && id < USBIF_URB_RING_SLOTS; id++) {
		const struct slot *slot = &link->slots[id];

		if (slot->use != SLOT_TRANSFER || !slot->cancelled)
			continue;
		if (time_after_eq(now, slot->expiry))
			link_fail(link, "a cancelled request was not answered in time");
		else if (!next || slot->expiry - now < next)
			next = slot->expiry - now;
	}
	if (next)
		schedule_delayed_work(watchdog, next);
	spin_unlock_irqrestore(&controller->lock, flags);
}
