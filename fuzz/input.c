// SPDX-License-Identifier: MIT
#include "input.h"

#include <stdlib.h>

void input_take(struct input *input, void *to, size_t size)
{
	size_t have = size < input->left ? size : input->left;

	memset(to, 0, size);
	if (have > 0)
		memcpy(to, input->data, have);
	input->data += have;
	input->left -= have;
}

uint8_t input_u8(struct input *input)
{
	uint8_t value;

	input_take(input, &value, sizeof(value));
	return value;
}

uint16_t input_u16(struct input *input)
{
	uint16_t value;

	input_take(input, &value, sizeof(value));
	return value;
}

uint8_t *input_bytes(struct input *input, size_t *size)
{
	uint8_t *bytes;

	if (*size > input->left)
		*size = input->left;
	bytes = malloc(*size);
	MUST(bytes || *size == 0);
	if (*size > 0)
		input_take(input, bytes, *size);
	return bytes;
}
