/* SPDX-License-Identifier: MIT */
/*
 * The workers: one process per guest controller. The broker starts it with one end of a socket as
 * descriptor 3 and nothing else open. A worker touches the guest's memory and may be taken over by
 * a guest, so what it says is not believed.
 */
#ifndef XVHC_BROKER_WORKER_PROCESS_H
#define XVHC_BROKER_WORKER_PROCESS_H

#include <sys/types.h>

#include <message.h>

struct worker_process {
	pid_t pid;
	int pidfd;  /* readable when it has ended */
	int socket; /* -1: we have hung up on it */
};

/* Starts one; guest is for its name in `ps`. Returns 0 or -errno. */
XVHC_MUST_CHECK int worker_process_start(struct worker_process *worker, const char *path,
					 const char *guest);

/* Closes our end of the socket: an orderly worker then ends by itself. */
void worker_process_hang_up(struct worker_process *worker);

/*
 * Stops it, all threads, which takes as long as they are in the kernel: SIGCHLD says when it has
 * come about. Then it stays stopped until it is continued, or killed.
 */
void worker_process_stop(struct worker_process *worker);
XVHC_MUST_CHECK bool worker_process_is_stopped(struct worker_process *worker);
void worker_process_continue(struct worker_process *worker);

/* Whether it has not read all that was sent to it; also true where that cannot be known. */
XVHC_MUST_CHECK bool worker_process_has_unread(const struct worker_process *worker);

/*
 * Whether a stopped one has a descriptor of the device with this node; also true where that cannot
 * be found out.
 */
XVHC_MUST_CHECK bool worker_process_holds(const struct worker_process *worker, dev_t node);

/* Milliseconds of the processor's time that it has used. It is not reaped yet. 0: unknown. */
uint64_t worker_process_cpu_ms(const struct worker_process *worker);

/* Ends it at once. */
void worker_process_kill(struct worker_process *worker);

/* Ends it, waits for that, and closes what belongs to it. */
void worker_process_abort(struct worker_process *worker);

/*
 * Where it has ended: reaps it, writes how it ended, closes what belongs to it, and returns true.
 */
XVHC_MUST_CHECK bool worker_process_reap(struct worker_process *worker, char *how, size_t size);

#endif
