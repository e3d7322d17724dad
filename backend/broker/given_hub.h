/* SPDX-License-Identifier: MIT */
/* Hubs in given ports, and the ports behind them. */
#ifndef XVHC_BROKER_GIVEN_HUB_H
#define XVHC_BROKER_GIVEN_HUB_H

#include <broker/broker.h>

/* Lets go of hubs that are no longer in the port, or whose claims are void. */
void hubs_follow(struct broker *broker, struct given *given, const struct connector *connector);

/* Lets go of all hubs in the port: what is behind them leaves the guest. */
void hubs_drop(struct broker *broker, struct given *given);

/*
 * The next step of a port with a hub in it: opens the hub, and adds the ports behind it. Where a
 * job is to run for that, returns it: it is the caller's. NULL: nothing is to be done.
 */
struct job *hub_step(struct broker *broker, struct given *given, const struct connector *connector);

/* The job for a hub was done. The descriptor in it is taken over, or closed. */
void hub_done(struct broker *broker, struct given *given, struct job *job);

/* Whether a port behind a hub is no longer there, or no longer the guest's. */
bool hub_port_is_void(const struct broker *broker, const struct given *given,
		      const struct connector *connector);

/* Whether there are given ports behind a hub in this one. */
bool hub_has_given_ports(const struct broker *broker, const struct given *given);

/* The given port that a person gave: the outermost one that this one is behind, or itself. */
const struct given *given_outermost(const struct given *given);

/* The descriptor that holds the claim of one side of a given port. -1: none. */
int given_claim_fd(const struct given *given, int side);

/* What a port with a hub in it does, for a person. */
void hub_state_text(const struct broker *broker, const struct given *given, char *text,
		    size_t size);

#endif
