/* SPDX-License-Identifier: MIT */
/*
 * Describers: short-lived processes that read what a device says that it is, so that the broker
 * need not. A describer may be taken over by its device; so it is told nothing, can reach nothing
 * else, has little time, and what it says is checked as a worker's words are.
 */
#ifndef XVHC_BROKER_DESCRIBER_H
#define XVHC_BROKER_DESCRIBER_H

#include <broker/broker.h>

/* Reserves a describer for this port's device: given->describer. False: too many run. */
XVHC_MUST_CHECK bool describer_reserve(struct broker *broker, struct given *given);

/*
 * Starts the reserved describer on a device that is open for reading; fd stays the caller's.
 * given_described() follows. Returns 0, or -errno: then the describer is released.
 */
XVHC_MUST_CHECK int describer_start(struct broker *broker, struct given *given, int fd);

/* Nobody wants the answer any more. Does nothing where there is no describer. */
void describer_release(struct broker *broker, struct given *given);

/* The socket of the describer with this number is readable; it has ended; some are late. */
void describer_readable(struct broker *broker, uint32_t index);
void describer_ended(struct broker *broker, uint32_t index);
void describers_step(struct broker *broker);

/* Ends all at once. */
void describers_fini(struct broker *broker);

#endif
