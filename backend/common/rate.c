// SPDX-License-Identifier: MIT
#include "rate.h"

#define TOKEN 1000u

static uint64_t credit_max(const struct rate *rate)
{
	uint64_t burst = rate->per_second / 2;

	return (burst > RATE_BURST_MIN ? burst : RATE_BURST_MIN) * TOKEN;
}

static uint64_t credit_at(const struct rate *rate, uint64_t now_ms)
{
	uint64_t max = credit_max(rate), passed, credit;

	if (now_ms <= rate->since_ms)
		return rate->credit;
	passed = now_ms - rate->since_ms;
	/* Full long before the product below could wrap. */
	if (passed > max)
		return max;
	credit = rate->credit + passed * rate->per_second;
	return credit < max ? credit : max;
}

void rate_init(struct rate *rate, uint32_t per_second, uint64_t now_ms)
{
	rate->per_second = per_second;
	rate->credit = credit_max(rate);
	rate->since_ms = now_ms;
}

bool rate_take(struct rate *rate, uint64_t now_ms)
{
	if (rate->per_second == 0)
		return true;
	rate->credit = credit_at(rate, now_ms);
	rate->since_ms = now_ms > rate->since_ms ? now_ms : rate->since_ms;
	if (rate->credit < TOKEN)
		return false;
	rate->credit -= TOKEN;
	return true;
}

uint32_t rate_wait_ms(const struct rate *rate, uint64_t now_ms)
{
	uint64_t credit;

	if (rate->per_second == 0)
		return 0;
	credit = credit_at(rate, now_ms);
	if (credit >= TOKEN)
		return 0;
	return (uint32_t)((TOKEN - credit + rate->per_second - 1) / rate->per_second);
}
