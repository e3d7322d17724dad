// SPDX-License-Identifier: MIT
/* A SuperSpeed device, shown as a high-speed one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <present.h>
#include <transfer.h>

#define MAX 512

/* clang-format off */
#define DEVICE 18, 1, 0x20, 0x03, 0, 0, 0, 9, 0, 0, 0, 0, 0, 1, 1, 2, 0, 1
#define CONFIGURATION(total, power) 9, 2, total, 0, 1, 1, 0, 0x80, power
#define INTERFACE(number, altsetting) 9, 4, number, altsetting, 1, 8, 6, 0x50, 0
#define ENDPOINT(address, type, packet) 7, 5, address, type, (packet) & 0xff, (packet) >> 8, 4
#define COMPANION(attributes, bytes) 6, 0x30, 3, attributes, (bytes) & 0xff, (bytes) >> 8
/* clang-format on */

static uint8_t bytes[MAX];
static size_t length;

/* In a block of its exact size, for ASan. */
static void present(const uint8_t *in, size_t in_length)
{
	uint8_t *exact = malloc(in_length ? in_length : 1);

	memcpy(exact, in, in_length);
	length = present_high_speed(exact, in_length);
	assert_true(length <= in_length && length <= MAX);
	memcpy(bytes, exact, length);
	free(exact);
}

#define PRESENT(...) present((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

#define EXPECT(...)                                                                                \
	do {                                                                                       \
		const uint8_t expected[] = {__VA_ARGS__};                                          \
                                                                                                   \
		assert_int_equal(length, 18 + sizeof(expected));                                   \
		assert_memory_equal(bytes + 18, expected, sizeof(expected));                       \
	} while (0)

static void device_descriptor_is_of_usb_2_0(void **state)
{
	(void)state;
	PRESENT(DEVICE);
	assert_int_equal(length, 18);
	assert_int_equal(descriptor_u16(bytes + 2), 0x0200);
	assert_int_equal(bytes[7], 64);
}

static void bulk_packets_are_512_bytes_and_companions_go(void **state)
{
	(void)state;
	PRESENT(DEVICE, CONFIGURATION(44, 50), INTERFACE(0, 0), ENDPOINT(0x81, TRANSFER_BULK, 1024),
		COMPANION(0, 0), ENDPOINT(0x02, TRANSFER_BULK, 1024), COMPANION(0, 0));
	EXPECT(CONFIGURATION(32, 200), INTERFACE(0, 0), ENDPOINT(0x81, TRANSFER_BULK, 512),
	       ENDPOINT(0x02, TRANSFER_BULK, 512));
}

static void power_is_what_a_usb_2_0_port_gives(void **state)
{
	(void)state;
	PRESENT(DEVICE, CONFIGURATION(9, 112));
	EXPECT(CONFIGURATION(9, 250));
	PRESENT(DEVICE, CONFIGURATION(9, 255));
	EXPECT(CONFIGURATION(9, 250));
	PRESENT(DEVICE, CONFIGURATION(9, 62));
	EXPECT(CONFIGURATION(9, 248));
}

static void altsetting_with_streams_goes(void **state)
{
	(void)state;
	PRESENT(DEVICE, CONFIGURATION(81, 50), INTERFACE(0, 0), ENDPOINT(0x81, TRANSFER_BULK, 1024),
		COMPANION(0, 0), INTERFACE(0, 1), ENDPOINT(0x81, TRANSFER_BULK, 1024),
		COMPANION(5, 0), 4, 0x24, 1, 0, 8, 0x0b, 1, 1, 1, 1, 1, 0, INTERFACE(1, 0),
		ENDPOINT(0x83, TRANSFER_BULK, 1024));
	EXPECT(CONFIGURATION(49, 200), INTERFACE(0, 0), ENDPOINT(0x81, TRANSFER_BULK, 512), 8, 0x0b,
	       1, 1, 1, 1, 1, 0, INTERFACE(1, 0), ENDPOINT(0x83, TRANSFER_BULK, 512));
}

static void altsetting_0_with_streams_stays(void **state)
{
	(void)state;
	PRESENT(DEVICE, CONFIGURATION(31, 50), INTERFACE(0, 0), ENDPOINT(0x81, TRANSFER_BULK, 1024),
		COMPANION(5, 0));
	EXPECT(CONFIGURATION(25, 200), INTERFACE(0, 0), ENDPOINT(0x81, TRANSFER_BULK, 512));
}

static void periodic_bytes_become_packets_of_a_microframe(void **state)
{
	(void)state;
	PRESENT(DEVICE, CONFIGURATION(57, 50), INTERFACE(0, 0), ENDPOINT(0x81, TRANSFER_ISOC, 1024),
		COMPANION(0, 2500), ENDPOINT(0x82, TRANSFER_ISOC, 1024), COMPANION(2, 20000),
		ENDPOINT(0x83, TRANSFER_INTERRUPT, 64), COMPANION(0, 16));
	EXPECT(CONFIGURATION(39, 200), INTERFACE(0, 0),
	       ENDPOINT(0x81, TRANSFER_ISOC, 1024 | 2 << 11),
	       ENDPOINT(0x82, TRANSFER_ISOC, 1024 | 2 << 11),
	       ENDPOINT(0x83, TRANSFER_INTERRUPT, 64));
}

static void second_configuration_moves_up(void **state)
{
	const uint8_t *found;

	(void)state;
	PRESENT(DEVICE, CONFIGURATION(31, 50), INTERFACE(0, 0), ENDPOINT(0x81, TRANSFER_BULK, 1024),
		COMPANION(0, 0), CONFIGURATION(18, 25), INTERFACE(3, 0));
	EXPECT(CONFIGURATION(25, 200), INTERFACE(0, 0), ENDPOINT(0x81, TRANSFER_BULK, 512),
	       CONFIGURATION(18, 100), INTERFACE(3, 0));
	assert_int_equal(present_find(bytes, length, DESCRIPTOR_DEVICE, 0, &found), 18);
	assert_ptr_equal(found, bytes);
	assert_int_equal(present_find(bytes, length, DESCRIPTOR_CONFIGURATION, 0, &found), 25);
	assert_ptr_equal(found, bytes + 18);
	assert_int_equal(present_find(bytes, length, DESCRIPTOR_CONFIGURATION, 1, &found), 18);
	assert_ptr_equal(found, bytes + 43);
	assert_int_equal(present_find(bytes, length, DESCRIPTOR_CONFIGURATION, 2, &found), 0);
	assert_int_equal(present_find(bytes, length, DESCRIPTOR_BOS, 0, &found), 0);
}

static void too_short_for_anything(void **state)
{
	const uint8_t *found;

	(void)state;
	PRESENT(18, 1, 0);
	assert_int_equal(length, 0);
	assert_int_equal(present_find(bytes, 3, DESCRIPTOR_DEVICE, 0, &found), 0);
}

/* Any bytes: nothing is touched outside of them, and the result never grows. */
static void noise(void **state)
{
	uint8_t in[300] = {DEVICE, CONFIGURATION(200, 50), INTERFACE(0, 0)};
	uint32_t seed = 777, round, i;
	const uint8_t *found;

	(void)state;
	for (round = 0; round < 20000; round++) {
		for (i = 36; i < sizeof(in); i++) {
			static const uint8_t likely[] = {2, 4, 5, 6, 7, 9, 0x0b, 0x30};

			seed = seed * 1664525 + 1013904223;
			in[i] = (uint8_t)(seed >> 24);
			if (seed >> 16 & 3)
				in[i] = likely[seed >> 24 & 7];
		}
		present(in, 18 + round % 283);
		for (i = 0; i < 4; i++)
			assert_in_range(present_find(bytes, length, DESCRIPTOR_CONFIGURATION,
						     (uint8_t)i, &found),
					0, length);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(device_descriptor_is_of_usb_2_0),
		cmocka_unit_test(bulk_packets_are_512_bytes_and_companions_go),
		cmocka_unit_test(power_is_what_a_usb_2_0_port_gives),
		cmocka_unit_test(altsetting_with_streams_goes),
		cmocka_unit_test(altsetting_0_with_streams_stays),
		cmocka_unit_test(periodic_bytes_become_packets_of_a_microframe),
		cmocka_unit_test(second_configuration_moves_up),
		cmocka_unit_test(too_short_for_anything),
		cmocka_unit_test(noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
