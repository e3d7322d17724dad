/* SPDX-License-Identifier: MIT */
/*
 * What a frontend may believe of the answers of a backend, on version 2 of the wire: what
 * usbif_response.h is for version 1. Each function judges a copy, and turns its numbers into those
 * of this processor.
 */
#ifndef XVHC_CORE_XVHCIF_RESPONSE_H
#define XVHC_CORE_XVHCIF_RESPONSE_H

#include <xvhc/types.h>
#include <xvhc/xvhcif.h>

/* A response or a packet, in the words of no wire. */
struct response {
	uint16_t id;
	int error; /* enum xvhc_error */
	uint32_t actual;
	uint32_t start_frame;
};

/* A port event, in the words of no wire. */
struct port_event {
	uint16_t id;
	uint8_t port;
	uint8_t event; /* XVHCIF_EVENT_... */
	uint8_t speed; /* XVHCIF_SPEED_..., not NONE where the event is CONNECT */
	uint64_t device;
};

/* What a status stands for. One that this wire does not know is XVHC_EIO. SHORT is XVHC_OK. */
int xvhcif_status_decode(uint32_t status);

/*
 * Whether a response can be one on a ring with so many slots: XVHC_OK, or XVHC_EPROTO where its id
 * cannot be. That a request with this id is under way, and that actual is at most what it asked
 * for, is for the caller to check.
 */
XVHC_MUST_CHECK int xvhcif_response_decode(const struct xvhcif_response *wire, uint32_t slots,
					   struct response *response);

/* Decodes one entry of a packet list. XVHC_EPROTO: it has more bytes than were asked for. */
XVHC_MUST_CHECK int xvhcif_packet_decode(const struct xvhcif_packet *wire, uint32_t length,
					 struct response *packet);

/* Whether an event can be true for a controller with ports 1 to ports: XVHC_OK or XVHC_EPROTO. */
XVHC_MUST_CHECK int xvhcif_event_decode(const struct xvhcif_event *wire, uint8_t ports,
					struct port_event *event);

#endif
