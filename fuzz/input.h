/* SPDX-License-Identifier: MIT */
/* An input of the fuzzer, read piece by piece. */
#ifndef XVHC_FUZZ_INPUT_H
#define XVHC_FUZZ_INPUT_H

#include <string.h>

#include <xvhc/types.h>

/* Ends the program where something that was promised does not hold. */
#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition))                                                                  \
			__builtin_trap();                                                          \
	} while (0)

/* What libFuzzer calls. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *data;
	size_t left;
};

/* The next size bytes, and zeros where the input has ended. */
void input_take(struct input *input, void *to, size_t size);
uint8_t input_u8(struct input *input);
uint16_t input_u16(struct input *input);

/* The next bytes in memory of their own, of exactly that size; at most all. Freed by the caller. */
uint8_t *input_bytes(struct input *input, size_t *size);

#endif
