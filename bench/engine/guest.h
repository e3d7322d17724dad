/* SPDX-License-Identifier: MIT */
/*
 * A guest on a memfd that keeps its ring full: the frontend's half of the benchmarks. It is as
 * plain as a frontend can be: requests are made once, and put again and again.
 *
 * Anything that goes wrong ends the program with a sentence.
 */
#ifndef XVHC_BENCH_GUEST_H
#define XVHC_BENCH_GUEST_H

#include <common/message_io.h>
#include <ring.h>

#define GUEST_IDS_MAX XVHCIF_SLOTS_MAX

/* What the guest asks for. All of it are bulk reads from devices of high speed. */
struct guest_plan {
	uint32_t version; /* of the wire, 1 or 2 */
	uint32_t length;  /* bytes of each request */
	uint32_t depth;   /* requests under way, at most the ring's slots; 0: all slots */
	uint32_t ports;   /* each with a device; requests go to them in turn */
	bool in_pool;     /* version 2: data lies in the pool, else in segments */
	bool quotas;      /* those that the broker sets by default; else none */
};

struct guest {
	struct guest_plan plan;
	/* Has the worker do what is to be done, or waits until it did. */
	void (*wait)(struct guest *guest);
	uint8_t *memory; /* shared */
	uint32_t slots;  /* of the request ring */
	int memfd, to_worker, from_worker;
	int broker; /* the broker's end of the socket */
	struct front_ring requests;
	struct front_ring events;
	uint32_t connected;           /* ports that a device was told of */
	uint16_t free[GUEST_IDS_MAX]; /* identifiers that are not under way */
	uint32_t free_count;
	uint64_t answered;
	uint64_t notified; /* notifications of the worker */
	union {
		struct usbif_urb_request usbif;
		struct xvhcif_request xvhcif;
	} request[GUEST_IDS_MAX];
};

/* Makes the memory and the rings, and sends CONNECT. Returns the worker's end of the socket. */
int guest_init(struct guest *guest, const struct guest_plan *plan);

/* Closes what is not needed once the worker has connected. */
void guest_connected(struct guest *guest);

/* Plugs a device into each port, and configures it as a guest's USB core does. */
void guest_configure(struct guest *guest);

/*
 * Takes all responses, puts new requests until the ring is as full as planned or until *left of
 * them were put, and notifies the worker where it wants that. Returns how many were answered.
 */
uint32_t guest_turn(struct guest *guest, uint64_t *left);

void guest_fini(struct guest *guest);

/* Waits for a notification by a worker that is a process of its own. */
void guest_wait_for_process(struct guest *guest);

/* What the options of this program say of a guest, by the names of the fields. */
struct guest_plan guest_plan_read(int argc, char **argv);

#endif
