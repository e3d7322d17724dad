/* SPDX-License-Identifier: MIT */
/*
 * The socket to the broker. What the worker has to report is kept with the ports and sent as the
 * broker takes it, so that a guest cannot fill memory or the broker by changing states quickly:
 * only the last state is reported.
 */
#ifndef XVHC_WORKER_BROKER_LINK_H
#define XVHC_WORKER_BROKER_LINK_H

#include <common/message_io.h>

#include "worker.h"

/* The descriptor that a worker is started with. */
#define BROKER_LINK_FD 3

/* Waits for the first message. Returns XVHC_OK where it is a CONNECT with good values. */
XVHC_MUST_CHECK int broker_link_wait(struct worker *worker, struct message *message,
				     struct message_fds *fds);

/* Tells the broker that the guest is connected. */
void broker_link_connected(struct worker *worker);

/* Tells the broker why this worker ends. */
void broker_link_failed(struct worker *worker, int error, const char *text);

/* Handles a bounded number of messages. Sets worker->ending at the end of file. */
void broker_link_handle(struct worker *worker);

/* Reports what the guest has done with a device. */
void broker_link_report(struct port *port, enum port_state state);

/* Reports that a device is closed. */
void broker_link_detached(struct port *port);

/*
 * Counts something that the guest did with a port. The broker is told of it once in a while, with
 * the number; request is the one that was blocked, or NULL.
 */
void broker_link_event(struct port *port, enum port_event event,
		       const struct transfer_request *request);

/* Milliseconds until the broker is to be told of something; -1: nothing waits for its time. */
int broker_link_wait_ms(const struct worker *worker);

/* Sends what is due, as far as the broker takes it. */
void broker_link_flush(struct worker *worker);

#endif
