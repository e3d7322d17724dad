// SPDX-License-Identifier: MIT
/* A hostile backend's rings of version 2, as the frontend takes responses and events from them. */
#include "hostile_ring.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {data, size};

	while (input.left > 0) {
		if (input_u8(&input) & 1)
			take_responses_2(&input);
		else
			take_events_2(&input);
	}
	return 0;
}
