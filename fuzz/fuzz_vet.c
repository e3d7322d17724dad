// SPDX-License-Identifier: MIT
/* A hostile device's descriptors; then states that a guest selects, and requests, by turns. */
#include "vet_steps.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {data, size};
	struct descriptor_table table;
	struct device_state state;

	if (!input_device(&input, &table))
		return 0;
	device_state_init(&state, &table);
	while (input.left > 0)
		input_step(&input, &state);
	return 0;
}
