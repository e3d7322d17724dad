/* SPDX-License-Identifier: MIT */
/*
 * What a worker has done, in figures. They stand in a page that the broker makes for each worker
 * (a memfd that can neither grow nor shrink) and hands over with CONNECT. The worker adds to it
 * and never reads it; the broker reads it with pread() when somebody asks. So counting costs no
 * system call, wakes up nobody, and a worker that ends in whatever way leaves its figures behind.
 *
 * A worker may have been taken over by its guest. Its figures are for people to look at: nothing
 * is ever decided by them, and the broker adds them up without overflow (common/counters.c).
 *
 * All words have 64 bits, are aligned, and are written by one thread.
 */
#ifndef XVHC_BACKEND_COUNTERS_H
#define XVHC_BACKEND_COUNTERS_H

#include <xvhc/types.h>
#include <xvhc/usbif.h>

#define COUNTERS_TYPES 4u      /* by enum transfer_type */
#define COUNTERS_DIRECTIONS 2u /* 0: to the device, 1: to the host */

/* How a transfer, or an operation on the device, failed. */
enum counters_error {
	COUNTERS_STALL = 0, /* the endpoint answered with STALL */
	COUNTERS_IO,        /* on the bus */
	COUNTERS_BABBLE,    /* the device sent more than was asked for */
	COUNTERS_CANCELLED, /* by the guest, or by what it asked for after that */
	COUNTERS_GONE,      /* the device was unplugged, or taken */
	COUNTERS_OTHER,
	COUNTERS_ERRORS,
};

/*
 * Sums, of one port. Transfers are those that the device was asked for, once they have ended, in
 * whatever way. What the worker answers by itself (descriptors, addresses) is no transfer.
 */
struct counters_sums {
	uint64_t transfers[COUNTERS_TYPES][COUNTERS_DIRECTIONS];
	uint64_t bytes[COUNTERS_TYPES][COUNTERS_DIRECTIONS]; /* that went over the bus */
	uint64_t errors[COUNTERS_ERRORS];
	uint64_t refused;      /* requests that vetting kept from the device */
	uint64_t packets;      /* isochronous, of transfers that ended well as a whole */
	uint64_t packets_lost; /* of them, those that failed */
	uint64_t resets;       /* of the device, that it did */
	uint64_t host_full;    /* times that a transfer had to wait for room in the host */
};

struct counters_port {
	struct counters_sums sums;
	uint64_t in_flight; /* transfers that the device has now */
};

/* Sums, of the whole connection. */
struct counters_connection {
	uint64_t requests; /* taken */
	uint64_t refused;  /* of them, by vetting: not one of these has reached a device */
	uint64_t pooled;   /* of them, transfers whose data lies in the pool */
	uint64_t copies;   /* calls of the transport's copy(): each is a hypercall */
	uint64_t rounds;   /* of the loop */
	uint64_t woken;    /* notifications by the guest */
	uint64_t notified; /* notifications of the guest */
	uint64_t reserved;
};

struct counters {
	struct counters_connection connection;
	struct counters_port port[USBIF_PORT_MAX]; /* by port number, less one */
};

/* All of these are words, one behind the other. */
#define COUNTERS_SUMS_WORDS (sizeof(struct counters_sums) / sizeof(uint64_t))
#define COUNTERS_CONNECTION_WORDS (sizeof(struct counters_connection) / sizeof(uint64_t))

static_assert(sizeof(struct counters_sums) == 27 * sizeof(uint64_t), "no gaps");
static_assert(sizeof(struct counters_connection) == 64, "a line of the cache");
static_assert(sizeof(struct counters) <= 8192, "two pages, of which few ports need one");

#define COUNTERS_BYTES ((uint32_t)sizeof(struct counters))

/*
 * Adds to a word of one's own. Nobody else writes it, so no locked instruction is needed; whoever
 * reads at the same time sees the old number or the new one.
 */
static inline void counter_add(uint64_t *word, uint64_t more)
{
	__atomic_store_n(word, *word + more, __ATOMIC_RELAXED);
}

#endif
