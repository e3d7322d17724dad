/* SPDX-License-Identifier: MIT */
/*
 * Keeps the given ports and their file alike: what a command changes goes to the file, what a
 * person writes there goes to the ports.
 */
#ifndef XVHC_BROKER_PORTS_FOLLOW_H
#define XVHC_BROKER_PORTS_FOLLOW_H

#include <broker/broker.h>

/*
 * Reads the file, adds its ports, and begins to follow it; without that, a warning is logged.
 * Returns 0, or -errno after a sentence in the log.
 */
XVHC_MUST_CHECK int ports_begin(struct broker *broker);

/* The kernel says that something happened to the file, or beside it. */
void ports_readable(struct broker *broker);

/*
 * Reads the file again if it is another one by now. To be called before it is changed, or what a
 * person wrote there would be lost. False where somebody else writes it just now.
 */
bool ports_sync(struct broker *broker);

/* SIGHUP: follows the file anew, where that had ended, and reads it if it is another one by now. */
void ports_reload(struct broker *broker);

/* Takes the next steps: a file that changed is read, and what it gives is given or taken. */
void ports_step(struct broker *broker);

/* Writes the file. Returns 0, or -errno after a sentence in the log. */
XVHC_MUST_CHECK int ports_save(struct broker *broker);

void ports_end(struct broker *broker);

#endif
