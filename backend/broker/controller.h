/* SPDX-License-Identifier: MIT */
/* The guests' virtual host controllers: their XenStore nodes, their states and their workers. */
#ifndef XVHC_BROKER_CONTROLLER_H
#define XVHC_BROKER_CONTROLLER_H

#include <broker/broker.h>

/* The first device number of controllers that we make. A toolstack counts from 0. */
#define CONTROLLER_DEVID_FIRST 1000u

/* The same for those that xvhcd-dom0 makes for a driver domain. */
#define CONTROLLER_DEVID_DRIVER_DOMAIN 2000u

/* Begins to follow the controllers of this domain. Returns 0 or -errno. */
XVHC_MUST_CHECK int controllers_watch(struct broker *broker);

/* Handles a watch of ours: marks what it may be about. */
void controllers_event(struct broker *broker, const char *path, const char *token);

/* Looks which controllers there are in XenStore. */
void controllers_scan(struct broker *broker);

/* Takes the next step for a controller. It may be gone afterwards. */
void controller_step(struct broker *broker, struct controller *controller);

/* A guest died: ends its workers, and removes what is ours. */
void controllers_guest_gone(struct broker *broker, uint32_t domid);

/*
 * Binds a given port to a free port number of a controller of ours in that guest; makes one where
 * there is none. Returns 0 or -errno.
 */
XVHC_MUST_CHECK int controller_bind(struct broker *broker, struct given *given, uint32_t domid);

/* Undoes a binding. */
void controller_unbind(struct broker *broker, struct given *given);

/* Begins to remove the controllers of ours that no given port is bound to. */
void controllers_remove_empty(struct broker *broker);

/* Whether a device can be sent to the worker now. */
bool controller_is_connected(const struct controller *controller);

/*
 * Gives an open device to the worker, with ATTACH_... flags. The descriptor stays the caller's.
 * Returns 0 or -errno.
 */
XVHC_MUST_CHECK int controller_attach(struct broker *broker, struct controller *controller,
				      uint32_t port, const struct usb_device *device,
				      uint32_t flags, int fd);

/* The place of the controller's worker. NULL: it has none. */
struct worker_slot *worker_slot_of(struct broker *broker, const struct controller *controller);

/* Asks the worker to give a device back. Returns 0 or -errno. */
XVHC_MUST_CHECK int controller_detach(struct broker *broker, struct controller *controller,
				      uint32_t port);

/* The worker cannot be trusted or does not work: ends it, and connects to the guest anew. */
void controller_restart(struct broker *broker, struct controller *controller, const char *why);

/* The worker with this number has ended. */
void worker_ended(struct broker *broker, uint32_t index);

/* Ends workers that were asked to end and did not. */
void workers_step(struct broker *broker);

/* Begins to close all, for the end of xvhcd. */
void controllers_stop(struct broker *broker);

/* Whether all are closed. */
bool controllers_stopped(const struct broker *broker);

/* Ends all workers at once and frees everything. Leaves XenStore as it is. */
void controllers_fini(struct broker *broker);

#endif
