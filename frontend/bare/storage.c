// SPDX-License-Identifier: MIT
#include "storage.h"

#include <error.h>
#include <string.h>
#include <transfer.h>

#define CLASS_STORAGE 8u
#define SUBCLASS_SCSI 6u
#define PROTOCOL_BULK_ONLY 0x50u

#define TEST_UNIT_READY 0x00u
#define REQUEST_SENSE 0x03u
#define READ_CAPACITY 0x25u
#define READ_10 0x28u

#define WRAPPER_BYTES 31u
#define STATUS_BYTES 13u
#define SENSE_BYTES 18u

static void put_little(uint8_t *bytes, uint32_t number)
{
	uint32_t i;

	for (i = 0; i < 4; i++)
		bytes[i] = (uint8_t)(number >> 8 * i);
}

static uint32_t get_big(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
	       bytes[3];
}

/* The status of a command: 0 passed, 1 failed, or what is negative. */
static int take_status(struct storage *storage)
{
	uint8_t status[STATUS_BYTES];
	int result = device_bulk(storage->device, storage->in, status, sizeof(status));

	if (result == XVHC_ESTALL) {
		device_clear_halt(storage->device, storage->in);
		result = device_bulk(storage->device, storage->in, status, sizeof(status));
	}
	if (result < 0)
		return result;
	if (result != STATUS_BYTES || memcmp(status, "USBS", 4) != 0)
		return LINK_WRONG;
	return status[12];
}

/* Runs a command that reads length bytes. */
static int command(struct storage *storage, const uint8_t *bytes, uint8_t count, uint8_t *data,
		   uint32_t length)
{
	uint8_t wrapper[WRAPPER_BYTES] = {'U', 'S', 'B', 'C'};
	int result;

	put_little(wrapper + 4, ++storage->tag);
	put_little(wrapper + 8, length);
	wrapper[12] = 0x80;
	wrapper[14] = count;
	memcpy(wrapper + 15, bytes, count);
	result = device_bulk(storage->device, storage->out, wrapper, sizeof(wrapper));
	if (result < 0)
		return result;
	if (length > 0) {
		result = device_bulk(storage->device, storage->in, data, length);
		if (result == XVHC_ESTALL)
			device_clear_halt(storage->device, storage->in);
		else if (result < 0)
			return result;
	}
	return take_status(storage);
}

static bool find_interface(struct storage *storage)
{
	const struct descriptor_table *table = &storage->device->descriptors;
	uint32_t i, j;

	for (i = 0; i < table->configuration[0].altsetting_end; i++) {
		const struct descriptor_altsetting *altsetting = &table->altsetting[i];

		if (altsetting->class != CLASS_STORAGE || altsetting->subclass != SUBCLASS_SCSI ||
		    altsetting->protocol != PROTOCOL_BULK_ONLY || altsetting->number != 0)
			continue;
		for (j = altsetting->endpoint; j < altsetting->endpoint_end; j++) {
			uint8_t address = table->endpoint[j].address;

			if (table->endpoint[j].type == TRANSFER_BULK)
				*(address & 0x80 ? &storage->in : &storage->out) = address;
		}
		return storage->in != 0 && storage->out != 0;
	}
	return false;
}

/* A medium that has just been connected says so once, by way of a failure. */
static int wait_ready(struct storage *storage, uint64_t until_ns)
{
	const uint8_t test[6] = {TEST_UNIT_READY};
	const uint8_t sense[6] = {REQUEST_SENSE, 0, 0, 0, SENSE_BYTES};
	uint8_t data[SENSE_BYTES];
	int result;

	while ((result = command(storage, test, sizeof(test), NULL, 0)) > 0) {
		if (now_ns() >= until_ns)
			return LINK_LOST;
		result = command(storage, sense, sizeof(sense), data, sizeof(data));
		if (result < 0)
			return result;
	}
	return result;
}

int storage_open(struct storage *storage, struct device *device, uint64_t until_ns)
{
	const uint8_t capacity[10] = {READ_CAPACITY};
	uint8_t data[8];
	int result;

	memset(storage, 0, sizeof(*storage));
	storage->device = device;
	if (!find_interface(storage))
		return LINK_WRONG;
	result = wait_ready(storage, until_ns);
	if (result == 0)
		result = command(storage, capacity, sizeof(capacity), data, sizeof(data));
	if (result != 0)
		return result < 0 ? result : LINK_WRONG;
	storage->blocks = get_big(data) + 1;
	storage->block_bytes = get_big(data + 4);
	return 0;
}

int storage_read(struct storage *storage, uint32_t block, uint16_t count, uint8_t *data)
{
	const uint8_t read[10] = {
		READ_10,
		0,
		(uint8_t)(block >> 24),
		(uint8_t)(block >> 16),
		(uint8_t)(block >> 8),
		(uint8_t)block,
		0,
		(uint8_t)(count >> 8),
		(uint8_t)count,
	};
	int result = command(storage, read, sizeof(read), data, count * storage->block_bytes);

	return result > 0 ? LINK_WRONG : result;
}
