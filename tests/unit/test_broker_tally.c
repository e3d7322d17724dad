// SPDX-License-Identifier: MIT
/*
 * Figures of ports over the lives of workers. The workers are this very program, started again
 * under the worker's name; each counts something as it connects, and something for each device.
 */
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include <broker/broker.h>
#include <broker/given.h>
#include <common/message_io.h>
#include <transfer.h>

#include "broker_fixture.h"

/* Event channel numbers, with which a test tells the worker how to behave. */
enum worker_manner {
	WORKER_COUNTS = 10,
	WORKER_LIES,  /* writes the largest numbers there are */
	WORKER_GROWS, /* tries to make the page another size, and its broker pay or fall over it */
};

#define REQUESTS 7u
#define TRANSFERS 10u /* of each device that it gets */
#define BYTES 5120u

static void worker_grow(int fd, struct counters *page)
{
	bool kept = ftruncate(fd, 1 << 20) != 0 && ftruncate(fd, 0) != 0 &&
		    fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) != 0;

	counter_add(&page->connection.requests, kept ? 1 : 2);
}

static struct counters *worker_connect(const struct message *message, struct message_fds *fds)
{
	struct counters *page;

	if (message->u.connect.counters != 1 || fds->count != 1)
		_exit(5);
	page = mmap(NULL, COUNTERS_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fds->fd[0], 0);
	if (page == MAP_FAILED)
		_exit(6);
	if (message->u.connect.event_channel == WORKER_COUNTS)
		counter_add(&page->connection.requests, REQUESTS);
	else if (message->u.connect.event_channel == WORKER_LIES)
		memset(page, 0xff, sizeof(*page));
	else
		worker_grow(fds->fd[0], page);
	worker_say(MESSAGE_CONNECTED, 0, 0);
	return page;
}

static void worker_attach(struct counters *page, uint32_t port)
{
	struct counters_port *counters = &page->port[port - 1];

	counter_add(&counters->sums.transfers[TRANSFER_BULK][1], TRANSFERS);
	counter_add(&counters->sums.bytes[TRANSFER_BULK][1], BYTES);
	counter_add(&counters->in_flight, 1);
	worker_say(MESSAGE_PORT_STATE, port, PORT_CONFIGURED);
}

static int worker_main(void)
{
	struct pollfd poll_socket = {.fd = 3, .events = POLLIN};
	struct counters *page = NULL;
	struct message message;
	struct message_fds fds;

	for (;;) {
		poll(&poll_socket, 1, -1);
		if (message_receive(3, &message, &fds) != 1)
			return 0;
		if (message.type == MESSAGE_CONNECT)
			page = worker_connect(&message, &fds);
		else if (message.type == MESSAGE_DESCRIBE)
			worker_describe_stick();
		else if (message.type == MESSAGE_ATTACH)
			worker_attach(page, message.u.attach.port);
		else if (message.type == MESSAGE_DETACH)
			worker_say(MESSAGE_DETACHED, message.u.port.port, 0);
		message_fds_close(&fds);
	}
}

static void fake_job_run(struct job *job, const struct job_paths *paths)
{
	(void)paths;
	job_run_claims(job);
	if (job->type == JOB_OPEN)
		job->fd = open("/dev/zero", O_RDWR | O_CLOEXEC);
}

static int setup(void **state)
{
	*state = fixture_new(fake_job_run);
	return 0;
}

/* Connects the guest to a worker of this manner, and lets it have what is in port 1-1. */
static void connect_guest(struct fixture *fixture, enum worker_manner manner)
{
	until_node(fixture, BACKEND "/state", "2");
	memory_store_set(fixture->store, "1", FRONTEND "/feature-reconnect");
	frontend_publishes(fixture, FRONTEND, manner);
	until_given_is(fixture, "configured");
}

static void start_connected(struct fixture *fixture, enum worker_manner manner)
{
	start_with_given(fixture);
	plug(fixture, "1-1", 5);
	connect_guest(fixture, manner);
}

static struct counters_port figures(struct fixture *fixture)
{
	struct counters_port port;

	tally_port(&fixture->broker, fixture->broker.given, &port);
	return port;
}

static uint64_t transfers(struct fixture *fixture)
{
	return figures(fixture).sums.transfers[TRANSFER_BULK][1];
}

static uint64_t requests(struct fixture *fixture)
{
	struct counters_connection connection;

	tally_controller(&fixture->broker, fixture->broker.controllers[0], &connection);
	return connection.requests;
}

/* Ends the worker as a crash would, and waits for the broker to ask the guest to close. */
static void kill_worker(struct fixture *fixture)
{
	kill(fixture->broker.controllers[0]->worker->pid, SIGKILL);
	until_node(fixture, BACKEND "/state", "5");
	memory_store_set(fixture->store, "6", FRONTEND "/state");
}

static void a_workers_figures_are_read(void **state)
{
	struct fixture *fixture = *state;

	start_connected(fixture, WORKER_COUNTS);
	assert_int_equal(transfers(fixture), TRANSFERS);
	assert_int_equal(figures(fixture).sums.bytes[TRANSFER_BULK][1], BYTES);
	assert_int_equal(figures(fixture).sums.transfers[TRANSFER_BULK][0], 0);
	assert_int_equal(figures(fixture).in_flight, 1);
	assert_int_equal(requests(fixture), REQUESTS);
	assert_int_equal(fixture->broker.controllers[0]->failures, 0);
	until_answered(fixture, "{\"command\": \"counters\"}", "\"bulk\":{\"in\":10,\"out\":0}");
	until_answered(fixture, "{\"command\": \"counters\"}", "\"requests\":7,");
	until_answered(fixture, "{\"command\": \"show\", \"port\": \"1-1\"}",
		       "\"phase\":\"connected\",\"wire\":{\"version\":1,\"ring-pages\":1,"
		       "\"pool-pages\":0,\"transfers-in-flight\":16,\"bytes-in-flight\":1048576,"
		       "\"control-per-second\":2000},\"worker\":{\"pid\":");
	until_answered(fixture, "{\"command\": \"show\", \"port\": \"1-1\"}",
		       "\"connections\":1,\"failures\":0,");
	until_answered(
		fixture, "{\"command\": \"show\", \"port\": \"1-1\"}",
		"\"bytes\":{\"control\":{\"in\":0,\"out\":0},\"isochronous\":{\"in\":0,\"out\""
		":0},\"bulk\":{\"in\":5120,");
}

static void figures_outlast_their_worker(void **state)
{
	struct fixture *fixture = *state;

	start_connected(fixture, WORKER_COUNTS);
	kill_worker(fixture);
	assert_int_equal(transfers(fixture), TRANSFERS);
	assert_int_equal(figures(fixture).in_flight, 0);
	assert_int_equal(requests(fixture), REQUESTS);
	connect_guest(fixture, WORKER_COUNTS);
	assert_int_equal(transfers(fixture), 2 * TRANSFERS);
	assert_int_equal(requests(fixture), 2 * REQUESTS);
	assert_int_equal(fixture->broker.controllers[0]->connections, 2);
	assert_int_equal(fixture->broker.controllers[0]->failures, 1);
}

/* The number of its controller may have been another port's before, with the same worker. */
static void a_port_that_is_given_begins_at_zero(void **state)
{
	struct fixture *fixture = *state;
	uint32_t number;

	fake_file(&fixture->sysfs, PLACE " web\npci-" PCI "/hs-2 web\n", "ports.conf");
	memory_store_guest(fixture->store, GUEST, "web");
	start(fixture);
	plug(fixture, "1-1", 5);
	connect_guest(fixture, WORKER_COUNTS);
	number = fixture->broker.given->port;
	until_answered(fixture, "{\"command\": \"take\", \"port\": \"1-1\"}", "taken from web");
	until_answered(fixture, "{\"command\": \"give\", \"port\": \"1-3\", \"guest\": \"web\"}",
		       "is given to web");
	until_state_is(fixture, &fixture->broker.given->next, "ready, empty");
	assert_int_equal(fixture->broker.given->next->port, number);
	assert_string_equal(fixture->broker.given->next->guest, "web");
	until_answered(fixture, "{\"command\": \"show\", \"port\": \"1-3\"}",
		       "\"bulk\":{\"in\":0,\"out\":0}");
	plug(fixture, "1-3", 6);
	until_state_is(fixture, &fixture->broker.given->next, "configured");
	until_answered(fixture, "{\"command\": \"show\", \"port\": \"1-3\"}",
		       "\"bulk\":{\"in\":10,\"out\":0}");
}

static void a_worker_that_lies_does_no_harm(void **state)
{
	struct fixture *fixture = *state;

	start_connected(fixture, WORKER_LIES);
	assert_int_equal(requests(fixture), UINT64_MAX);
	assert_int_equal(figures(fixture).sums.resets, UINT64_MAX);
	until_answered(fixture, "{\"command\": \"counters\"}", "18446744073709551615");
	kill_worker(fixture);
	connect_guest(fixture, WORKER_COUNTS);
	assert_int_equal(requests(fixture), UINT64_MAX);
	assert_int_equal(figures(fixture).sums.resets, UINT64_MAX);
}

static void the_page_keeps_its_size(void **state)
{
	struct fixture *fixture = *state;

	start_connected(fixture, WORKER_GROWS);
	assert_int_equal(requests(fixture), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(a_workers_figures_are_read),
		TEST(figures_outlast_their_worker),
		TEST(a_port_that_is_given_begins_at_zero),
		TEST(a_worker_that_lies_does_no_harm),
		TEST(the_page_keeps_its_size),
	};

	if (argc > 0 && strcmp(argv[0], "xvhcd-worker") == 0)
		return worker_main();
	log_init("xvhcd", LOG_LEVEL_DEBUG);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
