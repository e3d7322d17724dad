// SPDX-License-Identifier: MIT
#include "vet_steps.h"

#include <stdlib.h>

#include <control.h>

bool input_device(struct input *input, struct descriptor_table *table)
{
	size_t length = input_u16(input);
	uint8_t *bytes = input_bytes(input, &length);
	int error = descriptor_parse(table, bytes, length);

	free(bytes);
	if (error == XVHC_OK)
		check_table(table);
	return error == XVHC_OK;
}

static void set_address(struct input *input, struct device_state *state)
{
	uint8_t byte = input_u8(input);

	state->address = byte & 0x7f;
	state->firmware_allowed = (byte & 0x80) != 0;
}

static void set_configuration(struct input *input, struct device_state *state)
{
	(void)!device_state_configure(state, input_u8(input));
}

static void set_interface(struct input *input, struct device_state *state)
{
	uint8_t interface = input_u8(input);

	(void)!device_state_set_interface(state, interface, input_u8(input));
}

static void set_streams(struct input *input, struct device_state *state)
{
	uint32_t endpoints = input_u16(input) | (uint32_t)input_u16(input) << 16;

	if (device_state_can_stream(state, endpoints))
		device_state_set_streams(state, endpoints, input_u8(input));
}

static void judge(const struct device_state *state, const struct transfer_request *request,
		  const struct transfer_packet *packets)
{
	struct control_setup setup;
	int error;

	if (request->operation != TRANSFER_SUBMIT)
		return;
	control_parse(request->setup, &setup);
	(void)control_classify(&setup);
	error = vet_request(state, request, packets);
	MUST((vet_verdict(state, request, packets) != NULL) == (error != XVHC_OK));
	if (error == XVHC_OK)
		check_vetted(state, request, packets);
}

static void vet(struct input *input, struct device_state *state)
{
	struct transfer_packet packets[XVHC_ISOC_PACKETS_MAX];
	struct transfer_request request;

	if (decode_input(input, &request, packets) == XVHC_OK)
		judge(state, &request, packets);
}

static void vet_2(struct input *input, struct device_state *state)
{
	struct transfer_packet packets[XVHC_ISOC_PACKETS_MAX];
	struct transfer_request request;

	if (decode_input_2(input, &request, packets) == XVHC_OK)
		judge(state, &request, packets);
}

static void (*const steps[])(struct input *input, struct device_state *state) = {
	set_address, set_configuration, set_interface, vet, set_streams, vet_2,
};

void input_step(struct input *input, struct device_state *state)
{
	uint8_t what = input_u8(input);

	steps[what < 0xc0 ? what % 4 : 4 + what % 2](input, state);
}
