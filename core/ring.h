/* SPDX-License-Identifier: MIT */
/*
 * Arithmetic of the shared rings, for both of their ends (docs/protocol.md, "Rings").
 *
 * A ring is one page: a head with four free-running indices, then a power of two of slots. The
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

/* What both ends know of a ring page. */
struct ring_page {
	struct usbif_ring_head *head; /* shared */
	uint8_t *slots;               /* shared */
	uint32_t slot_size;           /* bytes */
	uint32_t slot_count;          /* a power of two */
};

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
 * Sets up the backend's end on a page that the frontend initialised, and may have put requests
 * into. The page stays the caller's. Returns XVHC_EPROTO where the indices found in it cannot be
 * true.
 */
XVHC_MUST_CHECK int back_ring_init(struct back_ring *ring, void *page, uint32_t slot_size,
				   uint32_t slot_count);

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

/* Initialises a zeroed page as an empty ring, and the frontend's end of it. */
void front_ring_init(struct front_ring *ring, void *page, uint32_t slot_size, uint32_t slot_count);

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
