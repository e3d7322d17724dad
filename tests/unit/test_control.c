// SPDX-License-Identifier: MIT
/* Setup packets: what is carried out by the USB core, what passes, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <control.h>

static enum control_kind kind(uint8_t request_type, uint8_t request, uint16_t value, uint16_t index)
{
	struct control_setup setup = {request_type, request, value, index, 0};

	return control_classify(&setup);
}

static void setup_packet_is_little_endian(void **state)
{
	const uint8_t bytes[8] = {0xa1, 0xfe, 0x34, 0x12, 0x78, 0x56, 0xbc, 0x9a};
	struct control_setup setup;

	(void)state;
	control_parse(bytes, &setup);
	assert_int_equal(setup.request_type, 0xa1);
	assert_int_equal(setup.request, 0xfe);
	assert_int_equal(setup.value, 0x1234);
	assert_int_equal(setup.index, 0x5678);
	assert_int_equal(setup.length, 0x9abc);
}

static void requests_that_change_state_are_told_apart(void **state)
{
	(void)state;
	assert_int_equal(kind(0x00, 5, 7, 0), CONTROL_SET_ADDRESS);
	assert_int_equal(kind(0x00, 9, 1, 0), CONTROL_SET_CONFIGURATION);
	assert_int_equal(kind(0x01, 11, 1, 2), CONTROL_SET_INTERFACE);
	assert_int_equal(kind(0x02, 1, 0, 0x81), CONTROL_CLEAR_HALT);
	assert_int_equal(kind(0x80, 6, 0x0100, 0), CONTROL_GET_DESCRIPTOR);
}

/* A device does not look at the direction of what has no data: nor must we. */
static void requests_that_change_state_with_the_other_direction(void **state)
{
	(void)state;
	assert_int_equal(kind(0x80, 5, 7, 0), CONTROL_SET_ADDRESS);
	assert_int_equal(kind(0x80, 9, 1, 0), CONTROL_SET_CONFIGURATION);
	assert_int_equal(kind(0x81, 11, 1, 2), CONTROL_SET_INTERFACE);
	assert_int_equal(kind(0x82, 1, 0, 0x81), CONTROL_CLEAR_HALT);
	assert_int_equal(kind(0x80, 3, 2, 0x0400), CONTROL_REFUSE);
	assert_int_equal(kind(0x00, 6, 0x0100, 0), CONTROL_PASS);
}

static void same_numbers_of_another_type_pass(void **state)
{
	(void)state;
	assert_int_equal(kind(0x40, 5, 7, 0), CONTROL_PASS);
	assert_int_equal(kind(0x20, 9, 1, 0), CONTROL_PASS);
	assert_int_equal(kind(0x21, 11, 1, 2), CONTROL_PASS);
	assert_int_equal(kind(0x21, 9, 0x0200, 0), CONTROL_PASS);
	assert_int_equal(kind(0x81, 6, 0x2200, 0), CONTROL_PASS);
}

static void other_features_pass(void **state)
{
	(void)state;
	assert_int_equal(kind(0x00, 1, 1, 0), CONTROL_PASS);
	assert_int_equal(kind(0x00, 3, 1, 0), CONTROL_PASS);
	assert_int_equal(kind(0x02, 3, 0, 0x81), CONTROL_PASS);
}

static void halt_of_the_control_endpoint_passes(void **state)
{
	(void)state;
	assert_int_equal(kind(0x02, 1, 0, 0x00), CONTROL_PASS);
	assert_int_equal(kind(0x02, 1, 0, 0x80), CONTROL_PASS);
}

static void test_mode_is_refused(void **state)
{
	(void)state;
	assert_int_equal(kind(0x00, 3, 2, 0x0400), CONTROL_REFUSE);
}

static int check(uint8_t request_type, uint16_t setup_length, bool in, uint32_t length)
{
	struct control_setup setup = {.request_type = request_type, .length = setup_length};
	struct transfer_request request = {.in = in, .length = length};

	return control_check(&setup, &request);
}

static void data_stage_fits_its_buffer(void **state)
{
	(void)state;
	assert_int_equal(check(0x80, 18, true, 18), XVHC_OK);
	assert_int_equal(check(0x80, 18, true, 64), XVHC_OK);
	assert_int_equal(check(0x00, 8, false, 8), XVHC_OK);
}

static void data_stage_beyond_its_buffer(void **state)
{
	(void)state;
	assert_int_equal(check(0x80, 18, true, 17), XVHC_EINVAL);
	assert_int_equal(check(0x00, 0xffff, false, 8), XVHC_EINVAL);
}

static void data_stage_against_the_direction(void **state)
{
	(void)state;
	assert_int_equal(check(0x80, 18, false, 18), XVHC_EINVAL);
	assert_int_equal(check(0x00, 18, true, 18), XVHC_EINVAL);
}

static void direction_does_not_matter_without_data(void **state)
{
	(void)state;
	assert_int_equal(check(0x80, 0, false, 0), XVHC_OK);
	assert_int_equal(check(0x00, 0, true, 0), XVHC_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(setup_packet_is_little_endian),
		cmocka_unit_test(requests_that_change_state_are_told_apart),
		cmocka_unit_test(requests_that_change_state_with_the_other_direction),
		cmocka_unit_test(same_numbers_of_another_type_pass),
		cmocka_unit_test(other_features_pass),
		cmocka_unit_test(halt_of_the_control_endpoint_passes),
		cmocka_unit_test(test_mode_is_refused),
		cmocka_unit_test(data_stage_fits_its_buffer),
		cmocka_unit_test(data_stage_beyond_its_buffer),
		cmocka_unit_test(data_stage_against_the_direction),
		cmocka_unit_test(direction_does_not_matter_without_data),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
