// SPDX-License-Identifier: MIT
/*
 * First fit. A search begins at the lowest page that may be free, so that transfers use the same
 * memory again and again: what was never touched costs nothing, and what was is in the cache.
 */
#include "arena.h"

#include <string.h>

static _Alignas(ARENA_PAGE) uint8_t memory[ARENA_PAGES][ARENA_PAGE];
static bool used[ARENA_PAGES];
static uint32_t lowest;  /* all pages below this are used */
static uint32_t touched; /* pages below this may have been written */

/* How many free pages there are from this one on, at most wanted. */
static uint32_t free_from(uint32_t page, uint32_t wanted)
{
	uint32_t count = 0;

	while (count < wanted && page + count < ARENA_PAGES && !used[page + count])
		count++;
	return count;
}

/* The first place where so many pages are free, or ARENA_PAGES. */
static uint32_t find(uint32_t from, uint32_t pages)
{
	while (from < ARENA_PAGES) {
		uint32_t count = free_from(from, pages);

		if (count == pages)
			return from;
		from += count + 1;
	}
	return ARENA_PAGES;
}

void *arena_take(uint32_t pages)
{
	uint32_t page = find(lowest, pages);

	assert(pages > 0 && pages <= ARENA_PAGES);
	if (page == ARENA_PAGES)
		return NULL;
	memset(&used[page], true, pages);
	if (page == lowest)
		lowest = page + pages;
	if (page + pages > touched)
		touched = page + pages;
	return memory[page];
}

void arena_give(void *taken, uint32_t pages)
{
	uint32_t page = (uint32_t)(((uint8_t *)taken - memory[0]) / ARENA_PAGE);

	assert(page < ARENA_PAGES && pages <= ARENA_PAGES - page && used[page]);
	memset(&used[page], false, pages);
	if (page < lowest)
		lowest = page;
}

void arena_wipe(void)
{
	memset(memory, 0, (size_t)touched * ARENA_PAGE);
	memset(used, false, sizeof(used));
	lowest = touched = 0;
}
