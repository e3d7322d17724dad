/* SPDX-License-Identifier: MIT */
/* A worker's life, for the programs that are one: the real one, and that of the tests. */
#ifndef XVHC_WORKER_SERVE_H
#define XVHC_WORKER_SERVE_H

#include "source.h"
#include "transport.h"

/*
 * Serves one guest, as the broker on BROKER_LINK_FD says, until the broker closes that or the guest
 * breaks the protocol. Returns the process' exit code: 0 or 1.
 */
XVHC_MUST_CHECK int serve(const struct transport_ops *transport, const struct source_ops *source);

#endif
