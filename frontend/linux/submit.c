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

#include <linux/bitmap.h>
#include <linux/mm.h>
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
	return transfer->parts_sent && !transfer->empty_parts &&
	       transfer->bytes_sent == transfer->urb->transfer_buffer_length;
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
	u16 free = link->ids_free_count;

	if (usb_endpoint_xfer_control(&urb->ep->desc))
		return free > IDS_FOR_CANCEL;
	/* Isochronous requests never stay for long. */
	if (is_isoc(urb) || endpoint_is_idle(urb))
		return free > IDS_FOR_CANCEL + IDS_FOR_CONTROL;
	return free > IDS_FOR_OTHERS;
}

/* Bytes of the part that comes next; not isochronous. */
static u32 part_length(const struct link *link, const struct transfer *transfer)
{
	u32 left = transfer->urb->transfer_buffer_length - transfer->bytes_sent;

	/* What a control transfer has cannot be parted. */
	if (usb_endpoint_xfer_control(&transfer->urb->ep->desc))
		return left;
	return min(left, link->wire->part_bytes_max);
}

/* Pages for data, for segments and for a packet list. */
static bool pages_are_to_spare(const struct link *link, const struct transfer *transfer)
{
	const struct urb *urb = transfer->urb;
	u32 length = is_isoc(urb) ? link->wire->part_bytes_max : part_length(link, transfer);
	u32 wanted;

	if (is_isoc(urb))
		length = min(length, urb->transfer_buffer_length);
	wanted = DIV_ROUND_UP(length, XVHCIF_PAGE_SIZE) + 2;
	if (!usb_endpoint_xfer_control(&urb->ep->desc) && length > XVHCIF_PAGE_SIZE)
		wanted += POOL_PAGES_FOR_OTHERS;
	if (usb_endpoint_xfer_bulk(&urb->ep->desc))
		wanted += POOL_PAGES_FOR_PERIODIC;
	/* With version 1 there are pages for all that its slots can have. */
	return link->wire->version == 1 || link->pool->free_count >= wanted;
}

/*
 * A bulk transfer that waits for pages holds up the later ones of its port: a disk that is sent the
 * command of one transfer, and never its data since others have the pages, would wait for it.
 */
static bool pages_are_its_turn(const struct link *link, const struct transfer *transfer,
			       u32 *starved)
{
	u32 port = BIT(transfer->port);

	if (!usb_endpoint_xfer_bulk(&transfer->urb->ep->desc))
		return pages_are_to_spare(link, transfer);
	if (!(*starved & port) && pages_are_to_spare(link, transfer))
		return true;
	*starved |= port;
	return false;
}

/* starved: a bit for each port of which a transfer waits for pages. */
static bool part_can_start(const struct link *link, const struct transfer *transfer, u32 *starved)
{
	const struct urb *urb = transfer->urb;

	if (transfer_is_sent(transfer) || transfer_is_held(transfer) ||
	    !id_is_to_spare(link, urb))
		return false;
	if (transfer->in_flight && !is_isoc(urb))
		return false;
	return predecessor_is_sent(urb) && pages_are_its_turn(link, transfer, starved);
}

static void part_choose(struct link *link, struct transfer *transfer, struct slot *slot)
{
	slot->offset = transfer->bytes_sent;
	slot->length = part_length(link, transfer);
	slot_pages_take(link, slot, slot->length);
	if (!xvhc_trusted)
		buffer_clear(link, slot);
	if (usb_urb_dir_out(transfer->urb))
		buffer_take(link, slot, 0, transfer->urb, slot->offset, slot->length);
	/* The empty packet behind the data, where it is a part of its own. */
	if (!slot->length && transfer->parts_sent)
		transfer->empty_parts--;
	transfer->bytes_sent += slot->length;
	transfer->parts_sent++;
}

static void packets_choose(struct link *link, struct transfer *transfer, struct slot *slot)
{
	struct urb *urb = transfer->urb;
	u32 at = 0;
	u32 i;

	slot->packet_first = transfer->packets_sent;
	slot->packet_count = 0;
	slot->length = 0;
	while (transfer->packets_sent < urb->number_of_packets &&
	       slot->packet_count < XVHC_ISOC_PACKETS_MAX) {
		u32 length = urb->iso_frame_desc[transfer->packets_sent].length;

		if (length > link->wire->part_bytes_max - slot->length)
			break;
		slot->length += length;
		slot->packet_count++;
		transfer->packets_sent++;
	}
	slot_pages_take(link, slot, slot->length);
	slot->list = pool_take(link->pool);
	slot->has_list = true;
	if (!xvhc_trusted) {
		buffer_clear(link, slot);
		clear_page(pool_address(link->pool, slot->list));
	}
	for (i = 0; i < slot->packet_count && usb_urb_dir_out(urb); i++) {
		const struct usb_iso_packet_descriptor *packet =
			&urb->iso_frame_desc[slot->packet_first + i];

		buffer_take(link, slot, at, urb, packet->offset, packet->length);
		at += packet->length;
	}
}

static void part_send(struct link *link, struct transfer *transfer)
{
	u16 id = id_take(link, SLOT_TRANSFER);
	struct slot *slot = &link->slots[id];

	slot->transfer = transfer;
	slot->portnum = transfer->port;
	/* The device's own number is wrong while its address is being set: take the URB's. */
	slot->address = usb_pipedevice(transfer->urb->pipe);
	if (is_isoc(transfer->urb))
		packets_choose(link, transfer, slot);
	else
		part_choose(link, transfer, slot);
	if (link->wire->version != 1 && !slot->in_pool &&
	    slot->page_count > XVHCIF_SEGMENTS_DIRECT) {
		slot->indirect = pool_take(link->pool);
		slot->has_indirect = true;
	}
	transfer->in_flight++;
	link->wire->put(link, id);
}

static void cancels_send(struct link *link)
{
	while (!bitmap_empty(link->cancels_wanted, link->slot_count) && link->ids_free_count) {
		u16 target = find_first_bit(link->cancels_wanted, link->slot_count);
		u16 id = id_take(link, SLOT_CANCEL);
		struct slot *slot = &link->slots[id];

		__clear_bit(target, link->cancels_wanted);
		slot->target = target;
		slot->portnum = link->slots[target].portnum;
		slot->address = link->slots[target].address;
		link->wire->put(link, id);
	}
}

void transfers_start(struct link *link)
{
	struct controller *controller = link->controller;
	struct transfer *transfer, *next;
	u32 starved = 0;

	lockdep_assert_held(&controller->lock);

	if (link->broken)
		return;
	cancels_send(link);
	ports_send(link);
	list_for_each_entry_safe(transfer, next, &controller->waiting, waiting) {
		if (link->ids_free_count <= IDS_FOR_CANCEL)
			break;
		while (part_can_start(link, transfer, &starved))
			part_send(link, transfer);
		if (transfer_is_sent(transfer))
			list_del_init(&transfer->waiting);
	}
	link_push(link);
}

u8 root_port(const struct usb_device *device)
{
	while (device->parent && device->parent->parent)
		device = device->parent;
	return device->portnum;
}

/* How many empty parts follow the data: version 1 has no flag for the packet that this is. */
static u32 empty_parts_count(const struct wire_ops *wire, const struct urb *urb)
{
	u32 length = urb->transfer_buffer_length;

	if (wire->has_zero_packet || !(urb->transfer_flags & URB_ZERO_PACKET) ||
	    !usb_endpoint_is_bulk_out(&urb->ep->desc) || !length)
		return 0;
	return length % usb_endpoint_maxp(&urb->ep->desc) == 0;
}

/* Whether the URB can be sent at all: 0 or an errno for its submitter. */
static int urb_check(const struct wire_ops *wire, const struct urb *urb)
{
	u32 length = urb->transfer_buffer_length;
	u32 left = length;
	int i;

	if (length && !urb->num_sgs && !urb->transfer_buffer)
		return -EINVAL;
	if (usb_endpoint_xfer_control(&urb->ep->desc))
		return length > XVHC_TRANSFER_MAX ? -EMSGSIZE : 0;
	if (!is_isoc(urb))
		return 0;
	for (i = 0; i < urb->number_of_packets; i++) {
		const struct usb_iso_packet_descriptor *packet = &urb->iso_frame_desc[i];

		if (packet->length > wire->part_bytes_max)
			return -EMSGSIZE;
		if (packet->offset > length || packet->length > length - packet->offset)
			return -EINVAL;
		/* So they need no more pages than their buffer has. */
		if (packet->length > left)
			return -EINVAL;
		left -= packet->length;
	}
	return 0;
}

int transfer_enqueue(struct usb_hcd *hcd, struct urb *urb, gfp_t mem_flags)
{
	struct controller *controller = hcd_controller(hcd);
	const struct wire_ops *wire = wire_of(controller);
	struct transfer *transfer;
	unsigned long flags;
	int rc;

	transfer = kzalloc(sizeof(*transfer), mem_flags);
	if (!transfer)
		return -ENOMEM;
	transfer->controller = controller;
	transfer->urb = urb;
	transfer->port = root_port(urb->dev);

	spin_lock_irqsave(&controller->lock, flags);
	rc = -ESHUTDOWN;
	/* Where ports are kept, an URB outlasts a link that is broken, and waits for the next. */
	if (controller->link ? !controller->link->broken || controller->version != 1 :
			       transfer_is_held(transfer))
		rc = urb_check(wire, urb);
	if (!rc)
		rc = usb_hcd_link_urb_to_ep(hcd, urb);
	if (!rc) {
		urb->hcpriv = transfer;
		urb->error_count = 0;
		transfer->empty_parts = empty_parts_count(wire, urb);
		list_add_tail(&transfer->all, &controller->transfers);
		list_add_tail(&transfer->waiting, &controller->waiting);
		if (controller->link)
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
	slot->expiry = jiffies + ANSWER_LIMIT;
	__set_bit(id, link->cancels_wanted);
	schedule_delayed_work(&link->controller->frontend->watchdog, ANSWER_LIMIT);
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
		for (id = 0; id < controller->link->slot_count; id++)
			if (controller->link->slots[id].use == SLOT_TRANSFER &&
			    controller->link->slots[id].transfer == transfer)
				slot_cancel(controller->link, id);
	} else {
		transfer_finish(controller, transfer, status);
	}
	if (controller->link)
		transfers_start(controller->link);
out:
	spin_unlock_irqrestore(&controller->lock, flags);
	return rc;
}

/* Whether somebody waits for the answer who cannot do otherwise. */
static bool is_awaited(const struct slot *slot)
{
	return (slot->use == SLOT_TRANSFER && slot->cancelled) || slot->use == SLOT_STREAMS;
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
	for (id = 0; link && id < link->slot_count; id++) {
		const struct slot *slot = &link->slots[id];

		if (!is_awaited(slot))
			continue;
		if (time_after_eq(now, slot->expiry))
			link_fail(link, "a request was not answered in time");
		else if (!next || slot->expiry - now < next)
			next = slot->expiry - now;
	}
	if (next)
		schedule_delayed_work(watchdog, next);
	spin_unlock_irqrestore(&controller->lock, flags);
}
