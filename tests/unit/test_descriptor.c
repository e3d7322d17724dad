// SPDX-License-Identifier: MIT
/* Descriptors, good and hostile. Each is parsed from a block of its exact size, for ASan. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <descriptor.h>
#include <error.h>
#include <transfer.h>

/* clang-format off */
#define DEVICE 18, 1, 0x00, 0x02, 0, 0, 0, 64, 0x34, 0x12, 0x78, 0x56, 0, 1, 1, 2, 0, 1
#define CONFIGURATION(total, value) 9, 2, total, 0, 1, value, 0, 0x80, 50
#define INTERFACE(number, altsetting) 9, 4, number, altsetting, 1, 0xff, 2, 3, 0
#define ENDPOINT(address, type, packet) 7, 5, address, type, (packet) & 0xff, (packet) >> 8, 4
/* clang-format on */

static struct descriptor_table table;

static int parse(const uint8_t *bytes, size_t length)
{
	uint8_t *exact = malloc(length ? length : 1);
	int error;

	memcpy(exact, bytes, length);
	memset(&table, 0xa5, sizeof(table));
	error = descriptor_parse(&table, exact, length);
	free(exact);
	return error;
}

#define PARSE(...) parse((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static void good_descriptors(void **state)
{
	const struct descriptor_configuration *configuration;
	const struct descriptor_altsetting *altsetting;

	(void)state;
	assert_int_equal(PARSE(DEVICE, CONFIGURATION(48, 3), INTERFACE(0, 0), INTERFACE(0, 1),
			       ENDPOINT(0x81, TRANSFER_BULK, 512),
			       ENDPOINT(0x02, TRANSFER_ISOC, 1024 | 2 << 11), 7, 0x24, 1, 2, 3, 4,
			       5, CONFIGURATION(18, 4), INTERFACE(5, 0)),
			 XVHC_OK);
	assert_int_equal(table.vendor, 0x1234);
	assert_int_equal(table.product, 0x5678);
	assert_int_equal(table.configurations, 2);
	configuration = descriptor_find_configuration(&table, 3);
	assert_non_null(configuration);
	assert_int_equal(configuration->altsetting_end - configuration->altsetting, 2);
	assert_int_equal(descriptor_interfaces(&table, configuration), 1);
	altsetting = descriptor_find_altsetting(&table, configuration, 0, 1);
	assert_non_null(altsetting);
	assert_int_equal(altsetting->class, 0xff);
	assert_int_equal(altsetting->endpoint_end - altsetting->endpoint, 2);
	assert_int_equal(table.endpoint[altsetting->endpoint].address, 0x81);
	assert_int_equal(table.endpoint[altsetting->endpoint].payload, 512);
	assert_int_equal(table.endpoint[altsetting->endpoint + 1].packet, 1024);
	assert_int_equal(table.endpoint[altsetting->endpoint + 1].payload, 3072);
	assert_null(descriptor_find_altsetting(&table, configuration, 0, 2));
	assert_null(descriptor_find_configuration(&table, 5));
	configuration = descriptor_find_configuration(&table, 4);
	assert_int_equal(descriptor_interfaces(&table, configuration), 1 << 5);
}

static void no_device_descriptor(void **state)
{
	(void)state;
	assert_int_equal(parse((const uint8_t[]){0}, 0), XVHC_EINVAL);
	assert_int_equal(PARSE(18, 1, 0, 2), XVHC_EINVAL);
	assert_int_equal(PARSE(17, 1, 0, 2, 0, 0, 0, 64, 0, 0, 0, 0, 0, 1, 1, 2, 0, 1),
			 XVHC_EINVAL);
	assert_int_equal(PARSE(18, 2, 0, 2, 0, 0, 0, 64, 0, 0, 0, 0, 0, 1, 1, 2, 0, 1),
			 XVHC_EINVAL);
}

static void device_without_configuration(void **state)
{
	(void)state;
	assert_int_equal(PARSE(DEVICE), XVHC_OK);
	assert_int_equal(table.configurations, 0);
}

static void configuration_that_ends_early(void **state)
{
	(void)state;
	assert_int_equal(PARSE(DEVICE, CONFIGURATION(200, 1), INTERFACE(0, 0),
			       ENDPOINT(0x81, TRANSFER_BULK, 512), 7, 5, 0x02),
			 XVHC_OK);
	assert_int_equal(table.configurations, 1);
	assert_int_equal(table.endpoints, 1);
}

static void configuration_shorter_than_itself(void **state)
{
	(void)state;
	assert_int_equal(PARSE(DEVICE, CONFIGURATION(8, 1), INTERFACE(0, 0)), XVHC_OK);
	assert_int_equal(table.configurations, 0);
	assert_int_equal(PARSE(DEVICE, CONFIGURATION(0, 1), INTERFACE(0, 0)), XVHC_OK);
	assert_int_equal(table.configurations, 0);
}

static void descriptor_of_length_zero_ends_its_configuration(void **state)
{
	(void)state;
	assert_int_equal(PARSE(DEVICE, CONFIGURATION(27, 1), INTERFACE(0, 0), 0, 0,
			       ENDPOINT(0x81, TRANSFER_BULK, 512)),
			 XVHC_OK);
	assert_int_equal(table.altsettings, 1);
	assert_int_equal(table.endpoints, 0);
}

static void short_interface_and_endpoint_are_skipped(void **state)
{
	(void)state;
	assert_int_equal(PARSE(DEVICE, CONFIGURATION(34, 1), 8, 4, 0, 0, 1, 2, 3, 4,
			       INTERFACE(1, 0), 6, 5, 0x81, 2, 0, 2, 2, 0),
			 XVHC_OK);
	assert_int_equal(table.altsettings, 1);
	assert_int_equal(table.altsetting[0].interface, 1);
	assert_int_equal(table.endpoints, 0);
}

static void endpoint_in_front_of_any_interface_is_skipped(void **state)
{
	(void)state;
	assert_int_equal(PARSE(DEVICE, CONFIGURATION(25, 1), ENDPOINT(0x81, TRANSFER_BULK, 512),
			       INTERFACE(0, 0)),
			 XVHC_OK);
	assert_int_equal(table.endpoints, 0);
	assert_int_equal(table.altsettings, 1);
}

static void endpoint_zero_and_repeated_endpoints_are_skipped(void **state)
{
	(void)state;
	assert_int_equal(PARSE(DEVICE, CONFIGURATION(46, 1), INTERFACE(0, 0),
			       ENDPOINT(0x80, TRANSFER_BULK, 64), ENDPOINT(0x81, TRANSFER_BULK, 64),
			       ENDPOINT(0x81, TRANSFER_ISOC, 1024),
			       ENDPOINT(0x01, TRANSFER_BULK, 64)),
			 XVHC_OK);
	assert_int_equal(table.endpoints, 2);
	assert_int_equal(table.endpoint[0].type, TRANSFER_BULK);
}

static void interface_beyond_the_limit_is_left_out(void **state)
{
	(void)state;
	assert_int_equal(PARSE(DEVICE, CONFIGURATION(34, 1), INTERFACE(32, 0),
			       ENDPOINT(0x81, TRANSFER_BULK, 64), INTERFACE(31, 0)),
			 XVHC_OK);
	assert_int_equal(table.altsettings, 1);
	assert_int_equal(table.altsetting[0].interface, 31);
	assert_int_equal(table.endpoints, 0);
}

static void tables_do_not_run_over(void **state)
{
	static const uint8_t device[] = {DEVICE}, interface[] = {INTERFACE(0, 0)};
	size_t length = sizeof(device), i, n;
	uint8_t *bytes = malloc(65536);

	(void)state;
	memcpy(bytes, device, sizeof(device));
	for (i = 0; i < XVHC_CONFIGS_MAX + 2; i++) {
		uint8_t *configuration = bytes + length;
		size_t start = length;

		memcpy(configuration, (const uint8_t[]){CONFIGURATION(0, 1)}, 9);
		length += 9;
		for (n = 0; n < XVHC_ALTSETTINGS_MAX + 2; n++) {
			memcpy(bytes + length, interface, 9);
			bytes[length + 3] = (uint8_t)n;
			length += 9;
			memcpy(bytes + length, (const uint8_t[]){ENDPOINT(0x81, 2, 64)}, 7);
			length += 7;
			memcpy(bytes + length, (const uint8_t[]){ENDPOINT(0x01, 2, 64)}, 7);
			length += 7;
			memcpy(bytes + length, (const uint8_t[]){ENDPOINT(0x02, 2, 64)}, 7);
			length += 7;
		}
		configuration[2] = (uint8_t)(length - start);
		configuration[3] = (uint8_t)((length - start) >> 8);
		configuration[5] = (uint8_t)(i + 1);
	}
	assert_true(length <= 65536);
	assert_int_equal(parse(bytes, length), XVHC_OK);
	free(bytes);
	assert_int_equal(table.configurations, XVHC_CONFIGS_MAX);
	assert_int_equal(table.altsettings, XVHC_ALTSETTINGS_MAX);
	assert_int_equal(table.endpoints, XVHC_ENDPOINTS_MAX);
}

/* Any bytes: nothing is read outside of them, and what comes out is within its limits. */
static void noise(void **state)
{
	uint8_t bytes[300] = {DEVICE};
	uint32_t seed = 12345, round, i;

	(void)state;
	for (round = 0; round < 20000; round++) {
		for (i = 18; i < sizeof(bytes); i++) {
			seed = seed * 1664525 + 1013904223;
			bytes[i] = (uint8_t)(seed >> 24);
			if ((seed >> 16 & 3) == 0)
				bytes[i] = (uint8_t)(seed >> 24 & 15);
		}
		bytes[19] = 2;
		assert_int_equal(parse(bytes, 18 + round % 283), XVHC_OK);
		assert_true(descriptor_table_is_valid(&table));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_descriptors),
		cmocka_unit_test(no_device_descriptor),
		cmocka_unit_test(device_without_configuration),
		cmocka_unit_test(configuration_that_ends_early),
		cmocka_unit_test(configuration_shorter_than_itself),
		cmocka_unit_test(descriptor_of_length_zero_ends_its_configuration),
		cmocka_unit_test(short_interface_and_endpoint_are_skipped),
		cmocka_unit_test(endpoint_in_front_of_any_interface_is_skipped),
		cmocka_unit_test(endpoint_zero_and_repeated_endpoints_are_skipped),
		cmocka_unit_test(interface_beyond_the_limit_is_left_out),
		cmocka_unit_test(tables_do_not_run_over),
		cmocka_unit_test(noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
