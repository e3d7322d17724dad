/* SPDX-License-Identifier: MIT */
/*
 * A USB device on a port. Functions that transfer return the bytes transferred, or what is
 * negative: enum xvhc_error or LINK_... . Nothing here depends on the version of the wire
 */
#ifndef BARE_DEVICE_H
#define BARE_DEVICE_H

#include <descriptor.h>

#include "link.h"

/* The direction of a control request, and its type and recipient (USB 2.0, 9.3). */
#define CONTROL_IN 0x80u

struct device {
	struct link *link;
	uint8_t port;
	uint8_t address;
	struct descriptor_table descriptors;
};

/* A setup packet, by its fields. */
struct setup {
	uint8_t request_type;
	uint8_t request;
	uint16_t value;
	uint16_t index;
	uint16_t length;
};

/* Writes a setup packet as it is on the bus. */
void setup_write(const struct setup *setup, uint8_t bytes[8]);

int device_control(struct device *device, const struct setup *setup, void *data);

/* endpoint is a bEndpointAddress, with its direction. */
int device_bulk(struct device *device, uint8_t endpoint, void *data, uint32_t length);

/* Clears an endpoint's halt. */
int device_clear_halt(struct device *device, uint8_t endpoint);

/*
 * Gives the device on a port an address, reads its descriptors, and selects its first
 * configuration. Returns 0 or what is negative.
 */
int device_enumerate(struct device *device, struct link *link, uint8_t port);

/* The first endpoint of this type (enum transfer_type) and direction in altsetting 0, or NULL. */
const struct descriptor_endpoint *device_find_endpoint(const struct device *device, uint8_t type,
						       bool in);

#endif
