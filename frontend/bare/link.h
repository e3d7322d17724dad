/* SPDX-License-Identifier: MIT */
/*
 * The frontend of one controller: its connection, its rings, its port events, and one request after
 * the other (docs/protocol.md). Attacks use its parts in another order.
 */
#ifndef BARE_LINK_H
#define BARE_LINK_H

#include <ring.h>

#include "xen.h"

#define LINK_DATA_PAGES 64u
#define LINK_PATH_MAX 64u

/* XenBus' states of each end. */
enum link_state {
	STATE_INITIALISING = 1,
	STATE_INIT_WAIT = 2,
	STATE_INITIALISED = 3,
	STATE_CONNECTED = 4,
	STATE_CLOSING = 5,
	STATE_CLOSED = 6,
};

/* Results of link_exchange() that are no status of the wire. */
#define LINK_LOST (-1000)  /* the backend closed, or did not answer in time */
#define LINK_WRONG (-1001) /* the answer cannot be true */

struct link {
	char frontend[LINK_PATH_MAX]; /* its directory */
	char backend[LINK_PATH_MAX];  /* the backend's */
	uint16_t domain;              /* the backend's */
	uint32_t event;               /* 0: not connected */
	uint32_t ring_reference[2];   /* grants of the URB and the connection ring */
	struct front_ring urb;
	struct front_ring conn;
	uint32_t data_reference[LINK_DATA_PAGES]; /* grants of link_data, for as long as we live */
	uint8_t ports;
	uint8_t speed[USBIF_PORT_MAX + 1]; /* by port: what is connected, as the last event said */
};

/* Pages for transfers, granted for reading and writing. */
extern uint8_t link_data[LINK_DATA_PAGES][PAGE_BYTES];

/* Waits for a controller of this guest, and looks at its nodes. False: none came in time. */
bool link_find(struct link *link, uint64_t until_ns);

/* Connects, also anew. False: the backend did not go along in time. */
bool link_open(struct link *link, uint64_t until_ns);

/* Makes empty rings and an event channel, of which nobody knows yet. False: too many in use. */
bool link_prepare(struct link *link);

/* Writes what link_open() tells the backend, and the state. */
void link_offer(const struct link *link, uint32_t urb, uint32_t conn, uint32_t event,
		enum link_state state);

/* Closes, and waits for the backend to do so. */
void link_close(struct link *link, uint64_t until_ns);

/* Goes to state 6 at once, and gives rings and event channel up. */
void link_abandon(struct link *link);

/* Whether the backend says that it is connected. Asks XenStore. */
bool link_is_open(const struct link *link);

/* One of the states, or STORE_NOT_A_NUMBER. */
uint32_t link_backend_state(const struct link *link);
void link_set_state(const struct link *link, enum link_state state);

/* Takes the port events that have come. */
void link_take_events(struct link *link);

/* The next port above this one that has a device, or 0. */
uint8_t link_next_device(const struct link *link, uint8_t port);

/* Waits for so many devices. False: they did not come in time. */
bool link_wait_devices(struct link *link, uint32_t count, uint64_t until_ns);

/* Puts a request on the URB ring, which has room, and notifies the backend where it wants that. */
void link_put(struct link *link, const struct usbif_urb_request *request);

/* Names length bytes of link_data, from the start of a page on, as a request's data. */
void link_set_data(const struct link *link, struct usbif_urb_request *request, uint32_t page,
		   uint32_t length);

/*
 * Sends a request and waits for its answer, at most 10 s. No other may be under way. Returns the
 * bytes transferred, or what is negative: a status of the wire, or LINK_...
 */
int link_exchange(struct link *link, const struct usbif_urb_request *request);

#endif
