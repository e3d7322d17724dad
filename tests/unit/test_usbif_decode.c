// SPDX-License-Identifier: MIT
/* Version 1 of the wire: each field of a request, spoiled one at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <usbif_decode.h>

/* A good bulk read of 5,000 bytes in two segments. */
static struct usbif_urb_request bulk(void)
{
	struct usbif_urb_request wire = {
		.id = 7,
		.nr_buffer_segs = 2,
		.pipe = 3u << 30 | 2u << 15 | 5u << 8 | USBIF_PIPE_IN | 1,
		.transfer_flags = USBIF_FLAG_SHORT_NOT_OK,
		.buffer_length = 5000,
		.seg = {{11, 96, 4000}, {12, 0, 1000}},
	};

	return wire;
}

/* A good isochronous write of three packets in one segment, with a list in two. */
static struct usbif_urb_request isoc(void)
{
	struct usbif_urb_request wire = {
		.nr_buffer_segs = 1,
		.pipe = 1u << 15 | 5u << 8 | 1,
		.buffer_length = 3000,
		.u.isoc = {.interval = 8, .number_of_packets = 3, .nr_frame_desc_segs = 2},
		.seg = {{11, 0, 3000}, {12, 4076, 20}, {13, 0, 28}},
	};

	return wire;
}

static int decode(const struct usbif_urb_request *wire)
{
	struct transfer_request request;

	return usbif_decode(wire, &request);
}

static void good_bulk_request(void **state)
{
	struct usbif_urb_request wire = bulk();
	struct transfer_request request;

	(void)state;
	assert_int_equal(usbif_decode(&wire, &request), XVHC_OK);
	assert_int_equal(request.operation, TRANSFER_SUBMIT);
	assert_int_equal(request.id, 7);
	assert_int_equal(request.type, TRANSFER_BULK);
	assert_int_equal(request.port, 1);
	assert_int_equal(request.address, 5);
	assert_int_equal(request.endpoint, 2);
	assert_true(request.in);
	assert_int_equal(transfer_endpoint_address(&request), 0x82);
	assert_true(request.short_not_ok);
	assert_int_equal(request.length, 5000);
	assert_int_equal(request.data_segments, 2);
	assert_int_equal(request.list_segments, 0);
	assert_int_equal(request.segment[0].gref, 11);
	assert_int_equal(request.segment[0].offset, 96);
	assert_int_equal(request.segment[1].length, 1000);
}

static void good_control_request(void **state)
{
	struct usbif_urb_request wire = {
		.pipe = 2u << 30 | USBIF_PIPE_IN | 31,
		.u.setup = {0x80, 6, 0, 1, 0, 0, 0, 0},
	};
	struct transfer_request request;

	(void)state;
	assert_int_equal(usbif_decode(&wire, &request), XVHC_OK);
	assert_int_equal(request.type, TRANSFER_CONTROL);
	assert_int_equal(request.port, 31);
	assert_int_equal(request.length, 0);
	assert_memory_equal(request.setup, wire.u.setup, 8);
}

static void good_isoc_request(void **state)
{
	struct usbif_urb_request wire = isoc();
	struct transfer_request request;

	(void)state;
	assert_int_equal(usbif_decode(&wire, &request), XVHC_OK);
	assert_int_equal(request.type, TRANSFER_ISOC);
	assert_int_equal(request.packets, 3);
	assert_int_equal(request.interval, 8);
	assert_int_equal(request.data_segments, 1);
	assert_int_equal(request.list_segments, 2);
	assert_int_equal(request.list[1].length, 28);
}

static void sixteen_whole_pages_wrap_the_length(void **state)
{
	struct usbif_urb_request wire = bulk();
	struct transfer_request request;
	uint32_t i;

	(void)state;
	wire.nr_buffer_segs = 16;
	wire.buffer_length = 0;
	for (i = 0; i < 16; i++)
		wire.seg[i] = (struct usbif_segment){i, 0, 4096};
	assert_int_equal(usbif_decode(&wire, &request), XVHC_OK);
	assert_int_equal(request.length, 65536);
}

static void cancel_looks_at_nothing_else(void **state)
{
	struct usbif_urb_request wire = bulk();
	struct transfer_request request;

	(void)state;
	/* Stock frontends leave an earlier request's values there. */
	wire.pipe |= USBIF_PIPE_UNLINK;
	wire.nr_buffer_segs = 999;
	wire.transfer_flags = 0xffff;
	wire.u.unlink.unlink_id = 12;
	assert_int_equal(usbif_decode(&wire, &request), XVHC_OK);
	assert_int_equal(request.operation, TRANSFER_CANCEL);
	assert_int_equal(request.cancel_id, 12);
	assert_int_equal(request.port, 1);
	assert_int_equal(request.data_segments, 0);
}

static void bulk_ignores_what_is_not_its_own(void **state)
{
	struct usbif_urb_request wire = bulk();

	(void)state;
	memset(&wire.u, 0xff, sizeof(wire.u));
	assert_int_equal(decode(&wire), XVHC_OK);
}

/* What is spoiled in a bulk request, and how it must be judged. */
#define SPOILED(name, change, verdict)                                                             \
	static void name(void **state)                                                             \
	{                                                                                          \
		struct usbif_urb_request wire = bulk();                                            \
                                                                                                   \
		(void)state;                                                                       \
		assert_int_equal(decode(&wire), XVHC_OK);                                          \
		change;                                                                            \
		assert_int_equal(decode(&wire), verdict);                                          \
	}

#define SPOILED_ISOC(name, change, verdict)                                                        \
	static void name(void **state)                                                             \
	{                                                                                          \
		struct usbif_urb_request wire = isoc();                                            \
                                                                                                   \
		(void)state;                                                                       \
		assert_int_equal(decode(&wire), XVHC_OK);                                          \
		change;                                                                            \
		assert_int_equal(decode(&wire), verdict);                                          \
	}

SPOILED(reserved_bit_6, wire.pipe |= 1u << 6, XVHC_EINVAL)
SPOILED(reserved_bit_19, wire.pipe |= 1u << 19, XVHC_EINVAL)
SPOILED(reserved_bit_29, wire.pipe |= 1u << 29, XVHC_EINVAL)
SPOILED(reserved_flag, wire.transfer_flags |= 2, XVHC_EINVAL)
SPOILED(port_zero, wire.pipe &= ~USBIF_PIPE_PORT_MASK, XVHC_EINVAL)
SPOILED(endpoint_zero_of_type_bulk, wire.pipe &= ~(0xfu << 15), XVHC_EINVAL)
SPOILED(seventeen_segments, wire.nr_buffer_segs = 17, XVHC_EPROTO)
SPOILED(most_segments_that_can_be_said, wire.nr_buffer_segs = 0xffff, XVHC_EPROTO)
SPOILED(segment_one_byte_past_its_page, wire.seg[0].offset = 97, XVHC_EINVAL)
SPOILED(segment_offset_past_its_page, wire.seg[1].offset = 4096, XVHC_EINVAL)
SPOILED(segment_offset_that_wraps, wire.seg[1].offset = 0xffff, XVHC_EINVAL)
SPOILED(segment_longer_than_a_page, (wire.seg[1].length = 4097, wire.buffer_length = 8097),
	XVHC_EINVAL)
SPOILED(segment_without_length, (wire.seg[1].length = 0, wire.buffer_length = 4000), XVHC_EINVAL)
SPOILED(length_below_the_sum, wire.buffer_length = 4999, XVHC_EINVAL)
SPOILED(length_above_the_sum, wire.buffer_length = 5001, XVHC_EINVAL)
SPOILED(length_without_segments, wire.nr_buffer_segs = 0, XVHC_EINVAL)
SPOILED(cancel_of_port_zero, wire.pipe = USBIF_PIPE_UNLINK, XVHC_EINVAL)
SPOILED(cancel_with_reserved_bit, wire.pipe |= USBIF_PIPE_UNLINK | 1u << 20, XVHC_EINVAL)
SPOILED_ISOC(list_beyond_the_segments, wire.u.isoc.nr_frame_desc_segs = 16, XVHC_EPROTO)
SPOILED_ISOC(list_count_that_wraps, wire.u.isoc.nr_frame_desc_segs = 0xffff, XVHC_EPROTO)
SPOILED_ISOC(list_segment_past_its_page, wire.seg[1].offset = 4077, XVHC_EINVAL)
SPOILED_ISOC(list_too_short, wire.seg[2].length = 27, XVHC_EINVAL)
SPOILED_ISOC(list_too_long, wire.seg[2].length = 29, XVHC_EINVAL)
SPOILED_ISOC(list_missing, wire.u.isoc.nr_frame_desc_segs = 0, XVHC_EINVAL)
SPOILED_ISOC(no_packets, wire.u.isoc.number_of_packets = 0, XVHC_EINVAL)
SPOILED_ISOC(packets_beyond_the_limit,
	     (wire.u.isoc.number_of_packets = 129, wire.u.isoc.nr_frame_desc_segs = 1,
	      wire.seg[1] = (struct usbif_segment){12, 0, 129 * 16}),
	     XVHC_EINVAL)

static int decode_packet(uint32_t offset, uint32_t length)
{
	struct transfer_request request = {.length = 3000, .packets = 1};
	struct usbif_isoc_packet list = {.offset = offset, .length = length};
	struct transfer_packet packet;

	return usbif_decode_packets(&request, &list, &packet);
}

static void packet_in_the_data(void **state)
{
	(void)state;
	assert_int_equal(decode_packet(0, 3000), XVHC_OK);
	assert_int_equal(decode_packet(2999, 1), XVHC_OK);
	assert_int_equal(decode_packet(3000, 0), XVHC_OK);
}

static void packet_outside_of_the_data(void **state)
{
	(void)state;
	assert_int_equal(decode_packet(1, 3000), XVHC_EINVAL);
	assert_int_equal(decode_packet(3001, 0), XVHC_EINVAL);
	assert_int_equal(decode_packet(0xffffffff, 2), XVHC_EINVAL);
	assert_int_equal(decode_packet(2, 0xffffffff), XVHC_EINVAL);
}

static void each_byte_of_a_response_is_written(void **state)
{
	struct transfer_result result = {
		.id = 9, .error = XVHC_ESTALL, .actual = 65536, .failed_packets = 2};
	struct usbif_urb_response one, two;

	(void)state;
	memset(&one, 0x00, sizeof(one));
	memset(&two, 0xff, sizeof(two));
	usbif_encode(&result, &one);
	usbif_encode(&result, &two);
	assert_memory_equal(&one, &two, sizeof(one));
	assert_int_equal(one.id, 9);
	assert_int_equal(one.status, USBIF_STATUS_STALL);
	assert_int_equal(one.actual_length, 65536);
	assert_int_equal(one.error_count, 2);
}

static void each_error_has_its_status(void **state)
{
	(void)state;
	assert_int_equal(usbif_status(XVHC_OK), USBIF_STATUS_OK);
	assert_int_equal(usbif_status(XVHC_EINVAL), USBIF_STATUS_INVAL);
	assert_int_equal(usbif_status(XVHC_ENODEV), USBIF_STATUS_NODEV);
	assert_int_equal(usbif_status(XVHC_ESTALL), USBIF_STATUS_STALL);
	assert_int_equal(usbif_status(XVHC_EIO), USBIF_STATUS_IOERROR);
	assert_int_equal(usbif_status(XVHC_EBABBLE), USBIF_STATUS_BABBLE);
	assert_int_equal(usbif_status(XVHC_ECANCEL), USBIF_STATUS_IOERROR);
	assert_int_equal(usbif_status(12345), USBIF_STATUS_IOERROR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_bulk_request),
		cmocka_unit_test(good_control_request),
		cmocka_unit_test(good_isoc_request),
		cmocka_unit_test(sixteen_whole_pages_wrap_the_length),
		cmocka_unit_test(cancel_looks_at_nothing_else),
		cmocka_unit_test(bulk_ignores_what_is_not_its_own),
		cmocka_unit_test(reserved_bit_6),
		cmocka_unit_test(reserved_bit_19),
		cmocka_unit_test(reserved_bit_29),
		cmocka_unit_test(reserved_flag),
		cmocka_unit_test(port_zero),
		cmocka_unit_test(endpoint_zero_of_type_bulk),
		cmocka_unit_test(seventeen_segments),
		cmocka_unit_test(most_segments_that_can_be_said),
		cmocka_unit_test(segment_one_byte_past_its_page),
		cmocka_unit_test(segment_offset_past_its_page),
		cmocka_unit_test(segment_offset_that_wraps),
		cmocka_unit_test(segment_longer_than_a_page),
		cmocka_unit_test(segment_without_length),
		cmocka_unit_test(length_below_the_sum),
		cmocka_unit_test(length_above_the_sum),
		cmocka_unit_test(length_without_segments),
		cmocka_unit_test(cancel_of_port_zero),
		cmocka_unit_test(cancel_with_reserved_bit),
		cmocka_unit_test(list_beyond_the_segments),
		cmocka_unit_test(list_count_that_wraps),
		cmocka_unit_test(list_segment_past_its_page),
		cmocka_unit_test(list_too_short),
		cmocka_unit_test(list_too_long),
		cmocka_unit_test(list_missing),
		cmocka_unit_test(no_packets),
		cmocka_unit_test(packets_beyond_the_limit),
		cmocka_unit_test(packet_in_the_data),
		cmocka_unit_test(packet_outside_of_the_data),
		cmocka_unit_test(each_byte_of_a_response_is_written),
		cmocka_unit_test(each_error_has_its_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
