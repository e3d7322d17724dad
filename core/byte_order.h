/* SPDX-License-Identifier: MIT */
/* Little-endian numbers of version 2 of the wire, to and from those of this processor. */
#ifndef XVHC_CORE_BYTE_ORDER_H
#define XVHC_CORE_BYTE_ORDER_H

#include <xvhc/types.h>

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define BYTE_ORDER_IS_LITTLE 0
#elif __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define BYTE_ORDER_IS_LITTLE 1
#else
#error "neither big-endian nor little-endian"
#endif

/* Both directions are the same. */
static inline uint16_t le16(uint16_t value)
{
	return BYTE_ORDER_IS_LITTLE ? value : __builtin_bswap16(value);
}

static inline uint32_t le32(uint32_t value)
{
	return BYTE_ORDER_IS_LITTLE ? value : __builtin_bswap32(value);
}

static inline uint64_t le64(uint64_t value)
{
	return BYTE_ORDER_IS_LITTLE ? value : __builtin_bswap64(value);
}

#endif
