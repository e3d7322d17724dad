// SPDX-License-Identifier: MIT
/* Records of a worker that its guest has taken over, on their way into a file of xvhc's. */
#include <stdlib.h>

#include "../cli/capture_file.h"
#include "input.h"

static struct capture_file file;

/* A whole block, of a length that its packet agrees with. */
static int check(void *context, const void *bytes, size_t length)
{
	const uint8_t *block = bytes;
	uint32_t words[7] = {0}, last;

	(void)context;
	MUST(length >= 12 && length % 4 == 0 && length <= CAPTURE_BLOCK_MAX);
	memcpy(words, block, length < sizeof(words) ? length : sizeof(words));
	memcpy(&last, block + length - 4, 4);
	MUST(words[1] == length && last == length);
	if (words[0] != 6)
		return 0;
	MUST(words[2] < file.interface_count);
	MUST(words[5] >= USBMON_HEAD_BYTES && words[5] <= words[6] && words[5] <= length - 32);
	return 0;
}

/* A record whose lengths may be right. */
static void add(struct input *input)
{
	static uint8_t message[CAPTURE_RECORD_MAX];
	struct capture_record *record = (struct capture_record *)(void *)message;
	uint8_t how = input_u8(input);
	size_t length;

	input_take(input, record, sizeof(*record));
	if (how & 1) {
		record->kind = 1 + record->kind % CAPTURE_LOST;
		record->port %= 32;
		record->type %= 4;
		record->address %= 128;
		record->operation = how & 2 ? record->operation % 7 : 0;
		record->packets %= record->operation ? 1 : XVHC_ISOC_PACKETS_MAX + 1;
		record->data %= record->operation ? 1 : 64;
	}
	length = sizeof(*record);
	if (record->packets <= XVHC_ISOC_PACKETS_MAX && record->data <= 64)
		length += record->packets * sizeof(struct capture_packet) + record->data;
	if (how & 0x80)
		length -= how & 0x7f;
	input_take(input, message + sizeof(*record), 64);
	MUST(capture_file_add(&file, message, length) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {data, size};

	memset(&file, 0, sizeof(file));
	file.put = check;
	MUST(capture_file_begin(&file, 0, "x", "y", "z") == 0);
	while (input.left > 0)
		add(&input);
	MUST(file.interface_count <= XVHC_CAPTURE_INTERFACES_MAX);
	MUST(capture_file_end(&file, 1) == 0);
	return 0;
}
