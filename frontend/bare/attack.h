/* SPDX-License-Identifier: MIT */
/*
 * Attacks on a backend, each by its name, at full speed for some seconds. Most of them are requests
 * that must not pass (attack_request.c). The others are about the connection (attack_link.c). All
 * speak version 1 of the wire.
 */
#ifndef BARE_ATTACK_H
#define BARE_ATTACK_H

#include <transfer.h>

#include "device.h"
#include "link_usbif.h"

#define ATTACK_DEVICES_MAX 2u

/* Requests come in groups of so many. An attack by requests ends with a whole group. */
#define ATTACK_GROUP 8u

struct attacker {
	struct link link;
	struct device device[ATTACK_DEVICES_MAX];
	uint32_t devices;      /* how many to wait for */
	struct device *bulk;   /* one with a bulk endpoint to the host, or the first */
	struct device *silent; /* one that does not answer (an idle keyboard), or the first */
	bool silent_asked;     /* it has transfers that it may never answer */
	uint8_t bulk_in;       /* numbers of their endpoints; 0: none */
	uint8_t silent_in;
	uint64_t until_ns;
	uint32_t random;
	/* What came of it. */
	uint32_t sent;
	uint32_t answered;
	uint32_t lost;   /* without an answer when the connection ended */
	uint32_t closed; /* how often the backend ended the connection */
	uint32_t ok, nodev, inval, stall, ioerror, babble, shutdown, other;
};

struct attack {
	const char *name;
	/* Makes the request number i, or: */
	void (*make)(struct attacker *attacker, struct usbif_urb_request *request, uint32_t i);
	/* Does everything itself, until attacker->until_ns. */
	void (*run)(struct attacker *attacker);
};

/* Ends with an entry without a name. */
extern const struct attack attacks_by_request[];
extern const struct attack attacks_by_link[];

/* Runs the attack of this name against a controller with so many devices, and prints its result. */
void attack(const char *name, uint32_t devices);

uint32_t attack_random(struct attacker *attacker);

/* Takes the answers that have come, and counts them. */
void attack_take(struct attacker *attacker);

/* Sends a request, once there is room. False where the connection or the time came to its end. */
bool attack_send(struct attacker *attacker, const struct usbif_urb_request *request);

/* Connects anew, where the backend has closed, and finds the devices again. False: not in time. */
bool attack_reconnect(struct attacker *attacker);

/* Begins a request to an endpoint (its number), with neither data nor setup packet. */
void request_begin(struct usbif_urb_request *request, const struct device *device,
		   enum transfer_type type, uint8_t endpoint, bool in);

/* Writes the setup packet, and the direction that it has. */
void request_set_setup(struct usbif_urb_request *request, const struct setup *setup);

/* An honest request for the device descriptor: what many attacks start from. */
void attack_begin_control(struct attacker *attacker, struct usbif_urb_request *request);

#endif
