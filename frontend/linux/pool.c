// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages for data. The lowest that are free are taken first, so that the same ones are used again
 * and again, and side by side where that is possible: then a request names them all by one number.
 *
 * When a link ends, the backend may have the pages mapped still. A worker that ends lets go of all
 * of them within moments; so they are asked for until then. The kernel's own way for such pages
 * takes minutes for so many: it is for what a backend keeps.
 */
#include "xvhc.h"

#include <linux/bitmap.h>
#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "byte_order.h"

/* How long a backend has to let go of the pages. */
#define RELEASE_LIMIT_MS 5000
#define RELEASE_POLL_MS 20

static struct workqueue_struct *releases;

int pools_start(void)
{
	releases = alloc_workqueue("xvhc-pools", WQ_UNBOUND, 0);
	return releases ? 0 : -ENOMEM;
}

void pools_stop(void)
{
	destroy_workqueue(releases);
}

static bool page_release(struct shared_page *shared)
{
	if (shared->page && gnttab_try_end_foreign_access(shared->ref)) {
		put_page(shared->page);
		shared->page = NULL;
	}
	return !shared->page;
}

/* Returns whether none is left that the backend has mapped. */
static bool pages_release(struct pool *pool)
{
	bool all = true;
	u16 i;

	for (i = 0; i < pool->count; i++)
		all &= page_release(&pool->pages[i]);
	for (i = 0; i < XVHCIF_POOL_DIRECTORY_MAX; i++)
		all &= page_release(&pool->directory[i]);
	return all;
}

static void pool_free(struct pool *pool)
{
	u16 i;

	for (i = 0; i < pool->count; i++)
		page_unshare(&pool->pages[i]);
	for (i = 0; i < XVHCIF_POOL_DIRECTORY_MAX; i++)
		page_unshare(&pool->directory[i]);
	kvfree(pool);
}

static void release_work(struct work_struct *work)
{
	struct pool *pool = container_of(work, struct pool, release);
	unsigned int waited_ms;

	for (waited_ms = 0; waited_ms < RELEASE_LIMIT_MS; waited_ms += RELEASE_POLL_MS) {
		if (pages_release(pool))
			break;
		msleep(RELEASE_POLL_MS);
	}
	pool_free(pool);
}

static struct page *page_make(struct link *link, struct shared_page *shared, grant_ref_t *refs)
{
	struct page *page = alloc_page(GFP_NOIO | __GFP_ZERO);

	if (page)
		page_share(link, shared, page, refs);
	return page;
}

/* Writes down where the pages are. */
static int directory_make(struct link *link, struct pool *pool, grant_ref_t *refs)
{
	u32 *entries = NULL;
	u16 i;

	for (i = 0; i < pool->count; i++) {
		u16 at = i % XVHCIF_POOL_REFS_OF_A_PAGE;

		if (!at) {
			struct shared_page *shared =
				&pool->directory[i / XVHCIF_POOL_REFS_OF_A_PAGE];

			if (!page_make(link, shared, refs))
				return -ENOMEM;
			entries = page_address(shared->page);
		}
		entries[at] = le32(pool->pages[i].ref);
	}
	return 0;
}

int pool_init(struct link *link, u16 count, bool mapped, grant_ref_t *refs)
{
	unsigned int noio = memalloc_noio_save();
	struct pool *pool = kvzalloc(sizeof(*pool), GFP_KERNEL);

	memalloc_noio_restore(noio);
	if (!pool)
		return -ENOMEM;
	link->pool = pool;
	INIT_WORK(&pool->release, release_work);
	pool->mapped = mapped;
	while (pool->count < count) {
		if (!page_make(link, &pool->pages[pool->count], refs))
			return -ENOMEM;
		pool->count++;
	}
	pool->free_count = count;
	return mapped ? directory_make(link, pool, refs) : 0;
}

void pool_fini(struct link *link)
{
	struct pool *pool = link->pool;

	link->pool = NULL;
	if (!pool)
		return;
	if (pages_release(pool))
		pool_free(pool);
	else
		queue_work(releases, &pool->release);
}

u16 pool_take(struct pool *pool)
{
	u16 place = find_first_zero_bit(pool->used, pool->count);

	__set_bit(place, pool->used);
	pool->free_count--;
	return place;
}

void pool_give(struct pool *pool, u16 place)
{
	__clear_bit(place, pool->used);
	pool->free_count++;
}

/* Takes pages that lie side by side, where there are so many. */
static bool run_take(struct pool *pool, struct slot *slot, u16 count)
{
	unsigned long first = bitmap_find_next_zero_area(pool->used, pool->count, 0, count, 0);

	if (first >= pool->count)
		return false;
	bitmap_set(pool->used, first, count);
	pool->free_count -= count;
	while (slot->page_count < count)
		slot->pages[slot->page_count++] = first++;
	return true;
}

void slot_pages_take(struct link *link, struct slot *slot, u32 length)
{
	u16 count = DIV_ROUND_UP(length, XVHCIF_PAGE_SIZE);

	slot->in_pool = link->pool->mapped && run_take(link->pool, slot, count);
	while (slot->page_count < count)
		slot->pages[slot->page_count++] = pool_take(link->pool);
}

void slot_pages_give(struct link *link, struct slot *slot)
{
	while (slot->page_count)
		pool_give(link->pool, slot->pages[--slot->page_count]);
	if (slot->has_list)
		pool_give(link->pool, slot->list);
	if (slot->has_indirect)
		pool_give(link->pool, slot->indirect);
	slot->has_list = false;
	slot->has_indirect = false;
}
