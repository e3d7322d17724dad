// SPDX-License-Identifier: MIT
/* What a host asks of the camera: which stream it gets, and the brightness, which is kept. */
#include "camera.h"

#include <string.h>

enum {
	SET_CUR = 0x01,
	GET_CUR = 0x81,
	GET_MIN = 0x82,
	GET_MAX = 0x83,
	GET_RES = 0x84,
	GET_LEN = 0x85,
	GET_INFO = 0x86,
	GET_DEF = 0x87,
};
enum {
	PROBE = 1,
	COMMIT = 2,
	BRIGHTNESS = 2
};

#define PROBE_BYTES 26
#define LONGEST_US 400000u

/* The host's choice: frame from 1, interval in 100 ns. */
struct choice {
	uint8_t frame;
	uint32_t interval;
};

static struct choice probed = {1, 333330};
static struct choice committed = {1, 333330};
static int16_t brightness = 128;

const struct camera_frame *camera_chosen_frame(void)
{
	return &camera_frames[committed.frame - 1];
}

uint32_t camera_chosen_interval_us(void)
{
	return committed.interval / 10;
}

static void put32(uint8_t *at, uint32_t value)
{
	const uint8_t bytes[] = {LE32(value)};

	memcpy(at, bytes, sizeof(bytes));
}

static uint32_t get32(const uint8_t *at)
{
	return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* A camera answers with what it can do that comes closest to what it was asked for. */
static struct choice nearest(uint8_t frame, uint32_t interval)
{
	struct choice choice = {.frame = frame};
	uint32_t shortest;

	if (frame < 1 || frame > CAMERA_FRAMES)
		choice.frame = 1;
	shortest = camera_frames[choice.frame - 1].interval_us * 10;
	choice.interval = interval > (shortest + LONGEST_US * 10) / 2 ? LONGEST_US * 10 : shortest;
	return choice;
}

static void put_choice(const struct choice *choice, uint8_t *data)
{
	memset(data, 0, PROBE_BYTES);
	data[2] = 1;
	data[3] = choice->frame;
	put32(&data[4], choice->interval);
	put32(&data[18], camera_frame_bytes(&camera_frames[choice->frame - 1]));
	put32(&data[22], CAMERA_PACKET_MAX);
}

static int stream_request(const struct setup *setup, uint8_t *data)
{
	struct choice *choice = setup->value >> 8 == COMMIT ? &committed : &probed;
	struct choice first = nearest(1, 0);

	switch (setup->request) {
	case SET_CUR:
		if (setup->length < PROBE_BYTES)
			return STALL;
		*choice = nearest(data[3], get32(&data[4]));
		return 0;
	case GET_CUR:
	case GET_MIN:
	case GET_MAX:
		put_choice(choice, data);
		break;
	case GET_DEF:
		put_choice(&first, data);
		break;
	case GET_LEN:
		data[0] = PROBE_BYTES;
		return 2;
	case GET_INFO:
		data[0] = 3;
		return 1;
	default:
		return STALL;
	}
	return setup->length < PROBE_BYTES ? setup->length : PROBE_BYTES;
}

static int put_number(uint8_t *data, int number)
{
	data[0] = (uint8_t)number;
	data[1] = (uint8_t)(number >> 8);
	return 2;
}

static int brightness_request(const struct setup *setup, uint8_t *data)
{
	switch (setup->request) {
	case SET_CUR:
		brightness = (int16_t)(data[0] | data[1] << 8);
		device_say("brightness %d", brightness);
		return 0;
	case GET_CUR:
		return put_number(data, brightness);
	case GET_MIN:
		return put_number(data, 0);
	case GET_MAX:
		return put_number(data, 255);
	case GET_RES:
		return put_number(data, 1);
	case GET_DEF:
		return put_number(data, 128);
	case GET_LEN:
		return put_number(data, 2);
	case GET_INFO:
		data[0] = 3;
		return 1;
	default:
		return STALL;
	}
}

int camera_control(struct device *device, const struct setup *setup, uint8_t *data)
{
	uint8_t selector = (uint8_t)(setup->value >> 8);

	(void)device;
	if ((setup->type & 0x7f) != 0x21 || setup->length == 0)
		return STALL;
	if (setup->index == CAMERA_STREAMING && (selector == PROBE || selector == COMMIT))
		return stream_request(setup, data);
	if (setup->index == CAMERA_PROCESSING << 8 && selector == BRIGHTNESS)
		return brightness_request(setup, data);
	return STALL;
}
