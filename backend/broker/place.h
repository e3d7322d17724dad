/* SPDX-License-Identifier: MIT */
/*
 * Names of ports. A place is where a connector is: the host controller, the kind of its root hub,
 * and the chain of port numbers from there. It is written `pci-0000:00:04.0/hs-1.3` and outlives
 * reboots and replugs. A short name is what the kernel calls the same port until the next reboot:
 * bus number and chain, `1-1.3`.
 *
 * A port of another machine has the place `usbip://HOST/1-1.3`, or `usbip://HOST:PORT/1-1.3`. Its
 * bus number is that machine's, and stands with the host where others have their controller.
 */
#ifndef XVHC_BROKER_PLACE_H
#define XVHC_BROKER_PLACE_H

#include <xvhc/limits.h>
#include <xvhc/types.h>

#define PLACE_CONTROLLER_MAX 64u /* bytes, with the NUL */
#define PLACE_SHORT_MAX 32u      /* bytes of a short name, with the NUL */

/* Port numbers from the root hub on. */
struct port_chain {
	uint8_t depth; /* 1 for a root hub's port; 0: none */
	uint8_t port[XVHC_PORT_CHAIN_MAX];
};

struct place {
	char controller[PLACE_CONTROLLER_MAX]; /* subsystem and name of the controller's device */
	bool super; /* of the root hub: SuperSpeed, or up to high speed */
	struct port_chain chain;
};

struct short_name {
	uint16_t bus;
	struct port_chain chain;
};

/* Reads `CONTROLLER/hs-CHAIN` or `CONTROLLER/ss-CHAIN`. False where it is not one. */
XVHC_MUST_CHECK bool place_parse(const char *text, struct place *place);

/* Writes the canonical form. */
void place_format(const struct place *place, char text[XVHC_PLACE_MAX]);

/* Whether it is a port of another machine. */
bool place_is_remote(const struct place *place);

/* Whether it is a port of vhci_hcd, to which the kernel attaches such a port. */
bool place_is_vhci(const struct place *place);

/* What the place of a port of another machine is made of, as usbip takes it. */
struct remote_name {
	char host[PLACE_CONTROLLER_MAX]; /* a name or an address, without brackets */
	char port[8];                    /* of TCP */
	char busid[PLACE_SHORT_MAX];
};

/* Of a place that is one. */
void remote_name_read(const struct place *place, struct remote_name *name);

bool place_equal(const struct place *a, const struct place *b);

/* Whether inner is a port of a hub that is plugged into outer, at any depth. */
bool place_is_behind(const struct place *inner, const struct place *outer);

/*
 * Reads `1-2.3`, and the forms that the kernel uses in its log: `usb1-port2` for `1-2`,
 * `1-2-port3` for `1-2.3`. False where it is neither.
 */
XVHC_MUST_CHECK bool short_name_parse(const char *text, struct short_name *name);

void short_name_format(const struct short_name *name, char text[PLACE_SHORT_MAX]);

bool short_name_equal(const struct short_name *a, const struct short_name *b);

/* Whether a person could have meant a port by this: one of the forms above. */
bool port_name_is_valid(const char *text);

#endif
