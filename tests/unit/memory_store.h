/* SPDX-License-Identifier: MIT */
/* XenStore in memory, for the broker's tests: one connection, and no other domains but by these. */
#ifndef XVHC_TESTS_MEMORY_STORE_H
#define XVHC_TESTS_MEMORY_STORE_H

#include <broker/xenstore.h>

/* A store that knows domain 0. Closed by its own close(). */
struct xenstore *memory_store_open(void);

/* Writes as somebody else would: all watches see it. A value of NULL removes the node. */
void memory_store_set(struct xenstore *store, const char *value, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The value of a node, until the next call; NULL where there is none. */
const char *memory_store_get(struct xenstore *store, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Who owns a node, and who else may read it. */
void memory_store_permissions(struct xenstore *store, const char *path, uint32_t *owner,
			      uint32_t *reader);

/* A guest begins to run, and dies. */
void memory_store_guest(struct xenstore *store, uint32_t domid, const char *name);
void memory_store_guest_dies(struct xenstore *store, uint32_t domid);

/* How many values were read so far. */
uint32_t memory_store_reads(struct xenstore *store);

/* The next ends of transactions answer -EAGAIN so many times. */
void memory_store_disturb(struct xenstore *store, uint32_t times);

#endif
