// SPDX-License-Identifier: MIT
/*
 * A worker is started again and again with the same guest memory: after its guest was destroyed,
 * after it was killed, after it closed the connection on a guest that broke the protocol.
 *
 * Every DRAIN_STEPS steps the world comes to rest: devices end what they have, and then no request
 * may be without an answer, and the guest must see the devices that there are.
 */
#include "world.h"

#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <common/message_io.h>
#include <worker/serve.h>

#include "device.h"
#include "guest.h"
#include "kind.h"
#include "memory.h"

#define DRAIN_STEPS 400u
#define DRAIN_ROUNDS 300u

static struct worker worker;
static int memfd = -1, broker = -1, worker_side = -1, to_worker = -1, from_worker = -1;
static uint32_t steps_to_drain;
static uint64_t instances; /* a number for each device */

/* The broker's view of a port. */
static struct {
	bool attached; /* ATTACH was sent, DETACHED has not come */
	bool detaching;
	bool gone;
	uint32_t kind;
} ports[SIM_PORTS + 1];

/*
 * Each worker has its own. Bytes are set from within: the least that a broker may ask for is more
 * than this guest's memory. A rate of control requests would depend on the time of day.
 */
static void set_quotas(void)
{
	worker.quota.transfers_max = random_one_in(2) ? 0 : XVHC_TRANSFERS_IN_FLIGHT_MIN;
	worker.quota.bytes_max = random_one_in(2) ? 0 : TRANSFER_LENGTH_MAX;
	device_quota(worker.quota.transfers_max, worker.quota.bytes_max);
}

static void start(void)
{
	struct message message = {
		.type = MESSAGE_CONNECT,
		.u.connect =
			{
				.transport = TRANSPORT_MEMFD,
				.domid = 7,
				.ports = SIM_PORTS,
				.version = sim_version,
				.ring_pages = 1,
				.ring_ref = {MEMORY_URB_PAGE},
				.event_ref = MEMORY_CONN_PAGE,
			},
	};
	struct message_connect *connect = &message.u.connect;
	struct message_fds fds = {.count = 3};
	uint32_t i;
	int pair[2];

	for (i = 0; i <= SIM_PORTS; i++)
		ports[i].attached = ports[i].detaching = ports[i].gone = false;
	connect->ring_pages = guest_start();
	if (sim_version == 2) {
		connect->event_ref = MEMORY_HEAD_PAGE;
		for (i = 0; i < connect->ring_pages; i++)
			connect->ring_ref[i] = MEMORY_RING_PAGE + i;
		connect->pool_pages = MEMORY_DATA_PAGES;
		connect->pool_ref[0] = MEMORY_DIRECTORY_PAGE;
	}
	SIM_CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0, "socketpair");
	broker = pair[0];
	worker_side = pair[1];
	to_worker = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	from_worker = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	fds.fd[0] = memfd;
	fds.fd[1] = to_worker;
	fds.fd[2] = from_worker;
	SIM_CHECK(message_send(broker, &message, &fds) == 0, "cannot send CONNECT");
	worker.transport = &transport_memfd;
	worker.source = &sim_source;
	SIM_CHECK(serve_begin(&worker, worker_side) == 0, "the worker does not connect");
	set_quotas();
}

/* The worker is gone, as a process would be. */
static void stop(void)
{
	serve_release(&worker);
	device_forget();
	transport_memfd_disconnect();
	close(to_worker);
	close(from_worker);
	close(worker_side);
	if (broker >= 0)
		close(broker);
	broker = -1;
}

/* What the worker says to the broker. */

static void hear_one(const struct message *message)
{
	uint32_t port = message->u.port.port;

	switch (message->type) {
	case MESSAGE_CONNECTED:
		return;
	case MESSAGE_DETACHED:
		SIM_CHECK(port >= 1 && port <= SIM_PORTS && ports[port].attached,
			  "DETACHED of port %u, which has no device", port);
		SIM_CHECK(!device_is_open(port), "DETACHED of port %u, which is open", port);
		ports[port].attached = ports[port].detaching = false;
		return;
	case MESSAGE_PORT_STATE:
		SIM_CHECK(port >= 1 && port <= SIM_PORTS && ports[port].attached &&
				  message->u.port.state >= PORT_ATTACHED &&
				  message->u.port.state <= PORT_CONFIGURED,
			  "PORT_STATE %u of port %u", message->u.port.state, port);
		return;
	case MESSAGE_PORT_EVENT:
		SIM_CHECK(port >= 1 && port <= SIM_PORTS && ports[port].attached &&
				  message->u.port_event.event < PORT_EVENTS &&
				  message->u.port_event.count > 0,
			  "PORT_EVENT %u of port %u", message->u.port_event.event, port);
		return;
	default:
		sim_fail("the worker says %u to the broker", message->type);
	}
}

static void hear(void)
{
	struct message message;
	struct message_fds fds;

	while (message_receive(broker, &message, &fds) > 0) {
		SIM_CHECK(fds.count == 0, "the worker sends descriptors");
		hear_one(&message);
	}
}

static void listen_to_worker(void)
{
	uint64_t count;
	bool notified = read(from_worker, &count, sizeof(count)) == sizeof(count);

	guest_take(notified);
	/* A broker may be slow. */
	if (random_one_in(4))
		hear();
	SIM_CHECK(device_transfers() <= SIM_REQUESTS, "more transfers than requests");
	guest_check();
}

static void publish(bool needlessly)
{
	uint64_t one = 1;

	if (guest_push() || needlessly)
		SIM_CHECK(write(to_worker, &one, sizeof(one)) == sizeof(one), "eventfd");
}

static void round_of_worker(bool needlessly)
{
	publish(needlessly);
	SIM_CHECK(serve_round(&worker, 0) == XVHC_OK, "the worker closed the connection");
	listen_to_worker();
}

/* Events. */

static void plug(void)
{
	uint32_t port = 1 + random_below(SIM_PORTS);
	struct message message = {.type = MESSAGE_ATTACH};
	bool super;

	if (ports[port].attached)
		return;
	message.u.attach.port = port;
	message.u.attach.model =
		random_one_in(4) ? 1 + random_below(KINDS - 1) : 1 + random_below(KIND_SUPER_SPEED);
	super = message.u.attach.model == KIND_SUPER_SPEED ||
		(message.u.attach.model == KIND_GARBAGE && random_one_in(2));
	message.u.attach.speed = super ? USB_SPEED_SUPER : 1 + random_below(USB_SPEED_HIGH);
	instances += random_u64() >> 16 | 1;
	message.u.attach.instance[0] = (uint32_t)instances;
	message.u.attach.instance[1] = (uint32_t)(instances >> 32);
	SIM_CHECK(message_send(broker, &message, NULL) == 0, "cannot send ATTACH");
	ports[port].attached = true;
	ports[port].gone = false;
	ports[port].kind = message.u.attach.model;
	guest_device_given(port, &message.u.attach);
}

static void take_back(void)
{
	uint32_t port = 1 + random_below(SIM_PORTS);
	struct message message = {.type = MESSAGE_DETACH};

	if (ports[port].detaching || (!ports[port].attached && !random_one_in(8)))
		return;
	message.u.port.port = port;
	SIM_CHECK(message_send(broker, &message, NULL) == 0, "cannot send DETACH");
	ports[port].detaching = ports[port].attached;
	guest_device_lost(port);
}

static void unplug(void)
{
	uint32_t port = 1 + random_below(SIM_PORTS);

	if (!device_is_open(port))
		return;
	ports[port].gone = true;
	guest_device_lost(port);
	device_vanish(port);
}

static void submit(void)
{
	uint32_t count;

	for (count = 1 + random_below(3); count > 0; count--)
		(void)guest_submit();
}

static void cancel(void)
{
	(void)guest_cancel();
}

static void noise(void)
{
	(void)guest_noise();
}

static void post_events(void)
{
	guest_post_events(random_below(4));
}

static void finish_transfer(void)
{
	uint32_t count;

	for (count = 1 + random_below(3); count > 0; count--)
		(void)device_finish_transfer(false);
}

static void finish_cancelled(void)
{
	(void)device_finish_transfer(true);
}

static void finish_operation(void)
{
	(void)device_finish_operation();
}

static void wake_up(void)
{
	(void)device_wake_up();
}

static void nothing(void)
{
}

static void worker_dies(void)
{
	stop();
	guest_check();
	start();
}

static void guest_dies(void)
{
	uint32_t port;

	for (port = 1; port <= SIM_PORTS; port++)
		guest_device_lost(port);
	close(broker);
	broker = -1;
	while (!worker.ending) {
		publish(false);
		SIM_CHECK(serve_round(&worker, 0) == XVHC_OK, "the worker closed the connection");
	}
	device_calm(true);
	serve_end(&worker);
	guest_take(true);
	SIM_CHECK(device_transfers() == 0, "transfers are under way after the end");
	for (port = 1; port <= SIM_PORTS; port++)
		SIM_CHECK(!device_is_open(port), "port %u is open after the end", port);
	worker_dies();
}

static void break_protocol(void)
{
	uint64_t one = 1;
	int error = XVHC_OK, rounds;

	guest_break_protocol();
	SIM_CHECK(write(to_worker, &one, sizeof(one)) == sizeof(one), "eventfd");
	for (rounds = 0; rounds < 3 && error == XVHC_OK; rounds++)
		error = serve_round(&worker, 0);
	SIM_CHECK(error == XVHC_EPROTO, "the worker goes on after a breach of the protocol");
	guest_take(true);
	/* What it did in its last round, it had no more time to tell. */
	guest_accept_open();
	worker_dies();
}

/* Everything comes to rest. */
static void drain(void)
{
	uint32_t rounds, port;

	device_calm(true);
	for (rounds = 0; rounds < DRAIN_ROUNDS; rounds++) {
		guest_post_events(8);
		while (device_finish_transfer(false))
			continue;
		round_of_worker(false);
	}
	hear();
	device_calm(false);
	SIM_CHECK(guest_open_requests() == 0, "%u requests have no answer", guest_open_requests());
	for (port = 1; port <= SIM_PORTS; port++) {
		bool there = ports[port].attached && device_is_open(port);

		SIM_CHECK(there == ports[port].attached && !ports[port].detaching,
			  "port %u: DETACHED has not come", port);
		if (!ports[port].gone && ports[port].kind != KIND_GARBAGE)
			SIM_CHECK(guest_sees(port) == there, "port %u: the guest is told %d", port,
				  guest_sees(port));
	}
}

static const struct {
	const char *name;
	uint32_t weight;
	void (*run)(void);
} events[] = {
	{"submit", 4000, submit},
	{"finish a transfer", 2000, finish_transfer},
	{"finish an operation", 1500, finish_operation},
	{"finish a cancelled transfer", 600, finish_cancelled},
	{"cancel", 300, cancel},
	{"noise", 30, noise},
	{"room for events", 400, post_events},
	{"write elsewhere", 100, guest_write_elsewhere},
	{"plug", 300, plug},
	{"take back", 12, take_back},
	{"unplug", 12, unplug},
	{"wake up", 20, wake_up},
	{"nothing", 100, nothing},
	{"break the protocol", 2, break_protocol},
	{"guest dies", 2, guest_dies},
	{"worker dies", 2, worker_dies},
};

#define EVENTS (sizeof(events) / sizeof(events[0]))

static void (*pick_event(void))(void)
{
	uint32_t sum = 0, at, i;

	for (i = 0; i < EVENTS; i++)
		sum += events[i].weight;
	at = random_below(sum);
	for (i = 0; at >= events[i].weight; i++)
		at -= events[i].weight;
	sim_position.event = events[i].name;
	return events[i].run;
}

void world_begin(void)
{
	memfd = memory_init();
	start();
}

void world_end(void)
{
	drain();
	stop();
	close(memfd);
}

void world_step(void)
{
	pick_event()();
	/* Notifying without being asked for it must do no harm. */
	round_of_worker(random_one_in(16));
	if (++steps_to_drain >= DRAIN_STEPS) {
		steps_to_drain = 0;
		sim_position.event = "come to rest";
		drain();
	}
}
