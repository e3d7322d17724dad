/* SPDX-License-Identifier: MIT */
/*
 * The XenStore nodes of one controller. Backend directory, ours:
 * /local/domain/<own>/backend/vusb/<domid>/<devid>; frontend directory, the guest's:
 * /local/domain/<domid>/device/vusb/<devid>. Paths are made from the numbers, and never read from a
 * node, which a guest might have written. docs/protocol.md lists all nodes.
 */
#ifndef XVHC_BROKER_CONTROLLER_NODES_H
#define XVHC_BROKER_CONTROLLER_NODES_H

#include <broker/broker.h>

/* What both sides say about their states. */
struct controller_view {
	bool online; /* the toolstack wants it */
	enum xenbus_state backend;
	enum xenbus_state frontend; /* XENBUS_UNKNOWN where it has none */
};

/* What a frontend publishes before it connects. */
struct frontend_offer {
	uint32_t version;    /* of the wire */
	uint32_t ring_order; /* the request ring has 1 << ring_order pages */
	uint32_t ring_ref[XVHCIF_RING_PAGES_MAX];
	uint32_t event_ref; /* version 1: the connection ring; version 2: the head page */
	uint32_t event_channel;
	uint32_t pool_pages;                          /* of the data pool; 0: none */
	uint32_t pool_ref[XVHCIF_POOL_DIRECTORY_MAX]; /* pages of its directory */
};

/* Writes the path of a node in the backend directory; name "" for the directory. */
void backend_path(const struct broker *broker, const struct controller *controller,
		  const char *name, char path[XENSTORE_PATH_MAX]);

/* The same for the frontend directory. */
void frontend_path(const struct controller *controller, const char *name,
		   char path[XENSTORE_PATH_MAX]);

/* Reads the states. False where the controller is no longer there. */
XVHC_MUST_CHECK bool controller_view_read(struct broker *broker,
					  const struct controller *controller,
					  struct controller_view *view);

/* Writes what we offer to a frontend, which is to be there before InitWait is. */
void backend_offer_write(struct broker *broker, const struct controller *controller);

/* Writes our own state. */
void backend_state_write(struct broker *broker, const struct controller *controller,
			 enum xenbus_state state);

/* Reads what the backend directory fixes for good: number of ports, and who made it. */
XVHC_MUST_CHECK int backend_read(struct broker *broker, struct controller *controller);

/*
 * Makes both directories of a controller of ours, as a toolstack would. guest: is written down for
 * a backend that may not read it elsewhere; or NULL. Returns 0 or -errno.
 */
XVHC_MUST_CHECK int controller_nodes_make(struct broker *broker,
					  const struct controller *controller,
					  const struct guest *guest);

/* Removes what controller_nodes_make() made. */
void controller_nodes_remove(struct broker *broker, const struct controller *controller);

/* Removes the frontend directory only; the guest then forgets the device. */
XVHC_MUST_CHECK int frontend_remove(struct broker *broker, const struct controller *controller);

/* Makes the frontend directory anew, as it was at first; the guest then probes it. */
XVHC_MUST_CHECK int frontend_make(struct broker *broker, const struct controller *controller);

/* Reads what the frontend offers. Returns NULL, or a sentence about what is wrong with it. */
const char *frontend_read(struct broker *broker, const struct controller *controller,
			  struct frontend_offer *offer);

/* Whether the frontend says that it connects again by itself when we come back. */
bool frontend_reconnects(struct broker *broker, const struct controller *controller);

/* Reads or writes port/<n>. Reading gives "" where there is nothing. */
void port_node_read(struct broker *broker, const struct controller *controller, uint32_t port,
		    char value[XVHC_PLACE_MAX]);
void port_node_write(struct broker *broker, const struct controller *controller, uint32_t port,
		     const char *value);

#endif
