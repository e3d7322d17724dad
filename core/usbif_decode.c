// SPDX-License-Identifier: MIT
#include "usbif_decode.h"

#include "barrier.h"

static_assert(TRANSFER_SEGMENTS_MAX >= USBIF_SEGMENTS_MAX &&
		      TRANSFER_LIST_SEGMENTS_MAX >= USBIF_SEGMENTS_MAX,
	      "each segment has its place");
static_assert(TRANSFER_LENGTH_MAX >= USBIF_SEGMENTS_MAX * USBIF_PAGE_SIZE, "the most that fits");

static const uint8_t types[] = {
	[USBIF_PIPE_TYPE_ISOC] = TRANSFER_ISOC,
	[USBIF_PIPE_TYPE_INTERRUPT] = TRANSFER_INTERRUPT,
	[USBIF_PIPE_TYPE_CONTROL] = TRANSFER_CONTROL,
	[USBIF_PIPE_TYPE_BULK] = TRANSFER_BULK,
};

static uint32_t pipe_type(const struct usbif_urb_request *wire)
{
	return wire->pipe >> USBIF_PIPE_TYPE_SHIFT;
}

static bool is_isoc(const struct usbif_urb_request *wire)
{
	return pipe_type(wire) == USBIF_PIPE_TYPE_ISOC;
}

static uint32_t list_segments(const struct usbif_urb_request *wire)
{
	return is_isoc(wire) ? wire->u.isoc.nr_frame_desc_segs : 0;
}

static uint32_t sum_of(const struct usbif_segment *segments, uint32_t count)
{
	uint32_t sum = 0, i;

	for (i = 0; i < count; i++)
		sum += segments[i].length;
	return sum;
}

/* The rules. Each holds for a request that may pass. A rule may rely on those before it. */

static bool segments_fit(const struct usbif_urb_request *wire)
{
	if (wire->nr_buffer_segs > USBIF_SEGMENTS_MAX)
		return false;
	return !is_isoc(wire) ||
	       wire->u.isoc.nr_frame_desc_segs <= USBIF_SEGMENTS_MAX - wire->nr_buffer_segs;
}

static bool pipe_bits_known(const struct usbif_urb_request *wire)
{
	return (wire->pipe & USBIF_PIPE_RESERVED) == 0;
}

static bool flags_known(const struct usbif_urb_request *wire)
{
	return (wire->transfer_flags & ~USBIF_FLAG_SHORT_NOT_OK) == 0;
}

static bool port_given(const struct usbif_urb_request *wire)
{
	return (wire->pipe & USBIF_PIPE_PORT_MASK) != 0;
}

static bool endpoint_zero_is_control(const struct usbif_urb_request *wire)
{
	return ((wire->pipe >> USBIF_PIPE_ENDPOINT_SHIFT) & USBIF_PIPE_ENDPOINT_MASK) != 0 ||
	       pipe_type(wire) == USBIF_PIPE_TYPE_CONTROL;
}

static bool segments_in_pages(const struct usbif_urb_request *wire)
{
	uint32_t count = wire->nr_buffer_segs + list_segments(wire), i;

	for (i = 0; i < count; i++) {
		const struct usbif_segment *segment = &wire->seg[i];

		if (segment->length == 0 || segment->length > USBIF_PAGE_SIZE ||
		    segment->offset > USBIF_PAGE_SIZE - segment->length)
			return false;
	}
	return true;
}

/* Sixteen whole pages are 65,536 bytes, which the field cannot say. Stock frontends send 0 then. */
static bool length_is_sum(const struct usbif_urb_request *wire)
{
	return (sum_of(wire->seg, wire->nr_buffer_segs) & 0xffff) == wire->buffer_length;
}

static bool packet_count_bounded(const struct usbif_urb_request *wire)
{
	return !is_isoc(wire) || (wire->u.isoc.number_of_packets > 0 &&
				  wire->u.isoc.number_of_packets <= XVHC_ISOC_PACKETS_MAX);
}

static bool packet_list_is_whole(const struct usbif_urb_request *wire)
{
	if (!is_isoc(wire))
		return true;
	return sum_of(wire->seg + wire->nr_buffer_segs, list_segments(wire)) ==
	       wire->u.isoc.number_of_packets * (uint32_t)sizeof(struct usbif_isoc_packet);
}

struct rule {
	bool (*holds)(const struct usbif_urb_request *wire);
	int error;           /* where it does not hold */
	const char *verdict; /* the same, for a person */
};

static const struct rule submit_rules[] = {
	/* clang-format off */
	/* first: the others walk the segments */
	{segments_fit, XVHC_EPROTO, "more segments than there are"},
	{pipe_bits_known, XVHC_EINVAL, "a bit of the pipe that has no meaning"},
	{flags_known, XVHC_EINVAL, "a flag that has no meaning"},
	{port_given, XVHC_EINVAL, "no port"},
	{endpoint_zero_is_control, XVHC_EINVAL, "endpoint 0 takes control transfers only"},
	{segments_in_pages, XVHC_EINVAL, "a segment does not lie in its page"},
	{length_is_sum, XVHC_EINVAL, "the segments do not add up to the length"},
	{packet_count_bounded, XVHC_EINVAL, "no packets, or too many"},
	{packet_list_is_whole, XVHC_EINVAL, "the packet list is not as long as its packets"},
	/* clang-format on */
};

/* Stock frontends leave everything else of a cancel request as an earlier request had it. */
static const struct rule cancel_rules[] = {
	{pipe_bits_known, XVHC_EINVAL, "a bit of the pipe that has no meaning"},
	{port_given, XVHC_EINVAL, "no port"},
};

#define RULES(table) table, sizeof(table) / sizeof((table)[0])

static int check(const struct usbif_urb_request *wire, const struct rule *rules, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (!rules[i].holds(wire))
			return rules[i].error;
	}
	return XVHC_OK;
}

static const char *verdict(const struct usbif_urb_request *wire, const struct rule *rules,
			   size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (!rules[i].holds(wire))
			return rules[i].verdict;
	}
	return NULL;
}

const char *usbif_verdict(const struct usbif_urb_request *wire)
{
	if (wire->pipe & USBIF_PIPE_UNLINK)
		return verdict(wire, RULES(cancel_rules));
	return verdict(wire, RULES(submit_rules));
}

static void decode_pipe(const struct usbif_urb_request *wire, struct transfer_request *request)
{
	request->type = types[pipe_type(wire)];
	request->port = (uint8_t)(wire->pipe & USBIF_PIPE_PORT_MASK);
	request->address =
		(uint8_t)((wire->pipe >> USBIF_PIPE_ADDRESS_SHIFT) & USBIF_PIPE_ADDRESS_MASK);
	request->endpoint =
		(uint8_t)((wire->pipe >> USBIF_PIPE_ENDPOINT_SHIFT) & USBIF_PIPE_ENDPOINT_MASK);
	request->in = (wire->pipe & USBIF_PIPE_IN) != 0;
}

static void copy_segments(const struct usbif_segment *from, uint32_t count,
			  struct transfer_segment *to)
{
	uint32_t i;

	for (i = 0; i < count; i++) {
		to[i].gref = from[i].gref;
		to[i].offset = from[i].offset;
		to[i].length = from[i].length;
	}
}

static void decode_segments(const struct usbif_urb_request *wire, struct transfer_request *request)
{
	request->data_segments = wire->nr_buffer_segs;
	request->list_segments = (uint8_t)list_segments(wire);
	copy_segments(wire->seg, request->data_segments, request->segment);
	copy_segments(wire->seg + request->data_segments, request->list_segments, request->list);
	request->length = sum_of(wire->seg, wire->nr_buffer_segs);
}

static void decode_by_type(const struct usbif_urb_request *wire, struct transfer_request *request)
{
	switch (pipe_type(wire)) {
	case USBIF_PIPE_TYPE_CONTROL:
		memcpy(request->setup, wire->u.setup, sizeof(request->setup));
		break;
	case USBIF_PIPE_TYPE_INTERRUPT:
		request->interval = wire->u.interrupt.interval;
		break;
	case USBIF_PIPE_TYPE_ISOC:
		request->interval = wire->u.isoc.interval;
		request->packets = wire->u.isoc.number_of_packets;
		break;
	default:
		break;
	}
}

int usbif_decode(const struct usbif_urb_request *wire, struct transfer_request *request)
{
	bool cancel = (wire->pipe & USBIF_PIPE_UNLINK) != 0;
	int error;

	memset(request, 0, TRANSFER_REQUEST_HEAD);
	request->id = wire->id;
	error = cancel ? check(wire, RULES(cancel_rules)) : check(wire, RULES(submit_rules));
	if (error != XVHC_OK)
		return error;
	decode_pipe(wire, request);
	if (cancel) {
		request->operation = TRANSFER_CANCEL;
		request->cancel_id = wire->u.unlink.unlink_id;
		return XVHC_OK;
	}
	request->operation = TRANSFER_SUBMIT;
	request->short_not_ok = (wire->transfer_flags & USBIF_FLAG_SHORT_NOT_OK) != 0;
	decode_segments(wire, request);
	decode_by_type(wire, request);
	return XVHC_OK;
}

int usbif_decode_packets(const struct transfer_request *request,
			 const struct usbif_isoc_packet *list, struct transfer_packet *packets)
{
	uint32_t i;

	for (i = 0; i < request->packets; i++) {
		if (list[i].length > request->length ||
		    list[i].offset > request->length - list[i].length)
			return XVHC_EINVAL;
		packets[i].offset = list[i].offset;
		packets[i].length = list[i].length;
		packets[i].actual = 0;
		packets[i].result = XVHC_OK;
	}
	return XVHC_OK;
}

int32_t usbif_status(int error)
{
	static const struct {
		int error;
		int32_t status;
	} table[] = {
		{XVHC_OK, USBIF_STATUS_OK},          {XVHC_EPROTO, USBIF_STATUS_INVAL},
		{XVHC_EINVAL, USBIF_STATUS_INVAL},   {XVHC_ENODEV, USBIF_STATUS_NODEV},
		{XVHC_ESTALL, USBIF_STATUS_STALL},   {XVHC_EIO, USBIF_STATUS_IOERROR},
		{XVHC_EBABBLE, USBIF_STATUS_BABBLE}, {XVHC_ECANCEL, USBIF_STATUS_IOERROR},
		{XVHC_ELIMIT, USBIF_STATUS_INVAL},
	};
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (table[i].error == error)
			return table[i].status;
	}
	return USBIF_STATUS_IOERROR;
}

void usbif_encode(const struct transfer_result *result, struct usbif_urb_response *wire)
{
	memset(wire, 0, sizeof(*wire));
	wire->id = (uint16_t)result->id;
	wire->status = usbif_status(result->error);
	wire->actual_length = (int32_t)result->actual;
	wire->error_count = (int32_t)result->failed_packets;
}

void usbif_encode_packets(const struct transfer_packet *packets, uint32_t count,
			  struct usbif_isoc_packet *list)
{
	uint32_t i;

	for (i = 0; i < count; i++) {
		list[i].offset = packets[i].offset;
		list[i].length = packets[i].length;
		list[i].actual_length = packets[i].actual;
		list[i].status = usbif_status(packets[i].result);
	}
}
