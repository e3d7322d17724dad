// SPDX-License-Identifier: MIT
/* Connecting, the rings themselves, and what ends a connection. */
#include "frontend.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct usbif_ring_head *head(struct frontend *frontend, uint32_t page)
{
	return (struct usbif_ring_head *)(void *)(frontend->memory + page * USBIF_PAGE_SIZE);
}

static void worker_ends_when_the_broker_goes(void **state)
{
	struct frontend *frontend = *state;

	frontend_plug(frontend, 1, MODEL_LOOPBACK, USB_SPEED_HIGH);
	frontend_configure(frontend, 1, 1, 2);
	frontend_submit(frontend, pipe_place(1, 1) | PIPE(BULK, 0x81), 64);
	frontend_stop(frontend);
}

static void urb_index_past_the_ring_ends_the_connection(void **state)
{
	struct frontend *frontend = *state;

	head(frontend, FRONTEND_URB_PAGE)->req_prod = USBIF_URB_RING_SLOTS + 1;
	frontend_notify(frontend);
	frontend_expect_failure(frontend);
}

static void urb_index_that_goes_back_ends_the_connection(void **state)
{
	struct frontend *frontend = *state;
	uint8_t data[18];
	struct setup_packet get_device = {0x80, 6, 0x0100, 0, 18};

	frontend_plug(frontend, 1, MODEL_DISK, USB_SPEED_HIGH);
	frontend_control(frontend, pipe_place(1, 0), get_device, data, NULL);
	head(frontend, FRONTEND_URB_PAGE)->req_prod = 0;
	frontend_notify(frontend);
	frontend_expect_failure(frontend);
}

static void conn_index_past_the_ring_ends_the_connection(void **state)
{
	struct frontend *frontend = *state;

	head(frontend, FRONTEND_CONN_PAGE)->req_prod = USBIF_CONN_RING_SLOTS + 1;
	frontend_attach(frontend, 1, MODEL_DISK, USB_SPEED_HIGH);
	frontend_expect_failure(frontend);
}

static void too_many_segments_end_the_connection(void **state)
{
	struct frontend *frontend = *state;
	struct usbif_urb_request request;

	frontend_fill(frontend, &request, pipe_place(1, 1) | PIPE(BULK, 0x81), 64);
	request.nr_buffer_segs = USBIF_SEGMENTS_MAX + 1;
	frontend_put(frontend, &request);
	frontend_kick(frontend);
	frontend_expect_failure(frontend);
}

static void too_many_list_segments_end_the_connection(void **state)
{
	struct frontend *frontend = *state;
	struct usbif_urb_request request;

	frontend_fill(frontend, &request, pipe_place(1, 1) | PIPE(ISOC, 0x81), 64);
	request.u.isoc.number_of_packets = 1;
	request.u.isoc.nr_frame_desc_segs = USBIF_SEGMENTS_MAX;
	frontend_put(frontend, &request);
	frontend_kick(frontend);
	frontend_expect_failure(frontend);
}

static void events_wait_until_there_is_room(void **state)
{
	struct frontend *frontend = *state;
	struct setup_packet get_device = {0x80, 6, 0x0100, 0, 18};
	uint8_t data[18];

	frontend_attach(frontend, 1, MODEL_DISK, USB_SPEED_HIGH);
	frontend_attach(frontend, 2, MODEL_KEYBOARD, USB_SPEED_LOW);
	/* It works before the guest was told, so the worker has come that far. */
	while (frontend_control(frontend, pipe_place(2, 0), get_device, data, NULL) !=
	       USBIF_STATUS_OK)
		;
	assert_int_equal(frontend->events[1] + frontend->events[2], 0);
	frontend_post_events(frontend, 1);
	frontend_until(frontend, frontend->events[1] + frontend->events[2] == 1);
	frontend_post_events(frontend, 1);
	frontend_until(frontend, frontend->events[1] + frontend->events[2] == 2);
	assert_int_equal(frontend->speed[1], USBIF_SPEED_HIGH);
	assert_int_equal(frontend->speed[2], USBIF_SPEED_LOW);
}

static void requests_put_before_the_connection_are_served(void **state)
{
	struct message_connect connect = {
		.transport = TRANSPORT_MEMFD,
		.ports = 1,
		.version = 1,
		.ring_pages = 1,
		.ring_ref = {FRONTEND_URB_PAGE},
		.event_ref = FRONTEND_CONN_PAGE,
	};
	struct frontend *frontend = *state;
	uint16_t id;

	frontend_spawn(frontend);
	id = frontend_submit(frontend, pipe_place(1, 1) | PIPE(BULK, 0x81), 64);
	frontend_connect(frontend, &connect);
	assert_int_equal(frontend_wait(frontend, id), USBIF_STATUS_NODEV);
	frontend_stop(frontend);
}

static void ring_outside_of_memory_is_refused(void **state)
{
	struct message_connect connect = {
		.transport = TRANSPORT_MEMFD,
		.ports = 1,
		.version = 1,
		.ring_pages = 1,
		.ring_ref = {FRONTEND_PAGES},
		.event_ref = FRONTEND_CONN_PAGE,
	};
	struct frontend *frontend = *state;

	frontend_spawn(frontend);
	frontend_connect(frontend, &connect);
	frontend_expect_failure(frontend);
}

static void ring_with_wrong_indices_is_refused(void **state)
{
	struct message_connect connect = {
		.transport = TRANSPORT_MEMFD,
		.ports = 1,
		.version = 1,
		.ring_pages = 1,
		.ring_ref = {FRONTEND_URB_PAGE},
		.event_ref = FRONTEND_CONN_PAGE,
	};
	struct frontend *frontend = *state;

	frontend_spawn(frontend);
	head(frontend, FRONTEND_CONN_PAGE)->req_prod = 5000;
	frontend_connect(frontend, &connect);
	frontend_expect_failure(frontend);
}

static void controller_with_too_many_ports_is_refused(void **state)
{
	struct message_connect connect = {
		.transport = TRANSPORT_MEMFD,
		.ports = USBIF_PORT_MAX + 1,
		.version = 1,
		.ring_pages = 1,
		.ring_ref = {FRONTEND_URB_PAGE},
		.event_ref = FRONTEND_CONN_PAGE,
	};
	struct frontend *frontend = *state;

	frontend_spawn(frontend);
	frontend_connect(frontend, &connect);
	frontend_expect_failure(frontend);
}

static void notifications_without_requests_do_no_harm(void **state)
{
	struct frontend *frontend = *state;
	struct setup_packet get_device = {0x80, 6, 0x0100, 0, 18};
	uint8_t data[18];
	uint32_t i;

	frontend_plug(frontend, 1, MODEL_DISK, USB_SPEED_HIGH);
	for (i = 0; i < 10000; i++)
		frontend_notify(frontend);
	assert_int_equal(frontend_control(frontend, pipe_place(1, 0), get_device, data, NULL),
			 USBIF_STATUS_OK);
}

static int setup_unconnected(void **state)
{
	*state = calloc(1, sizeof(struct frontend));
	return 0;
}

#define UNCONNECTED_TEST(name)                                                                     \
	cmocka_unit_test_setup_teardown(name, setup_unconnected, frontend_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WIRE_TEST(worker_ends_when_the_broker_goes),
		WIRE_TEST(urb_index_past_the_ring_ends_the_connection),
		WIRE_TEST(urb_index_that_goes_back_ends_the_connection),
		WIRE_TEST(conn_index_past_the_ring_ends_the_connection),
		WIRE_TEST(too_many_segments_end_the_connection),
		WIRE_TEST(too_many_list_segments_end_the_connection),
		WIRE_TEST(events_wait_until_there_is_room),
		WIRE_TEST(notifications_without_requests_do_no_harm),
		UNCONNECTED_TEST(requests_put_before_the_connection_are_served),
		UNCONNECTED_TEST(ring_outside_of_memory_is_refused),
		UNCONNECTED_TEST(ring_with_wrong_indices_is_refused),
		UNCONNECTED_TEST(controller_with_too_many_ports_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
