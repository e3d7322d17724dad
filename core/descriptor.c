// SPDX-License-Identifier: MIT
#include "descriptor.h"

#include "barrier.h"
#include "error.h"

static_assert(XVHC_INTERFACES_MAX == 32, "a set of interfaces is one word");

size_t descriptor_step(const uint8_t *bytes, size_t left)
{
	if (left < 2 || bytes[0] < 2 || bytes[0] > left)
		return 0;
	return bytes[0];
}

/* An interface's descriptor begins an altsetting. Returns whether its endpoints are of interest. */
static bool add_altsetting(struct descriptor_table *table,
			   struct descriptor_configuration *configuration, const uint8_t *bytes,
			   size_t length)
{
	struct descriptor_altsetting *altsetting;

	if (length < DESCRIPTOR_INTERFACE_BYTES || bytes[2] >= XVHC_INTERFACES_MAX ||
	    table->altsettings >= XVHC_ALTSETTINGS_MAX)
		return false;
	if (descriptor_find_altsetting(table, configuration, bytes[2], bytes[3]))
		return false;
	altsetting = &table->altsetting[table->altsettings++];
	configuration->altsettings++;
	altsetting->interface = bytes[2];
	altsetting->number = bytes[3];
	altsetting->class = bytes[5];
	altsetting->subclass = bytes[6];
	altsetting->protocol = bytes[7];
	altsetting->endpoint = table->endpoints;
	altsetting->endpoints = 0;
	return true;
}

static bool has_endpoint(const struct descriptor_table *table,
			 const struct descriptor_altsetting *altsetting, uint8_t address)
{
	uint32_t i;

	for (i = 0; i < altsetting->endpoints; i++) {
		if (table->endpoint[altsetting->endpoint + i].address == address)
			return true;
	}
	return false;
}

static void add_endpoint(struct descriptor_table *table, const uint8_t *bytes, size_t length)
{
	struct descriptor_altsetting *altsetting = &table->altsetting[table->altsettings - 1];
	struct descriptor_endpoint *endpoint;
	uint16_t packet;
	uint8_t address;

	if (length < DESCRIPTOR_ENDPOINT_BYTES || table->endpoints >= XVHC_ENDPOINTS_MAX)
		return;
	address = bytes[2] & 0x8f;
	if ((address & 0x0f) == 0 || has_endpoint(table, altsetting, address))
		return;
	packet = descriptor_u16(bytes + 4);
	endpoint = &table->endpoint[table->endpoints++];
	altsetting->endpoints++;
	endpoint->address = address;
	endpoint->type = bytes[3] & 0x03;
	endpoint->interval = bytes[6];
	endpoint->packet = packet & 0x7ff;
	/* Bits 11 and 12: additional packets in one microframe (USB 2.0, 9.6.6). */
	endpoint->payload = (uint16_t)(endpoint->packet * (1 + ((packet >> 11) & 3)));
}

static void parse_configuration(struct descriptor_table *table, const uint8_t *bytes, size_t length)
{
	struct descriptor_configuration *configuration =
		&table->configuration[table->configurations++];
	bool wanted = false;
	size_t step;

	configuration->value = bytes[5];
	configuration->altsetting = table->altsettings;
	configuration->altsettings = 0;
	while ((step = descriptor_step(bytes, length)) > 0) {
		if (bytes[1] == DESCRIPTOR_INTERFACE)
			wanted = add_altsetting(table, configuration, bytes, step);
		else if (bytes[1] == DESCRIPTOR_ENDPOINT && wanted)
			add_endpoint(table, bytes, step);
		bytes += step;
		length -= step;
	}
}

int descriptor_parse(struct descriptor_table *table, const uint8_t *bytes, size_t length)
{
	memset(table, 0, sizeof(*table));
	if (length < DESCRIPTOR_DEVICE_BYTES || bytes[0] < DESCRIPTOR_DEVICE_BYTES ||
	    bytes[1] != DESCRIPTOR_DEVICE)
		return XVHC_EINVAL;
	table->vendor = descriptor_u16(bytes + 8);
	table->product = descriptor_u16(bytes + 10);
	bytes += DESCRIPTOR_DEVICE_BYTES;
	length -= DESCRIPTOR_DEVICE_BYTES;
	while (length >= DESCRIPTOR_CONFIGURATION_BYTES &&
	       table->configurations < XVHC_CONFIGS_MAX) {
		size_t total = descriptor_u16(bytes + 2);

		if (bytes[1] != DESCRIPTOR_CONFIGURATION || total < DESCRIPTOR_CONFIGURATION_BYTES)
			break;
		if (total > length)
			total = length;
		parse_configuration(table, bytes, total);
		bytes += total;
		length -= total;
	}
	return XVHC_OK;
}

const struct descriptor_configuration *
descriptor_find_configuration(const struct descriptor_table *table, uint8_t value)
{
	uint32_t i;

	for (i = 0; i < table->configurations; i++) {
		if (table->configuration[i].value == value)
			return &table->configuration[i];
	}
	return NULL;
}

const struct descriptor_altsetting *
descriptor_find_altsetting(const struct descriptor_table *table,
			   const struct descriptor_configuration *configuration, uint8_t interface,
			   uint8_t number)
{
	uint32_t i;

	for (i = 0; i < configuration->altsettings; i++) {
		const struct descriptor_altsetting *altsetting =
			&table->altsetting[configuration->altsetting + i];

		if (altsetting->interface == interface && altsetting->number == number)
			return altsetting;
	}
	return NULL;
}

uint32_t descriptor_interfaces(const struct descriptor_table *table,
			       const struct descriptor_configuration *configuration)
{
	uint32_t set = 0, i;

	for (i = 0; i < configuration->altsettings; i++)
		set |= 1u << table->altsetting[configuration->altsetting + i].interface;
	return set;
}
