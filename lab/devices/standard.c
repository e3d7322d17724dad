// SPDX-License-Identifier: MIT
#include "standard.h"

#include <string.h>

enum {
	GET_STATUS = 0,
	CLEAR_FEATURE = 1,
	SET_FEATURE = 3,
	GET_DESCRIPTOR = 6,
	SET_SEL = 48,
	SET_ISOCH_DELAY = 49
};
enum {
	DESCRIPTOR_DEVICE = 1,
	DESCRIPTOR_CONFIGURATION = 2,
	DESCRIPTOR_STRING = 3,
	DESCRIPTOR_BOS = 15
};

#define ENGLISH 0x0409
#define STRING_CHARACTERS_MAX 100

static int answer(const struct setup *setup, uint8_t *data, const uint8_t *what, size_t bytes)
{
	size_t count = bytes < setup->length ? bytes : setup->length;

	memcpy(data, what, count);
	return (int)count;
}

static int answer_string(const struct look *look, const struct setup *setup, uint8_t *data)
{
	uint8_t text[2 + 2 * STRING_CHARACTERS_MAX] = {4, DESCRIPTOR_STRING, LE16(ENGLISH)};
	size_t number = setup->value & 0xff;
	const char *string;
	size_t i;

	if (number > look->string_count)
		return STALL;
	if (number > 0) {
		string = look->strings[number - 1];
		for (i = 0; i < STRING_CHARACTERS_MAX && string[i]; i++) {
			text[2 + 2 * i] = (uint8_t)string[i];
			text[3 + 2 * i] = 0;
		}
		text[0] = (uint8_t)(2 + 2 * i);
	}
	return answer(setup, data, text, text[0]);
}

static int answer_descriptor(const struct look *look, const struct setup *setup, uint8_t *data)
{
	switch (setup->value >> 8) {
	case DESCRIPTOR_DEVICE:
		return answer(setup, data, look->device, look->device[0]);
	case DESCRIPTOR_CONFIGURATION:
		if ((setup->value & 0xff) != 0)
			return STALL;
		return answer(setup, data, look->configuration, look->configuration_bytes);
	case DESCRIPTOR_STRING:
		return answer_string(look, setup, data);
	case DESCRIPTOR_BOS:
		if (!look->capabilities)
			return STALL;
		return answer(setup, data, look->capabilities, look->capabilities_bytes);
	default:
		return STALL;
	}
}

int standard_request(const struct look *look, const struct setup *setup, uint8_t *data)
{
	static const uint8_t status[2];

	switch (setup->request) {
	case GET_STATUS:
		return answer(setup, data, status, sizeof(status));
	case CLEAR_FEATURE:
	case SET_FEATURE:
	case SET_SEL:
	case SET_ISOCH_DELAY:
		return 0;
	case GET_DESCRIPTOR:
		return answer_descriptor(look, setup, data);
	default:
		return STALL;
	}
}
