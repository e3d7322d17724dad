/* SPDX-License-Identifier: MIT */
/*
 * A frontend for tests. It plays the guest, over the memfd transport, and the broker, over its
 * socket, to a worker process that it starts. Each wait has a limit, at which the test fails.
 */
#ifndef XVHC_TESTS_WIRE_FRONTEND_H
#define XVHC_TESTS_WIRE_FRONTEND_H

#include <sys/types.h>

#include <common/message_io.h>
#include <counters.h>
#include <models/model.h>
#include <ring.h>

#define FRONTEND_PAGES 1024u
#define FRONTEND_PORTS 4u

/* Where the rings lie in the guest's memory. */
#define FRONTEND_URB_PAGE 1u
#define FRONTEND_CONN_PAGE 2u

/* A pipe without a port and an address. */
#define PIPE(type, endpoint)                                                                       \
	((uint32_t)USBIF_PIPE_TYPE_##type << USBIF_PIPE_TYPE_SHIFT |                               \
	 (uint32_t)((endpoint)&0x0f) << USBIF_PIPE_ENDPOINT_SHIFT |                                \
	 ((endpoint)&0x80 ? USBIF_PIPE_IN : 0))

struct frontend {
	pid_t worker;
	int broker;
	int to_worker, from_worker; /* eventfds */
	int memfd;
	int counters;    /* memfd with a struct counters */
	uint8_t *memory; /* FRONTEND_PAGES pages */
	struct front_ring urb, conn;
	/* Requests, by id. */
	bool busy[USBIF_URB_RING_SLOTS], done[USBIF_URB_RING_SLOTS];
	struct usbif_urb_response response[USBIF_URB_RING_SLOTS];
	/* By port, from 1. */
	uint8_t speed[USBIF_PORT_MAX + 1]; /* of the last event */
	uint32_t events[USBIF_PORT_MAX + 1];
	uint32_t disconnects[USBIF_PORT_MAX + 1];
	enum port_state state[USBIF_PORT_MAX + 1];
	uint32_t detached[USBIF_PORT_MAX + 1];
	/* What the broker was told that we did: messages, their counts, the last of them. */
	struct told {
		uint32_t messages, count, endpoint, type;
	} told_broker[USBIF_PORT_MAX + 1][PORT_EVENTS];
	bool connected, failed, ended;
	char failure[120];
};

/* Starts a worker and connects to it. */
void frontend_start(struct frontend *frontend);

/* Both as cmocka's fixtures, with the frontend as their state. */
int frontend_setup(void **state);
int frontend_teardown(void **state);

/* A test with a worker of its own. */
#define WIRE_TEST(name) cmocka_unit_test_setup_teardown(name, frontend_setup, frontend_teardown)

/* Starts a worker and lets its CONNECT be made by the caller. */
void frontend_spawn(struct frontend *frontend);
void frontend_connect(struct frontend *frontend, const struct message_connect *connect);

/* What the worker has counted so far. */
struct counters frontend_counters(const struct frontend *frontend);

/* Closes the broker's end, waits for the worker to end, and frees everything. */
void frontend_stop(struct frontend *frontend);

/* Waits for the worker to end because of what we did, and frees everything. */
void frontend_expect_failure(struct frontend *frontend);

/* Empty requests on the connection ring. */
void frontend_post_events(struct frontend *frontend, uint32_t count);

/* Gives a device to a port; with_event waits for the guest to hear of it. */
void frontend_attach(struct frontend *frontend, uint32_t port, uint32_t model,
		     enum usb_speed speed);
void frontend_plug(struct frontend *frontend, uint32_t port, uint32_t model, enum usb_speed speed);
void frontend_detach(struct frontend *frontend, uint32_t port);

/* Gives a device to a port as this message says. */
void frontend_attach_as(struct frontend *frontend, const struct message_attach *attach);

/* Waits for something to happen: an event, a response, a message. */
void frontend_step(struct frontend *frontend);

/* The same without looking into the rings; does not wait where there is more in them. */
void frontend_listen(struct frontend *frontend, bool more);

/* Waits until a condition holds. */
#define frontend_until(frontend, condition)                                                        \
	do {                                                                                       \
		while (!(condition))                                                               \
			frontend_step(frontend);                                                   \
	} while (0)

/* Plugs in a device with ATTACH_... flags, and waits until the guest is told of it. */
void frontend_plug_flags(struct frontend *frontend, uint32_t port, uint32_t model,
			 enum usb_speed speed, uint32_t flags);

/* As frontend_start(), with the quotas of this message. */
void frontend_start_with(struct frontend *frontend, struct message_connect quotas);

/* The data pages of a request, and its packet list. */
uint8_t *frontend_data(struct frontend *frontend, uint32_t id);
struct usbif_isoc_packet *frontend_list(struct frontend *frontend, uint32_t id);

/* Fills in a request with length bytes of data at frontend_data(). Returns its id. */
uint16_t frontend_fill(struct frontend *frontend, struct usbif_urb_request *request, uint32_t pipe,
		       uint32_t length);

/* Notifies the worker, whether it asked for that or not. */
void frontend_notify(struct frontend *frontend);

/* Puts a request on the ring; kick publishes it, and notifies the worker where it asked. */
void frontend_put(struct frontend *frontend, const struct usbif_urb_request *request);
void frontend_kick(struct frontend *frontend);

/* Fills in, puts and kicks. */
uint16_t frontend_submit(struct frontend *frontend, uint32_t pipe, uint32_t length);

/* Waits for a response. Returns its status. */
int frontend_wait(struct frontend *frontend, uint32_t id);

/* A whole transfer: returns the status, and the bytes transferred in *actual (may be NULL). */
int frontend_transfer(struct frontend *frontend, uint32_t pipe, void *data, uint32_t length,
		      uint32_t *actual);

/* port and address as they stand in a pipe. */
static inline uint32_t pipe_place(uint32_t port, uint32_t address)
{
	return port | address << USBIF_PIPE_ADDRESS_SHIFT;
}

struct setup_packet {
	uint8_t request_type, request;
	uint16_t value, index, length;
};

/* A control transfer. */
int frontend_control(struct frontend *frontend, uint32_t place, struct setup_packet setup,
		     void *data, uint32_t *actual);
void frontend_pack_setup(uint8_t bytes[8], const struct setup_packet *setup);

/* SET_ADDRESS and SET_CONFIGURATION. Returns the place. */
uint32_t frontend_configure(struct frontend *frontend, uint32_t port, uint32_t address,
			    uint8_t configuration);

/* Asks for a request to be cancelled. Returns the id of the asking. */
uint16_t frontend_cancel(struct frontend *frontend, uint32_t port, uint16_t id);

#endif
