/* SPDX-License-Identifier: MIT */
/*
 * Version 2 of the wire, from and to the form that the rest works on: what usbif_decode.h is for
 * version 1. Only copies are given to these functions, never shared memory.
 */
#ifndef XVHC_CORE_XVHCIF_DECODE_H
#define XVHC_CORE_XVHCIF_DECODE_H

#include <xvhc/xvhcif.h>

#include "transfer.h"

/*
 * Decodes one request on a ring with so many slots, from a guest whose pool has so many bytes (0:
 * it has none). Returns XVHC_OK; XVHC_EINVAL where this request
 * is to be answered with INVALID; XVHC_EPROTO where its id is none, so that no answer to it could
 * be understood. request->id is set in each case but the last, the rest only with XVHC_OK. Where
 * request->indirect is set, its segments are still to be decoded.
 */
XVHC_MUST_CHECK int xvhcif_decode(const struct xvhcif_request *wire, uint32_t slots,
				  uint32_t pool_bytes, struct transfer_request *request);

/* Why a request that xvhcif_decode() refuses is refused, in words for a person; never NULL. */
const char *xvhcif_verdict(const struct xvhcif_request *wire);

/*
 * Decodes the segments of an indirect request, request->data_segments of them. Returns XVHC_EINVAL
 * where one does not lie in its page, or where they are not as long as the request says.
 */
XVHC_MUST_CHECK int xvhcif_decode_segments(const struct xvhcif_segment *segments,
					   struct transfer_request *request);

/*
 * Decodes the packet list of an isochronous request, request->packets entries. Returns XVHC_EINVAL
 * where a packet does not lie in the request's data.
 */
XVHC_MUST_CHECK int xvhcif_decode_packets(const struct transfer_request *request,
					  const struct xvhcif_packet *list,
					  struct transfer_packet *packets);

/* Encodes a response, each byte of it. */
void xvhcif_encode(const struct transfer_result *result, struct xvhcif_response *wire);

/* Encodes count entries of a packet list, each byte of them. */
void xvhcif_encode_packets(const struct transfer_packet *packets, uint32_t count,
			   struct xvhcif_packet *list);

/* The XVHCIF_STATUS_... of an enum xvhc_error. */
uint32_t xvhcif_status(int error);

#endif
