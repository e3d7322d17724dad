/* SPDX-License-Identifier: MIT */
/*
 * Ordered access to memory that is shared with another domain: one read or write of one word each,
 * never torn, never repeated by the compiler, and ordered on multiprocessors even where this kernel
 * was built for one processor.
 */
#ifndef XVHC_CORE_BARRIER_H
#define XVHC_CORE_BARRIER_H

#include <xvhc/types.h>

#ifdef __KERNEL__
#include <asm/barrier.h>
#include <linux/compiler.h>
#include <linux/string.h>

static inline uint32_t shared_read(const uint32_t *word)
{
	return READ_ONCE(*word);
}

static inline uint32_t shared_read_acquire(const uint32_t *word)
{
	return virt_load_acquire(word);
}

static inline void shared_write(uint32_t *word, uint32_t value)
{
	WRITE_ONCE(*word, value);
}

static inline void shared_write_release(uint32_t *word, uint32_t value)
{
	virt_store_release(word, value);
}

static inline void shared_fence(void)
{
	virt_mb();
}

#else
#include <string.h>

static inline uint32_t shared_read(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static inline uint32_t shared_read_acquire(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static inline void shared_write(uint32_t *word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELAXED);
}

static inline void shared_write_release(uint32_t *word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

static inline void shared_fence(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

#endif

/*
 * Copies size bytes out of or into shared memory, once: the compiler can neither keep looking at
 * the source in place of the copy nor put the copy off.
 */
static inline void shared_copy(void *to, const void *from, size_t size)
{
	memcpy(to, from, size);
	__asm__ volatile("" : : : "memory");
}

#endif
