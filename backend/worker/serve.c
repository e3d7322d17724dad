// SPDX-License-Identifier: MIT
/*
 * A worker serves the controller of one guest. It lives in three stages:
 *
 *   init     opens devices of the system and libraries; knows of no guest yet. Then it gives up
 *            its privileges and its view of the system (isolate.c)
 *   connect  the broker says which guest; its rings are mapped; threads are started. Then it gives
 *            up all system calls that it does not need
 *   serve    one loop, which alone looks at what the guest wrote; opens nothing any more, and
 *            allocates nothing
 *
 * Where the broker's first message says DESCRIBE, this process is no worker at all, but a
 * describer: describe.c tells of its life.
 *
 * A guest that breaks the protocol ends its worker: the broker is told why. When the broker goes,
 * the worker ends what is under way and exits.
 */
#include "serve.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>

#include "broker_link.h"
#include "buffer.h"
#include "capture.h"
#include "connection.h"
#include "counted.h"
#include "describe.h"
#include "port.h"

/* How long devices have to let go of their transfers once the broker is gone. */
#define ENDING_MS 1000

static struct worker the_worker;

static int init_stage(struct worker *worker, int broker)
{
	int error;

	signal(SIGPIPE, SIG_IGN);
	worker->loop.epoll = -1;
	worker->broker = broker;
	if (fcntl(worker->broker, F_SETFD, FD_CLOEXEC) < 0) {
		log_line(LOG_LEVEL_ERROR, "descriptor %d is not open: xvhcd starts this program",
			 broker);
		return -errno;
	}
	error = loop_init(&worker->loop);
	if (error == 0)
		error = worker->transport->open();
	if (error == 0)
		error = worker->source->init(&worker->loop, &port_source_calls);
	if (error == 0 && worker->isolation)
		error = worker->isolation->confine();
	if (error < 0)
		broker_link_failed(worker, XVHC_ELIMIT, "the worker cannot start");
	return error;
}

static int connect_stage(struct worker *worker)
{
	const char *problem = "the broker did not say CONNECT";
	struct message message;
	struct message_fds fds = {.count = 0};
	uint32_t i;
	int error;

	counted_init(worker);
	error = broker_link_wait(worker, &message, &fds);
	if (error != XVHC_OK)
		goto fail;
	error = counted_open(worker, &message.u.connect, &fds);
	if (error != XVHC_OK) {
		problem = "the broker's page of counters cannot be used";
		goto fail;
	}
	worker->domid = message.u.connect.domid;
	worker->ports = message.u.connect.ports;
	log_prefix("guest %u", worker->domid);
	for (i = 0; i < USBIF_PORT_MAX; i++)
		port_init(&worker->port[i], worker, i + 1);
	if (worker->source->start(worker->ports) < 0) {
		problem = "the worker cannot start its threads";
		error = XVHC_ELIMIT;
		goto fail;
	}
	error = connection_open(worker, &message.u.connect, &fds, &problem);
	if (error != XVHC_OK)
		goto fail;
	if (loop_add(&worker->loop, worker->broker, EPOLLIN, LOOP_BROKER) < 0) {
		problem = "the worker cannot wait for the broker";
		error = XVHC_ELIMIT;
		goto fail;
	}
	if (worker->isolation && worker->isolation->filter() < 0) {
		problem = "the worker cannot isolate itself";
		error = XVHC_ELIMIT;
		goto fail;
	}
	message_fds_close(&fds);
	broker_link_connected(worker);
	return XVHC_OK;
fail:
	message_fds_close(&fds);
	log_line(LOG_LEVEL_ERROR, "%s", problem);
	broker_link_failed(worker, error, problem);
	return error;
}

static void handle_source(struct worker *worker)
{
	worker->source->handle_events();
}

static void handle_operations(struct worker *worker)
{
	worker->source->handle_operations();
}

static void (*const handlers[LOOP_DEVICES])(struct worker *worker) = {
	[LOOP_BROKER] = broker_link_handle,
	[LOOP_GUEST] = connection_accept,
	[LOOP_SOURCE] = handle_source,
	[LOOP_OPERATIONS] = handle_operations,
};

/* ready: a set of 1 << enum loop_kind. */
static void handle(struct worker *worker, uint64_t ready)
{
	uint32_t kind;

	for (kind = 0; ready != 0; kind++, ready >>= 1) {
		if ((ready & 1) == 0)
			continue;
		if (kind < LOOP_DEVICES)
			handlers[kind](worker);
		else
			worker->source->handle_device(kind - LOOP_DEVICES);
	}
}

static int shorter(int timeout_ms, int other_ms)
{
	if (other_ms < 0)
		return timeout_ms;
	return timeout_ms < 0 || other_ms < timeout_ms ? other_ms : timeout_ms;
}

static int one_round(struct worker *worker, int timeout_ms)
{
	int error;

	if (worker->quota.too_soon)
		timeout_ms = shorter(timeout_ms, quota_wait_ms(&worker->quota, loop_now_ms()));
	timeout_ms = shorter(timeout_ms, broker_link_wait_ms(worker));
	counter_add(&worker->counters->connection.rounds, 1);
	handle(worker, loop_wait(&worker->loop, worker->connection.more ? 0 : timeout_ms));
	if (worker->quota.waiting)
		ports_advance(worker);
	error = connection_serve(worker);
	if (error == XVHC_OK)
		error = connection_flush(worker);
	broker_link_flush(worker);
	return error;
}

static bool all_empty(const struct worker *worker)
{
	uint32_t i;

	for (i = 0; i < worker->ports; i++) {
		if (worker->port[i].phase != PHASE_EMPTY)
			return false;
	}
	return true;
}

/* What is left open after that time is ended by the kernel when the process exits. */
void serve_end(struct worker *worker)
{
	int64_t until = (int64_t)loop_now_ms() + ENDING_MS, left;
	uint32_t i;

	loop_remove(&worker->loop, worker->broker);
	for (i = 0; i < worker->ports; i++) {
		port_close(&worker->port[i]);
		port_advance(&worker->port[i]);
	}
	for (left = ENDING_MS; left > 0 && !all_empty(worker);
	     left = until - (int64_t)loop_now_ms()) {
		if (one_round(worker, (int)left) != XVHC_OK)
			return;
	}
}

int serve_begin(struct worker *worker, int broker)
{
	if (init_stage(worker, broker) < 0)
		return -1;
	return connect_stage(worker) == XVHC_OK ? 0 : -1;
}

static void tell_counts(struct worker *worker)
{
	const struct counters_connection *counts = &worker->counters->connection;

	captures_end(worker);
	log_line(LOG_LEVEL_INFO, "%" PRIu64 " requests, %" PRIu64 " of them refused",
		 counts->requests, counts->refused);
	log_line(LOG_LEVEL_INFO,
		 "%" PRIu64 " with data in the pool; %" PRIu64 " copies, %" PRIu64
		 " rounds; notified %" PRIu64 " times, and the guest %" PRIu64 " times",
		 counts->pooled, counts->copies, counts->rounds, counts->woken, counts->notified);
}

int serve_round(struct worker *worker, int timeout_ms)
{
	int error = one_round(worker, timeout_ms);

	if (error != XVHC_OK) {
		log_line(LOG_LEVEL_ERROR, "connection closed: %s", worker->connection.fault);
		tell_counts(worker);
		/* The broker kills us as soon as it has read that. */
		broker_link_failed(worker, XVHC_EPROTO, worker->connection.fault);
	}
	return error;
}

void serve_release(struct worker *worker)
{
	captures_end(worker);
	loop_fini(&worker->loop);
	buffer_wipe();
	counted_close(worker);
	memset(worker, 0, sizeof(*worker));
}

int serve(const struct transport_ops *transport, const struct source_ops *source,
	  const struct isolation *isolation)
{
	struct worker *worker = &the_worker;

	worker->transport = transport;
	worker->source = source;
	worker->isolation = isolation;
	if (describe_is_wanted(BROKER_LINK_FD))
		return describe(BROKER_LINK_FD, isolation);
	if (serve_begin(worker, BROKER_LINK_FD) < 0)
		return 1;
	while (!worker->ending) {
		if (serve_round(worker, -1) != XVHC_OK)
			return 1;
	}
	serve_end(worker);
	tell_counts(worker);
	return 0;
}
