// SPDX-License-Identifier: MIT
/*
 * A microphone by USB Audio 1.0, at high speed: two channels, 16 bits, 48,000 samples a second, one
 * isochronous packet in each millisecond. What it hears is the row of pattern.h, both channels in
 * turn.
 *
 * Its clock is slow by a twentieth, as no real one is: then QEMU has nothing to send now and then,
 * which costs nothing, and never too much, which it would throw away.
 */
#include "device.h"
#include "pattern.h"

#include <assert.h>
#include <string.h>

#define ENDPOINT 0x81
#define STREAMING 1 /* the interface */
#define SAMPLES 96u /* in a packet */
#define PACKETS_PER_SECOND 950u
#define WAKE_US 4000u
#define LATE_MAX 200u /* packets: whoever is later than that goes on from now */

enum {
	CONFIGURATION_BYTES = 100,
	CONTROL_BYTES = 30
};

static struct {
	uint64_t began_us;
	uint64_t packets; /* sent since then */
	uint16_t sample;
} now = {.sample = 1};

static const uint8_t device_descriptor[] = {
	DESCRIPTOR(18, 1, LE16(0x0200), 0, 0, 0, 64),
	DESCRIPTOR(LE16(0x1209), LE16(0xca02), LE16(0x0100), 1, 2, 0, 1),
};

static const uint8_t configuration[] = {
	DESCRIPTOR(9, 2, LE16(CONFIGURATION_BYTES), 2, 1, 0, 0x80, 50),
	/* The interface for control: a microphone, and the way to the bus. */
	DESCRIPTOR(9, 4, 0, 0, 0, 0x01, 0x01, 0, 0),
	DESCRIPTOR(9, 0x24, 0x01, LE16(0x0100), LE16(CONTROL_BYTES), 1, STREAMING),
	DESCRIPTOR(12, 0x24, 0x02, 1, LE16(0x0201), 0, 2, LE16(0x0003), 0, 0),
	DESCRIPTOR(9, 0x24, 0x03, 2, LE16(0x0101), 0, 1, 0),
	/* The interface that streams: not at all, and two channels of 16 bits. */
	DESCRIPTOR(9, 4, STREAMING, 0, 0, 0x01, 0x02, 0, 0),
	DESCRIPTOR(9, 4, STREAMING, 1, 1, 0x01, 0x02, 0, 0),
	DESCRIPTOR(7, 0x24, 0x01, 2, 1, LE16(0x0001)),
	DESCRIPTOR(11, 0x24, 0x02, 1, 2, 2, 16, 1, LE16(48000), 0),
	DESCRIPTOR(9, 5, ENDPOINT, 0x05, LE16(2 * SAMPLES), 4, 0, 0),
	DESCRIPTOR(7, 0x25, 0x01, 0, 0, LE16(0)),
};
static_assert(sizeof(configuration) == CONFIGURATION_BYTES, "total length");

static const char *const strings[] = {"xvhc lab", "Pattern microphone"};

static const struct look look = {
	.speed = SPEED_HIGH,
	.device = device_descriptor,
	.configuration = configuration,
	.configuration_bytes = sizeof(configuration),
	.strings = strings,
	.string_count = 2,
};

static void send_packet(struct device *device)
{
	uint8_t packet[2 * SAMPLES];
	size_t i;

	for (i = 0; i < SAMPLES; i++) {
		const uint8_t bytes[] = {LE16(now.sample)};

		memcpy(&packet[i * 2], bytes, sizeof(bytes));
		now.sample = pattern_next_sample(now.sample);
	}
	device_isoc(device, ENDPOINT, packet, sizeof(packet));
}

static void wake(struct device *device)
{
	uint64_t time = now_us();
	uint64_t due = (time - now.began_us) * PACKETS_PER_SECOND / 1000000;

	if (due > now.packets + LATE_MAX) {
		now.began_us = time;
		now.packets = 0;
		due = 0;
	}
	for (; now.packets < due; now.packets++)
		send_packet(device);
	device_wake_at(device, time + WAKE_US);
}

static void stream(struct device *device, uint8_t endpoint, bool on)
{
	(void)endpoint;
	device_say(on ? "listens" : "listens no more");
	now.began_us = now_us();
	now.packets = 0;
	device_wake_at(device, on ? now.began_us : 0);
}

const struct model microphone_model = {
	.name = "microphone",
	.look = &look,
	.stream = stream,
	.wake = wake,
};
