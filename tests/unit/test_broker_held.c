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
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <broker/broker.h>
#include <broker/controller.h>
#include <broker/given.h>
#include <common/message_io.h>

#include "fake_sysfs.h"
#include "memory_store.h"

#define LIMIT_MS 30000 /* more than any limit of the broker's own */
#define LOOKS 5        /* of the broker at a worker, in a row */
#define BACKEND "/local/domain/0/backend/vusb/5/1000"
#define FRONTEND "/local/domain/5/device/vusb/1000"
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

static void worker_say(uint32_t type, uint32_t port, bool attach)
{
	struct message message = {.type = type};
	struct message_fds fds = {.count = attach ? 1 : 0};

	fds.fd[0] = open(ATTACHED_FILE, O_RDWR | O_CLOEXEC);
	message.u.port.port = port;
	message.u.port.state = type == MESSAGE_PORT_STATE ? PORT_CONFIGURED : 0;
	if (message_send(3, &message, &fds) != 0)
		_exit(3);
	close(fds.fd[0]);
}

/* As a describer: a stick, the one that fake_device() makes. */
static void worker_describe(void)
{
	struct message message = {.type = MESSAGE_DESCRIPTION};

	message.u.description.vendor = 0x46f4;
	message.u.description.product = 1;
	message.u.description.complete = 1;
	message.u.description.kinds = 1;
	message.u.description.kind[0].class = 8;
	if (message_send(3, &message, NULL) != 0)
		_exit(3);
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
	worker_say(MESSAGE_DETACHED, 1, false);
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
			worker_say(MESSAGE_CONNECTED, 0, manner == WORKER_ATTACHES_FIRST);
			if (manner == WORKER_NEVER_READS || manner == WORKER_READS_LATE)
				worker_returns_unread(manner);
		} else if (message.type == MESSAGE_DESCRIBE) {
			worker_describe();
		} else if (message.type == MESSAGE_ATTACH) {
			worker_say(MESSAGE_PORT_STATE, message.u.attach.port,
				   manner == WORKER_ATTACHES_LATER);
		} else if (message.type == MESSAGE_DETACH) {
			worker_say(MESSAGE_DETACHED, message.u.port.port, false);
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
	for (int side = 0; side < 2; side++) {
		if (job->type == JOB_CLAIM && job->side[side].hub.bus && job->side[side].fd < 0)
			job->side[side].fd = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (job->type == JOB_RELEASE && job->side[side].fd >= 0)
			close(job->side[side].fd);
	}
	if (job->type == JOB_OPEN)
		job->fd = open(DEVICE_FILE, O_RDWR | O_CLOEXEC);
}

struct fixture {
	struct broker broker;
	struct broker_options options;
	struct job_paths paths;
	struct fake_sysfs sysfs;
	struct xenstore *store;
	char ports_file[PATH_MAX], socket[PATH_MAX];
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	fake_sysfs_open(&fixture->sysfs);
	fake_bus(&fixture->sysfs, "0000:00:04.0", 1, "480\n", 4);
	snprintf(fixture->ports_file, PATH_MAX, "%s/ports.conf", fixture->sysfs.root);
	snprintf(fixture->socket, PATH_MAX, "%s/control", fixture->sysfs.root);
	fixture->options.sysfs = fixture->sysfs.root;
	fixture->options.ports_file = fixture->ports_file;
	fixture->options.socket = fixture->socket;
	fixture->options.worker = "/proc/self/exe";
	fixture->options.paths = &fixture->paths;
	fixture->options.run_job = fake_job_run;
	fixture->store = memory_store_open();
	uses = 0;
	only_after = 0;
	overlapped = false;
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	broker_fini(&fixture->broker);
	fake_sysfs_close(&fixture->sysfs);
	free(fixture);
	return 0;
}

static void turn(struct fixture *fixture, uint64_t limit, const char *awaited)
{
	if (clock_ms() > limit)
		fail_msg("not in time: %s", awaited);
	broker_turn(&fixture->broker, 20);
}

static void until_backend_is(struct fixture *fixture, const char *value)
{
	uint64_t limit = clock_ms() + LIMIT_MS;
	const char *now;

	while (!(now = memory_store_get(fixture->store, BACKEND "/state")) || strcmp(now, value))
		turn(fixture, limit, value);
}

/* Turns the broker until the first of the given ports is in this state. */
static void until_first_is(struct fixture *fixture, const char *word)
{
	uint64_t limit = clock_ms() + LIMIT_MS;
	char text[IN_USE_TEXT_MAX] = "";

	do {
		turn(fixture, limit, word);
		given_state_text(&fixture->broker, fixture->broker.given, text, sizeof(text));
	} while (!strstr(text, word));
}

/* Two ports are given to a guest, whose frontend is ready for a worker of this kind. */
static void start(struct fixture *fixture, enum worker_manner manner)
{
	char channel[16];

	snprintf(channel, sizeof(channel), "%u", manner);
	fake_file(&fixture->sysfs, "pci-0000:00:04.0/hs-1 web\npci-0000:00:04.0/hs-2 web\n",
		  "ports.conf");
	memory_store_guest(fixture->store, 5, "web");
	assert_int_equal(broker_init(&fixture->broker, &fixture->options, fixture->store), 0);
	until_backend_is(fixture, "2");
	memory_store_set(fixture->store, "8", FRONTEND "/urb-ring-ref");
	memory_store_set(fixture->store, "9", FRONTEND "/conn-ring-ref");
	memory_store_set(fixture->store, channel, FRONTEND "/event-channel");
	memory_store_set(fixture->store, "4", FRONTEND "/state");
}

static void plug(struct fixture *fixture, const char *name)
{
	fake_device(&fixture->sysfs, name, 2, "480\n", 0, 0);
	fixture->broker.topology_dirty = true;
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

	start(fixture, WORKER_GOOD);
	plug(fixture, "1-1");
	until_first_is(fixture, "in use by web (configured)");
}

static void a_descriptor_with_the_first_words_ends_the_worker(void **state)
{
	struct fixture *fixture = *state;

	start(fixture, WORKER_ATTACHES_FIRST);
	until_backend_is(fixture, "5");
	assert_int_equal(fixture->broker.controllers[0]->connected_at_ms, 0);
	assert_false(broker_has(ATTACHED_FILE));
}

static void a_descriptor_with_a_ports_state_ends_the_worker(void **state)
{
	struct fixture *fixture = *state;

	start(fixture, WORKER_ATTACHES_LATER);
	until_backend_is(fixture, "4");
	plug(fixture, "1-1");
	until_backend_is(fixture, "5");
	assert_int_not_equal(fixture->broker.given->guest_use, PORT_CONFIGURED);
	assert_false(broker_has(ATTACHED_FILE));
}

/* The worker has said that it gave the device back, which lies unread in its socket. */
static struct worker_slot *start_unread(struct fixture *fixture, enum worker_manner manner)
{
	struct worker_slot *slot;

	start(fixture, manner);
	plug(fixture, "1-1");
	until_first_is(fixture, "failed: the device does not answer");
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
	uint64_t limit = clock_ms() + LIMIT_MS, last = 0;

	while (looks > 0) {
		turn(fixture, limit, "looks at the worker");
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
	uint64_t limit = clock_ms() + LIMIT_MS;

	only_after = slot->process.pid;
	until_looked(fixture, slot, LOOKS);
	assert_true(slot->look_until_ms > fixture->broker.now_ms);
	slot->look_until_ms = fixture->broker.now_ms;
	until_backend_is(fixture, "5");
	while (uses == 0)
		turn(fixture, limit, "the device goes to dom0");
	assert_false(overlapped);
}

static void a_worker_that_reads_late_is_left_alone(void **state)
{
	struct fixture *fixture = *state;
	struct worker_slot *slot = start_unread(fixture, WORKER_READS_LATE);
	uint64_t limit = clock_ms() + LIMIT_MS;
	pid_t pid = slot->process.pid;

	/* It counts the same looks, and reads at the last of these. */
	until_looked(fixture, slot, LOOKS);
	while (fixture->broker.given->next)
		turn(fixture, limit, "the port goes to dom0");
	assert_true(uses > 0);
	assert_true(slot->used);
	assert_int_equal(slot->process.pid, pid);
	plug(fixture, "1-2");
	until_first_is(fixture, "in use by web (configured)");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

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
