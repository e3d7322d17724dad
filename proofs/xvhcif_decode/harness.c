// SPDX-License-Identifier: MIT
/*
 * The decoder of requests of version 2, on 64 arbitrary bytes. A field that is bounded lies within
 * its bounds, or beyond them while all others are arbitrary: so no request is left out. Direct
 * segments are taken one number by one.
 */
#include <xvhcif_decode.h>

#include "arbitrary.h"

struct range {
	uint32_t min, max;
};

/* Fields that are bounded. Each has any of its values here. */
struct limits {
	struct range port, address, type, flags, length, packets, segments;
};

static const struct limits any = {
	.port = {0, UINT8_MAX},
	.address = {0, UINT8_MAX},
	.type = {0, UINT8_MAX},
	.flags = {0, UINT8_MAX},
	.length = {0, UINT32_MAX},
	.packets = {0, UINT16_MAX},
	.segments = {0, UINT16_MAX},
};

static uint32_t within(struct range range)
{
	return arbitrary_u32(range.min, range.max);
}

/* Of the pool. */
static uint32_t pool_bytes;

static int decode(const struct limits *limits, uint32_t slots, struct transfer_request *request)
{
	struct xvhcif_request wire;

	arbitrary_bytes(&wire, sizeof(wire));
	wire.operation = XVHCIF_SUBMIT;
	wire.port = (uint8_t)within(limits->port);
	wire.address = (uint8_t)within(limits->address);
	wire.type = (uint8_t)within(limits->type);
	wire.flags = (uint8_t)within(limits->flags);
	wire.length = within(limits->length);
	wire.packets = (uint16_t)within(limits->packets);
	wire.segments = (uint16_t)within(limits->segments);
	(void)xvhcif_verdict(&wire);
	return xvhcif_decode(&wire, slots, pool_bytes, request);
}

static void check_accepted(const struct transfer_request *request)
{
	uint32_t head = TRANSFER_REQUEST_HEAD;

	/*@ check \initialized((const uint8_t *)request + (0 .. head - 1)); */
	/*@ check 1 <= request->port <= XVHCIF_PORT_MAX; */
	assert(transfer_request_is_valid(request));
}

static void decode_direct(struct limits *limits, uint32_t slots)
{
	struct transfer_request request;
	uint32_t segments, i;

	limits->flags = (struct range){0, XVHCIF_FLAG_INDIRECT - 1};
	for (segments = 0; segments <= XVHCIF_SEGMENTS_DIRECT; segments++) {
		limits->segments = (struct range){segments, segments};
		if (decode(limits, slots, &request) != XVHC_OK)
			continue;
		for (i = 0; i < segments; i++) {
			/*@ check \initialized(&request.segment[i]); */
		}
		/*@ check request.id < slots; */
		check_accepted(&request);
	}
}

static void decode_indirect(struct limits *limits, uint32_t slots)
{
	struct transfer_request request;

	limits->flags = (struct range){XVHCIF_FLAG_INDIRECT, XVHCIF_FLAG_POOL - 1};
	limits->segments = (struct range){0, XVHCIF_SEGMENTS_MAX};
	if (decode(limits, slots, &request) == XVHC_OK) {
		/*@ check request.id < slots; */
		check_accepted(&request);
	}
}

/* Data in the pool: each flag beside that one, and pools of no page, one page, and all pages. */
static void decode_pool(struct limits *limits, uint32_t slots)
{
	static const uint32_t sizes[] = {0, XVHCIF_PAGE_SIZE,
					 XVHC_POOL_PAGES_MAX * XVHCIF_PAGE_SIZE};
	struct transfer_request request;
	uint32_t flags, size;

	limits->segments = (struct range){0, 0};
	for (flags = 0; flags < XVHCIF_FLAG_INDIRECT; flags++) {
		limits->flags = (struct range){XVHCIF_FLAG_POOL | flags, XVHCIF_FLAG_POOL | flags};
		for (size = 0; size < sizeof(sizes) / sizeof(sizes[0]); size++) {
			pool_bytes = sizes[size];
			if (decode(limits, slots, &request) != XVHC_OK)
				continue;
			/*@ check pool_bytes > 0; */
			/*@ check request.length <= pool_bytes; */
			/*@ check request.pool_offset <= pool_bytes; */
			/*@ check request.list_offset <= pool_bytes; */
			/*@ check request.id < slots; */
			check_accepted(&request);
		}
	}
}

static void decode_within_bounds(void)
{
	struct limits limits = any;
	uint32_t type, order;

	limits.port = (struct range){1, XVHCIF_PORT_MAX};
	limits.address = (struct range){0, 127};
	limits.length = (struct range){0, XVHCIF_LENGTH_MAX};
	for (type = 0; type <= XVHCIF_TYPE_INTERRUPT; type++) {
		limits.type = (struct range){type, type};
		limits.packets = (struct range){0, 0};
		if (type == XVHCIF_TYPE_ISOC)
			limits.packets = (struct range){1, XVHC_ISOC_PACKETS_MAX};
		for (order = 0; order <= XVHCIF_RING_ORDER_MAX; order++) {
			decode_direct(&limits, XVHCIF_SLOTS_OF_A_PAGE << order);
			decode_indirect(&limits, XVHCIF_SLOTS_OF_A_PAGE << order);
			decode_pool(&limits, XVHCIF_SLOTS_OF_A_PAGE << order);
		}
	}
}

/* One field, or two that belong together, are beyond their bounds. */
static void refuse(struct limits limits)
{
	struct transfer_request request;

	assert(decode(&limits, XVHCIF_SLOTS_MAX, &request) != XVHC_OK);
}

#define BEYOND(...)                                                                                \
	do {                                                                                       \
		struct limits limits = any;                                                        \
                                                                                                   \
		__VA_ARGS__;                                                                       \
		refuse(limits);                                                                    \
	} while (0)

/* Segments beside the pool, of either kind. */
static void refuse_in_pool(void)
{
	uint32_t flags;

	for (flags = XVHCIF_FLAG_POOL; flags <= XVHCIF_FLAGS; flags++) {
		BEYOND(limits.flags = ((struct range){flags, flags}); limits.segments.min = 1);
		if (flags & XVHCIF_FLAG_INDIRECT)
			BEYOND(limits.flags = ((struct range){flags, flags}));
	}
}

static void decode_beyond_bounds(void)
{
	const struct range isoc = {XVHCIF_TYPE_ISOC, XVHCIF_TYPE_ISOC};

	BEYOND(limits.port = (struct range){0, 0});
	BEYOND(limits.port.min = XVHCIF_PORT_MAX + 1);
	BEYOND(limits.address.min = 128);
	BEYOND(limits.type.min = XVHCIF_TYPE_INTERRUPT + 1);
	BEYOND(limits.flags.min = XVHCIF_FLAGS + 1);
	BEYOND(limits.length.min = XVHCIF_LENGTH_MAX + 1);
	BEYOND(limits.type = isoc; limits.packets = (struct range){0, 0});
	BEYOND(limits.type = isoc; limits.packets.min = XVHC_ISOC_PACKETS_MAX + 1);
	BEYOND(limits.type.max = XVHCIF_TYPE_CONTROL; limits.packets.min = 1);
	BEYOND(limits.type.min = XVHCIF_TYPE_BULK; limits.packets.min = 1);
	BEYOND(limits.flags.max = XVHCIF_FLAG_INDIRECT - 1;
	       limits.segments.min = XVHCIF_SEGMENTS_DIRECT + 1);
	BEYOND(limits.flags = ((struct range){XVHCIF_FLAG_INDIRECT, XVHCIF_FLAG_POOL - 1});
	       limits.segments.min = XVHCIF_SEGMENTS_MAX + 1);
	refuse_in_pool();
}

/* All but transfers. */
static void decode_others(uint32_t port_min, uint32_t port_max, uint32_t address_min,
			  uint32_t address_max, uint32_t first, uint32_t last)
{
	struct transfer_request request;
	struct xvhcif_request wire;

	arbitrary_bytes(&wire, sizeof(wire));
	wire.port = (uint8_t)arbitrary_u32(port_min, port_max);
	wire.address = (uint8_t)arbitrary_u32(address_min, address_max);
	wire.operation = (uint8_t)arbitrary_u32(first, last);
	(void)xvhcif_verdict(&wire);
	if (xvhcif_decode(&wire, XVHCIF_SLOTS_MAX, pool_bytes, &request) == XVHC_OK)
		check_accepted(&request);
}

static void decode_each_other(uint32_t first, uint32_t last)
{
	decode_others(0, 0, 0, UINT8_MAX, first, last);
	decode_others(1, XVHCIF_PORT_MAX, 0, 127, first, last);
	decode_others(1, XVHCIF_PORT_MAX, 128, UINT8_MAX, first, last);
	decode_others(XVHCIF_PORT_MAX + 1, UINT8_MAX, 0, UINT8_MAX, first, last);
}

void harness(void)
{
	decode_within_bounds();
	pool_bytes = XVHCIF_PAGE_SIZE * arbitrary_u32(0, XVHC_POOL_PAGES_MAX);
	decode_beyond_bounds();
	decode_each_other(0, 0);
	decode_each_other(2, UINT8_MAX);
}
