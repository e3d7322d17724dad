// SPDX-License-Identifier: MIT
/*
 * What a frontend believes of a backend's answers on version 2. They are written byte by byte,
 * little-endian, as they lie in the rings.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <error.h>
#include <xvhcif_response.h>

static void known_statuses(void **state)
{
	(void)state;
	assert_int_equal(xvhcif_status_decode(0), XVHC_OK);
	assert_int_equal(xvhcif_status_decode(1), XVHC_ENODEV);
	assert_int_equal(xvhcif_status_decode(2), XVHC_EINVAL);
	assert_int_equal(xvhcif_status_decode(3), XVHC_ESTALL);
	assert_int_equal(xvhcif_status_decode(4), XVHC_EIO);
	assert_int_equal(xvhcif_status_decode(5), XVHC_EBABBLE);
	assert_int_equal(xvhcif_status_decode(6), XVHC_ECANCEL);
	assert_int_equal(xvhcif_status_decode(7), XVHC_OK);
	assert_int_equal(xvhcif_status_decode(8), XVHC_ELIMIT);
}

static void unknown_status_is_an_error(void **state)
{
	(void)state;
	assert_int_equal(xvhcif_status_decode(9), XVHC_EIO);
	assert_int_equal(xvhcif_status_decode(0x80000000), XVHC_EIO);
	assert_int_equal(xvhcif_status_decode(UINT32_MAX), XVHC_EIO);
}

static void each_field_of_a_response_is_read(void **state)
{
	static const uint8_t bytes[20] = {0x02, 0x01, 0,    0,    3, 0, 0, 0, 0x78, 0x56,
					  0x34, 0x12, 0xff, 0xff, 0, 0, 4, 3, 2,    1};
	struct xvhcif_response wire;
	struct response response;

	(void)state;
	memcpy(&wire, bytes, sizeof(wire));
	assert_int_equal(xvhcif_response_decode(&wire, 0x0103, &response), XVHC_OK);
	assert_int_equal(response.id, 0x0102);
	assert_int_equal(response.error, XVHC_ESTALL);
	assert_int_equal(response.actual, 0x12345678);
	assert_int_equal(response.start_frame, 0x01020304);
}

static int check(uint8_t low, uint8_t high, uint32_t slots)
{
	uint8_t bytes[20] = {low, high};
	struct xvhcif_response wire;
	struct response response;

	memcpy(&wire, bytes, sizeof(wire));
	return xvhcif_response_decode(&wire, slots, &response);
}

static void response_to_an_id_that_cannot_be(void **state)
{
	(void)state;
	assert_int_equal(check(63, 0, 64), XVHC_OK);
	assert_int_equal(check(64, 0, 64), XVHC_EPROTO);
	assert_int_equal(check(255, 0, 256), XVHC_OK);
	assert_int_equal(check(0, 1, 256), XVHC_EPROTO);
	assert_int_equal(check(255, 255, 256), XVHC_EPROTO);
}

static int check_packet(uint32_t length, const uint8_t actual[4], struct response *packet)
{
	uint8_t bytes[16] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 5};
	struct xvhcif_packet wire;

	memcpy(bytes + 8, actual, 4);
	memcpy(&wire, bytes, sizeof(wire));
	return xvhcif_packet_decode(&wire, length, packet);
}

static void each_field_of_a_packet_is_read(void **state)
{
	struct response packet;

	(void)state;
	assert_int_equal(check_packet(0x0201, (const uint8_t[]){0x01, 0x02, 0, 0}, &packet),
			 XVHC_OK);
	assert_int_equal(packet.actual, 0x0201);
	assert_int_equal(packet.error, XVHC_EBABBLE);
	assert_int_equal(packet.id, 0);
	assert_int_equal(packet.start_frame, 0);
}

static void packet_longer_than_asked_for(void **state)
{
	struct response packet;

	(void)state;
	assert_int_equal(check_packet(192, (const uint8_t[]){192, 0, 0, 0}, &packet), XVHC_OK);
	assert_int_equal(check_packet(191, (const uint8_t[]){192, 0, 0, 0}, &packet), XVHC_EPROTO);
	assert_int_equal(check_packet(3072, (const uint8_t[]){0, 0, 0, 0x80}, &packet),
			 XVHC_EPROTO);
}

/* An event for a controller of eight ports. */
static int check_event(uint8_t port, uint8_t event, uint8_t speed)
{
	uint8_t bytes[16] = {127, 0, port, event, speed};
	struct xvhcif_event wire;
	struct port_event decoded;

	memcpy(&wire, bytes, sizeof(wire));
	return xvhcif_event_decode(&wire, 8, &decoded);
}

static void each_field_of_an_event_is_read(void **state)
{
	static const uint8_t bytes[16] = {5, 0, 8, 1, 4, 0, 0, 0, 8, 7, 6, 5, 4, 3, 2, 1};
	struct xvhcif_event wire;
	struct port_event event;

	(void)state;
	memcpy(&wire, bytes, sizeof(wire));
	assert_int_equal(xvhcif_event_decode(&wire, 8, &event), XVHC_OK);
	assert_int_equal(event.id, 5);
	assert_int_equal(event.port, 8);
	assert_int_equal(event.event, XVHCIF_EVENT_CONNECT);
	assert_int_equal(event.speed, XVHCIF_SPEED_SUPER);
	assert_true(event.device == 0x0102030405060708u);
}

static void event_of_each_kind(void **state)
{
	(void)state;
	assert_int_equal(check_event(1, XVHCIF_EVENT_DISCONNECT, 0), XVHC_OK);
	assert_int_equal(check_event(1, XVHCIF_EVENT_WAKEUP, 0), XVHC_OK);
	assert_int_equal(check_event(1, XVHCIF_EVENT_OVERCURRENT, 0), XVHC_OK);
	assert_int_equal(check_event(1, 4, 0), XVHC_EPROTO);
	assert_int_equal(check_event(1, UINT8_MAX, 0), XVHC_EPROTO);
}

static void connect_of_each_speed(void **state)
{
	(void)state;
	for (uint8_t speed = XVHCIF_SPEED_LOW; speed <= XVHCIF_SPEED_SUPER_PLUS; speed++)
		assert_int_equal(check_event(8, XVHCIF_EVENT_CONNECT, speed), XVHC_OK);
	assert_int_equal(check_event(8, XVHCIF_EVENT_CONNECT, 0), XVHC_EPROTO);
	assert_int_equal(check_event(8, XVHCIF_EVENT_CONNECT, 6), XVHC_EPROTO);
	assert_int_equal(check_event(8, XVHCIF_EVENT_CONNECT, UINT8_MAX), XVHC_EPROTO);
}

static void event_of_a_port_that_is_not_there(void **state)
{
	(void)state;
	assert_int_equal(check_event(0, XVHCIF_EVENT_WAKEUP, 0), XVHC_EPROTO);
	assert_int_equal(check_event(9, XVHCIF_EVENT_WAKEUP, 0), XVHC_EPROTO);
	assert_int_equal(check_event(UINT8_MAX, XVHCIF_EVENT_DISCONNECT, 0), XVHC_EPROTO);
}

static void event_with_an_id_that_cannot_be(void **state)
{
	uint8_t bytes[16] = {128, 0, 1, 0};
	struct xvhcif_event wire;
	struct port_event event;

	(void)state;
	memcpy(&wire, bytes, sizeof(wire));
	assert_int_equal(xvhcif_event_decode(&wire, 8, &event), XVHC_EPROTO);
	bytes[0] = 0;
	bytes[1] = 1;
	memcpy(&wire, bytes, sizeof(wire));
	assert_int_equal(xvhcif_event_decode(&wire, 8, &event), XVHC_EPROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_statuses),
		cmocka_unit_test(unknown_status_is_an_error),
		cmocka_unit_test(each_field_of_a_response_is_read),
		cmocka_unit_test(response_to_an_id_that_cannot_be),
		cmocka_unit_test(each_field_of_a_packet_is_read),
		cmocka_unit_test(packet_longer_than_asked_for),
		cmocka_unit_test(each_field_of_an_event_is_read),
		cmocka_unit_test(event_of_each_kind),
		cmocka_unit_test(connect_of_each_speed),
		cmocka_unit_test(event_of_a_port_that_is_not_there),
		cmocka_unit_test(event_with_an_id_that_cannot_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
