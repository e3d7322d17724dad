/* SPDX-License-Identifier: MIT */
/*
 * Names of devices, by which a device is given whichever port it is in: `0951:1666`, or with the
 * serial number `0951:1666:5B8203`. A serial number may have any byte in it. Here, in the file of
 * given ports and on a command line, one that is not a printable character of ASCII, a blank, `%`
 * or `#` is written as `%` and two hexadecimal digits, so that each serial number has one name.
 */
#ifndef XVHC_BROKER_IDENTITY_H
#define XVHC_BROKER_IDENTITY_H

#include <broker/topology.h>

#define IDENTITY_TEXT_MAX (10u + XVHC_SERIAL_MAX) /* bytes of a name, with the NUL */

struct identity {
	uint16_t vendor;
	uint16_t product;
	char serial[XVHC_SERIAL_MAX]; /* as it is written; empty: whatever it is */
};

/* Reads `VID:PID` or `VID:PID:SERIAL`. False where it is neither. */
XVHC_MUST_CHECK bool identity_parse(const char *text, struct identity *identity);

/* Writes the canonical form. */
void identity_format(const struct identity *identity, char text[IDENTITY_TEXT_MAX]);

bool identity_equal(const struct identity *a, const struct identity *b);

/*
 * Writes a device's serial number, of any bytes, as it is named here. Where it is empty or its name
 * is too long, writes an empty one: that device is not to be chosen by it.
 */
void identity_serial(const char *raw, char serial[XVHC_SERIAL_MAX]);

/* Whether a device is of this name. One whose serial number is not known yet has none. */
bool identity_matches(const struct identity *identity, const struct usb_device *device);

#endif
