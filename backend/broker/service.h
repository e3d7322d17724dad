/* SPDX-License-Identifier: MIT */
/*
 * What a service manager is told about the broker, by the protocol of sd_notify(3): one datagram of
 * lines NAME=VALUE to the socket that the environment names. Without a socket all of this does
 * nothing.
 *
 * The broker is ready when it listens, and has claimed the given ports that are there. It does not
 * wait for a hub that does not answer for longer than SERVICE_READY_LIMIT_MS.
 */
#ifndef XVHC_BROKER_SERVICE_H
#define XVHC_BROKER_SERVICE_H

#include <xvhc/types.h>

#define SERVICE_TEXT_MAX 256u /* bytes of a datagram */
#define SERVICE_READY_LIMIT_MS 10000u

struct broker;

struct service {
	const char *socket;   /* path, or @ and an abstract name; NULL: nobody listens */
	bool ready;           /* it was told so */
	bool refused;         /* the configuration that was read last */
	uint64_t ready_by_ms; /* CLOCK_MONOTONIC */
	char told[SERVICE_TEXT_MAX];
};

/* Begins. socket is kept by reference. */
void service_begin(struct broker *broker, const char *socket);

/* Tells what has changed since it was told last. To be called when the broker has settled. */
void service_step(struct broker *broker);

/*
 * Tells that the configuration is being read anew; then that this has ended, and whether the new
 * one is in force.
 */
void service_reload_begin(struct broker *broker);
void service_reload_end(struct broker *broker, bool in_force);

#endif
