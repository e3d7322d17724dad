// SPDX-License-Identifier: MIT
/*
 * The decoder of indirect segments: arbitrary ones, of numbers that are few, in the middle, and
 * near the limit. Each number by itself, in the last places of both objects.
 */
#include <xvhcif_decode.h>

#include "arbitrary.h"

static void decode(uint16_t count)
{
	static struct xvhcif_segment segments[XVHCIF_SEGMENTS_MAX];
	struct transfer_request request;
	uint32_t i;

	arbitrary_bytes(segments, sizeof(segments));
	request.length = arbitrary_u32(0, XVHCIF_LENGTH_MAX);
	request.data_segments = count;
	if (xvhcif_decode_segments(segments + (XVHCIF_SEGMENTS_MAX - count), &request) != XVHC_OK)
		return;
	for (i = 0; i < count; i++) {
		/*@ check \initialized(&request.segment[i]); */
		/*@ check request.segment[i].length <= XVHCIF_PAGE_SIZE; */
		/*@ check request.segment[i].length >= 1; */
	}
}

void harness(void)
{
	uint16_t count;

	for (count = 0; count <= 8; count++)
		decode(count);
	decode(XVHCIF_SEGMENTS_MAX / 2);
	decode(XVHCIF_SEGMENTS_MAX - 1);
	decode(XVHCIF_SEGMENTS_MAX);
}
