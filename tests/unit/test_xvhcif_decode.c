// SPDX-License-Identifier: MIT
/*
 * Version 2 of the wire: each field of a request, spoiled one at a time. Requests are written byte
 * by byte, little-endian, as they lie in the ring.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <xvhcif_decode.h>

#define SLOTS 256u
#define POOL_BYTES 8192u

/* A request as it lies in the ring. */
struct wire {
	uint8_t byte[XVHCIF_SLOT_SIZE];
};

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)value;
	at[1] = (uint8_t)(value >> 8);
}

static void put32(uint8_t *at, uint32_t value)
{
	put16(at, value);
	put16(at + 2, value >> 16);
}

static void put_segment(uint8_t *at, uint32_t gref, uint32_t offset, uint32_t length)
{
	put32(at, gref);
	put16(at + 4, offset);
	put16(at + 6, length);
}

/* A good bulk read of 5,000 bytes in two segments, by stream 0x0102. */
static struct wire bulk(void)
{
	struct wire wire = {{7, 0, 1, 31, 5, 0x82, 2, 1}};

	put32(wire.byte + 8, 5000);
	put16(wire.byte + 12, 0x0102);
	put16(wire.byte + 24, 2);
	put_segment(wire.byte + 32, 0x01020304, 96, 4000);
	put_segment(wire.byte + 40, 12, 0, 1000);
	return wire;
}

/* A good isochronous write of three packets in one segment. */
static struct wire isoc(void)
{
	struct wire wire = {{0, 0, 1, 1, 5, 0x01, 1, 0}};

	put32(wire.byte + 8, 3000);
	put16(wire.byte + 14, 3);
	put16(wire.byte + 16, 0x0108);
	put32(wire.byte + 20, 0x0a0b0c0d);
	put16(wire.byte + 24, 1);
	put_segment(wire.byte + 32, 11, 0, 3000);
	return wire;
}

/* The same two with their data, and the packet list, at the end of the pool. */
static struct wire pooled(void)
{
	struct wire wire = bulk();

	wire.byte[7] |= 8;
	put16(wire.byte + 24, 0);
	memset(wire.byte + 32, 0, 32);
	put32(wire.byte + 32, POOL_BYTES - 5000);
	return wire;
}

static struct wire pooled_isoc(void)
{
	struct wire wire = isoc();

	wire.byte[7] |= 8;
	put32(wire.byte + 20, POOL_BYTES - 48);
	put16(wire.byte + 24, 0);
	memset(wire.byte + 32, 0, 32);
	return wire;
}

static struct wire other(uint8_t operation)
{
	struct wire wire = {{9, 0, operation, 3}};

	return wire;
}

static int decode_to(const struct wire *wire, struct transfer_request *request)
{
	struct xvhcif_request copy;

	memcpy(&copy, wire->byte, sizeof(copy));
	return xvhcif_decode(&copy, SLOTS, POOL_BYTES, request);
}

static int decode(const struct wire *wire)
{
	struct transfer_request request;

	return decode_to(wire, &request);
}

static void good_bulk_request(void **state)
{
	struct wire wire = bulk();
	struct transfer_request request;

	(void)state;
	assert_int_equal(decode_to(&wire, &request), XVHC_OK);
	assert_true(transfer_request_is_valid(&request));
	assert_int_equal(request.operation, TRANSFER_SUBMIT);
	assert_int_equal(request.id, 7);
	assert_int_equal(request.type, TRANSFER_BULK);
	assert_int_equal(request.port, 31);
	assert_int_equal(request.address, 5);
	assert_int_equal(request.endpoint, 2);
	assert_true(request.in);
	assert_true(request.short_not_ok);
	assert_false(request.zero_packet);
	assert_false(request.indirect);
	assert_int_equal(request.stream, 0x0102);
	assert_int_equal(request.length, 5000);
	assert_int_equal(request.data_segments, 2);
	assert_int_equal(request.list_segments, 0);
	assert_int_equal(request.packets, 0);
	assert_int_equal(request.segment[0].gref, 0x01020304);
	assert_int_equal(request.segment[0].offset, 96);
	assert_int_equal(request.segment[0].length, 4000);
	assert_int_equal(request.segment[1].gref, 12);
	assert_int_equal(request.segment[1].length, 1000);
}

static void good_control_request(void **state)
{
	static const uint8_t setup[8] = {0x80, 6, 0, 1, 2, 3, 0, 0};
	struct wire wire = {{0, 0, 1, 1, 127, 0x80, 0, 0}};
	struct transfer_request request;

	(void)state;
	memcpy(wire.byte + 16, setup, 8);
	assert_int_equal(decode_to(&wire, &request), XVHC_OK);
	assert_int_equal(request.type, TRANSFER_CONTROL);
	assert_int_equal(request.address, 127);
	assert_int_equal(request.endpoint, 0);
	assert_true(request.in);
	assert_false(request.short_not_ok);
	assert_memory_equal(request.setup, setup, 8);
}

static void good_isoc_request(void **state)
{
	struct wire wire = isoc();
	struct transfer_request request;

	(void)state;
	assert_int_equal(decode_to(&wire, &request), XVHC_OK);
	assert_int_equal(request.type, TRANSFER_ISOC);
	assert_false(request.in);
	assert_int_equal(request.packets, 3);
	assert_int_equal(request.interval, 0x0108);
	assert_int_equal(request.list_segments, 1);
	assert_int_equal(request.list[0].gref, 0x0a0b0c0d);
	assert_int_equal(request.list[0].offset, 0);
	assert_int_equal(request.list[0].length, 48);
	assert_int_equal(request.data_segments, 1);
}

static void good_interrupt_request(void **state)
{
	struct wire wire = bulk();
	struct transfer_request request;

	(void)state;
	wire.byte[6] = 3;
	put16(wire.byte + 12, 0);
	put16(wire.byte + 16, 0x0203);
	assert_int_equal(decode_to(&wire, &request), XVHC_OK);
	assert_int_equal(request.type, TRANSFER_INTERRUPT);
	assert_int_equal(request.interval, 0x0203);
	assert_int_equal(request.stream, 0);
}

static void each_flag_is_told_by_itself(void **state)
{
	struct wire wire = bulk();
	struct transfer_request request;

	(void)state;
	wire.byte[7] = 2;
	assert_int_equal(decode_to(&wire, &request), XVHC_OK);
	assert_true(request.zero_packet && !request.short_not_ok && !request.indirect);
	wire.byte[7] = 4;
	assert_int_equal(decode_to(&wire, &request), XVHC_OK);
	assert_true(!request.zero_packet && !request.short_not_ok && request.indirect);
}

static void indirect_segments_are_left_for_later(void **state)
{
	struct wire wire = bulk();
	struct transfer_request request;

	(void)state;
	wire.byte[7] = 4;
	put32(wire.byte + 8, XVHCIF_LENGTH_MAX);
	put16(wire.byte + 24, 512);
	assert_int_equal(decode_to(&wire, &request), XVHC_OK);
	assert_true(transfer_request_is_valid(&request));
	assert_int_equal(request.indirect_gref, 0x01020304);
	assert_int_equal(request.data_segments, 512);
	assert_int_equal(request.length, 1048576);
}

static void data_up_to_the_end_of_the_pool(void **state)
{
	struct wire wire = pooled();
	struct transfer_request request;

	(void)state;
	assert_int_equal(decode_to(&wire, &request), XVHC_OK);
	assert_true(transfer_request_is_valid(&request));
	assert_true(request.in_pool);
	assert_int_equal(request.pool_offset, POOL_BYTES - 5000);
	assert_int_equal(request.length, 5000);
	assert_int_equal(request.data_segments, 0);
}

static void packet_list_up_to_the_end_of_the_pool(void **state)
{
	struct wire wire = pooled_isoc();
	struct transfer_request request;

	(void)state;
	assert_int_equal(decode_to(&wire, &request), XVHC_OK);
	assert_true(request.in_pool);
	assert_int_equal(request.pool_offset, 0);
	assert_int_equal(request.list_offset, POOL_BYTES - 48);
	assert_int_equal(request.list_segments, 0);
	assert_int_equal(request.packets, 3);
}

/* Even where it has no data. */
static void pool_that_there_is_not(void **state)
{
	struct wire wire = pooled();
	struct transfer_request request;
	struct xvhcif_request copy;

	(void)state;
	put32(wire.byte + 8, 0);
	put32(wire.byte + 32, 0);
	assert_int_equal(decode(&wire), XVHC_OK);
	memcpy(&copy, wire.byte, sizeof(copy));
	assert_int_equal(xvhcif_decode(&copy, SLOTS, 0, &request), XVHC_EINVAL);
}

static void packets_at_the_limit(void **state)
{
	struct wire wire = isoc();
	struct transfer_request request;

	(void)state;
	put16(wire.byte + 14, 128);
	assert_int_equal(decode_to(&wire, &request), XVHC_OK);
	assert_int_equal(request.packets, 128);
	assert_int_equal(request.list[0].length, 2048);
}

static void cancel_names_a_request(void **state)
{
	struct wire wire = other(2);
	struct transfer_request request;

	(void)state;
	put16(wire.byte + 16, 0x0203);
	assert_int_equal(decode_to(&wire, &request), XVHC_OK);
	assert_int_equal(request.operation, TRANSFER_CANCEL);
	assert_int_equal(request.id, 9);
	assert_int_equal(request.port, 3);
	assert_int_equal(request.cancel_id, 0x0203);
	assert_int_equal(request.data_segments, 0);
	assert_int_equal(request.length, 0);
}

static void each_operation_of_a_port_has_its_name(void **state)
{
	static const uint8_t operations[][2] = {
		{3, TRANSFER_PORT_RESET},
		{4, TRANSFER_PORT_SUSPEND},
		{5, TRANSFER_PORT_RESUME},
	};
	struct transfer_request request;

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		struct wire wire = other(operations[i][0]);

		assert_int_equal(decode_to(&wire, &request), XVHC_OK);
		assert_int_equal(request.operation, operations[i][1]);
		assert_int_equal(request.port, 3);
		assert_int_equal(request.length, 0);
	}
}

static void streams_are_allocated_and_freed(void **state)
{
	struct wire wire = other(6);
	struct transfer_request request;

	(void)state;
	put32(wire.byte + 16, 0x00080002);
	put16(wire.byte + 20, 0x0102);
	assert_int_equal(decode_to(&wire, &request), XVHC_OK);
	assert_int_equal(request.operation, TRANSFER_STREAMS_ALLOCATE);
	assert_int_equal(request.endpoints, 0x00080002);
	assert_int_equal(request.streams, 0x0102);
	wire.byte[2] = 7;
	assert_int_equal(decode_to(&wire, &request), XVHC_OK);
	assert_int_equal(request.operation, TRANSFER_STREAMS_FREE);
	assert_int_equal(request.endpoints, 0x00080002);
}

static void a_port_is_named_without_an_address_or_with_any(void **state)
{
	struct wire wire = other(3);

	(void)state;
	wire.byte[4] = 127;
	assert_int_equal(decode(&wire), XVHC_OK);
}

static void id_is_answered_where_the_request_is_no_good(void **state)
{
	struct wire wire = bulk();
	struct transfer_request request;

	(void)state;
	wire.byte[0] = 255;
	wire.byte[2] = 99;
	assert_int_equal(decode_to(&wire, &request), XVHC_EINVAL);
	assert_int_equal(request.id, 255);
}

static void id_beyond_the_slots(void **state)
{
	struct transfer_request request;
	struct xvhcif_request wire;
	uint8_t byte[XVHCIF_SLOT_SIZE] = {64, 0, 3, 1};

	(void)state;
	memcpy(&wire, byte, sizeof(wire));
	assert_int_equal(xvhcif_decode(&wire, 64, 0, &request), XVHC_EPROTO);
	assert_int_equal(xvhcif_decode(&wire, 65, 0, &request), XVHC_OK);
	byte[0] = 0;
	byte[1] = 1;
	memcpy(&wire, byte, sizeof(wire));
	assert_int_equal(xvhcif_decode(&wire, 256, 0, &request), XVHC_EPROTO);
}

/* What is spoiled in a request, and how it must be judged. */
#define SPOILED_OF(good, name, change, verdict)                                                    \
	static void name(void **state)                                                             \
	{                                                                                          \
		struct wire wire = good;                                                           \
                                                                                                   \
		(void)state;                                                                       \
		assert_int_equal(decode(&wire), XVHC_OK);                                          \
		change;                                                                            \
		assert_int_equal(decode(&wire), verdict);                                          \
	}

#define SPOILED(name, change) SPOILED_OF(bulk(), name, change, XVHC_EINVAL)
#define SPOILED_ISOC(name, change) SPOILED_OF(isoc(), name, change, XVHC_EINVAL)
#define SPOILED_OTHER(name, operation, change)                                                     \
	SPOILED_OF(other(operation), name, change, XVHC_EINVAL)

#define SPOILED_POOLED(name, change) SPOILED_OF(pooled(), name, change, XVHC_EINVAL)
#define SPOILED_POOLED_ISOC(name, change) SPOILED_OF(pooled_isoc(), name, change, XVHC_EINVAL)

SPOILED_POOLED(data_one_byte_past_the_pool, put32(wire.byte + 32, POOL_BYTES - 4999))
SPOILED_POOLED(data_behind_the_pool, put32(wire.byte + 32, POOL_BYTES))
SPOILED_POOLED(data_with_an_offset_that_wraps, put32(wire.byte + 32, 0xffffffff))
SPOILED_POOLED(data_longer_than_the_pool,
	       (put32(wire.byte + 8, POOL_BYTES + 1), put32(wire.byte + 32, 0)))
SPOILED_POOLED(data_in_the_pool_and_in_a_segment, wire.byte[24] = 1)
SPOILED_POOLED(data_in_the_pool_and_indirect, wire.byte[7] |= 4)
SPOILED_POOLED_ISOC(list_one_byte_past_the_pool, put32(wire.byte + 20, POOL_BYTES - 47))
SPOILED_POOLED_ISOC(list_with_an_offset_that_wraps, put32(wire.byte + 20, 0xfffffff0))
SPOILED(operation_zero, wire.byte[2] = 0)
SPOILED(operation_beyond_the_last, wire.byte[2] = 8)
SPOILED(port_zero, wire.byte[3] = 0)
SPOILED(port_beyond_the_last, wire.byte[3] = 32)
SPOILED(address_beyond_the_last, wire.byte[4] = 128)
SPOILED(endpoint_with_a_reserved_bit, wire.byte[5] = 0x92)
SPOILED(endpoint_zero_of_type_bulk, wire.byte[5] = 0x80)
SPOILED(type_that_there_is_not, (wire.byte[6] = 4, wire.byte[12] = wire.byte[13] = 0))
SPOILED(reserved_flag, wire.byte[7] = 16)
SPOILED(length_beyond_the_limit, (wire.byte[7] = 4, put32(wire.byte + 8, 1048577)))
SPOILED(length_of_all_bits, put32(wire.byte + 8, 0xffffffff))
SPOILED(stream_of_an_interrupt_endpoint, wire.byte[6] = 3)
SPOILED(packets_of_a_bulk_request, wire.byte[14] = 1)
SPOILED(five_segments, wire.byte[24] = 5)
SPOILED(segments_of_more_than_a_byte, wire.byte[25] = 1)
SPOILED(more_indirect_segments_than_a_page_has, (wire.byte[7] = 4, put16(wire.byte + 24, 513)))
SPOILED(first_reserved_byte, wire.byte[26] = 1)
SPOILED(last_reserved_byte, wire.byte[31] = 1)
SPOILED(segment_one_byte_past_its_page, put16(wire.byte + 36, 97))
SPOILED(segment_offset_past_its_page, put16(wire.byte + 44, 4096))
SPOILED(segment_offset_that_wraps, put16(wire.byte + 44, 0xffff))
SPOILED(segment_longer_than_a_page, (put16(wire.byte + 46, 4097), put32(wire.byte + 8, 8097)))
SPOILED(segment_without_length, (put16(wire.byte + 46, 0), put32(wire.byte + 8, 4000)))
SPOILED(length_below_the_sum, put32(wire.byte + 8, 4999))
SPOILED(length_above_the_sum, put32(wire.byte + 8, 5001))
SPOILED(length_without_segments, wire.byte[24] = 0)
SPOILED_ISOC(no_packets, wire.byte[14] = 0)
SPOILED_ISOC(packets_beyond_the_limit, put16(wire.byte + 14, 129))
SPOILED_ISOC(packets_of_all_bits, put16(wire.byte + 14, 0xffff))
SPOILED_ISOC(stream_of_an_isochronous_endpoint, wire.byte[12] = 1)
SPOILED_ISOC(isochronous_endpoint_zero, wire.byte[5] = 0)
SPOILED_OTHER(cancel_of_port_zero, 2, wire.byte[3] = 0)
SPOILED_OTHER(cancel_with_a_reserved_byte, 2, wire.byte[27] = 1)
SPOILED_OTHER(reset_of_port_zero, 3, wire.byte[3] = 0)
SPOILED_OTHER(reset_of_a_port_beyond_the_last, 3, wire.byte[3] = 32)
SPOILED_OTHER(suspend_with_an_address_that_is_none, 4, wire.byte[4] = 128)
SPOILED_OTHER(resume_with_a_reserved_byte, 5, wire.byte[30] = 1)
SPOILED_OTHER(streams_of_the_control_endpoint, 6, wire.byte[16] = 1)
SPOILED_OTHER(streams_of_the_control_endpoint_to_the_host, 7, wire.byte[18] = 1)

/* Segments of an indirect request, as they lie in its page. */
static int decode_segments(const uint8_t *bytes, uint16_t count, uint32_t length)
{
	static struct xvhcif_segment segments[XVHCIF_SEGMENTS_MAX];
	static struct transfer_request request;

	memset(&request, 0, sizeof(request));
	request.length = length;
	request.data_segments = count;
	memcpy(segments, bytes, (size_t)count * 8);
	return xvhcif_decode_segments(segments, &request);
}

static void indirect_segments_up_to_the_limit(void **state)
{
	static uint8_t page[4096];
	uint32_t i;

	(void)state;
	for (i = 0; i < 512; i++)
		put_segment(page + 8 * i, i, 2048, 2048);
	assert_int_equal(decode_segments(page, 512, 1048576), XVHC_OK);
	assert_int_equal(decode_segments(page, 511, 1048576), XVHC_EINVAL);
	assert_int_equal(decode_segments(page, 512, 1048575), XVHC_EINVAL);
	/* The last one alone is no good. */
	put_segment(page + 8 * 511, 511, 2049, 2048);
	assert_int_equal(decode_segments(page, 512, 1048576), XVHC_EINVAL);
	assert_int_equal(decode_segments(page, 0, 0), XVHC_OK);
	assert_int_equal(decode_segments(page, 0, 1), XVHC_EINVAL);
}

static void indirect_segments_keep_their_order(void **state)
{
	static struct transfer_request request = {.length = 300, .data_segments = 2};
	struct xvhcif_segment segments[2];
	uint8_t bytes[16];

	(void)state;
	put_segment(bytes, 0x11223344, 0x0102, 100);
	put_segment(bytes + 8, 2, 3, 200);
	memcpy(segments, bytes, sizeof(segments));
	assert_int_equal(xvhcif_decode_segments(segments, &request), XVHC_OK);
	assert_int_equal(request.segment[0].gref, 0x11223344);
	assert_int_equal(request.segment[0].offset, 0x0102);
	assert_int_equal(request.segment[0].length, 100);
	assert_int_equal(request.segment[1].gref, 2);
	assert_int_equal(request.segment[1].offset, 3);
	assert_int_equal(request.segment[1].length, 200);
}

static int decode_packet(uint32_t offset, uint32_t length)
{
	struct transfer_request request = {.length = 3000, .packets = 1};
	struct transfer_packet packet = {.actual = 1, .result = 1};
	struct xvhcif_packet list;
	uint8_t bytes[16];
	int error;

	memset(bytes, 0xff, sizeof(bytes));
	put32(bytes, offset);
	put32(bytes + 4, length);
	memcpy(&list, bytes, sizeof(list));
	error = xvhcif_decode_packets(&request, &list, &packet);
	if (error == XVHC_OK) {
		assert_int_equal(packet.offset, offset);
		assert_int_equal(packet.length, length);
		assert_int_equal(packet.actual, 0);
		assert_int_equal(packet.result, XVHC_OK);
	}
	return error;
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
	static const uint8_t expected[20] = {0x09, 0x01, 0,    0,    3, 0, 0, 0, 0x78, 0x56,
					     0x04, 0x00, 0x02, 0x01, 0, 0, 0, 0, 0,    0};
	struct transfer_result result = {
		.id = 0x0109, .error = XVHC_ESTALL, .actual = 0x045678, .failed_packets = 0x0102};
	struct xvhcif_response wire;

	(void)state;
	memset(&wire, 0xff, sizeof(wire));
	xvhcif_encode(&result, &wire);
	assert_memory_equal(&wire, expected, sizeof(expected));
}

static void short_is_told_of_what_went_well_alone(void **state)
{
	struct transfer_result result = {.error = XVHC_OK, .actual = 5, .was_short = true};
	struct xvhcif_response wire;

	(void)state;
	xvhcif_encode(&result, &wire);
	assert_int_equal(((const uint8_t *)&wire)[4], 7);
	result.error = XVHC_ECANCEL;
	xvhcif_encode(&result, &wire);
	assert_int_equal(((const uint8_t *)&wire)[4], 6);
}

static void each_byte_of_a_packet_is_written(void **state)
{
	static const uint8_t expected[32] = {4, 3, 2, 1, 8, 7, 6, 5, 1, 2, 3, 4, 5, 0, 0, 0,
					     1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0};
	static const struct transfer_packet packets[] = {
		{0x01020304, 0x05060708, 0x04030201, XVHC_EBABBLE},
		{1, 2, 3, XVHC_OK},
	};
	struct xvhcif_packet list[3];

	(void)state;
	memset(list, 0xff, sizeof(list));
	xvhcif_encode_packets(packets, 2, list);
	assert_memory_equal(list, expected, sizeof(expected));
	assert_int_equal(((const uint8_t *)list)[32], 0xff);
}

static void each_error_has_its_status(void **state)
{
	(void)state;
	assert_int_equal(xvhcif_status(XVHC_OK), 0);
	assert_int_equal(xvhcif_status(XVHC_ENODEV), 1);
	assert_int_equal(xvhcif_status(XVHC_EINVAL), 2);
	assert_int_equal(xvhcif_status(XVHC_EPROTO), 2);
	assert_int_equal(xvhcif_status(XVHC_ESTALL), 3);
	assert_int_equal(xvhcif_status(XVHC_EIO), 4);
	assert_int_equal(xvhcif_status(XVHC_EBABBLE), 5);
	assert_int_equal(xvhcif_status(XVHC_ECANCEL), 6);
	assert_int_equal(xvhcif_status(XVHC_ELIMIT), 8);
	assert_int_equal(xvhcif_status(12345), 4);
}

static int run_pool_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(data_up_to_the_end_of_the_pool),
		cmocka_unit_test(packet_list_up_to_the_end_of_the_pool),
		cmocka_unit_test(pool_that_there_is_not),
		cmocka_unit_test(data_one_byte_past_the_pool),
		cmocka_unit_test(data_behind_the_pool),
		cmocka_unit_test(data_with_an_offset_that_wraps),
		cmocka_unit_test(data_longer_than_the_pool),
		cmocka_unit_test(data_in_the_pool_and_in_a_segment),
		cmocka_unit_test(data_in_the_pool_and_indirect),
		cmocka_unit_test(list_one_byte_past_the_pool),
		cmocka_unit_test(list_with_an_offset_that_wraps),
	};

	return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_bulk_request),
		cmocka_unit_test(good_control_request),
		cmocka_unit_test(good_isoc_request),
		cmocka_unit_test(good_interrupt_request),
		cmocka_unit_test(each_flag_is_told_by_itself),
		cmocka_unit_test(indirect_segments_are_left_for_later),
		cmocka_unit_test(packets_at_the_limit),
		cmocka_unit_test(cancel_names_a_request),
		cmocka_unit_test(each_operation_of_a_port_has_its_name),
		cmocka_unit_test(streams_are_allocated_and_freed),
		cmocka_unit_test(a_port_is_named_without_an_address_or_with_any),
		cmocka_unit_test(id_is_answered_where_the_request_is_no_good),
		cmocka_unit_test(id_beyond_the_slots),
		cmocka_unit_test(operation_zero),
		cmocka_unit_test(operation_beyond_the_last),
		cmocka_unit_test(port_zero),
		cmocka_unit_test(port_beyond_the_last),
		cmocka_unit_test(address_beyond_the_last),
		cmocka_unit_test(endpoint_with_a_reserved_bit),
		cmocka_unit_test(endpoint_zero_of_type_bulk),
		cmocka_unit_test(type_that_there_is_not),
		cmocka_unit_test(reserved_flag),
		cmocka_unit_test(length_beyond_the_limit),
		cmocka_unit_test(length_of_all_bits),
		cmocka_unit_test(stream_of_an_interrupt_endpoint),
		cmocka_unit_test(packets_of_a_bulk_request),
		cmocka_unit_test(five_segments),
		cmocka_unit_test(segments_of_more_than_a_byte),
		cmocka_unit_test(more_indirect_segments_than_a_page_has),
		cmocka_unit_test(first_reserved_byte),
		cmocka_unit_test(last_reserved_byte),
		cmocka_unit_test(segment_one_byte_past_its_page),
		cmocka_unit_test(segment_offset_past_its_page),
		cmocka_unit_test(segment_offset_that_wraps),
		cmocka_unit_test(segment_longer_than_a_page),
		cmocka_unit_test(segment_without_length),
		cmocka_unit_test(length_below_the_sum),
		cmocka_unit_test(length_above_the_sum),
		cmocka_unit_test(length_without_segments),
		cmocka_unit_test(no_packets),
		cmocka_unit_test(packets_beyond_the_limit),
		cmocka_unit_test(packets_of_all_bits),
		cmocka_unit_test(stream_of_an_isochronous_endpoint),
		cmocka_unit_test(isochronous_endpoint_zero),
		cmocka_unit_test(cancel_of_port_zero),
		cmocka_unit_test(cancel_with_a_reserved_byte),
		cmocka_unit_test(reset_of_port_zero),
		cmocka_unit_test(reset_of_a_port_beyond_the_last),
		cmocka_unit_test(suspend_with_an_address_that_is_none),
		cmocka_unit_test(resume_with_a_reserved_byte),
		cmocka_unit_test(streams_of_the_control_endpoint),
		cmocka_unit_test(streams_of_the_control_endpoint_to_the_host),
		cmocka_unit_test(indirect_segments_up_to_the_limit),
		cmocka_unit_test(indirect_segments_keep_their_order),
		cmocka_unit_test(packet_in_the_data),
		cmocka_unit_test(packet_outside_of_the_data),
		cmocka_unit_test(each_byte_of_a_response_is_written),
		cmocka_unit_test(short_is_told_of_what_went_well_alone),
		cmocka_unit_test(each_byte_of_a_packet_is_written),
		cmocka_unit_test(each_error_has_its_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL) + run_pool_tests();
}
