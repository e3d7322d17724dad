// SPDX-License-Identifier: MIT
/*
 * A device to measure with, at high speed. What it gets by its interrupt OUT endpoint it sends back
 * at once by the interrupt IN endpoint. By its isochronous endpoint it sends packets by the clock,
 * as many as the chosen setting says; each has its number in its first and in its last four bytes,
 * so that whoever receives them can tell which ones got lost on the way.
 */
#include "device.h"

#include <assert.h>
#include <string.h>

#define ISOC_IN 0x81
#define INTERRUPT_IN 0x82
#define INTERRUPT_OUT 0x02
#define INTERRUPT_BYTES 8u
#define ISOC_INTERFACE 1u
#define ISOC_BYTES_MAX 3072u

/* It sends somewhat less often than the bus may ask: see lab/README.md. */
#define SENT_PERCENT 97u
#define WAKE_US 2000u
#define LATE_US 100000u /* one that is later than that goes on from now, and says so */

enum {
	CONFIGURATION_BYTES = 121
};

/* wMaxPacketSize of one, and of three transactions of 1,024 bytes in a microframe. */
#define ONE 0x0400
#define THREE 0x1400

#define ISOC_SETTING(setting, packet, interval)                                                    \
	DESCRIPTOR(9, 4, ISOC_INTERFACE, setting, 1, 0xff, 0, 0, 0),                               \
		DESCRIPTOR(7, 5, ISOC_IN, 0x05, LE16(packet), interval)

/* What the settings send: 1, 3, 6, 12 and 24 MB/s. bench/lab/meter.c has the same table. */
static const struct {
	uint32_t per_second;
	uint32_t bytes;
} rates[] = {{0, 0}, {1000, 1024}, {1000, 3072}, {2000, 3072}, {4000, 3072}, {8000, 3072}};
#define RATES (sizeof(rates) / sizeof(rates[0]))

static struct {
	size_t setting;
	bool on;
	uint64_t began_us;
	uint64_t packets; /* sent since then */
	uint32_t number;  /* of the next packet */
} now;

static const uint8_t device_descriptor[] = {
	DESCRIPTOR(18, 1, LE16(0x0200), 0xff, 0, 0, 64),
	DESCRIPTOR(LE16(0x1209), LE16(0xca10), LE16(0x0100), 1, 2, 0, 1),
};

static const uint8_t configuration[] = {
	DESCRIPTOR(9, 2, LE16(CONFIGURATION_BYTES), 2, 1, 0, 0x80, 50),
	DESCRIPTOR(9, 4, 0, 0, 2, 0xff, 0, 0, 0),
	DESCRIPTOR(7, 5, INTERRUPT_IN, 0x03, LE16(INTERRUPT_BYTES), 1),
	DESCRIPTOR(7, 5, INTERRUPT_OUT, 0x03, LE16(INTERRUPT_BYTES), 1),
	DESCRIPTOR(9, 4, ISOC_INTERFACE, 0, 0, 0xff, 0, 0, 0),
	ISOC_SETTING(1, ONE, 4),
	ISOC_SETTING(2, THREE, 4),
	ISOC_SETTING(3, THREE, 3),
	ISOC_SETTING(4, THREE, 2),
	ISOC_SETTING(5, THREE, 1),
};
static_assert(sizeof(configuration) == CONFIGURATION_BYTES, "total length");

static const char *const strings[] = {"xvhc lab", "Meter"};

static const struct look look = {
	.speed = SPEED_HIGH,
	.device = device_descriptor,
	.configuration = configuration,
	.configuration_bytes = sizeof(configuration),
	.strings = strings,
	.string_count = 2,
};

static void send_packet(struct device *device, uint32_t bytes)
{
	uint8_t packet[ISOC_BYTES_MAX] = {0};
	const uint8_t number[] = {LE32(now.number)};

	memcpy(packet, number, sizeof(number));
	memcpy(packet + bytes - sizeof(number), number, sizeof(number));
	now.number++;
	device_isoc(device, ISOC_IN, packet, bytes);
}

static void wake(struct device *device)
{
	uint64_t time = now_us();
	uint64_t per_second = (uint64_t)rates[now.setting].per_second * SENT_PERCENT / 100;
	uint64_t due = (time - now.began_us) * per_second / 1000000;

	if (!now.on)
		return;
	if (due > now.packets + per_second * LATE_US / 1000000) {
		device_say("late by %llu packets", (unsigned long long)(due - now.packets));
		now.packets = due;
	}
	for (; now.packets < due; now.packets++)
		send_packet(device, rates[now.setting].bytes);
	device_wake_at(device, time + WAKE_US);
}

static void set(struct device *device, uint8_t interface, uint8_t setting)
{
	(void)device;
	if (interface == ISOC_INTERFACE && setting < RATES)
		now.setting = setting;
}

static void stream(struct device *device, uint8_t endpoint, bool on)
{
	if (endpoint != ISOC_IN)
		return;
	now.on = on && now.setting != 0;
	now.began_us = now_us();
	now.packets = 0;
	device_wake_at(device, now.on ? now.began_us : 0);
}

static void out(struct device *device, uint8_t endpoint, const uint8_t *data, size_t bytes)
{
	if (endpoint == INTERRUPT_OUT && bytes <= INTERRUPT_BYTES)
		device_interrupt(device, INTERRUPT_IN, data, bytes);
}

const struct model meter_model = {
	.name = "meter",
	.look = &look,
	.set = set,
	.stream = stream,
	.out = out,
	.wake = wake,
};
