/* SPDX-License-Identifier: MIT */
/*
 * What a guest asks for, in the words of USB and of no wire. The decoder of each version of the
 * wire makes one of these; everything behind the decoder works on it.
 */
#ifndef XVHC_CORE_TRANSFER_H
#define XVHC_CORE_TRANSFER_H

#include <xvhc/limits.h>
#include <xvhc/types.h>

#include "error.h"

/* Segments of one request: those of its data, and those of its packet list. */
#define TRANSFER_SEGMENTS_MAX 512u
#define TRANSFER_LIST_SEGMENTS_MAX 16u

/* Bytes of one request. */
#define TRANSFER_LENGTH_MAX 1048576u

enum transfer_operation {
	TRANSFER_SUBMIT = 0,
	TRANSFER_CANCEL, /* cancels the request cancel_id */
	/* Those below are of version 2 alone. */
	TRANSFER_PORT_RESET,
	TRANSFER_PORT_SUSPEND,
	TRANSFER_PORT_RESUME,
	TRANSFER_STREAMS_ALLOCATE, /* streams of each of endpoints */
	TRANSFER_STREAMS_FREE,
};

/* The numbers are those of an endpoint descriptor's bmAttributes (USB 2.0, 9.6.6). */
enum transfer_type {
	TRANSFER_CONTROL = 0,
	TRANSFER_ISOC = 1,
	TRANSFER_BULK = 2,
	TRANSFER_INTERRUPT = 3,
};

/* A part of one page of the guest's memory. */
struct transfer_segment {
	uint32_t gref;
	uint16_t offset; /* bytes */
	uint16_t length; /* bytes, not 0; offset + length lie in the page */
};

/* One packet of an isochronous transfer. */
struct transfer_packet {
	uint32_t offset; /* bytes from the start of the guest's data */
	uint32_t length; /* bytes */
	uint32_t actual; /* bytes transferred */
	int32_t result;  /* enum xvhc_error */
};

struct transfer_request {
	uint32_t id;
	uint32_t cancel_id;
	uint8_t operation; /* enum transfer_operation */
	uint8_t type;      /* enum transfer_type */
	uint8_t port;      /* from 1 */
	uint8_t address;   /* of the device, 0 to 127 */
	uint8_t endpoint;  /* number, 0 to 15 */
	bool in;           /* device to host */
	bool short_not_ok; /* a short read is told as one */
	bool zero_packet;  /* an empty packet follows data that ends with a whole one */
	bool indirect;     /* the segments of data stand in a page of their own */
	bool in_pool;      /* data, and packet list, lie in the pool: there are no segments */
	uint8_t setup[8];  /* control only */
	uint32_t length;   /* bytes of data */
	uint16_t interval;
	uint16_t packets;       /* isochronous only */
	uint16_t stream;        /* 0: none */
	uint16_t streams;       /* STREAMS_ALLOCATE: of each endpoint */
	uint32_t endpoints;     /* STREAMS_...: bit n, and bit 16 + n for those to the host */
	uint32_t indirect_gref; /* of that page */
	uint32_t pool_offset;   /* in_pool: of data, bytes; all of it lies in the pool */
	uint32_t list_offset;   /* in_pool: of the packet list, bytes; the same */
	uint16_t data_segments;
	uint8_t list_segments;
	struct transfer_segment list[TRANSFER_LIST_SEGMENTS_MAX];
	/* Only as many as data_segments are ever written or read. */
	struct transfer_segment segment[TRANSFER_SEGMENTS_MAX];
};

/* Bytes of it that a decoder sets in any case. */
#define TRANSFER_REQUEST_HEAD offsetof(struct transfer_request, segment)

/* How a request ended. */
struct transfer_result {
	uint32_t id;
	int32_t error;   /* enum xvhc_error */
	uint32_t actual; /* bytes transferred, or streams */
	uint32_t failed_packets;
	bool was_short; /* and that was not wanted: see short_not_ok */
};

/* bEndpointAddress as in an endpoint's descriptor. */
static inline uint8_t transfer_endpoint_address(const struct transfer_request *request)
{
	return (uint8_t)(request->endpoint | (request->in ? 0x80 : 0));
}

/*
 * Whether a request keeps the bounds that everything behind a decoder relies on: no number leads
 * out of an array. A decoder makes no other. (Where segments and packets lie is judged one by one,
 * in the decoder.)
 */
static inline bool transfer_request_is_valid(const struct transfer_request *request)
{
	return request->operation <= TRANSFER_STREAMS_FREE && request->type <= TRANSFER_INTERRUPT &&
	       request->address <= 127 && request->endpoint <= 15 &&
	       request->length <= TRANSFER_LENGTH_MAX &&
	       request->packets <= XVHC_ISOC_PACKETS_MAX &&
	       request->data_segments <= TRANSFER_SEGMENTS_MAX &&
	       request->list_segments <= TRANSFER_LIST_SEGMENTS_MAX;
}

#endif
