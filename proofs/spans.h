/* SPDX-License-Identifier: MIT */
/*
 * Calls a function with descriptors of every length: of the lengths near the limits and of short
 * ones each by itself, where an access one byte behind the end is an alarm, and of all lengths at
 * once.
 */
#ifndef XVHC_PROOFS_SPANS_H
#define XVHC_PROOFS_SPANS_H

#include <descriptor.h>

#include "arbitrary.h"

#define SPANS_SHORT 27u /* every length up to this by itself */

static uint8_t spans_memory[DESCRIPTOR_BYTES_MAX];

/* The last bytes of the memory: what lies behind them is no object. */
static inline void spans_exact(void (*check)(uint8_t *bytes, size_t length), size_t length)
{
	arbitrary_bytes(spans_memory, sizeof(spans_memory));
	check(spans_memory + (DESCRIPTOR_BYTES_MAX - length), length);
}

static inline void spans_each(void (*check)(uint8_t *bytes, size_t length))
{
	size_t length;

	/* Bounds for Eva to try where it cannot follow a loop to its end. */
	/*@ widen_hints global:"all", 8, 27, 32, 128, 256, 4114, 32785, 32786; */
	for (length = 0; length <= SPANS_SHORT; length++)
		spans_exact(check, length);
	spans_exact(check, DESCRIPTOR_DEVICE_BYTES + XVHC_CONFIG_BYTES_MAX);
	spans_exact(check, DESCRIPTOR_BYTES_MAX - 1);
	spans_exact(check, DESCRIPTOR_BYTES_MAX);
}

static inline void spans_any(void (*check)(uint8_t *bytes, size_t length))
{
	arbitrary_bytes(spans_memory, sizeof(spans_memory));
	check(spans_memory, arbitrary_u32(0, DESCRIPTOR_BYTES_MAX));
}

static inline void spans_all(void (*check)(uint8_t *bytes, size_t length))
{
	spans_each(check);
	spans_any(check);
}

#endif
