// SPDX-License-Identifier: MIT
/*
 * A phone that becomes its boot loader and a phone again: when it is poked, it leaves the port, and
 * comes back half a second later with other descriptors and other ids. Its serial number counts
 * how often it came.
 *
 * The phone is a serial device by CDC ACM, which sends back what it is sent. The boot loader is
 * a device that no driver knows.
 */
#include "device.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define OUT 0x01
#define IN 0x81
#define NOTIFY 0x82
#define AWAY_US 500000u
#define KEPT_MAX (1u << 20)

enum {
	PHONE_BYTES = 67,
	LOADER_BYTES = 32
};
enum {
	SET_LINE_CODING = 0x20,
	GET_LINE_CODING = 0x21,
	SET_CONTROL_LINE_STATE = 0x22
};

static char serial[16] = "1";
static unsigned int visits = 1;
static uint8_t line_coding[7];

/* What the phone has still to send back. */
static uint8_t kept[KEPT_MAX];
static size_t kept_bytes;

static const uint8_t phone_device[] = {
	DESCRIPTOR(18, 1, LE16(0x0200), 0x02, 0, 0, 64),
	DESCRIPTOR(LE16(0x1209), LE16(0xca04), LE16(0x0100), 1, 2, 3, 1),
};

static const uint8_t phone_configuration[] = {
	DESCRIPTOR(9, 2, LE16(PHONE_BYTES), 2, 1, 0, 0x80, 250),
	DESCRIPTOR(9, 4, 0, 0, 1, 0x02, 0x02, 0x01, 0),
	DESCRIPTOR(5, 0x24, 0x00, LE16(0x0110)),
	DESCRIPTOR(5, 0x24, 0x01, 0, 1),
	DESCRIPTOR(4, 0x24, 0x02, 0x02),
	DESCRIPTOR(5, 0x24, 0x06, 0, 1),
	DESCRIPTOR(7, 5, NOTIFY, 0x03, LE16(16), 9),
	DESCRIPTOR(9, 4, 1, 0, 2, 0x0a, 0, 0, 0),
	DESCRIPTOR(7, 5, OUT, 0x02, LE16(512), 0),
	DESCRIPTOR(7, 5, IN, 0x02, LE16(512), 0),
};
static_assert(sizeof(phone_configuration) == PHONE_BYTES, "total length");

static const uint8_t loader_device[] = {
	DESCRIPTOR(18, 1, LE16(0x0200), 0xff, 0, 0, 64),
	DESCRIPTOR(LE16(0x1209), LE16(0xca05), LE16(0x0001), 1, 2, 3, 1),
};

static const uint8_t loader_configuration[] = {
	DESCRIPTOR(9, 2, LE16(LOADER_BYTES), 1, 1, 0, 0x80, 50),
	DESCRIPTOR(9, 4, 0, 0, 2, 0xff, 0x42, 0x03, 0),
	DESCRIPTOR(7, 5, OUT, 0x02, LE16(512), 0),
	DESCRIPTOR(7, 5, IN, 0x02, LE16(512), 0),
};
static_assert(sizeof(loader_configuration) == LOADER_BYTES, "total length");

static const char *const phone_strings[] = {"xvhc lab", "Phone", serial};
static const char *const loader_strings[] = {"xvhc lab", "Boot loader", serial};

static const struct look phone = {
	.speed = SPEED_HIGH,
	.device = phone_device,
	.configuration = phone_configuration,
	.configuration_bytes = sizeof(phone_configuration),
	.strings = phone_strings,
	.string_count = 3,
};

static const struct look loader = {
	.speed = SPEED_HIGH,
	.device = loader_device,
	.configuration = loader_configuration,
	.configuration_bytes = sizeof(loader_configuration),
	.strings = loader_strings,
	.string_count = 3,
};

static int control(struct device *device, const struct setup *setup, uint8_t *data)
{
	(void)device;
	if (setup->type == 0x21 && setup->request == SET_CONTROL_LINE_STATE)
		return 0;
	if (setup->length != sizeof(line_coding))
		return STALL;
	if (setup->type == 0x21 && setup->request == SET_LINE_CODING) {
		memcpy(line_coding, data, sizeof(line_coding));
		return 0;
	}
	if (setup->type == 0xa1 && setup->request == GET_LINE_CODING) {
		memcpy(data, line_coding, sizeof(line_coding));
		return sizeof(line_coding);
	}
	return STALL;
}

static void send_back(struct device *device, uint8_t endpoint)
{
	size_t count = device_bulk_wanted(device, endpoint);

	if (count == 0 || kept_bytes == 0)
		return;
	if (count > kept_bytes)
		count = kept_bytes;
	device_bulk(device, endpoint, kept, count);
	kept_bytes -= count;
	memmove(kept, kept + count, kept_bytes);
}

static void out(struct device *device, uint8_t endpoint, const uint8_t *data, size_t bytes)
{
	(void)endpoint;
	if (bytes > KEPT_MAX - kept_bytes) {
		device_say("cannot keep %zu bytes more", bytes);
		return;
	}
	memcpy(kept + kept_bytes, data, bytes);
	kept_bytes += bytes;
	send_back(device, IN);
}

static void poke(struct device *device)
{
	device_leave(device);
	kept_bytes = 0;
	visits++;
	device_wake_at(device, now_us() + AWAY_US);
}

static void wake(struct device *device)
{
	snprintf(serial, sizeof(serial), "%u", visits);
	device_come(device, visits % 2 ? &phone : &loader);
}

const struct model changeling_model = {
	.name = "changeling",
	.look = &phone,
	.control = control,
	.out = out,
	.read = send_back,
	.wake = wake,
	.poke = poke,
};
