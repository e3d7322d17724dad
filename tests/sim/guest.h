/* SPDX-License-Identifier: MIT */
/* The guest: what it asks for, what it believes, and whether the answers are right. */
#ifndef XVHC_TESTS_SIM_GUEST_H
#define XVHC_TESTS_SIM_GUEST_H

#include <message.h>

#include "request.h"

/*
 * Makes new rings, for a new worker. Requests of the last one will have no answer. Returns how many
 * pages the ring of requests has.
 */
uint32_t guest_start(void);

/*
 * Puts a request of random kind for a random port. Returns false where there is no room for it.
 */
bool guest_submit(void);
bool guest_cancel(void);
bool guest_noise(void);

/* Leaves room for count events more. */
void guest_post_events(uint32_t count);

/* Breaks the protocol in one of the ways that there are. */
void guest_break_protocol(void);

/* Publishes what was put. Returns whether the worker wants to be notified. */
XVHC_MUST_CHECK bool guest_push(void);

/* Takes and judges responses and events; notified: the worker has notified us since the last. */
void guest_take(bool notified);

/* Whatever is in the pieces of open requests is right. */
void guest_accept_open(void);

/* Checks all memory. */
void guest_check(void);

/* The guest uses a part of its memory for something else. */
void guest_write_elsewhere(void);

/* What becomes of the device of a port, before the guest is told. */
void guest_device_given(uint32_t port, const struct message_attach *attach);
void guest_device_lost(uint32_t port);

/* Whether the guest was told of a device on this port. */
bool guest_sees(uint32_t port);

/* How many requests have no answer yet. */
uint32_t guest_open_requests(void);

/* How many were answered, of all and well. */
extern uint64_t guest_answers, guest_good_answers;

#endif
