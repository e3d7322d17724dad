/* SPDX-License-Identifier: MIT */
/*
 * Stands in for core/barrier.h: memory that another domain writes to at all times.
 *
 * It is included in front of each source, and keeps the real one out. The page that is shared is
 * the one object below. For each access it is set to any bytes: what an earlier access read or
 * wrote says nothing about what the next one finds. Between accesses its bytes are like those of a
 * variable that was never written: to read them in any other way than by these functions is an
 * alarm.
 */
#ifndef XVHC_CORE_BARRIER_H
#define XVHC_CORE_BARRIER_H

#include <string.h>
#include <xvhc/usbif.h>

#include "arbitrary.h"

extern uint32_t shared_page[USBIF_PAGE_SIZE / 4];

static inline void shared_page_open(void)
{
	arbitrary_bytes(shared_page, sizeof(shared_page));
}

static inline void shared_page_close(void)
{
	uint32_t never_written[USBIF_PAGE_SIZE / 4];

	memcpy(shared_page, never_written, sizeof(shared_page));
}

static inline uint32_t shared_read(const uint32_t *word)
{
	uint32_t value;

	shared_page_open();
	value = *word;
	shared_page_close();
	return value;
}

static inline uint32_t shared_read_acquire(const uint32_t *word)
{
	return shared_read(word);
}

static inline void shared_write(uint32_t *word, uint32_t value)
{
	*word = value;
	shared_page_close();
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
	shared_page_open();
	memcpy(to, from, size);
	shared_page_close();
}

#endif
