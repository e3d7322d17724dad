/* SPDX-License-Identifier: MIT */
/*
 * Kinds of simulated devices: their descriptors, and the same once more as a table, so that the
 * devices do not rely on the parser that is under test.
 */
#ifndef XVHC_TESTS_SIM_KIND_H
#define XVHC_TESTS_SIM_KIND_H

#include <xvhc/types.h>

/* The "model" of an ATTACH message. */
enum kind_number {
	KIND_ALL_TYPES = 1, /* two configurations, endpoints of each type */
	KIND_SUPER_SPEED,   /* with an altsetting of streams, which version 1 does not show */
	KIND_GARBAGE,       /* descriptors of KIND_ALL_TYPES with random damage */
	KIND_NO_OPEN,       /* cannot be opened */
	KINDS
};

struct kind_endpoint {
	uint8_t configuration, interface, altsetting;
	uint8_t address;
	uint8_t type; /* enum transfer_type */
	uint16_t payload;
};

struct kind {
	const uint8_t *descriptors;
	uint32_t length;
	const struct kind_endpoint *endpoints;
	uint32_t count;
};

/* The kind with this number; of KIND_GARBAGE what it is made from. */
const struct kind *kind_of(uint32_t number);

/* Where a device of this kind is in this state: the endpoint, or NULL. */
const struct kind_endpoint *kind_find(const struct kind *kind, uint8_t configuration,
				      const uint8_t altsetting[32], uint8_t address);

/* Whether there is this altsetting, and whether there is this configuration. */
bool kind_has(const struct kind *kind, uint8_t configuration, uint8_t interface,
	      uint8_t altsetting);

#endif
