/* SPDX-License-Identifier: MIT */
/*
 * Stands in for core/barrier.h: memory that another domain writes to at all times.
 *
 * It is included in front of each source, and keeps the real one out. The pages that are shared are
 * the one object below. For each access it is set to any bytes: what an earlier access read or
 * wrote says nothing about what the next one finds. Between accesses its bytes are like those of a
 * variable that was never written: to read them in any other way than by these functions is an
 * alarm.
 */
#ifndef XVHC_CORE_BARRIER_H
#define XVHC_CORE_BARRIER_H

#include <string.h>
#include <xvhc/xvhcif.h>

#include "arbitrary.h"

/* A head page, and the pages of the longest ring. */
#define SHARED_BYTES ((1u + XVHCIF_RING_PAGES_MAX) * XVHCIF_PAGE_SIZE)

extern uint32_t shared_pages[SHARED_BYTES / 4];

static inline void shared_pages_open(void)
{
	arbitrary_bytes(shared_pages, sizeof(shared_pages));
}

static inline void shared_pages_close(void)
{
	uint32_t never_written[SHARED_BYTES / 4];

	memcpy(shared_pages, never_written, sizeof(shared_pages));
}

static inline uint32_t shared_read(const uint32_t *word)
{
	uint32_t value;

	shared_pages_open();
	value = *word;
	shared_pages_close();
	return value;
}

static inline uint32_t shared_read_acquire(const uint32_t *word)
{
	return shared_read(word);
}

static inline void shared_write(uint32_t *word, uint32_t value)
{
	*word = value;
	shared_pages_close();
}

static inline void shared_write_release(uint32_t *word, uint32_t value)
{
	shared_write(word, value);
}

static inline void shared_fence(void)
{
}

static inline void shared_copy(void *to, const void *from, size_t size)
{
	shared_pages_open();
	memcpy(to, from, size);
	shared_pages_close();
}

#endif
