// SPDX-License-Identifier: MIT
/* The whole worker, with a hostile guest on the memfd transport, and device models behind it. */
#include "guest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {data, size};

	if (guest_connect(&input))
		while (input.left > 0 && guest_step(&input))
			continue;
	guest_disconnect();
	return 0;
}
