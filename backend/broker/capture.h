/* SPDX-License-Identifier: MIT */
/* Who captures which requests, and which workers have to tell of them. */
#ifndef XVHC_BROKER_CAPTURE_H
#define XVHC_BROKER_CAPTURE_H

#include <broker/broker.h>

/* What is wanted: the port of this place, or, where it is NULL, all that this guest does. */
struct capture_wish {
	const struct place *place;
	const char *guest;
	uint32_t data_max; /* bytes of one request's data, at most XVHC_CAPTURE_DATA_MAX */
};

/*
 * Begins a capture; fd becomes the broker's in any case. Returns 0; -EINVAL where it is no socket
 * to capture with; -EMFILE where there are too many.
 */
XVHC_MUST_CHECK int capture_add(struct broker *broker, const struct capture_wish *wish, int fd);

/* A worker was started: tells it before it serves its guest. */
void captures_tell_worker(struct broker *broker, struct worker_slot *slot);

/* Tells the workers what has changed. */
void captures_step(struct broker *broker);

/* The reader of the capture with this number hung up, or wants no more. */
void capture_hung_up(struct broker *broker, uint32_t index);

void captures_fini(struct broker *broker);

#endif
