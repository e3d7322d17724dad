/* SPDX-License-Identifier: MIT */
/*
 * How often something may happen: a bucket of tokens. It fills with so many tokens in a second, and
 * holds half a second's worth, at least RATE_BURST_MIN. The caller says what time it is.
 */
#ifndef XVHC_BACKEND_RATE_H
#define XVHC_BACKEND_RATE_H

#include <xvhc/types.h>

#define RATE_BURST_MIN 32u

struct rate {
	uint32_t per_second; /* 0: there is no limit */
	uint64_t credit;     /* thousandths of a token */
	uint64_t since_ms;   /* when credit was right */
};

/* A full bucket. */
void rate_init(struct rate *rate, uint32_t per_second, uint64_t now_ms);

/* Takes one token. False: there is none now. */
XVHC_MUST_CHECK bool rate_take(struct rate *rate, uint64_t now_ms);

/* Milliseconds until there is a token; 0: there is one. */
uint32_t rate_wait_ms(const struct rate *rate, uint64_t now_ms);

#endif
