// SPDX-License-Identifier: MIT
/* Version 2: data in a pool that the worker maps, beside data in segments, and what may not pass.
 */
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

#define POOL_BYTES (FRONTEND2_POOL_PAGES * XVHCIF_PAGE_SIZE)
#define UNTOUCHED 0xa5u

static int setup(void **state)
{
	struct message_connect connect;
	struct frontend2 *frontend;

	frontend2_setup_unconnected(state);
	frontend = *state;
	frontend2_spawn(frontend, XVHCIF_RING_ORDER_MAX);
	connect = frontend2_connect(frontend);
	frontend2_pool(frontend, &connect);
	frontend_connect(&frontend->base, &connect);
	frontend2_until(frontend, frontend->base.connected);
	return 0;
}

#define POOL_TEST(name) cmocka_unit_test_setup_teardown(name, setup, frontend2_teardown)

/* A request for length bytes from this offset of the pool on. */
static uint16_t fill(struct frontend2 *frontend, struct xvhcif_request *request, uint32_t place,
		     uint8_t type, uint8_t endpoint, uint32_t offset, uint32_t length)
{
	uint16_t id = frontend2_fill_submit(frontend, request, place, type, endpoint, 0);

	request->flags = XVHCIF_FLAG_POOL;
	request->length = le32(length);
	request->data.pool = le32(offset);
	return id;
}

static uint32_t run(struct frontend2 *frontend, uint32_t place, uint8_t type, uint8_t endpoint,
		    uint32_t offset, uint32_t length)
{
	struct xvhcif_request request;

	fill(frontend, &request, place, type, endpoint, offset, length);
	return frontend2_run(frontend, &request);
}

static uint8_t pattern(uint32_t i)
{
	return (uint8_t)(i * 7 + i / 256 + i / 65536);
}

static void make_pattern(uint8_t *data, uint32_t length)
{
	uint32_t i;

	for (i = 0; i < length; i++)
		data[i] = pattern(i);
}

/* The bytes are what was sent, and one on each side is what it was. */
static void assert_pool(struct frontend2 *frontend, uint32_t offset, const uint8_t *wanted,
			uint32_t length)
{
	uint8_t *data = malloc(length + 2);

	frontend2_pool_read(frontend, offset - 1, data, length + 2);
	assert_memory_equal(data + 1, wanted, length);
	assert_int_equal(data[0], UNTOUCHED);
	assert_int_equal(data[length + 1], UNTOUCHED);
	free(data);
}

static void wipe(struct frontend2 *frontend, uint32_t offset, uint32_t length)
{
	const uint8_t byte = UNTOUCHED;

	for (; length > 0; length--)
		frontend2_pool_write(frontend, offset++, &byte, 1);
}

/* Out from one place, across pages that are no neighbours in the guest, and in to another. */
static void bulk_data_goes_both_ways(void **state)
{
	struct frontend2 *frontend = *state;
	uint32_t place = frontend2_plug_loopback(frontend, 2, 0);
	uint8_t data[5000];

	make_pattern(data, sizeof(data));
	frontend2_pool_write(frontend, 4000, data, sizeof(data));
	wipe(frontend, 100000, 6000);
	assert_int_equal(run(frontend, place, BULK, 0x01, 4000, 5000), XVHCIF_STATUS_OK);
	assert_int_equal(run(frontend, place, BULK, 0x81, 100001, 5000), XVHCIF_STATUS_OK);
	assert_pool(frontend, 100001, data, 5000);
}

static void pool_and_segments_are_used_side_by_side(void **state)
{
	struct frontend2 *frontend = *state;
	uint32_t place = frontend2_plug_loopback(frontend, 2, 0), actual;
	uint8_t data[3000], back[3000];

	make_pattern(data, sizeof(data));
	frontend2_pool_write(frontend, 0, data, sizeof(data));
	assert_int_equal(run(frontend, place, BULK, 0x01, 0, 3000), XVHCIF_STATUS_OK);
	assert_int_equal(frontend2_transfer(frontend, place, BULK, 0x81, back, 3000, &actual), 0);
	assert_int_equal(actual, 3000);
	assert_memory_equal(data, back, 3000);
	back[0] ^= 0xff;
	wipe(frontend, 9999, 3002);
	assert_int_equal(frontend2_transfer(frontend, place, BULK, 0x01, back, 3000, NULL), 0);
	assert_int_equal(run(frontend, place, BULK, 0x81, 10000, 3000), XVHCIF_STATUS_OK);
	assert_pool(frontend, 10000, back, 3000);
}

static void control_data_goes_both_ways(void **state)
{
	struct setup_packet write = {0x40, MODEL_REQUEST_WRITE, 0, 0, 1000};
	struct setup_packet read = {0xc0, MODEL_REQUEST_READ, 0, 0, 4096};
	struct frontend2 *frontend = *state;
	uint32_t place = frontend2_plug_loopback(frontend, 1, 0);
	struct xvhcif_request request;
	uint8_t data[1000];
	uint16_t id;

	make_pattern(data, sizeof(data));
	frontend2_pool_write(frontend, 3500, data, sizeof(data));
	wipe(frontend, 20000, 5000);
	fill(frontend, &request, place, CONTROL, 0, 3500, 1000);
	frontend_pack_setup(request.u.setup, &write);
	assert_int_equal(frontend2_run(frontend, &request), XVHCIF_STATUS_OK);
	id = fill(frontend, &request, place, CONTROL, 0x80, 20001, 4096);
	frontend_pack_setup(request.u.setup, &read);
	assert_int_equal(frontend2_run(frontend, &request), XVHCIF_STATUS_OK);
	assert_int_equal(le32(frontend->response[id].actual), 1000);
	assert_pool(frontend, 20001, data, 1000);
}

static void a_mebibyte_is_one_transfer(void **state)
{
	static const uint8_t command[31] = {'U', 'S', 'B', 'C',  1, 2, 3, 4, 0, 0, 0x10, 0,
					    0,   0,   10,  0x2a, 0, 0, 0, 0, 0, 0, 8,    0};
	struct frontend2 *frontend = *state;
	uint32_t place;
	uint8_t status[13];

	frontend2_plug(frontend, 1, MODEL_DISK, USB_SPEED_HIGH, 1);
	place = frontend2_configure(frontend, 1, 1, 1);
	frontend2_pool_write(frontend, 0, command, sizeof(command));
	assert_int_equal(run(frontend, place, BULK, 0x02, 0, 31), XVHCIF_STATUS_OK);
	assert_int_equal(run(frontend, place, BULK, 0x02, XVHCIF_PAGE_SIZE, XVHCIF_LENGTH_MAX),
			 XVHCIF_STATUS_OK);
	assert_int_equal(run(frontend, place, BULK, 0x81, 0, 13), XVHCIF_STATUS_OK);
	frontend2_pool_read(frontend, 0, status, 13);
	assert_memory_equal(status, "USBS\1\2\3\4\0\0\0\0", 13);
}

#define LIST_AT 8001u /* no list has to be aligned */

static uint16_t fill_isoc(struct frontend2 *frontend, struct xvhcif_request *request,
			  uint32_t place, uint8_t endpoint, const uint32_t (*packets)[2],
			  uint16_t count, uint32_t offset, uint32_t length)
{
	uint16_t id = fill(frontend, request, place, ISOC, endpoint, offset, length), i;
	struct xvhcif_packet packet = {0};

	for (i = 0; i < count; i++) {
		packet.offset = le32(packets[i][0]);
		packet.length = le32(packets[i][1]);
		frontend2_pool_write(frontend, LIST_AT + i * 16u, &packet, sizeof(packet));
	}
	request->packets = le16(count);
	request->u.isoc.interval = le16(8);
	request->u.isoc.packet_list = le32(LIST_AT);
	return id;
}

static void assert_packet(struct frontend2 *frontend, uint32_t index, uint32_t actual)
{
	struct xvhcif_packet packet;

	frontend2_pool_read(frontend, LIST_AT + index * 16, &packet, sizeof(packet));
	assert_int_equal(le32(packet.actual), actual);
	assert_int_equal(packet.status, 0);
}

/* Packets one behind the other, then in any order: both are what was sent. */
static void isoc_packets_keep_their_places(void **state)
{
	static const uint32_t out[][2] = {{0, 100}, {100, 50}, {150, 300}};
	static const uint32_t in_order[][2] = {{0, 200}, {200, 100}, {300, 400}};
	static const uint32_t scattered[][2] = {{3000, 200}, {0, 100}, {1000, 400}};
	struct frontend2 *frontend = *state;
	uint32_t place = frontend2_plug_loopback(frontend, 1, 1), n, k;
	struct xvhcif_request request;
	uint8_t data[450];

	make_pattern(data, sizeof(data));
	for (k = 0; k < 2; k++) {
		const uint32_t(*in)[2] = k == 0 ? in_order : scattered;

		frontend2_pool_write(frontend, 4090, data, sizeof(data));
		fill_isoc(frontend, &request, place, 0x02, out, 3, 4090, 450);
		assert_int_equal(frontend2_run(frontend, &request), XVHCIF_STATUS_OK);
		wipe(frontend, 40000, 5000);
		fill_isoc(frontend, &request, place, 0x82, in, 3, 40001, 4000);
		assert_int_equal(frontend2_run(frontend, &request), XVHCIF_STATUS_OK);
		for (n = 0; n < 3; n++) {
			uint8_t got[400];

			assert_packet(frontend, n, out[n][1]);
			frontend2_pool_read(frontend, 40001 + in[n][0], got, out[n][1]);
			assert_memory_equal(got, data + out[n][0], out[n][1]);
		}
	}
}

/* The worker still serves its guest. */
static void assert_alive(struct frontend2 *frontend, uint32_t place)
{
	assert_int_equal(run(frontend, place, BULK, 0x81, 0, 64), XVHCIF_STATUS_OK);
}

/* What is spoiled in a read of 4,096 bytes to the pool's last page. */
#define SPOILED(name, change)                                                                      \
	static void name(void **state)                                                             \
	{                                                                                          \
		struct frontend2 *frontend = *state;                                               \
		uint32_t place = frontend2_plug_loopback(frontend, 1, 1);                          \
		struct xvhcif_request request;                                                     \
                                                                                                   \
		fill(frontend, &request, place, BULK, 0x81, POOL_BYTES - 4096, 4096);              \
		change;                                                                            \
		assert_int_equal(frontend2_run(frontend, &request), XVHCIF_STATUS_INVALID);        \
		assert_alive(frontend, place);                                                     \
	}

SPOILED(one_byte_past_the_pool, request.data.pool = le32(POOL_BYTES - 4095))
SPOILED(offset_that_wraps, request.data.pool = le32(0xffffffff))
SPOILED(length_beyond_the_pool, request.length = le32(POOL_BYTES + 1))
SPOILED(a_segment_beside_the_pool, request.segments = le16(1))
SPOILED(indirect_segments_beside_the_pool, request.flags |= XVHCIF_FLAG_INDIRECT)

static void packet_list_past_the_pool(void **state)
{
	static const uint32_t packets[][2] = {{0, 64}, {64, 64}};
	struct frontend2 *frontend = *state;
	uint32_t place = frontend2_plug_loopback(frontend, 1, 1);
	struct xvhcif_request request;

	fill_isoc(frontend, &request, place, 0x82, packets, 2, 0, 128);
	request.u.isoc.packet_list = le32(POOL_BYTES - 31);
	assert_int_equal(frontend2_run(frontend, &request), XVHCIF_STATUS_INVALID);
	assert_alive(frontend, place);
}

static void packet_past_its_data(void **state)
{
	static const uint32_t packets[][2] = {{0, 64}, {65, 64}};
	struct frontend2 *frontend = *state;
	uint32_t place = frontend2_plug_loopback(frontend, 1, 1);
	struct xvhcif_request request;

	fill_isoc(frontend, &request, place, 0x82, packets, 2, 0, 128);
	assert_int_equal(frontend2_run(frontend, &request), XVHCIF_STATUS_INVALID);
	assert_alive(frontend, place);
}

static void pool_that_was_not_agreed_on(void **state)
{
	struct frontend2 *frontend = *state;
	uint32_t place = frontend2_plug_loopback(frontend, 1, 1);

	assert_int_equal(run(frontend, place, BULK, 0x81, 0, 64), XVHCIF_STATUS_INVALID);
	assert_int_equal(run(frontend, place, BULK, 0x81, 0, 0), XVHCIF_STATUS_INVALID);
}

/* What is spoiled in a CONNECT, or in the directory: the worker says FAILED and ends. */
#define NO_CONNECTION(name, change)                                                                \
	static void name(void **state)                                                             \
	{                                                                                          \
		struct frontend2 *frontend = *state;                                               \
		struct message_connect connect;                                                    \
		uint32_t *directory;                                                               \
                                                                                                   \
		frontend2_spawn(frontend, 2);                                                      \
		connect = frontend2_connect(frontend);                                             \
		frontend2_pool(frontend, &connect);                                                \
		directory = (uint32_t *)(void *)(frontend->base.memory +                           \
						 (size_t)FRONTEND2_DIRECTORY_PAGE * 4096);         \
		(void)directory;                                                                   \
		change;                                                                            \
		frontend_connect(&frontend->base, &connect);                                       \
		frontend_expect_failure(&frontend->base);                                          \
	}

NO_CONNECTION(directory_outside_of_memory, connect.pool_ref[0] = FRONTEND_PAGES)
NO_CONNECTION(directory_that_is_too_short, connect.pool_pages = 1025;
	      connect.pool_ref[1] = FRONTEND_PAGES)
NO_CONNECTION(last_page_outside_of_memory,
	      directory[FRONTEND2_POOL_PAGES - 1] = le32(FRONTEND_PAGES))
NO_CONNECTION(more_pages_than_a_pool_may_have, connect.pool_pages = XVHC_POOL_PAGES_MAX + 1)
NO_CONNECTION(pool_of_version_1, connect.version = 1; connect.ring_pages = 1)

int main(void)
{
	const struct CMUnitTest tests[] = {
		POOL_TEST(bulk_data_goes_both_ways),
		POOL_TEST(pool_and_segments_are_used_side_by_side),
		POOL_TEST(control_data_goes_both_ways),
		POOL_TEST(a_mebibyte_is_one_transfer),
		POOL_TEST(isoc_packets_keep_their_places),
		POOL_TEST(one_byte_past_the_pool),
		POOL_TEST(offset_that_wraps),
		POOL_TEST(length_beyond_the_pool),
		POOL_TEST(a_segment_beside_the_pool),
		POOL_TEST(indirect_segments_beside_the_pool),
		POOL_TEST(packet_list_past_the_pool),
		POOL_TEST(packet_past_its_data),
		WIRE2_TEST(pool_that_was_not_agreed_on),
		WIRE2_UNCONNECTED_TEST(directory_outside_of_memory),
		WIRE2_UNCONNECTED_TEST(directory_that_is_too_short),
		WIRE2_UNCONNECTED_TEST(last_page_outside_of_memory),
		WIRE2_UNCONNECTED_TEST(more_pages_than_a_pool_may_have),
		WIRE2_UNCONNECTED_TEST(pool_of_version_1),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
