// SPDX-License-Identifier: MIT
/* The file of a capture, byte by byte, and records of a worker that lies. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <error.h>
#include <transfer.h>

#include "../../cli/capture_file.h"

#define SECONDS 1700000000ull
#define TIME (SECONDS * 1000000000ull + 123456789ull)

static struct capture_file file;
static uint8_t written[1u << 20];
static size_t written_length;
static int blocks;

/* A whole block: its length stands at both ends. */
static int take(void *context, const void *bytes, size_t length)
{
	uint32_t first, last;

	(void)context;
	assert_true(length >= 12 && length % 4 == 0);
	memcpy(&first, (const uint8_t *)bytes + 4, 4);
	memcpy(&last, (const uint8_t *)bytes + length - 4, 4);
	assert_int_equal(first, length);
	assert_int_equal(last, length);
	assert_true(length <= sizeof(written) - written_length);
	memcpy(written + written_length, bytes, length);
	written_length += length;
	blocks++;
	return 0;
}

static int begin(void **state)
{
	(void)state;
	memset(&file, 0, sizeof(file));
	file.put = take;
	written_length = 0;
	blocks = 0;
	return capture_file_begin(&file, TIME, "x86_64", "Linux 6.1", "xvhc 0.1");
}

/* What was written since the last look is this. */
static void assert_written(const uint8_t *wanted, size_t length)
{
	assert_int_equal(written_length, length);
	assert_memory_equal(written, wanted, length);
	written_length = 0;
}

static void forget(void)
{
	written_length = 0;
	blocks = 0;
}

static void add(const struct capture_record *head, const void *rest, size_t length)
{
	uint8_t *message = malloc(sizeof(*head) + length);

	assert_non_null(message);
	memcpy(message, head, sizeof(*head));
	if (length > 0)
		memcpy(message + sizeof(*head), rest, length);
	assert_int_equal(capture_file_add(&file, message, sizeof(*head) + length), 0);
	free(message);
}

static void assert_senseless(const struct capture_record *head, size_t length)
{
	uint64_t before = file.senseless;
	uint8_t *message = calloc(1, sizeof(*head) + length);

	assert_non_null(message);
	memcpy(message, head, sizeof(*head));
	forget();
	assert_int_equal(capture_file_add(&file, message, sizeof(*head) + length), 0);
	free(message);
	assert_int_equal(file.senseless, before + 1);
	assert_int_equal(written_length, 0);
}

static struct capture_record bulk_in(enum capture_kind kind)
{
	struct capture_record record = {
		.kind = kind,
		.source = 1000,
		.port = 2,
		.serial = 7,
		.time_ns = TIME,
		.type = TRANSFER_BULK,
		.address = 5,
		.endpoint = 0x81,
		.length = 512,
	};

	return record;
}

static void head_of_the_file(void **state)
{
	/* clang-format off */
	static const uint8_t wanted[] = {
		0x0a, 0x0d, 0x0d, 0x0a, 72, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		2, 0, 6, 0, 'x', '8', '6', '_', '6', '4', 0, 0,
		3, 0, 9, 0, 'L', 'i', 'n', 'u', 'x', ' ', '6', '.', '1', 0, 0, 0,
		4, 0, 8, 0, 'x', 'v', 'h', 'c', ' ', '0', '.', '1',
		0, 0, 0, 0, 72, 0, 0, 0,
	};
	/* clang-format on */

	(void)state;
	assert_written(wanted, sizeof(wanted));
}

static void port_with_a_name_is_an_interface(void **state)
{
	const struct capture_record name = {
		.kind = CAPTURE_NAME, .source = 1000, .port = 2, .length = 12, .data = 12};
	/* clang-format off */
	static const uint8_t wanted[] = {
		1, 0, 0, 0, 48, 0, 0, 0, 220, 0, 0, 0, 0, 0, 0, 0,
		2, 0, 12, 0, 'w', 'e', 'b', ' ', 'p', 'o', 'r', 't', ' ', '1', '-', '?',
		9, 0, 1, 0, 9, 0, 0, 0,
		0, 0, 0, 0, 48, 0, 0, 0,
	};
	/* clang-format on */

	(void)state;
	forget();
	add(&name, "web port 1-\x1b", 12);
	assert_written(wanted, sizeof(wanted));
	/* The same name once more is no news; another one is. */
	add(&name, "web port 1-\x1b", 12);
	assert_int_equal(written_length, 0);
	add(&name, "web port 1-2", 12);
	assert_int_equal(written_length, 48);
	assert_int_equal(file.interface_count, 2);
}

static void answer_with_data_byte_by_byte(void **state)
{
	struct capture_record record = bulk_in(CAPTURE_COMPLETE);
	/* clang-format off */
	static const uint8_t wanted[] = {
		6, 0, 0, 0, 104, 0, 0, 0, 0, 0, 0, 0,
		0xfe, 0x9c, 0x97, 0x17, 0x15, 0xcd, 0x85, 0x3d, /* 1700000000123456789 ns */
		67, 0, 0, 0, 0x40, 2, 0, 0, /* of 64 + 512 */
		/* usbmon's head */
		7, 0, 0, 0, 0, 0, 0, 0, 'C', 3, 0x81, 5, 2, 0, '-', 0,
		0x00, 0xf1, 0x53, 0x65, 0, 0, 0, 0, 0x40, 0xe2, 0x01, 0, 0, 0, 0, 0,
		0, 2, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		'a', 'b', 'c', 0,
		0, 0, 0, 0, 104, 0, 0, 0,
	};
	/* clang-format on */

	(void)state;
	add(&record, NULL, 0); /* makes the interface */
	forget();
	record.data = 3;
	add(&record, "abc", 3);
	assert_written(wanted, sizeof(wanted));
}

/* The options of the packet that was written last, of which the captured length is known. */
static const uint8_t *options(void)
{
	uint32_t captured;

	memcpy(&captured, written + 20, 4);
	return written + 28 + (captured + 3) / 4 * 4;
}

static void assert_comment(const uint8_t **at, const char *text)
{
	size_t length = strlen(text);

	assert_int_equal((*at)[0], 1);
	assert_int_equal((*at)[2], length);
	assert_memory_equal(*at + 4, text, length);
	*at += 4 + (length + 3) / 4 * 4;
}

static void refusal_has_its_verdict_as_a_comment(void **state)
{
	struct capture_record record = bulk_in(CAPTURE_REFUSE);
	const uint8_t *at;

	(void)state;
	add(&record, NULL, 0);
	forget();
	record.error = XVHC_EINVAL;
	record.flags = CAPTURE_ANSWERED;
	record.length = 0;
	/* Of a worker that was taken over: no end, and a sign for a terminal. */
	memset(record.verdict, 'x', sizeof(record.verdict));
	memcpy(record.verdict, "no\x1b", 3);
	add(&record, NULL, 0);
	at = options();
	assert_int_equal(at[0], 1);
	assert_int_equal(at[2], strlen("refused by xvhcd: ") + CAPTURE_VERDICT_MAX - 1);
	assert_memory_equal(at + 4, "refused by xvhcd: no?xxx", 24);
	assert_int_equal(written[28 + 8], 'E');
	assert_int_equal(*(int32_t *)(void *)(written + 28 + 28), -EINVAL);
}

static void lost_records_are_told_and_summed(void **state)
{
	struct capture_record record = bulk_in(CAPTURE_SUBMIT);
	const uint8_t *at;
	uint64_t lost;

	(void)state;
	add(&record, NULL, 0);
	forget();
	record.lost = 1000;
	record.stream = 3;
	add(&record, NULL, 0);
	at = options();
	assert_comment(&at, "stream 3");
	assert_comment(&at, "1000 packets before this one are lost");
	assert_int_equal(at[0], 4);
	memcpy(&lost, at + 4, 8);
	assert_int_equal(lost, 1000);
	/* No more since; and a count that goes back is a lie. */
	add(&record, NULL, 0);
	record.lost = 1;
	add(&record, NULL, 0);
	assert_int_equal(file.lost, 1000);
	record.kind = CAPTURE_LOST;
	record.lost = 1002;
	forget();
	add(&record, NULL, 0);
	assert_int_equal(written_length, 0);
	assert_int_equal(capture_file_end(&file, TIME + 1), 0);
	/* Statistics: 4 packets received, 1,002 lost. */
	memcpy(&lost, written + 20 + 12 + 12 + 4, 8);
	assert_int_equal(lost, 4);
	memcpy(&lost, written + 20 + 12 + 12 + 12 + 4, 8);
	assert_int_equal(lost, 1002);
	assert_int_equal(file.packets, 4);
}

static void isochronous_packets_lie_before_their_data(void **state)
{
	struct capture_record record = bulk_in(CAPTURE_COMPLETE);
	const struct capture_packet packets[] = {{0, 3, XVHC_OK}, {8, 0, XVHC_EIO}};
	uint8_t rest[sizeof(packets) + 3];
	const uint32_t wanted[] = {0, 0, 3, 0, (uint32_t)-EPROTO, 8, 0, 0};

	(void)state;
	record.type = TRANSFER_ISOC;
	add(&record, NULL, 0);
	forget();
	memcpy(rest, packets, sizeof(packets));
	memcpy(rest + sizeof(packets), "abc", 3);
	record.packets = 2;
	record.failed = 1;
	record.data = record.length = 3;
	add(&record, rest, sizeof(rest));
	assert_int_equal(written[28 + 9], 0); /* usbmon's number of the type */
	assert_int_equal(written[28 + 36], 35);
	assert_int_equal(written[28 + 40], 1);
	assert_int_equal(written[28 + 44], 2);
	assert_int_equal(written[28 + 60], 2);
	assert_memory_equal(written + 28 + 64, wanted, sizeof(wanted));
	assert_memory_equal(written + 28 + 96, "abc", 3);
}

static void request_of_a_port_is_one_of_a_hub(void **state)
{
	struct capture_record record = {.kind = CAPTURE_SUBMIT,
					.source = 3,
					.port = 4,
					.operation = TRANSFER_PORT_RESET,
					.time_ns = TIME};
	const uint8_t *at;

	(void)state;
	add(&record, NULL, 0);
	forget();
	add(&record, NULL, 0);
	assert_int_equal(written[28 + 11], USBMON_CONTROLLER);
	assert_int_equal(written[28 + 14], 0);
	assert_memory_equal(written + 28 + 40, "\x23\3\4\0\4\0\0\0", 8);
	at = options();
	assert_comment(&at, "the guest resets the port");
	record.operation = TRANSFER_STREAMS_ALLOCATE;
	record.streams = 16;
	record.endpoints = 1u << 2 | 1u << 17;
	forget();
	add(&record, NULL, 0);
	at = options();
	assert_comment(&at, "the guest asks for streams of endpoints 02 81");
}

static void second_controller_has_other_buses(void **state)
{
	struct capture_record record = bulk_in(CAPTURE_SUBMIT);

	(void)state;
	add(&record, NULL, 0);
	record.source = 1001;
	add(&record, NULL, 0);
	forget();
	add(&record, NULL, 0);
	assert_int_equal(written[28 + 12], 34);
	assert_int_equal(file.interface_count, 2);
}

static void record_that_makes_no_sense_is_left_out(void **state)
{
	struct capture_record good = bulk_in(CAPTURE_COMPLETE), bad;

	(void)state;
	assert_senseless(&good, 1); /* longer than it says */
	bad = good;
	bad.data = 1;
	assert_senseless(&bad, 0);
	bad.data = UINT32_MAX;
	assert_senseless(&bad, 0);
	bad.data = XVHC_CAPTURE_DATA_MAX + 1;
	assert_senseless(&bad, XVHC_CAPTURE_DATA_MAX + 1);
	bad = good;
	bad.packets = XVHC_ISOC_PACKETS_MAX + 1;
	assert_senseless(&bad, (XVHC_ISOC_PACKETS_MAX + 1) * sizeof(struct capture_packet));
	/* 2^32 bytes of packets and of data would wrap to nothing. */
	bad.packets = 0x40000000;
	bad.data = 0x40000000;
	assert_senseless(&bad, 0);
	bad = good;
	bad.kind = 0;
	assert_senseless(&bad, 0);
	bad.kind = CAPTURE_LOST + 1;
	assert_senseless(&bad, 0);
	bad = good;
	bad.port = 32;
	assert_senseless(&bad, 0);
	bad = good;
	bad.type = TRANSFER_INTERRUPT + 1;
	assert_senseless(&bad, 0);
	bad = good;
	bad.operation = TRANSFER_STREAMS_FREE + 1;
	assert_senseless(&bad, 0);
	bad = good;
	bad.address = 128;
	assert_senseless(&bad, 0);
	assert_int_equal(capture_file_add(&file, &good, sizeof(good) - 1), 0);
	assert_int_equal(file.packets, 0);
}

static void largest_record_fits(void **state)
{
	size_t length =
		XVHC_ISOC_PACKETS_MAX * sizeof(struct capture_packet) + XVHC_CAPTURE_DATA_MAX;
	struct capture_record record = bulk_in(CAPTURE_REFUSE);
	uint8_t *rest = malloc(length);

	(void)state;
	assert_non_null(rest);
	memset(rest, 0xff, length);
	record.packets = XVHC_ISOC_PACKETS_MAX;
	record.data = XVHC_CAPTURE_DATA_MAX;
	record.stream = UINT16_MAX;
	record.lost = UINT32_MAX;
	record.length = UINT32_MAX;
	memset(record.verdict, 'x', sizeof(record.verdict));
	add(&record, rest, length);
	free(rest);
	assert_int_equal(file.packets, 1);
}

static void names_without_end_fill_a_bounded_table(void **state)
{
	struct capture_record name = {.kind = CAPTURE_NAME, .source = 1, .data = 4};
	uint32_t i;
	char text[8];

	(void)state;
	for (i = 0; i < 2 * XVHC_CAPTURE_INTERFACES_MAX; i++) {
		snprintf(text, sizeof(text), "%04x", i);
		add(&name, text, 4);
	}
	assert_int_equal(file.interface_count, XVHC_CAPTURE_INTERFACES_MAX);
	for (i = 0; i < XVHC_CAPTURE_CONTROLLERS_MAX + 2; i++) {
		struct capture_record record = bulk_in(CAPTURE_SUBMIT);

		record.source = i;
		add(&record, NULL, 0);
		forget();
	}
	assert_int_equal(file.source_count, XVHC_CAPTURE_CONTROLLERS_MAX);
}

#define FILE_TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FILE_TEST(head_of_the_file),
		FILE_TEST(port_with_a_name_is_an_interface),
		FILE_TEST(answer_with_data_byte_by_byte),
		FILE_TEST(refusal_has_its_verdict_as_a_comment),
		FILE_TEST(lost_records_are_told_and_summed),
		FILE_TEST(isochronous_packets_lie_before_their_data),
		FILE_TEST(request_of_a_port_is_one_of_a_hub),
		FILE_TEST(second_controller_has_other_buses),
		FILE_TEST(record_that_makes_no_sense_is_left_out),
		FILE_TEST(largest_record_fits),
		FILE_TEST(names_without_end_fill_a_bounded_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
