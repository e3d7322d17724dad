/* SPDX-License-Identifier: MIT */
/* Figures of ports and controllers as JSON, in the form that docs/json.md tells. */
#ifndef XVHC_BROKER_COUNTERS_JSON_H
#define XVHC_BROKER_COUNTERS_JSON_H

#include <broker/broker.h>

struct json_object;

/* The figures of a given port. The caller puts it; so below. */
struct json_object *port_counters_json(struct broker *broker, const struct given *given);

/* A controller: its guest, connection, worker and figures. */
struct json_object *controller_json(struct broker *broker, const struct controller *controller);

/*
 * What a given port does, in one word: taken, absent, in-dom0, hub, failed, refused, waiting (for
 * the guest, or its driver), empty, connecting or in-use.
 */
const char *port_condition(const struct broker *broker, const struct given *given);

#endif
