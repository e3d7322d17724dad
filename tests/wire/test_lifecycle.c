// SPDX-License-Identifier: MIT
/* Requests that end before their time, or wait for an operation of their device. */
#include "frontend.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static uint32_t plug_loop(struct frontend *frontend, uint32_t port)
{
	frontend_plug(frontend, port, MODEL_LOOPBACK, USB_SPEED_HIGH);
	return frontend_configure(frontend, port, port + 10, 2);
}

static int vendor(struct frontend *frontend, uint32_t place, uint8_t request)
{
	struct setup_packet setup = {0x40, request, 0, 0, 0};

	return frontend_control(frontend, place, setup, NULL, NULL);
}

static void cancelled_read_ends(void **state)
{
	struct frontend *frontend = *state;
	uint32_t place = plug_loop(frontend, 1);
	uint16_t read = frontend_submit(frontend, place | PIPE(BULK, 0x81), 64), asking;

	asking = frontend_cancel(frontend, 1, read);
	assert_int_equal(frontend_wait(frontend, asking), USBIF_STATUS_OK);
	assert_int_equal(frontend_wait(frontend, read), USBIF_STATUS_IOERROR);
	assert_int_equal(frontend->response[read].actual_length, 0);
}

static void cancelling_what_is_not_there_says_so(void **state)
{
	struct frontend *frontend = *state;

	plug_loop(frontend, 1);
	assert_int_equal(frontend_wait(frontend, frontend_cancel(frontend, 1, 14)),
			 USBIF_STATUS_NODEV);
}

static void cancel_of_another_port_does_nothing(void **state)
{
	struct frontend *frontend = *state;
	uint32_t place = plug_loop(frontend, 1);
	uint16_t read = frontend_submit(frontend, place | PIPE(BULK, 0x81), 64);

	assert_int_equal(frontend_wait(frontend, frontend_cancel(frontend, 2, read)),
			 USBIF_STATUS_NODEV);
	assert_false(frontend->done[read]);
	assert_int_equal(frontend_wait(frontend, frontend_cancel(frontend, 1, read)),
			 USBIF_STATUS_OK);
	assert_int_equal(frontend_wait(frontend, read), USBIF_STATUS_IOERROR);
}

/* Data and cancellation are put on the ring together: whichever wins, each has one response. */
static void cancel_races_with_completion(void **state)
{
	struct frontend *frontend = *state;
	uint32_t place = plug_loop(frontend, 1), i;

	for (i = 0; i < 200; i++) {
		uint16_t read = frontend_submit(frontend, place | PIPE(BULK, 0x81), 64), write,
			 asking;
		struct usbif_urb_request out, unlink;
		int status;

		write = frontend_fill(frontend, &out, place | PIPE(BULK, 0x01), 4);
		asking = frontend_fill(frontend, &unlink, 1 | USBIF_PIPE_UNLINK, 0);
		unlink.u.unlink.unlink_id = read;
		frontend_put(frontend, i & 1 ? &unlink : &out);
		frontend_put(frontend, i & 1 ? &out : &unlink);
		frontend_kick(frontend);
		assert_int_equal(frontend_wait(frontend, write), USBIF_STATUS_OK);
		assert_true(frontend_wait(frontend, asking) != USBIF_STATUS_INVAL);
		status = frontend_wait(frontend, read);
		assert_true(status == USBIF_STATUS_OK || status == USBIF_STATUS_IOERROR);
		/* Nobody has read it: read it now, so that the loop is empty for the next round. */
		if (status != USBIF_STATUS_OK) {
			uint16_t again = frontend_submit(frontend, place | PIPE(BULK, 0x81), 64);

			assert_int_equal(frontend_wait(frontend, again), USBIF_STATUS_OK);
		}
	}
}

static void ring_full_of_reads_is_served(void **state)
{
	struct frontend *frontend = *state;
	uint32_t place = plug_loop(frontend, 1), i;
	struct usbif_urb_request request;
	uint8_t data[4] = "abc";

	/* One slot stays for the writes. */
	for (i = 0; i < USBIF_URB_RING_SLOTS - 1; i++) {
		frontend_fill(frontend, &request, place | PIPE(BULK, 0x81), 64);
		frontend_put(frontend, &request);
	}
	frontend_kick(frontend);
	for (i = 0; i < USBIF_URB_RING_SLOTS - 1; i++) {
		data[0] = (uint8_t)('a' + i);
		assert_int_equal(
			frontend_transfer(frontend, place | PIPE(BULK, 0x01), data, 4, NULL),
			USBIF_STATUS_OK);
	}
	for (i = 0; i < USBIF_URB_RING_SLOTS - 1; i++) {
		assert_int_equal(frontend_wait(frontend, i), USBIF_STATUS_OK);
		assert_int_equal(frontend_data(frontend, i)[0], 'a' + i);
	}
}

static void detach_ends_transfers_and_tells_both_sides(void **state)
{
	struct frontend *frontend = *state;
	uint32_t place = plug_loop(frontend, 1);
	uint16_t one = frontend_submit(frontend, place | PIPE(BULK, 0x81), 64);
	uint16_t two = frontend_submit(frontend, place | PIPE(BULK, 0x81), 64);

	frontend_detach(frontend, 1);
	assert_int_equal(frontend_wait(frontend, one), USBIF_STATUS_NODEV);
	assert_int_equal(frontend_wait(frontend, two), USBIF_STATUS_NODEV);
	frontend_until(frontend, frontend->detached[1] == 1);
	frontend_until(frontend, frontend->speed[1] == USBIF_SPEED_NONE);
	one = frontend_submit(frontend, place | PIPE(BULK, 0x81), 64);
	assert_int_equal(frontend_wait(frontend, one), USBIF_STATUS_NODEV);
}

static void unplugged_device_is_reported_without_being_asked(void **state)
{
	struct frontend *frontend = *state;
	uint32_t place = plug_loop(frontend, 1);
	uint16_t read = frontend_submit(frontend, place | PIPE(BULK, 0x81), 64);

	assert_int_equal(vendor(frontend, place, MODEL_REQUEST_VANISH), USBIF_STATUS_NODEV);
	assert_int_equal(frontend_wait(frontend, read), USBIF_STATUS_NODEV);
	frontend_until(frontend, frontend->detached[1] == 1);
	frontend_until(frontend, frontend->speed[1] == USBIF_SPEED_NONE);
	/* Asking for it now is too late, and must not be answered a second time. */
	frontend_detach(frontend, 1);
	frontend_plug(frontend, 1, MODEL_KEYBOARD, USB_SPEED_FULL);
	assert_int_equal(frontend->detached[1], 1);
	assert_int_equal(frontend->speed[1], USBIF_SPEED_FULL);
}

/* Each ATTACH is answered, so that the broker is never left to wait. */
static void device_of_unknown_speed_is_given_back(void **state)
{
	struct frontend *frontend = *state;

	frontend_attach(frontend, 1, MODEL_LOOPBACK, USB_SPEED_NONE);
	frontend_until(frontend, frontend->detached[1] == 1);
	frontend_plug(frontend, 1, MODEL_LOOPBACK, USB_SPEED_HIGH);
	assert_int_equal(frontend->detached[1], 1);
}

static void replaced_device_is_told_as_gone_first(void **state)
{
	struct frontend *frontend = *state;
	uint32_t events;

	frontend_attach(frontend, 1, MODEL_LOOPBACK, USB_SPEED_HIGH);
	frontend_post_events(frontend, 1);
	frontend_until(frontend, frontend->events[1] == 1);
	events = frontend->events[1];
	/* The guest leaves no room meanwhile. */
	frontend_detach(frontend, 1);
	frontend_until(frontend, frontend->detached[1] == 1);
	frontend_attach(frontend, 1, MODEL_DISK, USB_SPEED_HIGH);
	frontend_post_events(frontend, 2);
	frontend_until(frontend, frontend->events[1] == events + 2);
	assert_int_equal(frontend->disconnects[1], 1);
	assert_int_equal(frontend->speed[1], USBIF_SPEED_HIGH);
}

static void devices_of_other_ports_go_on_during_an_operation(void **state)
{
	struct frontend *frontend = *state;
	uint32_t one = plug_loop(frontend, 1), two = plug_loop(frontend, 2);
	struct setup_packet set_configuration = {0, 9, 2, 0, 0};
	struct usbif_urb_request request;
	uint16_t operation, behind;
	uint8_t data[4] = "xyz";

	assert_int_equal(vendor(frontend, one, MODEL_REQUEST_HOLD), USBIF_STATUS_OK);
	operation = frontend_fill(frontend, &request, one | PIPE(CONTROL, 0), 0);
	frontend_pack_setup(request.u.setup, &set_configuration);
	frontend_put(frontend, &request);
	behind = frontend_submit(frontend, one | PIPE(BULK, 0x01), 4);
	/* The other device is used while the first one waits. */
	assert_int_equal(frontend_transfer(frontend, two | PIPE(BULK, 0x01), data, 4, NULL),
			 USBIF_STATUS_OK);
	assert_int_equal(frontend_transfer(frontend, two | PIPE(BULK, 0x81), data, 4, NULL),
			 USBIF_STATUS_OK);
	assert_false(frontend->done[operation]);
	assert_false(frontend->done[behind]);
	assert_int_equal(vendor(frontend, two, MODEL_REQUEST_RELEASE), USBIF_STATUS_OK);
	assert_int_equal(frontend_wait(frontend, operation), USBIF_STATUS_OK);
	assert_int_equal(frontend_wait(frontend, behind), USBIF_STATUS_OK);
}

static void request_that_waits_can_be_cancelled(void **state)
{
	struct frontend *frontend = *state;
	uint32_t one = plug_loop(frontend, 1), two = plug_loop(frontend, 2);
	struct setup_packet clear_halt = {2, 1, 0, 0x81, 0};
	struct usbif_urb_request request;
	uint16_t operation, behind, asking;

	assert_int_equal(vendor(frontend, one, MODEL_REQUEST_HOLD), USBIF_STATUS_OK);
	operation = frontend_fill(frontend, &request, one | PIPE(CONTROL, 0), 0);
	frontend_pack_setup(request.u.setup, &clear_halt);
	frontend_put(frontend, &request);
	behind = frontend_submit(frontend, one | PIPE(BULK, 0x01), 4);
	asking = frontend_cancel(frontend, 1, behind);
	assert_int_equal(frontend_wait(frontend, asking), USBIF_STATUS_OK);
	assert_int_equal(frontend_wait(frontend, behind), USBIF_STATUS_IOERROR);
	/* An operation cannot be: it ends when it ends. */
	asking = frontend_cancel(frontend, 1, operation);
	assert_int_equal(frontend_wait(frontend, asking), USBIF_STATUS_OK);
	assert_false(frontend->done[operation]);
	assert_int_equal(vendor(frontend, two, MODEL_REQUEST_RELEASE), USBIF_STATUS_OK);
	assert_int_equal(frontend_wait(frontend, operation), USBIF_STATUS_OK);
}

static void detach_during_an_operation_answers_at_once(void **state)
{
	struct frontend *frontend = *state;
	uint32_t one = plug_loop(frontend, 1), two = plug_loop(frontend, 2);
	struct setup_packet set_configuration = {0, 9, 2, 0, 0};
	struct usbif_urb_request request;
	uint16_t operation, behind;

	assert_int_equal(vendor(frontend, one, MODEL_REQUEST_HOLD), USBIF_STATUS_OK);
	operation = frontend_fill(frontend, &request, one | PIPE(CONTROL, 0), 0);
	frontend_pack_setup(request.u.setup, &set_configuration);
	frontend_put(frontend, &request);
	behind = frontend_submit(frontend, one | PIPE(BULK, 0x01), 4);
	/* Behind it on the ring: it has been taken when this is answered. */
	assert_int_equal(vendor(frontend, two, MODEL_REQUEST_WRITE), USBIF_STATUS_OK);
	frontend_detach(frontend, 1);
	assert_int_equal(frontend_wait(frontend, operation), USBIF_STATUS_NODEV);
	assert_int_equal(frontend_wait(frontend, behind), USBIF_STATUS_NODEV);
	frontend_until(frontend, frontend->speed[1] == USBIF_SPEED_NONE);
	assert_int_equal(frontend->detached[1], 0);
	assert_int_equal(vendor(frontend, two, MODEL_REQUEST_RELEASE), USBIF_STATUS_OK);
	frontend_until(frontend, frontend->detached[1] == 1);
}

static void operation_ends_transfers_that_it_disturbs(void **state)
{
	struct frontend *frontend = *state;
	uint32_t place = plug_loop(frontend, 1);
	struct setup_packet set_interface = {1, 11, 0, 0, 0};
	uint16_t read = frontend_submit(frontend, place | PIPE(BULK, 0x81), 64);

	assert_int_equal(frontend_control(frontend, place, set_interface, NULL, NULL),
			 USBIF_STATUS_OK);
	assert_int_equal(frontend_wait(frontend, read), USBIF_STATUS_IOERROR);
}

static void address_zero_again_resets_the_device(void **state)
{
	struct frontend *frontend = *state;
	uint32_t place = plug_loop(frontend, 1), actual;
	struct setup_packet write = {0x40, MODEL_REQUEST_WRITE, 0, 0, 4};
	struct setup_packet read = {0xc0, MODEL_REQUEST_READ, 0, 0, 4};
	struct setup_packet get_device = {0x80, 6, 0x0100, 0, 18};
	uint8_t data[18] = "abc";
	uint16_t pending;

	assert_int_equal(frontend_control(frontend, place, write, data, NULL), USBIF_STATUS_OK);
	pending = frontend_submit(frontend, place | PIPE(BULK, 0x81), 64);
	assert_int_equal(frontend_control(frontend, pipe_place(1, 0), get_device, data, &actual),
			 USBIF_STATUS_OK);
	assert_int_equal(actual, 18);
	assert_int_equal(frontend_wait(frontend, pending), USBIF_STATUS_IOERROR);
	/* The old address is nobody's now, and the device has forgotten. */
	assert_int_equal(frontend_control(frontend, place, read, data, NULL), USBIF_STATUS_NODEV);
	place = frontend_configure(frontend, 1, 12, 2);
	assert_int_equal(frontend_control(frontend, place, read, data, &actual), USBIF_STATUS_OK);
	assert_int_equal(actual, 0);
}

static void address_zero_twice_resets_once(void **state)
{
	struct frontend *frontend = *state;
	struct setup_packet get_device = {0x80, 6, 0x0100, 0, 18};
	struct setup_packet write = {0x40, MODEL_REQUEST_WRITE, 0, 0, 4};
	struct setup_packet read = {0xc0, MODEL_REQUEST_READ, 0, 0, 4};
	uint8_t data[18] = "abc";
	uint32_t actual;

	frontend_plug(frontend, 1, MODEL_LOOPBACK, USB_SPEED_HIGH);
	assert_int_equal(frontend_control(frontend, pipe_place(1, 0), write, data, NULL),
			 USBIF_STATUS_OK);
	assert_int_equal(frontend_control(frontend, pipe_place(1, 0), get_device, data, NULL),
			 USBIF_STATUS_OK);
	assert_int_equal(frontend_control(frontend, pipe_place(1, 0), read, data, &actual),
			 USBIF_STATUS_OK);
	assert_int_equal(actual, 4);
	frontend_until(frontend, frontend->state[1] == PORT_ATTACHED);
}

static void failed_configuration_leaves_none(void **state)
{
	struct frontend *frontend = *state;
	uint32_t place = plug_loop(frontend, 1);
	struct setup_packet set_configuration = {0, 9, 1, 0, 0};
	uint8_t data[4] = {0};

	assert_int_equal(vendor(frontend, place, MODEL_REQUEST_FAIL), USBIF_STATUS_OK);
	assert_int_equal(frontend_control(frontend, place, set_configuration, NULL, NULL),
			 USBIF_STATUS_IOERROR);
	frontend_until(frontend, frontend->state[1] == PORT_ADDRESSED);
	assert_int_equal(frontend_transfer(frontend, place | PIPE(BULK, 0x01), data, 4, NULL),
			 USBIF_STATUS_INVAL);
	assert_int_equal(frontend_control(frontend, place, set_configuration, NULL, NULL),
			 USBIF_STATUS_OK);
	assert_int_equal(frontend_transfer(frontend, place | PIPE(BULK, 0x01), data, 4, NULL),
			 USBIF_STATUS_OK);
}

static void failed_reset_is_tried_again_with_the_next_request(void **state)
{
	struct frontend *frontend = *state;
	uint32_t place = plug_loop(frontend, 1), actual;
	struct setup_packet write = {0x40, MODEL_REQUEST_WRITE, 0, 0, 4};
	struct setup_packet read = {0xc0, MODEL_REQUEST_READ, 0, 0, 4};
	uint8_t data[4] = "abc";

	assert_int_equal(frontend_control(frontend, place, write, data, NULL), USBIF_STATUS_OK);
	assert_int_equal(vendor(frontend, place, MODEL_REQUEST_FAIL), USBIF_STATUS_OK);
	assert_int_equal(frontend_control(frontend, pipe_place(1, 0), read, data, NULL),
			 USBIF_STATUS_IOERROR);
	assert_int_equal(frontend_control(frontend, pipe_place(1, 0), read, data, &actual),
			 USBIF_STATUS_OK);
	assert_int_equal(actual, 0);
}

static void failed_reset_answers_nobody_else_than_who_made_it(void **state)
{
	struct frontend *frontend = *state;
	uint32_t one = plug_loop(frontend, 1), two = plug_loop(frontend, 2);
	struct setup_packet write = {0x40, MODEL_REQUEST_WRITE, 0, 0, 0};
	struct usbif_urb_request request;
	uint16_t first, behind, asking;

	assert_int_equal(vendor(frontend, one, MODEL_REQUEST_HOLD), USBIF_STATUS_OK);
	assert_int_equal(vendor(frontend, one, MODEL_REQUEST_FAIL), USBIF_STATUS_OK);
	first = frontend_fill(frontend, &request, pipe_place(1, 0) | PIPE(CONTROL, 0), 0);
	frontend_pack_setup(request.u.setup, &write);
	frontend_put(frontend, &request);
	behind = frontend_submit(frontend, one | PIPE(BULK, 0x01), 4);
	asking = frontend_cancel(frontend, 1, first);
	assert_int_equal(frontend_wait(frontend, asking), USBIF_STATUS_OK);
	assert_int_equal(frontend_wait(frontend, first), USBIF_STATUS_IOERROR);
	assert_false(frontend->done[behind]);
	assert_int_equal(vendor(frontend, two, MODEL_REQUEST_RELEASE), USBIF_STATUS_OK);
	/* Nobody has that address after the reset. */
	assert_int_equal(frontend_wait(frontend, behind), USBIF_STATUS_NODEV);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WIRE_TEST(cancelled_read_ends),
		WIRE_TEST(cancelling_what_is_not_there_says_so),
		WIRE_TEST(cancel_of_another_port_does_nothing),
		WIRE_TEST(cancel_races_with_completion),
		WIRE_TEST(ring_full_of_reads_is_served),
		WIRE_TEST(detach_ends_transfers_and_tells_both_sides),
		WIRE_TEST(unplugged_device_is_reported_without_being_asked),
		WIRE_TEST(device_of_unknown_speed_is_given_back),
		WIRE_TEST(replaced_device_is_told_as_gone_first),
		WIRE_TEST(devices_of_other_ports_go_on_during_an_operation),
		WIRE_TEST(request_that_waits_can_be_cancelled),
		WIRE_TEST(detach_during_an_operation_answers_at_once),
		WIRE_TEST(operation_ends_transfers_that_it_disturbs),
		WIRE_TEST(address_zero_again_resets_the_device),
		WIRE_TEST(address_zero_twice_resets_once),
		WIRE_TEST(failed_configuration_leaves_none),
		WIRE_TEST(failed_reset_is_tried_again_with_the_next_request),
		WIRE_TEST(failed_reset_answers_nobody_else_than_who_made_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
