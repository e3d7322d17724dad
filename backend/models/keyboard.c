// SPDX-License-Identifier: MIT
/* A HID boot keyboard (HID 1.11, appendix B). Its keys are typed by a vendor request. */
#include "model.h"

#include <string.h>

#define REPORT_BYTES 8u
#define REPORTS_MAX 64u
#define ENDPOINT 0x81

static const uint8_t report_descriptor[] = {
	0x05, 0x01, 0x09, 0x06, 0xa1, 0x01, 0x05, 0x07, 0x19, 0xe0, 0x29, 0xe7, 0x15,
	0x00, 0x25, 0x01, 0x75, 0x01, 0x95, 0x08, 0x81, 0x02, 0x95, 0x01, 0x75, 0x08,
	0x81, 0x01, 0x95, 0x05, 0x75, 0x01, 0x05, 0x08, 0x19, 0x01, 0x29, 0x05, 0x91,
	0x02, 0x95, 0x01, 0x75, 0x03, 0x91, 0x01, 0x95, 0x06, 0x75, 0x08, 0x15, 0x00,
	0x25, 0x65, 0x05, 0x07, 0x19, 0x00, 0x29, 0x65, 0x81, 0x00, 0xc0,
};

/* clang-format off */
static const uint8_t descriptors[] = {
	18, DESCRIPTOR_DEVICE, 0x00, 0x02, 0, 0, 0, 8,
	0x09, 0x12, 0x02, 0x00, 0x00, 0x01, 1, 2, 0, 1,
	9, DESCRIPTOR_CONFIGURATION, 34, 0, 1, 1, 0, 0xa0, 50,
	9, DESCRIPTOR_INTERFACE, 0, 0, 1, 3, 1, 1, 0,
	9, 0x21, 0x11, 0x01, 0, 1, 0x22, sizeof(report_descriptor), 0,
	7, DESCRIPTOR_ENDPOINT, ENDPOINT, TRANSFER_INTERRUPT, 8, 0, 10,
};
/* clang-format on */

static int keyboard_reset(struct model *model)
{
	memset(&model->u.keyboard, 0, sizeof(model->u.keyboard));
	return XVHC_OK;
}

static void keyboard_fini(struct model *model)
{
	(void)model;
}

static void push_report(struct keyboard_state *keyboard, uint8_t key)
{
	uint8_t *report;

	if (keyboard->count == REPORTS_MAX)
		return;
	report = keyboard->reports[(keyboard->first + keyboard->count++) % REPORTS_MAX];
	memset(report, 0, REPORT_BYTES);
	report[2] = key;
}

static int reply(const void *bytes, uint32_t length, const struct control_setup *setup,
		 uint8_t *data, uint32_t *actual)
{
	*actual = length < setup->length ? length : setup->length;
	memcpy(data, bytes, *actual);
	return XVHC_OK;
}

static int keyboard_control(struct model *model, const struct control_setup *setup, uint8_t *data,
			    uint32_t *actual)
{
	struct keyboard_state *keyboard = &model->u.keyboard;

	switch (setup->request_type << 8 | setup->request) {
	case 0x8106: /* GET_DESCRIPTOR of the interface */
		if (setup->value >> 8 != 0x22)
			return XVHC_ESTALL;
		return reply(report_descriptor, sizeof(report_descriptor), setup, data, actual);
	case 0x2109: /* SET_REPORT */
		if (setup->length != 1)
			return XVHC_ESTALL;
		keyboard->leds = data[0];
		return XVHC_OK;
	case 0x210a: /* SET_IDLE */
	case 0x210b: /* SET_PROTOCOL */
		return XVHC_OK;
	case 0x4000 | MODEL_REQUEST_TYPE:
		push_report(keyboard, (uint8_t)setup->value);
		push_report(keyboard, 0);
		model_kick(model, ENDPOINT);
		return XVHC_OK;
	case 0xc000 | MODEL_REQUEST_LEDS:
		return reply(&keyboard->leds, 1, setup, data, actual);
	default:
		return XVHC_ESTALL;
	}
}

static int keyboard_transfer(struct model *model, struct source_transfer *transfer)
{
	struct keyboard_state *keyboard = &model->u.keyboard;

	if (keyboard->count == 0)
		return MODEL_WAITS;
	if (transfer->length < REPORT_BYTES)
		return XVHC_EBABBLE;
	memcpy(transfer->buffer, keyboard->reports[keyboard->first], REPORT_BYTES);
	transfer->actual = REPORT_BYTES;
	keyboard->first = (keyboard->first + 1) % REPORTS_MAX;
	keyboard->count--;
	return XVHC_OK;
}

const struct model_ops model_keyboard = {
	.descriptors = descriptors,
	.descriptors_length = sizeof(descriptors),
	.product = "keyboard",
	.reset = keyboard_reset,
	.fini = keyboard_fini,
	.control = keyboard_control,
	.transfer = keyboard_transfer,
};
