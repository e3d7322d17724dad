// SPDX-License-Identifier: MIT
#include "present.h"

#include "transfer.h"

#define HIGH_SPEED_BULK_PACKET 512u
#define HIGH_SPEED_PACKET_MAX 1024u
#define HIGH_SPEED_PACKETS_MAX 3u
#define HIGH_SPEED_CONTROL_PACKET 64u
#define MAX_POWER_500_MA 250u

/*
 * Descriptors that are rewritten where they lie. What is written lies at or in front of what is
 * still to be read.
 */
struct rewrite {
	struct descriptor_span in;
	uint8_t *bytes; /* the same bytes */
	size_t out;     /* how many are written */
};

static void put(struct rewrite *rewrite, size_t at, uint32_t value)
{
	if (at < rewrite->in.length)
		rewrite->bytes[at] = (uint8_t)value;
}

static void append(struct rewrite *rewrite, uint8_t value)
{
	if (rewrite->out < rewrite->in.length)
		rewrite->bytes[rewrite->out++] = value;
}

static void put_word(struct rewrite *rewrite, size_t at, uint32_t value)
{
	put(rewrite, at, value);
	put(rewrite, at + 1, value >> 8);
}

static void rewrite_device(struct rewrite *rewrite)
{
	if (descriptor_word(&rewrite->in, 2) >= 0x0201)
		put_word(rewrite, 2, 0x0200);
	put(rewrite, 7, HIGH_SPEED_CONTROL_PACKET);
}

/* The place of the companion of the endpoint that ends here, or 0. */
static size_t companion_at(const struct descriptor_span *in, size_t endpoint_end)
{
	if (descriptor_end(in, endpoint_end) > 0 && descriptor_byte(in, endpoint_end) >= 6 &&
	    descriptor_byte(in, endpoint_end + 1) == DESCRIPTOR_SS_COMPANION)
		return endpoint_end;
	return 0;
}

/* Periodic endpoints: wBytesPerInterval of the companion, in up to three packets. */
static uint32_t periodic_packet(const struct descriptor_span *in, uint32_t packet, size_t companion)
{
	uint32_t bytes = companion ? descriptor_word(in, companion + 4) : 0, count;

	if (bytes < (packet & 0x7ff))
		bytes = packet & 0x7ff;
	if (bytes <= HIGH_SPEED_PACKET_MAX)
		return bytes;
	count = (bytes + HIGH_SPEED_PACKET_MAX - 1) / HIGH_SPEED_PACKET_MAX;
	if (count > HIGH_SPEED_PACKETS_MAX)
		count = HIGH_SPEED_PACKETS_MAX;
	return HIGH_SPEED_PACKET_MAX | (count - 1) << 11;
}

/* wMaxPacketSize of an endpoint, from its descriptor and the one behind it. */
static uint32_t endpoint_packet(const struct descriptor_span *in, size_t at, size_t end)
{
	uint32_t packet = descriptor_word(in, at + 4);

	switch (descriptor_byte(in, at + 3) & 3) {
	case TRANSFER_CONTROL:
		return packet;
	case TRANSFER_BULK:
		return HIGH_SPEED_BULK_PACKET;
	default:
		return periodic_packet(in, packet, companion_at(in, end));
	}
}

static bool is_endpoint(const struct descriptor_span *in, size_t at)
{
	return descriptor_byte(in, at + 1) == DESCRIPTOR_ENDPOINT &&
	       descriptor_byte(in, at) >= DESCRIPTOR_ENDPOINT_BYTES;
}

/* Whether an altsetting has an endpoint with streams; at is behind its interface descriptor. */
static bool uses_streams(const struct descriptor_span *in, size_t at)
{
	size_t end, companion;

	for (; (end = descriptor_end(in, at)) > 0; at = end) {
		if (descriptor_byte(in, at + 1) == DESCRIPTOR_INTERFACE)
			break;
		if (!is_endpoint(in, at) || (descriptor_byte(in, at + 3) & 3) != TRANSFER_BULK)
			continue;
		companion = companion_at(in, end);
		if (companion > 0 && (descriptor_byte(in, companion + 3) & 0x1f) > 0)
			return true;
	}
	return false;
}

static bool is_dropped(const struct descriptor_span *in, size_t at, size_t end, bool dropping)
{
	switch (descriptor_byte(in, at + 1)) {
	case DESCRIPTOR_INTERFACE:
		return descriptor_byte(in, at) >= DESCRIPTOR_INTERFACE_BYTES &&
		       descriptor_byte(in, at + 3) != 0 && uses_streams(in, end);
	case DESCRIPTOR_ASSOCIATION: /* belongs to what follows */
		return false;
	default:
		return dropping;
	}
}

static void rewrite_descriptor(struct rewrite *rewrite, size_t at, size_t end)
{
	bool endpoint = is_endpoint(&rewrite->in, at);
	/* Before the move: it may write over what it comes from. */
	uint32_t packet = endpoint ? endpoint_packet(&rewrite->in, at, end) : 0;
	uint8_t type = descriptor_byte(&rewrite->in, at + 1);
	size_t start = rewrite->out;

	if (type == DESCRIPTOR_SS_COMPANION || type == DESCRIPTOR_SSP_ISOC_COMPANION)
		return;
	for (; at < end; at++)
		append(rewrite, descriptor_byte(&rewrite->in, at));
	if (endpoint)
		put_word(rewrite, start + 4, packet);
}

static void rewrite_configuration(struct rewrite *rewrite, size_t at)
{
	size_t start = rewrite->out, end;
	bool dropping = false;
	uint32_t power;

	for (; (end = descriptor_end(&rewrite->in, at)) > 0; at = end) {
		dropping = is_dropped(&rewrite->in, at, end, dropping);
		if (!dropping)
			rewrite_descriptor(rewrite, at, end);
	}
	put_word(rewrite, start + 2, (uint32_t)(rewrite->out - start));
	/* SuperSpeed counts in 8 mA, high speed in 2 mA. */
	power = descriptor_byte(&rewrite->in, start + 8);
	put(rewrite, start + 8, power > MAX_POWER_500_MA / 4 ? MAX_POWER_500_MA : power * 4);
}

size_t present_high_speed(uint8_t *bytes, size_t length)
{
	struct rewrite rewrite = {{bytes, length}, bytes, DESCRIPTOR_DEVICE_BYTES};
	size_t at = DESCRIPTOR_DEVICE_BYTES, end;

	if (length < DESCRIPTOR_DEVICE_BYTES)
		return 0;
	rewrite_device(&rewrite);
	while ((end = descriptor_configuration_end(&rewrite.in, at)) > 0) {
		rewrite.in.length = end;
		rewrite_configuration(&rewrite, at);
		rewrite.in.length = length;
		at = end;
	}
	return rewrite.out;
}

size_t present_find(const uint8_t *bytes, size_t length, uint8_t type, uint8_t index,
		    const uint8_t **found)
{
	const struct descriptor_span span = {bytes, length};
	size_t at = DESCRIPTOR_DEVICE_BYTES, end;

	if (length < DESCRIPTOR_DEVICE_BYTES)
		return 0;
	*found = bytes;
	if (type == DESCRIPTOR_DEVICE)
		return DESCRIPTOR_DEVICE_BYTES;
	if (type != DESCRIPTOR_CONFIGURATION)
		return 0;
	for (; (end = descriptor_configuration_end(&span, at)) > 0; at = end) {
		*found = bytes + at;
		if (index-- == 0)
			return end - at;
	}
	return 0;
}
