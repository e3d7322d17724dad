/* SPDX-License-Identifier: MIT */
/*
 * What is particular to a version of the wire: how requests are read, how responses, packet lists
 * and port events are written. Each version has one table; all else is the same for both.
 */
#ifndef XVHC_WORKER_WIRE_H
#define XVHC_WORKER_WIRE_H

#include "worker.h"

struct wire_ops {
	/* Sets up both rings. Returns XVHC_EPROTO where what was found in them cannot be true. */
	int (*open)(struct worker *worker, const struct transport_rings *rings,
		    uint32_t ring_pages);
	/*
	 * Takes the next request. Returns 1 with *request decoded, or, where *error is set, with
	 * the id that it is to be answered by; 0 where there is none; XVHC_EPROTO, and the
	 * connection's fault, where the guest broke the protocol.
	 */
	int (*take)(struct worker *worker, struct transfer_request *request, int *error);
	/* Puts a response. A request that was taken must be without one. */
	void (*respond)(struct worker *worker, const struct transfer_result *result);
	/* Reads what a request has put elsewhere in the guest's memory. XVHC_EINVAL: no good. */
	int (*fetch)(struct worker *worker, struct slot *slot);
	/* Writes a packet list back, with what became of each packet. XVHC_EINVAL: it cannot. */
	int (*store_packets)(struct worker *worker, const struct slot *slot);
	/*
	 * Puts an event (XVHCIF_EVENT_...) of a port. Returns 1; 0 where the guest has left no
	 * room; XVHC_EPROTO as take().
	 */
	int (*put_event)(struct worker *worker, const struct port *port, uint8_t event);
	/* The guest hears of a port's reset by a request of its own, not by address 0. */
	bool resets_ports;
	/* Devices are told as what they are; else one of SuperSpeed as one of high speed. */
	bool tells_superspeed;
	/* Waking up is an event of this wire. */
	bool tells_wakeup;
	bool keeps_devices; /* a guest keeps its devices until there is another worker */
};

extern const struct wire_ops wire_usbif;
extern const struct wire_ops wire_xvhcif;

/* Notes why the connection is to end. Returns XVHC_EPROTO. */
int wire_fault(struct worker *worker, const char *text);

/* Takes room for one event out of the event ring into *request. As put_event(). */
int wire_take_event_room(struct worker *worker, void *request, uint32_t size);

#endif
