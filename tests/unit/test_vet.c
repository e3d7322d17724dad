// SPDX-License-Identifier: MIT
/* Vetting: a request against the state of a device, one condition each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <vet.h>

/* clang-format off */
static const uint8_t descriptors[] = {
	18, 1, 0x00, 0x02, 0, 0, 0, 64, 0, 0, 0, 0, 0, 1, 1, 2, 0, 1,
	9, 2, 78, 0, 2, 1, 0, 0x80, 50,
	9, 4, 0, 0, 3, 0xff, 0, 0, 0,
	7, 5, 0x81, TRANSFER_BULK, 0x00, 0x02, 0,
	7, 5, 0x02, TRANSFER_BULK, 0x00, 0x02, 0,
	7, 5, 0x05, TRANSFER_CONTROL, 64, 0, 0,
	9, 4, 1, 0, 0, 0xff, 0, 0, 0,
	9, 4, 1, 1, 2, 0xff, 0, 0, 0,
	7, 5, 0x83, TRANSFER_ISOC, 0x00, 0x0c, 1,
	7, 5, 0x84, TRANSFER_INTERRUPT, 8, 0, 4,
	7, 5, 0x04, TRANSFER_INTERRUPT, 8, 0, 4,
	9, 2, 18, 0, 1, 2, 0, 0x80, 50,
	9, 4, 0, 0, 0, 0xff, 0, 0, 0,
};
/* clang-format on */

static struct descriptor_table table;
static struct device_state device;

static int setup(void **state)
{
	(void)state;
	if (descriptor_parse(&table, descriptors, sizeof(descriptors)) != XVHC_OK)
		return -1;
	device_state_init(&device, &table);
	device.address = 5;
	return device_state_configure(&device, 1);
}

static struct transfer_request request_to(uint8_t endpoint, uint8_t type)
{
	struct transfer_request request = {
		.port = 1,
		.address = 5,
		.endpoint = endpoint & 0x0f,
		.in = (endpoint & 0x80) != 0,
		.type = type,
		.length = 2048,
	};

	return request;
}

static int vet(uint8_t endpoint, uint8_t type)
{
	struct transfer_request request = request_to(endpoint, type);

	return vet_request(&device, &request, NULL);
}

static void active_endpoint_passes(void **state)
{
	(void)state;
	assert_int_equal(vet(0x81, TRANSFER_BULK), XVHC_OK);
	assert_int_equal(vet(0x02, TRANSFER_BULK), XVHC_OK);
	assert_int_equal(vet(0x00, TRANSFER_CONTROL), XVHC_OK);
	assert_int_equal(vet(0x80, TRANSFER_CONTROL), XVHC_OK);
}

static void other_direction_of_an_endpoint(void **state)
{
	(void)state;
	assert_int_equal(vet(0x01, TRANSFER_BULK), XVHC_EINVAL);
	assert_int_equal(vet(0x82, TRANSFER_BULK), XVHC_EINVAL);
}

static void other_type_of_an_endpoint(void **state)
{
	(void)state;
	assert_int_equal(vet(0x81, TRANSFER_INTERRUPT), XVHC_EINVAL);
	assert_int_equal(vet(0x81, TRANSFER_CONTROL), XVHC_EINVAL);
	assert_int_equal(vet(0x81, TRANSFER_ISOC), XVHC_EINVAL);
	assert_int_equal(vet(0x00, TRANSFER_BULK), XVHC_EINVAL);
}

static void control_endpoint_other_than_zero(void **state)
{
	(void)state;
	assert_non_null(device_state_endpoint(&device, 0x05));
	assert_int_equal(vet(0x05, TRANSFER_CONTROL), XVHC_EINVAL);
}

static void endpoint_of_an_altsetting_that_is_not_active(void **state)
{
	(void)state;
	assert_int_equal(vet(0x84, TRANSFER_INTERRUPT), XVHC_EINVAL);
	assert_int_equal(device_state_set_interface(&device, 1, 1), XVHC_OK);
	assert_int_equal(vet(0x84, TRANSFER_INTERRUPT), XVHC_OK);
	assert_int_equal(vet(0x81, TRANSFER_BULK), XVHC_OK);
	assert_int_equal(device_state_set_interface(&device, 1, 0), XVHC_OK);
	assert_int_equal(vet(0x84, TRANSFER_INTERRUPT), XVHC_EINVAL);
}

static void no_configuration(void **state)
{
	(void)state;
	assert_int_equal(device_state_configure(&device, 0), XVHC_OK);
	assert_int_equal(vet(0x81, TRANSFER_BULK), XVHC_EINVAL);
	assert_int_equal(vet(0x00, TRANSFER_CONTROL), XVHC_OK);
}

static void another_configuration(void **state)
{
	(void)state;
	assert_int_equal(device_state_configure(&device, 2), XVHC_OK);
	assert_int_equal(vet(0x81, TRANSFER_BULK), XVHC_EINVAL);
	assert_int_equal(device_state_configure(&device, 3), XVHC_EINVAL);
	assert_int_equal(device.configuration, 2);
}

static void interface_that_is_not_there(void **state)
{
	(void)state;
	assert_int_equal(device_state_set_interface(&device, 2, 0), XVHC_EINVAL);
	assert_int_equal(device_state_set_interface(&device, 255, 0), XVHC_EINVAL);
	assert_int_equal(device_state_set_interface(&device, 1, 2), XVHC_EINVAL);
	assert_int_equal(vet(0x81, TRANSFER_BULK), XVHC_OK);
	assert_int_equal(device_state_configure(&device, 0), XVHC_OK);
	assert_int_equal(device_state_set_interface(&device, 0, 0), XVHC_EINVAL);
}

static void another_address(void **state)
{
	(void)state;
	device.address = 6;
	assert_int_equal(vet(0x81, TRANSFER_BULK), XVHC_ENODEV);
	device.address = 0;
	assert_int_equal(vet(0x81, TRANSFER_BULK), XVHC_ENODEV);
}

static void default_state_has_only_control(void **state)
{
	struct transfer_request request = request_to(0x81, TRANSFER_BULK);

	(void)state;
	device.address = 0;
	request.address = 0;
	assert_int_equal(vet_request(&device, &request, NULL), XVHC_EINVAL);
	request = request_to(0, TRANSFER_CONTROL);
	request.address = 0;
	assert_int_equal(vet_request(&device, &request, NULL), XVHC_OK);
}

static void setup_packet_beyond_its_buffer(void **state)
{
	struct transfer_request request = request_to(0x80, TRANSFER_CONTROL);

	(void)state;
	memcpy(request.setup, "\x80\x06\x00\x01\x00\x00\x00\x08", 8);
	assert_int_equal(vet_request(&device, &request, NULL), XVHC_OK);
	request.setup[6] = 1;
	assert_int_equal(vet_request(&device, &request, NULL), XVHC_EINVAL);
}

static int vet_setup(const char *packet)
{
	struct transfer_request request = request_to(0, TRANSFER_CONTROL);

	memcpy(request.setup, packet, 8);
	request.in = (request.setup[0] & 0x80) != 0;
	return vet_request(&device, &request, NULL);
}

static void request_to_an_interface_that_is_not_there(void **state)
{
	(void)state;
	/* GET_STATUS, GET_INTERFACE; of a class; number 2, and one that fits no table. */
	assert_int_equal(vet_setup("\x81\0\0\0\x01\0\x02\0"), XVHC_OK);
	assert_int_equal(vet_setup("\x81\0\0\0\x02\0\x02\0"), XVHC_ESTALL);
	assert_int_equal(vet_setup("\x81\x0a\0\0\xff\0\x01\0"), XVHC_ESTALL);
	assert_int_equal(vet_setup("\x21\x09\0\0\x01\0\0\0"), XVHC_OK);
	assert_int_equal(vet_setup("\x21\x09\0\0\x02\0\0\0"), XVHC_ESTALL);
	/* Configuration 2 has one interface; without a configuration there is none. */
	assert_int_equal(device_state_configure(&device, 2), XVHC_OK);
	assert_int_equal(vet_setup("\x81\0\0\0\x01\0\x02\0"), XVHC_ESTALL);
	assert_int_equal(device_state_configure(&device, 0), XVHC_OK);
	assert_int_equal(vet_setup("\x81\0\0\0\0\0\x02\0"), XVHC_ESTALL);
}

static void request_to_an_endpoint_that_is_not_active(void **state)
{
	(void)state;
	assert_int_equal(vet_setup("\x82\0\0\0\x81\0\x02\0"), XVHC_OK);
	assert_int_equal(vet_setup("\x82\0\0\0\0\0\x02\0"), XVHC_OK);
	assert_int_equal(vet_setup("\x82\0\0\0\x01\0\x02\0"), XVHC_ESTALL);
	assert_int_equal(vet_setup("\x22\x01\0\x01\x84\0\0\0"), XVHC_ESTALL);
	assert_int_equal(device_state_set_interface(&device, 1, 1), XVHC_OK);
	assert_int_equal(vet_setup("\x22\x01\0\x01\x84\0\0\0"), XVHC_OK);
}

static void recipient_of_a_vendors_own(void **state)
{
	(void)state;
	assert_int_equal(vet_setup("\x41\x01\0\0\x34\x12\0\0"), XVHC_OK);
	assert_int_equal(vet_setup("\xc2\x01\0\0\x34\x12\0\0"), XVHC_OK);
	assert_int_equal(vet_setup("\x23\x01\0\0\x34\x12\0\0"), XVHC_OK);
}

/* GET_DEVICE_ID names its interface in the high byte, where that is a printer. */
static void printer_in_the_high_byte(void **state)
{
	/* clang-format off */
	static const uint8_t bytes[] = {
		18, 1, 0x00, 0x02, 0, 0, 0, 64, 0, 0, 0, 0, 0, 1, 1, 2, 0, 1,
		9, 2, 36, 0, 2, 1, 0, 0x80, 50,
		9, 4, 0, 0, 0, 0xff, 0, 0, 0,
		9, 4, 3, 0, 0, 0xff, 0, 0, 0,
		9, 4, 3, 7, 0, 0x07, 1, 2, 0,
	};
	/* clang-format on */
	(void)state;
	assert_int_equal(descriptor_parse(&table, bytes, sizeof(bytes)), XVHC_OK);
	device_state_init(&device, &table);
	device.address = 5;
	assert_int_equal(device_state_configure(&device, 1), XVHC_OK);
	assert_int_equal(vet_setup("\xa1\0\0\0\x07\x03\0\x04"), XVHC_OK);
	assert_int_equal(vet_setup("\xa1\0\0\0\x03\0\0\x04"), XVHC_OK);
	assert_int_equal(vet_setup("\xa1\0\0\0\x07\x02\0\x04"), XVHC_ESTALL);
	assert_int_equal(vet_setup("\xa1\0\0\0\x07\xff\0\x04"), XVHC_ESTALL);
	assert_int_equal(vet_setup("\xa1\x01\0\0\x07\x03\0\x04"), XVHC_ESTALL);
}

/* A device with a loader of firmware as its interface 1, in an altsetting other than 0. */
static int vet_firmware(const char *packet, bool allowed)
{
	/* clang-format off */
	static const uint8_t bytes[] = {
		18, 1, 0x00, 0x02, 0, 0, 0, 64, 0, 0, 0, 0, 0, 1, 1, 2, 0, 1,
		9, 2, 36, 0, 2, 1, 0, 0x80, 50,
		9, 4, 0, 0, 0, 0xfe, 2, 1, 0,
		9, 4, 1, 0, 0, 0xff, 0, 0, 0,
		9, 4, 1, 1, 0, 0xfe, 1, 2, 0,
	};
	/* clang-format on */
	static struct descriptor_table loader;
	struct transfer_request request = request_to(0, TRANSFER_CONTROL);
	struct device_state state;

	assert_int_equal(descriptor_parse(&loader, bytes, sizeof(bytes)), XVHC_OK);
	device_state_init(&state, &loader);
	assert_false(state.firmware_allowed);
	state.firmware_allowed = allowed;
	state.address = 5;
	assert_int_equal(device_state_configure(&state, 1), XVHC_OK);
	memcpy(request.setup, packet, 8);
	request.in = (request.setup[0] & 0x80) != 0;
	return vet_request(&state, &request, NULL);
}

static void firmware_download_that_is_not_allowed(void **state)
{
	(void)state;
	/* DNLOAD, its end without data, DETACH; the device as the recipient; the direction bit. */
	assert_int_equal(vet_firmware("\x21\x01\0\0\x01\0\0\x04", false), XVHC_ESTALL);
	assert_int_equal(vet_firmware("\x21\x01\0\0\x01\0\0\0", false), XVHC_ESTALL);
	assert_int_equal(vet_firmware("\x21\0\0\0\x01\0\0\0", false), XVHC_ESTALL);
	assert_int_equal(vet_firmware("\x21\x01\0\0\x01\xff\0\0", false), XVHC_ESTALL);
	assert_int_equal(vet_firmware("\x20\x01\0\0\x01\0\0\0", false), XVHC_ESTALL);
	assert_int_equal(vet_firmware("\xa1\x01\0\0\x01\0\0\0", false), XVHC_ESTALL);
}

static void firmware_download_that_is_allowed(void **state)
{
	(void)state;
	assert_int_equal(vet_firmware("\x21\x01\0\0\x01\0\0\x04", true), XVHC_OK);
	assert_int_equal(vet_firmware("\x21\0\0\0\x01\0\0\0", true), XVHC_OK);
}

static void same_requests_to_what_is_no_loader(void **state)
{
	(void)state;
	/* Interface 0, an endpoint, a request of the vendor; and reading the loader's state. */
	assert_int_equal(vet_firmware("\x21\x01\0\0\0\0\0\x04", false), XVHC_OK);
	assert_int_equal(vet_firmware("\x22\x01\0\0\x80\0\0\0", false), XVHC_OK);
	assert_int_equal(vet_firmware("\x41\x01\0\0\x01\0\0\0", false), XVHC_OK);
	assert_int_equal(vet_firmware("\xa1\x03\0\0\x01\0\x06\0", false), XVHC_OK);
	assert_int_equal(vet_firmware("\x01\x0b\0\0\x01\0\0\0", false), XVHC_OK);
}

static int vet_isoc(uint32_t one, uint32_t two)
{
	struct transfer_request request = request_to(0x83, TRANSFER_ISOC);
	struct transfer_packet packets[2] = {{.length = one}, {.length = two}};

	request.packets = 2;
	request.length = 4000;
	return vet_request(&device, &request, packets);
}

static void isoc_packets_within_the_endpoint(void **state)
{
	(void)state;
	assert_int_equal(device_state_set_interface(&device, 1, 1), XVHC_OK);
	/* 0x0c00: 1,024 bytes, twice in a microframe. */
	assert_int_equal(vet_isoc(2048, 0), XVHC_OK);
	assert_int_equal(vet_isoc(2000, 2000), XVHC_OK);
}

static void isoc_packet_beyond_the_endpoint(void **state)
{
	(void)state;
	assert_int_equal(device_state_set_interface(&device, 1, 1), XVHC_OK);
	assert_int_equal(vet_isoc(2049, 0), XVHC_EINVAL);
	assert_int_equal(vet_isoc(0, 0xffffffff), XVHC_EINVAL);
}

static void isoc_packets_beyond_the_data_in_the_sum(void **state)
{
	(void)state;
	assert_int_equal(device_state_set_interface(&device, 1, 1), XVHC_OK);
	assert_int_equal(vet_isoc(2000, 2001), XVHC_EINVAL);
}

static void endpoints_know_their_interface(void **state)
{
	(void)state;
	assert_true(device_state_owns(&device, 0, 0x81));
	assert_false(device_state_owns(&device, 0, 0x01));
	assert_false(device_state_owns(&device, 1, 0x81));
	assert_false(device_state_owns(&device, 1, 0x83));
	assert_int_equal(device_state_set_interface(&device, 1, 1), XVHC_OK);
	assert_true(device_state_owns(&device, 1, 0x83));
	assert_false(device_state_owns(&device, 200, 0x83));
}

static int vet_stream(uint8_t endpoint, uint8_t type, uint16_t stream)
{
	struct transfer_request request = request_to(endpoint, type);

	request.stream = stream;
	return vet_request(&device, &request, NULL);
}

#define BIT_IN(number) (1u << (16 + (number)))
#define BIT_OUT(number) (1u << (number))

static void stream_of_an_endpoint_without_streams(void **state)
{
	(void)state;
	assert_int_equal(vet_stream(0x81, TRANSFER_BULK, 0), XVHC_OK);
	assert_int_equal(vet_stream(0x81, TRANSFER_BULK, 1), XVHC_EINVAL);
}

static void endpoint_with_streams_is_asked_by_stream(void **state)
{
	(void)state;
	device_state_set_streams(&device, BIT_IN(1), 4);
	assert_int_equal(vet_stream(0x81, TRANSFER_BULK, 0), XVHC_EINVAL);
	assert_int_equal(vet_stream(0x81, TRANSFER_BULK, 1), XVHC_OK);
	assert_int_equal(vet_stream(0x81, TRANSFER_BULK, 4), XVHC_OK);
	assert_int_equal(vet_stream(0x81, TRANSFER_BULK, 5), XVHC_EINVAL);
	assert_int_equal(vet_stream(0x81, TRANSFER_BULK, UINT16_MAX), XVHC_EINVAL);
	/* The others have none. */
	assert_int_equal(vet_stream(0x02, TRANSFER_BULK, 0), XVHC_OK);
	assert_int_equal(vet_stream(0x00, TRANSFER_CONTROL, 0), XVHC_OK);
}

static void streams_of_the_same_number_in_the_other_direction(void **state)
{
	(void)state;
	device_state_set_streams(&device, BIT_OUT(1) | BIT_IN(2), 4);
	assert_int_equal(vet_stream(0x81, TRANSFER_BULK, 1), XVHC_EINVAL);
	assert_int_equal(vet_stream(0x02, TRANSFER_BULK, 1), XVHC_EINVAL);
	device_state_set_streams(&device, BIT_IN(1) | BIT_OUT(2), 4);
	assert_int_equal(vet_stream(0x81, TRANSFER_BULK, 1), XVHC_OK);
	assert_int_equal(vet_stream(0x02, TRANSFER_BULK, 4), XVHC_OK);
}

static void streams_end_when_they_are_freed(void **state)
{
	(void)state;
	device_state_set_streams(&device, BIT_IN(1) | BIT_OUT(2), 4);
	device_state_set_streams(&device, BIT_IN(1), 0);
	assert_int_equal(vet_stream(0x81, TRANSFER_BULK, 1), XVHC_EINVAL);
	assert_int_equal(vet_stream(0x81, TRANSFER_BULK, 0), XVHC_OK);
	assert_int_equal(vet_stream(0x02, TRANSFER_BULK, 1), XVHC_OK);
}

static void streams_end_with_the_setting(void **state)
{
	(void)state;
	device_state_set_streams(&device, BIT_IN(1), 4);
	assert_int_equal(device_state_set_interface(&device, 1, 1), XVHC_OK);
	/* Those of another interface stay. */
	assert_int_equal(vet_stream(0x81, TRANSFER_BULK, 1), XVHC_OK);
	assert_int_equal(device_state_set_interface(&device, 0, 0), XVHC_OK);
	assert_int_equal(vet_stream(0x81, TRANSFER_BULK, 0), XVHC_OK);
	assert_int_equal(vet_stream(0x81, TRANSFER_BULK, 1), XVHC_EINVAL);
	device_state_set_streams(&device, BIT_IN(1), 4);
	assert_int_equal(device_state_configure(&device, 1), XVHC_OK);
	assert_int_equal(vet_stream(0x81, TRANSFER_BULK, 0), XVHC_OK);
	device_state_set_streams(&device, BIT_IN(1), 4);
	device_state_init(&device, &table);
	device.address = 5;
	assert_int_equal(device_state_configure(&device, 1), XVHC_OK);
	assert_int_equal(vet_stream(0x81, TRANSFER_BULK, 0), XVHC_OK);
}

static void only_active_bulk_endpoints_can_stream(void **state)
{
	(void)state;
	assert_true(device_state_can_stream(&device, BIT_IN(1)));
	assert_true(device_state_can_stream(&device, BIT_OUT(2)));
	assert_true(device_state_can_stream(&device, BIT_IN(1) | BIT_OUT(2)));
	assert_false(device_state_can_stream(&device, 0));
	assert_false(device_state_can_stream(&device, BIT_OUT(1)));
	assert_false(device_state_can_stream(&device, BIT_IN(1) | BIT_IN(2)));
	assert_false(device_state_can_stream(&device, BIT_OUT(0)));
	assert_false(device_state_can_stream(&device, BIT_IN(0)));
	/* One of another type. */
	assert_false(device_state_can_stream(&device, BIT_OUT(5)));
	assert_int_equal(device_state_set_interface(&device, 1, 1), XVHC_OK);
	assert_false(device_state_can_stream(&device, BIT_IN(4)));
	assert_false(device_state_can_stream(&device, BIT_IN(15)));
	assert_int_equal(device_state_configure(&device, 0), XVHC_OK);
	assert_false(device_state_can_stream(&device, BIT_IN(1)));
}

#define VET_TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		VET_TEST(active_endpoint_passes),
		VET_TEST(other_direction_of_an_endpoint),
		VET_TEST(other_type_of_an_endpoint),
		VET_TEST(control_endpoint_other_than_zero),
		VET_TEST(endpoint_of_an_altsetting_that_is_not_active),
		VET_TEST(no_configuration),
		VET_TEST(another_configuration),
		VET_TEST(interface_that_is_not_there),
		VET_TEST(another_address),
		VET_TEST(default_state_has_only_control),
		VET_TEST(setup_packet_beyond_its_buffer),
		VET_TEST(request_to_an_interface_that_is_not_there),
		VET_TEST(request_to_an_endpoint_that_is_not_active),
		VET_TEST(recipient_of_a_vendors_own),
		VET_TEST(printer_in_the_high_byte),
		VET_TEST(firmware_download_that_is_not_allowed),
		VET_TEST(firmware_download_that_is_allowed),
		VET_TEST(same_requests_to_what_is_no_loader),
		VET_TEST(isoc_packets_within_the_endpoint),
		VET_TEST(isoc_packet_beyond_the_endpoint),
		VET_TEST(isoc_packets_beyond_the_data_in_the_sum),
		VET_TEST(endpoints_know_their_interface),
		VET_TEST(stream_of_an_endpoint_without_streams),
		VET_TEST(endpoint_with_streams_is_asked_by_stream),
		VET_TEST(streams_of_the_same_number_in_the_other_direction),
		VET_TEST(streams_end_when_they_are_freed),
		VET_TEST(streams_end_with_the_setting),
		VET_TEST(only_active_bulk_endpoints_can_stream),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
