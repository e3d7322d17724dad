// SPDX-License-Identifier: MIT
/*
 * A camera by USB Video Class 1.0, at high speed: YUYV, three sizes, a brightness to set. Its
 * stream has one endpoint of one, two or three transactions of 1,024 bytes in each microframe. It
 * always asks for three.
 */
#include "camera.h"

#include <assert.h>

enum {
	CONFIGURATION_BYTES = 283,
	CONTROL_BYTES = 51,
	STREAM_BYTES = 149
};

/* Intervals are in units of 100 ns. */
#define FRAME(index, width, height, shortest_us)                                                   \
	DESCRIPTOR(34, 0x24, 0x05, index, 0, LE16(width), LE16(height)),                           \
		LE32((width) * (height)*16 * 5), LE32((width) * (height)*16 * 30),                 \
		LE32((width) * (height)*2), LE32((shortest_us)*10), 2, LE32((shortest_us)*10),     \
		LE32(4000000)

#define STREAM_SETTING(setting, bytes)                                                             \
	DESCRIPTOR(9, 4, CAMERA_STREAMING, setting, 1, 0x0e, 0x02, 0, 0),                          \
		DESCRIPTOR(7, 5, CAMERA_ENDPOINT, 0x05, LE16(bytes), 1)

const struct camera_frame camera_frames[CAMERA_FRAMES] = {
	{160, 120, 33333},
	{320, 240, 66667},
	{640, 480, 200000},
};

static const uint8_t device_descriptor[] = {
	DESCRIPTOR(18, 1, LE16(0x0200), 0xef, 0x02, 0x01, 64),
	DESCRIPTOR(LE16(0x1209), LE16(0xca01), LE16(0x0100), 1, 2, 3, 1),
};

static const uint8_t configuration[] = {
	DESCRIPTOR(9, 2, LE16(CONFIGURATION_BYTES), 2, 1, 0, 0x80, 250),
	/* Both interfaces are one function. The first one is for control: lens, unit, output. */
	DESCRIPTOR(8, 11, 0, 2, 0x0e, 0x03, 0, 2),
	DESCRIPTOR(9, 4, 0, 0, 0, 0x0e, 0x01, 0, 2),
	DESCRIPTOR(13, 0x24, 0x01, LE16(0x0100), LE16(CONTROL_BYTES), LE32(8000000)),
	DESCRIPTOR(1, CAMERA_STREAMING),
	DESCRIPTOR(18, 0x24, 0x02, 1, LE16(0x0201), 0, 0, LE16(0), LE16(0), LE16(0), 3, 0, 0, 0),
	DESCRIPTOR(11, 0x24, 0x05, CAMERA_PROCESSING, 1, LE16(0), 2, LE16(0x0001), 0),
	DESCRIPTOR(9, 0x24, 0x03, 3, LE16(0x0101), 0, CAMERA_PROCESSING, 0),
	/* The second one streams: not at all, in its first setting. */
	DESCRIPTOR(9, 4, CAMERA_STREAMING, 0, 0, 0x0e, 0x02, 0, 0),
	DESCRIPTOR(14, 0x24, 0x01, 1, LE16(STREAM_BYTES), CAMERA_ENDPOINT, 0, 3, 0, 0, 0, 1, 0),
	DESCRIPTOR(27, 0x24, 0x04, 1, CAMERA_FRAMES, 'Y', 'U', 'Y', '2', 0, 0, 0x10, 0),
	DESCRIPTOR(0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71, 16, 1, 0, 0, 0, 0),
	FRAME(1, 160, 120, 33333),
	FRAME(2, 320, 240, 66667),
	FRAME(3, 640, 480, 200000),
	DESCRIPTOR(6, 0x24, 0x0d, 1, 1, 4),
	STREAM_SETTING(1, 0x0400),
	STREAM_SETTING(2, 0x0c00),
	STREAM_SETTING(3, 0x1400),
};
static_assert(sizeof(configuration) == CONFIGURATION_BYTES, "total length");

static const char *const strings[] = {"xvhc lab", "Pattern camera", "1"};

const struct look camera_look = {
	.speed = SPEED_HIGH,
	.device = device_descriptor,
	.configuration = configuration,
	.configuration_bytes = sizeof(configuration),
	.strings = strings,
	.string_count = 3,
};
