// SPDX-License-Identifier: MIT
/*
 * The decoder of requests, on 148 arbitrary bytes. The types, and the numbers of data segments that
 * are allowed, are taken one by one, since which segments are the packet list's depends on them.
 * More segments than that are taken at once.
 */
#include <usbif_decode.h>

#include "arbitrary.h"

static int decode(struct transfer_request *request, uint32_t type, uint32_t segments_min,
		  uint32_t segments_max)
{
	uint32_t first = type << USBIF_PIPE_TYPE_SHIFT;
	struct usbif_urb_request wire;

	arbitrary_bytes(&wire, sizeof(wire));
	wire.nr_buffer_segs = (uint16_t)arbitrary_u32(segments_min, segments_max);
	wire.pipe = arbitrary_u32(first, first | ((1u << USBIF_PIPE_TYPE_SHIFT) - 1));
	(void)usbif_verdict(&wire);
	return usbif_decode(&wire, request);
}

static void decode_allowed(uint32_t type, uint32_t segments)
{
	struct transfer_request request;
	int error = decode(&request, type, segments, segments);
	uint32_t head = TRANSFER_REQUEST_HEAD, i;

	/*@ check \initialized((uint8_t *)&request + (0 .. head - 1)); */
	if (error == XVHC_OK) {
		for (i = 0; i < request.data_segments; i++) {
			/*@ check \initialized(&request.segment[i]); */
		}
		/*@ check request.port <= USBIF_PORT_MAX; */
		assert(transfer_request_is_valid(&request));
	}
}

static void decode_too_many(uint32_t type)
{
	struct transfer_request request;

	if (decode(&request, type, USBIF_SEGMENTS_MAX + 1, UINT16_MAX) == XVHC_OK)
		assert(request.operation == TRANSFER_CANCEL);
}

void harness(void)
{
	uint32_t type, segments;

	for (type = 0; type < 4; type++) {
		for (segments = 0; segments <= USBIF_SEGMENTS_MAX; segments++)
			decode_allowed(type, segments);
		decode_too_many(type);
	}
}
