// SPDX-License-Identifier: MIT
#include "xvhcif_decode.h"

#include "barrier.h"
#include "byte_order.h"

static_assert(TRANSFER_SEGMENTS_MAX == XVHCIF_SEGMENTS_MAX, "each segment has its place");
static_assert(TRANSFER_LENGTH_MAX == XVHCIF_LENGTH_MAX, "each request has its place");
static_assert(XVHCIF_TYPE_CONTROL == TRANSFER_CONTROL && XVHCIF_TYPE_ISOC == TRANSFER_ISOC &&
		      XVHCIF_TYPE_BULK == TRANSFER_BULK &&
		      XVHCIF_TYPE_INTERRUPT == TRANSFER_INTERRUPT,
	      "both are bmAttributes");
static_assert(XVHC_ISOC_PACKETS_MAX * sizeof(struct xvhcif_packet) <= XVHCIF_PAGE_SIZE,
	      "a packet list lies in one page");

#define ENDPOINT_NUMBER 0x0fu
#define ENDPOINT_IN 0x80u

static bool is_isoc(const struct xvhcif_request *wire)
{
	return wire->type == XVHCIF_TYPE_ISOC;
}

static bool is_indirect(const struct xvhcif_request *wire)
{
	return (wire->flags & XVHCIF_FLAG_INDIRECT) != 0;
}

static bool is_in_pool(const struct xvhcif_request *wire)
{
	return (wire->flags & XVHCIF_FLAG_POOL) != 0;
}

/* The rules. Each holds for a request that may pass. A rule may rely on those before it. */

static bool reserved_is_zero(const struct xvhcif_request *wire)
{
	return wire->reserved[0] == 0 && wire->reserved[1] == 0 && wire->reserved[2] == 0;
}

static bool port_given(const struct xvhcif_request *wire)
{
	return wire->port >= 1 && wire->port <= XVHCIF_PORT_MAX;
}

static bool address_is_one(const struct xvhcif_request *wire)
{
	return wire->address <= 127;
}

static bool endpoint_is_one(const struct xvhcif_request *wire)
{
	return (wire->endpoint & ~(ENDPOINT_NUMBER | ENDPOINT_IN)) == 0;
}

static bool type_is_one(const struct xvhcif_request *wire)
{
	return wire->type <= XVHCIF_TYPE_INTERRUPT;
}

static bool flags_known(const struct xvhcif_request *wire)
{
	return (wire->flags & ~XVHCIF_FLAGS) == 0;
}

static bool endpoint_zero_is_control(const struct xvhcif_request *wire)
{
	return (wire->endpoint & ENDPOINT_NUMBER) != 0 || wire->type == XVHCIF_TYPE_CONTROL;
}

static bool stream_is_of_bulk(const struct xvhcif_request *wire)
{
	return wire->stream == 0 || wire->type == XVHCIF_TYPE_BULK;
}

static bool length_bounded(const struct xvhcif_request *wire)
{
	return le32(wire->length) <= XVHCIF_LENGTH_MAX;
}

static bool segments_fit(const struct xvhcif_request *wire)
{
	uint32_t most = is_indirect(wire) ? XVHCIF_SEGMENTS_MAX : XVHCIF_SEGMENTS_DIRECT;

	if (is_in_pool(wire))
		return !is_indirect(wire) && wire->segments == 0;
	return le16(wire->segments) <= most;
}

static bool packet_count_bounded(const struct xvhcif_request *wire)
{
	uint16_t packets = le16(wire->packets);

	return is_isoc(wire) ? packets > 0 && packets <= XVHC_ISOC_PACKETS_MAX : packets == 0;
}

struct rule {
	bool (*holds)(const struct xvhcif_request *wire);
	const char *verdict; /* on a request for which it does not hold */
};

static const struct rule submit_rules[] = {
	/* clang-format off */
	{reserved_is_zero, "a reserved field that is not zero"},
	{port_given, "no such port"},
	{address_is_one, "an address beyond 127"},
	{endpoint_is_one, "no address of an endpoint"},
	{type_is_one, "no such type of transfer"},
	{flags_known, "a flag that has no meaning"},
	{endpoint_zero_is_control, "endpoint 0 takes control transfers only"},
	{stream_is_of_bulk, "a stream of an endpoint that is not bulk"},
	{length_bounded, "longer than a transfer may be"},
	{segments_fit, "more segments than there are"},
	{packet_count_bounded, "no packets, or too many, or not isochronous"},
	/* clang-format on */
};

static const struct rule port_rules[] = {
	/* clang-format off */
	{reserved_is_zero, "a reserved field that is not zero"},
	{port_given, "no such port"},
	{address_is_one, "an address beyond 127"},
	/* clang-format on */
};

#define RULES(table) table, sizeof(table) / sizeof((table)[0])

/* The first rule that does not hold for a request, or NULL. */
static const struct rule *broken(const struct xvhcif_request *wire, const struct rule *rules,
				 size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (!rules[i].holds(wire))
			return &rules[i];
	}
	return NULL;
}

const char *xvhcif_verdict(const struct xvhcif_request *wire)
{
	const struct rule *rule = wire->operation == XVHCIF_SUBMIT
					  ? broken(wire, RULES(submit_rules))
					  : broken(wire, RULES(port_rules));

	if (rule)
		return rule->verdict;
	return wire->operation == XVHCIF_SUBMIT ? "its data does not lie where it may lie"
						: "no such operation, or not of these endpoints";
}

static void decode_list(const struct xvhcif_request *wire, struct transfer_request *request)
{
	if (is_in_pool(wire)) {
		request->list_offset = le32(wire->u.isoc.packet_list);
		return;
	}
	request->list_segments = 1;
	request->list[0].gref = le32(wire->u.isoc.packet_list);
	request->list[0].offset = 0;
	request->list[0].length = (uint16_t)(request->packets * sizeof(struct xvhcif_packet));
}

static void decode_by_type(const struct xvhcif_request *wire, struct transfer_request *request)
{
	switch (request->type) {
	case TRANSFER_CONTROL:
		memcpy(request->setup, wire->u.setup, sizeof(request->setup));
		break;
	case TRANSFER_INTERRUPT:
		request->interval = le16(wire->u.interrupt.interval);
		break;
	case TRANSFER_ISOC:
		request->interval = le16(wire->u.isoc.interval);
		request->packets = le16(wire->packets);
		decode_list(wire, request);
		break;
	default:
		request->stream = le16(wire->stream);
		break;
	}
}

/* Whether a run of length bytes from offset on lies in the pool. A pool that is none has no run. */
static bool lies_in_pool(uint32_t offset, uint32_t length, uint32_t pool_bytes)
{
	return pool_bytes > 0 && length <= pool_bytes && offset <= pool_bytes - length;
}

static int decode_pool(const struct xvhcif_request *wire, uint32_t pool_bytes,
		       struct transfer_request *request)
{
	uint32_t list_bytes = request->packets * (uint32_t)sizeof(struct xvhcif_packet);

	request->in_pool = true;
	request->pool_offset = le32(wire->data.pool);
	if (!lies_in_pool(request->pool_offset, request->length, pool_bytes))
		return XVHC_EINVAL;
	return lies_in_pool(request->list_offset, list_bytes, pool_bytes) ? XVHC_OK : XVHC_EINVAL;
}

static int decode_submit(const struct xvhcif_request *wire, uint32_t pool_bytes,
			 struct transfer_request *request)
{
	if (broken(wire, RULES(submit_rules)))
		return XVHC_EINVAL;
	request->type = wire->type;
	request->endpoint = wire->endpoint & ENDPOINT_NUMBER;
	request->in = (wire->endpoint & ENDPOINT_IN) != 0;
	request->short_not_ok = (wire->flags & XVHCIF_FLAG_SHORT_NOT_OK) != 0;
	request->zero_packet = (wire->flags & XVHCIF_FLAG_ZERO_PACKET) != 0;
	request->length = le32(wire->length);
	request->data_segments = le16(wire->segments);
	decode_by_type(wire, request);
	if (is_in_pool(wire))
		return decode_pool(wire, pool_bytes, request);
	if (!is_indirect(wire))
		return xvhcif_decode_segments(wire->data.segment, request);
	request->indirect = true;
	request->indirect_gref = le32(wire->data.indirect);
	return XVHC_OK;
}

static int decode_streams(const struct xvhcif_request *wire, struct transfer_request *request)
{
	request->endpoints = le32(wire->u.streams.endpoints);
	request->streams = le16(wire->u.streams.count);
	/* Bits 0 and 16 would be the control endpoint. */
	return (request->endpoints & 0x00010001u) == 0 ? XVHC_OK : XVHC_EINVAL;
}

static int decode_port(const struct xvhcif_request *wire, struct transfer_request *request)
{
	if (broken(wire, RULES(port_rules)))
		return XVHC_EINVAL;
	switch (wire->operation) {
	case XVHCIF_CANCEL:
		request->operation = TRANSFER_CANCEL;
		request->cancel_id = le16(wire->u.cancel.id);
		return XVHC_OK;
	case XVHCIF_PORT_RESET:
		request->operation = TRANSFER_PORT_RESET;
		return XVHC_OK;
	case XVHCIF_PORT_SUSPEND:
		request->operation = TRANSFER_PORT_SUSPEND;
		return XVHC_OK;
	case XVHCIF_PORT_RESUME:
		request->operation = TRANSFER_PORT_RESUME;
		return XVHC_OK;
	case XVHCIF_STREAMS_ALLOCATE:
		request->operation = TRANSFER_STREAMS_ALLOCATE;
		return decode_streams(wire, request);
	case XVHCIF_STREAMS_FREE:
		request->operation = TRANSFER_STREAMS_FREE;
		return decode_streams(wire, request);
	default:
		return XVHC_EINVAL;
	}
}

int xvhcif_decode(const struct xvhcif_request *wire, uint32_t slots, uint32_t pool_bytes,
		  struct transfer_request *request)
{
	memset(request, 0, TRANSFER_REQUEST_HEAD);
	request->id = le16(wire->id);
	if (request->id >= slots)
		return XVHC_EPROTO;
	request->port = wire->port;
	request->address = wire->address;
	if (wire->operation != XVHCIF_SUBMIT)
		return decode_port(wire, request);
	return decode_submit(wire, pool_bytes, request);
}

int xvhcif_decode_segments(const struct xvhcif_segment *segments, struct transfer_request *request)
{
	uint32_t left = request->length, i;

	for (i = 0; i < request->data_segments; i++) {
		uint16_t offset = le16(segments[i].offset), length = le16(segments[i].length);

		if (length == 0 || length > XVHCIF_PAGE_SIZE ||
		    offset > XVHCIF_PAGE_SIZE - length || length > left)
			return XVHC_EINVAL;
		request->segment[i].gref = le32(segments[i].gref);
		request->segment[i].offset = offset;
		request->segment[i].length = length;
		left -= length;
	}
	return left == 0 ? XVHC_OK : XVHC_EINVAL;
}

int xvhcif_decode_packets(const struct transfer_request *request, const struct xvhcif_packet *list,
			  struct transfer_packet *packets)
{
	uint32_t i;

	for (i = 0; i < request->packets; i++) {
		uint32_t offset = le32(list[i].offset), length = le32(list[i].length);

		if (length > request->length || offset > request->length - length)
			return XVHC_EINVAL;
		packets[i].offset = offset;
		packets[i].length = length;
		packets[i].actual = 0;
		packets[i].result = XVHC_OK;
	}
	return XVHC_OK;
}

uint32_t xvhcif_status(int error)
{
	static const struct {
		int error;
		uint32_t status;
	} table[] = {
		{XVHC_OK, XVHCIF_STATUS_OK},          {XVHC_EPROTO, XVHCIF_STATUS_INVALID},
		{XVHC_EINVAL, XVHCIF_STATUS_INVALID}, {XVHC_ENODEV, XVHCIF_STATUS_NO_DEVICE},
		{XVHC_ESTALL, XVHCIF_STATUS_STALL},   {XVHC_EIO, XVHCIF_STATUS_BUS_ERROR},
		{XVHC_EBABBLE, XVHCIF_STATUS_BABBLE}, {XVHC_ECANCEL, XVHCIF_STATUS_CANCELLED},
		{XVHC_ELIMIT, XVHCIF_STATUS_LIMIT},
	};
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (table[i].error == error)
			return table[i].status;
	}
	return XVHCIF_STATUS_BUS_ERROR;
}

void xvhcif_encode(const struct transfer_result *result, struct xvhcif_response *wire)
{
	uint32_t status = xvhcif_status(result->error);

	if (status == XVHCIF_STATUS_OK && result->was_short)
		status = XVHCIF_STATUS_SHORT;
	memset(wire, 0, sizeof(*wire));
	wire->id = le16((uint16_t)result->id);
	wire->status = le32(status);
	wire->actual = le32(result->actual);
	wire->failed_packets = le32(result->failed_packets);
}

void xvhcif_encode_packets(const struct transfer_packet *packets, uint32_t count,
			   struct xvhcif_packet *list)
{
	uint32_t i;

	for (i = 0; i < count; i++) {
		list[i].offset = le32(packets[i].offset);
		list[i].length = le32(packets[i].length);
		list[i].actual = le32(packets[i].actual);
		list[i].status = le32(xvhcif_status(packets[i].result));
	}
}
