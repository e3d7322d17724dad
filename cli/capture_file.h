/* SPDX-License-Identifier: MIT */
/*
 * Makes a pcapng file of the records of a capture, block by block: whatever has been put so far is
 * a whole file. Records come from a worker, which its guest may have taken over: each length is
 * checked before it is used, and a record that makes no sense is left out and counted.
 */
#ifndef XVHC_CLI_CAPTURE_FILE_H
#define XVHC_CLI_CAPTURE_FILE_H

#include <capture_record.h>

#include "pcapng.h"
#include "usbmon.h"

#define CAPTURE_NAME_MAX 512u     /* bytes of an interface's name, with its NUL */
#define CAPTURE_OPTIONS_MAX 2048u /* bytes of the options of one block, but for that name */
#define CAPTURE_BLOCK_MAX                                                                          \
	(USBMON_HEAD_BYTES + XVHC_ISOC_PACKETS_MAX * USBMON_PACKET_BYTES + XVHC_CAPTURE_DATA_MAX + \
	 CAPTURE_NAME_MAX + CAPTURE_OPTIONS_MAX)

struct capture_interface {
	uint32_t source;
	uint32_t port;
	char name[CAPTURE_NAME_MAX];
	uint64_t received;
	uint64_t lost;
	uint32_t lost_told; /* by the worker, so far */
};

/* Zeroed by the caller, but for put and context. It is large. */
struct capture_file {
	/* Takes a block. Returns 0, or -errno, which ends it. */
	int (*put)(void *context, const void *bytes, size_t length);
	void *context;
	uint64_t packets;
	uint64_t lost;
	uint64_t senseless; /* records */
	uint64_t begin_ns;
	uint32_t sources[XVHC_CAPTURE_CONTROLLERS_MAX];
	uint32_t source_count;
	struct capture_interface interface[XVHC_CAPTURE_INTERFACES_MAX];
	uint32_t interface_count;
	struct pcapng block;
	uint8_t bytes[CAPTURE_BLOCK_MAX];
};

/* Begins the file; the texts are for its head. Returns 0, or what put() returned. */
XVHC_MUST_CHECK int capture_file_begin(struct capture_file *file, uint64_t now_ns,
				       const char *hardware, const char *system,
				       const char *application);

/* Adds a record, as it was received. Returns 0, or what put() returned. */
XVHC_MUST_CHECK int capture_file_add(struct capture_file *file, const void *message, size_t length);

/* Adds what was received and lost. Returns 0, or what put() returned. */
XVHC_MUST_CHECK int capture_file_end(struct capture_file *file, uint64_t now_ns);

#endif
