/* SPDX-License-Identifier: MIT */
/*
 * A frontend of version 2, on the worker, the memory and the broker's side of frontend.h. Data of a
 * request lies in a page of its own; data of more than a page, of one request at a time, in the
 * large area, and its segments in an indirect page.
 */
#ifndef XVHC_TESTS_WIRE_FRONTEND2_H
#define XVHC_TESTS_WIRE_FRONTEND2_H

#include "frontend.h"

/* Where things lie in the guest's memory. */
#define FRONTEND2_HEAD_PAGE 3u
#define FRONTEND2_RING_PAGE 4u
#define FRONTEND2_DATA_PAGE(id) (16u + 2u * (id))
#define FRONTEND2_LIST_PAGE(id) (17u + 2u * (id)) /* packet list, or indirect segments */
#define FRONTEND2_DIRECTORY_PAGE 560u             /* of the pool */
#define FRONTEND2_LARGE_PAGE 600u                 /* XVHCIF_LENGTH_MAX bytes, and a page */

/* The pool's pages are the large area's, the last one first. */
#define FRONTEND2_POOL_PAGES (XVHCIF_LENGTH_MAX / XVHCIF_PAGE_SIZE + 1u)

struct frontend2 {
	struct frontend base;
	uint32_t slots;
	struct front_ring requests, events;
	/* Requests, by id. */
	bool busy[XVHCIF_SLOTS_MAX], done[XVHCIF_SLOTS_MAX];
	struct xvhcif_response response[XVHCIF_SLOTS_MAX];
	/* By port, from 1. */
	uint32_t told[XVHCIF_PORT_MAX + 1][4]; /* how often, by XVHCIF_EVENT_... */
	uint8_t speed[XVHCIF_PORT_MAX + 1];    /* of the last device */
	uint64_t device[XVHCIF_PORT_MAX + 1];
};

/* Starts a worker and connects to it, with a request ring of this order and with these quotas. */
void frontend2_start(struct frontend2 *frontend, uint32_t order, struct message_connect quotas);

/* The rings as they are at first, without a worker that knows them. */
void frontend2_spawn(struct frontend2 *frontend, uint32_t order);

/* Writes a directory of the pool, and has a CONNECT tell of it. */
void frontend2_pool(struct frontend2 *frontend, struct message_connect *connect);

/* Copies out of the pool, and into it. */
void frontend2_pool_read(struct frontend2 *frontend, uint32_t offset, void *data, uint32_t length);
void frontend2_pool_write(struct frontend2 *frontend, uint32_t offset, const void *data,
			  uint32_t length);

/* A CONNECT that tells of these rings. */
struct message_connect frontend2_connect(const struct frontend2 *frontend);

/* cmocka's fixtures: a ring of order 2, without quotas; and no worker at all. */
int frontend2_setup(void **state);
int frontend2_setup_unconnected(void **state);
int frontend2_teardown(void **state);

#define WIRE2_TEST(name) cmocka_unit_test_setup_teardown(name, frontend2_setup, frontend2_teardown)
#define WIRE2_UNCONNECTED_TEST(name)                                                               \
	cmocka_unit_test_setup_teardown(name, frontend2_setup_unconnected, frontend2_teardown)

/* Waits for something to happen: an event, a response, a message. */
void frontend2_step(struct frontend2 *frontend);

#define frontend2_until(frontend, condition)                                                       \
	do {                                                                                       \
		while (!(condition))                                                               \
			frontend2_step(frontend);                                                  \
	} while (0)

/* Empty requests on the event ring. */
void frontend2_post_events(struct frontend2 *frontend, uint32_t count);

/* Gives a device to a port, and waits for the guest to hear of it. */
void frontend2_plug(struct frontend2 *frontend, uint32_t port, uint32_t model, enum usb_speed speed,
		    uint64_t instance);

/* Takes an id that is free, and fills in a request that has it. */
uint16_t frontend2_fill(struct frontend2 *frontend, struct xvhcif_request *request,
			uint8_t operation, uint8_t port);

/* The same for a transfer of length bytes. */
uint16_t frontend2_fill_submit(struct frontend2 *frontend, struct xvhcif_request *request,
			       uint32_t place, uint8_t type, uint8_t endpoint, uint32_t length);

/* Where a request's data lies, and its packet list. */
uint8_t *frontend2_data(struct frontend2 *frontend, uint32_t id, uint32_t length);
struct xvhcif_packet *frontend2_list(struct frontend2 *frontend, uint32_t id);
struct xvhcif_segment *frontend2_indirect(struct frontend2 *frontend, uint32_t id);

/* Puts a request on the ring; kick publishes it, and notifies the worker where it asked. */
void frontend2_put(struct frontend2 *frontend, const struct xvhcif_request *request);
void frontend2_kick(struct frontend2 *frontend);

/* Puts, kicks. */
void frontend2_send(struct frontend2 *frontend, const struct xvhcif_request *request);

/* Waits for a response. Returns its status; the id is free again. */
uint32_t frontend2_wait(struct frontend2 *frontend, uint32_t id);

/* Sends, and waits. */
uint32_t frontend2_run(struct frontend2 *frontend, const struct xvhcif_request *request);

/* Fills in a transfer and sends it. Returns its id. */
uint16_t frontend2_submit(struct frontend2 *frontend, uint32_t place, uint8_t type,
			  uint8_t endpoint, uint32_t length);

/* A whole transfer: returns the status, and the bytes transferred in *actual (may be NULL). */
uint32_t frontend2_transfer(struct frontend2 *frontend, uint32_t place, uint8_t type,
			    uint8_t endpoint, void *data, uint32_t length, uint32_t *actual);
uint32_t frontend2_control(struct frontend2 *frontend, uint32_t place, struct setup_packet setup,
			   void *data, uint32_t *actual);

/* An operation on a port. */
uint32_t frontend2_operate(struct frontend2 *frontend, uint8_t operation, uint8_t port);

/* Port and address of a device. */
static inline uint32_t place_of(uint8_t port, uint8_t address)
{
	return (uint32_t)address << 8 | port;
}

/* SET_ADDRESS and SET_CONFIGURATION. Returns the place. */
uint32_t frontend2_configure(struct frontend2 *frontend, uint8_t port, uint8_t address,
			     uint8_t configuration);

/*
 * Plugs a loopback device into port 1 and has it configured, with a setting of its interface other
 * than 0 where there is to be one. Returns its place, as frontend2_configure() does.
 */
uint32_t frontend2_plug_loopback(struct frontend2 *frontend, uint8_t configuration,
				 uint8_t altsetting);

#endif
