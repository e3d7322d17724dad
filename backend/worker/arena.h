/* SPDX-License-Identifier: MIT */
/*
 * The memory for data of transfers under way: a fixed number of pages, of which each transfer has
 * as many as it needs, side by side. Nothing else is allocated on the data path.
 */
#ifndef XVHC_WORKER_ARENA_H
#define XVHC_WORKER_ARENA_H

#include <xvhc/limits.h>
#include <xvhc/types.h>

#define ARENA_PAGE 4096u

/* Twice the bytes in flight: what a transfer leaves may lie between two others. */
#define ARENA_PAGES (2u * XVHC_WORKER_BYTES_MAX / ARENA_PAGE)

/* Takes so many pages, at least one. Returns them, or NULL where there are not so many together. */
void *arena_take(uint32_t pages);

/* Gives them back. */
void arena_give(void *taken, uint32_t pages);

/* Gives all back, and zeroes them. */
void arena_wipe(void);

#endif
