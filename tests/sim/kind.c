// SPDX-License-Identifier: MIT
#include "kind.h"

#include <descriptor.h>
#include <transfer.h>

#include "sim.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* clang-format off */
static const uint8_t all_types[] = {
	18, DESCRIPTOR_DEVICE, 0x00, 0x02, 0, 0, 0, 64, 1, 2, 3, 4, 0, 1, 0, 0, 0, 2,
	9, DESCRIPTOR_CONFIGURATION, 92, 0, 2, 1, 0, 0x80, 50,
	9, DESCRIPTOR_INTERFACE, 0, 0, 2, 0xff, 0, 0, 0,
	7, DESCRIPTOR_ENDPOINT, 0x81, TRANSFER_BULK, 0x00, 0x02, 0,
	7, DESCRIPTOR_ENDPOINT, 0x01, TRANSFER_BULK, 0x00, 0x02, 0,
	9, DESCRIPTOR_INTERFACE, 0, 1, 5, 0xff, 0, 0, 0,
	7, DESCRIPTOR_ENDPOINT, 0x81, TRANSFER_BULK, 0x00, 0x02, 0,
	7, DESCRIPTOR_ENDPOINT, 0x01, TRANSFER_BULK, 0x00, 0x02, 0,
	7, DESCRIPTOR_ENDPOINT, 0x82, TRANSFER_ISOC, 0x00, 0x14, 1, /* 3 packets of 1024 */
	7, DESCRIPTOR_ENDPOINT, 0x02, TRANSFER_ISOC, 0x40, 0x00, 1,
	7, DESCRIPTOR_ENDPOINT, 0x83, TRANSFER_INTERRUPT, 0x40, 0x00, 4,
	9, DESCRIPTOR_INTERFACE, 1, 0, 1, 3, 0, 0, 0,
	7, DESCRIPTOR_ENDPOINT, 0x84, TRANSFER_INTERRUPT, 0x08, 0x00, 4,
	9, DESCRIPTOR_CONFIGURATION, 25, 0, 1, 2, 0, 0x80, 50,
	9, DESCRIPTOR_INTERFACE, 0, 0, 1, 0xff, 0, 0, 0,
	7, DESCRIPTOR_ENDPOINT, 0x03, TRANSFER_INTERRUPT, 0x40, 0x00, 4,
};

static const uint8_t super_speed[] = {
	18, DESCRIPTOR_DEVICE, 0x00, 0x03, 0, 0, 0, 9, 1, 2, 3, 4, 0, 3, 0, 0, 0, 1,
	9, DESCRIPTOR_CONFIGURATION, 66, 0, 1, 1, 0, 0x80, 112,
	9, DESCRIPTOR_INTERFACE, 0, 0, 2, 8, 6, 0x50, 0,
	7, DESCRIPTOR_ENDPOINT, 0x81, TRANSFER_BULK, 0x00, 0x04, 0,
	6, DESCRIPTOR_SS_COMPANION, 15, 0, 0, 0,
	7, DESCRIPTOR_ENDPOINT, 0x02, TRANSFER_BULK, 0x00, 0x04, 0,
	6, DESCRIPTOR_SS_COMPANION, 15, 0, 0, 0,
	9, DESCRIPTOR_INTERFACE, 0, 1, 1, 8, 6, 0x62, 0,
	7, DESCRIPTOR_ENDPOINT, 0x83, TRANSFER_BULK, 0x00, 0x04, 0,
	6, DESCRIPTOR_SS_COMPANION, 15, 5, 0, 0,
};
/* clang-format on */

static const struct kind_endpoint all_types_endpoints[] = {
	{1, 0, 0, 0x81, TRANSFER_BULK, 512},    {1, 0, 0, 0x01, TRANSFER_BULK, 512},
	{1, 0, 1, 0x81, TRANSFER_BULK, 512},    {1, 0, 1, 0x01, TRANSFER_BULK, 512},
	{1, 0, 1, 0x82, TRANSFER_ISOC, 3072},   {1, 0, 1, 0x02, TRANSFER_ISOC, 64},
	{1, 0, 1, 0x83, TRANSFER_INTERRUPT, 8}, {1, 1, 0, 0x84, TRANSFER_INTERRUPT, 8},
	{2, 0, 0, 0x03, TRANSFER_INTERRUPT, 64}};

static const struct kind_endpoint super_speed_endpoints[] = {{1, 0, 0, 0x81, TRANSFER_BULK, 512},
							     {1, 0, 0, 0x02, TRANSFER_BULK, 512}};

/* As version 2 shows it. */
static const struct kind_endpoint super_speed_streams[] = {{1, 0, 0, 0x81, TRANSFER_BULK, 1024},
							   {1, 0, 0, 0x02, TRANSFER_BULK, 1024},
							   {1, 0, 1, 0x83, TRANSFER_BULK, 1024}};

static_assert(sizeof(all_types) == 18 + 92 + 25, "the lengths are in the descriptors");
static_assert(sizeof(super_speed) == 18 + 66, "the lengths are in the descriptors");

static const struct kind kinds[KINDS] = {
	[KIND_ALL_TYPES] = {all_types, sizeof(all_types), all_types_endpoints,
			    COUNT(all_types_endpoints)},
	[KIND_SUPER_SPEED] = {super_speed, sizeof(super_speed), super_speed_endpoints,
			      COUNT(super_speed_endpoints)},
	[KIND_GARBAGE] = {all_types, sizeof(all_types), all_types_endpoints,
			  COUNT(all_types_endpoints)},
	[KIND_NO_OPEN] = {all_types, sizeof(all_types), all_types_endpoints,
			  COUNT(all_types_endpoints)},
};

const struct kind *kind_of(uint32_t number)
{
	static const struct kind with_streams = {super_speed, sizeof(super_speed),
						 super_speed_streams, COUNT(super_speed_streams)};

	if (number == KIND_SUPER_SPEED && sim_version == 2)
		return &with_streams;
	return &kinds[number];
}

const struct kind_endpoint *kind_find(const struct kind *kind, uint8_t configuration,
				      const uint8_t altsetting[32], uint8_t address)
{
	uint32_t i;

	for (i = 0; i < kind->count; i++) {
		const struct kind_endpoint *endpoint = &kind->endpoints[i];

		if (endpoint->configuration == configuration && endpoint->address == address &&
		    endpoint->altsetting == altsetting[endpoint->interface])
			return endpoint;
	}
	return NULL;
}

bool kind_has(const struct kind *kind, uint8_t configuration, uint8_t interface, uint8_t altsetting)
{
	uint32_t i;

	for (i = 0; i < kind->count; i++) {
		const struct kind_endpoint *endpoint = &kind->endpoints[i];

		if (endpoint->configuration == configuration && endpoint->interface == interface &&
		    endpoint->altsetting == altsetting)
			return true;
	}
	return false;
}
