// SPDX-License-Identifier: MIT
/* A device's descriptors: parsed, described, rewritten for high speed, and parsed again. */
#include <stdlib.h>

#include "descriptors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {data, size};
	size_t length = DESCRIPTOR_BYTES_MAX;
	uint8_t *bytes = input_bytes(&input, &length);

	parse_and_check(bytes, length);
	describe_and_check(bytes, length);
	length = present_and_check(bytes, length);
	parse_and_check(bytes, length);
	find_and_check(bytes, length);
	free(bytes);
	return 0;
}
