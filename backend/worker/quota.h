/* SPDX-License-Identifier: MIT */
/*
 * What one guest may have under way at a time, and how often it may make control requests. A
 * request that is beyond this waits in its port's queue; it is not lost.
 */
#ifndef XVHC_WORKER_QUOTA_H
#define XVHC_WORKER_QUOTA_H

#include <common/rate.h>
#include <message.h>
#include <transfer.h>

struct quota {
	uint32_t transfers_max;   /* 0: no limit */
	uint32_t bytes_max;       /* 0: no limit */
	uint32_t transfers;       /* under way */
	uint32_t bytes;           /* of them */
	uint32_t bytes_for_small; /* kept for what is small */
	struct rate control;
	bool waiting;            /* a request was not admitted */
	bool too_soon;           /* and one of these only needs time */
	uint64_t pause_until_ms; /* the host had no room for a transfer: none begins until then */
};

/* Takes the quotas of a CONNECT. Returns XVHC_EPROTO where one of them makes no sense. */
XVHC_MUST_CHECK int quota_init(struct quota *quota, const struct message_connect *connect,
			       uint64_t now_ms);

/* Whether quota_admit() looks at the time for this request: a system call, it may be. */
bool quota_needs_time(const struct quota *quota, const struct transfer_request *request);

/*
 * Whether a request may be run now; then its control request counts. Where not, quota->waiting is
 * set: the caller asks again after a transfer has ended, or when quota_wait_ms() have passed.
 */
XVHC_MUST_CHECK bool quota_admit(struct quota *quota, const struct transfer_request *request,
				 uint64_t now_ms);

/* The host had no room for what was admitted: all wait for a moment. */
void quota_pause(struct quota *quota, uint64_t now_ms);

/* The transfer of a request that was admitted begins, and ends. */
void quota_take(struct quota *quota, const struct transfer_request *request);
void quota_give(struct quota *quota, const struct transfer_request *request);

/* Asks anew: those that were not admitted are forgotten; whoever is refused again counts again. */
void quota_ask_again(struct quota *quota);

/* Milliseconds until a request that waits for its turn in time can run, or 0; -1: none does. */
int quota_wait_ms(const struct quota *quota, uint64_t now_ms);

#endif
