/* SPDX-License-Identifier: MIT */
/*
 * A worker gives up, step by step, all that it does not need: it alone reads what a hostile guest
 * and a hostile device write. docs/assurance.md says what remains open to it.
 */
#ifndef XVHC_WORKER_ISOLATE_H
#define XVHC_WORKER_ISOLATE_H

#include <xvhc/types.h>

/* The user that workers run as. */
#define ISOLATE_USER "xvhc-worker"

/*
 * The two steps. Each returns 0, or -errno after a log line: then the process must end. A program
 * passes them to serve(); tests, which need no isolation, pass NULL.
 */
struct isolation {
	/*
	 * After the devices of the system were opened and before anything of a guest is known: an
	 * empty file system, no network, a user of its own, no capability, no way to get one back,
	 * resource limits. Needs root, and a process of one thread.
	 */
	int (*confine)(void);
	/*
	 * When the guest is connected and all threads run, before the first request is read: no
	 * system call but those that serving needs, down to the numbers of ioctl(). Holds for all
	 * threads.
	 */
	int (*filter)(void);
};

extern const struct isolation isolation_full;

#endif
