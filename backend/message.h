/* SPDX-License-Identifier: MIT */
/*
 * What the broker and a worker say to each other, over a SOCK_SEQPACKET pair: one fixed-size
 * message each, in this order of bytes, descriptors attached by SCM_RIGHTS. The broker treats what
 * a worker says as hostile.
 *
 *   broker -> worker          worker -> broker
 *   CONNECT + counters        CONNECTED, or FAILED and it ends
 *   ATTACH + descriptor       PORT_STATE (as the guest comes to use the device)
 *   CAPTURE + descriptor      PORT_EVENT (what the guest did, counted; for people)
 *   DETACH                    DETACHED (all transfers ended, the descriptor is closed)
 *                             once for each ATTACH, also unasked: it was unplugged, or is no good
 *   (end of file: the worker ends)
 *
 * The same program as a describer, which reads one device's descriptors and ends:
 *
 *   DESCRIBE + descriptor     DESCRIPTION, or FAILED
 */
#ifndef XVHC_BACKEND_MESSAGE_H
#define XVHC_BACKEND_MESSAGE_H

#include <xvhc/limits.h>
#include <xvhc/types.h>
#include <xvhc/xvhcif.h>

enum message_type {
	MESSAGE_CONNECT = 1,
	MESSAGE_ATTACH,
	MESSAGE_DETACH,
	MESSAGE_CONNECTED,
	MESSAGE_FAILED,
	MESSAGE_PORT_STATE,
	MESSAGE_DETACHED,
	MESSAGE_DESCRIBE,
	MESSAGE_DESCRIPTION,
	MESSAGE_PORT_EVENT,
	MESSAGE_CAPTURE,
};

/* How the worker reaches the guest. */
enum message_transport {
	TRANSPORT_XEN = 1, /* grants and an event channel */
	TRANSPORT_MEMFD, /* three descriptors: memfd, eventfd to the worker, eventfd to the guest */
};

/* Speed of a device, in the words of USB. */
enum usb_speed {
	USB_SPEED_NONE = 0,
	USB_SPEED_LOW,
	USB_SPEED_FULL,
	USB_SPEED_HIGH,
	USB_SPEED_SUPER,
	USB_SPEED_SUPER_PLUS,
};

/* What the guest has done with the device on a port (USB 2.0, 9.1). */
enum port_state {
	PORT_EMPTY = 0,
	PORT_ATTACHED,   /* the guest was told of it */
	PORT_ADDRESSED,  /* the guest gave it an address */
	PORT_CONFIGURED, /* the guest's drivers use it */
};

struct message_connect {
	uint32_t transport; /* enum message_transport */
	uint32_t domid;
	uint32_t ports;   /* 1 to USBIF_PORT_MAX */
	uint32_t version; /* of the wire: 1 or 2 */
	/* Grant references; with a memfd, page numbers in it. */
	uint32_t ring_pages; /* of the request ring: a power of two; version 1: one */
	uint32_t ring_ref[XVHCIF_RING_PAGES_MAX];
	uint32_t event_ref;     /* version 1: the connection ring; version 2: the head page */
	uint32_t event_channel; /* the frontend's port; unused with a memfd */
	uint32_t pool_pages;    /* of the data pool; 0: there is none */
	uint32_t pool_ref[XVHCIF_POOL_DIRECTORY_MAX]; /* pages of its directory */
	/* Quotas; 0: none. What goes beyond them waits. */
	uint32_t transfers_max; /* under way */
	uint32_t bytes_max;     /* of transfers under way, at least XVHC_WORKER_BYTES_MIN_... */
	uint32_t control_rate;  /* control requests in a second */
	uint32_t counters;      /* 1: the last descriptor has a struct counters. 0: there is none */
};

#define ATTACH_ALLOW_DFU 1u /* firmware downloads may reach the device */

struct message_attach {
	uint32_t port;  /* 1 to ports */
	uint32_t speed; /* enum usb_speed */
	uint32_t model; /* 0: a usbfs descriptor is attached; else a device model (tests only) */
	uint32_t flags; /* a set of ATTACH_... */
	/* Of this device, since it was plugged in: no other ever has it. Low word first. */
	uint32_t instance[2];
};

/* Tell somebody what the guest asks for (capture_record.h): with a socket, or to end it. */
struct message_capture {
	uint32_t index;    /* below XVHC_CAPTURES_MAX: which of the captures */
	uint32_t ports;    /* bit n: those of port n; bit 0: what is of no port. 0: it ends */
	uint32_t data_max; /* bytes of one request's data */
	uint32_t source;   /* what records have as such */
};

struct message_port {
	uint32_t port;
	uint32_t state; /* enum port_state; with PORT_STATE only */
};

enum port_event {
	PORT_EVENT_RESET = 0,    /* the device was reset for the guest */
	PORT_EVENT_RESET_FAILED, /* the same, and it did not answer */
	PORT_EVENT_BLOCKED,      /* a request was refused by vetting */
	PORT_EVENTS,
};

/* Of one kind and port, the worker sends at most one in XVHC_PORT_EVENT_PAUSE_MS. */
struct message_port_event {
	uint32_t port;
	uint32_t event;    /* enum port_event */
	uint32_t count;    /* since the last one, at least 1 */
	uint32_t type;     /* enum transfer_type; of the last one that was blocked */
	uint32_t endpoint; /* the same: bEndpointAddress */
};

struct message_failed {
	int32_t error;  /* enum xvhc_error */
	char text[120]; /* what happened, for the log: NUL-terminated, and not believed to be */
};

struct message_kind {
	uint8_t class;
	uint8_t subclass;
	uint8_t protocol;
};

/* What a device says that it is. */
struct message_description {
	uint16_t vendor;
	uint16_t product;
	uint16_t version; /* bcdDevice */
	struct message_kind device;
	uint8_t kinds;    /* of the array below, in use */
	uint8_t complete; /* 0: more than fits here. Else 1 */
	/* Each class of an interface once, of all configurations and altsettings. */
	struct message_kind kind[XVHC_KINDS_MAX];
};

struct message {
	uint32_t type; /* enum message_type */
	union {
		struct message_connect connect;
		struct message_attach attach;
		struct message_port port;
		struct message_port_event port_event;
		struct message_capture capture;
		struct message_failed failed;
		struct message_description description;
	} u;
};

static_assert(sizeof(struct message) == 128, "the same on both sides");

#endif
