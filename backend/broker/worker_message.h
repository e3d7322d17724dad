/* SPDX-License-Identifier: MIT */
/* What a worker says to the broker, all of which is hostile. */
#ifndef XVHC_BROKER_WORKER_MESSAGE_H
#define XVHC_BROKER_WORKER_MESSAGE_H

#include <broker/broker.h>

/*
 * The socket of the worker with this number (broker->workers) is readable: handles a bounded number
 * of messages. A worker that breaks the protocol loses its controller, which connects anew later.
 */
void worker_readable(struct broker *broker, uint32_t index);

#endif
