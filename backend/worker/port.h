/* SPDX-License-Identifier: MIT */
/* A port of the guest's controller, and the device on it. */
#ifndef XVHC_WORKER_PORT_H
#define XVHC_WORKER_PORT_H

#include "worker.h"

/*
 * Sets up port number (from 1), empty. The caller has zeroed all of it; what is not touched here
 * stays unused memory.
 */
void port_init(struct port *port, struct worker *worker, uint32_t number);

/*
 * The broker has given a device: fd becomes ours (-1 for a model). The guest is told of it once it
 * is open. Returns XVHC_EINVAL, and fd stays the caller's, where the port is not empty.
 */
XVHC_MUST_CHECK int port_attach(struct port *port, const struct message_attach *attach, int fd);

/*
 * The device is gone, or taken back: ends all that is under way, tells the guest, closes the
 * device, and then reports DETACHED to the broker. Does nothing where that has begun already.
 */
void port_close(struct port *port);

/* A request joins the end of the queue. */
void port_enqueue(struct port *port, struct slot *slot);

/* A request that cannot run now goes back to where it was. */
void port_enqueue_first(struct port *port, struct slot *slot);

/* Takes a request out of the queue. Returns whether it was there. */
bool port_dequeue(struct port *port, struct slot *slot);

/* Goes on with the operation that is due, or with the requests that wait. */
void port_advance(struct port *port);

/* Goes on with the requests that wait because the guest's quotas were used up. */
void ports_advance(struct worker *worker);

/*
 * Begins an operation, for a request (slot) or of our own (NULL). Transfers that it would disturb
 * are cancelled, and it starts when they have ended; requests wait meanwhile.
 */
void port_operate(struct port *port, const struct source_operation *operation, struct slot *slot);

/* What the sources call. */
extern const struct source_calls port_source_calls;

#endif
