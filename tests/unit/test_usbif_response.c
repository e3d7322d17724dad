// SPDX-License-Identifier: MIT
/* What a frontend believes of a backend's answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <error.h>
#include <usbif_response.h>

static void known_statuses(void **state)
{
	(void)state;
	assert_int_equal(usbif_status_decode(0), XVHC_OK);
	assert_int_equal(usbif_status_decode(-19), XVHC_ENODEV);
	assert_int_equal(usbif_status_decode(-22), XVHC_EINVAL);
	assert_int_equal(usbif_status_decode(-32), XVHC_ESTALL);
	assert_int_equal(usbif_status_decode(-71), XVHC_EIO);
	assert_int_equal(usbif_status_decode(-75), XVHC_EBABBLE);
	assert_int_equal(usbif_status_decode(-108), XVHC_ECANCEL);
}

static void unknown_status_is_an_error(void **state)
{
	(void)state;
	assert_int_equal(usbif_status_decode(1), XVHC_EIO);
	assert_int_equal(usbif_status_decode(-1), XVHC_EIO);
	assert_int_equal(usbif_status_decode(INT32_MIN), XVHC_EIO);
	assert_int_equal(usbif_status_decode(INT32_MAX), XVHC_EIO);
}

static int check(uint16_t id, int32_t actual_length, uint32_t length)
{
	struct usbif_urb_response response = {.id = id, .actual_length = actual_length};

	return usbif_response_check(&response, length);
}

static void response_of_any_true_length(void **state)
{
	(void)state;
	assert_int_equal(check(0, 0, 0), XVHC_OK);
	assert_int_equal(check(15, 65535, 65535), XVHC_OK);
	assert_int_equal(check(3, 13, 512), XVHC_OK);
}

static void response_longer_than_its_request(void **state)
{
	(void)state;
	assert_int_equal(check(0, 1, 0), XVHC_EPROTO);
	assert_int_equal(check(0, 513, 512), XVHC_EPROTO);
	assert_int_equal(check(0, INT32_MAX, 65535), XVHC_EPROTO);
}

static void response_of_negative_length(void **state)
{
	(void)state;
	assert_int_equal(check(0, -1, 65535), XVHC_EPROTO);
	assert_int_equal(check(0, -1, UINT32_MAX), XVHC_EPROTO);
	assert_int_equal(check(0, INT32_MIN, UINT32_MAX), XVHC_EPROTO);
}

static void response_to_an_id_that_cannot_be(void **state)
{
	(void)state;
	assert_int_equal(check(16, 0, 0), XVHC_EPROTO);
	assert_int_equal(check(UINT16_MAX, 0, 0), XVHC_EPROTO);
}

static void packet_longer_than_asked_for(void **state)
{
	struct usbif_isoc_packet packet = {.length = UINT32_MAX, .actual_length = 192};

	(void)state;
	assert_int_equal(usbif_packet_check(&packet, 192), XVHC_OK);
	assert_int_equal(usbif_packet_check(&packet, 191), XVHC_EPROTO);
	packet.actual_length = UINT32_MAX;
	assert_int_equal(usbif_packet_check(&packet, 3072), XVHC_EPROTO);
}

static int check_event(uint16_t id, uint8_t portnum, uint8_t speed)
{
	struct usbif_conn_response event = {.id = id, .portnum = portnum, .speed = speed};

	return usbif_event_check(&event, 8, USBIF_SPEED_HIGH);
}

static void event_of_each_speed(void **state)
{
	(void)state;
	for (uint8_t speed = USBIF_SPEED_NONE; speed <= USBIF_SPEED_HIGH; speed++)
		assert_int_equal(check_event(511, 8, speed), XVHC_OK);
	assert_int_equal(check_event(0, 1, USBIF_SPEED_HIGH + 1), XVHC_EPROTO);
	assert_int_equal(check_event(0, 1, UINT8_MAX), XVHC_EPROTO);
}

static void event_faster_than_the_controller(void **state)
{
	struct usbif_conn_response event = {.portnum = 1, .speed = USBIF_SPEED_HIGH};

	(void)state;
	assert_int_equal(usbif_event_check(&event, 8, USBIF_SPEED_FULL), XVHC_EPROTO);
}

static void event_of_a_port_that_is_not_there(void **state)
{
	(void)state;
	assert_int_equal(check_event(0, 0, USBIF_SPEED_HIGH), XVHC_EPROTO);
	assert_int_equal(check_event(0, 9, USBIF_SPEED_HIGH), XVHC_EPROTO);
	assert_int_equal(check_event(0, UINT8_MAX, USBIF_SPEED_NONE), XVHC_EPROTO);
}

static void event_with_an_id_that_cannot_be(void **state)
{
	(void)state;
	assert_int_equal(check_event(512, 1, USBIF_SPEED_HIGH), XVHC_EPROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_statuses),
		cmocka_unit_test(unknown_status_is_an_error),
		cmocka_unit_test(response_of_any_true_length),
		cmocka_unit_test(response_longer_than_its_request),
		cmocka_unit_test(response_of_negative_length),
		cmocka_unit_test(response_to_an_id_that_cannot_be),
		cmocka_unit_test(packet_longer_than_asked_for),
		cmocka_unit_test(event_of_each_speed),
		cmocka_unit_test(event_faster_than_the_controller),
		cmocka_unit_test(event_of_a_port_that_is_not_there),
		cmocka_unit_test(event_with_an_id_that_cannot_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
