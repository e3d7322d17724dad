// SPDX-License-Identifier: MIT
/* Requests that may not pass are answered and never reach the device. What follows still works. */
#include "frontend.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BULK_IN(place) ((place) | PIPE(BULK, 0x81))

static uint32_t plug(struct frontend *frontend)
{
	struct setup_packet set_interface = {1, 11, 1, 0, 0};
	uint32_t place;

	frontend_plug(frontend, 1, MODEL_LOOPBACK, USB_SPEED_HIGH);
	place = frontend_configure(frontend, 1, 3, 1);
	assert_int_equal(frontend_control(frontend, place, set_interface, NULL, NULL),
			 USBIF_STATUS_OK);
	return place;
}

static int send(struct frontend *frontend, const struct usbif_urb_request *request)
{
	frontend_put(frontend, request);
	frontend_kick(frontend);
	return frontend_wait(frontend, request->id);
}

/* The device is as it was, and the connection lives. */
static void assert_alive(struct frontend *frontend, uint32_t place)
{
	uint8_t data[512];
	uint32_t actual, i;

	assert_int_equal(frontend_transfer(frontend, BULK_IN(place), data, 512, &actual),
			 USBIF_STATUS_OK);
	assert_int_equal(actual, 512);
	for (i = 0; i < 512; i++)
		assert_int_equal(data[i], i % 63);
}

static void port_beyond_the_controller(void **state)
{
	struct frontend *frontend = *state;
	uint32_t place = plug(frontend);
	uint8_t data[64];

	assert_int_equal(frontend_transfer(frontend, BULK_IN(pipe_place(FRONTEND_PORTS + 1, 3)),
					   data, 64, NULL),
			 USBIF_STATUS_NODEV);
	assert_alive(frontend, place);
}

static void port_zero(void **state)
{
	struct frontend *frontend = *state;
	uint32_t place = plug(frontend);
	uint8_t data[64];

	assert_int_equal(frontend_transfer(frontend, BULK_IN(pipe_place(0, 3)), data, 64, NULL),
			 USBIF_STATUS_INVAL);
	assert_alive(frontend, place);
}

static void empty_port(void **state)
{
	struct frontend *frontend = *state;
	uint32_t place = plug(frontend);
	uint8_t data[64];

	assert_int_equal(frontend_transfer(frontend, BULK_IN(pipe_place(2, 3)), data, 64, NULL),
			 USBIF_STATUS_NODEV);
	assert_alive(frontend, place);
}

static void address_of_nobody(void **state)
{
	struct frontend *frontend = *state;
	uint32_t place = plug(frontend);
	uint8_t data[64];

	assert_int_equal(frontend_transfer(frontend, BULK_IN(pipe_place(1, 4)), data, 64, NULL),
			 USBIF_STATUS_NODEV);
	assert_alive(frontend, place);
}

static void endpoint_that_is_not_there(void **state)
{
	struct frontend *frontend = *state;
	uint32_t place = plug(frontend);
	uint8_t data[64];

	assert_int_equal(frontend_transfer(frontend, place | PIPE(BULK, 0x85), data, 64, NULL),
			 USBIF_STATUS_INVAL);
	assert_alive(frontend, place);
}

static void endpoint_of_another_altsetting(void **state)
{
	struct frontend *frontend = *state;
	struct setup_packet set_interface = {1, 11, 0, 0, 0};
	uint32_t place = plug(frontend);
	uint8_t data[64];

	assert_int_equal(frontend_control(frontend, place, set_interface, NULL, NULL),
			 USBIF_STATUS_OK);
	assert_int_equal(frontend_transfer(frontend, place | PIPE(INTERRUPT, 0x03), data, 64, NULL),
			 USBIF_STATUS_INVAL);
	assert_alive(frontend, place);
}

static void endpoint_of_another_type(void **state)
{
	struct frontend *frontend = *state;
	uint32_t place = plug(frontend);
	uint8_t data[64];

	assert_int_equal(frontend_transfer(frontend, place | PIPE(INTERRUPT, 0x81), data, 64, NULL),
			 USBIF_STATUS_INVAL);
	assert_alive(frontend, place);
}

static void endpoint_zero_that_is_not_control(void **state)
{
	struct frontend *frontend = *state;
	uint32_t place = plug(frontend);
	uint8_t data[64];

	assert_int_equal(frontend_transfer(frontend, place | PIPE(BULK, 0), data, 64, NULL),
			 USBIF_STATUS_INVAL);
	assert_alive(frontend, place);
}

static void reserved_pipe_bit(void **state)
{
	struct frontend *frontend = *state;
	uint32_t place = plug(frontend);
	uint8_t data[64];

	assert_int_equal(frontend_transfer(frontend, BULK_IN(place) | 1u << 20, data, 64, NULL),
			 USBIF_STATUS_INVAL);
	assert_alive(frontend, place);
}

static void segment_beyond_its_page(void **state)
{
	struct frontend *frontend = *state;
	uint32_t place = plug(frontend);
	struct usbif_urb_request request;

	frontend_fill(frontend, &request, BULK_IN(place), 512);
	request.seg[0].offset = USBIF_PAGE_SIZE - 511;
	assert_int_equal(send(frontend, &request), USBIF_STATUS_INVAL);
	frontend_fill(frontend, &request, BULK_IN(place), 512);
	request.seg[0].offset = 0xffff;
	assert_int_equal(send(frontend, &request), USBIF_STATUS_INVAL);
	assert_alive(frontend, place);
}

static void segment_that_was_not_granted(void **state)
{
	struct frontend *frontend = *state;
	uint32_t place = plug(frontend);
	struct usbif_urb_request request;

	/* To the device: nothing is sent. */
	frontend_fill(frontend, &request, place | PIPE(BULK, 0x01), 512);
	request.seg[0].gref = FRONTEND_PAGES;
	assert_int_equal(send(frontend, &request), USBIF_STATUS_INVAL);
	/* From it: it has happened, but the data cannot be delivered. */
	frontend_fill(frontend, &request, BULK_IN(place), 512);
	request.seg[0].gref = 0xffffffff;
	assert_int_equal(send(frontend, &request), USBIF_STATUS_IOERROR);
	assert_alive(frontend, place);
}

static void total_that_is_not_the_sum(void **state)
{
	struct frontend *frontend = *state;
	uint32_t place = plug(frontend);
	struct usbif_urb_request request;

	frontend_fill(frontend, &request, BULK_IN(place), 512);
	request.buffer_length = 511;
	assert_int_equal(send(frontend, &request), USBIF_STATUS_INVAL);
	frontend_fill(frontend, &request, BULK_IN(place), 0);
	request.buffer_length = 512;
	assert_int_equal(send(frontend, &request), USBIF_STATUS_INVAL);
	assert_alive(frontend, place);
}

static void setup_beyond_its_buffer(void **state)
{
	struct frontend *frontend = *state;
	struct setup_packet read = {0xc0, MODEL_REQUEST_READ, 0, 0, 65535};
	uint32_t place = plug(frontend);
	struct usbif_urb_request request;

	frontend_fill(frontend, &request, place | PIPE(CONTROL, 0x80), 16);
	frontend_pack_setup(request.u.setup, &read);
	assert_int_equal(send(frontend, &request), USBIF_STATUS_INVAL);
	assert_alive(frontend, place);
}

static void setup_against_the_pipe_direction(void **state)
{
	struct frontend *frontend = *state;
	struct setup_packet read = {0xc0, MODEL_REQUEST_READ, 0, 0, 16};
	uint32_t place = plug(frontend);
	struct usbif_urb_request request;

	frontend_fill(frontend, &request, place | PIPE(CONTROL, 0), 16);
	frontend_pack_setup(request.u.setup, &read);
	assert_int_equal(send(frontend, &request), USBIF_STATUS_INVAL);
	assert_alive(frontend, place);
}

static void test_mode_is_refused(void **state)
{
	struct frontend *frontend = *state;
	struct setup_packet test_mode = {0, 3, 2, 0x0100, 0};
	uint32_t place = plug(frontend);

	assert_int_equal(frontend_control(frontend, place, test_mode, NULL, NULL),
			 USBIF_STATUS_STALL);
	assert_alive(frontend, place);
}

static void configuration_that_is_not_there(void **state)
{
	struct frontend *frontend = *state;
	struct setup_packet set_configuration = {0, 9, 7, 0, 0};
	uint32_t place = plug(frontend);

	assert_int_equal(frontend_control(frontend, place, set_configuration, NULL, NULL),
			 USBIF_STATUS_STALL);
	assert_alive(frontend, place);
}

/* Isochronous: one packet; each test spoils one thing. */
static void fill_isoc(struct frontend *frontend, struct usbif_urb_request *request, uint32_t place,
		      uint32_t offset, uint32_t length)
{
	uint16_t id = frontend_fill(frontend, request, place | PIPE(ISOC, 0x82), 2048);
	struct usbif_isoc_packet *list = frontend_list(frontend, id);

	memset(list, 0, sizeof(*list));
	list->offset = offset;
	list->length = length;
	request->u.isoc.number_of_packets = 1;
	request->u.isoc.nr_frame_desc_segs = 1;
	request->seg[1].gref = (uint32_t)((uint8_t *)list - frontend->memory) / USBIF_PAGE_SIZE;
	request->seg[1].length = sizeof(struct usbif_isoc_packet);
}

static void isoc_packet_beyond_the_data(void **state)
{
	struct frontend *frontend = *state;
	uint32_t place = plug(frontend);
	struct usbif_urb_request request;

	fill_isoc(frontend, &request, place, 1025, 1024);
	assert_int_equal(send(frontend, &request), USBIF_STATUS_INVAL);
	fill_isoc(frontend, &request, place, 0xffffffff, 2);
	assert_int_equal(send(frontend, &request), USBIF_STATUS_INVAL);
	assert_alive(frontend, place);
}

static void isoc_packet_beyond_the_endpoint(void **state)
{
	struct frontend *frontend = *state;
	uint32_t place = plug(frontend);
	struct usbif_urb_request request;

	fill_isoc(frontend, &request, place, 0, 1025);
	assert_int_equal(send(frontend, &request), USBIF_STATUS_INVAL);
	assert_alive(frontend, place);
}

static void isoc_list_that_is_too_short(void **state)
{
	struct frontend *frontend = *state;
	uint32_t place = plug(frontend);
	struct usbif_urb_request request;

	fill_isoc(frontend, &request, place, 0, 1024);
	request.seg[1].length--;
	assert_int_equal(send(frontend, &request), USBIF_STATUS_INVAL);
	fill_isoc(frontend, &request, place, 0, 1024);
	request.u.isoc.number_of_packets = 2;
	assert_int_equal(send(frontend, &request), USBIF_STATUS_INVAL);
	assert_alive(frontend, place);
}

static void isoc_packet_count_out_of_bounds(void **state)
{
	struct frontend *frontend = *state;
	uint32_t place = plug(frontend);
	struct usbif_urb_request request;

	fill_isoc(frontend, &request, place, 0, 1024);
	request.u.isoc.number_of_packets = XVHC_ISOC_PACKETS_MAX + 1;
	request.seg[1].length = (XVHC_ISOC_PACKETS_MAX + 1) * sizeof(struct usbif_isoc_packet);
	assert_int_equal(send(frontend, &request), USBIF_STATUS_INVAL);
	fill_isoc(frontend, &request, place, 0, 1024);
	request.u.isoc.number_of_packets = 0;
	request.u.isoc.nr_frame_desc_segs = 0;
	assert_int_equal(send(frontend, &request), USBIF_STATUS_INVAL);
	assert_alive(frontend, place);
}

static void bulk_in_the_default_state(void **state)
{
	struct frontend *frontend = *state;
	uint8_t data[64];

	frontend_plug(frontend, 1, MODEL_LOOPBACK, USB_SPEED_HIGH);
	assert_int_equal(frontend_transfer(frontend, BULK_IN(pipe_place(1, 0)), data, 64, NULL),
			 USBIF_STATUS_INVAL);
}

static void bulk_before_a_configuration(void **state)
{
	struct frontend *frontend = *state;
	struct setup_packet set_address = {0, 5, 8, 0, 0};
	uint8_t data[64];

	frontend_plug(frontend, 1, MODEL_LOOPBACK, USB_SPEED_HIGH);
	assert_int_equal(frontend_control(frontend, pipe_place(1, 0), set_address, NULL, NULL),
			 USBIF_STATUS_OK);
	assert_int_equal(frontend_transfer(frontend, BULK_IN(pipe_place(1, 8)), data, 64, NULL),
			 USBIF_STATUS_INVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WIRE_TEST(port_beyond_the_controller),
		WIRE_TEST(port_zero),
		WIRE_TEST(empty_port),
		WIRE_TEST(address_of_nobody),
		WIRE_TEST(endpoint_that_is_not_there),
		WIRE_TEST(endpoint_of_another_altsetting),
		WIRE_TEST(endpoint_of_another_type),
		WIRE_TEST(endpoint_zero_that_is_not_control),
		WIRE_TEST(reserved_pipe_bit),
		WIRE_TEST(segment_beyond_its_page),
		WIRE_TEST(segment_that_was_not_granted),
		WIRE_TEST(total_that_is_not_the_sum),
		WIRE_TEST(setup_beyond_its_buffer),
		WIRE_TEST(setup_against_the_pipe_direction),
		WIRE_TEST(test_mode_is_refused),
		WIRE_TEST(configuration_that_is_not_there),
		WIRE_TEST(isoc_packet_beyond_the_data),
		WIRE_TEST(isoc_packet_beyond_the_endpoint),
		WIRE_TEST(isoc_list_that_is_too_short),
		WIRE_TEST(isoc_packet_count_out_of_bounds),
		WIRE_TEST(bulk_in_the_default_state),
		WIRE_TEST(bulk_before_a_configuration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
