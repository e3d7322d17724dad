// SPDX-License-Identifier: MIT
/* A guest's request of version 2, with its indirect segments and its packet list. */
#include "check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {data, size};
	struct transfer_packet packets[XVHC_ISOC_PACKETS_MAX];
	struct transfer_request request;
	struct transfer_result result = {.id = 1};
	struct xvhcif_response wire;

	result.error = decode_input_2(&input, &request, packets);
	result.was_short = size & 1;
	xvhcif_encode(&result, &wire);
	return 0;
}
