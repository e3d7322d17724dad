// SPDX-License-Identifier: MIT
/* Version 2: ports that are reset, sleep and wake up; streams; SuperSpeed; events. */
#include "frontend2.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include <byte_order.h>

#define BULK XVHCIF_TYPE_BULK
#define BIT_IN(number) (1u << (16 + (number)))
#define BIT_OUT(number) (1u << (number))

static uint32_t plug_loop(struct frontend2 *frontend)
{
	frontend2_plug(frontend, 1, MODEL_LOOPBACK, USB_SPEED_HIGH, 1);
	return frontend2_configure(frontend, 1, 3, 2);
}

static uint32_t vendor(struct frontend2 *frontend, uint32_t place, uint8_t request)
{
	struct setup_packet setup = {0x40, request, 0, 0, 0};

	return frontend2_control(frontend, place, setup, NULL, NULL);
}

static uint32_t get_device(struct frontend2 *frontend, uint32_t place)
{
	struct setup_packet get = {0x80, 6, 0x0100, 0, 18};
	uint8_t data[18];

	return frontend2_control(frontend, place, get, data, NULL);
}

/* The device itself answers this one. */
static uint32_t get_string(struct frontend2 *frontend, uint32_t place)
{
	struct setup_packet get = {0x80, 6, 0x0302, 0, 255};
	uint8_t data[255];

	return frontend2_control(frontend, place, get, data, NULL);
}

/* Resets. */

static void reset_ends_transfers_and_the_address(void **state)
{
	struct frontend2 *frontend = *state;
	uint32_t place = plug_loop(frontend);
	uint16_t read = frontend2_submit(frontend, place, BULK, 0x81, 64);

	assert_int_equal(frontend2_operate(frontend, XVHCIF_PORT_RESET, 1), XVHCIF_STATUS_OK);
	assert_true(frontend->done[read]);
	assert_int_equal(frontend2_wait(frontend, read), XVHCIF_STATUS_CANCELLED);
	assert_int_equal(get_device(frontend, place), XVHCIF_STATUS_NO_DEVICE);
	assert_int_equal(get_device(frontend, place_of(1, 0)), XVHCIF_STATUS_OK);
	place = frontend2_configure(frontend, 1, 9, 2);
	assert_int_equal(get_device(frontend, place), XVHCIF_STATUS_OK);
	/* No event: it is the same device. */
	assert_int_equal(frontend->told[1][XVHCIF_EVENT_CONNECT], 1);
	assert_int_equal(frontend->told[1][XVHCIF_EVENT_DISCONNECT], 0);
}

static void address_zero_resets_nothing(void **state)
{
	struct frontend2 *frontend = *state;
	uint32_t place = plug_loop(frontend);
	uint16_t read = frontend2_submit(frontend, place, BULK, 0x81, 64);
	uint8_t data[4] = "abc";

	assert_int_equal(get_device(frontend, place_of(1, 0)), XVHCIF_STATUS_NO_DEVICE);
	assert_false(frontend->done[read]);
	assert_int_equal(frontend2_transfer(frontend, place, BULK, 0x01, data, 4, NULL),
			 XVHCIF_STATUS_OK);
	assert_int_equal(frontend2_wait(frontend, read), XVHCIF_STATUS_OK);
}

static void a_new_device_need_not_be_reset(void **state)
{
	struct frontend2 *frontend = *state;

	frontend2_plug(frontend, 1, MODEL_LOOPBACK, USB_SPEED_HIGH, 1);
	assert_int_equal(frontend2_operate(frontend, XVHCIF_PORT_RESET, 1), XVHCIF_STATUS_OK);
	assert_int_equal(get_device(frontend, place_of(1, 0)), XVHCIF_STATUS_OK);
}

static void requests_behind_a_reset_wait_for_it(void **state)
{
	struct frontend2 *frontend = *state;
	uint32_t place = plug_loop(frontend), other;
	struct xvhcif_request request;
	uint16_t reset, read;

	frontend2_plug(frontend, 2, MODEL_LOOPBACK, USB_SPEED_HIGH, 2);
	other = frontend2_configure(frontend, 2, 4, 1);
	assert_int_equal(vendor(frontend, place, MODEL_REQUEST_HOLD), XVHCIF_STATUS_OK);
	reset = frontend2_fill(frontend, &request, XVHCIF_PORT_RESET, 1);
	frontend2_send(frontend, &request);
	read = frontend2_submit(frontend, place, BULK, 0x81, 64);
	/* Another device goes on meanwhile. */
	assert_int_equal(get_device(frontend, other), XVHCIF_STATUS_OK);
	assert_false(frontend->done[reset] || frontend->done[read]);
	assert_int_equal(vendor(frontend, other, MODEL_REQUEST_RELEASE), XVHCIF_STATUS_OK);
	assert_int_equal(frontend2_wait(frontend, reset), XVHCIF_STATUS_OK);
	assert_int_equal(frontend2_wait(frontend, read), XVHCIF_STATUS_NO_DEVICE);
}

/* A reset that failed has not made the device as new: the next one must reach it. */
static void reset_that_failed_is_done_again(void **state)
{
	struct setup_packet write = {0x40, MODEL_REQUEST_WRITE, 0, 0, 4};
	struct setup_packet read = {0xc0, MODEL_REQUEST_READ, 0, 0, 4};
	struct frontend2 *frontend = *state;
	uint32_t place = plug_loop(frontend), actual;
	uint8_t data[4] = "abc";

	assert_int_equal(frontend2_control(frontend, place, write, data, NULL), XVHCIF_STATUS_OK);
	assert_int_equal(vendor(frontend, place, MODEL_REQUEST_FAIL), XVHCIF_STATUS_OK);
	assert_int_equal(frontend2_operate(frontend, XVHCIF_PORT_RESET, 1),
			 XVHCIF_STATUS_BUS_ERROR);
	assert_int_equal(frontend2_operate(frontend, XVHCIF_PORT_RESET, 1), XVHCIF_STATUS_OK);
	assert_int_equal(frontend2_control(frontend, place_of(1, 0), read, data, &actual),
			 XVHCIF_STATUS_OK);
	assert_int_equal(actual, 0);
}

static void operations_of_an_empty_port(void **state)
{
	struct frontend2 *frontend = *state;
	uint8_t operation;

	for (operation = XVHCIF_PORT_RESET; operation <= XVHCIF_STREAMS_FREE; operation++)
		assert_int_equal(frontend2_operate(frontend, operation, 2),
				 XVHCIF_STATUS_NO_DEVICE);
	assert_int_equal(frontend2_operate(frontend, XVHCIF_PORT_RESET, FRONTEND_PORTS + 1),
			 XVHCIF_STATUS_NO_DEVICE);
	assert_int_equal(frontend2_operate(frontend, XVHCIF_PORT_RESET, 0), XVHCIF_STATUS_INVALID);
	assert_int_equal(frontend2_operate(frontend, XVHCIF_STREAMS_FREE + 1, 1),
			 XVHCIF_STATUS_INVALID);
}

static void device_that_goes_during_its_reset(void **state)
{
	struct frontend2 *frontend = *state;
	uint32_t place = plug_loop(frontend), other;
	struct xvhcif_request request;
	uint16_t reset;

	frontend2_plug(frontend, 2, MODEL_LOOPBACK, USB_SPEED_HIGH, 2);
	other = frontend2_configure(frontend, 2, 4, 1);
	assert_int_equal(vendor(frontend, place, MODEL_REQUEST_HOLD), XVHCIF_STATUS_OK);
	reset = frontend2_fill(frontend, &request, XVHCIF_PORT_RESET, 1);
	frontend2_send(frontend, &request);
	frontend_detach(&frontend->base, 1);
	assert_int_equal(frontend2_wait(frontend, reset), XVHCIF_STATUS_NO_DEVICE);
	frontend2_until(frontend, frontend->told[1][XVHCIF_EVENT_DISCONNECT] == 1);
	assert_int_equal(vendor(frontend, other, MODEL_REQUEST_RELEASE), XVHCIF_STATUS_OK);
	frontend2_until(frontend, frontend->base.detached[1] == 1);
}

/* Suspension. */

static void a_port_sleeps_and_is_resumed(void **state)
{
	struct frontend2 *frontend = *state;
	uint32_t place = plug_loop(frontend);
	uint16_t read = frontend2_submit(frontend, place, BULK, 0x81, 64);

	assert_int_equal(frontend2_operate(frontend, XVHCIF_PORT_SUSPEND, 1), XVHCIF_STATUS_OK);
	assert_int_equal(frontend2_wait(frontend, read), XVHCIF_STATUS_CANCELLED);
	assert_int_equal(get_string(frontend, place), XVHCIF_STATUS_BUS_ERROR);
	assert_int_equal(frontend2_operate(frontend, XVHCIF_PORT_RESUME, 1), XVHCIF_STATUS_OK);
	/* It is as it was before. */
	assert_int_equal(get_string(frontend, place), XVHCIF_STATUS_OK);
	assert_int_equal(frontend2_operate(frontend, XVHCIF_PORT_RESUME, 1), XVHCIF_STATUS_OK);
	assert_int_equal(frontend->told[1][XVHCIF_EVENT_WAKEUP], 0);
}

static void suspension_that_fails_is_told(void **state)
{
	struct frontend2 *frontend = *state;
	uint32_t place = plug_loop(frontend);

	assert_int_equal(vendor(frontend, place, MODEL_REQUEST_FAIL), XVHCIF_STATUS_OK);
	assert_int_equal(frontend2_operate(frontend, XVHCIF_PORT_SUSPEND, 1),
			 XVHCIF_STATUS_BUS_ERROR);
	assert_int_equal(get_string(frontend, place), XVHCIF_STATUS_OK);
}

static void a_device_that_wakes_up_is_told(void **state)
{
	struct frontend2 *frontend = *state;
	uint32_t place = plug_loop(frontend);

	assert_int_equal(vendor(frontend, place, MODEL_REQUEST_WAKE), XVHCIF_STATUS_OK);
	frontend2_post_events(frontend, 2);
	assert_int_equal(frontend2_operate(frontend, XVHCIF_PORT_SUSPEND, 1), XVHCIF_STATUS_OK);
	frontend2_until(frontend, frontend->told[1][XVHCIF_EVENT_WAKEUP] == 1);
	assert_int_equal(frontend2_operate(frontend, XVHCIF_PORT_RESUME, 1), XVHCIF_STATUS_OK);
	assert_int_equal(get_string(frontend, place), XVHCIF_STATUS_OK);
	assert_int_equal(frontend->told[1][XVHCIF_EVENT_WAKEUP], 1);
	assert_int_equal(frontend->told[1][XVHCIF_EVENT_CONNECT], 1);
}

/* The operation that runs when it wakes up is not the end of that news. */
static void a_device_that_wakes_up_during_an_operation_is_told(void **state)
{
	struct setup_packet set_configuration = {0, 9, 2, 0, 0};
	struct frontend2 *frontend = *state;
	uint32_t place = plug_loop(frontend);
	struct xvhcif_request suspend, configure;

	assert_int_equal(vendor(frontend, place, MODEL_REQUEST_WAKE), XVHCIF_STATUS_OK);
	frontend2_post_events(frontend, 2);
	frontend2_fill(frontend, &suspend, XVHCIF_PORT_SUSPEND, 1);
	frontend2_put(frontend, &suspend);
	frontend2_fill_submit(frontend, &configure, place, XVHCIF_TYPE_CONTROL, 0, 0);
	frontend_pack_setup(configure.u.setup, &set_configuration);
	frontend2_send(frontend, &configure);
	assert_int_equal(frontend2_wait(frontend, le16(suspend.id)), XVHCIF_STATUS_OK);
	assert_int_equal(frontend2_wait(frontend, le16(configure.id)), XVHCIF_STATUS_OK);
	frontend2_until(frontend, frontend->told[1][XVHCIF_EVENT_WAKEUP] == 1);
	assert_int_equal(get_string(frontend, place), XVHCIF_STATUS_OK);
}

static void a_port_that_sleeps_is_awake_after_its_reset(void **state)
{
	struct frontend2 *frontend = *state;
	uint32_t place = plug_loop(frontend);

	assert_int_equal(frontend2_operate(frontend, XVHCIF_PORT_SUSPEND, 1), XVHCIF_STATUS_OK);
	assert_int_equal(frontend2_operate(frontend, XVHCIF_PORT_RESET, 1), XVHCIF_STATUS_OK);
	place = frontend2_configure(frontend, 1, 3, 2);
	assert_int_equal(get_string(frontend, place), XVHCIF_STATUS_OK);
}

/* One that the guest has not touched since it came sleeps all the same. */
static void a_new_device_that_sleeps_is_reset_in_earnest(void **state)
{
	struct frontend2 *frontend = *state;

	frontend2_plug(frontend, 1, MODEL_LOOPBACK, USB_SPEED_HIGH, 1);
	assert_int_equal(frontend2_operate(frontend, XVHCIF_PORT_SUSPEND, 1), XVHCIF_STATUS_OK);
	assert_int_equal(frontend2_operate(frontend, XVHCIF_PORT_RESET, 1), XVHCIF_STATUS_OK);
	assert_int_equal(get_string(frontend, place_of(1, 0)), XVHCIF_STATUS_OK);
}

/* Streams, of the disk's second setting. */

static uint32_t plug_streams(struct frontend2 *frontend)
{
	struct setup_packet set_interface = {1, 11, 1, 0, 0};
	uint32_t place;

	frontend2_plug(frontend, 1, MODEL_DISK_SUPER, USB_SPEED_SUPER, 1);
	place = frontend2_configure(frontend, 1, 3, 1);
	assert_int_equal(frontend2_control(frontend, place, set_interface, NULL, NULL),
			 XVHCIF_STATUS_OK);
	return place;
}

static uint32_t streams(struct frontend2 *frontend, uint8_t operation, uint32_t endpoints,
			uint16_t count, uint32_t *actual)
{
	struct xvhcif_request request;
	uint16_t id = frontend2_fill(frontend, &request, operation, 1);
	uint32_t status;

	request.u.streams.endpoints = le32(endpoints);
	request.u.streams.count = le16(count);
	status = frontend2_run(frontend, &request);
	*actual = le32(frontend->response[id].actual);
	return status;
}

/* TEST UNIT READY, or its status, by a stream. */
static uint32_t by_stream(struct frontend2 *frontend, uint32_t place, uint8_t endpoint,
			  uint16_t stream)
{
	static const uint8_t block[31] = {'U', 'S', 'B', 'C', 1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 6};
	struct xvhcif_request request;
	uint16_t id = frontend2_fill_submit(frontend, &request, place, BULK, endpoint,
					    endpoint & 0x80 ? 13 : 31);

	memcpy(frontend2_data(frontend, id, 31), block, 31);
	request.stream = le16(stream);
	return frontend2_run(frontend, &request);
}

static void streams_are_allocated_used_and_freed(void **state)
{
	struct frontend2 *frontend = *state;
	uint32_t place = plug_streams(frontend), actual;

	assert_int_equal(
		streams(frontend, XVHCIF_STREAMS_ALLOCATE, BIT_IN(1) | BIT_OUT(2), 16, &actual),
		XVHCIF_STATUS_OK);
	assert_int_equal(actual, 16);
	assert_int_equal(by_stream(frontend, place, 0x02, 0), XVHCIF_STATUS_INVALID);
	assert_int_equal(by_stream(frontend, place, 0x02, 17), XVHCIF_STATUS_INVALID);
	assert_int_equal(by_stream(frontend, place, 0x02, 16), XVHCIF_STATUS_OK);
	assert_int_equal(by_stream(frontend, place, 0x81, 1), XVHCIF_STATUS_OK);
	/* One that has none. */
	assert_int_equal(by_stream(frontend, place, 0x83, 1), XVHCIF_STATUS_INVALID);
	assert_int_equal(streams(frontend, XVHCIF_STREAMS_FREE, BIT_IN(1) | BIT_OUT(2), 0, &actual),
			 XVHCIF_STATUS_OK);
	assert_int_equal(actual, 0);
	assert_int_equal(by_stream(frontend, place, 0x02, 1), XVHCIF_STATUS_INVALID);
	assert_int_equal(by_stream(frontend, place, 0x02, 0), XVHCIF_STATUS_OK);
	assert_int_equal(by_stream(frontend, place, 0x81, 0), XVHCIF_STATUS_OK);
}

static void more_streams_than_there_are(void **state)
{
	struct frontend2 *frontend = *state;
	uint32_t place = plug_streams(frontend), actual;

	assert_int_equal(streams(frontend, XVHCIF_STREAMS_ALLOCATE, BIT_IN(1), 65535, &actual),
			 XVHCIF_STATUS_OK);
	assert_int_equal(actual, XVHC_STREAMS_MAX);
	assert_int_equal(by_stream(frontend, place, 0x81, XVHC_STREAMS_MAX + 1),
			 XVHCIF_STATUS_INVALID);
}

static void streams_that_cannot_be(void **state)
{
	static const struct {
		uint8_t operation;
		uint32_t endpoints;
		uint16_t count;
	} wrong[] = {
		{XVHCIF_STREAMS_ALLOCATE, 0, 16},
		{XVHCIF_STREAMS_ALLOCATE, BIT_IN(2), 16},
		{XVHCIF_STREAMS_ALLOCATE, BIT_IN(1) | BIT_IN(9), 16},
		{XVHCIF_STREAMS_ALLOCATE, BIT_IN(0) | BIT_IN(1), 16},
		{XVHCIF_STREAMS_ALLOCATE, BIT_IN(1), 1},
		{XVHCIF_STREAMS_ALLOCATE, BIT_IN(1), 0},
		{XVHCIF_STREAMS_FREE, 0, 0},
		{XVHCIF_STREAMS_FREE, BIT_OUT(1), 0},
	};
	struct frontend2 *frontend = *state;
	uint32_t place = plug_streams(frontend), actual;
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(streams(frontend, wrong[i].operation, wrong[i].endpoints,
					 wrong[i].count, &actual),
				 XVHCIF_STATUS_INVALID);
		assert_int_equal(actual, 0);
	}
	assert_int_equal(by_stream(frontend, place, 0x02, 0), XVHCIF_STATUS_OK);
}

static void streams_that_the_host_refuses(void **state)
{
	struct frontend2 *frontend = *state;
	uint32_t place = plug_streams(frontend), actual;

	assert_int_equal(vendor(frontend, place, MODEL_REQUEST_FAIL), XVHCIF_STATUS_OK);
	assert_int_equal(streams(frontend, XVHCIF_STREAMS_ALLOCATE, BIT_IN(1), 16, &actual),
			 XVHCIF_STATUS_BUS_ERROR);
	assert_int_equal(actual, 0);
	assert_int_equal(by_stream(frontend, place, 0x02, 0), XVHCIF_STATUS_OK);
	assert_int_equal(by_stream(frontend, place, 0x81, 0), XVHCIF_STATUS_OK);
}

static void streams_end_transfers_of_their_endpoints_alone(void **state)
{
	struct frontend2 *frontend = *state;
	uint32_t place = plug_streams(frontend), actual;
	uint16_t one = frontend2_submit(frontend, place, BULK, 0x81, 13);
	uint16_t two = frontend2_submit(frontend, place, BULK, 0x83, 13);

	assert_int_equal(streams(frontend, XVHCIF_STREAMS_ALLOCATE, BIT_IN(1), 16, &actual),
			 XVHCIF_STATUS_OK);
	assert_int_equal(frontend2_wait(frontend, one), XVHCIF_STATUS_CANCELLED);
	assert_false(frontend->done[two]);
	assert_int_equal(frontend2_operate(frontend, XVHCIF_PORT_RESET, 1), XVHCIF_STATUS_OK);
	assert_int_equal(frontend2_wait(frontend, two), XVHCIF_STATUS_CANCELLED);
}

static void streams_end_with_the_setting_and_the_reset(void **state)
{
	struct setup_packet set_interface = {1, 11, 1, 0, 0};
	struct frontend2 *frontend = *state;
	uint32_t place = plug_streams(frontend), actual;

	assert_int_equal(streams(frontend, XVHCIF_STREAMS_ALLOCATE, BIT_OUT(2), 4, &actual),
			 XVHCIF_STATUS_OK);
	assert_int_equal(frontend2_control(frontend, place, set_interface, NULL, NULL),
			 XVHCIF_STATUS_OK);
	assert_int_equal(by_stream(frontend, place, 0x02, 1), XVHCIF_STATUS_INVALID);
	assert_int_equal(streams(frontend, XVHCIF_STREAMS_ALLOCATE, BIT_OUT(2), 4, &actual),
			 XVHCIF_STATUS_OK);
	assert_int_equal(frontend2_operate(frontend, XVHCIF_PORT_RESET, 1), XVHCIF_STATUS_OK);
	place = frontend2_configure(frontend, 1, 5, 1);
	assert_int_equal(by_stream(frontend, place, 0x02, 1), XVHCIF_STATUS_INVALID);
	assert_int_equal(by_stream(frontend, place, 0x02, 0), XVHCIF_STATUS_OK);
}

/* Devices and events. */

static void superspeed_device_is_told_as_what_it_is(void **state)
{
	struct setup_packet get_device_descriptor = {0x80, 6, 0x0100, 0, 18};
	struct setup_packet get_configuration = {0x80, 6, 0x0200, 0, 255};
	struct frontend2 *frontend = *state;
	uint8_t data[255];
	uint32_t actual;

	frontend2_plug(frontend, 1, MODEL_DISK_SUPER, USB_SPEED_SUPER, 1);
	assert_int_equal(frontend->speed[1], XVHCIF_SPEED_SUPER);
	assert_int_equal(
		frontend2_control(frontend, place_of(1, 0), get_device_descriptor, data, NULL),
		XVHCIF_STATUS_OK);
	assert_int_equal(data[3], 3);
	assert_int_equal(data[7], 9);
	assert_int_equal(
		frontend2_control(frontend, place_of(1, 0), get_configuration, data, &actual),
		XVHCIF_STATUS_OK);
	assert_int_equal(actual, 105);
	assert_int_equal(data[2], 105);
	/* The first endpoint, and its companion. */
	assert_memory_equal(data + 18, ((uint8_t[]){7, 5, 0x81, 2, 0, 4, 0, 6, 0x30, 15}), 10);
}

static void device_of_each_speed(void **state)
{
	struct frontend2 *frontend = *state;
	uint32_t speed;

	for (speed = USB_SPEED_LOW; speed <= USB_SPEED_SUPER_PLUS; speed++) {
		frontend2_plug(frontend, 1, MODEL_DISK_SUPER, speed, speed);
		assert_int_equal(frontend->speed[1], speed);
		frontend_detach(&frontend->base, 1);
		frontend2_until(frontend, frontend->told[1][XVHCIF_EVENT_DISCONNECT] == speed &&
						  frontend->base.detached[1] == speed);
	}
}

static void device_has_another_number_after_each_replug(void **state)
{
	struct frontend2 *frontend = *state;
	uint32_t i;

	frontend2_plug(frontend, 2, MODEL_DISK, USB_SPEED_HIGH, 0x0102030405060708);
	assert_true(frontend->device[2] == 0x0102030405060708);
	for (i = 1; i <= 3; i++) {
		frontend_detach(&frontend->base, 2);
		frontend2_until(frontend, frontend->base.detached[2] == i);
		frontend2_plug(frontend, 2, MODEL_DISK, USB_SPEED_HIGH, 0xffffffff00000000 + i);
		assert_true(frontend->device[2] == 0xffffffff00000000 + i);
		assert_int_equal(frontend->told[2][XVHCIF_EVENT_DISCONNECT], i);
	}
}

static void events_wait_until_there_is_room(void **state)
{
	struct message_attach attach = {.port = 1, .model = MODEL_DISK, .speed = USB_SPEED_HIGH};
	struct frontend2 *frontend = *state;

	frontend_attach_as(&frontend->base, &attach);
	while (get_device(frontend, place_of(1, 0)) != XVHCIF_STATUS_OK)
		;
	frontend_detach(&frontend->base, 1);
	frontend2_until(frontend, frontend->base.detached[1] == 1);
	assert_int_equal(frontend->told[1][XVHCIF_EVENT_CONNECT], 0);
	attach.instance[0] = 77;
	frontend_attach_as(&frontend->base, &attach);
	while (get_device(frontend, place_of(1, 0)) != XVHCIF_STATUS_OK)
		;
	/* The guest has never heard of the first one. */
	frontend2_post_events(frontend, 2);
	frontend2_until(frontend, frontend->told[1][XVHCIF_EVENT_CONNECT] == 1);
	assert_true(frontend->device[1] == 77);
	assert_int_equal(frontend->told[1][XVHCIF_EVENT_DISCONNECT], 0);
}

static void a_device_that_is_replaced_is_told_twice(void **state)
{
	struct message_attach attach = {.port = 1, .model = MODEL_DISK, .speed = USB_SPEED_HIGH};
	struct frontend2 *frontend = *state;

	attach.instance[0] = 1;
	frontend2_post_events(frontend, 1);
	frontend_attach_as(&frontend->base, &attach);
	frontend2_until(frontend, frontend->told[1][XVHCIF_EVENT_CONNECT] == 1);
	frontend_detach(&frontend->base, 1);
	frontend2_until(frontend, frontend->base.detached[1] == 1);
	attach.instance[0] = 2;
	frontend_attach_as(&frontend->base, &attach);
	while (get_device(frontend, place_of(1, 0)) != XVHCIF_STATUS_OK)
		;
	frontend2_post_events(frontend, 2);
	frontend2_until(frontend, frontend->told[1][XVHCIF_EVENT_CONNECT] == 2);
	assert_int_equal(frontend->told[1][XVHCIF_EVENT_DISCONNECT], 1);
	assert_true(frontend->device[1] == 2);
}

/* The end of the connection. */

static void nothing_is_told_when_the_broker_goes(void **state)
{
	struct frontend2 *frontend = *state;
	const uint8_t *page = frontend->base.memory + FRONTEND2_HEAD_PAGE * XVHCIF_PAGE_SIZE;
	uint8_t before[XVHCIF_EVENT_HEAD + sizeof(struct usbif_ring_head)];
	uint16_t read;

	read = frontend2_submit(frontend, plug_loop(frontend), BULK, 0x81, 64);
	frontend2_post_events(frontend, 2);
	/* So both are with the worker. */
	assert_int_equal(frontend2_operate(frontend, XVHCIF_PORT_RESET, 2),
			 XVHCIF_STATUS_NO_DEVICE);
	memcpy(before, page, sizeof(before));
	shutdown(frontend->base.broker, SHUT_WR);
	frontend_until(&frontend->base, frontend->base.ended);
	assert_false(frontend->done[read]);
	assert_memory_equal(before, page, sizeof(before));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WIRE2_TEST(reset_ends_transfers_and_the_address),
		WIRE2_TEST(address_zero_resets_nothing),
		WIRE2_TEST(a_new_device_need_not_be_reset),
		WIRE2_TEST(requests_behind_a_reset_wait_for_it),
		WIRE2_TEST(reset_that_failed_is_done_again),
		WIRE2_TEST(operations_of_an_empty_port),
		WIRE2_TEST(device_that_goes_during_its_reset),
		WIRE2_TEST(a_port_sleeps_and_is_resumed),
		WIRE2_TEST(suspension_that_fails_is_told),
		WIRE2_TEST(a_device_that_wakes_up_is_told),
		WIRE2_TEST(a_device_that_wakes_up_during_an_operation_is_told),
		WIRE2_TEST(a_port_that_sleeps_is_awake_after_its_reset),
		WIRE2_TEST(a_new_device_that_sleeps_is_reset_in_earnest),
		WIRE2_TEST(streams_are_allocated_used_and_freed),
		WIRE2_TEST(more_streams_than_there_are),
		WIRE2_TEST(streams_that_cannot_be),
		WIRE2_TEST(streams_that_the_host_refuses),
		WIRE2_TEST(streams_end_transfers_of_their_endpoints_alone),
		WIRE2_TEST(streams_end_with_the_setting_and_the_reset),
		WIRE2_TEST(superspeed_device_is_told_as_what_it_is),
		WIRE2_TEST(device_of_each_speed),
		WIRE2_TEST(device_has_another_number_after_each_replug),
		WIRE2_TEST(events_wait_until_there_is_room),
		WIRE2_TEST(a_device_that_is_replaced_is_told_twice),
		WIRE2_TEST(nothing_is_told_when_the_broker_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
