/* SPDX-License-Identifier: MIT */
/*
 * Values that may be anything, for the harnesses. To Eva each of them stands for all values at
 * once.
 */
#ifndef XVHC_PROOFS_ARBITRARY_H
#define XVHC_PROOFS_ARBITRARY_H

#include <xvhc/types.h>

#include <__fc_builtin.h>

/* Any value from min to max. */
static inline uint32_t arbitrary_u32(uint32_t min, uint32_t max)
{
	return Frama_C_unsigned_int_interval(min, max);
}

static inline uint8_t arbitrary_u8(void)
{
	return Frama_C_unsigned_char_interval(0, UINT8_MAX);
}

static inline bool arbitrary_bool(void)
{
	return Frama_C_unsigned_char_interval(0, 1) != 0;
}

/* Fills an object with any bytes. */
static inline void arbitrary_bytes(void *object, size_t size)
{
	Frama_C_make_unknown(object, size);
}

#endif
