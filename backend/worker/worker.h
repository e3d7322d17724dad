/* SPDX-License-Identifier: MIT */
/*
 * What a worker knows: one guest controller with its two rings, its ports, and a slot for each
 * request that can be under way. All of it has static storage; we allocate nothing once the guest
 * is connected (libusb does, a little for each transfer that it submits).
 *
 * A request takes this way: connection.c has it taken from the ring and decoded by wire_usbif.c or
 * wire_xvhcif.c; request.c gives it a slot; port.c lets it wait for its turn; request.c vets it,
 * copies its data (buffer.c, arena.c) and hands it to the source, or setup.c or port_request.c
 * carries it out; when it has ended, request.c copies the data back and the wire's file puts the
 * response.
 */
#ifndef XVHC_WORKER_WORKER_H
#define XVHC_WORKER_WORKER_H

#include <common/log.h>
#include <counters.h>
#include <ring.h>
#include <vet.h>

#include "isolate.h"
#include "quota.h"
#include "source.h"
#include "transport.h"

struct worker;
struct port;
struct wire_ops;

enum slot_state {
	SLOT_FREE = 0,
	SLOT_WAITING,   /* in its port's queue */
	SLOT_TRANSFER,  /* the source has it */
	SLOT_OPERATION, /* its port carries out an operation for it */
};

struct slot {
	enum slot_state state;
	/* Other than XVHC_OK: what the guest is told, whatever the transfer comes to. */
	int32_t verdict;
	struct port *port;
	struct slot *next; /* in the port's queue, or of those that are free */
	struct transfer_request request;
	struct source_transfer transfer;
	struct transfer_packet packet[XVHC_ISOC_PACKETS_MAX];
	uint8_t *data;   /* buffer_take()'s; NULL: none */
	bool lent;       /* it lies in the guest's pool */
	uint64_t serial; /* for captures: set where one was told of it */
};

enum port_phase {
	PHASE_EMPTY = 0,
	PHASE_OPENING, /* the source opens the device; the guest knows nothing yet */
	PHASE_READY,
	PHASE_CLOSING, /* for the guest the port is empty; what is under way comes to its end */
};

enum operation_phase {
	OPERATION_NONE = 0,
	OPERATION_DRAINING, /* waits for transfers that it would disturb, which were cancelled */
	OPERATION_RUNNING,
};

/* What the broker was not yet told of, by kind. */
struct port_events {
	uint32_t count[PORT_EVENTS];
	uint64_t not_before_ms[PORT_EVENTS];
	uint8_t type, endpoint; /* of the last request that was blocked */
};

struct port {
	struct worker *worker;
	uint32_t number; /* from 1 */
	enum port_phase phase;
	struct source_device device;
	struct descriptor_table descriptors;
	struct device_state state;
	bool presented; /* its descriptors are those of a high-speed device, which it is not */
	bool allow_dfu; /* the guest may load firmware into it */
	bool stale;     /* a request in the default state failed: the guest will reset the port */
	bool untouched; /* it is as a reset would leave it */
	bool suspended; /* the guest has suspended the port */
	uint64_t instance; /* of the device, see ATTACH */

	struct slot *queue; /* requests that wait for their turn, oldest first */
	uint32_t controls;  /* control transfers that the source has */
	enum operation_phase operation_phase;
	struct source_operation operation;
	struct slot *operation_slot; /* whose request it is; NULL: ours */

	bool told;     /* the guest knows of a device */
	bool replaced; /* that one is gone */
	bool stirred;  /* the device has ended its suspension: to be held awake */
	bool woke;     /* and is: to be told */

	enum port_state report; /* for the broker */
	bool report_due;
	bool detached_due;
	struct port_events events;
	struct log_limit log;
};

struct connection {
	struct back_ring requests;
	struct back_ring events;
	uint32_t slots; /* of the request ring */
	uint8_t *pool;  /* shared: data of the guest, of which nothing is ever believed */
	uint32_t pool_bytes;
	bool more;         /* requests may be left in the ring */
	bool notify;       /* responses were put and not published */
	bool event_due;    /* a port has something to tell the guest */
	bool accepted;     /* a notification was taken note of */
	const char *fault; /* the guest broke the protocol: what it did */
};

/* Somebody who is told of requests (capture.c). */
struct capture_reader {
	int fd;                            /* socket */
	uint32_t ports;                    /* bit n: those of port n; bit 0: those of none */
	uint32_t data_max;                 /* bytes of one request's data */
	uint32_t source;                   /* who we are to the reader */
	uint32_t lost[USBIF_PORT_MAX + 1]; /* records of each port */
};

struct captures {
	uint32_t on; /* which of them: a bit for each */
	struct capture_reader reader[XVHC_CAPTURES_MAX];
	uint64_t serial;     /* of the last request that was told of */
	const char *verdict; /* on the request that is being answered; NULL: it is not refused */
};

struct worker {
	const struct transport_ops *transport;
	const struct wire_ops *wire; /* of the version that the guest speaks */
	const struct source_ops *source;
	const struct isolation *isolation; /* NULL: none */
	struct loop loop;
	int broker;          /* socket */
	bool broker_blocked; /* it does not take more messages now */
	bool events_due;     /* a port has something to tell it, now or later */
	bool ending;         /* the broker is gone */
	uint32_t domid;
	uint32_t ports;
	struct connection connection;
	struct quota quota;
	uint32_t turn; /* the port that is asked first when there is room again */
	struct port port[USBIF_PORT_MAX];
	struct slot slot[SOURCE_SLOTS];
	uint32_t slot_count; /* of them, ever used: at most one more than the ring has */
	struct slot *free;   /* of these */
	struct log_limit log;
	struct counters *counters; /* never NULL once it serves: see counted.h */
	struct captures captures;
};

#endif
