// SPDX-License-Identifier: MIT
/*
 * A worker that was taken over by its guest tries to keep a device, by what it sends to the broker
 * or does not read from it. Workers are this very program, started again under the worker's name.
 */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <broker/broker.h>
#include <broker/controller.h>
#include <broker/given.h>
#include <common/message_io.h>

#include "broker_fixture.h"

#define LOOKS 5 /* of the broker at a worker, in a row */
/* What devices are, and what workers attach: no process has either for another reason. */
#define DEVICE_FILE "/dev/zero"
#define ATTACHED_FILE "/dev/full"

/* Event channel numbers, with which a test tells the worker how to behave. */
enum worker_manner {
	WORKER_GOOD = 10,
	WORKER_ATTACHES_FIRST, /* attaches a descriptor to the first that it says */
	WORKER_ATTACHES_LATER, /* the same, as soon as it has a device */
	WORKER_NEVER_READS,    /* the device that it is sent, but says that it gave it back */
	WORKER_READS_LATE,     /* the same at first */
};

static void worker_say_attached(uint32_t type, uint32_t port)
{
	struct message message = {.type = type};
	struct message_fds fds = {.count = 1};

	fds.fd[0] = open(ATTACHED_FILE, O_RDWR | O_CLOEXEC);
	message.u.port.port = port;
	message.u.port.state = type == MESSAGE_PORT_STATE ? PORT_CONFIGURED : 0;
	if (message_send(3, &message, &fds) != 0)
		_exit(3);
	close(fds.fd[0]);
}

static void worker_connect(uint32_t manner)
{
	if (manner == WORKER_ATTACHES_FIRST)
		worker_say_attached(MESSAGE_CONNECTED, 0);
	else
		worker_say(MESSAGE_CONNECTED, 0, 0);
}

static void worker_attach(uint32_t manner, uint32_t port)
{
	if (manner == WORKER_ATTACHES_LATER)
		worker_say_attached(MESSAGE_PORT_STATE, port);
	else
		worker_say(MESSAGE_PORT_STATE, port, PORT_CONFIGURED);
}

/* A look ends as the worker is told to go on. */
static volatile sig_atomic_t looks_seen;

static void look_seen(int number)
{
	(void)number;
	looks_seen++;
}

/* Says that it gave back a device which it has not yet read from its socket. */
static void worker_returns_unread(uint32_t manner)
{
	struct pollfd wait = {.fd = 3, .events = POLLIN};

	poll(&wait, 1, -1);
	worker_say(MESSAGE_DETACHED, 1, 0);
	while (manner == WORKER_NEVER_READS || looks_seen < LOOKS)
		pause();
}

static int worker_main(void)
{
	struct pollfd wait = {.fd = 3, .events = POLLIN};
	uint32_t manner = 0;
	struct message message;
	struct message_fds fds;

	signal(SIGCONT, look_seen);
	for (;;) {
		/* The handler above interrupts it. */
		while (poll(&wait, 1, -1) < 0)
			;
		if (message_receive(3, &message, &fds) != 1)
			return 0;
		message_fds_close(&fds);
		if (message.type == MESSAGE_CONNECT) {
			manner = message.u.connect.event_channel;
			worker_connect(manner);
			if (manner == WORKER_NEVER_READS || manner == WORKER_READS_LATE)
				worker_returns_unread(manner);
		} else if (message.type == MESSAGE_DESCRIBE) {
			worker_describe_stick();
		} else if (message.type == MESSAGE_ATTACH) {
			worker_attach(manner, message.u.attach.port);
		} else if (message.type == MESSAGE_DETACH) {
			worker_say(MESSAGE_DETACHED, message.u.port.port, 0);
		}
	}
}

static atomic_uint uses;       /* jobs that use a device or give it away */
static atomic_int only_after;  /* process that must be gone before; 0: none */
static atomic_bool overlapped; /* it was not */

static void fake_job_run(struct job *job, const struct job_paths *paths)
{
	(void)paths;
	if (job->device.bus != 0 &&
	    (job->type == JOB_OPEN || job->type == JOB_RESET || job->type == JOB_RELEASE)) {
		uses++;
		if (only_after != 0 && kill(only_after, 0) == 0)
			overlapped = true;
	}
	job_run_claims(job);
	if (job->type == JOB_OPEN)
		job->fd = open(DEVICE_FILE, O_RDWR | O_CLOEXEC);
}

static int setup(void **state)
{
	*state = fixture_new(fake_job_run);
	uses = 0;
	only_after = 0;
	overlapped = false;
	return 0;
}

/* Two ports are given to a guest, whose frontend is ready for a worker of this kind. */
static void start_with(struct fixture *fixture, enum worker_manner manner)
{
	fake_file(&fixture->sysfs, PLACE " web\npci-" PCI "/hs-2 web\n", "ports.conf");
	memory_store_guest(fixture->store, GUEST, "web");
	start(fixture);
	until_node(fixture, BACKEND "/state", "2");
	frontend_publishes(fixture, FRONTEND, manner);
}

/* Whether this process, which is the broker, has this file open. */
static bool broker_has(const char *file)
{
	char target[PATH_MAX];
	struct dirent *entry;
	bool has = false;
	DIR *table = opendir("/proc/self/fd");
	ssize_t length;

	assert_non_null(table);
	while ((entry = readdir(table))) {
		length = readlinkat(dirfd(table), entry->d_name, target, sizeof(target) - 1);
		if (length < 0)
			continue;
		target[length] = '\0';
		has = has || strcmp(target, file) == 0;
	}
	closedir(table);
	return has;
}

/* The same words without a descriptor are what is expected of a worker. */
static void words_without_a_descriptor_are_fine(void **state)
{
	struct fixture *fixture = *state;

	start_with(fixture, WORKER_GOOD);
	plug(fixture, "1-1", 2);
	until_given_is(fixture, "in use by web (configured)");
}

static void a_descriptor_with_the_first_words_ends_the_worker(void **state)
{
	struct fixture *fixture = *state;

	start_with(fixture, WORKER_ATTACHES_FIRST);
	until_node(fixture, BACKEND "/state", "5");
	assert_int_equal(fixture->broker.controllers[0]->connected_at_ms, 0);
	assert_false(broker_has(ATTACHED_FILE));
}

static void a_descriptor_with_a_ports_state_ends_the_worker(void **state)
{
	struct fixture *fixture = *state;

	start_with(fixture, WORKER_ATTACHES_LATER);
	until_node(fixture, BACKEND "/state", "4");
	plug(fixture, "1-1", 2);
	until_node(fixture, BACKEND "/state", "5");
	assert_int_not_equal(fixture->broker.given->guest_use, PORT_CONFIGURED);
	assert_false(broker_has(ATTACHED_FILE));
}

/* The worker has said that it gave the device back, which lies unread in its socket. */
static struct worker_slot *start_unread(struct fixture *fixture, enum worker_manner manner)
{
	struct worker_slot *slot;

	start_with(fixture, manner);
	plug(fixture, "1-1", 2);
	until_given_is(fixture, "failed: the device does not answer");
	slot = worker_slot_of(&fixture->broker, fixture->broker.controllers[0]);
	assert_non_null(slot);
	uses = 0;
	given_take(&fixture->broker, fixture->broker.given);
	return slot;
}

/* Lets the broker look at the worker, and look again. */
static void until_looked(struct fixture *fixture, const struct worker_slot *slot,
			 unsigned int looks)
{
	uint64_t since_ms = clock_ms(), last = 0;

	while (looks > 0) {
		turn(fixture, since_ms, "looks at the worker");
		assert_int_equal(uses, 0);
		if (slot->stop_at_ms != 0 && slot->stop_at_ms != last)
			looks--;
		last = slot->stop_at_ms;
	}
}

static void a_device_that_a_worker_never_reads_stays_until_it_is_gone(void **state)
{
	struct fixture *fixture = *state;
	struct worker_slot *slot = start_unread(fixture, WORKER_NEVER_READS);
	uint64_t since_ms = clock_ms();

	only_after = slot->process.pid;
	until_looked(fixture, slot, LOOKS);
	assert_true(slot->look_until_ms > fixture->broker.now_ms);
	slot->look_until_ms = fixture->broker.now_ms;
	until_node(fixture, BACKEND "/state", "5");
	while (uses == 0)
		turn(fixture, since_ms, "the device goes to dom0");
	assert_false(overlapped);
}

static void a_worker_that_reads_late_is_left_alone(void **state)
{
	struct fixture *fixture = *state;
	struct worker_slot *slot = start_unread(fixture, WORKER_READS_LATE);
	uint64_t since_ms = clock_ms();
	pid_t pid = slot->process.pid;

	/* It counts the same looks, and reads at the last of these. */
	until_looked(fixture, slot, LOOKS);
	while (fixture->broker.given->next)
		turn(fixture, since_ms, "the port goes to dom0");
	assert_true(uses > 0);
	assert_true(slot->used);
	assert_int_equal(slot->process.pid, pid);
	plug(fixture, "1-2", 2);
	until_given_is(fixture, "in use by web (configured)");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(words_without_a_descriptor_are_fine),
		TEST(a_descriptor_with_the_first_words_ends_the_worker),
		TEST(a_descriptor_with_a_ports_state_ends_the_worker),
		TEST(a_device_that_a_worker_never_reads_stays_until_it_is_gone),
		TEST(a_worker_that_reads_late_is_left_alone),
	};

	if (argc > 0 && strcmp(argv[0], "xvhcd-worker") == 0)
		return worker_main();
	log_init("xvhcd", LOG_LEVEL_DEBUG);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
