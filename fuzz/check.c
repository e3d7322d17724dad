// SPDX-License-Identifier: MIT
#include "check.h"

void check_request(const struct transfer_request *request)
{
	uint32_t total = 0, list = 0, i;

	MUST(transfer_request_is_valid(request));
	MUST(request->port >= 1 && request->port <= USBIF_PORT_MAX);
	for (i = 0; i < (uint32_t)(request->data_segments + request->list_segments); i++) {
		const struct transfer_segment *segment = &request->segment[i];

		MUST(segment->length > 0 && segment->offset + segment->length <= USBIF_PAGE_SIZE);
		*(i < request->data_segments ? &total : &list) += segment->length;
	}
	MUST(total == request->length);
	MUST((request->type == TRANSFER_ISOC && request->operation == TRANSFER_SUBMIT) ==
	     (request->packets > 0));
	MUST(list == request->packets * sizeof(struct usbif_isoc_packet));
	MUST(request->endpoint != 0 || request->type == TRANSFER_CONTROL ||
	     request->operation == TRANSFER_CANCEL);
}

void check_packets(const struct transfer_request *request, const struct transfer_packet *packets)
{
	uint32_t i;

	for (i = 0; i < request->packets; i++)
		MUST((uint64_t)packets[i].offset + packets[i].length <= request->length &&
		     packets[i].actual == 0 && packets[i].result == XVHC_OK);
}

void check_table(const struct descriptor_table *table)
{
	uint32_t i, k;

	MUST(descriptor_table_is_valid(table));
	for (i = 0; i < table->configurations; i++)
		MUST(table->configuration[i].altsetting_end <= table->altsettings);
	for (i = 0; i < table->altsettings; i++) {
		const struct descriptor_altsetting *altsetting = &table->altsetting[i];

		MUST(altsetting->endpoint_end <= table->endpoints);
		for (k = altsetting->endpoint; k < altsetting->endpoint_end; k++)
			MUST((table->endpoint[k].address & 0x0f) != 0);
	}
}

/* Says again, in other words than vet.c does, what a request that passed must be like. */
void check_vetted(const struct device_state *state, const struct transfer_request *request,
		  const struct transfer_packet *packets)
{
	const struct descriptor_endpoint *endpoint;
	uint32_t total = 0, i;

	MUST(request->address == state->address);
	if (request->endpoint == 0) {
		MUST(request->type == TRANSFER_CONTROL);
		MUST((uint32_t)(request->setup[6] | request->setup[7] << 8) <= request->length);
		return;
	}
	endpoint = device_state_endpoint(state, transfer_endpoint_address(request));
	MUST(endpoint && state->configuration != 0 && state->address != 0);
	MUST(endpoint->address == transfer_endpoint_address(request));
	MUST(endpoint->type == request->type);
	for (i = 0; i < request->packets; i++) {
		MUST(packets[i].length <= endpoint->payload);
		total += packets[i].length;
	}
	MUST(total <= request->length);
}

int decode_input(struct input *input, struct transfer_request *request,
		 struct transfer_packet packets[XVHC_ISOC_PACKETS_MAX])
{
	struct usbif_isoc_packet list[XVHC_ISOC_PACKETS_MAX];
	struct usbif_urb_request wire;
	int error;

	input_take(input, &wire, sizeof(wire));
	error = usbif_decode(&wire, request);
	MUST(request->id == wire.id);
	if (error != XVHC_OK)
		return error;
	check_request(request);
	input_take(input, list, request->packets * sizeof(list[0]));
	error = usbif_decode_packets(request, list, packets);
	if (error != XVHC_OK)
		return error;
	check_packets(request, packets);
	usbif_encode_packets(packets, request->packets, list);
	return XVHC_OK;
}
