/* SPDX-License-Identifier: MIT */
/* The guest's two rings. */
#ifndef XVHC_WORKER_CONNECTION_H
#define XVHC_WORKER_CONNECTION_H

#include "worker.h"

/*
 * Connects to the guest as the broker's message says, which takes descriptors out of fds. Returns
 * an enum xvhc_error, and sets *problem to a sentence where that is an error.
 */
XVHC_MUST_CHECK int connection_open(struct worker *worker, const struct message_connect *connect,
				    struct message_fds *fds, const char **problem);

/* The guest notified us. */
void connection_accept(struct worker *worker);

/*
 * Takes a bounded number of requests. Returns XVHC_EPROTO where the guest broke the protocol, and
 * sets worker->connection.fault.
 */
XVHC_MUST_CHECK int connection_serve(struct worker *worker);

/* Puts a response. It is published by connection_flush(). */
void connection_respond(struct worker *worker, const struct transfer_result *result);

/* A port has something to tell: connection_flush() will do so when the guest has left room. */
void connection_announce(struct worker *worker);

/*
 * Whether the guest hears no more of us: the broker has gone, and so do we, but not the devices,
 * which the guest keeps until there is another worker. Then nothing is written to it, either.
 */
bool connection_is_silent(const struct worker *worker);

/* Publishes what was put and notifies the guest of it. Returns as connection_serve() does. */
XVHC_MUST_CHECK int connection_flush(struct worker *worker);

#endif
