/* SPDX-License-Identifier: MIT */
/* Why a guest does not have what is in a port that is given to it, in words for a person. */
#ifndef XVHC_BROKER_GIVEN_REASON_H
#define XVHC_BROKER_GIVEN_REASON_H

#include <broker/broker.h>

/*
 * Writes why it does not work, and what to do: one sentence, without its full stop. Where
 * `xvhc help TOPIC` has more about that, *topic is the topic; else it is NULL. An empty text: there
 * is nothing to be said.
 */
void given_reason(const struct broker *broker, const struct given *given, char *text, size_t size,
		  const char **topic);

#endif
