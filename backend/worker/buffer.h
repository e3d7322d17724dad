/* SPDX-License-Identifier: MIT */
/* Data between the guest's memory and a slot's buffer. */
#ifndef XVHC_WORKER_BUFFER_H
#define XVHC_WORKER_BUFFER_H

#include "worker.h"

/* Gives each slot its buffer. */
void buffer_init(struct worker *worker);

/* Zeroes all of them. */
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
