// SPDX-License-Identifier: MIT
#include "endpoints.h"

#include <string.h>

enum {
	DESCRIPTOR_INTERFACE = 4,
	DESCRIPTOR_ENDPOINT = 5
};

/* usb-redir's number of an endpoint: OUT before IN. */
static size_t slot_of(uint8_t address)
{
	return (size_t)((address & 0x80) >> 3) | (address & 0x0f);
}

/*
 * QEMU keeps isochronous packets for 60 ms, as it reckons from the interval. That is short for a
 * machine in emulation: it is told of the shortest interval, whatever the device has.
 */
static uint8_t interval_of(const uint8_t *endpoint)
{
	bool isoc = (endpoint[3] & 3) == usb_redir_type_iso;

	return isoc || endpoint[6] == 0 ? 1 : endpoint[6];
}

static void add_endpoint(const struct look *look, const uint8_t *endpoint, uint8_t interface,
			 struct usb_redir_ep_info_header *endpoints)
{
	size_t slot = slot_of(endpoint[2]);
	unsigned int bytes = endpoint[4] | (unsigned int)endpoint[5] << 8;
	unsigned int times = look->speed == SPEED_HIGH ? 1 + ((bytes >> 11) & 3) : 1;

	endpoints->type[slot] = endpoint[3] & 3;
	endpoints->interval[slot] = interval_of(endpoint);
	endpoints->interface[slot] = interface;
	endpoints->max_packet_size[slot] = (uint16_t)((bytes & 0x7ff) * times);
}

static void add_interface(const uint8_t *interface, struct usb_redir_interface_info_header *all)
{
	uint32_t i = all->interface_count++;

	all->interface[i] = interface[2];
	all->interface_class[i] = interface[5];
	all->interface_subclass[i] = interface[6];
	all->interface_protocol[i] = interface[7];
}

void endpoints_describe(const struct look *look, const uint8_t *settings,
			struct usb_redir_ep_info_header *endpoints,
			struct usb_redir_interface_info_header *interfaces)
{
	const uint8_t *at = look->configuration;
	const uint8_t *end = at + look->configuration_bytes;
	bool chosen = false;
	uint8_t interface = 0;

	memset(endpoints, 0, sizeof(*endpoints));
	memset(interfaces, 0, sizeof(*interfaces));
	memset(endpoints->type, usb_redir_type_invalid, sizeof(endpoints->type));
	for (size_t slot = 0; slot < 32; slot += 16) {
		endpoints->type[slot] = usb_redir_type_control;
		endpoints->max_packet_size[slot] =
			look->speed == SPEED_SUPER ? 1u << look->device[7] : look->device[7];
	}
	for (; at < end; at += at[0]) {
		if (at[1] == DESCRIPTOR_INTERFACE) {
			interface = at[2];
			chosen = at[3] == settings[interface];
			if (chosen)
				add_interface(at, interfaces);
		} else if (at[1] == DESCRIPTOR_ENDPOINT && chosen) {
			add_endpoint(look, at, interface, endpoints);
		}
	}
}
