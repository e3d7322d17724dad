// SPDX-License-Identifier: MIT
/* What a describer that was taken over says to the broker of a device. */
#include "broker_side.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {data, size};

	broker_begin(&input);
	while (input.left > 0 && describer_hear(&input))
		continue;
	broker_end();
	return 0;
}
