// SPDX-License-Identifier: MIT
#include "outcome.h"

#include <string.h>

#include <present.h>

#include "kind.h"
#include "memory.h"
#include "view.h"

static void check_status_is_known(const struct usbif_urb_response *response)
{
	static const int32_t known[] = {
		USBIF_STATUS_OK,      USBIF_STATUS_NODEV,  USBIF_STATUS_INVAL,   USBIF_STATUS_STALL,
		USBIF_STATUS_IOERROR, USBIF_STATUS_BABBLE, USBIF_STATUS_SHUTDOWN};
	uint32_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (known[i] == response->status)
			return;
	}
	sim_fail("status %d", response->status);
}

/* docs/protocol.md, "Responses": not by the function that is under test. */
static int32_t status_of(int32_t error)
{
	switch (error) {
	case XVHC_OK:
		return USBIF_STATUS_OK;
	case XVHC_ENODEV:
		return USBIF_STATUS_NODEV;
	case XVHC_ESTALL:
		return USBIF_STATUS_STALL;
	case XVHC_EBABBLE:
		return USBIF_STATUS_BABBLE;
	default: /* XVHC_EIO, XVHC_ECANCEL */
		return USBIF_STATUS_IOERROR;
	}
}

/* Isochronous: the packets, each at its place, and zeros where nothing came. */
static void expect_packets(const struct sim_request *request, uint32_t actual)
{
	static uint8_t data[65536];
	struct usbif_isoc_packet list[XVHC_ISOC_PACKETS_MAX];
	const uint8_t *from = request->data;
	uint32_t i;

	memset(data, 0, request->length);
	for (i = 0; i < request->packets; i++) {
		memcpy(data + request->list[i].offset, from, request->packet_actual[i]);
		from += request->list[i].length;
		list[i] = request->list[i];
		list[i].actual_length = request->packet_actual[i];
		list[i].status = status_of(request->packet_result[i]);
	}
	if (request->in && actual > 0)
		memory_expect(request->piece, request->data_pieces, data, request->length);
	memory_expect(request->piece + request->data_pieces, request->list_pieces, list,
		      request->packets * (uint32_t)sizeof(list[0]));
}

static void check_isoc(const struct sim_request *request, const struct usbif_urb_response *response)
{
	int32_t actual = 0, failed = 0;
	uint32_t i;

	for (i = 0; i < request->packets; i++) {
		actual += (int32_t)request->packet_actual[i];
		failed += request->packet_result[i] != XVHC_OK;
	}
	SIM_CHECK(response->actual_length == actual, "%d bytes and not %d", response->actual_length,
		  actual);
	SIM_CHECK(response->error_count == failed, "%d packets failed and not %d",
		  response->error_count, failed);
	if (request->bad_grant)
		memory_accept(request->piece, request->data_pieces + request->list_pieces);
	else
		expect_packets(request, (uint32_t)actual);
}

static void check_reached(const struct sim_request *request,
			  const struct usbif_urb_response *response)
{
	int32_t status = status_of(request->error);

	SIM_CHECK(request->finished, "request %u was answered while its device had it",
		  request->id);
	SIM_CHECK(response->status == status ||
			  (request->device_lost && response->status == USBIF_STATUS_NODEV) ||
			  (request->bad_grant && response->status == USBIF_STATUS_IOERROR),
		  "status %d and not %d", response->status, status);
	if (request->type == TRANSFER_ISOC) {
		check_isoc(request, response);
		return;
	}
	SIM_CHECK(response->error_count == 0, "error_count");
	SIM_CHECK((uint32_t)response->actual_length == request->actual, "%d bytes and not %u",
		  response->actual_length, request->actual);
	if (request->in && request->bad_grant)
		memory_accept(request->piece, request->data_pieces);
	else if (request->in)
		memory_expect(request->piece, request->data_pieces, request->data, request->actual);
}

/* A descriptor that the worker answers itself. */
static uint32_t expect_descriptor(const struct sim_request *request)
{
	const struct kind *kind = kind_of(view_kind(request->port));
	const uint8_t *setup = request->wire.u.setup, *found = NULL;
	uint32_t wanted = descriptor_u16(setup + 6);
	uint8_t bytes[DESCRIPTOR_BYTES_MAX];
	size_t length;

	memcpy(bytes, kind->descriptors, kind->length);
	length = kind->length;
	if (view_presented(request->port))
		length = present_high_speed(bytes, length);
	length = present_find(bytes, length, setup[3], setup[2], &found);
	SIM_CHECK(length > 0, "a descriptor that there is not");
	if (length > wanted)
		length = wanted;
	memory_expect(request->piece, request->data_pieces, found, (uint32_t)length);
	return (uint32_t)length;
}

/* A request for what the worker answers itself: descriptors of the device and its configurations.
 */
static bool is_get_descriptor(const struct sim_request *request)
{
	const uint8_t *setup = request->wire.u.setup;

	return request->type == TRANSFER_CONTROL && setup[0] == 0x80 && setup[1] == 6 &&
	       (setup[3] == DESCRIPTOR_DEVICE || setup[3] == DESCRIPTOR_CONFIGURATION ||
		(setup[3] == DESCRIPTOR_BOS && view_presented(request->port)));
}

static void check_answered_by_worker(const struct sim_request *request,
				     const struct usbif_urb_response *response)
{
	bool ok = response->status == USBIF_STATUS_OK;
	bool described = is_get_descriptor(request);
	uint32_t actual = 0;

	SIM_CHECK(!request->legitimate || (response->status != USBIF_STATUS_INVAL &&
					   response->status != USBIF_STATUS_NODEV),
		  "a good request was refused with %d", response->status);
	SIM_CHECK(!ok || described || request->type == TRANSFER_CONTROL,
		  "OK, and no device has seen it");
	SIM_CHECK(!ok || described || request->wire.u.setup[0] <= 2, "OK, and no device saw it");
	SIM_CHECK(response->status != USBIF_STATUS_IOERROR || request->cancelled ||
			  request->change != CHANGE_NONE || request->bad_grant,
		  "IOERROR, and no device has seen it");
	SIM_CHECK(response->status != USBIF_STATUS_BABBLE, "BABBLE, and no device has seen it");
	if (ok && described && view_kind(request->port) == KIND_GARBAGE) {
		memory_accept(request->piece, request->data_pieces);
		return;
	}
	if (ok && described && !request->device_lost && !request->bad_grant)
		actual = expect_descriptor(request);
	else if (described)
		memory_accept(request->piece, request->data_pieces);
	if (!described || actual > 0)
		SIM_CHECK((uint32_t)response->actual_length == actual, "%d bytes and not %u",
			  response->actual_length, actual);
}

void outcome_check(const struct sim_request *request, const struct usbif_urb_response *response)
{
	check_status_is_known(response);
	SIM_CHECK(!request->reached || request->finished, "answered while its device had it");
	switch (request->kind) {
	case SIM_CANCEL:
		SIM_CHECK(response->status == USBIF_STATUS_NODEV ||
				  (response->status == USBIF_STATUS_OK && request->target_open),
			  "a cancellation was answered with %d", response->status);
		break;
	case SIM_NOISE:
		break;
	case SIM_SUBMIT:
		if (request->reached)
			check_reached(request, response);
		else
			check_answered_by_worker(request, response);
		break;
	}
}
