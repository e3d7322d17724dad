/* SPDX-License-Identifier: MIT */
/*
 * Ports of other machines, by USB/IP: a given port whose place is `usbip://HOST/BUSID`. remote.c
 * has the steps, usbip_job.c what is done outside of the broker's loop.
 */
#ifndef XVHC_BROKER_REMOTE_H
#define XVHC_BROKER_REMOTE_H

#include <broker/broker.h>

/*
 * Attaches a port that is away, and notices when its link is gone. For any other port it does
 * nothing. True: there is no more to do for this port now, and it may be gone.
 */
XVHC_MUST_CHECK bool remote_step(struct broker *broker, struct given *given,
				 const struct connector *connector);

/* JOB_IMPORT was done. The given port may be gone afterwards. */
void remote_imported(struct broker *broker, struct given *given, struct job *job);

/* What a port does that is away. */
void remote_state_text(const struct given *given, char *text, size_t size);

#endif
