// SPDX-License-Identifier: MIT
#include "descriptors.h"

#include <describe.h>
#include <present.h>

static void select_altsettings(struct device_state *state, const struct descriptor_table *table,
			       const struct descriptor_configuration *configuration)
{
	uint32_t i, k;

	for (i = configuration->altsetting; i < configuration->altsetting_end; i++) {
		const struct descriptor_altsetting *altsetting = &table->altsetting[i];

		MUST(device_state_set_interface(state, altsetting->interface, altsetting->number) ==
		     XVHC_OK);
		MUST(descriptor_interfaces(table, configuration) >> altsetting->interface & 1);
		MUST(!device_state_owns(state, altsetting->interface, 0));
		MUST(!device_state_owns(state, XVHC_INTERFACES_MAX, 0x81));
		for (k = altsetting->endpoint; k < altsetting->endpoint_end; k++) {
			uint8_t address = table->endpoint[k].address;

			MUST(device_state_endpoint(state, address));
			MUST(device_state_owns(state, altsetting->interface, address));
		}
	}
}

void parse_and_check(const uint8_t *bytes, size_t length)
{
	struct descriptor_table table;
	struct device_state state;
	uint32_t i;

	if (descriptor_parse(&table, bytes, length) != XVHC_OK)
		return;
	check_table(&table);
	device_state_init(&state, &table);
	for (i = 0; i < table.configurations; i++) {
		uint8_t value = table.configuration[i].value;

		MUST(device_state_configure(&state, value) == XVHC_OK);
		MUST(device_state_is_valid(&state));
		/* Of two with the same value, the first is meant. */
		if (value != 0)
			select_altsettings(&state, &table,
					   descriptor_find_configuration(&table, value));
	}
}

static bool is_described(const struct describe_result *result,
			 const struct descriptor_altsetting *altsetting)
{
	uint32_t i;

	for (i = 0; i < result->kinds; i++) {
		if (result->kind[i].class == altsetting->class &&
		    result->kind[i].subclass == altsetting->subclass &&
		    result->kind[i].protocol == altsetting->protocol)
			return true;
	}
	return false;
}

void describe_and_check(const uint8_t *bytes, size_t length)
{
	struct descriptor_table table;
	struct describe_result result;
	uint32_t i;
	int error = describe_device(&result, bytes, length);

	MUST(result.kinds <= XVHC_KINDS_MAX);
	MUST(descriptor_parse(&table, bytes, length) == error);
	if (error != XVHC_OK)
		return;
	MUST(result.vendor == table.vendor && result.product == table.product);
	for (i = 0; i < table.altsettings; i++)
		MUST(!result.complete || is_described(&result, &table.altsetting[i]));
}

size_t present_and_check(uint8_t *bytes, size_t length)
{
	size_t left = present_high_speed(bytes, length);

	MUST(left <= length);
	return left;
}

void find_and_check(const uint8_t *bytes, size_t length)
{
	static const uint8_t types[] = {DESCRIPTOR_DEVICE, DESCRIPTOR_CONFIGURATION,
					DESCRIPTOR_BOS};
	const uint8_t *found;
	uint32_t i;

	for (i = 0; i < 3 * 16; i++) {
		size_t size = present_find(bytes, length, types[i % 3], (uint8_t)(i / 3), &found);

		MUST(size == 0 || (found >= bytes && size <= length - (size_t)(found - bytes)));
	}
}
