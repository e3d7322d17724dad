// SPDX-License-Identifier: MIT
/* Downloads of firmware reach a device only where the broker says so. */
#include "frontend.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct setup_packet detach = {0x21, 0, 1000, 1, 0};
static const struct setup_packet download = {0x21, 1, 0, 1, 4};
static const struct setup_packet download_end = {0x21, 1, 1, 1, 0};
static const struct setup_packet download_to_device = {0x20, 1, 1, 1, 0};

static uint32_t plug(struct frontend *frontend, uint32_t flags)
{
	frontend_plug_flags(frontend, 1, MODEL_DFU, USB_SPEED_HIGH, flags);
	return frontend_configure(frontend, 1, 3, 1);
}

static int send(struct frontend *frontend, uint32_t place, struct setup_packet setup)
{
	uint8_t data[4] = "FIRM";

	return frontend_control(frontend, place, setup, data, NULL);
}

static uint8_t downloads(struct frontend *frontend, uint32_t place)
{
	struct setup_packet get_status = {0xa1, 3, 0, 1, 1};
	uint8_t count = 0xff;

	assert_int_equal(frontend_control(frontend, place, get_status, &count, NULL),
			 USBIF_STATUS_OK);
	return count;
}

static void download_that_is_not_allowed_never_reaches_the_device(void **state)
{
	struct frontend *frontend = *state;
	uint32_t place = plug(frontend, 0);

	assert_int_equal(send(frontend, place, download), USBIF_STATUS_STALL);
	assert_int_equal(send(frontend, place, download_end), USBIF_STATUS_STALL);
	assert_int_equal(send(frontend, place, download_to_device), USBIF_STATUS_STALL);
	assert_int_equal(send(frontend, place, detach), USBIF_STATUS_STALL);
	assert_int_equal(downloads(frontend, place), 0);
}

static void download_to_an_unconfigured_device_is_refused_as_well(void **state)
{
	struct setup_packet set_configuration = {.request = 9, .value = 0};
	struct frontend *frontend = *state;
	uint32_t place = plug(frontend, 0);

	assert_int_equal(frontend_control(frontend, place, set_configuration, NULL, NULL),
			 USBIF_STATUS_OK);
	assert_int_equal(send(frontend, place, download), USBIF_STATUS_STALL);
	place = frontend_configure(frontend, 1, 4, 1);
	assert_int_equal(downloads(frontend, place), 0);
}

static void download_that_is_allowed_goes_through(void **state)
{
	struct frontend *frontend = *state;
	uint32_t place = plug(frontend, ATTACH_ALLOW_DFU);

	assert_int_equal(send(frontend, place, download), USBIF_STATUS_OK);
	assert_int_equal(send(frontend, place, detach), USBIF_STATUS_OK);
	assert_int_equal(downloads(frontend, place), 2);
}

/* A reset makes the device's state anew, with what is allowed in it. */
static void what_is_allowed_outlives_a_reset(void **state)
{
	struct frontend *frontend = *state;
	uint32_t place;

	plug(frontend, ATTACH_ALLOW_DFU);
	place = frontend_configure(frontend, 1, 9, 1);
	assert_int_equal(send(frontend, place, download), USBIF_STATUS_OK);
}

static void the_next_device_in_the_port_is_not_allowed_it_too(void **state)
{
	struct frontend *frontend = *state;
	uint32_t place;

	plug(frontend, ATTACH_ALLOW_DFU);
	frontend_detach(frontend, 1);
	frontend_until(frontend, frontend->detached[1] == 1);
	place = plug(frontend, 0);
	assert_int_equal(send(frontend, place, download), USBIF_STATUS_STALL);
}

static void same_request_to_another_interface_goes_through(void **state)
{
	struct frontend *frontend = *state;
	struct setup_packet same = download;
	uint32_t place = plug(frontend, 0);

	same.index = 0;
	assert_int_equal(send(frontend, place, same), USBIF_STATUS_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WIRE_TEST(download_that_is_not_allowed_never_reaches_the_device),
		WIRE_TEST(download_to_an_unconfigured_device_is_refused_as_well),
		WIRE_TEST(download_that_is_allowed_goes_through),
		WIRE_TEST(what_is_allowed_outlives_a_reset),
		WIRE_TEST(the_next_device_in_the_port_is_not_allowed_it_too),
		WIRE_TEST(same_request_to_another_interface_goes_through),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
