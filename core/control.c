// SPDX-License-Identifier: MIT
#include "control.h"

#include "descriptor.h"

#define ANY_VALUE 0xffffffffu

/* bmRequestType. */
#define NO_DIRECTION 0x7fu
#define TYPE_MASK 0x60u
#define TYPE_VENDOR 0x40u
#define RECIPIENT_MASK 0x1fu
#define RECIPIENT_INTERFACE 1u
#define RECIPIENT_ENDPOINT 2u

#define GET_DEVICE_ID_TYPE 0xa1u
#define GET_DEVICE_ID 0u

#define FEATURE_ENDPOINT_HALT 0u
#define FEATURE_TEST_MODE 2u

static const struct {
	uint8_t mask; /* of the bits of the request's type that count */
	uint8_t request_type;
	uint8_t request;
	uint32_t value;
	enum control_kind kind;
} kinds[] = {
	{NO_DIRECTION, 0x00, 5, ANY_VALUE, CONTROL_SET_ADDRESS},
	{NO_DIRECTION, 0x00, 9, ANY_VALUE, CONTROL_SET_CONFIGURATION},
	{NO_DIRECTION, 0x01, 11, ANY_VALUE, CONTROL_SET_INTERFACE},
	{NO_DIRECTION, 0x02, 1, FEATURE_ENDPOINT_HALT, CONTROL_CLEAR_HALT},
	{0xff, 0x80, 6, ANY_VALUE, CONTROL_GET_DESCRIPTOR},
	/* A device in a test mode leaves it by losing its power (USB 2.0, 9.4.9). */
	{NO_DIRECTION, 0x00, 3, FEATURE_TEST_MODE, CONTROL_REFUSE},
};

void control_parse(const uint8_t bytes[8], struct control_setup *setup)
{
	setup->request_type = bytes[0];
	setup->request = bytes[1];
	setup->value = descriptor_u16(bytes + 2);
	setup->index = descriptor_u16(bytes + 4);
	setup->length = descriptor_u16(bytes + 6);
}

enum control_kind control_classify(const struct control_setup *setup)
{
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		/* Where there is no data, a device does not look at the direction (9.3.1). */
		if (kinds[i].request_type != (setup->request_type & kinds[i].mask) ||
		    kinds[i].request != setup->request)
			continue;
		if (kinds[i].value != ANY_VALUE && kinds[i].value != setup->value)
			continue;
		/* The control endpoint's own halt is no state of the USB core. */
		if (kinds[i].kind == CONTROL_CLEAR_HALT && (setup->index & 0x0f) == 0)
			continue;
		return kinds[i].kind;
	}
	return CONTROL_PASS;
}

enum control_recipient control_recipient(const struct control_setup *setup)
{
	if (setup->request_type == GET_DEVICE_ID_TYPE && setup->request == GET_DEVICE_ID)
		return CONTROL_TO_PRINTER;
	if ((setup->request_type & TYPE_MASK) == TYPE_VENDOR)
		return CONTROL_TO_DEVICE;
	switch (setup->request_type & RECIPIENT_MASK) {
	case RECIPIENT_INTERFACE:
		return CONTROL_TO_INTERFACE;
	case RECIPIENT_ENDPOINT:
		return CONTROL_TO_ENDPOINT;
	default:
		return CONTROL_TO_DEVICE;
	}
}

/* DFU 1.1, table 3.2. Reading the firmware, the state and the like do no harm. */
static const struct {
	uint8_t request_type;
	uint8_t request;
} firmware_requests[] = {
	/* clang-format off */
	{0x21, 0}, /* DETACH: the device comes back as a loader of firmware */
	{0x21, 1}, /* DNLOAD */
	{0x20, 0},
	{0x20, 1},
	/* clang-format on */
};

bool control_downloads_firmware(const struct control_setup *setup)
{
	size_t i;

	for (i = 0; i < sizeof(firmware_requests) / sizeof(firmware_requests[0]); i++) {
		/* Where there is no data, the direction bit says nothing. */
		if (firmware_requests[i].request_type == (setup->request_type & 0x7f) &&
		    firmware_requests[i].request == setup->request &&
		    (setup->length == 0 || (setup->request_type & 0x80) == 0))
			return true;
	}
	return false;
}

int control_check(const struct control_setup *setup, const struct transfer_request *request)
{
	bool in = (setup->request_type & 0x80) != 0;

	if (setup->length > request->length)
		return XVHC_EINVAL;
	if (setup->length > 0 && in != request->in)
		return XVHC_EINVAL;
	return XVHC_OK;
}
