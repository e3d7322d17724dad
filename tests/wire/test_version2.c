// SPDX-License-Identifier: MIT
/* Version 2: each type of transfer, large ones, many at a time, and what ends them early. */
#include "frontend2.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <byte_order.h>

#define CONTROL XVHCIF_TYPE_CONTROL
#define ISOC XVHCIF_TYPE_ISOC
#define BULK XVHCIF_TYPE_BULK
#define INTERRUPT XVHCIF_TYPE_INTERRUPT

static uint16_t cancel(struct frontend2 *frontend, uint8_t port, uint16_t id)
{
	struct xvhcif_request request;
	uint16_t own = frontend2_fill(frontend, &request, XVHCIF_CANCEL, port);

	request.u.cancel.id = le16(id);
	frontend2_send(frontend, &request);
	return own;
}

static void control_data_goes_both_ways(void **state)
{
	struct frontend2 *frontend = *state;
	struct setup_packet write = {0x40, MODEL_REQUEST_WRITE, 0, 0, 1000};
	struct setup_packet read = {0xc0, MODEL_REQUEST_READ, 0, 0, 4096};
	uint32_t place = frontend2_plug_loopback(frontend, 1, 0), actual, i;
	uint8_t data[4096];

	for (i = 0; i < 1000; i++)
		data[i] = (uint8_t)(i * 3);
	assert_int_equal(frontend2_control(frontend, place, write, data, &actual), 0);
	assert_int_equal(actual, 1000);
	memset(data, 0xa5, sizeof(data));
	assert_int_equal(frontend2_control(frontend, place, read, data, &actual), 0);
	assert_int_equal(actual, 1000);
	for (i = 0; i < 1000; i++)
		assert_int_equal(data[i], (uint8_t)(i * 3));
	for (; i < sizeof(data); i++)
		assert_int_equal(data[i], 0xa5);
}

static void control_transfer_beyond_the_limit_is_refused(void **state)
{
	struct frontend2 *frontend = *state;
	struct setup_packet read = {0xc0, MODEL_REQUEST_READ, 0, 0, 4097};
	uint32_t place = frontend2_plug_loopback(frontend, 1, 0);
	uint8_t data[4097];

	assert_int_equal(frontend2_control(frontend, place, read, data, NULL),
			 XVHCIF_STATUS_INVALID);
}

static void unknown_control_request_stalls(void **state)
{
	struct frontend2 *frontend = *state;
	struct setup_packet unknown = {0xc0, 0x77, 0, 0, 4};
	uint32_t place = frontend2_plug_loopback(frontend, 1, 0);
	uint8_t data[4];

	assert_int_equal(frontend2_control(frontend, place, unknown, data, NULL),
			 XVHCIF_STATUS_STALL);
}

/* 5,000 bytes from the middle of a page on, in four segments of any size. */
static void bulk_loop_keeps_unaligned_data(void **state)
{
	static const uint16_t lengths[] = {1, 1095, 3000, 904};
	struct frontend2 *frontend = *state;
	uint32_t place = frontend2_plug_loopback(frontend, 2, 0), at = 3000, i;
	struct xvhcif_request request;
	uint8_t *data, back[5000];

	frontend2_fill_submit(frontend, &request, place, BULK, 0x01, 0);
	data = frontend2_data(frontend, 0, 5000);
	for (i = 0; i < 5000; i++)
		data[3000 + i] = (uint8_t)(i ^ i >> 8);
	request.length = le32(5000);
	request.segments = le16(4);
	for (i = 0; i < 4; i++) {
		request.data.segment[i].gref = le32(FRONTEND2_LARGE_PAGE + at / 4096);
		request.data.segment[i].offset = le16((uint16_t)(at % 4096));
		request.data.segment[i].length = le16(lengths[i]);
		at += lengths[i];
	}
	assert_int_equal(frontend2_run(frontend, &request), 0);
	assert_int_equal(frontend2_transfer(frontend, place, BULK, 0x81, back, 5000, &at), 0);
	assert_int_equal(at, 5000);
	for (i = 0; i < 5000; i++)
		assert_int_equal(back[i], (uint8_t)(i ^ i >> 8));
}

static void interrupt_loop_returns_what_was_sent(void **state)
{
	struct frontend2 *frontend = *state;
	uint32_t place = frontend2_plug_loopback(frontend, 1, 1), actual;
	uint8_t data[64] = "interrupt", back[64];

	assert_int_equal(frontend2_transfer(frontend, place, INTERRUPT, 0x03, data, 20, NULL), 0);
	assert_int_equal(frontend2_transfer(frontend, place, INTERRUPT, 0x83, back, 64, &actual),
			 0);
	assert_int_equal(actual, 20);
	assert_memory_equal(back, data, 20);
}

static uint16_t fill_isoc(struct frontend2 *frontend, struct xvhcif_request *request,
			  uint32_t place, uint8_t endpoint, const uint32_t (*packets)[2],
			  uint16_t count, uint32_t length)
{
	uint16_t id = frontend2_fill_submit(frontend, request, place, ISOC, endpoint, length), i;
	struct xvhcif_packet *list = frontend2_list(frontend, id);

	memset(list, 0xee, XVHCIF_PAGE_SIZE);
	for (i = 0; i < count; i++) {
		list[i].offset = le32(packets[i][0]);
		list[i].length = le32(packets[i][1]);
	}
	request->packets = le16(count);
	request->u.isoc.interval = le16(8);
	request->u.isoc.packet_list = le32(FRONTEND2_LIST_PAGE(id));
	return id;
}

static void isoc_packets_keep_their_places(void **state)
{
	static const uint32_t out[][2] = {{600, 100}, {0, 50}, {200, 300}, {1000, 0}};
	static const uint32_t in[][2] = {{3000, 200}, {0, 100}, {1000, 400}, {2000, 8}, {2100, 8}};
	struct frontend2 *frontend = *state;
	uint32_t place = frontend2_plug_loopback(frontend, 1, 1), i, n;
	struct xvhcif_request request;
	uint16_t id = fill_isoc(frontend, &request, place, 0x02, out, 4, 1000);

	for (i = 0; i < 1000; i++)
		frontend2_data(frontend, id, 1000)[i] = (uint8_t)(i * 5 + i / 256);
	assert_int_equal(frontend2_run(frontend, &request), 0);
	assert_int_equal(le32(frontend->response[id].actual), 450);
	assert_int_equal(frontend->response[id].failed_packets, 0);
	for (n = 0; n < 4; n++) {
		assert_int_equal(le32(frontend2_list(frontend, id)[n].actual), out[n][1]);
		assert_int_equal(frontend2_list(frontend, id)[n].status, 0);
	}
	id = fill_isoc(frontend, &request, place, 0x82, in, 5, 4000);
	memset(frontend2_data(frontend, id, 4000), 0xa5, 4096);
	assert_int_equal(frontend2_run(frontend, &request), 0);
	assert_int_equal(le32(frontend->response[id].actual), 450);
	for (n = 0; n < 3; n++) {
		const uint8_t *data = frontend2_data(frontend, id, 4000) + in[n][0];

		assert_int_equal(le32(frontend2_list(frontend, id)[n].actual), out[n][1]);
		for (i = 0; i < out[n][1]; i++)
			assert_int_equal(data[i],
					 (uint8_t)((out[n][0] + i) * 5 + (out[n][0] + i) / 256));
		/* What no packet filled is zero, not what was in the worker before. */
		assert_int_equal(data[i], 0);
	}
	assert_int_equal(frontend2_list(frontend, id)[4].actual, 0);
	assert_int_equal(frontend2_data(frontend, id, 4000)[4000], 0xa5);
}

static void isoc_packet_that_babbles_is_counted(void **state)
{
	static const uint32_t out[][2] = {{0, 100}, {100, 100}};
	static const uint32_t in[][2] = {{0, 50}, {50, 100}};
	struct frontend2 *frontend = *state;
	uint32_t place = frontend2_plug_loopback(frontend, 1, 1);
	struct xvhcif_request request;
	uint16_t id;

	fill_isoc(frontend, &request, place, 0x02, out, 2, 200);
	assert_int_equal(frontend2_run(frontend, &request), 0);
	id = fill_isoc(frontend, &request, place, 0x82, in, 2, 150);
	assert_int_equal(frontend2_run(frontend, &request), 0);
	assert_int_equal(le32(frontend->response[id].failed_packets), 1);
	assert_int_equal(le32(frontend2_list(frontend, id)[0].status), XVHCIF_STATUS_BABBLE);
	assert_int_equal(frontend2_list(frontend, id)[1].status, 0);
	assert_int_equal(le32(frontend2_list(frontend, id)[1].actual), 100);
}

/* 2,048 blocks, as a disk driver would write and read them. */
static void disk_command(struct frontend2 *frontend, uint32_t place, uint8_t command)
{
	uint8_t block[31] = {'U', 'S', 'B', 'C', 1, 2, 3, 4, 0, 0, 0x10, 0};

	block[12] = command == 0x28 ? 0x80 : 0;
	block[14] = 10;
	block[15] = command;
	block[22] = 8;
	assert_int_equal(frontend2_transfer(frontend, place, BULK, 0x02, block, 31, NULL), 0);
}

static void disk_status(struct frontend2 *frontend, uint32_t place)
{
	uint8_t status[13];

	assert_int_equal(frontend2_transfer(frontend, place, BULK, 0x81, status, 13, NULL), 0);
	assert_memory_equal(status, "USBS\1\2\3\4\0\0\0\0", 13);
}

static uint8_t pattern(uint32_t i)
{
	return (uint8_t)(i * 7 + i / 256 + i / 65536);
}

static void a_mebibyte_is_one_transfer(void **state)
{
	struct frontend2 *frontend = *state;
	uint32_t place, actual, i;
	uint8_t *data = malloc(XVHCIF_LENGTH_MAX);

	frontend2_plug(frontend, 1, MODEL_DISK, USB_SPEED_HIGH, 1);
	place = frontend2_configure(frontend, 1, 1, 1);
	for (i = 0; i < XVHCIF_LENGTH_MAX; i++)
		data[i] = pattern(i);
	disk_command(frontend, place, 0x2a);
	assert_int_equal(
		frontend2_transfer(frontend, place, BULK, 0x02, data, XVHCIF_LENGTH_MAX, &actual),
		0);
	assert_int_equal(actual, XVHCIF_LENGTH_MAX);
	disk_status(frontend, place);
	memset(data, 0, XVHCIF_LENGTH_MAX);
	disk_command(frontend, place, 0x28);
	assert_int_equal(
		frontend2_transfer(frontend, place, BULK, 0x81, data, XVHCIF_LENGTH_MAX, &actual),
		0);
	assert_int_equal(actual, XVHCIF_LENGTH_MAX);
	disk_status(frontend, place);
	for (i = 0; i < XVHCIF_LENGTH_MAX; i++) {
		if (data[i] != pattern(i))
			fail_msg("byte %u", i);
	}
	free(data);
}

/* The most segments that there can be, in no order, each at an odd place. */
static void data_of_512_segments_keeps_its_order(void **state)
{
	struct frontend2 *frontend = *state;
	uint32_t place = frontend2_plug_loopback(frontend, 2, 0), i, n;
	struct xvhcif_request request;
	uint8_t *large, *back;
	uint16_t id;

	id = frontend2_fill_submit(frontend, &request, place, BULK, 0x01, 512 * 100);
	large = frontend2_data(frontend, id, 512 * 100);
	for (i = 0; i < 512; i++) {
		struct xvhcif_segment *segment = &frontend2_indirect(frontend, id)[i];
		uint32_t at = (511 - i) / 2, offset = 1 + (i & 1) * 2000;

		segment->gref = le32(FRONTEND2_LARGE_PAGE + at);
		segment->offset = le16((uint16_t)offset);
		segment->length = le16(100);
		for (n = 0; n < 100; n++)
			large[at * 4096 + offset + n] = pattern(i * 100 + n);
	}
	request.segments = le16(512);
	assert_int_equal(frontend2_run(frontend, &request), 0);
	back = malloc(512 * 100);
	assert_int_equal(frontend2_transfer(frontend, place, BULK, 0x81, back, 512 * 100, &n), 0);
	assert_int_equal(n, 512 * 100);
	for (i = 0; i < 512 * 100; i++)
		assert_int_equal(back[i], pattern(i));
	free(back);
}

static void more_than_the_device_takes_is_an_error(void **state)
{
	struct frontend2 *frontend = *state;
	uint32_t place = frontend2_plug_loopback(frontend, 2, 0);
	uint16_t id = frontend2_submit(frontend, place, BULK, 0x01, MODEL_LOOP_BYTES + 1);

	assert_int_equal(frontend2_wait(frontend, id), XVHCIF_STATUS_BUS_ERROR);
}

static void two_hundred_requests_are_under_way(void **state)
{
	struct frontend2 *frontend = *state;
	uint32_t place = frontend2_plug_loopback(frontend, 2, 0), i;
	struct xvhcif_request request;
	uint8_t data[2];

	for (i = 0; i < 200; i++) {
		frontend2_fill_submit(frontend, &request, place, BULK, 0x81, 64);
		frontend2_put(frontend, &request);
	}
	frontend2_kick(frontend);
	for (i = 0; i < 200; i++) {
		assert_false(frontend->done[i]);
		data[0] = (uint8_t)i;
		assert_int_equal(frontend2_transfer(frontend, place, BULK, 0x01, data, 2, NULL), 0);
	}
	for (i = 0; i < 200; i++) {
		assert_int_equal(frontend2_wait(frontend, i), 0);
		assert_int_equal(frontend2_data(frontend, i, 64)[0], i);
	}
}

static void a_ring_full_of_requests_is_answered(void **state)
{
	struct frontend2 *frontend = *state;
	uint32_t place = frontend2_plug_loopback(frontend, 2, 0), i;
	struct xvhcif_request request;

	for (i = 0; i < XVHCIF_SLOTS_MAX; i++) {
		frontend2_fill_submit(frontend, &request, place, BULK, 0x81, 64);
		frontend2_put(frontend, &request);
	}
	frontend2_kick(frontend);
	frontend_detach(&frontend->base, 1);
	for (i = 0; i < XVHCIF_SLOTS_MAX; i++)
		assert_int_equal(frontend2_wait(frontend, i), XVHCIF_STATUS_NO_DEVICE);
}

/* Four of the largest are all that the worker has memory for: it has no quota in this test. */
static void transfers_beyond_the_memory_wait_for_it(void **state)
{
	struct frontend2 *frontend = *state;
	uint32_t place = frontend2_plug_loopback(frontend, 2, 0), i;
	uint8_t data[2] = {0};
	uint16_t id[6];

	for (i = 0; i < 6; i++)
		id[i] = frontend2_submit(frontend, place, BULK, 0x81, XVHCIF_LENGTH_MAX);
	/* Three are left, and room for what they read. */
	for (i = 0; i < 3; i++) {
		assert_int_equal(frontend2_wait(frontend, cancel(frontend, 1, id[i])), 0);
		assert_int_equal(frontend2_wait(frontend, id[i]), XVHCIF_STATUS_CANCELLED);
	}
	for (; i < 6; i++) {
		data[0] = (uint8_t)i;
		assert_int_equal(frontend2_transfer(frontend, place, BULK, 0x01, data, 2, NULL), 0);
		assert_int_equal(frontend2_wait(frontend, id[i]), 0);
		assert_int_equal(le32(frontend->response[id[i]].actual), 2);
		assert_int_equal(frontend2_data(frontend, 0, XVHCIF_LENGTH_MAX)[0], i);
	}
}

static void the_largest_transfer_fits_the_least_quota(void **state)
{
	struct message_connect quotas = {.bytes_max = XVHC_WORKER_BYTES_MIN_2,
					 .transfers_max = XVHC_TRANSFERS_IN_FLIGHT_MIN};
	struct frontend2 *frontend = *state;
	uint8_t data[2] = {0};
	uint32_t place, i;
	uint16_t id[3];

	frontend2_start(frontend, 0, quotas);
	place = frontend2_plug_loopback(frontend, 2, 0);
	for (i = 0; i < 3; i++)
		id[i] = frontend2_submit(frontend, place, BULK, 0x81, XVHCIF_LENGTH_MAX);
	/* The others wait for it, and the writes behind them: it has to be cancelled. */
	for (i = 0; i < 2; i++) {
		assert_int_equal(frontend2_wait(frontend, cancel(frontend, 1, id[i])), 0);
		assert_int_equal(frontend2_wait(frontend, id[i]), XVHCIF_STATUS_CANCELLED);
	}
	assert_int_equal(frontend2_wait(frontend, cancel(frontend, 1, id[2])), 0);
	assert_int_equal(frontend2_wait(frontend, id[2]), XVHCIF_STATUS_CANCELLED);
	assert_int_equal(frontend2_transfer(frontend, place, BULK, 0x01, data, 2, NULL), 0);
}

static void cancelled_read_ends(void **state)
{
	struct frontend2 *frontend = *state;
	uint32_t place = frontend2_plug_loopback(frontend, 2, 0);
	uint16_t read = frontend2_submit(frontend, place, BULK, 0x81, 64);

	assert_int_equal(frontend2_wait(frontend, cancel(frontend, 2, read)),
			 XVHCIF_STATUS_NO_DEVICE);
	assert_int_equal(frontend2_wait(frontend, cancel(frontend, 1, 250)),
			 XVHCIF_STATUS_NO_DEVICE);
	assert_false(frontend->done[read]);
	assert_int_equal(frontend2_wait(frontend, cancel(frontend, 1, read)), 0);
	assert_int_equal(frontend2_wait(frontend, read), XVHCIF_STATUS_CANCELLED);
	assert_int_equal(frontend->response[read].actual, 0);
}

static void short_read_is_told_where_it_is_an_error(void **state)
{
	struct frontend2 *frontend = *state;
	uint32_t place = frontend2_plug_loopback(frontend, 2, 0), actual, i;
	struct xvhcif_request request;
	uint8_t data[512] = {0};

	for (i = 0; i < 2; i++) {
		assert_int_equal(frontend2_transfer(frontend, place, BULK, 0x01, data, 8, NULL), 0);
		frontend2_fill_submit(frontend, &request, place, BULK, 0x81, i ? 8 : 512);
		request.flags |= XVHCIF_FLAG_SHORT_NOT_OK;
		assert_int_equal(frontend2_run(frontend, &request),
				 i ? XVHCIF_STATUS_OK : XVHCIF_STATUS_SHORT);
		assert_int_equal(le32(frontend->response[le16(request.id)].actual), 8);
	}
	assert_int_equal(frontend2_transfer(frontend, place, BULK, 0x01, data, 8, NULL), 0);
	assert_int_equal(frontend2_transfer(frontend, place, BULK, 0x81, data, 512, &actual), 0);
	assert_int_equal(actual, 8);
}

static void empty_packet_may_be_asked_for(void **state)
{
	struct frontend2 *frontend = *state;
	uint32_t place = frontend2_plug_loopback(frontend, 1, 0);
	struct xvhcif_request request;

	frontend2_fill_submit(frontend, &request, place, BULK, 0x01, 512);
	request.flags |= XVHCIF_FLAG_ZERO_PACKET;
	assert_int_equal(frontend2_run(frontend, &request), 0);
	assert_int_equal(le32(frontend->response[le16(request.id)].actual), 512);
	frontend2_fill_submit(frontend, &request, place, BULK, 0x01, 0);
	assert_int_equal(frontend2_run(frontend, &request), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WIRE2_TEST(control_data_goes_both_ways),
		WIRE2_TEST(control_transfer_beyond_the_limit_is_refused),
		WIRE2_TEST(unknown_control_request_stalls),
		WIRE2_TEST(bulk_loop_keeps_unaligned_data),
		WIRE2_TEST(interrupt_loop_returns_what_was_sent),
		WIRE2_TEST(isoc_packets_keep_their_places),
		WIRE2_TEST(isoc_packet_that_babbles_is_counted),
		WIRE2_TEST(a_mebibyte_is_one_transfer),
		WIRE2_TEST(data_of_512_segments_keeps_its_order),
		WIRE2_TEST(more_than_the_device_takes_is_an_error),
		WIRE2_TEST(two_hundred_requests_are_under_way),
		WIRE2_TEST(a_ring_full_of_requests_is_answered),
		WIRE2_TEST(transfers_beyond_the_memory_wait_for_it),
		WIRE2_UNCONNECTED_TEST(the_largest_transfer_fits_the_least_quota),
		WIRE2_TEST(cancelled_read_ends),
		WIRE2_TEST(short_read_is_told_where_it_is_an_error),
		WIRE2_TEST(empty_packet_may_be_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
