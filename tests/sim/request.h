/* SPDX-License-Identifier: MIT */
/*
 * One request of the guest, and what its device made of it. The guest fills in the first part when
 * it submits, the device the second, and the guest compares when the answer comes.
 */
#ifndef XVHC_TESTS_SIM_REQUEST_H
#define XVHC_TESTS_SIM_REQUEST_H

#include <worker/source.h>

#include "sim.h"

#define SIM_REQUESTS 32u /* under way; the ring of version 1 has fewer slots */
#define SIM_PIECES 40u   /* of one request; on version 1 there are fewer */

static_assert(SIM_REQUESTS <= XVHCIF_SLOTS_OF_A_PAGE, "each id is below the number of slots");

enum sim_request_kind {
	SIM_SUBMIT,
	SIM_CANCEL,
	SIM_OPERATION, /* version 2: of a port */
	SIM_NOISE,     /* random fields: no outcome is foreseen */
};

/* What a request does to the state of its device. */
enum sim_change {
	CHANGE_NONE,
	CHANGE_RESET, /* version 1: it goes to address 0 */
	CHANGE_ADDRESS,
	CHANGE_CONFIGURATION,
	CHANGE_INTERFACE,
	CHANGE_HALT,
	CHANGE_SLEEP,
	CHANGE_WAKE,
	CHANGE_STREAMS,
};

struct sim_request {
	bool open;
	uint16_t id;
	enum sim_request_kind kind;
	uint32_t port;
	struct usbif_urb_request wire; /* of version 1; of its setup, the other one's too */
	/* Its memory: data, then packet list, then indirect segments. */
	struct usbif_segment piece[SIM_PIECES + 2];
	struct usbif_segment told[SIM_PIECES + 2]; /* what the wire says of it */
	uint32_t data_pieces, list_pieces, indirect_pieces;
	uint8_t address, endpoint; /* bEndpointAddress */
	uint8_t operation;         /* XVHCIF_... */
	uint16_t stream, streams;
	uint32_t endpoints; /* of streams */
	bool short_not_ok;
	uint32_t type; /* enum transfer_type */
	bool in;
	uint32_t length;
	uint32_t packets;
	struct usbif_isoc_packet list[XVHC_ISOC_PACKETS_MAX];
	enum sim_change change;
	bool serial;      /* no other change of this device is under way */
	bool legitimate;  /* a device that is there has no reason to refuse it */
	bool bad_grant;   /* a page that there is not is among its pieces */
	bool target_open; /* CANCEL: the request that it names was under way */
	bool device_lost; /* since it was submitted, its port may have lost its device */
	bool cancelled;

	bool reached;
	bool finished;
	int32_t error; /* enum xvhc_error */
	uint32_t actual;
	uint32_t packet_actual[XVHC_ISOC_PACKETS_MAX];
	int32_t packet_result[XVHC_ISOC_PACKETS_MAX];
	uint8_t data[65536]; /* of the device */
};

/* An answer, in the words of version 2. */
struct sim_answer {
	uint32_t id, status, actual, failed;
};

/* All of its pieces. */
static inline uint32_t request_pieces(const struct sim_request *request)
{
	return request->data_pieces + request->list_pieces + request->indirect_pieces;
}

/* The open request with this id; NULL where there is none. */
struct sim_request *request_find(uint32_t id);

#endif
