/* SPDX-License-Identifier: MIT */
/*
 * Figures of what this worker does, in the page that the broker reads (backend/counters.h). Where
 * the broker gave none, in memory of our own, for the log alone. Nothing here is a system call
 * once the page is mapped.
 */
#ifndef XVHC_WORKER_COUNTED_H
#define XVHC_WORKER_COUNTED_H

#include <common/message_io.h>

#include "worker.h"

/*
 * Maps the page of counters that came with CONNECT, the last of its descriptors, which is closed
 * and taken off the list. Returns XVHC_EPROTO where CONNECT promised one and it is not there.
 */
XVHC_MUST_CHECK int counted_open(struct worker *worker, const struct message_connect *connect,
				 struct message_fds *fds);

/* Counts in memory of our own, until counted_open(). */
void counted_init(struct worker *worker);

/* Unmaps the page. */
void counted_close(struct worker *worker);

static inline struct counters_port *port_counters(const struct port *port)
{
	return &port->worker->counters->port[port->number - 1];
}

static inline struct counters_sums *port_sums(const struct port *port)
{
	return &port_counters(port)->sums;
}

/* Vetting kept a request from a device; port NULL: it names none. */
void counted_refused(struct worker *worker, const struct port *port);

/* A transfer, or an operation on the device, failed with this error of core/error.h. */
void counted_failed(const struct port *port, int error);

/* A transfer begins. */
static inline void counted_begun(const struct port *port)
{
	counter_add(&port_counters(port)->in_flight, 1);
}

/* It has ended, in this way as the guest is told. failed: packets of it, where it is isochronous */
void counted_ended(const struct slot *slot, int error, uint32_t failed);

#endif
