// SPDX-License-Identifier: MIT
/*
 * Which version of the wire a guest and the broker agree on. The worker is this very program,
 * started again under the worker's name: it says CONNECTED only where it was told what it should be
 * told.
 */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <broker/broker.h>
#include <broker/controller_nodes.h>
#include <broker/given.h>
#include <common/message_io.h>

#include "broker_fixture.h"

/* Event channel numbers, by which the worker knows what to expect. */
#define EXPECTS_VERSION_1 10u
#define EXPECTS_ORDER 20u /* and up: version 2 with a ring of this order */

#define URB_REF 8u
#define CONN_REF 9u
#define HEAD_REF 4294967295u
#define RING_REF(page) (700u - 3u * (page))
#define POOL_REF(page) (900u - 5u * (page))

static uint32_t pool_pages_of(uint32_t order)
{
	static const uint32_t pages[] = {0, 1025, XVHC_POOL_PAGES_MAX};

	return pages[order];
}

static bool as_expected(const struct message_connect *connect)
{
	uint32_t order = connect->event_channel - EXPECTS_ORDER, i;

	if (connect->event_channel == EXPECTS_VERSION_1)
		return connect->version == 1 && connect->ring_pages == 1 &&
		       connect->ring_ref[0] == URB_REF && connect->event_ref == CONN_REF;
	if (connect->version != 2 || order > 2 || connect->ring_pages != 1u << order ||
	    connect->event_ref != HEAD_REF || connect->bytes_max < XVHC_WORKER_BYTES_MIN_2)
		return false;
	for (i = 0; i < connect->ring_pages; i++) {
		if (connect->ring_ref[i] != RING_REF(i))
			return false;
	}
	/* As publish_pool() has it: a pool of another size for each order, or none. */
	if (connect->pool_pages != pool_pages_of(order))
		return false;
	for (i = 0; i < (connect->pool_pages + 1023) / 1024; i++) {
		if (connect->pool_ref[i] != POOL_REF(i))
			return false;
	}
	return true;
}

static int worker_main(void)
{
	struct pollfd poll_socket = {.fd = 3, .events = POLLIN};
	struct message message, answer = {.type = MESSAGE_FAILED};
	struct message_fds fds;

	for (;;) {
		poll(&poll_socket, 1, -1);
		if (message_receive(3, &message, &fds) != 1)
			return 0;
		if (message.type == MESSAGE_CONNECT && as_expected(&message.u.connect))
			answer.type = MESSAGE_CONNECTED;
		if (message.type == MESSAGE_CONNECT && message_send(3, &answer, NULL) != 0)
			return 3;
		message_fds_close(&fds);
	}
}

static void fake_job_run(struct job *job, const struct job_paths *paths)
{
	(void)paths;
	job_run_claims(job);
}

/* The order in which the backend's nodes are written. */
static const struct xenstore_ops *real_ops;
static uint32_t writes, written_version, written_order, written_pool, written_ready;

static int write_and_note(struct xenstore *store, uint32_t transaction, const char *path,
			  const char *value)
{
	writes++;
	if (strcmp(path, BACKEND "/max-wire-version") == 0)
		written_version = writes;
	if (strcmp(path, BACKEND "/max-ring-page-order") == 0)
		written_order = writes;
	if (strcmp(path, BACKEND "/max-pool-pages") == 0)
		written_pool = writes;
	if (strcmp(path, BACKEND "/state") == 0 && strcmp(value, "2") == 0)
		written_ready = writes;
	return real_ops->write(store, transaction, path, value);
}

/* A broker with a port that is given to a guest that runs. */
static int setup(void **state)
{
	static struct xenstore_ops ops;
	struct fixture *fixture = fixture_new(fake_job_run);

	real_ops = fixture->store->ops;
	ops = *real_ops;
	ops.write = write_and_note;
	fixture->store->ops = &ops;
	writes = written_version = written_order = written_ready = 0;
	*state = fixture;
	start_with_given(fixture);
	return 0;
}

static void set(struct fixture *fixture, const char *name, uint32_t value)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", value);
	memory_store_set(fixture->store, text, FRONTEND "/%s", name);
}

static void publish_version_1(struct fixture *fixture)
{
	set(fixture, "urb-ring-ref", URB_REF);
	set(fixture, "conn-ring-ref", CONN_REF);
	set(fixture, "event-channel", EXPECTS_VERSION_1);
}

static void publish_version_2(struct fixture *fixture, uint32_t order)
{
	char name[24];
	uint32_t i;

	set(fixture, "wire-version", 2);
	set(fixture, "ring-page-order", order);
	for (i = 0; i < 1u << order; i++) {
		snprintf(name, sizeof(name), "ring-ref%u", i);
		set(fixture, name, RING_REF(i));
	}
	set(fixture, "head-ref", HEAD_REF);
	set(fixture, "event-channel", EXPECTS_ORDER + order);
}

/* Order 0: a frontend that says nothing of a pool. */
static void publish_pool(struct fixture *fixture, uint32_t order)
{
	char name[24];
	uint32_t i;

	if (order == 0)
		return;
	set(fixture, "pool-pages", pool_pages_of(order));
	for (i = 0; i < (pool_pages_of(order) + 1023) / 1024; i++) {
		snprintf(name, sizeof(name), "pool-ref%u", i);
		set(fixture, name, POOL_REF(i));
	}
}

static void what_is_offered_is_there_before_the_backend_is_ready(void **state)
{
	struct fixture *fixture = *state;

	until_node(fixture, BACKEND "/state", "2");
	assert_string_equal(memory_store_get(fixture->store, BACKEND "/max-wire-version"), "2");
	assert_string_equal(memory_store_get(fixture->store, BACKEND "/max-ring-page-order"), "2");
	assert_string_equal(memory_store_get(fixture->store, BACKEND "/max-pool-pages"), "4096");
	assert_true(written_pool > 0 && written_pool < written_ready);
	assert_true(written_version > 0 && written_version < written_ready);
	assert_true(written_order > 0 && written_order < written_ready);
}

static void frontend_that_says_nothing_speaks_version_1(void **state)
{
	struct fixture *fixture = *state;

	until_node(fixture, BACKEND "/state", "2");
	publish_version_1(fixture);
	set(fixture, "state", 4);
	until_node(fixture, BACKEND "/state", "4");
}

static void frontend_may_ask_for_version_1(void **state)
{
	struct fixture *fixture = *state;

	until_node(fixture, BACKEND "/state", "2");
	publish_version_1(fixture);
	set(fixture, "wire-version", 1);
	set(fixture, "state", 4);
	until_node(fixture, BACKEND "/state", "4");
}

static void rings_of_each_order_and_a_pool_come_to_the_worker(void **state)
{
	struct fixture *fixture = *state;
	uint32_t order;

	for (order = 0; order <= 2; order++) {
		until_node(fixture, BACKEND "/state", "2");
		publish_version_2(fixture, order);
		publish_pool(fixture, order);
		/* What version 1 would ask for is not looked at. */
		memory_store_set(fixture->store, "sparc-abi", FRONTEND "/protocol");
		set(fixture, "state", 3);
		until_node(fixture, BACKEND "/state", "4");
		set(fixture, "state", 6);
		until_node(fixture, BACKEND "/state", "6");
		set(fixture, "state", 1);
	}
}

/* What the frontend writes instead, and what the user is told. */
static const struct {
	const char *node, *value, *sentence;
} no_good[] = {
	{"wire-version", "0", "its wire-version is not what max-wire-version allows"},
	{"wire-version", "3", "its wire-version is not what max-wire-version allows"},
	{"wire-version", "two", "its wire-version is not what max-wire-version allows"},
	{"wire-version", "", "its wire-version is not what max-wire-version allows"},
	{"ring-page-order", "3", "its ring-page-order is not what max-ring-page-order allows"},
	{"ring-page-order", "-1", "its ring-page-order is not what max-ring-page-order allows"},
	{"ring-page-order", NULL, "its ring-page-order is not what max-ring-page-order allows"},
	{"head-ref", "4294967296", "its head-ref is no grant reference"},
	{"head-ref", NULL, "its head-ref is no grant reference"},
	{"ring-ref0", NULL, "a ring-ref of it is no grant reference"},
	{"ring-ref1", "0x10", "a ring-ref of it is no grant reference"},
	{"event-channel", NULL, "its event-channel is no event channel"},
	{"pool-pages", "4097", "its pool-pages is not what max-pool-pages allows"},
	{"pool-pages", "-1", "its pool-pages is not what max-pool-pages allows"},
	{"pool-pages", "", "its pool-pages is not what max-pool-pages allows"},
	{"pool-ref0", NULL, "a pool-ref of it is no grant reference"},
	{"pool-ref1", "x", "a pool-ref of it is no grant reference"},
};

static void what_cannot_be_is_refused_with_a_sentence(void **state)
{
	struct fixture *fixture = *state;
	struct controller *controller;
	struct frontend_offer offer;
	const char *fault;
	size_t i;

	until_node(fixture, BACKEND "/state", "2");
	controller = fixture->broker.controllers[0];
	for (i = 0; i < sizeof(no_good) / sizeof(no_good[0]); i++) {
		publish_version_2(fixture, 1);
		publish_pool(fixture, 1);
		assert_null(frontend_read(&fixture->broker, controller, &offer));
		memory_store_set(fixture->store, no_good[i].value, FRONTEND "/%s", no_good[i].node);
		fault = frontend_read(&fixture->broker, controller, &offer);
		if (!fault || strcmp(fault, no_good[i].sentence) != 0)
			fail_msg("%s = %s: %s", no_good[i].node, no_good[i].value,
				 fault ? fault : "accepted");
	}
}

static void frontend_of_a_version_that_there_is_not_is_closed(void **state)
{
	struct fixture *fixture = *state;
	char text[IN_USE_TEXT_MAX];

	until_node(fixture, BACKEND "/state", "2");
	publish_version_2(fixture, 0);
	set(fixture, "wire-version", 3);
	set(fixture, "state", 3);
	until_node(fixture, BACKEND "/state", "5");
	given_state_text(&fixture->broker, fixture->broker.given, text, sizeof(text));
	assert_non_null(strstr(text, "refused"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_offered_is_there_before_the_backend_is_ready),
		TEST(frontend_that_says_nothing_speaks_version_1),
		TEST(frontend_may_ask_for_version_1),
		TEST(rings_of_each_order_and_a_pool_come_to_the_worker),
		TEST(what_cannot_be_is_refused_with_a_sentence),
		TEST(frontend_of_a_version_that_there_is_not_is_closed),
	};

	if (argc > 0 && strcmp(argv[0], "xvhcd-worker") == 0)
		return worker_main();
	log_init("xvhcd", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
