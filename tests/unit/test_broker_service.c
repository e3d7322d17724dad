// SPDX-License-Identifier: MIT
/* What a service manager hears of the broker. It is a socket of the test's. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
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

#include "broker_fixture.h"

static int manager = -1;
static char heard[SERVICE_TEXT_MAX];

static int worker_main(void)
{
	struct pollfd wait = {.fd = 3, .events = POLLIN};
	struct message message;
	struct message_fds fds;

	for (;;) {
		poll(&wait, 1, -1);
		if (message_receive(3, &message, &fds) != 1)
			return 0;
		message_fds_close(&fds);
		if (message.type == MESSAGE_CONNECT)
			worker_say(MESSAGE_CONNECTED, 0, 0);
	}
}

static void fake_job_run(struct job *job, const struct job_paths *paths)
{
	(void)paths;
	job_run_claims(job);
}

/* Claims of a hub that does not answer for as long as the file `answer` is not there. */
static void slow_job_run(struct job *job, const struct job_paths *paths)
{
	if (job->type == JOB_CLAIM) {
		while (access(paths->probing_note, F_OK) != 0)
			usleep(1000); /* the polling step */
	}
	job_run_claims(job);
}

static int setup_with(void **state, void (*run_job)(struct job *job, const struct job_paths *paths))
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct fixture *fixture = fixture_new(run_job);
	static char path[PATH_MAX], answer[PATH_MAX];

	snprintf(path, sizeof(path), "%s/notify", fixture->sysfs.root);
	snprintf(answer, sizeof(answer), "%s/answer", fixture->sysfs.root);
	assert_true(strlen(path) < sizeof(address.sun_path));
	memcpy(address.sun_path, path, strlen(path));
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_return_code(bind(manager, (const struct sockaddr *)&address, sizeof(address)),
			   errno);
	fixture->options.config = fixture->config;
	fixture->options.notify_socket = path;
	fixture->paths.probing_note = answer;
	*state = fixture;
	return 0;
}

static int setup(void **state)
{
	return setup_with(state, fake_job_run);
}

static int setup_slow(void **state)
{
	return setup_with(state, slow_job_run);
}

static int teardown(void **state)
{
	close(manager);
	return fixture_teardown(state);
}

/* The next datagram, into heard. False: there is none. */
static bool hear(void)
{
	ssize_t got = recv(manager, heard, sizeof(heard) - 1, 0);

	heard[got > 0 ? got : 0] = '\0';
	return got > 0;
}

static void until_heard(struct fixture *fixture, const char *words)
{
	uint64_t since_ms = clock_ms();

	while (!hear() || !strstr(heard, words))
		turn(fixture, since_ms, words);
}

static void ready_once_ports_are_claimed(void **state)
{
	struct fixture *fixture = *state;

	start_with_given(fixture);
	assert_false(hear());
	until_heard(fixture, "READY=1");
	assert_int_equal(fixture->broker.given->claim_state, CLAIM_HELD);
	assert_string_equal(heard, "READY=1\nSTATUS=Ports given: 1. Guests' controllers: 0.");
	/* Nothing new: nothing is said. */
	assert_true(broker_turn(&fixture->broker, 0));
	assert_false(hear());
}

static void not_ready_while_a_hub_does_not_answer_but_no_longer_than_the_limit(void **state)
{
	struct fixture *fixture = *state;

	start_with_given(fixture);
	for (int i = 0; i < 5; i++)
		assert_true(broker_turn(&fixture->broker, 1));
	assert_false(hear());
	fixture->broker.service.ready_by_ms = clock_ms();
	until_heard(fixture, "READY=1");
	assert_int_equal(fixture->broker.given->claim_state, CLAIM_NONE);
	fake_file(&fixture->sysfs, "", "answer");
}

static void port_that_is_not_there_is_not_waited_for(void **state)
{
	struct fixture *fixture = *state;

	fake_file(&fixture->sysfs, "pci-" PCI "/hs-99 web\n", "ports.conf");
	start(fixture);
	until_heard(fixture, "READY=1");
}

static void connections_are_counted(void **state)
{
	struct fixture *fixture = *state;

	start_with_given(fixture);
	until_given_is(fixture, "frontend driver");
	frontend_publishes(fixture, FRONTEND, 10);
	until_heard(fixture, "Guests' controllers: 1.");
}

static void reload_is_told_with_its_time_and_its_end(void **state)
{
	struct fixture *fixture = *state;
	unsigned long long usec;

	start(fixture);
	until_heard(fixture, "READY=1");
	kill(getpid(), SIGHUP);
	until_heard(fixture, "RELOADING=1\nMONOTONIC_USEC=");
	assert_int_equal(sscanf(heard, "RELOADING=1\nMONOTONIC_USEC=%llu", &usec), 1);
	assert_in_range(usec / 1000, clock_ms() - LIMIT_MS, clock_ms());
	until_heard(fixture, "READY=1");
	assert_null(strstr(heard, "fault"));
}

static void configuration_with_a_fault_is_told_until_it_is_right(void **state)
{
	struct fixture *fixture = *state;

	start(fixture);
	fake_file(&fixture->sysfs, "no such key = 1\n", "xvhc.conf");
	kill(getpid(), SIGHUP);
	until_heard(fixture, "The configuration has a fault");
	fake_file(&fixture->sysfs, "", "xvhc.conf");
	kill(getpid(), SIGHUP);
	until_heard(fixture, "RELOADING=1");
	until_heard(fixture, "READY=1");
	assert_null(strstr(heard, "fault"));
}

static void end_is_told(void **state)
{
	struct fixture *fixture = *state;

	start(fixture);
	until_heard(fixture, "READY=1");
	kill(getpid(), SIGTERM);
	while (broker_turn(&fixture->broker, 20))
		continue;
	assert_true(hear());
	assert_non_null(strstr(heard, "STOPPING=1\n"));
}

static void manager_that_does_not_listen_is_no_fault(void **state)
{
	struct fixture *fixture = *state;

	fixture->options.notify_socket = "/nonexistent/notify";
	start(fixture);
	assert_true(broker_turn(&fixture->broker, 0));
	assert_null(fixture->broker.service.socket);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(ready_once_ports_are_claimed),
		cmocka_unit_test_setup_teardown(
			not_ready_while_a_hub_does_not_answer_but_no_longer_than_the_limit,
			setup_slow, teardown),
		TEST(port_that_is_not_there_is_not_waited_for),
		TEST(connections_are_counted),
		TEST(reload_is_told_with_its_time_and_its_end),
		TEST(configuration_with_a_fault_is_told_until_it_is_right),
		TEST(end_is_told),
		TEST(manager_that_does_not_listen_is_no_fault),
	};

	if (argc > 0 && strcmp(argv[0], "xvhcd-worker") == 0)
		return worker_main();
	log_init("xvhcd", LOG_LEVEL_DEBUG);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
