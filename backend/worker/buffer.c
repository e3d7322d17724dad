// SPDX-License-Identifier: MIT
/*
 * Each slot has a buffer for the largest request. Its data lies on a page boundary, since a copy
 * between domains is split at the page boundaries of both sides; a setup packet stands right in
 * front of it, as libusb wants it.
 *
 * Isochronous packets lie in a slot's buffer one behind the other. In the guest's they may lie
 * anywhere. Where the two differ, they are rearranged by way of one more buffer.
 */
#include "buffer.h"

#include <string.h>

static_assert(TRANSPORT_COPIES_MAX >= TRANSFER_SEGMENTS_MAX, "one copy for each segment");

/* The first page of each has the setup packet at its end. */
static _Alignas(
	USBIF_PAGE_SIZE) uint8_t memory[SOURCE_SLOTS][USBIF_PAGE_SIZE + TRANSFER_LENGTH_MAX];
static _Alignas(USBIF_PAGE_SIZE) uint8_t rearranged[TRANSFER_LENGTH_MAX];

void buffer_init(struct worker *worker)
{
	uint32_t i;

	for (i = 0; i < SOURCE_SLOTS; i++)
		worker->slot[i].data = memory[i] + USBIF_PAGE_SIZE;
}

void buffer_wipe(void)
{
	memset(memory, 0, sizeof(memory));
	memset(rearranged, 0, sizeof(rearranged));
}

/* Copies the segments, until length bytes are done. */
static int copy(struct worker *worker, const struct transfer_segment *segments, uint32_t count,
		void *local, uint32_t length, enum transport_direction direction)
{
	struct transport_copy copies[TRANSPORT_COPIES_MAX];
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
		bytes += request->segment[request->data_segments + i].length;
	return copy(worker, request->segment + request->data_segments, request->list_segments, list,
		    bytes, direction);
}
