// SPDX-License-Identifier: MIT
#include "usbmon.h"

#include <errno.h>
#include <string.h>

#include <byte_order.h>
#include <error.h>
#include <transfer.h>

/* All numbers little-endian, as the file's section is. */
struct usbmon_wire {
	uint64_t id;
	uint8_t event; /* 'S', 'C' or 'E' */
	uint8_t type;
	uint8_t endpoint;
	uint8_t device;
	uint16_t bus;
	uint8_t no_setup; /* 0: there is a setup packet */
	uint8_t no_data;  /* 0: there is data, or none was to be */
	uint64_t seconds;
	uint32_t microseconds;
	uint32_t status; /* of Linux, negative */
	uint32_t length; /* of the request */
	uint32_t captured;
	union {
		uint8_t setup[8];
		struct {
			uint32_t failed;
			uint32_t packets;
		} isoc;
	} u;
	uint32_t interval;
	uint32_t start_frame;
	uint32_t flags;
	uint32_t packets;
};

static_assert(sizeof(struct usbmon_wire) == USBMON_HEAD_BYTES, "as usbmon has it");

#define FLAG_SHORT_NOT_OK 0x01u
#define FLAG_ZERO_PACKET 0x40u

#define MICROSECOND 1000u
#define SECOND 1000000000u

static const uint8_t types[] = {
	[TRANSFER_ISOC] = 0,
	[TRANSFER_INTERRUPT] = 1,
	[TRANSFER_CONTROL] = 2,
	[TRANSFER_BULK] = 3,
};

/* What a hub would be asked for the same. The others are no requests of USB. */
static const uint8_t setups[][4] = {
	[TRANSFER_CANCEL] = {0x43, 2},           [TRANSFER_PORT_RESET] = {0x23, 3, 4},
	[TRANSFER_PORT_SUSPEND] = {0x23, 3, 2},  [TRANSFER_PORT_RESUME] = {0x23, 1, 2},
	[TRANSFER_STREAMS_ALLOCATE] = {0x43, 6}, [TRANSFER_STREAMS_FREE] = {0x43, 7},
};

static uint32_t status_of(int32_t error)
{
	static const struct {
		int error;
		int status;
	} table[] = {
		{XVHC_OK, 0},
		{XVHC_EPROTO, EINVAL},
		{XVHC_EINVAL, EINVAL},
		{XVHC_ENODEV, ENODEV},
		{XVHC_ESTALL, EPIPE},
		{XVHC_EIO, EPROTO},
		{XVHC_EBABBLE, EOVERFLOW},
		{XVHC_ECANCEL, ECONNRESET},
		{XVHC_ELIMIT, ENOMEM},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].error == error)
			return le32((uint32_t)-table[i].status);
	return le32((uint32_t)-EPROTO);
}

static void add_transfer(struct usbmon_wire *wire, const struct capture_record *record)
{
	bool submit = record->kind == CAPTURE_SUBMIT, in = (record->endpoint & 0x80) != 0;

	wire->type = types[record->type];
	wire->endpoint = record->endpoint;
	wire->device = record->address;
	wire->no_setup = '-';
	if (submit && record->type == TRANSFER_CONTROL) {
		wire->no_setup = 0;
		memcpy(wire->u.setup, record->setup, sizeof(wire->u.setup));
	}
	if (record->data == 0 && in == submit)
		wire->no_data = in ? '<' : '>';
	else if (record->data == 0 && record->length > 0)
		wire->no_data = 'Z';
	if (record->type == TRANSFER_ISOC) {
		wire->u.isoc.failed = le32(record->failed);
		wire->u.isoc.packets = le32(record->packets);
	}
	wire->length = le32(record->length);
	wire->captured = le32(record->data + record->packets * USBMON_PACKET_BYTES);
	wire->interval = le32(record->interval);
	wire->flags = le32((record->flags & CAPTURE_SHORT_NOT_OK ? FLAG_SHORT_NOT_OK : 0) |
			   (record->flags & CAPTURE_ZERO_PACKET ? FLAG_ZERO_PACKET : 0));
	wire->packets = le32(record->packets);
}

static void add_operation(struct usbmon_wire *wire, const struct capture_record *record)
{
	wire->type = types[TRANSFER_CONTROL];
	wire->device = USBMON_CONTROLLER;
	wire->no_setup = '-';
	if (record->kind != CAPTURE_SUBMIT) {
		wire->no_data = '>';
		return;
	}
	wire->no_setup = 0;
	memcpy(wire->u.setup, setups[record->operation], sizeof(setups[0]));
	wire->u.setup[4] = (uint8_t)record->port;
	if (record->operation == TRANSFER_STREAMS_ALLOCATE) {
		wire->u.setup[2] = (uint8_t)record->streams;
		wire->u.setup[3] = (uint8_t)(record->streams >> 8);
	}
}

void usbmon_head(const struct capture_record *record, uint16_t bus, uint64_t serial,
		 uint8_t head[USBMON_HEAD_BYTES])
{
	struct usbmon_wire wire;

	memset(&wire, 0, sizeof(wire));
	wire.id = le64(serial);
	wire.event = record->kind == CAPTURE_SUBMIT   ? 'S'
		     : record->kind == CAPTURE_REFUSE ? 'E'
						      : 'C';
	wire.bus = le16(bus);
	wire.seconds = le64(record->time_ns / SECOND);
	wire.microseconds = le32((uint32_t)(record->time_ns % SECOND / MICROSECOND));
	wire.status = record->kind == CAPTURE_SUBMIT ? le32((uint32_t)-EINPROGRESS)
						     : status_of(record->error);
	if (record->kind == CAPTURE_COMPLETE && record->error == XVHC_OK &&
	    (record->flags & CAPTURE_SHORT))
		wire.status = le32((uint32_t)-EREMOTEIO);
	if (record->operation == TRANSFER_SUBMIT)
		add_transfer(&wire, record);
	else
		add_operation(&wire, record);
	memcpy(head, &wire, sizeof(wire));
}

void usbmon_packet(const struct capture_packet *packet, uint8_t bytes[USBMON_PACKET_BYTES])
{
	const uint32_t words[] = {
		status_of(packet->error),
		le32(packet->offset),
		le32(packet->length),
		0,
	};

	memcpy(bytes, words, sizeof(words));
}
