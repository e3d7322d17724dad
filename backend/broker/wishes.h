/* SPDX-License-Identifier: MIT */
/*
 * What a driver domain asks dom0 for: controllers for the guests that have ports given to them. The
 * nodes are data/xvhc/guests/<i> of this domain, each with a guest's name or UUID, once for each
 * controller that it needs; xvhcd-dom0 follows them.
 */
#ifndef XVHC_BROKER_WISHES_H
#define XVHC_BROKER_WISHES_H

#include <broker/broker.h>

#define WISHES_NODE "data/xvhc/guests" /* of the driver domain */

/* Writes the wishes down where the given ports have changed. In dom0 it does nothing. */
void wishes_step(struct broker *broker);

/* Whether a given port of this guest waits for a controller: one that is empty is for it. */
bool wishes_wait(const struct broker *broker, uint32_t domid);

#endif
