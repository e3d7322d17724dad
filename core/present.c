// SPDX-License-Identifier: MIT
#include "present.h"

#include "barrier.h"
#include "transfer.h"

#define HIGH_SPEED_BULK_PACKET 512u
#define HIGH_SPEED_PACKET_MAX 1024u
#define HIGH_SPEED_PACKETS_MAX 3u
#define HIGH_SPEED_CONTROL_PACKET 64u
#define MAX_POWER_500_MA 250u

static void put_u16(uint8_t *bytes, uint32_t value)
{
	bytes[0] = (uint8_t)value;
	bytes[1] = (uint8_t)(value >> 8);
}

static void rewrite_device(uint8_t *bytes)
{
	if (descriptor_u16(bytes + 2) >= 0x0201)
		put_u16(bytes + 2, 0x0200);
	bytes[7] = HIGH_SPEED_CONTROL_PACKET;
}

/* Periodic endpoints: wBytesPerInterval of the companion, in up to three packets. */
static uint32_t periodic_packet(uint32_t packet, const uint8_t *companion)
{
	uint32_t bytes = companion ? descriptor_u16(companion + 4) : 0, count;

	if (bytes < (packet & 0x7ff))
		bytes = packet & 0x7ff;
	if (bytes <= HIGH_SPEED_PACKET_MAX)
		return bytes;
	count = (bytes + HIGH_SPEED_PACKET_MAX - 1) / HIGH_SPEED_PACKET_MAX;
	if (count > HIGH_SPEED_PACKETS_MAX)
		count = HIGH_SPEED_PACKETS_MAX;
	return HIGH_SPEED_PACKET_MAX | (count - 1) << 11;
}

static const uint8_t *companion_of(const uint8_t *endpoint, size_t left)
{
	size_t step = descriptor_step(endpoint, left);
	const uint8_t *next = endpoint + step;

	if (step > 0 && descriptor_step(next, left - step) >= 6 &&
	    next[1] == DESCRIPTOR_SS_COMPANION)
		return next;
	return NULL;
}

/* wMaxPacketSize of an endpoint, from its descriptor and the one behind it. */
static uint32_t endpoint_packet(const uint8_t *bytes, size_t left)
{
	uint32_t packet = descriptor_u16(bytes + 4);

	switch (bytes[3] & 3) {
	case TRANSFER_CONTROL:
		return packet;
	case TRANSFER_BULK:
		return HIGH_SPEED_BULK_PACKET;
	default:
		return periodic_packet(packet, companion_of(bytes, left));
	}
}

/* Whether an altsetting, from its interface descriptor on, has an endpoint with streams. */
static bool uses_streams(const uint8_t *bytes, size_t left)
{
	size_t step = descriptor_step(bytes, left);

	bytes += step;
	left -= step;
	while ((step = descriptor_step(bytes, left)) > 0 && bytes[1] != DESCRIPTOR_INTERFACE) {
		const uint8_t *companion;

		if (bytes[1] == DESCRIPTOR_ENDPOINT && step >= DESCRIPTOR_ENDPOINT_BYTES &&
		    (bytes[3] & 3) == TRANSFER_BULK) {
			companion = companion_of(bytes, left);
			if (companion && (companion[3] & 0x1f) > 0)
				return true;
		}
		bytes += step;
		left -= step;
	}
	return false;
}

static bool is_dropped(const uint8_t *bytes, size_t step, size_t left, bool dropping)
{
	switch (bytes[1]) {
	case DESCRIPTOR_INTERFACE:
		return step >= DESCRIPTOR_INTERFACE_BYTES && bytes[3] != 0 &&
		       uses_streams(bytes, left);
	case DESCRIPTOR_ASSOCIATION: /* belongs to what follows */
		return false;
	default:
		return dropping;
	}
}

static size_t rewrite_descriptor(uint8_t *out, const uint8_t *in, size_t step, size_t left)
{
	bool endpoint = in[1] == DESCRIPTOR_ENDPOINT && step >= DESCRIPTOR_ENDPOINT_BYTES;
	/* Before the move: it may write over what it comes from. */
	uint32_t packet = endpoint ? endpoint_packet(in, left) : 0;

	if (in[1] == DESCRIPTOR_SS_COMPANION || in[1] == DESCRIPTOR_SSP_ISOC_COMPANION)
		return 0;
	memmove(out, in, step);
	if (endpoint)
		put_u16(out + 4, packet);
	return step;
}

/* Writes at out, which lies at or in front of in. Returns the new length. */
static size_t rewrite_configuration(uint8_t *out, const uint8_t *in, size_t length)
{
	uint8_t *start = out;
	bool dropping = false;
	size_t step;

	while ((step = descriptor_step(in, length)) > 0) {
		dropping = is_dropped(in, step, length, dropping);
		if (!dropping)
			out += rewrite_descriptor(out, in, step, length);
		in += step;
		length -= step;
	}
	put_u16(start + 2, (uint32_t)(out - start));
	/* SuperSpeed counts in 8 mA, high speed in 2 mA. */
	start[8] = start[8] > MAX_POWER_500_MA / 4 ? MAX_POWER_500_MA : (uint8_t)(start[8] * 4);
	return (size_t)(out - start);
}

size_t present_high_speed(uint8_t *bytes, size_t length)
{
	size_t in = DESCRIPTOR_DEVICE_BYTES, out = DESCRIPTOR_DEVICE_BYTES;

	if (length < DESCRIPTOR_DEVICE_BYTES)
		return 0;
	rewrite_device(bytes);
	while (length - in >= DESCRIPTOR_CONFIGURATION_BYTES) {
		size_t total = descriptor_u16(bytes + in + 2);

		if (bytes[in + 1] != DESCRIPTOR_CONFIGURATION ||
		    bytes[in] < DESCRIPTOR_CONFIGURATION_BYTES)
			break;
		if (total > length - in)
			total = length - in;
		if (total < bytes[in])
			break;
		out += rewrite_configuration(bytes + out, bytes + in, total);
		in += total;
	}
	return out;
}

size_t present_find(const uint8_t *bytes, size_t length, uint8_t type, uint8_t index,
		    const uint8_t **found)
{
	size_t at = DESCRIPTOR_DEVICE_BYTES;

	if (length < DESCRIPTOR_DEVICE_BYTES)
		return 0;
	*found = bytes;
	if (type == DESCRIPTOR_DEVICE)
		return DESCRIPTOR_DEVICE_BYTES;
	if (type != DESCRIPTOR_CONFIGURATION)
		return 0;
	while (length - at >= DESCRIPTOR_CONFIGURATION_BYTES) {
		size_t total = descriptor_u16(bytes + at + 2);

		if (total < DESCRIPTOR_CONFIGURATION_BYTES)
			return 0;
		if (total > length - at)
			total = length - at;
		*found = bytes + at;
		if (index-- == 0)
			return total;
		at += total;
	}
	return 0;
}
