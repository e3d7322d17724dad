/* SPDX-License-Identifier: MIT */
/*
 * Version 2 of the wire, as it lies in shared memory (docs/protocol.md, "Version 2").
 *
 * One head page is shared, with the indices of both rings and the slots of the event ring, and one
 * or more pages that are the slots of the request ring. Requests and their responses take turns in
 * these, as on version 1.
 *
 * All integers are little-endian, whatever the guest's processor is: core/byte_order.h reads and
 * writes them. No layout here depends on padding by a compiler.
 */
#ifndef XVHC_XVHCIF_H
#define XVHC_XVHCIF_H

#include <xvhc/limits.h>
#include <xvhc/types.h>
#include <xvhc/usbif.h>

#define XVHCIF_PAGE_SIZE 4096u

/* Ports of one controller are numbered 1 to this. */
#define XVHCIF_PORT_MAX 31u

/* The request ring has 1 << order pages. */
#define XVHCIF_RING_ORDER_MAX 2u
#define XVHCIF_RING_PAGES_MAX (1u << XVHCIF_RING_ORDER_MAX)

/* Slots of the rings. */
#define XVHCIF_SLOT_SIZE 64u
#define XVHCIF_SLOTS_OF_A_PAGE (XVHCIF_PAGE_SIZE / XVHCIF_SLOT_SIZE)
#define XVHCIF_SLOTS_MAX (XVHCIF_SLOTS_OF_A_PAGE * XVHCIF_RING_PAGES_MAX)
#define XVHCIF_EVENT_SLOT_SIZE 16u
#define XVHCIF_EVENT_SLOTS 128u

/* Where things lie in the head page. */
#define XVHCIF_REQUEST_HEAD 0u
#define XVHCIF_EVENT_HEAD 64u
#define XVHCIF_EVENT_SLOTS_AT 2048u

/* Data of one request. */
#define XVHCIF_LENGTH_MAX 1048576u
#define XVHCIF_SEGMENTS_DIRECT 4u
#define XVHCIF_SEGMENTS_MAX 512u /* of one request: they fit in one indirect page */

/* The pool: pages that stay granted, in which data of requests may lie (XVHCIF_FLAG_POOL). */
#define XVHCIF_POOL_REFS_OF_A_PAGE (XVHCIF_PAGE_SIZE / 4u) /* of its directory */
#define XVHCIF_POOL_DIRECTORY_MAX 4u                       /* pages of its directory */

/* "operation" of a request. */
#define XVHCIF_SUBMIT 1u
#define XVHCIF_CANCEL 2u
#define XVHCIF_PORT_RESET 3u
#define XVHCIF_PORT_SUSPEND 4u
#define XVHCIF_PORT_RESUME 5u
#define XVHCIF_STREAMS_ALLOCATE 6u
#define XVHCIF_STREAMS_FREE 7u

/* "type" of a request: as in bmAttributes of an endpoint descriptor (USB 2.0, 9.6.6). */
#define XVHCIF_TYPE_CONTROL 0u
#define XVHCIF_TYPE_ISOC 1u
#define XVHCIF_TYPE_BULK 2u
#define XVHCIF_TYPE_INTERRUPT 3u

/* "flags" of a request. The other bits must be zero. */
#define XVHCIF_FLAG_SHORT_NOT_OK 0x01u /* a short read is an error */
#define XVHCIF_FLAG_ZERO_PACKET                                                                    \
	0x02u /* data that ends with a whole packet is followed by an empty one */
#define XVHCIF_FLAG_INDIRECT 0x04u /* the segments stand in a page of their own */
#define XVHCIF_FLAG_POOL 0x08u     /* data, and packet list, lie in the pool */
#define XVHCIF_FLAGS 0x0fu

/* "status" of a response and of an isochronous packet. */
#define XVHCIF_STATUS_OK 0u
#define XVHCIF_STATUS_NO_DEVICE 1u /* there is none on that port, or none with that address */
#define XVHCIF_STATUS_INVALID 2u   /* the request may not pass */
#define XVHCIF_STATUS_STALL 3u     /* the endpoint is halted, or refused the control request */
#define XVHCIF_STATUS_BUS_ERROR 4u /* it failed on the bus */
#define XVHCIF_STATUS_BABBLE 5u    /* the device sent more than was asked for */
#define XVHCIF_STATUS_CANCELLED 6u /* it was cancelled, or its port reset */
#define XVHCIF_STATUS_SHORT 7u     /* a short read that was not allowed */
#define XVHCIF_STATUS_LIMIT 8u     /* more than the backend can do */

/* "event" of a port. */
#define XVHCIF_EVENT_DISCONNECT 0u
#define XVHCIF_EVENT_CONNECT 1u
#define XVHCIF_EVENT_WAKEUP 2u
#define XVHCIF_EVENT_OVERCURRENT 3u

/* "speed" of a device. */
#define XVHCIF_SPEED_NONE 0u
#define XVHCIF_SPEED_LOW 1u
#define XVHCIF_SPEED_FULL 2u
#define XVHCIF_SPEED_HIGH 3u
#define XVHCIF_SPEED_SUPER 4u
#define XVHCIF_SPEED_SUPER_PLUS 5u

/* A part of one page that the guest granted. */
struct xvhcif_segment {
	uint32_t gref;
	uint16_t offset; /* bytes */
	uint16_t length; /* bytes */
};

/* One request. */
struct xvhcif_request {
	uint16_t id; /* below the number of slots; comes back in the response */
	uint8_t operation;
	uint8_t port;
	uint8_t address;
	uint8_t endpoint; /* bEndpointAddress; of a control transfer: 0, and 0x80 for data to the
			     host */
	uint8_t type;
	uint8_t flags;
	uint32_t length;  /* bytes of all data segments together */
	uint16_t stream;  /* 0: none */
	uint16_t packets; /* isochronous: at most as many as limits.h says */
	union {
		uint8_t setup[8]; /* control: as on the bus (USB 2.0, 9.3) */
		struct {
			uint16_t interval; /* frames or microframes */
			uint16_t start_frame;
			/* Grant of a page that begins with the packets; POOL: where in the pool,
			 * bytes */
			uint32_t packet_list;
		} isoc;
		struct {
			uint16_t interval;
			uint16_t reserved[3];
		} interrupt;
		struct {
			uint16_t id; /* the request to cancel */
			uint16_t reserved[3];
		} cancel;
		struct {
			uint32_t endpoints; /* bit n: endpoint n; bit 16 + n: endpoint n to the host
					     */
			uint16_t count;     /* ALLOCATE: streams of each */
			uint16_t reserved;
		} streams;
	} u;
	uint16_t segments; /* data segments */
	uint16_t reserved[3];
	union {
		struct xvhcif_segment segment[XVHCIF_SEGMENTS_DIRECT];
		uint32_t indirect; /* grant of a page that begins with the segments */
		uint32_t pool;     /* POOL: where in the pool the data begins, bytes */
	} data;
};

/* One response. The rest of the slot is zero. */
struct xvhcif_response {
	uint16_t id;
	uint16_t reserved;
	uint32_t status;
	uint32_t actual; /* bytes transferred; STREAMS_ALLOCATE: streams of each endpoint */
	uint32_t failed_packets;
	uint32_t start_frame;
};

/* One entry of an isochronous packet list. */
struct xvhcif_packet {
	uint32_t offset; /* bytes from the start of the data */
	uint32_t length; /* bytes at most */
	uint32_t actual; /* bytes transferred: written by the backend */
	uint32_t status; /* of this packet: written by the backend */
};

/* Room for one event: a request on the event ring. */
struct xvhcif_event_request {
	uint16_t id;
};

/* One event. */
struct xvhcif_event {
	uint16_t id;
	uint8_t port;
	uint8_t event;
	uint8_t speed; /* CONNECT */
	uint8_t reserved[3];
	uint64_t device; /* CONNECT: another number for each device, and for each time it is plugged
			    in */
};

/* One slot of each ring. */
union xvhcif_slot {
	struct xvhcif_request request;
	struct xvhcif_response response;
};

union xvhcif_event_slot {
	struct xvhcif_event_request request;
	struct xvhcif_event event;
};

static_assert(offsetof(struct xvhcif_segment, gref) == 0, "segment");
static_assert(offsetof(struct xvhcif_segment, offset) == 4, "segment");
static_assert(offsetof(struct xvhcif_segment, length) == 6, "segment");
static_assert(sizeof(struct xvhcif_segment) == 8, "segment");
static_assert(offsetof(struct xvhcif_request, id) == 0, "request");
static_assert(offsetof(struct xvhcif_request, operation) == 2, "request");
static_assert(offsetof(struct xvhcif_request, port) == 3, "request");
static_assert(offsetof(struct xvhcif_request, address) == 4, "request");
static_assert(offsetof(struct xvhcif_request, endpoint) == 5, "request");
static_assert(offsetof(struct xvhcif_request, type) == 6, "request");
static_assert(offsetof(struct xvhcif_request, flags) == 7, "request");
static_assert(offsetof(struct xvhcif_request, length) == 8, "request");
static_assert(offsetof(struct xvhcif_request, stream) == 12, "request");
static_assert(offsetof(struct xvhcif_request, packets) == 14, "request");
static_assert(offsetof(struct xvhcif_request, u) == 16, "request");
static_assert(offsetof(struct xvhcif_request, u.setup) == 16, "request");
static_assert(offsetof(struct xvhcif_request, u.isoc.interval) == 16, "request");
static_assert(offsetof(struct xvhcif_request, u.isoc.start_frame) == 18, "request");
static_assert(offsetof(struct xvhcif_request, u.isoc.packet_list) == 20, "request");
static_assert(offsetof(struct xvhcif_request, u.interrupt.interval) == 16, "request");
static_assert(offsetof(struct xvhcif_request, u.cancel.id) == 16, "request");
static_assert(offsetof(struct xvhcif_request, u.streams.endpoints) == 16, "request");
static_assert(offsetof(struct xvhcif_request, u.streams.count) == 20, "request");
static_assert(offsetof(struct xvhcif_request, segments) == 24, "request");
static_assert(offsetof(struct xvhcif_request, reserved) == 26, "request");
static_assert(offsetof(struct xvhcif_request, data) == 32, "request");
static_assert(offsetof(struct xvhcif_request, data.segment) == 32, "request");
static_assert(offsetof(struct xvhcif_request, data.indirect) == 32, "request");
static_assert(offsetof(struct xvhcif_request, data.pool) == 32, "request");
static_assert(sizeof(struct xvhcif_request) == 64, "request");
static_assert(offsetof(struct xvhcif_response, id) == 0, "response");
static_assert(offsetof(struct xvhcif_response, status) == 4, "response");
static_assert(offsetof(struct xvhcif_response, actual) == 8, "response");
static_assert(offsetof(struct xvhcif_response, failed_packets) == 12, "response");
static_assert(offsetof(struct xvhcif_response, start_frame) == 16, "response");
static_assert(sizeof(struct xvhcif_response) == 20, "response");
static_assert(sizeof(union xvhcif_slot) == XVHCIF_SLOT_SIZE, "request ring slot");
static_assert(offsetof(struct xvhcif_packet, offset) == 0, "packet");
static_assert(offsetof(struct xvhcif_packet, length) == 4, "packet");
static_assert(offsetof(struct xvhcif_packet, actual) == 8, "packet");
static_assert(offsetof(struct xvhcif_packet, status) == 12, "packet");
static_assert(sizeof(struct xvhcif_packet) == 16, "packet");
static_assert(offsetof(struct xvhcif_event, id) == 0, "event");
static_assert(offsetof(struct xvhcif_event, port) == 2, "event");
static_assert(offsetof(struct xvhcif_event, event) == 3, "event");
static_assert(offsetof(struct xvhcif_event, speed) == 4, "event");
static_assert(offsetof(struct xvhcif_event, device) == 8, "event");
static_assert(sizeof(struct xvhcif_event) == 16, "event");
static_assert(sizeof(union xvhcif_event_slot) == XVHCIF_EVENT_SLOT_SIZE, "event ring slot");
static_assert(XVHCIF_EVENT_SLOTS_AT + XVHCIF_EVENT_SLOTS * XVHCIF_EVENT_SLOT_SIZE <=
		      XVHCIF_PAGE_SIZE,
	      "head page");
static_assert(XVHCIF_EVENT_HEAD + sizeof(struct usbif_ring_head) <= XVHCIF_EVENT_SLOTS_AT,
	      "head page");
static_assert(XVHCIF_SEGMENTS_MAX * sizeof(struct xvhcif_segment) <= XVHCIF_PAGE_SIZE,
	      "indirect page");
static_assert(XVHC_POOL_PAGES_MAX <= XVHCIF_POOL_DIRECTORY_MAX * XVHCIF_POOL_REFS_OF_A_PAGE,
	      "directory of the pool");
static_assert(XVHCIF_LENGTH_MAX / XVHCIF_PAGE_SIZE + 1 <= XVHCIF_SEGMENTS_MAX,
	      "the largest transfer, wherever it begins in a page");

#endif
