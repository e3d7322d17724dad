// SPDX-License-Identifier: MIT
/*
 * A disk in memory: mass storage, Bulk-Only Transport 1.0, with the SCSI commands that a host needs
 * to read and write it. Each command passes through these phases; what the host sends or asks for
 * out of turn halts the endpoint.
 *
 *   COMMAND -> DATA_IN or DATA_OUT -> STATUS -> COMMAND
 *           -> STATUS
 */
#include "model.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES 512u
#define BLOCKS 16384u

#define ENDPOINT_IN 0x81
#define ENDPOINT_OUT 0x02

#define COMMAND_BYTES 31u
#define STATUS_BYTES 13u

#define SENSE_ILLEGAL_REQUEST 5
#define CODE_INVALID_COMMAND 0x20
#define CODE_OUT_OF_RANGE 0x21

enum phase {
	PHASE_COMMAND,
	PHASE_DATA_IN,
	PHASE_DATA_OUT,
	PHASE_STATUS
};

/* clang-format off */
static const uint8_t descriptors[] = {
	18, DESCRIPTOR_DEVICE, 0x00, 0x02, 0, 0, 0, 64,
	0x09, 0x12, 0x01, 0x00, 0x00, 0x01, 1, 2, 0, 1,
	9, DESCRIPTOR_CONFIGURATION, 32, 0, 1, 1, 0, 0x80, 50,
	9, DESCRIPTOR_INTERFACE, 0, 0, 2, 8, 6, 0x50, 0,
	7, DESCRIPTOR_ENDPOINT, ENDPOINT_IN, TRANSFER_BULK, 0x00, 0x02, 0,
	7, DESCRIPTOR_ENDPOINT, ENDPOINT_OUT, TRANSFER_BULK, 0x00, 0x02, 0,
};

#define SUPER_ENDPOINT(address, streams)                                                           \
	7, DESCRIPTOR_ENDPOINT, address, TRANSFER_BULK, 0x00, 0x04, 0,                             \
	6, DESCRIPTOR_SS_COMPANION, 15, streams, 0, 0

static const uint8_t super_descriptors[] = {
	18, DESCRIPTOR_DEVICE, 0x00, 0x03, 0, 0, 0, 9,
	0x09, 0x12, 0x01, 0x00, 0x00, 0x03, 1, 2, 0, 1,
	9, DESCRIPTOR_CONFIGURATION, 105, 0, 1, 1, 0, 0x80, 112,
	9, DESCRIPTOR_INTERFACE, 0, 0, 2, 8, 6, 0x50, 0,
	SUPER_ENDPOINT(ENDPOINT_IN, 0),
	SUPER_ENDPOINT(ENDPOINT_OUT, 0),
	9, DESCRIPTOR_INTERFACE, 0, 1, 4, 8, 6, 0x62, 0,
	SUPER_ENDPOINT(0x81, 5),
	SUPER_ENDPOINT(0x02, 5),
	SUPER_ENDPOINT(0x83, 5),
	SUPER_ENDPOINT(0x04, 0),
};
/* clang-format on */

static uint32_t get_le32(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
	       (uint32_t)bytes[3] << 24;
}

static uint32_t get_be32(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
	       (uint32_t)bytes[3];
}

static void put_le32(uint8_t *bytes, uint32_t value)
{
	bytes[0] = (uint8_t)value;
	bytes[1] = (uint8_t)(value >> 8);
	bytes[2] = (uint8_t)(value >> 16);
	bytes[3] = (uint8_t)(value >> 24);
}

static void put_be32(uint8_t *bytes, uint32_t value)
{
	bytes[0] = (uint8_t)(value >> 24);
	bytes[1] = (uint8_t)(value >> 16);
	bytes[2] = (uint8_t)(value >> 8);
	bytes[3] = (uint8_t)value;
}

static int disk_reset(struct model *model)
{
	struct disk_state *disk = &model->u.disk;
	uint8_t *blocks = disk->blocks;

	if (!blocks)
		blocks = calloc(BLOCKS, BLOCK_BYTES);
	memset(disk, 0, sizeof(*disk));
	disk->blocks = blocks;
	return blocks ? XVHC_OK : XVHC_ELIMIT;
}

static void disk_fini(struct model *model)
{
	free(model->u.disk.blocks);
	model->u.disk.blocks = NULL;
}

static int disk_control(struct model *model, const struct control_setup *setup, uint8_t *data,
			uint32_t *actual)
{
	switch (setup->request_type << 8 | setup->request) {
	case 0xa1fe: /* GET_MAX_LUN */
		if (setup->length < 1)
			return XVHC_ESTALL;
		data[0] = 0;
		*actual = 1;
		return XVHC_OK;
	case 0x21ff: /* Bulk-Only reset */
		return disk_reset(model);
	default:
		return XVHC_ESTALL;
	}
}

/* Commands. Each returns how many bytes it has for the host or wants from it. */

static uint32_t fail(struct disk_state *disk, uint8_t code)
{
	disk->status = 1;
	disk->sense_key = SENSE_ILLEGAL_REQUEST;
	disk->sense_code = code;
	return 0;
}

static uint32_t reply(struct disk_state *disk, const void *bytes, uint32_t length)
{
	memset(disk->reply, 0, sizeof(disk->reply));
	memcpy(disk->reply, bytes, length);
	disk->from = disk->reply;
	return length;
}

static uint32_t inquiry(struct disk_state *disk)
{
	return reply(disk, "\x00\x80\x04\x02\x1f\x00\x00\x00xvhc    model disk      1.0 ", 36);
}

static uint32_t request_sense(struct disk_state *disk)
{
	uint8_t sense[18] = {0x70, 0, disk->sense_key, 0, 0, 0, 0, 10, 0, 0,
			     0,    0, disk->sense_code};

	disk->sense_key = 0;
	disk->sense_code = 0;
	return reply(disk, sense, sizeof(sense));
}

static uint32_t read_capacity(struct disk_state *disk)
{
	uint8_t capacity[8];

	put_be32(capacity, BLOCKS - 1);
	put_be32(capacity + 4, BLOCK_BYTES);
	return reply(disk, capacity, sizeof(capacity));
}

static uint32_t read_write(struct disk_state *disk, const uint8_t *command)
{
	uint32_t block = get_be32(command + 2);
	uint32_t count = (uint32_t)command[7] << 8 | command[8];

	if (count > BLOCKS || block > BLOCKS - count)
		return fail(disk, CODE_OUT_OF_RANGE);
	disk->from = disk->to = disk->blocks + (size_t)block * BLOCK_BYTES;
	return count * BLOCK_BYTES;
}

static uint32_t run_command(struct disk_state *disk, const uint8_t *command)
{
	disk->status = 0;
	disk->from = NULL;
	disk->to = NULL;
	switch (command[0]) {
	case 0x00: /* TEST UNIT READY */
	case 0x1b: /* START STOP UNIT */
	case 0x1e: /* PREVENT ALLOW MEDIUM REMOVAL */
	case 0x35: /* SYNCHRONIZE CACHE */
		return 0;
	case 0x03:
		return request_sense(disk);
	case 0x12:
		return inquiry(disk);
	case 0x1a: /* MODE SENSE(6) */
		return reply(disk, "\x03\x00\x00\x00", 4);
	case 0x25:
		return read_capacity(disk);
	case 0x28: /* READ(10) */
	case 0x2a: /* WRITE(10) */
		return read_write(disk, command);
	default:
		return fail(disk, CODE_INVALID_COMMAND);
	}
}

static int take_command(struct model *model, const struct source_transfer *transfer)
{
	struct disk_state *disk = &model->u.disk;
	const uint8_t *block = transfer->buffer;
	uint32_t wanted, has;
	bool in;

	if (transfer->length != COMMAND_BYTES || memcmp(block, "USBC", 4) != 0 || block[14] > 16) {
		model_halt(model, ENDPOINT_IN);
		model_halt(model, ENDPOINT_OUT);
		return XVHC_ESTALL;
	}
	disk->tag = get_le32(block + 4);
	wanted = get_le32(block + 8);
	in = (block[12] & 0x80) != 0;
	has = run_command(disk, block + 15);
	disk->left = has < wanted ? has : wanted;
	disk->residue = wanted - disk->left;
	disk->phase = PHASE_STATUS;
	if (disk->left > 0)
		disk->phase = in ? PHASE_DATA_IN : PHASE_DATA_OUT;
	else if (wanted > 0)
		model_halt(model, in ? ENDPOINT_IN : ENDPOINT_OUT);
	return XVHC_OK;
}

static int take_data(struct disk_state *disk, const struct source_transfer *transfer)
{
	uint32_t length = transfer->length < disk->left ? transfer->length : disk->left;

	if (disk->to) {
		memcpy(disk->to, transfer->buffer, length);
		disk->to += length;
	}
	disk->left -= length;
	if (disk->left == 0)
		disk->phase = PHASE_STATUS;
	return XVHC_OK;
}

static int transfer_out(struct model *model, struct source_transfer *transfer)
{
	struct disk_state *disk = &model->u.disk;
	int error;

	if (disk->phase == PHASE_COMMAND)
		error = take_command(model, transfer);
	else if (disk->phase == PHASE_DATA_OUT)
		error = take_data(disk, transfer);
	else
		return MODEL_WAITS;
	transfer->actual = transfer->length;
	model_kick(model, ENDPOINT_IN);
	return error;
}

static int give_status(struct model *model, struct source_transfer *transfer)
{
	struct disk_state *disk = &model->u.disk;
	static const uint8_t signature[] = {'U', 'S', 'B', 'S'};
	uint8_t *status = transfer->buffer;

	if (transfer->length < STATUS_BYTES)
		return XVHC_EBABBLE;
	memcpy(status, signature, sizeof(signature));
	put_le32(status + 4, disk->tag);
	put_le32(status + 8, disk->residue);
	status[12] = disk->status;
	transfer->actual = STATUS_BYTES;
	disk->phase = PHASE_COMMAND;
	model_kick(model, ENDPOINT_OUT);
	return XVHC_OK;
}

static int transfer_in(struct model *model, struct source_transfer *transfer)
{
	struct disk_state *disk = &model->u.disk;

	if (disk->phase == PHASE_STATUS)
		return give_status(model, transfer);
	if (disk->phase != PHASE_DATA_IN)
		return MODEL_WAITS;
	transfer->actual = transfer->length < disk->left ? transfer->length : disk->left;
	if (disk->from) {
		memcpy(transfer->buffer, disk->from, transfer->actual);
		disk->from += transfer->actual;
	}
	disk->left -= transfer->actual;
	if (disk->left == 0)
		disk->phase = PHASE_STATUS;
	return XVHC_OK;
}

static int disk_transfer(struct model *model, struct source_transfer *transfer)
{
	return transfer->in ? transfer_in(model, transfer) : transfer_out(model, transfer);
}

const struct model_ops model_disk = {
	.descriptors = descriptors,
	.descriptors_length = sizeof(descriptors),
	.product = "disk",
	.reset = disk_reset,
	.fini = disk_fini,
	.control = disk_control,
	.transfer = disk_transfer,
};

const struct model_ops model_disk_super = {
	.descriptors = super_descriptors,
	.descriptors_length = sizeof(super_descriptors),
	.product = "SuperSpeed disk",
	.reset = disk_reset,
	.fini = disk_fini,
	.control = disk_control,
	.transfer = disk_transfer,
};
