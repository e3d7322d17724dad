// SPDX-License-Identifier: MIT
/* What a device says that it is, from descriptors that may be anything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <describe.h>
#include <error.h>

/* clang-format off */
static const uint8_t composite[] = {
	18, 1, 0x00, 0x02, 0xef, 2, 1, 64, 0x81, 0x07, 0x67, 0x55, 0x26, 0x01, 1, 2, 0, 2,
	9, 2, 45, 0, 3, 1, 0, 0x80, 50,
	9, 4, 0, 0, 0, 8, 6, 0x50, 0,
	9, 4, 0, 1, 0, 8, 6, 0x62, 0,
	9, 4, 1, 0, 0, 8, 6, 0x50, 0,
	9, 4, 2, 0, 0, 3, 1, 1, 0,
	9, 2, 18, 0, 1, 2, 0, 0x80, 50,
	9, 4, 0, 0, 0, 0xfe, 1, 2, 0,
};
/* clang-format on */

static void assert_kind(const struct describe_kind *kind, uint8_t class, uint8_t subclass,
			uint8_t protocol)
{
	assert_int_equal(kind->class, class);
	assert_int_equal(kind->subclass, subclass);
	assert_int_equal(kind->protocol, protocol);
}

static void all_configurations_and_altsettings_count_once(void **state)
{
	struct describe_result result;

	(void)state;
	assert_int_equal(describe_device(&result, composite, sizeof(composite)), XVHC_OK);
	assert_int_equal(result.vendor, 0x0781);
	assert_int_equal(result.product, 0x5567);
	assert_int_equal(result.version, 0x0126);
	assert_kind(&result.device, 0xef, 2, 1);
	assert_true(result.complete);
	assert_int_equal(result.kinds, 4);
	assert_kind(&result.kind[0], 8, 6, 0x50);
	assert_kind(&result.kind[1], 8, 6, 0x62);
	assert_kind(&result.kind[2], 3, 1, 1);
	assert_kind(&result.kind[3], 0xfe, 1, 2);
}

static void cut_anywhere_it_says_no_more_than_is_there(void **state)
{
	struct describe_result result;

	(void)state;
	for (size_t length = 0; length < sizeof(composite); length++) {
		/* Its own allocation, so that a step beyond its end is seen. */
		uint8_t *bytes = malloc(length ? length : 1);

		memcpy(bytes, composite, length);
		if (length < 18)
			assert_int_equal(describe_device(&result, bytes, length), XVHC_EINVAL);
		else
			assert_int_equal(describe_device(&result, bytes, length), XVHC_OK);
		assert_true(result.kinds < 4);
		free(bytes);
	}
}

static void more_kinds_than_places(void **state)
{
	uint8_t bytes[18 + 9 + 9 * (XVHC_KINDS_MAX + 1)] = {18, 1};
	size_t configuration = sizeof(bytes) - 18;
	struct describe_result result;

	(void)state;
	memcpy(bytes + 18, "\x09\x02\0\0\x01\x01\0\x80\x32", 9);
	bytes[20] = (uint8_t)configuration;
	bytes[21] = (uint8_t)(configuration >> 8);
	for (uint8_t i = 0; i <= XVHC_KINDS_MAX; i++) {
		uint8_t *interface = bytes + 27 + 9 * i;

		memcpy(interface, "\x09\x04\0\0\0\0\0\0\0", 9);
		/* Numbers beyond what a table of descriptors takes count as well. */
		interface[2] = (uint8_t)(200 + i);
		interface[6] = i;
	}
	assert_int_equal(describe_device(&result, bytes, sizeof(bytes) - 9), XVHC_OK);
	assert_true(result.complete);
	assert_int_equal(result.kinds, XVHC_KINDS_MAX);
	assert_int_equal(describe_device(&result, bytes, sizeof(bytes)), XVHC_OK);
	assert_false(result.complete);
}

static void no_device_descriptor(void **state)
{
	struct describe_result result;
	uint8_t zeros[64] = {0};

	(void)state;
	assert_int_equal(describe_device(&result, zeros, sizeof(zeros)), XVHC_EINVAL);
	assert_int_equal(describe_device(&result, composite + 18, sizeof(composite) - 18),
			 XVHC_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_configurations_and_altsettings_count_once),
		cmocka_unit_test(cut_anywhere_it_says_no_more_than_is_there),
		cmocka_unit_test(more_kinds_than_places),
		cmocka_unit_test(no_device_descriptor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
