/* SPDX-License-Identifier: MIT */
/* Who may still have a descriptor of a device. */
#ifndef XVHC_BROKER_HELD_H
#define XVHC_BROKER_HELD_H

#include <broker/broker.h>

/* The controller's worker was handed this open descriptor of the port's device. */
void held_begin(struct broker *broker, struct given *given, int fd);

/*
 * Whether the device must not go to dom0, or to another guest, yet. Where its holder lives on, it
 * is looked at; the broker's loop goes on when that is done.
 */
XVHC_MUST_CHECK bool held_by_anyone(struct broker *broker, const struct given *given);

/* The same, but for the worker of the controller that the port is bound to. */
XVHC_MUST_CHECK bool held_by_another(struct broker *broker, const struct given *given);

/* Finishes what can be finished of the looks that were begun. */
void held_step(struct broker *broker);

/* Ends a look at a worker that is to end by itself. */
void held_look_stop(struct worker_slot *slot);

/* A worker has ended, and holds nothing any more. */
void held_worker_ended(struct broker *broker, const struct worker_slot *slot);

#endif
