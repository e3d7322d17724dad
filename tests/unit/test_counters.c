// SPDX-License-Identifier: MIT
/* Sums of what a worker wrote, who may have written anything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <common/counters.h>

static void sums_are_word_by_word(void **state)
{
	struct counters_sums sum = {0}, more = {0};

	(void)state;
	sum.bytes[2][1] = 5;
	more.bytes[2][1] = 7;
	more.transfers[0][0] = 1;
	more.host_full = 9;
	counters_sums_add(&sum, &more);
	assert_int_equal(sum.bytes[2][1], 12);
	assert_int_equal(sum.transfers[0][0], 1);
	assert_int_equal(sum.host_full, 9);
	assert_int_equal(sum.bytes[2][0], 0);
	counters_sums_subtract(&sum, &more);
	assert_int_equal(sum.bytes[2][1], 5);
	assert_int_equal(sum.host_full, 0);
}

static void a_sum_stops_at_the_largest_number(void **state)
{
	struct counters_sums sum, more;
	struct counters_connection connection, other;

	(void)state;
	memset(&sum, 0xff, sizeof(sum));
	memset(&more, 0xff, sizeof(more));
	sum.packets = UINT64_MAX - 3;
	more.packets = 3;
	counters_sums_add(&sum, &more);
	assert_int_equal(sum.packets, UINT64_MAX);
	assert_int_equal(sum.transfers[3][1], UINT64_MAX);
	memset(&connection, 0xff, sizeof(connection));
	memset(&other, 0xff, sizeof(other));
	counters_connection_add(&connection, &other);
	assert_int_equal(connection.requests, UINT64_MAX);
	assert_int_equal(connection.notified, UINT64_MAX);
}

static void a_difference_stops_at_zero(void **state)
{
	struct counters_sums sum = {0}, less = {0};

	(void)state;
	sum.resets = 3;
	less.resets = 4;
	sum.refused = 4;
	less.refused = 3;
	counters_sums_subtract(&sum, &less);
	assert_int_equal(sum.resets, 0);
	assert_int_equal(sum.refused, 1);
}

static void a_word_goes_on_behind_the_largest_number(void **state)
{
	uint64_t word = UINT64_MAX;

	(void)state;
	counter_add(&word, 2);
	assert_int_equal(word, 1);
	counter_add(&word, UINT64_MAX); /* how what is in flight goes down */
	assert_int_equal(word, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums_are_word_by_word),
		cmocka_unit_test(a_sum_stops_at_the_largest_number),
		cmocka_unit_test(a_difference_stops_at_zero),
		cmocka_unit_test(a_word_goes_on_behind_the_largest_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
