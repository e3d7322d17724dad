// SPDX-License-Identifier: GPL-2.0-only
#include "xvhc.h"

#include <linux/mm.h>

int pool_init(struct link *link, u16 count, grant_ref_t *refs)
{
	struct pool *pool = &link->pool;
	u16 i;

	for (i = 0; i < count; i++) {
		struct page *page = alloc_page(GFP_NOIO | __GFP_ZERO);

		if (!page)
			return -ENOMEM;
		page_share(link, &pool->pages[i], page, refs);
		pool->count++;
	}
	/* The first page is on top. */
	for (i = count; i > 0; i--)
		pool_give(pool, i - 1);
	return 0;
}

void pool_fini(struct link *link)
{
	struct pool *pool = &link->pool;
	u16 i;

	for (i = 0; i < pool->count; i++)
		gnttab_end_foreign_access(pool->pages[i].ref, pool->pages[i].page);
	pool->count = 0;
}

u16 pool_take(struct pool *pool)
{
	return pool->free[--pool->free_count];
}

void pool_give(struct pool *pool, u16 place)
{
	pool->free[pool->free_count++] = place;
}

void slot_pages_take(struct link *link, struct slot *slot, u32 length)
{
	u16 count = DIV_ROUND_UP(length, XVHCIF_PAGE_SIZE);

	while (slot->page_count < count)
		slot->pages[slot->page_count++] = pool_take(&link->pool);
}

void slot_pages_give(struct link *link, struct slot *slot)
{
	while (slot->page_count)
		pool_give(&link->pool, slot->pages[--slot->page_count]);
	if (slot->has_list)
		pool_give(&link->pool, slot->list);
	if (slot->has_indirect)
		pool_give(&link->pool, slot->indirect);
	slot->has_list = false;
	slot->has_indirect = false;
}
