// SPDX-License-Identifier: MIT
/*
 * The whole broker on a store in memory, a fake sysfs, and jobs that touch no device. Its workers
 * are this very program, started again under the worker's name: see worker_main().
 */
#include <errno.h>
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
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <broker/broker.h>
#include <broker/controller.h>
#include <broker/controller_worker.h>
#include <broker/given.h>
#include <common/message_io.h>

#include "broker_fixture.h"

/* Event channel numbers, with which a test tells the fake worker how to behave. */
enum worker_manner {
	WORKER_GOOD = 10,
	WORKER_DIES,      /* as soon as it is connected */
	WORKER_LIES,      /* speaks of a port that there is not */
	WORKER_FAILS,     /* cannot map the rings */
	WORKER_KEEPS,     /* does not give a device back */
	WORKER_HOARDS,    /* says that it gives a device back, and keeps it */
	WORKER_LINGERS,   /* does not end when it is told to */
	WORKER_REFUSES,   /* gives each device back at once: it cannot use it */
	WORKER_IS_SILENT, /* does not even connect */
};

static void worker_connect(const struct message *message)
{
	switch (message->u.connect.event_channel) {
	case WORKER_FAILS:
		worker_say(MESSAGE_FAILED, 0, 0);
		break;
	default:
		worker_say(MESSAGE_CONNECTED, 0, 0);
		break;
	}
	if (message->u.connect.event_channel == WORKER_DIES)
		_exit(9);
	if (message->u.connect.event_channel == WORKER_LIES)
		worker_say(MESSAGE_PORT_STATE, message->u.connect.ports + 1, PORT_ATTACHED);
}

/* A worker that has no rings and no devices, but says what one would. */
static int worker_main(void)
{
	struct pollfd poll_socket = {.fd = 3, .events = POLLIN};
	uint32_t manner = 0;
	int held = -1;
	struct message message;
	struct message_fds fds;

	for (;;) {
		poll(&poll_socket, 1, -1);
		if (message_receive(3, &message, &fds) != 1) {
			while (manner == WORKER_LINGERS)
				pause();
			return 0;
		}
		if (message.type == MESSAGE_CONNECT) {
			manner = message.u.connect.event_channel;
			worker_connect(&message);
		} else if (message.type == MESSAGE_DESCRIBE) {
			worker_describe_stick();
		} else if (message.type == MESSAGE_ATTACH && fds.count == 1) {
			close(held);
			held = manner == WORKER_GOOD ? dup(fds.fd[0]) : -1;
			if (manner == WORKER_REFUSES)
				worker_say(MESSAGE_DETACHED, message.u.attach.port, 0);
			else
				worker_say(MESSAGE_PORT_STATE, message.u.attach.port,
					   PORT_CONFIGURED);
		} else if (message.type == MESSAGE_DETACH && manner != WORKER_KEEPS) {
			close(held);
			held = -1;
			worker_say(MESSAGE_DETACHED, message.u.port.port, 0);
		}
		if (manner != WORKER_HOARDS)
			message_fds_close(&fds);
	}
}

/* Whether dom0 uses the devices, and how often we asked: jobs run on a thread of their own. */
static atomic_bool dom0_uses_devices;
static atomic_uint evictions;
static atomic_uint uses;        /* jobs that use a device or give it away */
static atomic_int other_worker; /* process that must be gone before a device is used; 0: none */
static atomic_bool overlapped;  /* it was not */

static bool uses_device(const struct job *job)
{
	return job->device.bus != 0 &&
	       (job->type == JOB_OPEN || job->type == JOB_RESET || job->type == JOB_RELEASE);
}

static void fake_job_run(struct job *job, const struct job_paths *paths)
{
	(void)paths;
	if (uses_device(job)) {
		uses++;
		if (other_worker != 0 && kill(other_worker, 0) == 0)
			overlapped = true;
	}
	if (job->type == JOB_EVICT) {
		evictions++;
		job->in_use = dom0_uses_devices;
		job->error = job->in_use ? -EBUSY : 0;
		snprintf(job->text, sizeof(job->text), "mounted");
	}
	job_run_claims(job);
	/* Unlike /dev/null, no worker has this for another reason. */
	if (job->type == JOB_OPEN)
		job->fd = open("/dev/zero", O_RDWR | O_CLOEXEC);
}

static int setup(void **state)
{
	*state = fixture_new(fake_job_run);
	dom0_uses_devices = false;
	evictions = 0;
	uses = 0;
	other_worker = 0;
	overlapped = false;
	return 0;
}

static void a_running_guest_gets_a_controller_for_its_port(void **state)
{
	struct fixture *fixture = *state;
	uint32_t owner, reader;

	start_with_given(fixture);
	memory_store_disturb(fixture->store, 2);
	until_node(fixture, BACKEND "/state", "2");
	assert_true(node_is(fixture, BACKEND "/frontend", FRONTEND));
	assert_true(node_is(fixture, BACKEND "/frontend-id", "5"));
	assert_true(node_is(fixture, BACKEND "/online", "1"));
	assert_true(node_is(fixture, BACKEND "/type", "pv"));
	assert_true(node_is(fixture, BACKEND "/usb-ver", "2"));
	assert_true(node_is(fixture, BACKEND "/num-ports", "8"));
	assert_true(node_is(fixture, BACKEND "/port/1", PLACE));
	assert_true(node_is(fixture, BACKEND "/port/8", ""));
	assert_true(node_is(fixture, FRONTEND "/backend", BACKEND));
	assert_true(node_is(fixture, FRONTEND "/backend-id", "0"));
	assert_true(node_is(fixture, FRONTEND "/state", "1"));
	memory_store_permissions(fixture->store, FRONTEND "/state", &owner, &reader);
	assert_int_equal(owner, GUEST);
	assert_int_equal(reader, 0);
	memory_store_permissions(fixture->store, BACKEND "/state", &owner, &reader);
	assert_int_equal(owner, 0);
	assert_int_equal(reader, GUEST);
}

static void a_device_goes_to_the_worker_and_back(void **state)
{
	struct fixture *fixture = *state;

	start_with_given(fixture);
	until_node(fixture, BACKEND "/state", "2");
	frontend_publishes(fixture, FRONTEND, WORKER_GOOD);
	until_node(fixture, BACKEND "/state", "4");
	until_given_is(fixture, "ready, empty");
	plug(fixture, "1-1", 2);
	until_given_is(fixture, "in use by web (configured)");
	unplug(fixture, "1-1");
	until_given_is(fixture, "ready, empty");
	plug(fixture, "1-1", 3);
	until_given_is(fixture, "in use by web (configured)");
	given_take(&fixture->broker, fixture->broker.given);
	until_node(fixture, BACKEND "/state", "5");
	memory_store_set(fixture->store, "6", FRONTEND "/state");
	until_node(fixture, BACKEND, NULL);
	until_node(fixture, FRONTEND, NULL);
	assert_null(fixture->broker.given);
}

static void a_port_given_before_its_guest_waits_for_it(void **state)
{
	struct fixture *fixture = *state;

	fake_file(&fixture->sysfs, PLACE " web\n", "ports.conf");
	start(fixture);
	until_given_is(fixture, "waiting for the guest");
	memory_store_guest(fixture->store, GUEST, "other");
	memory_store_guest(fixture->store, GUEST + 1, "web");
	until_node(fixture, "/local/domain/0/backend/vusb/6/1000/state", "2");
	assert_true(node_is(fixture, BACKEND, NULL));
}

static void a_guest_that_is_named_late_is_found(void **state)
{
	struct fixture *fixture = *state;

	fake_file(&fixture->sysfs, PLACE " web\n", "ports.conf");
	start(fixture);
	memory_store_guest(fixture->store, GUEST, "web--incoming");
	until_given_is(fixture, "waiting for the guest");
	memory_store_set(fixture->store, "web", "/local/domain/5/name");
	until_node(fixture, BACKEND "/state", "2");
}

static void a_guest_is_known_by_its_uuid(void **state)
{
	struct fixture *fixture = *state;

	fake_file(&fixture->sysfs, PLACE " 00000000-0000-0000-0000-000000000005\n", "ports.conf");
	memory_store_guest(fixture->store, GUEST, "web");
	start(fixture);
	until_node(fixture, BACKEND "/state", "2");
}

static void a_guest_that_died_leaves_nothing_but_its_port(void **state)
{
	struct fixture *fixture = *state;

	start_with_given(fixture);
	until_node(fixture, BACKEND "/state", "2");
	plug(fixture, "1-1", 2);
	frontend_publishes(fixture, FRONTEND, WORKER_GOOD);
	until_given_is(fixture, "in use by web (configured)");
	memory_store_guest_dies(fixture->store, GUEST);
	until_node(fixture, BACKEND, NULL);
	until_given_is(fixture, "waiting for the guest");
	memory_store_guest(fixture->store, GUEST + 1, "web");
	until_node(fixture, "/local/domain/0/backend/vusb/6/1000/state", "2");
	frontend_publishes(fixture, "/local/domain/6/device/vusb/1000", WORKER_GOOD);
	until_given_is(fixture, "in use by web (configured)");
}

static void nine_ports_need_two_controllers(void **state)
{
	struct fixture *fixture = *state;
	char lines[1024] = "";

	for (int i = 1; i <= 9; i++)
		sprintf(lines + strlen(lines), "pci-0000:00:04.0/hs-%d web\n", i);
	fake_file(&fixture->sysfs, lines, "ports.conf");
	memory_store_guest(fixture->store, GUEST, "web");
	start(fixture);
	until_node(fixture, "/local/domain/0/backend/vusb/5/1001/port/1", "pci-0000:00:04.0/hs-9");
	assert_true(node_is(fixture, BACKEND "/port/8", "pci-0000:00:04.0/hs-8"));
}

static void port_numbers_survive_a_restart(void **state)
{
	struct fixture *fixture = *state;

	fake_file(&fixture->sysfs, PLACE " web\npci-0000:00:04.0/hs-2 web\n", "ports.conf");
	memory_store_guest(fixture->store, GUEST, "web");
	/* As a broker left them before. */
	memory_store_set(fixture->store, "1", BACKEND "/online");
	memory_store_set(fixture->store, "xvhcd", BACKEND "/origin");
	memory_store_set(fixture->store, "8", BACKEND "/num-ports");
	memory_store_set(fixture->store, "pci-0000:00:04.0/hs-2", BACKEND "/port/1");
	memory_store_set(fixture->store, "pci-0000:00:04.0/hs-7", BACKEND "/port/2");
	memory_store_set(fixture->store, PLACE, BACKEND "/port/3");
	memory_store_set(fixture->store, "2", BACKEND "/state");
	memory_store_set(fixture->store, "1", FRONTEND "/state");
	start(fixture);
	until_node(fixture, BACKEND "/port/2", "");
	until_given_is(fixture, "waiting for the guest's frontend driver");
	assert_int_equal(fixture->broker.given->port, 3);
	assert_int_equal(fixture->broker.given->next->port, 1);
}

static void a_frontend_that_reconnects_is_called_by_state(void **state)
{
	struct fixture *fixture = *state;

	start_with_given(fixture);
	until_node(fixture, BACKEND "/state", "2");
	memory_store_set(fixture->store, "1", FRONTEND "/feature-reconnect");
	frontend_publishes(fixture, FRONTEND, WORKER_DIES);
	until_node(fixture, BACKEND "/state", "5");
	memory_store_set(fixture->store, "6", FRONTEND "/state");
	until_node(fixture, BACKEND "/state", "2");
	assert_true(node_is(fixture, FRONTEND "/urb-ring-ref", "8"));
	frontend_publishes(fixture, FRONTEND, WORKER_GOOD);
	until_node(fixture, BACKEND "/state", "4");
}

static void a_stock_frontend_is_probed_anew(void **state)
{
	struct fixture *fixture = *state;
	uint32_t owner, reader;

	start_with_given(fixture);
	until_node(fixture, BACKEND "/state", "2");
	frontend_publishes(fixture, FRONTEND, WORKER_DIES);
	until_node(fixture, BACKEND "/state", "5");
	memory_store_set(fixture->store, "6", FRONTEND "/state");
	until_node(fixture, FRONTEND, NULL);
	until_node(fixture, FRONTEND "/state", "1");
	assert_true(node_is(fixture, FRONTEND "/backend", BACKEND));
	assert_true(node_is(fixture, FRONTEND "/urb-ring-ref", NULL));
	memory_store_permissions(fixture->store, FRONTEND "/state", &owner, &reader);
	assert_int_equal(owner, GUEST);
	until_node(fixture, BACKEND "/state", "2");
}

static void a_connection_of_the_broker_before_is_made_anew(void **state)
{
	struct fixture *fixture = *state;

	fake_file(&fixture->sysfs, PLACE " web\n", "ports.conf");
	memory_store_guest(fixture->store, GUEST, "web");
	memory_store_set(fixture->store, "1", BACKEND "/online");
	memory_store_set(fixture->store, "xvhcd", BACKEND "/origin");
	memory_store_set(fixture->store, "8", BACKEND "/num-ports");
	memory_store_set(fixture->store, PLACE, BACKEND "/port/1");
	memory_store_set(fixture->store, "4", BACKEND "/state");
	memory_store_set(fixture->store, "1", FRONTEND "/feature-reconnect");
	frontend_publishes(fixture, FRONTEND, WORKER_GOOD);
	start(fixture);
	until_node(fixture, BACKEND "/state", "5");
	memory_store_set(fixture->store, "6", FRONTEND "/state");
	until_node(fixture, BACKEND "/state", "2");
}

static void a_guest_of_another_kind_is_refused(void **state)
{
	struct fixture *fixture = *state;

	start_with_given(fixture);
	until_node(fixture, BACKEND "/state", "2");
	memory_store_set(fixture->store, "sparc-abi", FRONTEND "/protocol");
	frontend_publishes(fixture, FRONTEND, WORKER_GOOD);
	until_given_is(fixture, "refused");
	assert_true(node_is(fixture, BACKEND "/state", "5"));
}

static void nonsense_in_the_frontends_nodes_is_refused(void **state)
{
	static const char *const values[] = {"", "-1", "4294967296", "8 9", "0x8", "eight"};
	struct fixture *fixture = *state;

	start_with_given(fixture);
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		until_node(fixture, BACKEND "/state", "2");
		frontend_publishes(fixture, FRONTEND, WORKER_GOOD);
		memory_store_set(fixture->store, values[i], FRONTEND "/conn-ring-ref");
		until_given_is(fixture, "refused");
		memory_store_set(fixture->store, "6", FRONTEND "/state");
		until_given_is(fixture, "closed by the guest");
		memory_store_set(fixture->store, "1", FRONTEND "/state");
	}
}

static void a_storm_of_changes_by_a_guest_costs_little(void **state)
{
	struct fixture *fixture = *state;
	const uint32_t storm = 20000;
	uint32_t before;

	start_with_given(fixture);
	memory_store_guest(fixture->store, GUEST + 1, "work");
	until_node(fixture, BACKEND "/state", "2");
	frontend_publishes(fixture, FRONTEND, WORKER_GOOD);
	until_node(fixture, BACKEND "/state", "4");
	before = memory_store_reads(fixture->store);
	for (uint32_t i = 0; i < storm; i++)
		memory_store_set(fixture->store, "4", FRONTEND "/state");
	/* What comes after the storm is seen. */
	memory_store_set(fixture->store, "5", FRONTEND "/state");
	until_node(fixture, BACKEND "/state", "5");
	assert_true(memory_store_reads(fixture->store) - before < storm / 20);
}

/* Each connection is a process of ours. */
static void a_guest_that_comes_and_goes_waits_for_longer_each_time(void **state)
{
	struct fixture *fixture = *state;
	const struct controller *controller;
	uint64_t not_before = 0;

	start_with_given(fixture);
	for (uint32_t i = 0; i < 4; i++) {
		until_node(fixture, BACKEND "/state", "2");
		controller = fixture->broker.controllers[0];
		frontend_publishes(fixture, FRONTEND, WORKER_GOOD);
		until_node(fixture, BACKEND "/state", "4");
		assert_int_equal(controller->attempts, i);
		assert_true(controller->connected_at_ms >= not_before);
		not_before = controller->connect_at_ms;
		memory_store_set(fixture->store, "6", FRONTEND "/state");
		until_node(fixture, BACKEND "/state", "6");
		memory_store_set(fixture->store, "1", FRONTEND "/state");
	}
}

/* One connection that lasted makes good for the failures before it. */
static void a_connection_that_lasted_ends_the_count_of_failures(void **state)
{
	struct fixture *fixture = *state;
	struct controller *controller;

	start_with_given(fixture);
	until_node(fixture, BACKEND "/state", "2");
	frontend_publishes(fixture, FRONTEND, WORKER_GOOD);
	until_node(fixture, BACKEND "/state", "4");
	controller = fixture->broker.controllers[0];
	controller->attempts = 7;
	controller->reprobes = 5;
	fixture->broker.now_ms += 1000000;
	controller_restart(&fixture->broker, controller, "it is a test");
	assert_int_equal(controller->attempts, 0);
	assert_int_equal(controller->reprobes, 0);
}

static void a_worker_that_lies_is_ended(void **state)
{
	struct fixture *fixture = *state;

	start_with_given(fixture);
	until_node(fixture, BACKEND "/state", "2");
	frontend_publishes(fixture, FRONTEND, WORKER_LIES);
	until_node(fixture, BACKEND "/state", "5");
}

static void a_worker_that_fails_is_replaced(void **state)
{
	struct fixture *fixture = *state;

	start_with_given(fixture);
	until_node(fixture, BACKEND "/state", "2");
	memory_store_set(fixture->store, "1", FRONTEND "/feature-reconnect");
	frontend_publishes(fixture, FRONTEND, WORKER_FAILS);
	until_node(fixture, BACKEND "/state", "5");
	memory_store_set(fixture->store, "6", FRONTEND "/state");
	until_node(fixture, BACKEND "/state", "2");
}

static void a_worker_that_keeps_a_device_is_ended(void **state)
{
	struct fixture *fixture = *state;

	start_with_given(fixture);
	until_node(fixture, BACKEND "/state", "2");
	plug(fixture, "1-1", 2);
	frontend_publishes(fixture, FRONTEND, WORKER_KEEPS);
	until_given_is(fixture, "in use by web (configured)");
	given_take(&fixture->broker, fixture->broker.given);
	broker_turn(&fixture->broker, 0);
	assert_int_equal(fixture->broker.given->device_state, DEVICE_DETACHING);
	/* An operation of the device may take the kernel's 5 s. */
	assert_true(fixture->broker.given->detach_until_ms >= fixture->broker.now_ms + 10000);
	fixture->broker.given->detach_until_ms = 1;
	until_node(fixture, BACKEND "/state", "5");
	until_given_is(fixture, "none");
}

/* Starts with two ports given to a guest, and a device in each, which the guest uses. */
static void start_with_two(struct fixture *fixture, enum worker_manner manner)
{
	uint64_t limit = clock_ms() + LIMIT_MS;

	fake_file(&fixture->sysfs, PLACE " web\npci-0000:00:04.0/hs-2 web\n", "ports.conf");
	memory_store_guest(fixture->store, GUEST, "web");
	start(fixture);
	until_node(fixture, BACKEND "/state", "2");
	plug(fixture, "1-1", 2);
	plug(fixture, "1-2", 3);
	frontend_publishes(fixture, FRONTEND, manner);
	until_given_is(fixture, "in use by web (configured)");
	while (fixture->broker.given->next->guest_use != PORT_CONFIGURED) {
		assert_true(clock_ms() < limit);
		broker_turn(&fixture->broker, 20);
	}
}

/* The guest's other devices do not notice. */
static void a_port_taken_from_a_good_worker_leaves_it_alone(void **state)
{
	struct fixture *fixture = *state;
	const struct worker_process *worker;
	uint64_t limit = clock_ms() + LIMIT_MS;
	pid_t pid;

	start_with_two(fixture, WORKER_GOOD);
	worker = fixture->broker.controllers[0]->worker;
	pid = worker->pid;
	given_take(&fixture->broker, fixture->broker.given);
	while (fixture->broker.given->next) {
		assert_true(clock_ms() < limit);
		broker_turn(&fixture->broker, 20);
	}
	assert_ptr_equal(fixture->broker.controllers[0]->worker, worker);
	assert_int_equal(worker->pid, pid);
	/* It runs: it serves the next device. */
	unplug(fixture, "1-2");
	until_given_is(fixture, "ready, empty");
	plug(fixture, "1-2", 4);
	until_given_is(fixture, "in use by web (configured)");
}

static void a_device_that_a_worker_hoards_stays_until_the_worker_is_gone(void **state)
{
	struct fixture *fixture = *state;

	start_with_two(fixture, WORKER_HOARDS);
	other_worker = fixture->broker.controllers[0]->worker->pid;
	uses = 0;
	given_take(&fixture->broker, fixture->broker.given);
	until_node(fixture, BACKEND "/state", "5");
	while (uses == 0)
		broker_turn(&fixture->broker, 20);
	assert_false(overlapped);
}

static void a_device_waits_for_a_worker_that_does_not_end(void **state)
{
	struct fixture *fixture = *state;
	uint64_t limit = clock_ms() + LIMIT_MS;

	start_with_given(fixture);
	until_node(fixture, BACKEND "/state", "2");
	plug(fixture, "1-1", 2);
	frontend_publishes(fixture, FRONTEND, WORKER_LINGERS);
	until_given_is(fixture, "in use by web (configured)");
	other_worker = fixture->broker.controllers[0]->worker->pid;
	uses = 0;
	memory_store_set(fixture->store, "6", FRONTEND "/state");
	until_node(fixture, BACKEND "/state", "6");
	memory_store_set(fixture->store, "1", FRONTEND "/state");
	until_node(fixture, BACKEND "/state", "2");
	frontend_publishes(fixture, FRONTEND, WORKER_GOOD);
	while (uses == 0) {
		assert_true(clock_ms() < limit);
		broker_turn(&fixture->broker, 20);
	}
	until_given_is(fixture, "in use by web (configured)");
	assert_false(overlapped);
}

static void a_device_that_cannot_be_used_is_given_up(void **state)
{
	struct fixture *fixture = *state;
	struct given *given;

	start_with_given(fixture);
	until_node(fixture, BACKEND "/state", "2");
	plug(fixture, "1-1", 2);
	frontend_publishes(fixture, FRONTEND, WORKER_REFUSES);
	until_given_is(fixture, "failed: the device does not answer");
	given = fixture->broker.given;
	for (uint32_t tried = 1; tried < GIVEN_OPENS_MAX; tried++) {
		assert_int_equal(given->opens_failed, tried);
		assert_true(given->retry_at_ms > fixture->broker.now_ms);
		given->retry_at_ms = 1;
		until_given_is(fixture, "connecting");
		until_given_is(fixture, "failed: the device does not answer");
	}
	assert_int_equal(given->opens_failed, GIVEN_OPENS_MAX);
	assert_int_equal(given->retry_at_ms, 0);
	/* Another device is another chance. */
	unplug(fixture, "1-1");
	until_given_is(fixture, "ready, empty");
	assert_int_equal(given->opens_failed, 0);
}

static void a_worker_whose_end_cannot_be_followed_is_not_left_behind(void **state)
{
	struct fixture *fixture = *state;
	const struct frontend_offer offer = {.event_channel = WORKER_GOOD};
	struct controller *controller;
	int epoll;

	start_with_given(fixture);
	until_node(fixture, BACKEND "/state", "2");
	controller = fixture->broker.controllers[0];
	epoll = fixture->broker.epoll;
	fixture->broker.epoll = -1;
	assert_int_equal(controller_worker_start(&fixture->broker, controller, &offer), -EBADF);
	fixture->broker.epoll = epoll;
	assert_null(controller->worker);
	assert_false(fixture->broker.workers[0].used);
	assert_true(fixture->broker.workers[0].process.pid > 0);
	assert_int_equal(waitpid(fixture->broker.workers[0].process.pid, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void a_toolstacks_controller_is_served_and_closed(void **state)
{
	struct fixture *fixture = *state;
	static const char backend[] = "/local/domain/0/backend/vusb/5/0";
	static const char frontend[] = "/local/domain/5/device/vusb/0";

	memory_store_guest(fixture->store, GUEST, "web");
	start(fixture);
	plug(fixture, "1-2", 2);
	memory_store_set(fixture->store, "1", "%s/online", backend);
	memory_store_set(fixture->store, "4", "%s/num-ports", backend);
	memory_store_set(fixture->store, "", "%s/port/1", backend);
	memory_store_set(fixture->store, "1", "%s/state", frontend);
	memory_store_set(fixture->store, "1", "%s/state", backend);
	until_node(fixture, "/local/domain/0/backend/vusb/5/0/state", "2");
	frontend_publishes(fixture, frontend, WORKER_GOOD);
	until_node(fixture, "/local/domain/0/backend/vusb/5/0/state", "4");
	memory_store_set(fixture->store, "1-2", "%s/port/3", backend);
	until_given_is(fixture, "in use by web (configured)");
	assert_int_equal(fixture->broker.given->port, 3);
	assert_int_equal(fixture->broker.file.count, 0);
	memory_store_set(fixture->store, "", "%s/port/3", backend);
	until_given_is(fixture, "none");
	memory_store_set(fixture->store, "0", "%s/online", backend);
	memory_store_set(fixture->store, "5", "%s/state", backend);
	memory_store_set(fixture->store, "6", "%s/state", frontend);
	until_node(fixture, "/local/domain/0/backend/vusb/5/0/state", "6");
	memory_store_set(fixture->store, NULL, "%s", backend);
	memory_store_set(fixture->store, NULL, "%s", frontend);
	broker_turn(&fixture->broker, 20);
	broker_turn(&fixture->broker, 20);
	assert_true(node_is(fixture, "/local/domain/0/backend/vusb/5/0/state", NULL));
}

/* A controller as xl makes it, with a device attached to port 1. */
static void toolstack_attaches(struct fixture *fixture, const char *usb_version, const char *device)
{
	static const char backend[] = "/local/domain/0/backend/vusb/5/0";

	memory_store_guest(fixture->store, GUEST, "web");
	memory_store_set(fixture->store, "1", "%s/online", backend);
	memory_store_set(fixture->store, "4", "%s/num-ports", backend);
	memory_store_set(fixture->store, usb_version, "%s/usb-ver", backend);
	memory_store_set(fixture->store, device, "%s/port/1", backend);
	memory_store_set(fixture->store, "1", "/local/domain/5/device/vusb/0/state");
	memory_store_set(fixture->store, "1", "%s/state", backend);
}

static void a_toolstacks_device_that_dom0_uses_is_tried_now_and_then(void **state)
{
	struct fixture *fixture = *state;

	dom0_uses_devices = true;
	start(fixture);
	plug(fixture, "1-2", 2);
	toolstack_attaches(fixture, "2", "1-2");
	until_given_is(fixture, "still in dom0: mounted");
	for (uint32_t i = 0; i < 20; i++)
		broker_turn(&fixture->broker, 0);
	assert_int_equal(evictions, 1);
	dom0_uses_devices = false;
	fixture->broker.given->retry_at_ms = 1;
	until_given_is(fixture, "waiting for the guest's frontend driver");
}

static void a_device_too_fast_for_its_controller_stays_away(void **state)
{
	struct fixture *fixture = *state;

	start(fixture);
	plug(fixture, "1-2", 2);
	toolstack_attaches(fixture, "1", "1-2");
	until_node(fixture, "/local/domain/0/backend/vusb/5/0/state", "2");
	frontend_publishes(fixture, "/local/domain/5/device/vusb/0", WORKER_GOOD);
	until_given_is(fixture, "too fast");
}

static void a_device_that_is_given_already_is_not_the_toolstacks(void **state)
{
	struct fixture *fixture = *state;
	static const char backend[] = "/local/domain/0/backend/vusb/5/0";

	fake_file(&fixture->sysfs, PLACE " mail\n", "ports.conf");
	memory_store_guest(fixture->store, GUEST, "web");
	start(fixture);
	plug(fixture, "1-1", 2);
	memory_store_set(fixture->store, "1", "%s/online", backend);
	memory_store_set(fixture->store, "4", "%s/num-ports", backend);
	memory_store_set(fixture->store, "1-1", "%s/port/1", backend);
	memory_store_set(fixture->store, "1", "%s/state", backend);
	until_node(fixture, "/local/domain/0/backend/vusb/5/0/state", "2");
	until_given_is(fixture, "waiting for the guest");
	assert_string_equal(fixture->broker.given->guest, "mail");
	assert_null(fixture->broker.given->next);
}

static void an_end_in_order_closes_the_guests_side(void **state)
{
	struct fixture *fixture = *state;
	uint64_t limit = clock_ms() + LIMIT_MS;

	start_with_given(fixture);
	until_node(fixture, BACKEND "/state", "2");
	frontend_publishes(fixture, FRONTEND, WORKER_GOOD);
	until_node(fixture, BACKEND "/state", "4");
	kill(getpid(), SIGTERM);
	until_node(fixture, BACKEND "/state", "5");
	memory_store_set(fixture->store, "6", FRONTEND "/state");
	while (broker_turn(&fixture->broker, 20))
		assert_true(clock_ms() < limit);
	assert_true(node_is(fixture, BACKEND "/state", "6"));
	assert_true(node_is(fixture, BACKEND "/port/1", PLACE));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(a_running_guest_gets_a_controller_for_its_port),
		TEST(a_device_goes_to_the_worker_and_back),
		TEST(a_port_given_before_its_guest_waits_for_it),
		TEST(a_guest_that_is_named_late_is_found),
		TEST(a_guest_is_known_by_its_uuid),
		TEST(a_guest_that_died_leaves_nothing_but_its_port),
		TEST(nine_ports_need_two_controllers),
		TEST(port_numbers_survive_a_restart),
		TEST(a_frontend_that_reconnects_is_called_by_state),
		TEST(a_stock_frontend_is_probed_anew),
		TEST(a_connection_of_the_broker_before_is_made_anew),
		TEST(a_guest_of_another_kind_is_refused),
		TEST(nonsense_in_the_frontends_nodes_is_refused),
		TEST(a_storm_of_changes_by_a_guest_costs_little),
		TEST(a_guest_that_comes_and_goes_waits_for_longer_each_time),
		TEST(a_connection_that_lasted_ends_the_count_of_failures),
		TEST(a_worker_that_lies_is_ended),
		TEST(a_worker_that_fails_is_replaced),
		TEST(a_worker_that_keeps_a_device_is_ended),
		TEST(a_port_taken_from_a_good_worker_leaves_it_alone),
		TEST(a_device_that_a_worker_hoards_stays_until_the_worker_is_gone),
		TEST(a_device_waits_for_a_worker_that_does_not_end),
		TEST(a_device_that_cannot_be_used_is_given_up),
		TEST(a_worker_whose_end_cannot_be_followed_is_not_left_behind),
		TEST(a_toolstacks_controller_is_served_and_closed),
		TEST(a_toolstacks_device_that_dom0_uses_is_tried_now_and_then),
		TEST(a_device_too_fast_for_its_controller_stays_away),
		TEST(a_device_that_is_given_already_is_not_the_toolstacks),
		TEST(an_end_in_order_closes_the_guests_side),
	};

	if (argc > 0 && strcmp(argv[0], "xvhcd-worker") == 0)
		return worker_main();
	log_init("xvhcd", LOG_LEVEL_DEBUG);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
