/* SPDX-License-Identifier: MIT */
/*
 * What a worker tells of the requests of its guest, while somebody captures them: one record for
 * each message on a SOCK_SEQPACKET socket, whose other end the command `xvhc capture` reads. The
 * broker hands the socket to the worker, and puts the names of ports on it by itself. A record is
 * this head, then its packets, then its data. Numbers are in this processor's order: both ends are
 * on one machine.
 *
 * The reader treats it as hostile: a worker may have been taken over by its guest.
 */
#ifndef XVHC_BACKEND_CAPTURE_RECORD_H
#define XVHC_BACKEND_CAPTURE_RECORD_H

#include <xvhc/limits.h>
#include <xvhc/types.h>

enum capture_kind {
	CAPTURE_NAME = 1, /* the data is what a person calls this port */
	CAPTURE_SUBMIT,   /* a request goes on its way */
	CAPTURE_COMPLETE, /* it was answered */
	CAPTURE_REFUSE,   /* it was answered, and has not reached the device: verdict says why */
	CAPTURE_LOST,     /* nothing but how many records were lost */
};

#define CAPTURE_SHORT_NOT_OK 1u /* as the request says it */
#define CAPTURE_ZERO_PACKET 2u
#define CAPTURE_SHORT 4u    /* there was less than this */
#define CAPTURE_ANSWERED 8u /* by the worker: the request did not reach the device */

#define CAPTURE_VERDICT_MAX 96u /* bytes, with the NUL that ends it */

/* One packet of an isochronous request. They lie in its data one behind the other. */
struct capture_packet {
	uint32_t offset; /* bytes, in the data */
	uint32_t length; /* bytes asked for; in CAPTURE_COMPLETE transferred */
	int32_t error;   /* enum xvhc_error */
};

struct capture_record {
	uint32_t kind;     /* enum capture_kind */
	uint32_t source;   /* the controller: its device number */
	uint32_t port;     /* 0: no port at all, or not one that there is */
	uint32_t lost;     /* records of this port so far for which there was no room */
	uint64_t serial;   /* the same for all records of one request */
	uint64_t time_ns;  /* CLOCK_REALTIME */
	int32_t error;     /* enum xvhc_error */
	uint8_t operation; /* enum transfer_operation */
	uint8_t type;      /* enum transfer_type */
	uint8_t address;   /* of the device, as the guest has set it */
	uint8_t endpoint;  /* bEndpointAddress */
	uint8_t setup[8];  /* control */
	uint16_t flags;    /* a set of CAPTURE_... */
	uint16_t interval;
	uint16_t stream;    /* 0: none */
	uint16_t streams;   /* STREAMS_ALLOCATE */
	uint32_t endpoints; /* STREAMS_...: as in a request */
	uint32_t length;    /* bytes asked for; in CAPTURE_COMPLETE transferred, or streams */
	uint32_t packets;   /* behind this head */
	uint32_t data;      /* bytes behind these: at most length */
	uint32_t failed;    /* packets */
	char verdict[CAPTURE_VERDICT_MAX];
};

static_assert(sizeof(struct capture_record) == 176, "without a hole that nobody fills");

/* Bytes of a record at most. */
#define CAPTURE_RECORD_MAX                                                                         \
	(sizeof(struct capture_record) + XVHC_ISOC_PACKETS_MAX * sizeof(struct capture_packet) +   \
	 XVHC_CAPTURE_DATA_MAX)

#endif
