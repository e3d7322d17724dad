/* SPDX-License-Identifier: MIT */
/* Workers that are processes of their own, as they are below xvhcd. */
#ifndef XVHC_BENCH_PROCESS_H
#define XVHC_BENCH_PROCESS_H

#include <sys/types.h>

#include "guest.h"

/*
 * Starts the program of this name, which lies beside this one, as the worker of a guest: makes the
 * guest, and waits until the worker has connected. argument may be NULL. Returns its process.
 */
pid_t process_start(struct guest *guest, const struct guest_plan *plan, const char *name,
		    const char *argument);

/* Closes the broker's end, and waits until the worker has ended in good order. */
void process_end(struct guest *guest, pid_t process);

#endif
