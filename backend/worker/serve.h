/* SPDX-License-Identifier: MIT */
/* A worker's life, for the programs that are one: the real one, and that of the tests. */
#ifndef XVHC_WORKER_SERVE_H
#define XVHC_WORKER_SERVE_H

#include "worker.h"

/*
 * Serves one guest, as the broker on BROKER_LINK_FD says, until the broker closes that or the guest
 * breaks the protocol. isolation may be NULL: the process keeps what it has. Returns the process'
 * exit code: 0 or 1.
 */
XVHC_MUST_CHECK int serve(const struct transport_ops *transport, const struct source_ops *source,
			  const struct isolation *isolation);

/*
 * What serve() is made of, for a program that plays one worker after another, step by step.
 *
 * serve_begin() sets up *worker, which is all zero but for its transport and source, with this
 * socket to the broker, from which it waits for a CONNECT. The socket stays the caller's. Returns
 * 0, or -1 after the broker was told why. Either way, serve_release() ends it.
 */
XVHC_MUST_CHECK int serve_begin(struct worker *worker, int broker);

/*
 * Waits for something to do, at most timeout_ms (-1: without end), and does it. Returns XVHC_EPROTO
 * where the guest broke the protocol: the broker was told, and the worker must end. It must end in
 * order, by serve_end(), where worker->ending is set.
 */
XVHC_MUST_CHECK int serve_round(struct worker *worker, int timeout_ms);

/* Ends what is under way, since the broker is gone. Devices have a second to let go of it. */
void serve_end(struct worker *worker);

/*
 * Forgets this worker and all that its guest has left in buffers. Transport and source have their
 * own functions for this: transport_memfd_disconnect(), source_model_fini().
 */
void serve_release(struct worker *worker);

#endif
