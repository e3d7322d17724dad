// SPDX-License-Identifier: MIT
/*
 * What the camera sends: packet after packet, by the clock. A packet has two bytes of header, and a
 * piece of a frame or nothing. A frame begins when its time is there, and is done in as few packets
 * as the chosen setting allows.
 *
 * The bus asks 8,000 times a second, and this camera has something much less often. A host
 * that does not ask for a while, as happens in emulation, catches up, and nothing is lost.
 */
#include "camera.h"

#include "pattern.h"

#include <string.h>

#define PACKETS_PER_SECOND 1100u
#define WAKE_US 4000u
#define LATE_MAX 64u /* packets: whoever is later than that goes on from now */

#define HEADER_BYTES 2u
enum {
	HEADER_END = 0x80,
	HEADER_FRAME_END = 0x02,
	HEADER_FRAME_ODD = 0x01
};

static struct {
	bool on;
	uint32_t packet_bytes;
	uint64_t began_us;
	uint64_t packets; /* sent since then */
	uint64_t frame_due_us;
	uint32_t frame; /* number of the frame that is sent, or that was */
	uint32_t sent;  /* bytes of it */
	uint32_t bytes; /* all its bytes */
	uint8_t data[2 * 640 * 480];
} now;

static void begin_frame(void)
{
	size_t i;

	now.frame++;
	now.sent = 0;
	now.bytes = camera_frame_bytes(camera_chosen_frame());
	for (i = 0; i < now.bytes / 4; i++) {
		uint32_t word = pattern_frame_word(now.frame, (uint32_t)i);
		const uint8_t bytes[] = {LE32(word)};

		memcpy(&now.data[4 * i], bytes, sizeof(bytes));
	}
}

static void send_packet(struct device *device)
{
	uint8_t packet[CAMERA_PACKET_MAX] = {HEADER_BYTES, HEADER_END};
	uint32_t room = now.packet_bytes - HEADER_BYTES;
	uint32_t left = now.bytes - now.sent;
	uint32_t count = left < room ? left : room;

	packet[1] |= (uint8_t)(now.frame & HEADER_FRAME_ODD);
	if (count && count == left)
		packet[1] |= HEADER_FRAME_END;
	memcpy(&packet[HEADER_BYTES], &now.data[now.sent], count);
	now.sent += count;
	device_isoc(device, CAMERA_ENDPOINT, packet, HEADER_BYTES + count);
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
	for (; now.packets < due; now.packets++) {
		if (now.sent == now.bytes && time >= now.frame_due_us) {
			begin_frame();
			now.frame_due_us += camera_chosen_interval_us();
			if (now.frame_due_us < time)
				now.frame_due_us = time;
		}
		send_packet(device);
	}
	if (now.on)
		device_wake_at(device, time + WAKE_US);
}

static void set(struct device *device, uint8_t interface, uint8_t setting)
{
	(void)device;
	if (interface == CAMERA_STREAMING && setting >= 1 && setting <= 3)
		now.packet_bytes = setting * 1024u;
}

static void stream(struct device *device, uint8_t endpoint, bool on)
{
	const struct camera_frame *frame = camera_chosen_frame();

	(void)endpoint;
	if (on)
		device_say("streams %ux%u in packets of %u", frame->width, frame->height,
			   now.packet_bytes);
	else if (now.on)
		device_say("streams no more, after frame %u", now.frame);
	now.on = on;
	now.began_us = now.frame_due_us = now_us();
	now.packets = 0;
	now.sent = now.bytes = 0;
	device_wake_at(device, on ? now.began_us : 0);
}

const struct model camera_model = {
	.name = "camera",
	.look = &camera_look,
	.control = camera_control,
	.set = set,
	.stream = stream,
	.wake = wake,
};
