// SPDX-License-Identifier: MIT
/* What leaves for a guest on version 2: no byte of it may be one that was never written. */
#include <xvhcif_decode.h>

#include "arbitrary.h"

static void encode_packets(uint32_t count)
{
	struct transfer_packet packets[XVHC_ISOC_PACKETS_MAX];
	struct xvhcif_packet list[XVHC_ISOC_PACKETS_MAX];
	/* The last places, so that one entry more would be beyond both objects. */
	uint32_t first = XVHC_ISOC_PACKETS_MAX - count, i;

	arbitrary_bytes(packets, sizeof(packets));
	xvhcif_encode_packets(packets + first, count, list + first);
	for (i = first; i < XVHC_ISOC_PACKETS_MAX; i++) {
		/*@ check \initialized((uint8_t *)(list + i) + (0 .. sizeof(list[0]) - 1)); */
	}
}

void harness(void)
{
	struct transfer_result result;
	struct xvhcif_response wire;
	uint32_t count;

	arbitrary_bytes(&result, sizeof(result));
	result.was_short = arbitrary_bool();
	xvhcif_encode(&result, &wire);
	/*@ check \initialized((uint8_t *)&wire + (0 .. sizeof(wire) - 1)); */
	for (count = 0; count <= 16; count++)
		encode_packets(count);
	encode_packets(XVHC_ISOC_PACKETS_MAX);
}
