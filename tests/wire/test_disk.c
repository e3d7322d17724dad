// SPDX-License-Identifier: MIT
/* A disk is enumerated, written and read, the way a mass storage driver does it. */
#include "frontend.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define IN 0x81
#define OUT 0x02

static void get_descriptor(struct frontend *frontend, uint32_t place, uint16_t value, void *data,
			   uint16_t length, uint32_t *actual)
{
	struct setup_packet get = {0x80, 6, value, 0, length};

	assert_int_equal(frontend_control(frontend, place, get, data, actual), USBIF_STATUS_OK);
}

/* One SCSI command. Returns its status. */
static int scsi(struct frontend *frontend, uint32_t place, const uint8_t *command, void *data,
		uint32_t length, bool in)
{
	uint8_t block[31] = {'U', 'S', 'B', 'C', 1, 2, 3, 4}, status[13];
	uint32_t actual;

	block[8] = (uint8_t)length;
	block[9] = (uint8_t)(length >> 8);
	block[10] = (uint8_t)(length >> 16);
	block[12] = in ? 0x80 : 0;
	block[14] = 10;
	memcpy(block + 15, command, 10);
	assert_int_equal(
		frontend_transfer(frontend, place | PIPE(BULK, OUT), block, sizeof(block), &actual),
		USBIF_STATUS_OK);
	assert_int_equal(actual, sizeof(block));
	if (length > 0) {
		assert_int_equal(frontend_transfer(frontend, place | PIPE(BULK, in ? IN : OUT),
						   data, length, &actual),
				 USBIF_STATUS_OK);
		assert_int_equal(actual, length);
	}
	assert_int_equal(frontend_transfer(frontend, place | PIPE(BULK, IN), status, sizeof(status),
					   &actual),
			 USBIF_STATUS_OK);
	assert_int_equal(actual, sizeof(status));
	assert_memory_equal(status, "USBS\1\2\3\4", 8);
	return status[12];
}

static void read_write(struct frontend *frontend, uint32_t place, uint32_t length, uint8_t seed)
{
	uint8_t write[10] = {0x2a, 0, 0, 0, 0, 9, 0, 0, (uint8_t)(length / 512)};
	uint8_t read[10] = {0x28, 0, 0, 0, 0, 9, 0, 0, (uint8_t)(length / 512)};
	uint8_t *data = malloc(length), *back = calloc(1, length);
	uint32_t i;

	for (i = 0; i < length; i++)
		data[i] = (uint8_t)(i * 7 + i / 256 + seed);
	assert_int_equal(scsi(frontend, place, write, data, length, false), 0);
	assert_int_equal(scsi(frontend, place, read, back, length, true), 0);
	for (i = 0; i < length; i++)
		assert_int_equal(back[i], (uint8_t)(i * 7 + i / 256 + seed));
	free(data);
	free(back);
}

static void disk_is_enumerated(void **state)
{
	struct frontend *frontend = *state;
	uint8_t data[256];
	uint32_t actual, place;

	frontend_plug(frontend, 1, MODEL_DISK, USB_SPEED_HIGH);
	assert_int_equal(frontend->speed[1], USBIF_SPEED_HIGH);
	frontend_until(frontend, frontend->state[1] == PORT_ATTACHED);
	get_descriptor(frontend, pipe_place(1, 0), 0x0100, data, 64, &actual);
	assert_int_equal(actual, 18);
	assert_int_equal(data[7], 64);
	place = frontend_configure(frontend, 1, 5, 1);
	frontend_until(frontend, frontend->state[1] == PORT_CONFIGURED);
	get_descriptor(frontend, place, 0x0200, data, 255, &actual);
	assert_int_equal(actual, 32);
	get_descriptor(frontend, place, 0x0302, data, 255, &actual);
	assert_memory_equal(data + 2, "d\0i\0s\0k\0", 8);
}

static void what_is_written_is_read_back(void **state)
{
	struct frontend *frontend = *state;
	uint32_t place;

	frontend_plug(frontend, 2, MODEL_DISK, USB_SPEED_HIGH);
	place = frontend_configure(frontend, 2, 1, 1);
	read_write(frontend, place, 512, 1);
	read_write(frontend, place, 61440, 2);
}

static void sixteen_whole_pages_are_one_transfer(void **state)
{
	struct frontend *frontend = *state;
	uint32_t place;

	frontend_plug(frontend, 1, MODEL_DISK, USB_SPEED_HIGH);
	place = frontend_configure(frontend, 1, 1, 1);
	/* buffer_length cannot say 65,536 and is 0 then. */
	read_write(frontend, place, 65536, 3);
}

static void refused_command_halts_until_cleared(void **state)
{
	struct frontend *frontend = *state;
	struct setup_packet clear = {0x02, 1, 0, IN, 0};
	uint8_t block[31] = {'U', 'S', 'B', 'C', 1, 2, 3, 4, 8, 0, 0, 0, 0x80, 0, 6, 0xff};
	uint8_t data[64];
	uint32_t place, actual;

	frontend_plug(frontend, 1, MODEL_DISK, USB_SPEED_HIGH);
	place = frontend_configure(frontend, 1, 1, 1);
	assert_int_equal(
		frontend_transfer(frontend, place | PIPE(BULK, OUT), block, sizeof(block), NULL),
		USBIF_STATUS_OK);
	assert_int_equal(frontend_transfer(frontend, place | PIPE(BULK, IN), data, 8, NULL),
			 USBIF_STATUS_STALL);
	assert_int_equal(frontend_control(frontend, place, clear, NULL, NULL), USBIF_STATUS_OK);
	assert_int_equal(frontend_transfer(frontend, place | PIPE(BULK, IN), data, 13, &actual),
			 USBIF_STATUS_OK);
	assert_int_equal(actual, 13);
	assert_int_equal(data[12], 1);
}

static void bytes_behind_a_short_read_stay(void **state)
{
	struct frontend *frontend = *state;
	uint8_t data[64];
	uint32_t actual;

	frontend_plug(frontend, 1, MODEL_DISK, USB_SPEED_HIGH);
	memset(data, 0xa5, sizeof(data));
	get_descriptor(frontend, pipe_place(1, 0), 0x0100, data, 64, &actual);
	assert_int_equal(actual, 18);
	assert_int_equal(data[17], 1);
	assert_int_equal(data[18], 0xa5);
	assert_int_equal(data[63], 0xa5);
}

static void superspeed_disk_is_shown_as_high_speed(void **state)
{
	struct frontend *frontend = *state;
	struct setup_packet bos = {0x80, 6, 0x0f00, 0, 5};
	uint8_t data[256], again[256];
	uint32_t actual, place;

	frontend_plug(frontend, 1, MODEL_DISK_SUPER, USB_SPEED_SUPER);
	assert_int_equal(frontend->speed[1], USBIF_SPEED_HIGH);
	get_descriptor(frontend, pipe_place(1, 0), 0x0100, data, 18, &actual);
	assert_int_equal(data[2] | data[3] << 8, 0x0200);
	assert_int_equal(data[7], 64);
	get_descriptor(frontend, pipe_place(1, 0), 0x0200, data, 9, &actual);
	assert_int_equal(actual, 9);
	get_descriptor(frontend, pipe_place(1, 0), 0x0200, again, data[2], &actual);
	assert_int_equal(actual, 32);
	assert_memory_equal(data, again, 9);
	assert_int_equal(frontend_control(frontend, pipe_place(1, 0), bos, data, NULL),
			 USBIF_STATUS_STALL);
	place = frontend_configure(frontend, 1, 1, 1);
	read_write(frontend, place, 4096, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WIRE_TEST(disk_is_enumerated),
		WIRE_TEST(what_is_written_is_read_back),
		WIRE_TEST(sixteen_whole_pages_are_one_transfer),
		WIRE_TEST(refused_command_halts_until_cleared),
		WIRE_TEST(bytes_behind_a_short_read_stay),
		WIRE_TEST(superspeed_disk_is_shown_as_high_speed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
