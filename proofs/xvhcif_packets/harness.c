// SPDX-License-Identifier: MIT
/* The decoder of packet lists of version 2: each count that a request may have, arbitrary entries.
 */
#include <xvhcif_decode.h>

#include "arbitrary.h"

void harness(void)
{
	struct xvhcif_packet list[XVHC_ISOC_PACKETS_MAX];
	struct transfer_packet packets[XVHC_ISOC_PACKETS_MAX];
	struct transfer_request request;
	uint16_t count;

	for (count = 0; count <= XVHC_ISOC_PACKETS_MAX; count++) {
		/* The last places, so that one entry more would be beyond both objects. */
		uint32_t first = XVHC_ISOC_PACKETS_MAX - count;

		arbitrary_bytes(list, sizeof(list));
		arbitrary_bytes(&request, sizeof(request));
		request.packets = count;
		(void)!xvhcif_decode_packets(&request, list + first, packets + first);
	}
}
