/* SPDX-License-Identifier: MIT */
/*
 * The frontend of one controller: its connection, its rings, its port events, and one request after
 * the other (docs/protocol.md). What differs between the versions of the wire is behind struct
 * link_wire. Attacks use its parts in another order.
 */
#ifndef BARE_LINK_H
#define BARE_LINK_H

#include <ring.h>

#include "xen.h"

#define LINK_DATA_PAGES 256u
#define LINK_RING_PAGES_MAX (1u + XVHCIF_RING_PAGES_MAX)
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

/* Results of link_exchange() that are no enum xvhc_error. */
#define LINK_LOST (-1000)  /* the backend closed, or did not answer in time */
#define LINK_WRONG (-1001) /* the answer cannot be true */

struct link {
	char frontend[LINK_PATH_MAX]; /* its directory */
	char backend[LINK_PATH_MAX];  /* the backend's */
	uint16_t domain;              /* the backend's */
	uint32_t version_max;         /* of the wire: what we would speak */
	const struct link_wire *wire; /* what both speak */
	uint32_t event;               /* 0: not connected */
	uint32_t ring_pages;
	uint32_t ring_reference[LINK_RING_PAGES_MAX]; /* their grants */
	struct front_ring requests;
	struct front_ring events;
	uint32_t data_reference[LINK_DATA_PAGES]; /* grants of link_data, for as long as we live */
	uint8_t ports;
	/* By port: what is connected, as the last event said. */
	uint8_t speed[USBIF_PORT_MAX + 1];   /* 0: nothing */
	uint64_t number[USBIF_PORT_MAX + 1]; /* version 2: of the device */
};

/* A transfer to or from the first bytes of link_data. */
struct link_request {
	uint8_t port;
	uint8_t address;  /* of the device */
	uint8_t endpoint; /* bEndpointAddress; control: 0, and 0x80 for data from the device */
	uint8_t type;     /* enum transfer_type */
	uint8_t setup[8]; /* control */
	uint32_t length;  /* bytes, at most link->wire->length_max */
};

/* A version of the wire. */
struct link_wire {
	uint32_t version;
	uint32_t length_max; /* bytes of one request */
	/* Pages that its rings have with this backend, or 0 where the backend does not offer it. */
	uint32_t (*ring_pages)(const struct link *link);
	/* Makes empty rings of these pages, which are zeroed. */
	void (*lay_rings)(struct link *link, uint8_t (*page)[PAGE_BYTES]);
	/* Writes the nodes that tell the backend of rings and event channel, and state 3. */
	void (*offer)(const struct link *link);
	/* Removes what the next frontend in this guest may not know. NULL: nothing. */
	void (*withdraw)(const struct link *link);
	/* Takes one port event: 1, or 0 where there is none, or XVHC_EPROTO. */
	int (*take_event)(struct link *link);
	/* Has the device on a port in the default state. Returns 0, or what is negative. */
	int (*reset)(struct link *link, uint8_t port);
	int (*exchange)(struct link *link, const struct link_request *request);
};

/* A node in the frontend's directory. */
struct link_node {
	const char *name;
	const char *text; /* NULL: the number */
	uint32_t number;
};

/* Pages for transfers, granted for reading and writing. */
extern uint8_t link_data[LINK_DATA_PAGES][PAGE_BYTES];

/*
 * Waits for a controller of this guest, and looks at its nodes. The link will speak at most
 * version_max of the wire. False: none came in time.
 */
bool link_find(struct link *link, uint32_t version_max, uint64_t until_ns);

/* Connects, also anew. False: the backend did not go along in time. */
bool link_open(struct link *link, uint64_t until_ns);

/* Makes empty rings and an event channel, of which nobody knows yet. False: too many in use. */
bool link_prepare(struct link *link);

/* Closes, and waits for the backend to do so. */
void link_close(struct link *link, uint64_t until_ns);

/* Goes to state 6 at once, and gives rings and event channel up. */
void link_abandon(struct link *link);

/* Whether the backend says that it is connected. Asks XenStore. */
bool link_is_open(const struct link *link);

/* One of the states, or STORE_NOT_A_NUMBER. */
uint32_t link_backend_state(const struct link *link);
void link_set_state(const struct link *link, enum link_state state);

/* A node of the backend's, or STORE_NOT_A_NUMBER. */
uint32_t link_read_backend(const struct link *link, const char *name);

/* Writes nodes of the frontend's, all at once. */
void link_write_nodes(const struct link *link, const struct link_node *nodes, uint32_t count);

/* Takes the port events that have come. */
void link_take_events(struct link *link);

/* The next port above this one that has a device, or 0. */
uint8_t link_next_device(const struct link *link, uint8_t port);

/* Waits for so many devices. False: they did not come in time. */
bool link_wait_devices(struct link *link, uint32_t count, uint64_t until_ns);

/* Puts a slot on the request ring, which has room, and notifies the backend where it wants that. */
void link_put(struct link *link, const void *slot, uint32_t size);

/*
 * The same, and waits for a response, at most 10 s. No other may be under way. Returns 0 or
 * LINK_...
 */
int link_exchange_slots(struct link *link, const void *request, uint32_t request_size,
			void *response, uint32_t response_size);

/* Has the device on a port in the default state. Returns 0, or what is negative. */
int link_reset(struct link *link, uint8_t port);

/*
 * Sends a request and waits for its answer, as above. Returns the bytes transferred, or what is
 * negative: enum xvhc_error or LINK_...
 */
int link_exchange(struct link *link, const struct link_request *request);

#endif
