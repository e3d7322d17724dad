/* SPDX-License-Identifier: MIT */
/* Data between the guest's memory and a slot's buffer. */
#ifndef XVHC_WORKER_BUFFER_H
#define XVHC_WORKER_BUFFER_H

#include "worker.h"

/* Takes room for the data of a slot's request. Returns XVHC_ELIMIT where there is none now. */
XVHC_MUST_CHECK int buffer_take(struct slot *slot);

/* Gives it back, where the slot has any. */
void buffer_give(struct slot *slot);

/* Zeroes all of them, and gives them back. */
void buffer_wipe(void);

/* Fills the slot's buffer from the guest. Returns XVHC_EINVAL where its memory is no good. */
XVHC_MUST_CHECK int buffer_fetch(struct worker *worker, struct slot *slot);

/*
 * Copies to the guest what the device sent, and not a byte more. Returns XVHC_EINVAL where the
 * guest's memory is no good.
 */
XVHC_MUST_CHECK int buffer_store(struct worker *worker, struct slot *slot);

/* Copies the segments of a request's packet list, all of them, from or to list. */
XVHC_MUST_CHECK int buffer_copy_list(struct worker *worker, const struct transfer_request *request,
				     void *list, enum transport_direction direction);

#endif
