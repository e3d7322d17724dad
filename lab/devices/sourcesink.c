// SPDX-License-Identifier: MIT
/*
 * A device for the kernel's usbtest, by the ids of a gadget that it knows: isochronous and
 * interrupt endpoints, in both directions, at high speed.
 *
 * Of isochronous data usbtest writes zeros. Of interrupt data it writes, and wants to read, its
 * pattern: numbers below 63, from 0 in each packet. The device says what came otherwise.
 */
#include "device.h"

#include <assert.h>
#include <string.h>

#define ISOC_IN 0x81
#define ISOC_OUT 0x01
#define INTERRUPT_IN 0x82
#define INTERRUPT_OUT 0x02
#define ISOC_BYTES 1024u
#define INTERRUPT_BYTES 64u

/* Of isochronous packets nearly as many as the bus asks for: it does not matter which get lost. */
#define ISOC_PER_SECOND 7800u
#define INTERRUPT_PER_SECOND 500u
#define WAKE_US 4000u
#define LATE_US 50000u

enum {
	CONFIGURATION_BYTES = 46
};

/* What is sent by the clock, from one endpoint. */
struct source {
	uint8_t endpoint;
	uint32_t bytes;
	uint32_t per_second;
	bool on;
	uint64_t began_us;
	uint64_t packets; /* sent since then */
};

static struct source sources[] = {
	{.endpoint = ISOC_IN, .bytes = ISOC_BYTES, .per_second = ISOC_PER_SECOND},
	{.endpoint = INTERRUPT_IN, .bytes = INTERRUPT_BYTES, .per_second = INTERRUPT_PER_SECOND},
};
#define SOURCES (sizeof(sources) / sizeof(sources[0]))

static uint64_t sunk[2]; /* bytes, isochronous and of interrupts */

static const uint8_t device_descriptor[] = {
	DESCRIPTOR(18, 1, LE16(0x0200), 0xff, 0, 0, 64),
	DESCRIPTOR(LE16(0x0525), LE16(0xa4a0), LE16(0x0100), 1, 2, 0, 1),
};

static const uint8_t configuration[] = {
	DESCRIPTOR(9, 2, LE16(CONFIGURATION_BYTES), 1, 1, 0, 0x80, 50),
	DESCRIPTOR(9, 4, 0, 0, 4, 0xff, 0, 0, 0),
	DESCRIPTOR(7, 5, ISOC_IN, 0x05, LE16(ISOC_BYTES), 1),
	DESCRIPTOR(7, 5, ISOC_OUT, 0x05, LE16(ISOC_BYTES), 1),
	DESCRIPTOR(7, 5, INTERRUPT_IN, 0x03, LE16(INTERRUPT_BYTES), 4),
	DESCRIPTOR(7, 5, INTERRUPT_OUT, 0x03, LE16(INTERRUPT_BYTES), 4),
};
static_assert(sizeof(configuration) == CONFIGURATION_BYTES, "total length");

static const char *const strings[] = {"xvhc lab", "Source and sink"};

static const struct look look = {
	.speed = SPEED_HIGH,
	.device = device_descriptor,
	.configuration = configuration,
	.configuration_bytes = sizeof(configuration),
	.strings = strings,
	.string_count = 2,
};

static void run_source(struct device *device, struct source *source, uint64_t time)
{
	uint8_t data[ISOC_BYTES];
	uint64_t due = (time - source->began_us) * source->per_second / 1000000;
	size_t i;

	for (i = 0; i < source->bytes; i++)
		data[i] = (uint8_t)(i % 63);
	if (due > source->packets + (uint64_t)source->per_second * LATE_US / 1000000)
		source->packets = due - 1;
	for (; source->packets < due; source->packets++) {
		if (source->endpoint == ISOC_IN)
			device_isoc(device, ISOC_IN, data, source->bytes);
		else
			device_interrupt(device, INTERRUPT_IN, data, source->bytes);
	}
}

static void wake(struct device *device)
{
	uint64_t time = now_us();
	size_t i;

	for (i = 0; i < SOURCES; i++) {
		if (!sources[i].on)
			continue;
		run_source(device, &sources[i], time);
		device_wake_at(device, time + WAKE_US);
	}
}

static void stream(struct device *device, uint8_t endpoint, bool on)
{
	size_t i;

	for (i = 0; i < SOURCES; i++) {
		if (sources[i].endpoint != endpoint)
			continue;
		sources[i].on = on;
		sources[i].began_us = now_us();
		sources[i].packets = 0;
		device_wake_at(device, sources[i].began_us);
	}
}

static void out(struct device *device, uint8_t endpoint, const uint8_t *data, size_t bytes)
{
	size_t i;

	(void)device;
	for (i = 0; i < bytes; i++) {
		if (data[i] == (endpoint == ISOC_OUT ? 0 : i % 63))
			continue;
		device_say("endpoint %u: byte %zu of %zu is %u", endpoint, i, bytes, data[i]);
		return;
	}
	sunk[endpoint == INTERRUPT_OUT] += bytes;
}

/* How much it has got, when it is poked. */
static void poke(struct device *device)
{
	(void)device;
	device_say("sunk %llu and %llu", (unsigned long long)sunk[0], (unsigned long long)sunk[1]);
	sunk[0] = sunk[1] = 0;
}

const struct model sourcesink_model = {
	.name = "sourcesink",
	.look = &look,
	.stream = stream,
	.out = out,
	.wake = wake,
	.poke = poke,
};
