/* SPDX-License-Identifier: MIT */
/*
 * XenStore in memory, for a thousand guests: what a call costs does not depend on how many there
 * are. Transactions take effect at once. There is one store, and it is never closed.
 */
#ifndef XVHC_BENCH_STORE_H
#define XVHC_BENCH_STORE_H

#include <broker/xenstore.h>

struct store_counts {
	uint64_t calls; /* of the broker: on Xen each is a message to xenstored, and its answer */
	uint64_t ns;    /* spent in them */
	uint64_t bytes; /* that nodes and watches have of the heap */
	uint64_t backends[8]; /* how often a backend's state became this */
};

extern struct store_counts store_counts;

/* Opens the store. Domain 0 lives in it. */
struct xenstore *store_open(void);

/* Writes as somebody else would: all watches see it. */
void store_set(const char *value, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A guest begins to run. */
void store_guest(uint32_t domid, const char *name);

/* Something has happened to some guest, as xenstored tells it. */
void store_introduce(void);

#endif
