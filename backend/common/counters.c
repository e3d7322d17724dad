// SPDX-License-Identifier: MIT
#include "counters.h"

#include <string.h>

/* The structs are words one behind the other; each of them is a sum. */
static void words_add(uint64_t *sum, const uint64_t *more, size_t count)
{
	for (size_t i = 0; i < count; i++)
		sum[i] = more[i] > UINT64_MAX - sum[i] ? UINT64_MAX : sum[i] + more[i];
}

void counters_sums_add(struct counters_sums *sum, const struct counters_sums *more)
{
	words_add(&sum->transfers[0][0], &more->transfers[0][0], COUNTERS_SUMS_WORDS);
}

void counters_sums_subtract(struct counters_sums *sum, const struct counters_sums *less)
{
	uint64_t *word = &sum->transfers[0][0];
	const uint64_t *other = &less->transfers[0][0];

	for (size_t i = 0; i < COUNTERS_SUMS_WORDS; i++)
		word[i] = other[i] > word[i] ? 0 : word[i] - other[i];
}

void counters_connection_add(struct counters_connection *sum,
			     const struct counters_connection *more)
{
	words_add(&sum->requests, &more->requests, COUNTERS_CONNECTION_WORDS);
}
