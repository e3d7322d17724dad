/* SPDX-License-Identifier: MIT */
/*
 * Any table, state or request that its predicate in core/ lets pass: each number that the predicate
 * bounds has any value within the bound, and everything else is arbitrary. That nothing beyond the
 * bounds was taken along is asserted with the predicate itself.
 */
#ifndef XVHC_PROOFS_VALID_H
#define XVHC_PROOFS_VALID_H

#include <vet.h>

#include "arbitrary.h"

static inline void valid_table(struct descriptor_table *table)
{
	uint32_t i;

	arbitrary_bytes(table, sizeof(*table));
	table->configurations = (uint16_t)arbitrary_u32(0, XVHC_CONFIGS_MAX);
	table->altsettings = (uint16_t)arbitrary_u32(0, XVHC_ALTSETTINGS_MAX);
	table->endpoints = (uint16_t)arbitrary_u32(0, XVHC_ENDPOINTS_MAX);
	for (i = 0; i < XVHC_CONFIGS_MAX; i++)
		table->configuration[i].altsetting_end =
			(uint16_t)arbitrary_u32(0, XVHC_ALTSETTINGS_MAX);
	for (i = 0; i < XVHC_ALTSETTINGS_MAX; i++) {
		table->altsetting[i].interface = (uint8_t)arbitrary_u32(0, XVHC_INTERFACES_MAX - 1);
		table->altsetting[i].endpoint_end = (uint16_t)arbitrary_u32(0, XVHC_ENDPOINTS_MAX);
	}
	for (i = 0; i < XVHC_ENDPOINTS_MAX; i++)
		table->endpoint[i].type = (uint8_t)arbitrary_u32(0, 3);
	assert(descriptor_table_is_valid(table));
}

static inline void valid_state(struct device_state *state, const struct descriptor_table *table)
{
	uint32_t i;

	arbitrary_bytes(state, sizeof(*state));
	state->descriptors = table;
	state->firmware_allowed = arbitrary_bool();
	for (i = 0; i < 16; i++) {
		state->endpoint[0][i] = (uint16_t)arbitrary_u32(0, XVHC_ENDPOINTS_MAX);
		state->endpoint[1][i] = (uint16_t)arbitrary_u32(0, XVHC_ENDPOINTS_MAX);
	}
	assert(device_state_is_valid(state));
}

static inline void valid_request(struct transfer_request *request)
{
	arbitrary_bytes(request, sizeof(*request));
	request->operation = (uint8_t)arbitrary_u32(TRANSFER_SUBMIT, TRANSFER_STREAMS_FREE);
	request->type = (uint8_t)arbitrary_u32(TRANSFER_CONTROL, TRANSFER_INTERRUPT);
	request->address = (uint8_t)arbitrary_u32(0, 127);
	request->endpoint = (uint8_t)arbitrary_u32(0, 15);
	request->in = arbitrary_bool();
	request->short_not_ok = arbitrary_bool();
	request->zero_packet = arbitrary_bool();
	request->indirect = arbitrary_bool();
	request->in_pool = arbitrary_bool();
	request->data_segments = (uint16_t)arbitrary_u32(0, TRANSFER_SEGMENTS_MAX);
	request->list_segments = (uint8_t)arbitrary_u32(0, TRANSFER_LIST_SEGMENTS_MAX);
	request->length = arbitrary_u32(0, TRANSFER_LENGTH_MAX);
	request->packets = (uint16_t)arbitrary_u32(0, XVHC_ISOC_PACKETS_MAX);
	assert(transfer_request_is_valid(request));
}

#endif
