// SPDX-License-Identifier: MIT
/*
 * Sources, sinks and loops, in the manner of the kernel's gadget zero.
 *
 * Configuration 1, altsetting 0: bulk source (0x81: byte n of the transfer is n mod 63) and sink
 * (0x01). Altsetting 1: also isochronous (0x02 to 0x82, packet by packet, empty ones where there is
 * nothing) and interrupt (0x03 to 0x83, which waits) loops. Configuration 2: a bulk loop (0x01 to
 * 0x81, which waits).
 */
#include "model.h"

#include <string.h>

#define ISOC_PACKET 1024u

/* clang-format off */
#define BULK_ENDPOINT(address) 7, DESCRIPTOR_ENDPOINT, address, TRANSFER_BULK, 0x00, 0x02, 0

static const uint8_t descriptors[] = {
	18, DESCRIPTOR_DEVICE, 0x00, 0x02, 0xff, 0, 0, 64, 0x25, 0x05, 0xa0, 0xa4, 0, 1, 1, 2, 0, 2,
	9, DESCRIPTOR_CONFIGURATION, 83, 0, 1, 1, 0, 0x80, 50,
	9, DESCRIPTOR_INTERFACE, 0, 0, 2, 0xff, 0, 0, 0,
	BULK_ENDPOINT(0x81),
	BULK_ENDPOINT(0x01),
	9, DESCRIPTOR_INTERFACE, 0, 1, 6, 0xff, 0, 0, 0,
	BULK_ENDPOINT(0x81),
	BULK_ENDPOINT(0x01),
	7, DESCRIPTOR_ENDPOINT, 0x82, TRANSFER_ISOC, 0x00, 0x04, 1,
	7, DESCRIPTOR_ENDPOINT, 0x02, TRANSFER_ISOC, 0x00, 0x04, 1,
	7, DESCRIPTOR_ENDPOINT, 0x83, TRANSFER_INTERRUPT, 0x40, 0x00, 4,
	7, DESCRIPTOR_ENDPOINT, 0x03, TRANSFER_INTERRUPT, 0x40, 0x00, 4,
	9, DESCRIPTOR_CONFIGURATION, 32, 0, 1, 2, 0, 0x80, 50,
	9, DESCRIPTOR_INTERFACE, 0, 0, 2, 0xff, 0, 0, 0,
	BULK_ENDPOINT(0x81),
	BULK_ENDPOINT(0x01),
};
/* clang-format on */

static int loopback_reset(struct model *model)
{
	memset(&model->u.loopback, 0, sizeof(model->u.loopback));
	return XVHC_OK;
}

static void loopback_fini(struct model *model)
{
	(void)model;
}

static int loopback_control(struct model *model, const struct control_setup *setup, uint8_t *data,
			    uint32_t *actual)
{
	struct loopback_state *loopback = &model->u.loopback;

	switch (setup->request_type << 8 | setup->request) {
	case 0x4000 | MODEL_REQUEST_WRITE:
		if (setup->length > sizeof(loopback->control))
			return XVHC_ESTALL;
		memcpy(loopback->control, data, setup->length);
		loopback->control_length = setup->length;
		return XVHC_OK;
	case 0xc000 | MODEL_REQUEST_READ:
		*actual = loopback->control_length < setup->length ? loopback->control_length
								   : setup->length;
		memcpy(data, loopback->control, *actual);
		return XVHC_OK;
	default:
		return XVHC_ESTALL;
	}
}

static int source(struct source_transfer *transfer)
{
	uint32_t i;

	for (i = 0; i < transfer->length; i++)
		transfer->buffer[i] = (uint8_t)(i % 63);
	transfer->actual = transfer->length;
	return XVHC_OK;
}

static int store(struct model *model, struct source_transfer *transfer, uint8_t *buffer,
		 uint32_t *length, bool *full)
{
	if (*full)
		return MODEL_WAITS;
	memcpy(buffer, transfer->buffer, transfer->length);
	*length = transfer->length;
	*full = true;
	transfer->actual = transfer->length;
	model_kick(model, transfer->endpoint | 0x80);
	return XVHC_OK;
}

static int fetch(struct model *model, struct source_transfer *transfer, const uint8_t *buffer,
		 const uint32_t *length, bool *full)
{
	if (!*full)
		return MODEL_WAITS;
	if (*length > transfer->length)
		return XVHC_EBABBLE;
	memcpy(transfer->buffer, buffer, *length);
	transfer->actual = *length;
	*full = false;
	model_kick(model, transfer->endpoint & 0x0f);
	return XVHC_OK;
}

static int bulk(struct model *model, struct source_transfer *transfer)
{
	struct loopback_state *loopback = &model->u.loopback;

	if (model->state.configuration == 1 && transfer->in)
		return source(transfer);
	if (model->state.configuration == 1) {
		transfer->actual = transfer->length;
		return XVHC_OK;
	}
	if (!transfer->in && transfer->length > sizeof(loopback->loop))
		return XVHC_EIO;
	if (transfer->in)
		return fetch(model, transfer, loopback->loop, &loopback->loop_length,
			     &loopback->loop_full);
	return store(model, transfer, loopback->loop, &loopback->loop_length, &loopback->loop_full);
}

static int interrupt(struct model *model, struct source_transfer *transfer)
{
	struct loopback_state *loopback = &model->u.loopback;

	if (transfer->length > sizeof(loopback->interrupt))
		return XVHC_EINVAL;
	if (transfer->in)
		return fetch(model, transfer, loopback->interrupt, &loopback->interrupt_length,
			     &loopback->interrupt_full);
	return store(model, transfer, loopback->interrupt, &loopback->interrupt_length,
		     &loopback->interrupt_full);
}

static void isoc_out(struct loopback_state *loopback, const uint8_t *data,
		     struct transfer_packet *packet)
{
	uint32_t at = (loopback->isoc_first + loopback->isoc_count) % XVHC_ISOC_PACKETS_MAX;

	if (loopback->isoc_count == XVHC_ISOC_PACKETS_MAX || packet->length > ISOC_PACKET) {
		packet->result = XVHC_EIO;
		return;
	}
	memcpy(loopback->isoc[at], data, packet->length);
	loopback->isoc_length[at] = packet->length;
	loopback->isoc_count++;
	packet->actual = packet->length;
}

static void isoc_in(struct loopback_state *loopback, uint8_t *data, struct transfer_packet *packet)
{
	uint32_t at = loopback->isoc_first, length = loopback->isoc_length[at];

	if (loopback->isoc_count == 0)
		return;
	loopback->isoc_first = (at + 1) % XVHC_ISOC_PACKETS_MAX;
	loopback->isoc_count--;
	if (length > packet->length) {
		packet->result = XVHC_EBABBLE;
		return;
	}
	memcpy(data, loopback->isoc[at], length);
	packet->actual = length;
}

static int isoc(struct model *model, struct source_transfer *transfer)
{
	uint8_t *data = transfer->buffer;
	uint32_t i;

	for (i = 0; i < transfer->packets; i++) {
		if (transfer->in)
			isoc_in(&model->u.loopback, data, &transfer->packet[i]);
		else
			isoc_out(&model->u.loopback, data, &transfer->packet[i]);
		data += transfer->packet[i].length;
	}
	return XVHC_OK;
}

static int loopback_transfer(struct model *model, struct source_transfer *transfer)
{
	switch (transfer->type) {
	case TRANSFER_BULK:
		return bulk(model, transfer);
	case TRANSFER_INTERRUPT:
		return interrupt(model, transfer);
	default:
		return isoc(model, transfer);
	}
}

const struct model_ops model_loopback = {
	.descriptors = descriptors,
	.descriptors_length = sizeof(descriptors),
	.product = "loopback",
	.reset = loopback_reset,
	.fini = loopback_fini,
	.control = loopback_control,
	.transfer = loopback_transfer,
};
