// SPDX-License-Identifier: MIT
/*
 * A SuperSpeed disk as such disks are: its interface has two settings, bulk-only transport, and UAS
 * with streams. Only the first works: it is for guests that are shown a device without streams.
 *
 * It has a MiB, in which the 32-bit word at place i is i times a number; what is written stays.
 */
#include "device.h"

#include <assert.h>
#include <string.h>

#define IN 0x81
#define OUT 0x02
#define SECTOR 512u
#define SECTORS 2048u
#define PATTERN 2654435761u

enum {
	CONFIGURATION_BYTES = 121,
	COMMAND_BYTES = 31, /* command block wrapper, Bulk-Only Transport 5.1 */
	STATUS_BYTES = 13   /* command status wrapper, 5.2 */
};
enum {
	GET_MAX_LUN = 0xfe,
	BULK_ONLY_RESET = 0xff
};
enum {
	TEST_UNIT_READY = 0x00,
	REQUEST_SENSE = 0x03,
	INQUIRY = 0x12,
	MODE_SENSE = 0x1a,
	READ_CAPACITY = 0x25,
	READ = 0x28,
	WRITE = 0x2a,
	SYNCHRONIZE = 0x35
};

static const uint8_t device_descriptor[] = {
	DESCRIPTOR(18, 1, LE16(0x0300), 0, 0, 0, 9),
	DESCRIPTOR(LE16(0x1209), LE16(0xca07), LE16(0x0100), 1, 2, 3, 1),
};

/* Bulk endpoint with its SuperSpeed companion; in the second setting, with its pipe's usage. */
#define BULK(address, burst) DESCRIPTOR(7, 5, address, 2, LE16(1024), 0, 6, 0x30, burst, 0, 0, 0)
#define PIPE(address, streams, usage)                                                              \
	DESCRIPTOR(7, 5, address, 2, LE16(1024), 0, 6, 0x30, 0, streams, 0, 0, 4, 0x24, usage, 0)

static const uint8_t configuration[] = {
	DESCRIPTOR(9, 2, LE16(CONFIGURATION_BYTES), 1, 1, 0, 0xc0, 20),
	DESCRIPTOR(9, 4, 0, 0, 2, 0x08, 0x06, 0x50, 0),
	BULK(IN, 15),
	BULK(OUT, 15),
	DESCRIPTOR(9, 4, 0, 1, 4, 0x08, 0x06, 0x62, 0),
	PIPE(0x03, 0, 1),
	PIPE(0x84, 5, 2),
	PIPE(0x81, 5, 3),
	PIPE(0x02, 5, 4),
};
static_assert(sizeof(configuration) == CONFIGURATION_BYTES, "total length");

/* USB 2.0 extension, and SuperSpeed at all speeds. */
static const uint8_t capabilities[] = {
	DESCRIPTOR(5, 15, LE16(22), 2),
	DESCRIPTOR(7, 16, 2, LE32(0)),
	DESCRIPTOR(10, 16, 3, 0, LE16(0x0e), 1, 0, LE16(0)),
};
static_assert(sizeof(capabilities) == 22, "total length");

static const char *const strings[] = {"xvhc lab", "Model disk", "000000000001"};

static const struct look look = {
	.speed = SPEED_SUPER,
	.device = device_descriptor,
	.configuration = configuration,
	.configuration_bytes = sizeof(configuration),
	.capabilities = capabilities,
	.capabilities_bytes = sizeof(capabilities),
	.strings = strings,
	.string_count = 3,
};

static union {
	uint32_t words[SECTORS * SECTOR / 4];
	uint8_t bytes[SECTORS * SECTOR];
} disk;

static struct {
	bool filled; /* the disk has its pattern */
	uint8_t status[STATUS_BYTES];
	bool status_due; /* the command is done, but nobody has asked how it went */
	uint32_t wanted; /* bytes that the host has announced, and that have not gone yet */
	uint8_t *data;   /* the next of them */
	uint32_t left;   /* so many of them there are */
	uint8_t answer[64];
	uint8_t sense; /* key of the last error */
} now;

static void put32_big(uint8_t *at, uint32_t value)
{
	const uint8_t bytes[] = {LE32(value)};
	size_t i;

	for (i = 0; i < sizeof(bytes); i++)
		at[i] = bytes[sizeof(bytes) - 1 - i];
}

static uint32_t get32(const uint8_t *at)
{
	return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static void give(const uint8_t *answer, uint32_t bytes)
{
	memset(now.answer, 0, sizeof(now.answer));
	memcpy(now.answer, answer, bytes);
	now.data = now.answer;
	now.left = bytes;
}

/* READ(10) and WRITE(10). */
static bool point(const uint8_t *command)
{
	uint32_t sector = (uint32_t)command[2] << 24 | (uint32_t)command[3] << 16 |
			  (uint32_t)command[4] << 8 | command[5];
	uint32_t count = (uint32_t)command[7] << 8 | command[8];

	if (sector > SECTORS || count > SECTORS - sector)
		return false;
	now.data = &disk.bytes[(size_t)sector * SECTOR];
	now.left = count * SECTOR;
	return true;
}

static bool obey(const uint8_t *command)
{
	static const uint8_t inquiry[36] = "\x00\x00\x06\x02\x1f\x00\x00\x00"
					   "xvhc    Model disk      0001";
	static const uint8_t modes[4] = {3};
	uint8_t answer[18] = {0};

	switch (command[0]) {
	case TEST_UNIT_READY:
	case SYNCHRONIZE:
		return true;
	case REQUEST_SENSE:
		answer[0] = 0x70;
		answer[2] = now.sense;
		answer[7] = 10;
		answer[12] = now.sense ? 0x20 : 0; /* invalid command */
		now.sense = 0;
		give(answer, 18);
		return true;
	case INQUIRY:
		if (command[1])
			return false;
		give(inquiry, sizeof(inquiry));
		return true;
	case MODE_SENSE:
		give(modes, sizeof(modes));
		return true;
	case READ_CAPACITY:
		put32_big(&answer[0], SECTORS - 1);
		put32_big(&answer[4], SECTOR);
		give(answer, 8);
		return true;
	case READ:
	case WRITE:
		return point(command);
	default:
		return false;
	}
}

static void begin(const uint8_t *block)
{
	uint32_t i;

	for (i = 0; !now.filled && i < sizeof(disk.words) / 4; i++) {
		const uint8_t bytes[] = {LE32(i * PATTERN)};

		memcpy(&disk.words[i], bytes, sizeof(bytes));
	}
	now.filled = true;
	now.wanted = get32(&block[8]);
	now.left = 0;
	memset(now.status, 0, sizeof(now.status));
	memcpy(now.status, "USBS", 4);
	memcpy(&now.status[4], &block[4], 4); /* the command's tag */
	if (!obey(&block[15])) {
		now.sense = 5; /* illegal request */
		now.status[12] = 1;
	}
	if (now.left > now.wanted)
		now.left = now.wanted;
	now.status_due = now.wanted == 0;
}

static void read_in(struct device *device, uint8_t endpoint)
{
	size_t wanted = device_bulk_wanted(device, endpoint);
	uint32_t count;

	if (wanted == 0)
		return;
	if (now.status_due) {
		const uint8_t rest[] = {LE32(now.wanted)};

		memcpy(&now.status[8], rest, sizeof(rest));
		now.status_due = false;
		now.wanted = 0;
		device_bulk(device, endpoint, now.status, STATUS_BYTES);
	} else {
		count = wanted < now.left ? (uint32_t)wanted : now.left;
		device_bulk(device, endpoint, now.data, count);
		now.data += count;
		now.left -= count;
		now.wanted -= count;
		now.status_due = now.left == 0;
	}
}

static void out(struct device *device, uint8_t endpoint, const uint8_t *data, size_t bytes)
{
	(void)device;
	(void)endpoint;
	if (now.wanted > 0 && !now.status_due) {
		if (bytes > now.left)
			bytes = now.left;
		memcpy(now.data, data, bytes);
		now.data += bytes;
		now.left -= (uint32_t)bytes;
		now.wanted -= (uint32_t)bytes;
		now.status_due = now.left == 0;
	} else if (bytes == COMMAND_BYTES && memcmp(data, "USBC", 4) == 0) {
		begin(data);
	} else {
		device_say("%zu bytes that are no command", bytes);
	}
}

static int control(struct device *device, const struct setup *setup, uint8_t *data)
{
	(void)device;
	if (setup->type == 0xa1 && setup->request == GET_MAX_LUN && setup->length == 1) {
		data[0] = 0;
		return 1;
	}
	if (setup->type == 0x21 && setup->request == BULK_ONLY_RESET) {
		now.wanted = now.left = 0;
		now.status_due = false;
		return 0;
	}
	return STALL;
}

static void set(struct device *device, uint8_t interface, uint8_t setting)
{
	(void)device;
	device_say("interface %u has setting %u", interface, setting);
}

const struct model disk_model = {
	.name = "disk",
	.look = &look,
	.control = control,
	.set = set,
	.out = out,
	.read = read_in,
};
