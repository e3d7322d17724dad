// SPDX-License-Identifier: MIT
/*
 * A keyboard with three lights, at full speed or at low speed. It says when the host sets the
 * lights, and types an "a" when it is poked.
 */
#include "device.h"

#include <assert.h>
#include <string.h>

#define ENDPOINT 0x81
#define KEY_A 4 /* HID's number */

enum {
	CONFIGURATION_BYTES = 34
};
enum {
	GET_DESCRIPTOR = 6,
	GET_REPORT = 1,
	SET_REPORT = 9,
	SET_IDLE = 10,
	SET_PROTOCOL = 11
};
enum {
	REPORT_DESCRIPTOR = 0x22
};

/* Eight bits of modifiers, a byte that is unused, six keys; to the keyboard, five bits of lights.
 */
static const uint8_t report_descriptor[] = {
	DESCRIPTOR(0x05, 0x01, 0x09, 0x06, 0xa1, 0x01),
	DESCRIPTOR(0x05, 0x07, 0x19, 0xe0, 0x29, 0xe7, 0x15, 0x00, 0x25, 0x01),
	DESCRIPTOR(0x75, 0x01, 0x95, 0x08, 0x81, 0x02),
	DESCRIPTOR(0x75, 0x08, 0x95, 0x01, 0x81, 0x01),
	DESCRIPTOR(0x05, 0x08, 0x19, 0x01, 0x29, 0x05, 0x75, 0x01, 0x95, 0x05, 0x91, 0x02),
	DESCRIPTOR(0x75, 0x03, 0x95, 0x01, 0x91, 0x01),
	DESCRIPTOR(0x05, 0x07, 0x19, 0x00, 0x29, 0x65, 0x15, 0x00, 0x25, 0x65),
	DESCRIPTOR(0x75, 0x08, 0x95, 0x06, 0x81, 0x00),
	DESCRIPTOR(0xc0),
};

static const uint8_t device_descriptor[] = {
	DESCRIPTOR(18, 1, LE16(0x0200), 0, 0, 0, 8),
	DESCRIPTOR(LE16(0x1209), LE16(0xca03), LE16(0x0100), 1, 2, 0, 1),
};

static const uint8_t configuration[] = {
	DESCRIPTOR(9, 2, LE16(CONFIGURATION_BYTES), 1, 1, 0, 0xa0, 50),
	DESCRIPTOR(9, 4, 0, 0, 1, 0x03, 0x01, 0x01, 0),
	DESCRIPTOR(9, 0x21, LE16(0x0111), 0, 1, 0x22, LE16(sizeof(report_descriptor))),
	DESCRIPTOR(7, 5, ENDPOINT, 0x03, LE16(8), 8),
};
static_assert(sizeof(configuration) == CONFIGURATION_BYTES, "total length");

static const char *const strings[] = {"xvhc lab", "Model keyboard"};

static const struct look look = {
	.speed = SPEED_FULL,
	.device = device_descriptor,
	.configuration = configuration,
	.configuration_bytes = sizeof(configuration),
	.strings = strings,
	.string_count = 2,
};

static const struct look low_look = {
	.speed = SPEED_LOW,
	.device = device_descriptor,
	.configuration = configuration,
	.configuration_bytes = sizeof(configuration),
	.strings = strings,
	.string_count = 2,
};

static int control(struct device *device, const struct setup *setup, uint8_t *data)
{
	size_t count = sizeof(report_descriptor);

	(void)device;
	if (setup->type == 0x81 && setup->request == GET_DESCRIPTOR &&
	    setup->value >> 8 == REPORT_DESCRIPTOR) {
		count = count < setup->length ? count : setup->length;
		memcpy(data, report_descriptor, count);
		return (int)count;
	}
	if (setup->type == 0xa1 && setup->request == GET_REPORT)
		return setup->length < 8 ? setup->length : 8;
	if (setup->type != 0x21)
		return STALL;
	if (setup->request == SET_REPORT && setup->length == 1)
		device_say("lights %d", data[0]);
	else if (setup->request != SET_IDLE && setup->request != SET_PROTOCOL)
		return STALL;
	return 0;
}

static void poke(struct device *device)
{
	const uint8_t pressed[8] = {0, 0, KEY_A};
	const uint8_t released[8] = {0};

	device_interrupt(device, ENDPOINT, pressed, sizeof(pressed));
	device_interrupt(device, ENDPOINT, released, sizeof(released));
}

const struct model keyboard_model = {
	.name = "keyboard",
	.look = &look,
	.control = control,
	.poke = poke,
};

const struct model keyboard_low_model = {
	.name = "keyboard_low",
	.look = &low_look,
	.control = control,
	.poke = poke,
};
