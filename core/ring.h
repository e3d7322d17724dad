/* SPDX-License-Identifier: MIT */
/*
 * Arithmetic of the shared rings, for both of their ends (docs/protocol.md, "Rings").
 *
 * A ring is a head with four free-running indices, and a power of two of slots. The
 * producer index of the other side is the only thing that is believed of it, and only after it was
 * compared with what can be true. Slots are copied out whole, once; nobody looks at a slot in
 * place.
 *
 * None of this sleeps, allocates or locks. Calls on one ring are serialised by the caller.
 */
#ifndef XVHC_CORE_RING_H
#define XVHC_CORE_RING_H

#include <xvhc/types.h>
#include <xvhc/usbif.h>
#include <xvhc/xvhcif.h>

/* Where a ring lies in shared memory. */
struct ring_page {
	struct usbif_ring_head *head; /* shared */
	uint8_t *slots;               /* shared */
	uint32_t slot_size;           /* bytes */
	uint32_t slot_count;          /* a power of two */
	bool little_endian;           /* the indices are; else they are this processor's */
};

/* A ring of version 1: one page, with the head in front of the slots. */
static inline struct ring_page ring_page_usbif(void *page, uint32_t slot_size, uint32_t slot_count)
{
	struct ring_page layout = {page, (uint8_t *)page + sizeof(struct usbif_ring_head),
				   slot_size, slot_count, false};

	return layout;
}

/* The two rings of version 2. head is its head page; slots are those of the request ring. */
static inline struct ring_page ring_page_requests(void *head, void *slots, uint32_t slot_count)
{
	struct ring_page layout = {(void *)((uint8_t *)head + XVHCIF_REQUEST_HEAD), slots,
				   XVHCIF_SLOT_SIZE, slot_count, true};

	return layout;
}

static inline struct ring_page ring_page_events(void *head)
{
	struct ring_page layout = {(void *)((uint8_t *)head + XVHCIF_EVENT_HEAD),
				   (uint8_t *)head + XVHCIF_EVENT_SLOTS_AT, XVHCIF_EVENT_SLOT_SIZE,
				   XVHCIF_EVENT_SLOTS, true};

	return layout;
}

/* The backend's end: takes requests, puts responses. */
struct back_ring {
	struct ring_page page;
	uint32_t req_cons;     /* requests taken */
	uint32_t rsp_prod_pvt; /* responses put, published or not */
	uint32_t rsp_prod_pub; /* responses published */
};

/* The frontend's end: puts requests, takes responses. */
struct front_ring {
	struct ring_page page;
	uint32_t req_prod_pvt; /* requests put, published or not */
	uint32_t req_prod_pub; /* requests published */
	uint32_t rsp_cons;     /* responses taken */
};

/*
 * Sets up the backend's end on memory that the frontend initialised, and may have put requests
 * into. The memory stays the caller's. Returns XVHC_EPROTO where the indices found in it cannot be
 * true.
 */
XVHC_MUST_CHECK int back_ring_init(struct back_ring *ring, struct ring_page page);

/*
 * Copies the next request to *request (size bytes, at most a slot) and returns 1. Returns 0 where
 * there is none, XVHC_EPROTO where the frontend's producer index ran past the ring.
 */
XVHC_MUST_CHECK int back_ring_take(struct back_ring *ring, void *request, uint32_t size);

/* Whether a response can be put: there is a taken request that has none yet. */
bool back_ring_owes_response(const struct back_ring *ring);

/* Puts a response of size bytes, which wipes the rest of its slot. A response must be owed. */
void back_ring_put(struct back_ring *ring, const void *response, uint32_t size);

/* Publishes what was put. Returns whether the frontend asked to be notified of it. */
XVHC_MUST_CHECK bool back_ring_push(struct back_ring *ring);

/*
 * To be called before sleep: asks to be notified of the next request. Returns true where one has
 * arrived meanwhile, which must be taken first.
 */
XVHC_MUST_CHECK bool back_ring_recheck(struct back_ring *ring);

/* Initialises zeroed memory as an empty ring, and the frontend's end of it. */
void front_ring_init(struct front_ring *ring, struct ring_page page);

/* How many requests can be put now. */
uint32_t front_ring_free(const struct front_ring *ring);

/* Puts a request of size bytes, which wipes the rest of its slot. A slot must be free. */
void front_ring_put(struct front_ring *ring, const void *request, uint32_t size);

/* Publishes what was put. Returns whether the backend asked to be notified of it. */
XVHC_MUST_CHECK bool front_ring_push(struct front_ring *ring);

/*
 * Copies the next response to *response (size bytes, at most a slot) and returns 1. Returns 0 where
 * there is none, XVHC_EPROTO where the backend's producer index cannot be true.
 */
XVHC_MUST_CHECK int front_ring_take(struct front_ring *ring, void *response, uint32_t size);

/* As back_ring_recheck(), for responses. */
XVHC_MUST_CHECK bool front_ring_recheck(struct front_ring *ring);

#endif
