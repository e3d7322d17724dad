/* SPDX-License-Identifier: MIT */
/*
 * Version 1 of the wire, from and to the form that the rest works on. This is the place where the
 * versions of the wire part. Only copies are given to these functions, never shared memory.
 */
#ifndef XVHC_CORE_USBIF_DECODE_H
#define XVHC_CORE_USBIF_DECODE_H

#include <xvhc/usbif.h>

#include "transfer.h"

/*
 * Decodes one request. Returns XVHC_OK; XVHC_EINVAL where this request is to be answered with
 * INVAL; XVHC_EPROTO where the frontend does not speak this protocol and its connection must end.
 * request->id is set in each case, the rest only with XVHC_OK.
 */
XVHC_MUST_CHECK int usbif_decode(const struct usbif_urb_request *wire,
				 struct transfer_request *request);

/* Why usbif_decode() refuses this request, in words for a person; NULL: it does not. */
const char *usbif_verdict(const struct usbif_urb_request *wire);

/*
 * Decodes the packet list of an isochronous request, request->packets entries each. Returns
 * XVHC_EINVAL where a packet does not lie in the request's data.
 */
XVHC_MUST_CHECK int usbif_decode_packets(const struct transfer_request *request,
					 const struct usbif_isoc_packet *list,
					 struct transfer_packet *packets);

/* Encodes a response, each byte of it. */
void usbif_encode(const struct transfer_result *result, struct usbif_urb_response *wire);

/* Encodes count entries of a packet list, each byte of them. */
void usbif_encode_packets(const struct transfer_packet *packets, uint32_t count,
			  struct usbif_isoc_packet *list);

/* The USBIF_STATUS_... of an enum xvhc_error. */
int32_t usbif_status(int error);

#endif
