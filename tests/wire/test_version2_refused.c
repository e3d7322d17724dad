// SPDX-License-Identifier: MIT
/* Version 2: requests that may not pass, one condition each, and what ends the connection. */
#include "frontend2.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <byte_order.h>

#define BULK XVHCIF_TYPE_BULK
#define NONE 0xfffffff0u /* a grant reference that there is not */

static uint32_t plug(struct frontend2 *frontend)
{
	struct setup_packet set_interface = {1, 11, 1, 0, 0};
	uint32_t place;

	frontend2_plug(frontend, 1, MODEL_LOOPBACK, USB_SPEED_HIGH, 1);
	place = frontend2_configure(frontend, 1, 3, 1);
	assert_int_equal(frontend2_control(frontend, place, set_interface, NULL, NULL),
			 XVHCIF_STATUS_OK);
	return place;
}

/* The worker still serves its guest. */
static void assert_alive(struct frontend2 *frontend, uint32_t place)
{
	uint8_t data[64];
	uint32_t actual;

	assert_int_equal(frontend2_transfer(frontend, place, BULK, 0x81, data, 64, &actual),
			 XVHCIF_STATUS_OK);
	assert_int_equal(actual, 64);
}

static void refused(struct frontend2 *frontend, uint32_t place,
		    const struct xvhcif_request *request, uint32_t status)
{
	assert_int_equal(frontend2_run(frontend, request), status);
	assert_int_equal(frontend->response[le16(request->id)].actual, 0);
	assert_alive(frontend, place);
}

/* What is spoiled in a read of 4,096 bytes, and what is answered. */
#define SPOILED_BY(name, change, status)                                                           \
	static void name(void **state)                                                             \
	{                                                                                          \
		struct frontend2 *frontend = *state;                                               \
		uint32_t place = plug(frontend);                                                   \
		struct xvhcif_request request;                                                     \
                                                                                                   \
		frontend2_fill_submit(frontend, &request, place, BULK, 0x81, 4096);                \
		change;                                                                            \
		refused(frontend, place, &request, status);                                        \
	}

SPOILED_BY(port_beyond_the_controller, request.port = FRONTEND_PORTS + 1, XVHCIF_STATUS_NO_DEVICE)
SPOILED_BY(port_zero, request.port = 0, XVHCIF_STATUS_INVALID)
SPOILED_BY(empty_port, request.port = 2, XVHCIF_STATUS_NO_DEVICE)
SPOILED_BY(address_of_nobody, request.address = 9, XVHCIF_STATUS_NO_DEVICE)
SPOILED_BY(endpoint_that_is_not_there, request.endpoint = 0x84, XVHCIF_STATUS_INVALID)
SPOILED_BY(endpoint_of_another_type, request.endpoint = 0x83, XVHCIF_STATUS_INVALID)
SPOILED_BY(endpoint_zero_that_is_not_control, request.endpoint = 0x80, XVHCIF_STATUS_INVALID)
SPOILED_BY(stream_of_an_endpoint_without, request.stream = le16(1), XVHCIF_STATUS_INVALID)
SPOILED_BY(reserved_flag, request.flags = 0x80, XVHCIF_STATUS_INVALID)
SPOILED_BY(reserved_field, request.reserved[1] = 1, XVHCIF_STATUS_INVALID)
SPOILED_BY(segment_beyond_its_page, request.data.segment[0].offset = le16(1), XVHCIF_STATUS_INVALID)
SPOILED_BY(total_that_is_not_the_sum, request.length = le32(4095), XVHCIF_STATUS_INVALID)
SPOILED_BY(operation_that_there_is_not, request.operation = 0, XVHCIF_STATUS_INVALID)

/* The device has sent by then: it is an error of the transfer. */
static void segment_that_was_not_granted(void **state)
{
	struct frontend2 *frontend = *state;
	uint32_t place = plug(frontend);
	struct xvhcif_request request;

	frontend2_fill_submit(frontend, &request, place, BULK, 0x81, 4096);
	request.data.segment[0].gref = le32(NONE);
	assert_int_equal(frontend2_run(frontend, &request), XVHCIF_STATUS_BUS_ERROR);
	assert_alive(frontend, place);
}

static void data_that_was_not_granted_is_not_sent(void **state)
{
	struct frontend2 *frontend = *state;
	uint32_t place = plug(frontend);
	struct xvhcif_request request;

	frontend2_fill_submit(frontend, &request, place, BULK, 0x01, 4096);
	request.data.segment[0].gref = le32(NONE);
	refused(frontend, place, &request, XVHCIF_STATUS_INVALID);
}

/* What is spoiled in the indirect page of a read of 20,000 bytes: five segments. */
#define SPOILED_INDIRECT(name, change)                                                             \
	static void name(void **state)                                                             \
	{                                                                                          \
		struct frontend2 *frontend = *state;                                               \
		uint32_t place = plug(frontend);                                                   \
		struct xvhcif_segment *segment;                                                    \
		struct xvhcif_request request;                                                     \
		uint16_t id;                                                                       \
                                                                                                   \
		id = frontend2_fill_submit(frontend, &request, place, BULK, 0x81, 20000);          \
		segment = frontend2_indirect(frontend, id);                                        \
		assert_int_equal(le16(request.segments), 5);                                       \
		assert_int_equal(le16(segment[4].length), 3616);                                   \
		change;                                                                            \
		refused(frontend, place, &request, XVHCIF_STATUS_INVALID);                         \
	}

SPOILED_INDIRECT(indirect_page_that_was_not_granted, request.data.indirect = le32(NONE))
SPOILED_INDIRECT(indirect_page_of_other_bytes, memset(segment, 0xff, 4096))
SPOILED_INDIRECT(indirect_page_of_zeros, memset(segment, 0, 4096))
SPOILED_INDIRECT(indirect_segment_without_length, segment[2].length = 0)
SPOILED_INDIRECT(indirect_segment_beyond_its_page, segment[4].offset = le16(481))
SPOILED_INDIRECT(indirect_segment_longer_than_a_page, segment[0].length = le16(4097))
SPOILED_INDIRECT(indirect_segments_longer_than_told, segment[4].length = le16(3617))
SPOILED_INDIRECT(indirect_segments_shorter_than_told, request.segments = le16(4))
SPOILED_INDIRECT(indirect_segments_beyond_the_page, request.segments = le16(513))
SPOILED_INDIRECT(five_segments_that_are_not_indirect, request.flags = 0)

static uint16_t fill_isoc(struct frontend2 *frontend, struct xvhcif_request *request,
			  uint32_t place, uint32_t offset, uint32_t length)
{
	uint16_t id = frontend2_fill_submit(frontend, request, place, XVHCIF_TYPE_ISOC, 0x82, 2048);
	struct xvhcif_packet *list = frontend2_list(frontend, id);

	memset(list, 0, 4096);
	list[0].offset = le32(offset);
	list[0].length = le32(length);
	request->packets = le16(1);
	request->u.isoc.packet_list = le32(FRONTEND2_LIST_PAGE(id));
	return id;
}

#define SPOILED_ISOC(name, offset, length, change)                                                 \
	static void name(void **state)                                                             \
	{                                                                                          \
		struct frontend2 *frontend = *state;                                               \
		uint32_t place = plug(frontend);                                                   \
		struct xvhcif_request request;                                                     \
                                                                                                   \
		fill_isoc(frontend, &request, place, offset, length);                              \
		change;                                                                            \
		refused(frontend, place, &request, XVHCIF_STATUS_INVALID);                         \
	}

SPOILED_ISOC(packet_beyond_the_data, 1025, 1024, (void)0)
SPOILED_ISOC(packet_beyond_the_endpoint, 0, 1025, (void)0)
SPOILED_ISOC(packet_list_that_was_not_granted, 0, 1024, request.u.isoc.packet_list = le32(NONE))
SPOILED_ISOC(more_packets_than_there_may_be, 0, 1024, request.packets = le16(129))
SPOILED_ISOC(no_packets, 0, 1024, request.packets = 0)

static void id_beyond_the_slots_ends_the_connection(void **state)
{
	struct frontend2 *frontend = *state;
	struct xvhcif_request request;

	frontend2_fill(frontend, &request, XVHCIF_PORT_RESET, 1);
	request.id = le16(XVHCIF_SLOTS_MAX);
	frontend2_send(frontend, &request);
	frontend_expect_failure(&frontend->base);
}

static void id_beyond_a_small_ring_ends_the_connection(void **state)
{
	struct message_connect none = {0};
	struct frontend2 *frontend = *state;
	struct xvhcif_request request;

	frontend2_start(frontend, 0, none);
	frontend2_fill(frontend, &request, XVHCIF_CANCEL, 1);
	request.id = le16(63);
	frontend->busy[63] = true;
	frontend2_send(frontend, &request);
	assert_int_equal(frontend2_wait(frontend, 63), XVHCIF_STATUS_NO_DEVICE);
	request.id = le16(64);
	frontend2_send(frontend, &request);
	frontend_expect_failure(&frontend->base);
}

static struct usbif_ring_head *head_at(struct frontend2 *frontend, uint32_t offset)
{
	return (struct usbif_ring_head *)(void *)(frontend->base.memory +
						  FRONTEND2_HEAD_PAGE * XVHCIF_PAGE_SIZE + offset);
}

static void request_index_past_the_ring_ends_the_connection(void **state)
{
	struct frontend2 *frontend = *state;

	head_at(frontend, XVHCIF_REQUEST_HEAD)->req_prod = le32(XVHCIF_SLOTS_MAX + 1);
	frontend_notify(&frontend->base);
	frontend_expect_failure(&frontend->base);
}

static void request_index_that_goes_back_ends_the_connection(void **state)
{
	struct frontend2 *frontend = *state;

	assert_int_equal(frontend2_operate(frontend, XVHCIF_PORT_RESET, 1),
			 XVHCIF_STATUS_NO_DEVICE);
	head_at(frontend, XVHCIF_REQUEST_HEAD)->req_prod = 0;
	frontend_notify(&frontend->base);
	frontend_expect_failure(&frontend->base);
}

static void event_index_past_the_ring_ends_the_connection(void **state)
{
	struct frontend2 *frontend = *state;

	head_at(frontend, XVHCIF_EVENT_HEAD)->req_prod = le32(XVHCIF_EVENT_SLOTS + 1);
	frontend_attach(&frontend->base, 1, MODEL_DISK, USB_SPEED_HIGH);
	frontend_expect_failure(&frontend->base);
}

static void requests_put_before_the_connection_are_served(void **state)
{
	struct frontend2 *frontend = *state;
	struct xvhcif_request request;
	struct message_connect connect;
	uint16_t id;

	frontend2_spawn(frontend, 1);
	id = frontend2_fill(frontend, &request, XVHCIF_PORT_RESET, 1);
	frontend2_send(frontend, &request);
	connect = frontend2_connect(frontend);
	frontend_connect(&frontend->base, &connect);
	assert_int_equal(frontend2_wait(frontend, id), XVHCIF_STATUS_NO_DEVICE);
}

/* What is spoiled in a CONNECT: the worker says FAILED and ends. */
#define NO_CONNECTION(name, change)                                                                \
	static void name(void **state)                                                             \
	{                                                                                          \
		struct frontend2 *frontend = *state;                                               \
		struct message_connect connect;                                                    \
                                                                                                   \
		frontend2_spawn(frontend, 2);                                                      \
		connect = frontend2_connect(frontend);                                             \
		change;                                                                            \
		frontend_connect(&frontend->base, &connect);                                       \
		frontend_expect_failure(&frontend->base);                                          \
	}

NO_CONNECTION(version_zero, connect.version = 0)
NO_CONNECTION(version_three, connect.version = 3)
NO_CONNECTION(version_1_with_four_pages, connect.version = 1)
NO_CONNECTION(ring_without_pages, connect.ring_pages = 0)
NO_CONNECTION(ring_of_three_pages, connect.ring_pages = 3)
NO_CONNECTION(ring_of_eight_pages, connect.ring_pages = 8)
NO_CONNECTION(last_ring_page_outside_of_memory, connect.ring_ref[3] = FRONTEND_PAGES)
NO_CONNECTION(head_page_outside_of_memory, connect.event_ref = FRONTEND_PAGES)
NO_CONNECTION(fewer_bytes_than_the_largest_transfer,
	      connect.bytes_max = XVHC_WORKER_BYTES_MIN_2 - 1)
NO_CONNECTION(wrong_request_index,
	      head_at(frontend, XVHCIF_REQUEST_HEAD)->req_prod = le32(XVHCIF_SLOTS_MAX + 1))
NO_CONNECTION(wrong_event_index,
	      head_at(frontend, XVHCIF_EVENT_HEAD)->req_prod = le32(XVHCIF_EVENT_SLOTS + 1))

int main(void)
{
	const struct CMUnitTest tests[] = {
		WIRE2_TEST(port_beyond_the_controller),
		WIRE2_TEST(port_zero),
		WIRE2_TEST(empty_port),
		WIRE2_TEST(address_of_nobody),
		WIRE2_TEST(endpoint_that_is_not_there),
		WIRE2_TEST(endpoint_of_another_type),
		WIRE2_TEST(endpoint_zero_that_is_not_control),
		WIRE2_TEST(stream_of_an_endpoint_without),
		WIRE2_TEST(reserved_flag),
		WIRE2_TEST(reserved_field),
		WIRE2_TEST(segment_beyond_its_page),
		WIRE2_TEST(segment_that_was_not_granted),
		WIRE2_TEST(total_that_is_not_the_sum),
		WIRE2_TEST(operation_that_there_is_not),
		WIRE2_TEST(data_that_was_not_granted_is_not_sent),
		WIRE2_TEST(indirect_page_that_was_not_granted),
		WIRE2_TEST(indirect_page_of_other_bytes),
		WIRE2_TEST(indirect_page_of_zeros),
		WIRE2_TEST(indirect_segment_without_length),
		WIRE2_TEST(indirect_segment_beyond_its_page),
		WIRE2_TEST(indirect_segment_longer_than_a_page),
		WIRE2_TEST(indirect_segments_longer_than_told),
		WIRE2_TEST(indirect_segments_shorter_than_told),
		WIRE2_TEST(indirect_segments_beyond_the_page),
		WIRE2_TEST(five_segments_that_are_not_indirect),
		WIRE2_TEST(packet_beyond_the_data),
		WIRE2_TEST(packet_beyond_the_endpoint),
		WIRE2_TEST(packet_list_that_was_not_granted),
		WIRE2_TEST(more_packets_than_there_may_be),
		WIRE2_TEST(no_packets),
		WIRE2_TEST(id_beyond_the_slots_ends_the_connection),
		WIRE2_UNCONNECTED_TEST(id_beyond_a_small_ring_ends_the_connection),
		WIRE2_TEST(request_index_past_the_ring_ends_the_connection),
		WIRE2_TEST(request_index_that_goes_back_ends_the_connection),
		WIRE2_TEST(event_index_past_the_ring_ends_the_connection),
		WIRE2_UNCONNECTED_TEST(requests_put_before_the_connection_are_served),
		WIRE2_UNCONNECTED_TEST(version_zero),
		WIRE2_UNCONNECTED_TEST(version_three),
		WIRE2_UNCONNECTED_TEST(version_1_with_four_pages),
		WIRE2_UNCONNECTED_TEST(ring_without_pages),
		WIRE2_UNCONNECTED_TEST(ring_of_three_pages),
		WIRE2_UNCONNECTED_TEST(ring_of_eight_pages),
		WIRE2_UNCONNECTED_TEST(last_ring_page_outside_of_memory),
		WIRE2_UNCONNECTED_TEST(head_page_outside_of_memory),
		WIRE2_UNCONNECTED_TEST(fewer_bytes_than_the_largest_transfer),
		WIRE2_UNCONNECTED_TEST(wrong_request_index),
		WIRE2_UNCONNECTED_TEST(wrong_event_index),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
