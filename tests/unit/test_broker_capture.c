// SPDX-License-Identifier: MIT
/*
 * Who may capture, what a worker is told of it and when, and how a capture ends. Workers are this
 * very program, started again under the worker's name: they tell the reader what they were told.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include <broker/broker.h>
#include <broker/stranger_fd.h>
#include <capture_record.h>
#include <common/message_io.h>

#include "broker_fixture.h"

#define CHANNEL 10u
#define CAPTURE_WEB "{\"command\": \"capture\", \"target\": \"web\", \"bytes\": 100}\n"
#define CAPTURE_PORT "{\"command\": \"capture\", \"target\": \"1-2\"}\n"

/* What a worker says to the reader of a capture: what it was told, in these fields. */
static void worker_tell(int socket, const struct message_capture *told)
{
	const struct capture_record record = {
		.kind = CAPTURE_SUBMIT,
		.source = told->source,
		.serial = told->ports,
		.lost = told->data_max,
	};

	(void)!send(socket, &record, sizeof(record), MSG_NOSIGNAL);
}

static int worker_main(void)
{
	struct pollfd wait = {.fd = 3, .events = POLLIN};
	struct message message;
	struct message_fds fds;
	int reader[XVHC_CAPTURES_MAX];

	for (;;) {
		poll(&wait, 1, -1);
		if (message_receive(3, &message, &fds) != 1)
			return 0;
		if (message.type == MESSAGE_CONNECT)
			worker_say(MESSAGE_CONNECTED, 0, 0);
		if (message.type != MESSAGE_CAPTURE)
			continue;
		if (fds.count == 1)
			reader[message.u.capture.index] = fds.fd[0];
		worker_tell(reader[message.u.capture.index], &message.u.capture);
		if (fds.count == 0)
			close(reader[message.u.capture.index]);
	}
}

static void fake_job_run(struct job *job, const struct job_paths *paths)
{
	(void)paths;
	job_run_claims(job);
}

static int setup(void **state)
{
	*state = fixture_new(fake_job_run);
	return 0;
}

/* Two ports are given to the guest. */
static void start_with_two(struct fixture *fixture)
{
	fake_file(&fixture->sysfs, PLACE " web\npci-" PCI "/hs-2 web\n", "ports.conf");
	memory_store_guest(fixture->store, GUEST, "web");
	start(fixture);
	until_node(fixture, BACKEND "/state", "2");
}

static void connect_guest(struct fixture *fixture)
{
	memory_store_set(fixture->store, "1", FRONTEND "/feature-reconnect");
	frontend_publishes(fixture, FRONTEND, CHANNEL);
	until_node(fixture, BACKEND "/state", "4");
}

/* Sends a request with these descriptors; its answer must have these words. */
static void ask(struct fixture *fixture, const char *request, const int *fds, uint32_t count,
		const char *words)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(4 * sizeof(int))];
	} control = {.bytes = {0}};
	char text[4096] = "", line[256];
	struct iovec data = {.iov_base = line, .iov_len = strlen(request)};
	struct msghdr header = {.msg_iov = &data, .msg_iovlen = 1};
	uint64_t since_ms = clock_ms();
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	size_t length = 0;
	ssize_t got;

	snprintf(line, sizeof(line), "%s", request);
	memcpy(address.sun_path, fixture->socket, strlen(fixture->socket));
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	if (count > 0) {
		header.msg_control = &control;
		header.msg_controllen = CMSG_SPACE(count * sizeof(int));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(&control.header), fds, count * sizeof(int));
	}
	assert_int_equal(sendmsg(fd, &header, 0), strlen(request));
	while (!strchr(text, '\n')) {
		turn(fixture, since_ms, request);
		got = read(fd, text + length, sizeof(text) - 1 - length);
		length += got > 0 ? (size_t)got : 0;
	}
	close(fd);
	if (!strstr(text, words))
		fail_msg("no '%s' in: %s", words, text);
}

/* Begins a capture. Returns the end that records come out of. */
static int capture(struct fixture *fixture, const char *request, const char *words)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	ask(fixture, request, &pair[1], 1, words);
	close(pair[1]);
	return pair[0];
}

static struct {
	struct capture_record head;
	char text[512];
} got;

/* Waits for a record. Returns its length; 0 at the end. */
static size_t next(struct fixture *fixture, int records)
{
	uint64_t since_ms = clock_ms();
	ssize_t length;

	memset(&got, 0, sizeof(got));
	while ((length = recv(records, &got, sizeof(got), MSG_DONTWAIT)) < 0)
		turn(fixture, since_ms, "a record");
	return (size_t)length;
}

static void expect_name(struct fixture *fixture, int records, uint32_t port, const char *name)
{
	assert_true(next(fixture, records) > 0);
	assert_int_equal(got.head.kind, CAPTURE_NAME);
	assert_int_equal(got.head.source, 1000);
	assert_int_equal(got.head.port, port);
	assert_string_equal(got.text, name);
}

/* The worker was told this. */
static void expect_told(struct fixture *fixture, int records, uint32_t ports, uint32_t data_max)
{
	assert_true(next(fixture, records) > 0);
	assert_int_equal(got.head.kind, CAPTURE_SUBMIT);
	assert_int_equal(got.head.source, 1000);
	assert_int_equal(got.head.serial, ports);
	assert_int_equal(got.head.lost, data_max);
}

static void expect_nothing(struct fixture *fixture, int records)
{
	/* What was to be told, the worker would have been told before this. */
	until_answered(fixture, "{\"command\": \"list\"}", "1-1");
	assert_int_equal(recv(records, &got, sizeof(got), MSG_DONTWAIT), -1);
}

static void guest_that_has_no_worker_yet_is_waited_for(void **state)
{
	struct fixture *fixture = *state;
	int records;

	start_with_two(fixture);
	records = capture(fixture, CAPTURE_WEB, "Capturing guest web. Waiting for the driver");
	connect_guest(fixture);
	expect_name(fixture, records, 1, "web port 1-1");
	expect_name(fixture, records, 2, "web port 1-2");
	expect_told(fixture, records, UINT32_MAX, 100);
	close(records);
}

static void guest_that_does_not_run_is_waited_for(void **state)
{
	struct fixture *fixture = *state;

	start(fixture);
	close(capture(fixture, CAPTURE_WEB, "web does not run: waiting for it"));
}

static void worker_that_comes_anew_is_told_again(void **state)
{
	struct fixture *fixture = *state;
	int records;

	start_with_two(fixture);
	connect_guest(fixture);
	records = capture(fixture, CAPTURE_WEB, "Capturing guest web. Ctrl-C ends it");
	expect_name(fixture, records, 1, "web port 1-1");
	expect_name(fixture, records, 2, "web port 1-2");
	expect_told(fixture, records, UINT32_MAX, 100);
	kill(fixture->broker.workers[0].process.pid, SIGKILL);
	until_node(fixture, BACKEND "/state", "5");
	memory_store_set(fixture->store, "6", FRONTEND "/state");
	until_node(fixture, BACKEND "/state", "2");
	connect_guest(fixture);
	expect_name(fixture, records, 1, "web port 1-1");
	expect_name(fixture, records, 2, "web port 1-2");
	expect_told(fixture, records, UINT32_MAX, 100);
	close(records);
}

static void one_port_is_told_of_alone(void **state)
{
	struct fixture *fixture = *state;
	int records;

	start_with_two(fixture);
	connect_guest(fixture);
	records = capture(fixture, CAPTURE_PORT, "Capturing port 1-2 of web.");
	expect_name(fixture, records, 2, "web port 1-2");
	expect_told(fixture, records, 1u << 2, XVHC_CAPTURE_DATA_DEFAULT);
	expect_nothing(fixture, records);
	/* Taken and given again, it is captured on. */
	until_answered(fixture, "{\"command\": \"take\", \"port\": \"1-2\"}", "taken");
	expect_told(fixture, records, 0, XVHC_CAPTURE_DATA_DEFAULT);
	until_answered(fixture, "{\"command\": \"give\", \"port\": \"1-2\", \"guest\": \"web\"}",
		       "given");
	expect_name(fixture, records, 2, "web port 1-2");
	expect_told(fixture, records, 1u << 2, XVHC_CAPTURE_DATA_DEFAULT);
	close(records);
}

static void port_of_dom0_has_nothing_to_capture(void **state)
{
	struct fixture *fixture = *state;

	start_with_two(fixture);
	close(capture(fixture, "{\"command\": \"capture\", \"target\": \"1-3\"}\n",
		      "Port 1-3 is not given to a guest"));
	close(capture(fixture, "{\"command\": \"capture\", \"target\": \"9-9\"}\n",
		      "There is no port 9-9 here, and no guest of this name runs"));
	close(capture(fixture, "{\"command\": \"capture\", \"target\": \"a b\"}\n",
		      "neither of a port nor of a guest"));
	close(capture(fixture, "{\"command\": \"capture\"}\n", "neither of a port nor of a guest"));
	close(capture(fixture,
		      "{\"command\": \"capture\", \"target\": \"web\", \"bytes\": 262145}\n",
		      "0 to 262144 bytes"));
	assert_int_equal(fixture->broker.capture_count, 0);
}

static void reader_that_leaves_ends_the_capture(void **state)
{
	struct fixture *fixture = *state;
	uint64_t since_ms;

	start_with_two(fixture);
	connect_guest(fixture);
	close(capture(fixture, CAPTURE_WEB, "Capturing"));
	since_ms = clock_ms();
	while (fixture->broker.capture_count > 0)
		turn(fixture, since_ms, "the end of the capture");
	assert_true(fixture->broker.workers[0].used);
}

static void reader_that_wants_no_more_gets_the_rest(void **state)
{
	struct fixture *fixture = *state;
	int records;

	start_with_two(fixture);
	connect_guest(fixture);
	records = capture(fixture, CAPTURE_PORT, "Capturing");
	expect_name(fixture, records, 2, "web port 1-2");
	expect_told(fixture, records, 1u << 2, XVHC_CAPTURE_DATA_DEFAULT);
	shutdown(records, SHUT_WR);
	expect_told(fixture, records, 0, XVHC_CAPTURE_DATA_DEFAULT);
	assert_int_equal(next(fixture, records), 0);
	assert_int_equal(fixture->broker.capture_count, 0);
	close(records);
}

static void only_so_many_captures_run(void **state)
{
	struct fixture *fixture = *state;
	int records[XVHC_CAPTURES_MAX];
	uint64_t since_ms;

	start_with_two(fixture);
	for (uint32_t i = 0; i < XVHC_CAPTURES_MAX; i++)
		records[i] = capture(fixture, CAPTURE_WEB, "Capturing");
	close(capture(fixture, CAPTURE_WEB, "There are 4 captures already"));
	for (uint32_t i = 0; i < XVHC_CAPTURES_MAX; i++)
		close(records[i]);
	since_ms = clock_ms();
	while (fixture->broker.capture_count > 0)
		turn(fixture, since_ms, "the end of the captures");
	close(capture(fixture, CAPTURE_WEB, "Capturing"));
}

static void what_is_no_socket_of_this_kind_is_refused(void **state)
{
	struct fixture *fixture = *state;
	int pair[2], null = open("/dev/null", O_RDWR | O_CLOEXEC);

	start_with_two(fixture);
	ask(fixture, CAPTURE_WEB, NULL, 0, "A capture needs a socket");
	ask(fixture, CAPTURE_WEB, &null, 1, "no socket to capture with");
	/* Closed by a thread, until whose end none is taken. */
	while (stranger_fd_hangs())
		sched_yield();
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	ask(fixture, CAPTURE_WEB, &pair[1], 1, "no socket to capture with");
	assert_int_equal(fixture->broker.capture_count, 0);
	close(pair[0]);
	close(pair[1]);
	close(null);
}

/* The other end of a pipe tells when nobody has this one any more. */
static void assert_closed(struct fixture *fixture, int end)
{
	uint64_t since_ms = clock_ms();
	char byte;

	while (read(end, &byte, 1) != 0)
		turn(fixture, since_ms, "the descriptor's end");
	close(end);
}

static void descriptor_that_nobody_wants_is_closed(void **state)
{
	struct fixture *fixture = *state;
	int pair[2], other[2], fds[2];

	start_with_two(fixture);
	assert_int_equal(pipe2(pair, O_NONBLOCK | O_CLOEXEC), 0);
	ask(fixture, "{\"command\": \"list\"}\n", &pair[1], 1, "1-1");
	close(pair[1]);
	assert_closed(fixture, pair[0]);
	/* A command that is none; and two for one that wants one. */
	assert_int_equal(pipe2(pair, O_NONBLOCK | O_CLOEXEC), 0);
	ask(fixture, "rubbish\n", &pair[1], 1, "not one line of JSON");
	close(pair[1]);
	assert_closed(fixture, pair[0]);
	assert_int_equal(pipe2(pair, O_NONBLOCK | O_CLOEXEC), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, other), 0);
	fds[0] = other[1];
	fds[1] = pair[1];
	ask(fixture, CAPTURE_WEB, fds, 2, "Capturing");
	close(pair[1]);
	close(other[1]);
	assert_closed(fixture, pair[0]);
	close(other[0]);
}

#define CAPTURE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		CAPTURE_TEST(guest_that_has_no_worker_yet_is_waited_for),
		CAPTURE_TEST(guest_that_does_not_run_is_waited_for),
		CAPTURE_TEST(worker_that_comes_anew_is_told_again),
		CAPTURE_TEST(one_port_is_told_of_alone),
		CAPTURE_TEST(port_of_dom0_has_nothing_to_capture),
		CAPTURE_TEST(reader_that_leaves_ends_the_capture),
		CAPTURE_TEST(reader_that_wants_no_more_gets_the_rest),
		CAPTURE_TEST(only_so_many_captures_run),
		CAPTURE_TEST(what_is_no_socket_of_this_kind_is_refused),
		CAPTURE_TEST(descriptor_that_nobody_wants_is_closed),
	};

	if (argc > 0 && strcmp(argv[0], "xvhcd-worker") == 0)
		return worker_main();
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
