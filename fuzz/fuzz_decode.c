// SPDX-License-Identifier: MIT
/* A guest's request and packet list. */
#include "check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {data, size};
	struct transfer_packet packets[XVHC_ISOC_PACKETS_MAX];
	struct transfer_request request;
	struct transfer_result result = {.id = 1};
	struct usbif_urb_response wire;

	result.error = decode_input(&input, &request, packets);
	usbif_encode(&result, &wire);
	return 0;
}
