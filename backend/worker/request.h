/* SPDX-License-Identifier: MIT */
/* The path of one request, from the ring to the source and back. */
#ifndef XVHC_WORKER_REQUEST_H
#define XVHC_WORKER_REQUEST_H

#include "worker.h"

/*
 * Takes a request from the ring and gives it a slot, or answers it. Returns 1; 0 where there was
 * none; XVHC_EPROTO, and sets the connection's fault, where the connection must end.
 */
XVHC_MUST_CHECK int request_accept(struct worker *worker);

/* It is this request's turn: vets it and sends it on its way, or answers it. */
void request_run(struct slot *slot);

/* Hands a vetted request to the source, or answers it. */
void request_submit(struct slot *slot);

/* Answers a request that the source does not have, and frees its slot. */
void request_answer(struct slot *slot, int error, uint32_t actual);

/* The same for one that has not reached the device; verdict says why, for captures. */
void request_answer_because(struct slot *slot, int error, const char *verdict)
	__attribute__((cold));

/* The same for one that may not pass: it is counted. */
void request_refuse(struct slot *slot, int error, const char *verdict) __attribute__((cold));

/* Asks the source to end a transfer. verdict is what the guest will be told. */
void request_stop(struct slot *slot, int verdict);

/* The source has ended a transfer: answers it, and frees its slot. */
void request_complete(struct slot *slot);

#endif
