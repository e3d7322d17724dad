// SPDX-License-Identifier: MIT
#include "outcome.h"

#include <string.h>

#include <present.h>

#include "device.h"
#include "kind.h"
#include "memory.h"
#include "view.h"

/* docs/protocol.md, "Responses": not by the function that is under test. */
static uint32_t status_of(int32_t error)
{
	switch (error) {
	case XVHC_OK:
		return XVHCIF_STATUS_OK;
	case XVHC_ENODEV:
		return XVHCIF_STATUS_NO_DEVICE;
	case XVHC_ESTALL:
		return XVHCIF_STATUS_STALL;
	case XVHC_EBABBLE:
		return XVHCIF_STATUS_BABBLE;
	case XVHC_ECANCEL: /* version 1 has no word for it */
		return sim_version == 1 ? XVHCIF_STATUS_BUS_ERROR : XVHCIF_STATUS_CANCELLED;
	default:
		return XVHCIF_STATUS_BUS_ERROR;
	}
}

/* Of a packet, as it stands in its list. */
static int32_t packet_status_of(int32_t error)
{
	static const int32_t version_1[] = {
		[XVHCIF_STATUS_OK] = USBIF_STATUS_OK,
		[XVHCIF_STATUS_STALL] = USBIF_STATUS_STALL,
		[XVHCIF_STATUS_BUS_ERROR] = USBIF_STATUS_IOERROR,
		[XVHCIF_STATUS_BABBLE] = USBIF_STATUS_BABBLE,
	};
	uint32_t status = status_of(error);

	return sim_version == 1 ? version_1[status] : (int32_t)status;
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
		list[i].status = packet_status_of(request->packet_result[i]);
	}
	if (request->in && actual > 0)
		memory_expect(request->piece, request->data_pieces, data, request->length);
	memory_expect(request->piece + request->data_pieces, request->list_pieces, list,
		      request->packets * (uint32_t)sizeof(list[0]));
}

static void check_isoc(const struct sim_request *request, const struct sim_answer *answer)
{
	uint32_t actual = 0, failed = 0;
	uint32_t i;

	for (i = 0; i < request->packets; i++) {
		actual += request->packet_actual[i];
		failed += request->packet_result[i] != XVHC_OK;
	}
	SIM_CHECK(answer->actual == actual, "%u bytes and not %u", answer->actual, actual);
	SIM_CHECK(answer->failed == failed, "%u packets failed and not %u", answer->failed, failed);
	if (request->bad_grant)
		memory_accept(request->piece, request_pieces(request));
	else
		expect_packets(request, actual);
}

static void check_reached(const struct sim_request *request, const struct sim_answer *answer)
{
	uint32_t status = status_of(request->error);
	bool was_short = request->short_not_ok && request->in && answer->actual < request->length;

	if (sim_version == 2 && status == XVHCIF_STATUS_OK && was_short)
		status = XVHCIF_STATUS_SHORT;

	SIM_CHECK(request->finished, "request %u was answered while its device had it",
		  request->id);
	SIM_CHECK(answer->status == status ||
			  (request->device_lost && answer->status == XVHCIF_STATUS_NO_DEVICE) ||
			  (request->bad_grant && answer->status == XVHCIF_STATUS_BUS_ERROR),
		  "status %u and not %u", answer->status, status);
	if (request->type == TRANSFER_ISOC) {
		check_isoc(request, answer);
		return;
	}
	SIM_CHECK(answer->failed == 0, "error_count");
	SIM_CHECK(answer->actual == request->actual, "%u bytes and not %u", answer->actual,
		  request->actual);
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
				     const struct sim_answer *answer)
{
	bool ok = answer->status == XVHCIF_STATUS_OK || answer->status == XVHCIF_STATUS_SHORT;
	bool described = is_get_descriptor(request);
	uint32_t actual = 0;

	SIM_CHECK(!request->legitimate || (answer->status != XVHCIF_STATUS_INVALID &&
					   answer->status != XVHCIF_STATUS_NO_DEVICE),
		  "a good request was refused with %u", answer->status);
	SIM_CHECK(!ok || described || request->type == TRANSFER_CONTROL,
		  "OK, and no device has seen it");
	SIM_CHECK(!ok || described || request->wire.u.setup[0] <= 2, "OK, and no device saw it");
	SIM_CHECK(answer->status != XVHCIF_STATUS_BUS_ERROR || request->cancelled ||
			  request->change != CHANGE_NONE || request->bad_grant,
		  "IOERROR, and no device has seen it");
	SIM_CHECK(answer->status != XVHCIF_STATUS_BABBLE, "BABBLE, and no device has seen it");
	if (ok && described && view_kind(request->port) == KIND_GARBAGE) {
		memory_accept(request->piece, request->data_pieces);
		return;
	}
	if (ok && described && !request->device_lost && !request->bad_grant)
		actual = expect_descriptor(request);
	else if (described)
		memory_accept(request->piece, request->data_pieces);
	if (!described || actual > 0)
		SIM_CHECK(answer->actual == actual, "%u bytes and not %u", answer->actual, actual);
}

/* An operation of a port: what the device is like when it went well. */
static void check_operation(const struct sim_request *request, const struct sim_answer *answer)
{
	bool ok = answer->status == XVHCIF_STATUS_OK;
	uint32_t streams = 0;

	if (ok && request->operation == XVHCIF_STREAMS_ALLOCATE)
		streams = device_streams_of(request->streams);
	SIM_CHECK(answer->actual == streams && answer->failed == 0, "%u streams and not %u",
		  answer->actual, streams);
	SIM_CHECK(!request->legitimate || (answer->status != XVHCIF_STATUS_INVALID &&
					   answer->status != XVHCIF_STATUS_NO_DEVICE),
		  "a good operation was refused with %u", answer->status);
	SIM_CHECK(ok || answer->status == XVHCIF_STATUS_NO_DEVICE ||
			  answer->status == XVHCIF_STATUS_INVALID ||
			  answer->status == XVHCIF_STATUS_BUS_ERROR ||
			  (answer->status == XVHCIF_STATUS_CANCELLED && request->cancelled),
		  "operation %u was answered with %u", request->operation, answer->status);
	/* Noise that came behind it may have put the device to sleep again. */
	if (!ok || request->device_lost || request->cancelled ||
	    !view_changes_nothing_else(request))
		return;
	if (request->operation == XVHCIF_PORT_RESET)
		SIM_CHECK(!device_lacks_a_reset(request->port), "a reset that no device has seen");
	if (request->operation == XVHCIF_PORT_RESET || request->operation == XVHCIF_PORT_RESUME)
		SIM_CHECK(!device_sleeps(request->port), "a device was left asleep");
}

void outcome_check(const struct sim_request *request, const struct sim_answer *answer)
{
	SIM_CHECK(answer->status <= XVHCIF_STATUS_LIMIT, "status %u", answer->status);
	SIM_CHECK(!request->reached || request->finished, "answered while its device had it");
	switch (request->kind) {
	case SIM_CANCEL:
		SIM_CHECK(answer->status == XVHCIF_STATUS_NO_DEVICE ||
				  (answer->status == XVHCIF_STATUS_OK && request->target_open),
			  "a cancellation was answered with %u", answer->status);
		break;
	case SIM_OPERATION:
		check_operation(request, answer);
		break;
	case SIM_NOISE:
		break;
	case SIM_SUBMIT:
		if (request->reached)
			check_reached(request, answer);
		else
			check_answered_by_worker(request, answer);
		break;
	}
}
