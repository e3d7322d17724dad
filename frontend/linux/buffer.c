// SPDX-License-Identifier: GPL-2.0-only
#include "xvhc.h"

#include <linux/mm.h>
#include <linux/scatterlist.h>

static void memory_copy(struct link *link, const struct slot *slot, u32 at, void *memory,
			u32 length, bool give)
{
	while (length) {
		u32 in_page = at % XVHCIF_PAGE_SIZE;
		u32 bytes = min_t(u32, length, XVHCIF_PAGE_SIZE - in_page);
		void *page = pool_address(link->pool, slot->pages[at / XVHCIF_PAGE_SIZE]);

		if (give)
			memcpy(memory, page + in_page, bytes);
		else
			memcpy(page + in_page, memory, bytes);
		memory += bytes;
		at += bytes;
		length -= bytes;
	}
}

static void list_copy(struct link *link, const struct slot *slot, u32 at, const struct urb *urb,
		      u32 offset, u32 length, bool give)
{
	unsigned int direction = give ? SG_MITER_TO_SG : SG_MITER_FROM_SG;
	struct sg_mapping_iter iter;

	sg_miter_start(&iter, urb->sg, urb->num_sgs, SG_MITER_ATOMIC | direction);
	if (!sg_miter_skip(&iter, offset))
		goto out;
	while (length && sg_miter_next(&iter)) {
		u32 bytes = min_t(size_t, length, iter.length);

		memory_copy(link, slot, at, iter.addr, bytes, give);
		iter.consumed = bytes;
		at += bytes;
		length -= bytes;
	}
out:
	sg_miter_stop(&iter);
}

static void data_copy(struct link *link, const struct slot *slot, u32 at, const struct urb *urb,
		      u32 offset, u32 length, bool give)
{
	if (!length)
		return;
	if (urb->num_sgs)
		list_copy(link, slot, at, urb, offset, length, give);
	else
		memory_copy(link, slot, at, urb->transfer_buffer + offset, length, give);
}

void buffer_clear(struct link *link, struct slot *slot)
{
	u16 i;

	for (i = 0; i < slot->page_count; i++)
		clear_page(pool_address(link->pool, slot->pages[i]));
}

void buffer_take(struct link *link, struct slot *slot, u32 at, const struct urb *urb, u32 offset,
		 u32 length)
{
	data_copy(link, slot, at, urb, offset, length, false);
}

void buffer_give(struct link *link, const struct slot *slot, u32 at, struct urb *urb, u32 offset,
		 u32 length)
{
	data_copy(link, slot, at, urb, offset, length, true);
}
