/* SPDX-License-Identifier: MIT */
/* A stick: SCSI commands over USB's Bulk-Only transport, as much as reading takes. */
#ifndef BARE_STORAGE_H
#define BARE_STORAGE_H

#include "device.h"

struct storage {
	struct device *device;
	uint8_t in; /* bEndpointAddress */
	uint8_t out;
	uint32_t tag;
	uint32_t blocks;
	uint32_t block_bytes;
};

/*
 * Finds the interface of a configured device, waits until the medium is ready, and asks for its
 * size. Returns 0, or what is negative.
 */
int storage_open(struct storage *storage, struct device *device, uint64_t until_ns);

/* Reads blocks, at most the length_max of the wire. Returns 0, or what is negative. */
int storage_read(struct storage *storage, uint32_t block, uint16_t count, uint8_t *data);

#endif
