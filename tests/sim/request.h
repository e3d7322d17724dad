/* SPDX-License-Identifier: MIT */
/*
 * One request of the guest, and what its device made of it. The guest fills in the first part when
 * it submits, the device the second, and the guest compares when the answer comes.
 */
#ifndef XVHC_TESTS_SIM_REQUEST_H
#define XVHC_TESTS_SIM_REQUEST_H

#include <worker/source.h>

#include "sim.h"

#define SIM_REQUESTS USBIF_URB_RING_SLOTS

enum sim_request_kind {
	SIM_SUBMIT,
	SIM_CANCEL,
	SIM_NOISE, /* random fields: no outcome is foreseen */
};

/* What a request does to the state of its device. */
enum sim_change {
	CHANGE_NONE,
	CHANGE_RESET, /* it goes to address 0 */
	CHANGE_ADDRESS,
	CHANGE_CONFIGURATION,
	CHANGE_INTERFACE,
	CHANGE_HALT,
};

struct sim_request {
	bool open;
	uint16_t id;
	enum sim_request_kind kind;
	uint32_t port;
	struct usbif_urb_request wire;
	struct usbif_segment piece[USBIF_SEGMENTS_MAX]; /* its memory: data, then packet list */
	uint32_t data_pieces, list_pieces;
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

/* The open request with this id; NULL where there is none. */
struct sim_request *request_find(uint32_t id);

#endif
