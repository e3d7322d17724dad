/* SPDX-License-Identifier: MIT */
/*
 * Setup packets (USB 2.0, 9.3 and 9.4): which of them change a device's state, and so must not
 * simply be sent to it.
 */
#ifndef XVHC_CORE_CONTROL_H
#define XVHC_CORE_CONTROL_H

#include "transfer.h"

struct control_setup {
	uint8_t request_type; /* bmRequestType */
	uint8_t request;
	uint16_t value;
	uint16_t index;
	uint16_t length; /* bytes of the data stage */
};

enum control_kind {
	CONTROL_PASS = 0,          /* goes to the device as it is */
	CONTROL_SET_ADDRESS,       /* value */
	CONTROL_SET_CONFIGURATION, /* value */
	CONTROL_SET_INTERFACE,     /* index: the interface, value: its altsetting */
	CONTROL_CLEAR_HALT,        /* index: the endpoint's address */
	CONTROL_GET_DESCRIPTOR,    /* value: type and index */
	CONTROL_REFUSE,            /* would disturb the bus: answered with STALL */
};

/* Takes the setup packet apart. */
void control_parse(const uint8_t bytes[8], struct control_setup *setup);

/* Tells what kind of request it is. */
enum control_kind control_classify(const struct control_setup *setup);

/*
 * Whether this is a request that begins or carries a download of firmware, where it is for an
 * interface of class DFU (DFU 1.1, 3): the class' DETACH and DNLOAD. The low byte of index is the
 * interface then. A request that names the device as its recipient counts as well, since devices do
 * not look so closely.
 */
bool control_downloads_firmware(const struct control_setup *setup);

/* Whom a request is for (USB 2.0, 9.3.1 and 9.3.4). */
enum control_recipient {
	CONTROL_TO_DEVICE = 0, /* or to what no standard names, or in a way of the vendor's own */
	CONTROL_TO_INTERFACE,  /* the low byte of index */
	CONTROL_TO_ENDPOINT,   /* the low byte of index: a bEndpointAddress */
	CONTROL_TO_PRINTER,    /* high byte of index: the interface, low byte: its altsetting */
};

/*
 * Tells it. A vendor's request names a recipient, too, but not in a form that anybody else could
 * check. The request GET_DEVICE_ID of printers has a form of its own (USB Printing Devices 1.1,
 * 4.2.1), which some devices use and others do not.
 */
enum control_recipient control_recipient(const struct control_setup *setup);

/*
 * Whether the setup packet and the request around it agree: the buffer holds the data stage, and
 * both name the same direction where there is data. Returns XVHC_EINVAL where not.
 */
XVHC_MUST_CHECK int control_check(const struct control_setup *setup,
				  const struct transfer_request *request);

#endif
