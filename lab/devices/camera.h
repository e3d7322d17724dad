// SPDX-License-Identifier: MIT
/* The parts of the camera: how it looks, what it is asked for, what it sends. */
#ifndef LAB_DEVICES_CAMERA_H
#define LAB_DEVICES_CAMERA_H

#include "device.h"

#define CAMERA_ENDPOINT 0x81
#define CAMERA_PACKET_MAX 3072u
#define CAMERA_PROCESSING 2 /* the unit with the brightness */
#define CAMERA_STREAMING 1  /* the interface */

struct camera_frame {
	uint16_t width;
	uint16_t height;
	uint32_t interval_us; /* the shortest */
};

#define CAMERA_FRAMES 3
extern const struct camera_frame camera_frames[CAMERA_FRAMES];
extern const struct look camera_look;

static inline uint32_t camera_frame_bytes(const struct camera_frame *frame)
{
	return 2u * frame->width * frame->height;
}

int camera_control(struct device *device, const struct setup *setup, uint8_t *data);

/* What the host has chosen. */
const struct camera_frame *camera_chosen_frame(void);
uint32_t camera_chosen_interval_us(void);

#endif
