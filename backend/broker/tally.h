/* SPDX-License-Identifier: MIT */
/*
 * Figures of ports and controllers, over all connections. Each worker counts in a page of its own
 * (backend/counters.h). When it ends, or its controller parts with it, what it had counted is
 * added to what is kept here; so a figure never goes back while its port is given, and its
 * controller there. It begins at zero where a port is given, and where xvhcd starts.
 *
 * What a worker wrote may be anything. It is shown, and nothing is decided by it.
 */
#ifndef XVHC_BROKER_TALLY_H
#define XVHC_BROKER_TALLY_H

#include <counters.h>

struct broker;
struct controller;
struct given;
struct worker_slot;

/* Of a given port. */
struct tally {
	struct counters_sums kept; /* of connections that have ended */
	/* What this worker had counted for this number when the port was not yet bound to it. */
	struct counters_sums base;
};

/* Makes the page of a worker that is about to start. -1: there is none, and it does not count. */
int tally_page(void);

/* The worker is no longer its controller's: keeps what it has counted, and closes the page. */
void tally_worker_ended(struct controller *controller, struct worker_slot *slot);

/* Closes the page of a worker, if there is one. */
void tally_page_close(struct worker_slot *slot);

/* A port was bound to a number of a controller, or is about to be unbound from it. */
void tally_bound(struct broker *broker, struct given *given);
void tally_unbind(struct broker *broker, struct given *given);

/* The figures of a port as they are now. */
void tally_port(struct broker *broker, const struct given *given, struct counters_port *port);

/* The same of a controller. */
void tally_controller(struct broker *broker, const struct controller *controller,
		      struct counters_connection *connection);

#endif
