// SPDX-License-Identifier: MIT
/* Random numbers by xorshift64* (Vigna, 2014). */
#include "sim.h"

#include <string.h>

static uint64_t state = 1;

void random_seed(uint64_t seed)
{
	state = seed * 0x9e3779b97f4a7c15u + 1;
	if (state == 0)
		state = 1;
	(void)random_u64();
}

uint64_t random_u64(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 0x2545f4914f6cdd1du;
}

uint32_t random_below(uint32_t limit)
{
	return (uint32_t)((random_u64() >> 32) * limit >> 32);
}

bool random_one_in(uint32_t n)
{
	return random_below(n) == 0;
}

void random_fill(void *to, size_t size)
{
	uint8_t *at = to;
	uint64_t value;

	for (; size >= sizeof(value); at += sizeof(value), size -= sizeof(value)) {
		value = random_u64();
		memcpy(at, &value, sizeof(value));
	}
	value = random_u64();
	memcpy(at, &value, size);
}
