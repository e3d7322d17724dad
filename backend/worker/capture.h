/* SPDX-License-Identifier: MIT */
/*
 * Captures: tells those who capture what crosses the ring. Where nobody does, a request costs one
 * look at captures_are_on() when it goes on its way, and one when it is answered.
 */
#ifndef XVHC_WORKER_CAPTURE_H
#define XVHC_WORKER_CAPTURE_H

#include <common/message_io.h>

#include "worker.h"

static inline bool captures_are_on(const struct worker *worker)
{
	return __builtin_expect(worker->captures.on != 0, 0);
}

/* A CAPTURE of the broker's: begins, changes or ends one. A descriptor that is used is taken. */
void capture_set(struct worker *worker, const struct message_capture *wanted,
		 struct message_fds *fds);

/* A request was handed to the source, or its port begins an operation for it. */
void capture_submitted(struct slot *slot);

/* A request is answered; its data is still there. */
void capture_answered(struct slot *slot, const struct transfer_result *result);

/* A request was answered that has no slot, since it is not a proper one. */
void capture_malformed(struct worker *worker, const struct transfer_request *request, int error);

/* Ends all of them, telling what was lost. */
void captures_end(struct worker *worker);

#endif
