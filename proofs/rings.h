/* SPDX-License-Identifier: MIT */
/*
 * The layouts of all rings that there are. Each lies at the end of the shared pages: behind its
 * last slot, no object is left.
 */
#ifndef XVHC_PROOFS_RINGS_H
#define XVHC_PROOFS_RINGS_H

#include <ring.h>

#include "barrier.h"

uint32_t shared_pages[SHARED_BYTES / 4];

static inline uint8_t *rings_end(void)
{
	return (uint8_t *)shared_pages + sizeof(shared_pages);
}

static inline struct ring_page rings_usbif(uint32_t slot_size, uint32_t slots)
{
	void *page = rings_end() - slots * slot_size - sizeof(struct usbif_ring_head);

	return ring_page_usbif(page, slot_size, slots);
}

static inline struct ring_page rings_requests(uint32_t slots)
{
	return ring_page_requests(shared_pages, rings_end() - slots * XVHCIF_SLOT_SIZE, slots);
}

static inline struct ring_page rings_events(void)
{
	return ring_page_events(rings_end() - XVHCIF_PAGE_SIZE);
}

#endif
