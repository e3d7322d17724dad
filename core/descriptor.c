// SPDX-License-Identifier: MIT
#include "descriptor.h"

#include "barrier.h"
#include "error.h"

static_assert(XVHC_INTERFACES_MAX == 32, "a set of interfaces is one word");

size_t descriptor_end(const struct descriptor_span *span, size_t at)
{
	uint32_t length = descriptor_byte(span, at);
	/* Cannot wrap: at + 1 is a place in memory, or the length is 0. */
	size_t end = at + length;

	return length >= 2 && end <= span->length ? end : 0;
}

size_t descriptor_configuration_end(const struct descriptor_span *span, size_t at)
{
	uint32_t length = descriptor_byte(span, at);
	uint32_t total = descriptor_word(span, at + 2);
	size_t end = at + total;

	if (descriptor_byte(span, at + 1) != DESCRIPTOR_CONFIGURATION)
		return 0;
	if (end > span->length)
		end = span->length;
	/* The descriptor itself must be whole. */
	if (length < DESCRIPTOR_CONFIGURATION_BYTES || length > end - at)
		return 0;
	return end;
}

/*
 * An interface's descriptor begins an altsetting. Returns it, or NULL where what belongs to this
 * descriptor is of no interest.
 */
static struct descriptor_altsetting *add_altsetting(struct descriptor_table *table,
						    struct descriptor_configuration *configuration,
						    const struct descriptor_span *span, size_t at)
{
	uint8_t interface = descriptor_byte(span, at + 2), number = descriptor_byte(span, at + 3);
	struct descriptor_altsetting *altsetting;

	if (descriptor_byte(span, at) < DESCRIPTOR_INTERFACE_BYTES ||
	    interface >= XVHC_INTERFACES_MAX || table->altsettings >= XVHC_ALTSETTINGS_MAX)
		return NULL;
	if (descriptor_find_altsetting(table, configuration, interface, number))
		return NULL;
	altsetting = &table->altsetting[table->altsettings++];
	configuration->altsetting_end = table->altsettings;
	altsetting->interface = interface;
	altsetting->number = number;
	altsetting->class = descriptor_byte(span, at + 5);
	altsetting->subclass = descriptor_byte(span, at + 6);
	altsetting->protocol = descriptor_byte(span, at + 7);
	altsetting->endpoint = table->endpoints;
	altsetting->endpoint_end = table->endpoints;
	return altsetting;
}

static bool has_endpoint(const struct descriptor_table *table,
			 const struct descriptor_altsetting *altsetting, uint8_t address)
{
	uint32_t i;

	for (i = altsetting->endpoint; i < altsetting->endpoint_end; i++) {
		if (table->endpoint[i].address == address)
			return true;
	}
	return false;
}

static void add_endpoint(struct descriptor_table *table, struct descriptor_altsetting *altsetting,
			 const struct descriptor_span *span, size_t at)
{
	uint16_t packet = descriptor_word(span, at + 4);
	uint8_t address = descriptor_byte(span, at + 2) & 0x8f;
	struct descriptor_endpoint *endpoint;

	if (descriptor_byte(span, at) < DESCRIPTOR_ENDPOINT_BYTES ||
	    table->endpoints >= XVHC_ENDPOINTS_MAX)
		return;
	if ((address & 0x0f) == 0 || has_endpoint(table, altsetting, address))
		return;
	endpoint = &table->endpoint[table->endpoints++];
	altsetting->endpoint_end = table->endpoints;
	endpoint->address = address;
	endpoint->type = descriptor_byte(span, at + 3) & 0x03;
	endpoint->interval = descriptor_byte(span, at + 6);
	endpoint->packet = packet & 0x7ff;
	/* Bits 11 and 12: additional packets in one microframe (USB 2.0, 9.6.6). */
	endpoint->payload = (uint16_t)(endpoint->packet * (1 + ((packet >> 11) & 3)));
}

static void parse_configuration(struct descriptor_table *table, const struct descriptor_span *span,
				size_t at)
{
	struct descriptor_configuration *configuration =
		&table->configuration[table->configurations++];
	struct descriptor_altsetting *altsetting = NULL;
	size_t end;

	configuration->value = descriptor_byte(span, at + 5);
	configuration->altsetting = table->altsettings;
	configuration->altsetting_end = table->altsettings;
	for (; (end = descriptor_end(span, at)) > 0; at = end) {
		if (descriptor_byte(span, at + 1) == DESCRIPTOR_INTERFACE)
			altsetting = add_altsetting(table, configuration, span, at);
		else if (descriptor_byte(span, at + 1) == DESCRIPTOR_ENDPOINT && altsetting)
			add_endpoint(table, altsetting, span, at);
	}
}

int descriptor_parse(struct descriptor_table *table, const uint8_t *bytes, size_t length)
{
	struct descriptor_span span = {bytes, length};
	size_t at = DESCRIPTOR_DEVICE_BYTES, end;

	memset(table, 0, sizeof(*table));
	if (length < DESCRIPTOR_DEVICE_BYTES ||
	    descriptor_byte(&span, 0) < DESCRIPTOR_DEVICE_BYTES ||
	    descriptor_byte(&span, 1) != DESCRIPTOR_DEVICE)
		return XVHC_EINVAL;
	table->vendor = descriptor_word(&span, 8);
	table->product = descriptor_word(&span, 10);
	while (table->configurations < XVHC_CONFIGS_MAX) {
		span.length = length;
		end = descriptor_configuration_end(&span, at);
		if (end == 0)
			break;
		span.length = end;
		parse_configuration(table, &span, at);
		at = end;
	}
	return XVHC_OK;
}

bool descriptor_table_is_valid(const struct descriptor_table *table)
{
	uint32_t i;

	/* All places of the table, in use or not: those that are not are zero. */
	for (i = 0; i < XVHC_CONFIGS_MAX; i++) {
		if (table->configuration[i].altsetting_end > XVHC_ALTSETTINGS_MAX)
			return false;
	}
	for (i = 0; i < XVHC_ALTSETTINGS_MAX; i++) {
		if (table->altsetting[i].interface >= XVHC_INTERFACES_MAX ||
		    table->altsetting[i].endpoint_end > XVHC_ENDPOINTS_MAX)
			return false;
	}
	for (i = 0; i < XVHC_ENDPOINTS_MAX; i++) {
		if (table->endpoint[i].type > 3)
			return false;
	}
	return table->configurations <= XVHC_CONFIGS_MAX &&
	       table->altsettings <= XVHC_ALTSETTINGS_MAX && table->endpoints <= XVHC_ENDPOINTS_MAX;
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

	for (i = configuration->altsetting; i < configuration->altsetting_end; i++) {
		const struct descriptor_altsetting *altsetting = &table->altsetting[i];

		if (altsetting->interface == interface && altsetting->number == number)
			return altsetting;
	}
	return NULL;
}

uint32_t descriptor_interfaces(const struct descriptor_table *table,
			       const struct descriptor_configuration *configuration)
{
	uint32_t set = 0, i;

	for (i = configuration->altsetting; i < configuration->altsetting_end; i++)
		set |= 1u << table->altsetting[i].interface;
	return set;
}
