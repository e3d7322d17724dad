// SPDX-License-Identifier: MIT
/* The memory for data of transfers: first fit in a fixed number of pages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <transfer.h>
#include <worker/arena.h>

#define LARGEST (TRANSFER_LENGTH_MAX / ARENA_PAGE)

static int setup(void **state)
{
	(void)state;
	arena_wipe();
	return 0;
}

static uint8_t *take(uint32_t pages)
{
	uint8_t *memory = arena_take(pages);

	assert_non_null(memory);
	assert_int_equal((uintptr_t)memory % ARENA_PAGE, 0);
	return memory;
}

/* Takes all of it, page by page. Returns the first. */
static uint8_t *take_all(void)
{
	uint8_t *first = take(1);

	for (uint32_t i = 1; i < ARENA_PAGES; i++)
		assert_ptr_equal(take(1), first + (size_t)i * ARENA_PAGE);
	return first;
}

static void transfers_lie_side_by_side(void **state)
{
	uint8_t *one, *two, *three;

	(void)state;
	one = take(1);
	two = take(3);
	three = take(2);
	assert_ptr_equal(two, one + ARENA_PAGE);
	assert_ptr_equal(three, two + 3 * ARENA_PAGE);
	/* They may be written from end to end. */
	memset(one, 1, ARENA_PAGE);
	memset(two, 2, 3 * ARENA_PAGE);
	memset(three, 3, 2 * ARENA_PAGE);
	assert_int_equal(one[ARENA_PAGE - 1], 1);
	assert_int_equal(two[3 * ARENA_PAGE - 1], 2);
}

static void what_was_given_back_is_taken_first(void **state)
{
	uint8_t *one, *two;

	(void)state;
	one = take(4);
	two = take(4);
	take(4);
	arena_give(two, 4);
	arena_give(one, 4);
	assert_ptr_equal(take(8), one);
}

static void a_gap_that_is_too_small_is_passed_over(void **state)
{
	uint8_t *one, *two, *three;

	(void)state;
	take(1);
	one = take(2);
	two = take(1);
	three = take(3);
	take(1);
	arena_give(one, 2);
	arena_give(three, 3);
	assert_ptr_equal(take(3), three);
	assert_ptr_equal(take(1), one);
	assert_ptr_equal(take(1), one + ARENA_PAGE);
	assert_true(take(1) > two);
}

static void full_arena_has_nothing(void **state)
{
	uint8_t *first;

	(void)state;
	first = take_all();
	assert_null(arena_take(1));
	assert_null(arena_take(LARGEST));
	arena_give(first + 7 * ARENA_PAGE, 1);
	assert_null(arena_take(2));
	assert_ptr_equal(take(1), first + 7 * ARENA_PAGE);
	assert_null(arena_take(1));
}

static void all_of_it_at_once(void **state)
{
	uint8_t *all;

	(void)state;
	all = take(ARENA_PAGES);
	assert_null(arena_take(1));
	all[ARENA_PAGES * ARENA_PAGE - 1] = 1;
	arena_give(all, ARENA_PAGES);
	assert_ptr_equal(take(ARENA_PAGES), all);
}

static void free_pages_that_are_apart_are_no_room(void **state)
{
	uint8_t *first;
	uint32_t i;

	(void)state;
	first = take_all();
	for (i = 0; i < ARENA_PAGES; i += 2)
		arena_give(first + (size_t)i * ARENA_PAGE, 1);
	assert_null(arena_take(2));
	arena_give(first + 101 * ARENA_PAGE, 1);
	assert_null(arena_take(4));
	assert_ptr_equal(take(3), first + 100 * ARENA_PAGE);
	for (i = 0; i < ARENA_PAGES / 2 - 2; i++)
		take(1);
	assert_null(arena_take(1));
}

static void the_last_pages_are_found(void **state)
{
	uint8_t *first;

	(void)state;
	first = take_all();
	arena_give(first + (size_t)(ARENA_PAGES - 2) * ARENA_PAGE, 2);
	/* One more than there are before the end. */
	assert_null(arena_take(3));
	assert_ptr_equal(take(2), first + (size_t)(ARENA_PAGES - 2) * ARENA_PAGE);
}

/* All bytes in flight that a worker is allowed to have, in the largest transfers. */
static void the_largest_transfers_fit_beside_small_ones(void **state)
{
	uint32_t i;

	(void)state;
	for (i = 0; i < 256; i++)
		take(1);
	for (i = 0; i < XVHC_WORKER_BYTES_MAX / TRANSFER_LENGTH_MAX; i++)
		take(LARGEST);
}

static void wiping_gives_all_back_and_zeroes_it(void **state)
{
	uint8_t *memory;

	(void)state;
	memory = take(5);
	memset(memory, 0xa5, 5 * ARENA_PAGE);
	arena_give(memory, 5);
	arena_wipe();
	assert_ptr_equal(take(ARENA_PAGES), memory);
	for (uint32_t i = 0; i < 5 * ARENA_PAGE; i++)
		assert_int_equal(memory[i], 0);
}

#define ARENA_TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ARENA_TEST(transfers_lie_side_by_side),
		ARENA_TEST(what_was_given_back_is_taken_first),
		ARENA_TEST(a_gap_that_is_too_small_is_passed_over),
		ARENA_TEST(full_arena_has_nothing),
		ARENA_TEST(all_of_it_at_once),
		ARENA_TEST(free_pages_that_are_apart_are_no_room),
		ARENA_TEST(the_last_pages_are_found),
		ARENA_TEST(the_largest_transfers_fit_beside_small_ones),
		ARENA_TEST(wiping_gives_all_back_and_zeroes_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
