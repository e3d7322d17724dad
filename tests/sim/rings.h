/* SPDX-License-Identifier: MIT */
/* The guest's two rings, and what lies in them, on either version of the wire. */
#ifndef XVHC_TESTS_SIM_RINGS_H
#define XVHC_TESTS_SIM_RINGS_H

#include "request.h"

/* An event, in the words of version 2. */
struct sim_event {
	uint8_t port, event, speed;
	uint64_t device;
};

/* Makes new rings. Returns how many pages that of requests has. */
uint32_t rings_start(void);

/* How many requests can be put. */
uint32_t rings_free(void);

/* The id of a request that has this place among all. */
uint16_t rings_id(uint32_t place);

/* Puts a request as it stands in its fields, or one of random fields. */
void rings_put(const struct sim_request *request);
void rings_put_noise(struct sim_request *request);

/* Puts a request to cancel this one. */
void rings_put_cancel(const struct sim_request *request, uint16_t id);

/* Leaves room for count events more. */
void rings_post_events(uint32_t count);

/* Puts what ends the connection. */
void rings_break(void);

/* Publishes what was put. Returns whether the worker wants to be notified. */
XVHC_MUST_CHECK bool rings_push(void);

/* Whether more has come; where not, the next will be notified. */
XVHC_MUST_CHECK bool rings_recheck(void);

/* Takes an answer, an event. Returns false where there is none. Each byte is looked at. */
bool rings_take_answer(struct sim_answer *answer);
bool rings_take_event(struct sim_event *event);

#endif
