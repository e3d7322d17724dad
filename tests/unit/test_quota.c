// SPDX-License-Identifier: MIT
/* Quotas: what is admitted, what waits, and for how long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <worker/quota.h>

static struct quota quota_of(uint32_t transfers, uint32_t bytes, uint32_t rate)
{
	struct message_connect connect = {
		.version = 1,
		.transfers_max = transfers,
		.bytes_max = bytes,
		.control_rate = rate,
	};
	struct quota quota;

	assert_int_equal(quota_init(&quota, &connect, 1000), XVHC_OK);
	return quota;
}

static bool admit(struct quota *quota, uint8_t type, uint32_t length, uint64_t now_ms)
{
	struct transfer_request request = {.type = type, .length = length};

	return quota_admit(quota, &request, now_ms);
}

static void take(struct quota *quota, uint8_t type, uint32_t length)
{
	quota_take(quota, &(struct transfer_request){.type = type, .length = length});
}

static void give(struct quota *quota, uint8_t type, uint32_t length)
{
	quota_give(quota, &(struct transfer_request){.type = type, .length = length});
}

static void without_quotas_nothing_waits(void **state)
{
	struct quota quota = quota_of(0, 0, 0);

	(void)state;
	for (int i = 0; i < 100000; i++) {
		assert_true(admit(&quota, TRANSFER_CONTROL, 65536, 1000));
		take(&quota, TRANSFER_CONTROL, 0);
	}
	assert_false(quota.waiting);
	assert_int_equal(quota_wait_ms(&quota, 1000), -1);
}

static void transfers_beyond_the_quota_wait_for_an_end(void **state)
{
	struct quota quota = quota_of(4, 0, 0);

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_true(admit(&quota, TRANSFER_BULK, 10, 1000));
		take(&quota, TRANSFER_BULK, 10);
	}
	assert_false(admit(&quota, TRANSFER_BULK, 10, 1000));
	/* The last place is for a control request. */
	assert_true(admit(&quota, TRANSFER_CONTROL, 10, 1000));
	take(&quota, TRANSFER_CONTROL, 10);
	assert_false(admit(&quota, TRANSFER_CONTROL, 10, 1000));
	give(&quota, TRANSFER_CONTROL, 10);
	assert_true(quota.waiting);
	assert_int_equal(quota_wait_ms(&quota, 1000), -1);
	give(&quota, TRANSFER_BULK, 10);
	assert_true(admit(&quota, TRANSFER_BULK, 10, 1000));
}

static void bytes_beyond_the_quota_wait_for_an_end(void **state)
{
	struct quota quota = quota_of(0, XVHC_WORKER_BYTES_MIN_1, 0);
	uint32_t taken = 0;

	(void)state;
	for (; taken < XVHC_WORKER_BYTES_MIN_1; taken += 65536) {
		assert_true(admit(&quota, TRANSFER_BULK, 65536, 1000));
		take(&quota, TRANSFER_BULK, 65536);
	}
	assert_false(admit(&quota, TRANSFER_BULK, 1, 1000));
	assert_true(admit(&quota, TRANSFER_BULK, 0, 1000));
	give(&quota, TRANSFER_BULK, 65536);
	assert_false(admit(&quota, TRANSFER_BULK, 65537, 1000));
	assert_true(admit(&quota, TRANSFER_BULK, 65536, 1000));
}

/* Large transfers that wait for an idle device leave something to small ones and to control. */
static void large_transfers_leave_room(void **state)
{
	struct message_connect connect = {.version = 2, .bytes_max = XVHC_WORKER_BYTES_MIN_2};
	struct quota quota;

	(void)state;
	assert_int_equal(quota_init(&quota, &connect, 1000), XVHC_OK);
	assert_true(admit(&quota, TRANSFER_BULK, TRANSFER_LENGTH_MAX, 1000));
	take(&quota, TRANSFER_BULK, TRANSFER_LENGTH_MAX);
	assert_false(admit(&quota, TRANSFER_BULK, XVHC_SMALL_BYTES + 1, 1000));
	for (uint32_t taken = 0; taken < XVHC_BYTES_FOR_SMALL; taken += XVHC_SMALL_BYTES) {
		assert_true(admit(&quota, TRANSFER_INTERRUPT, XVHC_SMALL_BYTES, 1000));
		take(&quota, TRANSFER_INTERRUPT, XVHC_SMALL_BYTES);
	}
	assert_false(admit(&quota, TRANSFER_INTERRUPT, 1, 1000));
	assert_true(admit(&quota, TRANSFER_CONTROL, 4096, 1000));
}

static void share_too_small_for_one_transfer_is_refused(void **state)
{
	struct message_connect connect = {.version = 1, .bytes_max = XVHC_WORKER_BYTES_MIN_1 - 1};
	struct quota quota;

	(void)state;
	assert_int_equal(quota_init(&quota, &connect, 0), XVHC_EPROTO);
}

static void control_requests_wait_for_their_time(void **state)
{
	struct quota quota = quota_of(0, 0, 100);
	uint32_t admitted = 0;

	(void)state;
	while (admit(&quota, TRANSFER_CONTROL, 0, 1000))
		admitted++;
	assert_int_equal(admitted, 50);
	assert_int_equal(quota_wait_ms(&quota, 1000), 10);
	assert_true(admit(&quota, TRANSFER_BULK, 65536, 1000));
	assert_false(admit(&quota, TRANSFER_CONTROL, 0, 1009));
	assert_true(admit(&quota, TRANSFER_CONTROL, 0, 1010));
	assert_false(admit(&quota, TRANSFER_CONTROL, 0, 1010));
	/* In the long run as many as the rate says, however they are spread. */
	admitted = 0;
	for (uint64_t now = 1011; now <= 11010; now++)
		while (admit(&quota, TRANSFER_CONTROL, 0, now))
			admitted++;
	assert_int_equal(admitted, 1000);
}

/* A worker that has looked too soon, and is late for its sleep, must not sleep without end. */
static void time_that_passed_before_the_wait_began(void **state)
{
	struct quota quota = quota_of(0, 0, 100);

	(void)state;
	while (admit(&quota, TRANSFER_CONTROL, 0, 1000))
		continue;
	assert_int_equal(quota_wait_ms(&quota, 1010), 0);
	quota_ask_again(&quota);
	assert_int_equal(quota_wait_ms(&quota, 1010), -1);
}

static void nothing_is_admitted_while_the_host_is_full(void **state)
{
	struct quota quota = quota_of(0, 0, 0);

	(void)state;
	quota_pause(&quota, 1000);
	assert_true(quota.waiting);
	assert_int_equal(quota_wait_ms(&quota, 1000), XVHC_HOST_FULL_PAUSE_MS);
	assert_false(admit(&quota, TRANSFER_BULK, 0, 1000));
	assert_false(admit(&quota, TRANSFER_CONTROL, 0, 1000 + XVHC_HOST_FULL_PAUSE_MS - 1));
	assert_true(admit(&quota, TRANSFER_BULK, 0, 1000 + XVHC_HOST_FULL_PAUSE_MS));
}

static void a_long_rest_gives_no_more_than_a_full_bucket(void **state)
{
	struct rate rate;
	uint32_t taken = 0;

	(void)state;
	rate_init(&rate, 1000000, 0);
	while (rate_take(&rate, UINT64_MAX / 2))
		taken++;
	assert_int_equal(taken, 500000);
	assert_int_equal(rate_wait_ms(&rate, UINT64_MAX / 2), 1);
	/* A clock that goes back gives nothing. */
	assert_false(rate_take(&rate, 5));
}

static void slow_rates_have_a_burst_all_the_same(void **state)
{
	struct rate rate;
	uint32_t taken = 0;

	(void)state;
	rate_init(&rate, 1, 7);
	while (rate_take(&rate, 7))
		taken++;
	assert_int_equal(taken, RATE_BURST_MIN);
	assert_int_equal(rate_wait_ms(&rate, 7), 1000);
	assert_int_equal(rate_wait_ms(&rate, 1006), 1);
	assert_int_equal(rate_wait_ms(&rate, 1007), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_quotas_nothing_waits),
		cmocka_unit_test(transfers_beyond_the_quota_wait_for_an_end),
		cmocka_unit_test(bytes_beyond_the_quota_wait_for_an_end),
		cmocka_unit_test(large_transfers_leave_room),
		cmocka_unit_test(share_too_small_for_one_transfer_is_refused),
		cmocka_unit_test(control_requests_wait_for_their_time),
		cmocka_unit_test(time_that_passed_before_the_wait_began),
		cmocka_unit_test(nothing_is_admitted_while_the_host_is_full),
		cmocka_unit_test(a_long_rest_gives_no_more_than_a_full_bucket),
		cmocka_unit_test(slow_rates_have_a_burst_all_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
