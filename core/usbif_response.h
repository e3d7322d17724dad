/* SPDX-License-Identifier: MIT */
/*
 * What a frontend may believe of the answers of a backend, on version 1 of the wire
 * (docs/protocol.md, "Responses" and "Port events").
 *
 * Each function judges a copy, never shared memory, against what the frontend itself remembers of
 * its request. None of them sleeps, allocates or locks.
 */
#ifndef XVHC_CORE_USBIF_RESPONSE_H
#define XVHC_CORE_USBIF_RESPONSE_H

#include <xvhc/types.h>
#include <xvhc/usbif.h>

/*
 * What a status of the wire stands for: XVHC_OK, ENODEV, EINVAL, ESTALL, EIO, EBABBLE or ECANCEL of
 * enum xvhc_error. A status that this wire does not know is XVHC_EIO.
 */
int usbif_status_decode(int32_t status);

/*
 * Whether a response can be the answer to a request for length bytes: XVHC_OK, or XVHC_EPROTO where
 * its id or its length cannot be true. That a request with this id is under way is for the caller
 * to check.
 */
XVHC_MUST_CHECK int usbif_response_check(const struct usbif_urb_response *response,
					 uint32_t length);

/*
 * As above, for one entry of a packet list and the length that was asked for. The entry's own
 * offset and length are not looked at: the backend could have changed them.
 */
XVHC_MUST_CHECK int usbif_packet_check(const struct usbif_isoc_packet *packet, uint32_t length);

/*
 * Whether an event can be true for a controller with ports 1 to ports, whose devices are at most of
 * speed_max: XVHC_OK or XVHC_EPROTO.
 */
XVHC_MUST_CHECK int usbif_event_check(const struct usbif_conn_response *event, uint8_t ports,
				      uint8_t speed_max);

#endif
