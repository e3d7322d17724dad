/* SPDX-License-Identifier: MIT */
/*
 * Where devices come from: usbfs, on a descriptor that the broker opened, or models (tests only).
 *
 * A source runs transfers, several at a time, and operations, one at a time for each device.
 * Operations may take seconds; they never make the caller wait. All calls, and all calls back, are
 * made from the worker's one thread, and the calls back only from within the functions whose names
 * begin with handle_.
 *
 * The worker keeps the order: it starts no operation while a transfer that the operation would
 * disturb is under way, and no transfer while an operation is.
 */
#ifndef XVHC_WORKER_SOURCE_H
#define XVHC_WORKER_SOURCE_H

#include <descriptor.h>
#include <message.h>
#include <transfer.h>
#include <xvhc/xvhcif.h>

#include "loop.h"

/* Slots for transfers under way, of all devices together, and one to look for a request with. */
#define SOURCE_SLOTS (XVHCIF_SLOTS_MAX + 1u)

/* Bytes of a control transfer's data stage, at most: usbfs takes no more. */
#define SOURCE_CONTROL_MAX 4096u
#define SOURCE_SETUP_BYTES 8u

struct source_device;

/* One transfer. The worker owns it, and keeps it until it has completed. */
struct source_transfer {
	uint32_t slot;    /* its number, below SOURCE_SLOTS */
	uint8_t type;     /* enum transfer_type */
	uint8_t endpoint; /* bEndpointAddress; 0 for control */
	bool in;
	bool zero_packet; /* after data that ends with a whole packet */
	uint16_t stream;  /* 0: none */
	/*
	 * The data. Isochronous packets lie in it without gaps,
	 * each in its length. For a control transfer: the setup packet, and the data behind it.
	 */
	uint8_t *buffer;
	uint32_t length; /* bytes of data, without the setup packet */
	uint32_t packets;
	struct transfer_packet *packet; /* length in; actual and result out */
	/* Written when it completes. */
	int32_t error; /* enum xvhc_error */
	uint32_t actual;
};

enum source_operation_kind {
	SOURCE_OPEN, /* fills in device->descriptors */
	SOURCE_SET_CONFIGURATION,
	SOURCE_SET_INTERFACE,
	SOURCE_CLEAR_HALT,
	SOURCE_RESET,   /* leaves the device without a claimed interface */
	SOURCE_SUSPEND, /* device_woke() may follow */
	SOURCE_RESUME,
	SOURCE_STREAMS_ALLOCATE,
	SOURCE_STREAMS_FREE,
	SOURCE_CLOSE, /* always succeeds; no call back follows for this device but its own */
};

struct source_operation {
	enum source_operation_kind kind;
	int fd;              /* OPEN: becomes the source's; -1 for a model */
	uint8_t value;       /* SET_CONFIGURATION: 0 for none */
	uint32_t interfaces; /* SET_CONFIGURATION: the new configuration's, a bit for each */
	uint8_t interface;   /* SET_INTERFACE */
	uint8_t altsetting;  /* SET_INTERFACE */
	uint8_t endpoint;    /* CLEAR_HALT: bEndpointAddress */
	uint32_t endpoints;  /* STREAMS_...: bit n, and 16 + n for endpoints to the host */
	uint16_t streams;    /* STREAMS_ALLOCATE: wanted of each */
};

/* A device. It is part of a port; the port's number is that of its place in the source. */
struct source_device {
	uint32_t port;    /* from 1 */
	uint32_t speed;   /* enum usb_speed */
	uint32_t model;   /* 0: a real one */
	void *context;    /* the source's own */
	uint16_t streams; /* STREAMS_ALLOCATE: how many of each there are now */
	/* As usbfs hands them out: device descriptor, then each configuration. */
	uint32_t descriptors_length;
	uint8_t descriptors[DESCRIPTOR_BYTES_MAX];
};

/* The worker's functions that a source calls. */
struct source_calls {
	void (*operation_done)(struct source_device *device, int error);
	void (*transfer_done)(struct source_device *device, struct source_transfer *transfer);
	/* A suspended device is awake, by itself or because it was resumed. */
	void (*device_woke)(struct source_device *device);
};

struct source_ops {
	/* Opens what the process needs, once, before a guest is known. 0, or -errno after a log. */
	int (*init)(struct loop *loop, const struct source_calls *calls);
	/* Makes what the devices of this many ports need, once. 0, or -errno after a log line. */
	int (*start)(uint32_t ports);
	/* Something that was added to the loop is ready. NULL: nothing is added as such. */
	void (*handle_events)(void);            /* LOOP_SOURCE */
	void (*handle_operations)(void);        /* LOOP_OPERATIONS */
	void (*handle_device)(uint32_t number); /* LOOP_DEVICES + number */
	/* Begins an operation. operation_done() follows. */
	void (*operate)(struct source_device *device, const struct source_operation *operation);
	/*
	 * Begins a transfer. Returns XVHC_OK, and transfer_done() follows; or an error, and it does
	 * not. XVHC_ELIMIT: the host has no room for it now, but may have some later.
	 */
	int (*submit)(struct source_device *device, struct source_transfer *transfer);
	/*
	 * Asks a transfer to end. transfer_done() follows in any case, with XVHC_ECANCEL or with
	 * what the transfer came to before.
	 */
	void (*cancel)(struct source_device *device, struct source_transfer *transfer);
};

extern const struct source_ops source_usb;

#endif
