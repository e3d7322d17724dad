/* SPDX-License-Identifier: MIT */
/* The ports that are given to guests. */
#ifndef XVHC_BROKER_GIVEN_H
#define XVHC_BROKER_GIVEN_H

#include <broker/broker.h>

/* Between two attempts at something that failed. */
#define GIVEN_RETRY_MS 3000u

/* Attempts to use a device that is there and cannot be opened, or does not answer then. */
#define GIVEN_OPENS_MAX 5u

/* Adds a port; it is looked at in the next round. NULL: no memory, or too many. */
struct given *given_add(struct broker *broker, const struct place *place, const char *guest);

/* The given port of this connector, by either of its places. NULL: none. */
struct given *given_find(const struct broker *broker, const struct connector *connector);

/* The given port of this place, also where there is no such connector now. NULL: none. */
struct given *given_find_place(const struct broker *broker, const struct place *place);

/* Forgets a port. No job may run for it. */
void given_free(struct broker *broker, struct given *given);

/* Answers the client that waits for this port, if there is one. */
void given_answer(struct broker *broker, struct given *given, bool ok, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* A given port that lies in front of or behind this connector. NULL: none. */
struct given *given_around(const struct broker *broker, const struct connector *connector);

/* Begins to give a port back to dom0, for good: a line of the file is removed. */
void given_take(struct broker *broker, struct given *given);

/* The same, whatever the file says. */
void given_return(struct broker *broker, struct given *given);

/* Takes the next step for each given port. */
void given_step_all(struct broker *broker);

/* A job for a given port was done. Frees the job. */
void given_job_done(struct broker *broker, struct job *job);

/* The worker says what the guest does with the device, or that it has given it back. */
void given_worker_state(struct broker *broker, struct given *given, enum port_state state);
void given_worker_detached(struct broker *broker, struct given *given);

/*
 * An attempt to use the device failed, for the reason in text. There is another one later, unless
 * there were enough; in_use: until dom0 does not use it any more.
 */
void given_open_failed(struct broker *broker, struct given *given, const char *text, bool in_use);

/* The worker is gone, and with it the device that it had. */
void given_worker_lost(struct broker *broker, struct given *given);

/* What the device in it says that it is; or NULL, and why that is not known. */
void given_described(struct broker *broker, struct given *given,
		     const struct message_description *description, const char *why);

/* One line for a person about what the port does. */
void given_state_text(const struct broker *broker, const struct given *given, char *text,
		      size_t size);

/* The names of a given port for a sentence: its short names, or its place where it is not there. */
void given_names(const struct broker *broker, const struct given *given, char *text, size_t size);

void given_fini(struct broker *broker);

#endif
