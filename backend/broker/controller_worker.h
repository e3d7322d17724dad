/* SPDX-License-Identifier: MIT */
/* The worker of a controller: started, told, listened to and ended. */
#ifndef XVHC_BROKER_CONTROLLER_WORKER_H
#define XVHC_BROKER_CONTROLLER_WORKER_H

#include <broker/broker.h>
#include <broker/controller_nodes.h>

/* Starts a worker and has it connect to the frontend. Returns 0 or -errno. */
XVHC_MUST_CHECK int controller_worker_start(struct broker *broker, struct controller *controller,
					    const struct frontend_offer *offer);

/*
 * Parts with the worker, if there is one: hangs up on it, and ends it where it does not end by
 * itself soon; or ends it at once. The devices that it had count as lost.
 */
void controller_worker_end(struct broker *broker, struct controller *controller, bool at_once);

/* Bytes of usbfs' memory: what all may have together (0: any), and what is set aside by now. */
void usbfs_memory(const struct broker *broker, uint64_t *limit, uint64_t *used);

/*
 * Sends the worker a message, with a descriptor that stays the caller's (-1: none). Returns 0, or
 * -errno: -EPIPE where there is no worker.
 */
XVHC_MUST_CHECK int controller_worker_tell(const struct controller *controller,
					   const struct message *message, int fd);

/* Hangs up on a worker that is to end by itself: workers_step() kills it where it does not. */
void worker_await_end(struct worker_slot *slot);

#endif
