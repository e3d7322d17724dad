/* SPDX-License-Identifier: MIT */
/*
 * Version 1 of the wire: the layout of Xen's paravirtual USB interface, as it lies in shared
 * memory.
 *
 * Two pages are shared. The URB ring carries requests to the backend and their responses. The
 * connection ring carries port events: the frontend posts empty requests, and the backend answers
 * one of them for each event. docs/protocol.md tells how both are used.
 *
 * All integers have the byte order of the guest's processor; a backend accepts a guest only where
 * that is its own (XenStore node "protocol"). No layout here depends on padding by a compiler.
 */
#ifndef XVHC_USBIF_H
#define XVHC_USBIF_H

#include <xvhc/types.h>

/* A shared page, in bytes, whatever the page size of the guest. */
#define USBIF_PAGE_SIZE 4096u

/* Ports of one controller are numbered 1 to this. */
#define USBIF_PORT_MAX 31u

/* Data and packet-list segments of one request, together. Each lies in one page. */
#define USBIF_SEGMENTS_MAX 16u

/* "pipe" of a request. */
#define USBIF_PIPE_PORT_MASK 0x0000001fu
#define USBIF_PIPE_UNLINK 0x00000020u /* cancel the request u.unlink.unlink_id */
#define USBIF_PIPE_IN 0x00000080u     /* device to host */
#define USBIF_PIPE_ADDRESS_SHIFT 8
#define USBIF_PIPE_ADDRESS_MASK 0x7fu
#define USBIF_PIPE_ENDPOINT_SHIFT 15
#define USBIF_PIPE_ENDPOINT_MASK 0xfu
#define USBIF_PIPE_TYPE_SHIFT 30
#define USBIF_PIPE_TYPE_ISOC 0u
#define USBIF_PIPE_TYPE_INTERRUPT 1u
#define USBIF_PIPE_TYPE_CONTROL 2u
#define USBIF_PIPE_TYPE_BULK 3u
/* Bits that have no meaning: 6, and 19 to 29. */
#define USBIF_PIPE_RESERVED 0x3ff80040u

/* "transfer_flags" of a request. The other bits have no meaning. */
#define USBIF_FLAG_SHORT_NOT_OK 0x0001u

/* "status" of a response. The numbers are those of this wire and of no operating system. */
#define USBIF_STATUS_OK 0
#define USBIF_STATUS_NODEV (-19)
#define USBIF_STATUS_INVAL (-22)
#define USBIF_STATUS_STALL (-32)
#define USBIF_STATUS_IOERROR (-71)
#define USBIF_STATUS_BABBLE (-75)
#define USBIF_STATUS_SHUTDOWN (-108)

/* "speed" of a port event. This wire knows no SuperSpeed. */
#define USBIF_SPEED_NONE 0u /* nothing is connected */
#define USBIF_SPEED_LOW 1u
#define USBIF_SPEED_FULL 2u
#define USBIF_SPEED_HIGH 3u

/* A part of one page that the guest granted. */
struct usbif_segment {
	uint32_t gref;
	uint16_t offset; /* bytes */
	uint16_t length; /* bytes */
};

/* One request on the URB ring. */
struct usbif_urb_request {
	uint16_t id;             /* of the frontend's choosing; comes back in the response */
	uint16_t nr_buffer_segs; /* how many of seg[] are data, from seg[0] on */
	uint32_t pipe;
	uint16_t transfer_flags;
	uint16_t buffer_length; /* bytes of all data segments together */
	union {
		uint8_t setup[8]; /* control: the setup packet, as on the bus (USB 2.0, 9.3) */
		struct {
			uint16_t interval; /* frames or microframes */
			uint16_t start_frame;
			uint16_t number_of_packets;
			uint16_t nr_frame_desc_segs; /* seg[] entries behind the data's */
		} isoc;
		struct {
			uint16_t interval; /* frames or microframes */
			uint16_t reserved[3];
		} interrupt;
		struct {
			uint16_t unlink_id; /* the request to cancel */
			uint16_t reserved[3];
		} unlink;
	} u;
	struct usbif_segment seg[USBIF_SEGMENTS_MAX];
};

/* One response on the URB ring. */
struct usbif_urb_response {
	uint16_t id;
	uint16_t start_frame;  /* isochronous only */
	int32_t status;        /* USBIF_STATUS_... */
	int32_t actual_length; /* bytes */
	int32_t error_count;   /* isochronous: packets that failed */
};

/* One slot of the URB ring. */
union usbif_urb_slot {
	struct usbif_urb_request request;
	struct usbif_urb_response response;
};

/*
 * One entry of an isochronous packet list, in the segments behind the data. Xen's header leaves the
 * layout open; this is the one that Linux frontends and backends use. An entry may straddle two
 * segments.
 */
struct usbif_isoc_packet {
	uint32_t offset;        /* bytes from the start of the data */
	uint32_t length;        /* bytes to transfer at most */
	uint32_t actual_length; /* bytes transferred: written by the backend */
	int32_t status;         /* of this packet: written by the backend */
};

/* One request on the connection ring: room for one event. */
struct usbif_conn_request {
	uint16_t id;
};

/* One event on the connection ring. */
struct usbif_conn_response {
	uint16_t id;
	uint8_t portnum;
	uint8_t speed;
};

/* One slot of the connection ring. */
union usbif_conn_slot {
	struct usbif_conn_request request;
	struct usbif_conn_response response;
};

/* The head of each ring page. Slots begin behind it. Indices run freely and wrap at 2^32. */
struct usbif_ring_head {
	uint32_t req_prod;
	uint32_t req_event;
	uint32_t rsp_prod;
	uint32_t rsp_event;
	uint8_t reserved[48];
};

/* Slots of a ring: the largest power of two that fits behind the head. */
#define USBIF_URB_RING_SLOTS 16u
#define USBIF_CONN_RING_SLOTS 512u

static_assert(offsetof(struct usbif_segment, gref) == 0, "segment");
static_assert(offsetof(struct usbif_segment, offset) == 4, "segment");
static_assert(offsetof(struct usbif_segment, length) == 6, "segment");
static_assert(sizeof(struct usbif_segment) == 8, "segment");
static_assert(offsetof(struct usbif_urb_request, id) == 0, "request");
static_assert(offsetof(struct usbif_urb_request, nr_buffer_segs) == 2, "request");
static_assert(offsetof(struct usbif_urb_request, pipe) == 4, "request");
static_assert(offsetof(struct usbif_urb_request, transfer_flags) == 8, "request");
static_assert(offsetof(struct usbif_urb_request, buffer_length) == 10, "request");
static_assert(offsetof(struct usbif_urb_request, u) == 12, "request");
static_assert(offsetof(struct usbif_urb_request, u.setup) == 12, "request");
static_assert(offsetof(struct usbif_urb_request, u.unlink.unlink_id) == 12, "request");
static_assert(offsetof(struct usbif_urb_request, u.interrupt.interval) == 12, "request");
static_assert(offsetof(struct usbif_urb_request, u.isoc.interval) == 12, "request");
static_assert(offsetof(struct usbif_urb_request, u.isoc.start_frame) == 14, "request");
static_assert(offsetof(struct usbif_urb_request, u.isoc.number_of_packets) == 16, "request");
static_assert(offsetof(struct usbif_urb_request, u.isoc.nr_frame_desc_segs) == 18, "request");
static_assert(offsetof(struct usbif_urb_request, seg) == 20, "request");
static_assert(sizeof(struct usbif_urb_request) == 148, "request");
static_assert(offsetof(struct usbif_urb_response, id) == 0, "response");
static_assert(offsetof(struct usbif_urb_response, start_frame) == 2, "response");
static_assert(offsetof(struct usbif_urb_response, status) == 4, "response");
static_assert(offsetof(struct usbif_urb_response, actual_length) == 8, "response");
static_assert(offsetof(struct usbif_urb_response, error_count) == 12, "response");
static_assert(sizeof(struct usbif_urb_response) == 16, "response");
static_assert(sizeof(union usbif_urb_slot) == 148, "URB ring slot");
static_assert(offsetof(struct usbif_isoc_packet, offset) == 0, "packet");
static_assert(offsetof(struct usbif_isoc_packet, length) == 4, "packet");
static_assert(offsetof(struct usbif_isoc_packet, actual_length) == 8, "packet");
static_assert(offsetof(struct usbif_isoc_packet, status) == 12, "packet");
static_assert(sizeof(struct usbif_isoc_packet) == 16, "packet");
static_assert(offsetof(struct usbif_conn_request, id) == 0, "connection request");
static_assert(sizeof(struct usbif_conn_request) == 2, "connection request");
static_assert(offsetof(struct usbif_conn_response, id) == 0, "event");
static_assert(offsetof(struct usbif_conn_response, portnum) == 2, "event");
static_assert(offsetof(struct usbif_conn_response, speed) == 3, "event");
static_assert(sizeof(struct usbif_conn_response) == 4, "event");
static_assert(sizeof(union usbif_conn_slot) == 4, "connection ring slot");
static_assert(offsetof(struct usbif_ring_head, req_prod) == 0, "ring head");
static_assert(offsetof(struct usbif_ring_head, req_event) == 4, "ring head");
static_assert(offsetof(struct usbif_ring_head, rsp_prod) == 8, "ring head");
static_assert(offsetof(struct usbif_ring_head, rsp_event) == 12, "ring head");
static_assert(sizeof(struct usbif_ring_head) == 64, "ring head");
static_assert(64 + USBIF_URB_RING_SLOTS * 148 <= USBIF_PAGE_SIZE &&
		      64 + 2 * USBIF_URB_RING_SLOTS * 148 > USBIF_PAGE_SIZE,
	      "URB ring slots");
static_assert(64 + USBIF_CONN_RING_SLOTS * 4 <= USBIF_PAGE_SIZE &&
		      64 + 2 * USBIF_CONN_RING_SLOTS * 4 > USBIF_PAGE_SIZE,
	      "connection ring slots");

#endif
