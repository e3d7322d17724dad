// SPDX-License-Identifier: MIT
#include "check.h"

static uint32_t check_segments(const struct transfer_segment *segments, uint32_t count)
{
	uint32_t total = 0, i;

	for (i = 0; i < count; i++) {
		MUST(segments[i].length > 0 &&
		     segments[i].offset + segments[i].length <= USBIF_PAGE_SIZE);
		total += segments[i].length;
	}
	return total;
}

void check_request(const struct transfer_request *request)
{
	MUST(transfer_request_is_valid(request));
	MUST(request->port >= 1 && request->port <= USBIF_PORT_MAX);
	MUST(check_segments(request->segment, request->data_segments) ==
	     (request->in_pool ? 0 : request->length));
	MUST(check_segments(request->list, request->list_segments) ==
	     (request->in_pool ? 0 : request->packets * sizeof(struct usbif_isoc_packet)));
	MUST((request->type == TRANSFER_ISOC && request->operation == TRANSFER_SUBMIT) ==
	     (request->packets > 0));
	MUST(request->endpoint != 0 || request->type == TRANSFER_CONTROL ||
	     request->operation == TRANSFER_CANCEL);
	MUST(request->stream == 0 || request->type == TRANSFER_BULK);
	MUST(request->operation == TRANSFER_SUBMIT || request->data_segments == 0);
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
	MUST(request->stream <= state->streams[request->in][request->endpoint]);
	MUST(request->stream > 0 || state->streams[request->in][request->endpoint] == 0);
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
	MUST((usbif_verdict(&wire) != NULL) == (error != XVHC_OK));
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

/* A request of version 2, with its indirect segments. */
static int decode_2(struct input *input, struct transfer_request *request)
{
	struct xvhcif_segment segments[XVHCIF_SEGMENTS_MAX];
	uint8_t how = input_u8(input);
	uint32_t slots = XVHCIF_SLOTS_OF_A_PAGE << how % 3;
	uint32_t pool_bytes = how / 3u * XVHCIF_PAGE_SIZE;
	struct xvhcif_request wire;
	int error;

	input_take(input, &wire, sizeof(wire));
	error = xvhcif_decode(&wire, slots, pool_bytes, request);
	MUST((error == XVHC_EPROTO) == (wire.id >= slots));
	MUST(error == XVHC_OK || xvhcif_verdict(&wire));
	MUST(request->id == wire.id);
	if (request->operation >= TRANSFER_STREAMS_ALLOCATE && (request->endpoints & 0x10001) != 0)
		MUST(error == XVHC_EINVAL);
	if (error == XVHC_OK && request->in_pool)
		MUST((uint64_t)request->pool_offset + request->length <= pool_bytes &&
		     (uint64_t)request->list_offset + request->packets * 16u <= pool_bytes);
	if (error != XVHC_OK || !request->indirect)
		return error;
	input_take(input, segments, request->data_segments * sizeof(segments[0]));
	return xvhcif_decode_segments(segments, request);
}

int decode_input_2(struct input *input, struct transfer_request *request,
		   struct transfer_packet packets[XVHC_ISOC_PACKETS_MAX])
{
	struct xvhcif_packet list[XVHC_ISOC_PACKETS_MAX];
	int error = decode_2(input, request);

	if (error != XVHC_OK)
		return error;
	check_request(request);
	input_take(input, list, request->packets * sizeof(list[0]));
	error = xvhcif_decode_packets(request, list, packets);
	if (error != XVHC_OK)
		return error;
	check_packets(request, packets);
	xvhcif_encode_packets(packets, request->packets, list);
	return XVHC_OK;
}
