/* SPDX-License-Identifier: MIT */
/*
 * Sums of figures that a worker wrote, who may have written anything: a sum stops at the largest
 * number there is, a difference at zero.
 */
#ifndef XVHC_COMMON_COUNTERS_H
#define XVHC_COMMON_COUNTERS_H

#include <counters.h>

/* Each word of more is added to the same word of sum. */
void counters_sums_add(struct counters_sums *sum, const struct counters_sums *more);
void counters_connection_add(struct counters_connection *sum,
			     const struct counters_connection *more);

/* Each word of less is taken from the same word of sum. */
void counters_sums_subtract(struct counters_sums *sum, const struct counters_sums *less);

#endif
