/* SPDX-License-Identifier: MIT */
/* What must hold of results, whatever the input. */
#ifndef XVHC_FUZZ_CHECK_H
#define XVHC_FUZZ_CHECK_H

#include <descriptor.h>
#include <transfer.h>
#include <usbif_decode.h>
#include <vet.h>
#include <xvhcif_decode.h>

#include "input.h"

/* Each ends the program where a result breaks its promises. */
void check_request(const struct transfer_request *request);
void check_packets(const struct transfer_request *request, const struct transfer_packet *packets);
void check_table(const struct descriptor_table *table);
void check_vetted(const struct device_state *state, const struct transfer_request *request,
		  const struct transfer_packet *packets);

/* Decodes a request of the input with its packet list, and checks it. Returns usbif_decode()'s. */
int decode_input(struct input *input, struct transfer_request *request,
		 struct transfer_packet packets[XVHC_ISOC_PACKETS_MAX]);

/* The same for version 2, with xvhcif_decode() and its indirect segments. */
int decode_input_2(struct input *input, struct transfer_request *request,
		   struct transfer_packet packets[XVHC_ISOC_PACKETS_MAX]);

#endif
