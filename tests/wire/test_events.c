// SPDX-License-Identifier: MIT
/* What a worker tells the broker of what its guest does with a device: counted, and not too often.
 */
#include "frontend2.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define MANY 200u

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* No more than one at the beginning, and one in each pause since. */
static void assert_not_too_often(const struct told *told, uint64_t since_ms)
{
	assert_in_range(told->messages, 1, 2 + (now_ms() - since_ms) / XVHC_PORT_EVENT_PAUSE_MS);
}

static void resets_are_counted(void **state)
{
	struct frontend2 *frontend = *state;
	const struct told *told = &frontend->base.told_broker[1][PORT_EVENT_RESET];
	uint64_t since_ms = now_ms();

	frontend2_plug_loopback(frontend, 2, 0);
	for (uint32_t i = 0; i < MANY; i++) {
		assert_int_equal(frontend2_operate(frontend, XVHCIF_PORT_RESET, 1),
				 XVHCIF_STATUS_OK);
		frontend2_configure(frontend, 1, 3, 2);
	}
	frontend2_until(frontend, told->count >= MANY);
	assert_int_equal(told->count, MANY);
	assert_not_too_often(told, since_ms);
	assert_int_equal(frontend->base.told_broker[1][PORT_EVENT_BLOCKED].messages, 0);
}

/* Linux resets a new device before it gives it an address: that is nothing to tell. */
static void resets_that_reach_no_device_are_not_told(void **state)
{
	struct frontend2 *frontend = *state;

	frontend2_plug(frontend, 1, MODEL_LOOPBACK, USB_SPEED_HIGH, 1);
	assert_int_equal(frontend2_operate(frontend, XVHCIF_PORT_RESET, 1), XVHCIF_STATUS_OK);
	frontend2_until(frontend, frontend->base.state[1] == PORT_ATTACHED);
	frontend2_configure(frontend, 1, 3, 2);
	frontend2_until(frontend, frontend->base.state[1] == PORT_CONFIGURED);
	assert_int_equal(frontend->base.told_broker[1][PORT_EVENT_RESET].messages, 0);
}

static void blocked_requests_are_counted(void **state)
{
	struct frontend *frontend = *state;
	const struct told *told = &frontend->told_broker[1][PORT_EVENT_BLOCKED];
	uint64_t since_ms = now_ms();
	uint32_t place;
	uint8_t data[64];

	frontend_plug(frontend, 1, MODEL_LOOPBACK, USB_SPEED_HIGH);
	place = frontend_configure(frontend, 1, 3, 1);
	for (uint32_t i = 0; i < MANY; i++)
		assert_true(frontend_transfer(frontend, place | PIPE(BULK, 0x8e), data, 64, NULL) !=
			    USBIF_STATUS_OK);
	frontend_until(frontend, told->count >= MANY);
	assert_int_equal(told->count, MANY);
	assert_int_equal(told->type, TRANSFER_BULK);
	assert_int_equal(told->endpoint, 0x8e);
	assert_not_too_often(told, since_ms);
}

/* Its time has not come, but afterwards it would be told of another device. */
static void blocked_requests_are_told_before_the_device_is_gone(void **state)
{
	struct frontend *frontend = *state;
	const struct told *told = &frontend->told_broker[1][PORT_EVENT_BLOCKED];
	uint32_t place;
	uint8_t data[64];

	frontend_plug(frontend, 1, MODEL_LOOPBACK, USB_SPEED_HIGH);
	place = frontend_configure(frontend, 1, 3, 1);
	for (uint32_t i = 0; i < MANY; i++)
		(void)frontend_transfer(frontend, place | PIPE(BULK, 0x8e), data, 64, NULL);
	frontend_detach(frontend, 1);
	frontend_until(frontend, frontend->detached[1] == 1);
	assert_int_equal(told->count, MANY);
}

static void requests_to_an_empty_port_are_not_told(void **state)
{
	struct frontend *frontend = *state;
	uint8_t data[64];

	for (uint32_t i = 0; i < MANY; i++)
		assert_int_equal(frontend_transfer(frontend, pipe_place(2, 3) | PIPE(BULK, 0x81),
						   data, 64, NULL),
				 USBIF_STATUS_NODEV);
	frontend_plug(frontend, 1, MODEL_LOOPBACK, USB_SPEED_HIGH);
	frontend_until(frontend, frontend->state[1] == PORT_ATTACHED);
	assert_int_equal(frontend->told_broker[2][PORT_EVENT_BLOCKED].messages, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WIRE2_TEST(resets_are_counted),
		WIRE2_TEST(resets_that_reach_no_device_are_not_told),
		WIRE_TEST(blocked_requests_are_counted),
		WIRE_TEST(blocked_requests_are_told_before_the_device_is_gone),
		WIRE_TEST(requests_to_an_empty_port_are_not_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
