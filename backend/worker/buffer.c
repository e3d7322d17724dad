// SPDX-License-Identifier: MIT
/*
 * A slot has a buffer for as long as the source has its transfer. Its data lies on a page boundary,
 * since a copy between domains is split at the page boundaries of both sides; a setup packet stands
 * right in front of it, as libusb wants it, at the end of a page of its own.
 *
 * Isochronous packets lie in a slot's buffer one behind the other. In the guest's they may lie
 * anywhere. Where the two differ, they are rearranged by way of one more buffer.
 */
#include "buffer.h"

#include <string.h>

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

int buffer_take(struct slot *slot)
{
	assert(!slot->data);
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
	return i > 0 ? worker->transport->copy(copies, i, direction) : XVHC_OK;
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

int buffer_fetch(struct worker *worker, struct slot *slot)
{
	const struct transfer_request *request = &slot->request;
	bool in_place = packets_are_in_place(slot);
	uint8_t *to = in_place ? slot->data : rearranged, *packed = slot->data;
	uint32_t i;
	int error;

	error = copy(worker, request->segment, request->data_segments, to, request->length,
		     TRANSPORT_FROM_GUEST);
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

	if (request->type == TRANSFER_ISOC) {
		from = packets_to_guest(slot);
		length = request->length;
	}
	return copy(worker, request->segment, request->data_segments, from, length,
		    TRANSPORT_TO_GUEST);
}

int buffer_copy_list(struct worker *worker, const struct transfer_request *request, void *list,
		     enum transport_direction direction)
{
	uint32_t i, bytes = 0;

	for (i = 0; i < request->list_segments; i++)
		bytes += request->list[i].length;
	return copy(worker, request->list, request->list_segments, list, bytes, direction);
}
