// SPDX-License-Identifier: MIT
/*
 * A slot has a buffer for as long as the source has its transfer. Its data lies on a page boundary,
 * since a copy between domains is split at the page boundaries of both sides; a setup packet stands
 * right in front of it, as libusb wants it, at the end of a page of its own.
 *
 * Isochronous packets lie in a slot's buffer one behind the other. In the guest's they may lie
 * anywhere. Where the two differ, they are rearranged by way of one more buffer.
 *
 * Data that lies in the guest's pool is its own buffer: the source, usbfs, takes it from there and
 * puts it there, and nobody else touches it. The guest can change it meanwhile. So what somebody
 * decides by must not lie there: the data of a control transfer has a buffer of ours, because usbfs
 * reads the setup packet from in front of it. That data, a packet list, and packets that must be
 * rearranged are copied out of the pool once, and into it once.
 */
#include "buffer.h"

#include <string.h>

#include <barrier.h>

#include "arena.h"

static_assert(TRANSPORT_COPIES_MAX >= TRANSFER_SEGMENTS_MAX, "one copy for each segment");
static_assert(ARENA_PAGES >= 2 * (TRANSFER_LENGTH_MAX / ARENA_PAGE + 1),
	      "the largest transfer finds room beside others");

static _Alignas(ARENA_PAGE) uint8_t rearranged[TRANSFER_LENGTH_MAX];

static uint32_t pages_of(const struct slot *slot)
{
	uint32_t pages = (slot->request.length + ARENA_PAGE - 1) / ARENA_PAGE;

	if (slot->request.type == TRANSFER_CONTROL)
		return pages + 1;
	return pages > 0 ? pages : 1;
}

/* Whether the guest's packets lie as a slot's do. */
static bool packets_are_in_place(const struct slot *slot)
{
	uint32_t at = 0, i;

	for (i = 0; i < slot->request.packets; i++) {
		if (slot->packet[i].offset != at)
			return false;
		at += slot->packet[i].length;
	}
	return true;
}

int buffer_take(struct slot *slot)
{
	const struct transfer_request *request = &slot->request;

	assert(!slot->data);
	if (request->in_pool && request->type != TRANSFER_CONTROL && packets_are_in_place(slot)) {
		slot->data = slot->port->worker->connection.pool + request->pool_offset;
		slot->lent = true;
		return XVHC_OK;
	}
	slot->data = arena_take(pages_of(slot));
	if (!slot->data)
		return XVHC_ELIMIT;
	if (slot->request.type == TRANSFER_CONTROL)
		slot->data += ARENA_PAGE;
	return XVHC_OK;
}

void buffer_give(struct slot *slot)
{
	if (!slot->data)
		return;
	if (slot->lent) {
		slot->data = NULL;
		slot->lent = false;
		return;
	}
	if (slot->request.type == TRANSFER_CONTROL)
		slot->data -= ARENA_PAGE;
	arena_give(slot->data, pages_of(slot));
	slot->data = NULL;
}

void buffer_wipe(void)
{
	arena_wipe();
	memset(rearranged, 0, sizeof(rearranged));
}

/* Copies length bytes from or to the guest's pool, where they all lie. */
static void copy_pool(const struct worker *worker, uint32_t offset, void *local, uint32_t length,
		      enum transport_direction direction)
{
	uint8_t *pool = worker->connection.pool + offset;

	if (direction == TRANSPORT_TO_GUEST)
		shared_copy(pool, local, length);
	else
		shared_copy(local, pool, length);
}

/* Copies the segments, until length bytes are done. */
static int copy(struct worker *worker, const struct transfer_segment *segments, uint32_t count,
		void *local, uint32_t length, enum transport_direction direction)
{
	static struct transport_copy copies[TRANSPORT_COPIES_MAX];
	uint8_t *at = local;
	uint32_t i;

	for (i = 0; i < count && length > 0; i++) {
		uint32_t bytes = segments[i].length < length ? segments[i].length : length;

		copies[i].gref = segments[i].gref;
		copies[i].offset = segments[i].offset;
		copies[i].length = (uint16_t)bytes;
		copies[i].local = at;
		at += bytes;
		length -= bytes;
	}
	if (i == 0)
		return XVHC_OK;
	counter_add(&worker->counters->connection.copies, 1);
	return worker->transport->copy(copies, i, direction);
}

/* Copies the first length bytes of a request's data. */
static int copy_data(struct worker *worker, const struct transfer_request *request, void *local,
		     uint32_t length, enum transport_direction direction)
{
	if (!request->in_pool)
		return copy(worker, request->segment, request->data_segments, local, length,
			    direction);
	copy_pool(worker, request->pool_offset, local, length, direction);
	return XVHC_OK;
}

int buffer_fetch(struct worker *worker, struct slot *slot)
{
	const struct transfer_request *request = &slot->request;
	bool in_place = packets_are_in_place(slot);
	uint8_t *to = in_place ? slot->data : rearranged, *packed = slot->data;
	uint32_t i;
	int error;

	if (slot->lent)
		return XVHC_OK;
	error = copy_data(worker, request, to, request->length, TRANSPORT_FROM_GUEST);
	if (error != XVHC_OK || in_place)
		return error;
	for (i = 0; i < request->packets; i++) {
		memcpy(packed, rearranged + slot->packet[i].offset, slot->packet[i].length);
		packed += slot->packet[i].length;
	}
	return XVHC_OK;
}

/* Zeroes what the device did not fill. */
static void *packets_to_guest(struct slot *slot)
{
	bool in_place = packets_are_in_place(slot);
	uint8_t *packed = slot->data;
	uint32_t at = 0, i;

	if (!in_place)
		memset(rearranged, 0, slot->request.length);
	for (i = 0; i < slot->request.packets; i++) {
		const struct transfer_packet *packet = &slot->packet[i];

		if (in_place)
			memset(packed + at + packet->actual, 0, packet->length - packet->actual);
		else
			memcpy(rearranged + packet->offset, packed + at, packet->actual);
		at += packet->length;
	}
	if (!in_place)
		return rearranged;
	memset(packed + at, 0, slot->request.length - at);
	return packed;
}

int buffer_store(struct worker *worker, struct slot *slot)
{
	const struct transfer_request *request = &slot->request;
	uint32_t length = slot->transfer.actual;
	void *from = slot->data;

	if (slot->lent)
		return XVHC_OK;
	if (request->type == TRANSFER_ISOC) {
		from = packets_to_guest(slot);
		length = request->length;
	}
	return copy_data(worker, request, from, length, TRANSPORT_TO_GUEST);
}

int buffer_copy_list(struct worker *worker, const struct transfer_request *request, void *list,
		     enum transport_direction direction)
{
	uint32_t i, bytes = request->packets * (uint32_t)sizeof(struct xvhcif_packet);

	if (request->in_pool) {
		copy_pool(worker, request->list_offset, list, bytes, direction);
		return XVHC_OK;
	}
	bytes = 0;
	for (i = 0; i < request->list_segments; i++)
		bytes += request->list[i].length;
	return copy(worker, request->list, request->list_segments, list, bytes, direction);
}
