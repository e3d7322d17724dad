/* SPDX-License-Identifier: MIT */
/* Ports that are given because of the device in them. */
#ifndef XVHC_BROKER_GIVEN_IDENTITY_H
#define XVHC_BROKER_GIVEN_IDENTITY_H

#include <broker/broker.h>

/* Gives the ports in which given devices are, and takes those that they have left. */
void identities_step(struct broker *broker);

/* The given port of a device that is given by exactly this name, after that one. NULL: none. */
struct given *identity_given(const struct broker *broker, const struct identity *identity,
			     const struct given *after);

#endif
