// SPDX-License-Identifier: MIT
/* A hub in a given port, and the ports behind it: given with it, and ending with it. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <semaphore.h>
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

#include <broker/given.h>
#include <broker/given_hub.h>

#include "broker_fixture.h"

#define OPENED "hub, given with its ports"
#define IN_USE "in use by web (configured)"

/* Event channel numbers, with which a test tells the fake worker how to behave. */
enum worker_manner {
	WORKER_GOOD = 10,
	WORKER_KEEPS, /* does not give a device back */
};

static int worker_main(void)
{
	struct pollfd wait = {.fd = 3, .events = POLLIN};
	struct message message, answer;
	struct message_fds fds;
	uint32_t manner = 0;

	for (;;) {
		poll(&wait, 1, -1);
		if (message_receive(3, &message, &fds) != 1)
			return 0;
		if (message.type == MESSAGE_CONNECT) {
			manner = message.u.connect.event_channel;
			worker_say(MESSAGE_CONNECTED, 0, 0);
		} else if (message.type == MESSAGE_DESCRIBE) {
			answer = answer_read(&fds);
			if (message_send(3, &answer, NULL) != 0)
				return 3;
		} else if (message.type == MESSAGE_ATTACH) {
			worker_say(MESSAGE_PORT_STATE, message.u.attach.port, PORT_CONFIGURED);
		} else if (message.type == MESSAGE_DETACH && manner != WORKER_KEEPS) {
			worker_say(MESSAGE_DETACHED, message.u.port.port, 0);
		}
		message_fds_close(&fds);
	}
}

/* What the jobs' thread does, and what it has done. */
static atomic_int hub_error[2];   /* of the hub on each side */
static atomic_bool hub_in_use;    /* dom0 uses what is behind it */
static atomic_bool hub_lost;      /* the port's claim does not come back */
static atomic_uint hub_paused_ms; /* this is how long it took */
static atomic_uint hub_jobs, claim_jobs, open_jobs;
static atomic_uint both_released; /* RELEASE with a device on each side */
static atomic_bool gate_shut;     /* a device is not opened before gate is posted */
static sem_t gate;

static void hub_run(struct job *job)
{
	int side = job->side[1].hub.bus != 0;

	hub_jobs++;
	job->error = hub_in_use ? -EBUSY : hub_error[side];
	job->in_use = hub_in_use;
	job->claim_lost = hub_lost;
	job->paused_ms = hub_paused_ms;
	snprintf(job->text, sizeof(job->text), hub_in_use ? "mounted" : "it does not answer");
	/* Where there is no claim to let go, no driver could be bound. */
	if (job->side[side].fd < 0)
		abort();
	if (job->error == 0)
		job->fd = open("/dev/null", O_RDWR | O_CLOEXEC);
}

static void device_open(struct job *job)
{
	const char *name = job->device_name;
	bool is_keyboard = name[strlen(name) - 1] == '4';
	struct message answer =
		is_keyboard ? description_of_a_keyboard() : description_of_a_stick();

	if (job->describe) {
		job->fd = answer_open(&answer);
		return;
	}
	open_jobs++;
	if (gate_shut)
		sem_wait(&gate);
	job->fd = open("/dev/zero", O_RDWR | O_CLOEXEC);
}

static void fake_job_run(struct job *job, const struct job_paths *paths)
{
	(void)paths;
	job_run_claims(job);
	if (job->type == JOB_HUB)
		hub_run(job);
	else if (job->type == JOB_OPEN)
		device_open(job);
	else if (job->type == JOB_CLAIM)
		claim_jobs++;
	else if (job->type == JOB_RELEASE)
		both_released += job->device.bus != 0 && job->other.bus != 0;
}

static int setup(void **state)
{
	*state = fixture_new(fake_job_run);
	hub_error[0] = hub_error[1] = 0;
	hub_in_use = hub_lost = gate_shut = false;
	hub_paused_ms = hub_jobs = claim_jobs = open_jobs = both_released = 0;
	sem_init(&gate, 0, 0);
	return 0;
}

static void plug_hub(struct fixture *fixture, const char *name, unsigned int number,
		     unsigned int ports)
{
	bool super = name[0] == '2';

	fake_device(&fixture->sysfs, name, number, super ? "5000\n" : "480\n", CLASS_HUB, ports);
	fixture->broker.topology_dirty = true;
}

/* The given port of this place, such as hs-1.2; NULL: none. */
static struct given *at(struct fixture *fixture, const char *name)
{
	char text[XVHC_PLACE_MAX];
	struct place place;

	snprintf(text, sizeof(text), "pci-" PCI "/%s", name);
	assert_true(place_parse(text, &place));
	return given_find_place(&fixture->broker, &place);
}

static void until_at(struct fixture *fixture, const char *name, const char *word)
{
	struct given *given = at(fixture, name);

	assert_non_null(given);
	until_state_is(fixture, &given, word);
}

static void until_ports_are(struct fixture *fixture, uint32_t count)
{
	uint64_t since_ms = clock_ms();
	char awaited[32];

	snprintf(awaited, sizeof(awaited), "%u given ports", count);
	while (fixture->broker.given_count != count || fixture->broker.given->job)
		turn(fixture, since_ms, awaited);
}

static void until_count(struct fixture *fixture, atomic_uint *count, unsigned int value)
{
	uint64_t since_ms = clock_ms();

	while (*count < value)
		turn(fixture, since_ms, "a job");
}

static void some_turns(struct fixture *fixture)
{
	for (int i = 0; i < 10; i++)
		broker_turn(&fixture->broker, 5);
}

/* Port 1-1 is given to web, which is connected. */
static void start_connected(struct fixture *fixture, enum worker_manner manner)
{
	start_with_given(fixture);
	until_node(fixture, BACKEND "/state", "2");
	frontend_publishes(fixture, FRONTEND, manner);
	until_node(fixture, BACKEND "/state", "4");
}

/* The same, with a hub of four ports in it, and a stick in the second of these. */
static void start_with_stick(struct fixture *fixture, enum worker_manner manner)
{
	start_connected(fixture, manner);
	plug_hub(fixture, "1-1", 2, 4);
	until_ports_are(fixture, 5);
	plug(fixture, "1-1.2", 3);
	until_at(fixture, "hs-1.2", IN_USE);
}

static void a_hub_of_four_ports_is_plugged_in(void **state)
{
	struct fixture *fixture = *state;
	uint32_t ports = 0;

	start_with_stick(fixture, WORKER_GOOD);
	until_given_is(fixture, OPENED);
	until_at(fixture, "hs-1.1", "ready, empty");
	for (struct given *given = fixture->broker.given; given; given = given->next) {
		assert_ptr_equal(given->controller, fixture->broker.controllers[0]);
		assert_string_equal(given->guest, "web");
		assert_ptr_equal(given_outermost(given), fixture->broker.given);
		ports |= 1u << given->port;
	}
	assert_int_equal(ports, 0x3e);
	assert_true(node_is(fixture, BACKEND "/port/2", PLACE ".1"));
	assert_int_equal(hub_jobs, 1);
	/* They are in no file. */
	assert_int_equal(fixture->broker.file.count, 1);
	unplug(fixture, "1-1.2");
	until_at(fixture, "hs-1.2", "ready, empty");
}

static void a_hub_has_more_ports_than_one_controller(void **state)
{
	struct fixture *fixture = *state;

	start_connected(fixture, WORKER_GOOD);
	plug_hub(fixture, "1-1", 2, 10);
	until_node(fixture, "/local/domain/0/backend/vusb/5/1001/state", "2");
	frontend_publishes(fixture, "/local/domain/5/device/vusb/1001", WORKER_GOOD);
	until_ports_are(fixture, 11);
	until_at(fixture, "hs-1.10", "ready, empty");
	plug(fixture, "1-1.10", 3);
	until_at(fixture, "hs-1.10", IN_USE);
	/* Without the hub there is no use for the second one. */
	unplug(fixture, "1-1.10");
	unplug(fixture, "1-1");
	until_node(fixture, "/local/domain/0/backend/vusb/5/1001/state", "5");
}

static void rules_for_the_port_hold_behind_the_hub(void **state)
{
	struct fixture *fixture = *state;

	fake_file(&fixture->sysfs, "[port " PLACE "]\nfilter = 3:-1:-1:-1:0|-1:-1:-1:-1:1\n",
		  "xvhc.conf");
	fixture->options.config = fixture->config;
	start_with_stick(fixture, WORKER_GOOD);
	plug(fixture, "1-1.4", 4);
	until_at(fixture, "hs-1.4",
		 "refused: rule 0x03:-1:-1:-1:0 of the filter of [port " PLACE "]");
}

static void a_hub_is_unplugged(void **state)
{
	struct fixture *fixture = *state;

	start_with_stick(fixture, WORKER_GOOD);
	unplug(fixture, "1-1.2");
	unplug(fixture, "1-1");
	until_ports_are(fixture, 1);
	until_given_is(fixture, "ready, empty");
	assert_true(node_is(fixture, BACKEND "/port/3", ""));
	assert_int_equal(fixture->broker.given->hub[0].fd, -1);
}

static void a_hub_is_unplugged_while_a_worker_keeps_a_device(void **state)
{
	struct fixture *fixture = *state;
	struct given *given;

	start_with_stick(fixture, WORKER_KEEPS);
	given = at(fixture, "hs-1.2");
	unplug(fixture, "1-1.2");
	unplug(fixture, "1-1");
	until_ports_are(fixture, 2);
	some_turns(fixture);
	assert_ptr_equal(at(fixture, "hs-1.2"), given);
	assert_int_equal(given->device_state, DEVICE_DETACHING);
	given->detach_until_ms = clock_ms();
	until_ports_are(fixture, 1);
}

static void a_hub_is_unplugged_while_a_device_is_opened(void **state)
{
	struct fixture *fixture = *state;

	start_connected(fixture, WORKER_KEEPS);
	plug_hub(fixture, "1-1", 2, 4);
	until_ports_are(fixture, 5);
	gate_shut = true;
	plug(fixture, "1-1.2", 3);
	until_count(fixture, &open_jobs, 1);
	unplug(fixture, "1-1");
	until_ports_are(fixture, 2);
	some_turns(fixture);
	assert_non_null(at(fixture, "hs-1.2")->job);
	/* The device is still listed: it is not handed out all the same. */
	sem_post(&gate);
	until_ports_are(fixture, 1);
	assert_true(node_is(fixture, BACKEND "/state", "4"));
	for (uint32_t port = 2; port <= 5; port++)
		assert_null(fixture->broker.controllers[0]->given[port]);
}

/* The second bus of the host controller; each connector has a port of either. */
static void add_super_speed(struct fixture *fixture)
{
	char names[2][32];

	fake_bus(&fixture->sysfs, PCI, 2, "5000\n", FIXTURE_PORTS);
	for (int port = 1; port <= FIXTURE_PORTS; port++) {
		snprintf(names[0], sizeof(names[0]), "usb1-port%d", port);
		snprintf(names[1], sizeof(names[1]), "usb2-port%d", port);
		fake_peers(&fixture->sysfs, names[0], names[1]);
	}
}

static void peer_ports(struct fixture *fixture)
{
	for (int port = 1; port <= 4; port++) {
		char names[2][32];

		snprintf(names[0], sizeof(names[0]), "1-1-port%d", port);
		snprintf(names[1], sizeof(names[1]), "2-1-port%d", port);
		fake_peers(&fixture->sysfs, names[0], names[1]);
	}
}

/* A hub of USB 3, whose two sides come one after the other: one port for each connector. */
static void sides_come(struct fixture *fixture, int first)
{
	static const char *const names[] = {"1-1", "2-1"};

	add_super_speed(fixture);
	start_connected(fixture, WORKER_GOOD);
	plug_hub(fixture, names[first], 2, 4);
	until_ports_are(fixture, 5);
	plug_hub(fixture, names[!first], 3, 4);
	peer_ports(fixture);
	until_count(fixture, &hub_jobs, 2);
	until_given_is(fixture, OPENED);
	some_turns(fixture);
	assert_int_equal(fixture->broker.given_count, 5);
	assert_true(fixture->broker.given->hub[0].fd >= 0);
	assert_true(fixture->broker.given->hub[1].fd >= 0);
	/* A device on either side is the guest's. */
	plug(fixture, "1-1.1", 4);
	fake_device(&fixture->sysfs, "2-1.3", 5, "5000\n", 0, 0);
	until_at(fixture, first ? "ss-1.1" : "hs-1.1", IN_USE);
	until_at(fixture, first ? "ss-1.3" : "hs-1.3", IN_USE);
	assert_int_equal(hub_jobs, 2);
}

static void a_hub_of_usb_3_comes_with_its_usb_2_side_first(void **state)
{
	sides_come(*state, 0);
}

static void a_hub_of_usb_3_comes_with_its_superspeed_side_first(void **state)
{
	sides_come(*state, 1);
}

static void one_side_of_a_hub_cannot_be_opened(void **state)
{
	struct fixture *fixture = *state;

	add_super_speed(fixture);
	hub_error[1] = -EPIPE;
	start_connected(fixture, WORKER_GOOD);
	plug_hub(fixture, "1-1", 2, 4);
	plug_hub(fixture, "2-1", 3, 4);
	peer_ports(fixture);
	until_ports_are(fixture, 5);
	assert_true(fixture->broker.given->opens_failed < GIVEN_OPENS_MAX);
	plug(fixture, "1-1.1", 4);
	until_at(fixture, "hs-1.1", IN_USE);
	/* A device on the side that is not claimed is nobody's. */
	fake_device(&fixture->sysfs, "2-1.3", 5, "5000\n", 0, 0);
	fixture->broker.topology_dirty = true;
	some_turns(fixture);
	assert_null(at(fixture, "hs-1.3"));
	assert_non_null(at(fixture, "hs-1.4"));
}

static void a_hub_is_behind_a_hub(void **state)
{
	struct fixture *fixture = *state;
	struct given *outer, *middle, *inner;

	start_connected(fixture, WORKER_GOOD);
	plug_hub(fixture, "1-1", 2, 2);
	plug_hub(fixture, "1-1.2", 3, 2);
	until_ports_are(fixture, 5);
	plug(fixture, "1-1.2.1", 4);
	until_at(fixture, "hs-1.2.1", IN_USE);
	outer = fixture->broker.given;
	middle = at(fixture, "hs-1.2");
	inner = at(fixture, "hs-1.2.1");
	assert_ptr_equal(inner->parent, middle);
	assert_ptr_equal(middle->parent, outer);
	assert_ptr_equal(given_outermost(inner), outer);
	/* The inner one goes, and comes back; then both go at once. */
	unplug(fixture, "1-1.2.1");
	unplug(fixture, "1-1.2");
	until_ports_are(fixture, 3);
	plug_hub(fixture, "1-1.2", 5, 2);
	until_ports_are(fixture, 5);
	unplug(fixture, "1-1");
	until_ports_are(fixture, 1);
}

static void a_port_with_a_hub_on_both_sides_is_taken_back(void **state)
{
	struct fixture *fixture = *state;

	add_super_speed(fixture);
	start_connected(fixture, WORKER_GOOD);
	plug_hub(fixture, "1-1", 2, 4);
	plug_hub(fixture, "2-1", 3, 4);
	peer_ports(fixture);
	until_ports_are(fixture, 5);
	until_count(fixture, &hub_jobs, 2);
	plug(fixture, "1-1.1", 4);
	until_at(fixture, "hs-1.1", IN_USE);
	/* The name of a port in a command is one that a command takes. */
	until_answered(fixture, "{\"command\":\"take\",\"port\":\"2-1.3\"}",
		       "the hub in port 1-1\\/2-1, and is given with that one: xvhc take 1-1\"");
	until_answered(fixture, "{\"command\":\"take\",\"port\":\"1-1\"}", "dom0 has it");
	assert_null(fixture->broker.given);
	assert_int_equal(both_released, 1);
}

static void a_hub_is_taken_back_while_a_worker_keeps_a_device(void **state)
{
	struct fixture *fixture = *state;
	struct given *outer;
	uint64_t since_ms;

	start_with_stick(fixture, WORKER_KEEPS);
	outer = fixture->broker.given;
	given_take(&fixture->broker, outer);
	until_ports_are(fixture, 2);
	some_turns(fixture);
	/* Nothing of it is let go before. */
	assert_true(outer->hub[0].fd >= 0);
	assert_true(outer->claim[0].fd >= 0);
	at(fixture, "hs-1.2")->detach_until_ms = clock_ms();
	since_ms = clock_ms();
	while (fixture->broker.given)
		turn(fixture, since_ms, "the port is dom0's");
}

/* The same for each hub of two, one behind the other. */
static void two_hubs_are_taken_back_while_a_worker_keeps_a_device(void **state)
{
	struct fixture *fixture = *state;
	uint64_t since_ms;

	start_connected(fixture, WORKER_KEEPS);
	plug_hub(fixture, "1-1", 2, 2);
	plug_hub(fixture, "1-1.2", 3, 2);
	until_ports_are(fixture, 5);
	plug(fixture, "1-1.2.1", 4);
	until_at(fixture, "hs-1.2.1", IN_USE);
	given_take(&fixture->broker, fixture->broker.given);
	until_ports_are(fixture, 3);
	some_turns(fixture);
	assert_true(fixture->broker.given->hub[0].fd >= 0);
	assert_true(at(fixture, "hs-1.2")->hub[0].fd >= 0);
	at(fixture, "hs-1.2.1")->detach_until_ms = clock_ms();
	since_ms = clock_ms();
	while (fixture->broker.given)
		turn(fixture, since_ms, "the port is dom0's");
}

static void a_port_behind_a_hub_is_given_and_taken(void **state)
{
	struct fixture *fixture = *state;

	start_with_stick(fixture, WORKER_GOOD);
	until_answered(fixture, "{\"command\":\"take\",\"port\":\"1-1.2\"}",
		       "Port 1-1.2 is behind the hub in port 1-1, and is given with that one: xvhc "
		       "take 1-1");
	until_answered(fixture, "{\"command\":\"give\",\"port\":\"1-1.2\",\"guest\":\"web\"}",
		       "Port 1-1.2 is already given to web.");
	until_answered(fixture, "{\"command\":\"give\",\"port\":\"1-1.2\",\"guest\":\"work\"}",
		       "Take it back first: xvhc take 1-1\"");
	assert_int_equal(fixture->broker.given_count, 5);
}

static void the_list_for_programs_says_with_what_a_port_is_given(void **state)
{
	struct fixture *fixture = *state;

	start_with_stick(fixture, WORKER_GOOD);
	plug_hub(fixture, "1-1.3", 4, 1);
	until_ports_are(fixture, 6);
	until_answered(
		fixture, "{\"command\":\"list\"}",
		"\"guest\":\"web\",\"given-by\":\"hub\",\"given-with\":\"pci-0000:00:04.0\\/hs-1\","
		"\"controller\":1000,\"controller-port\":6");
}

static void a_hub_cannot_be_opened(void **state)
{
	struct fixture *fixture = *state;

	hub_error[0] = -EPIPE;
	start_connected(fixture, WORKER_GOOD);
	plug_hub(fixture, "1-1", 2, 4);
	for (unsigned int i = 1; i <= GIVEN_OPENS_MAX; i++) {
		until_count(fixture, &hub_jobs, i);
		until_given_is(fixture, "hub, not opened: it does not answer");
		assert_int_equal(fixture->broker.given->opens_failed, i);
		if (i < GIVEN_OPENS_MAX)
			fixture->broker.given->retry_at_ms = clock_ms();
	}
	assert_int_equal(fixture->broker.given->retry_at_ms, 0);
	some_turns(fixture);
	assert_int_equal(hub_jobs, GIVEN_OPENS_MAX);
	assert_int_equal(fixture->broker.given_count, 1);
	/* The next one has its own attempts. */
	hub_error[0] = 0;
	unplug(fixture, "1-1");
	plug_hub(fixture, "1-1", 3, 4);
	until_ports_are(fixture, 5);
	until_given_is(fixture, OPENED);
}

static void dom0_uses_what_is_behind_the_hub(void **state)
{
	struct fixture *fixture = *state;

	hub_in_use = true;
	start_connected(fixture, WORKER_GOOD);
	plug_hub(fixture, "1-1", 2, 4);
	until_given_is(fixture, "hub, not opened: mounted");
	/* However long that takes. */
	for (unsigned int i = 2; i <= GIVEN_OPENS_MAX + 2; i++) {
		fixture->broker.given->retry_at_ms = clock_ms();
		until_count(fixture, &hub_jobs, i);
		until_given_is(fixture, "hub, not opened: mounted");
		while (fixture->broker.given->job)
			broker_turn(&fixture->broker, 5);
	}
	hub_in_use = false;
	fixture->broker.given->retry_at_ms = clock_ms();
	until_given_is(fixture, OPENED);
	until_ports_are(fixture, 5);
}

static void a_stick_takes_the_hubs_place_and_back(void **state)
{
	struct fixture *fixture = *state;

	start_with_stick(fixture, WORKER_GOOD);
	unplug(fixture, "1-1.2");
	unplug(fixture, "1-1");
	plug(fixture, "1-1", 4);
	until_given_is(fixture, IN_USE);
	until_ports_are(fixture, 1);
	unplug(fixture, "1-1");
	plug_hub(fixture, "1-1", 5, 4);
	until_given_is(fixture, OPENED);
	until_ports_are(fixture, 5);
	assert_int_equal(hub_jobs, 2);
}

/* Seen at once, by one scan. */
static void another_hub_takes_the_hubs_place(void **state)
{
	struct fixture *fixture = *state;

	start_with_stick(fixture, WORKER_GOOD);
	unplug(fixture, "1-1.2");
	unplug(fixture, "1-1");
	plug_hub(fixture, "1-1", 4, 2);
	until_count(fixture, &hub_jobs, 2);
	until_ports_are(fixture, 3);
	plug(fixture, "1-1.2", 5);
	until_at(fixture, "hs-1.2", IN_USE);
}

static void the_hubs_driver_is_bound_anew(void **state)
{
	struct fixture *fixture = *state;

	start_with_stick(fixture, WORKER_GOOD);
	fake_ports_anew(&fixture->sysfs, "1-1", 4);
	fixture->broker.topology_dirty = true;
	until_count(fixture, &hub_jobs, 2);
	until_ports_are(fixture, 5);
	until_at(fixture, "hs-1.2", IN_USE);
	until_given_is(fixture, OPENED);
}

static void a_hub_is_being_reset(void **state)
{
	struct fixture *fixture = *state;
	struct given *given;

	start_with_stick(fixture, WORKER_GOOD);
	given = at(fixture, "hs-1.2");
	fake_file(&fixture->sysfs, "0\n", "devices/" PCI "/usb1/1-1/devnum");
	fixture->broker.topology_dirty = true;
	some_turns(fixture);
	assert_ptr_equal(at(fixture, "hs-1.2"), given);
	assert_int_equal(given->device_state, DEVICE_ATTACHED);
	assert_int_equal(hub_jobs, 1);
}

static void the_ports_claim_is_lost_while_its_hub_is_opened(void **state)
{
	struct fixture *fixture = *state;

	hub_lost = true;
	hub_error[0] = -EBUSY;
	start_connected(fixture, WORKER_GOOD);
	assert_int_equal(claim_jobs, 1);
	plug_hub(fixture, "1-1", 2, 4);
	until_count(fixture, &claim_jobs, 2);
	hub_lost = false;
	hub_error[0] = 0;
	until_given_is(fixture, OPENED);
	assert_int_equal(claim_jobs, 2);
}

/* The claim is one of the outer hub's then: that one is opened anew. */
static void a_claim_behind_a_hub_is_lost(void **state)
{
	struct fixture *fixture = *state;

	start_connected(fixture, WORKER_GOOD);
	plug_hub(fixture, "1-1", 2, 2);
	until_ports_are(fixture, 3);
	hub_lost = true;
	hub_error[0] = -EBUSY;
	plug_hub(fixture, "1-1.2", 3, 2);
	until_count(fixture, &hub_jobs, 2);
	hub_lost = false;
	hub_error[0] = 0;
	until_count(fixture, &hub_jobs, 4);
	until_ports_are(fixture, 5);
	assert_int_equal(claim_jobs, 1);
}

static void a_device_that_plays_hubs_waits_longer_and_longer(void **state)
{
	struct fixture *fixture = *state;

	hub_paused_ms = 5000;
	start_connected(fixture, WORKER_GOOD);
	plug_hub(fixture, "1-1", 2, 4);
	until_ports_are(fixture, 5);
	/* Another one, and a hub behind it, pay from the same purse. */
	unplug(fixture, "1-1");
	plug_hub(fixture, "1-1", 3, 4);
	until_given_is(fixture, "hub, to be opened in 20 s: hubs come too often here");
	until_ports_are(fixture, 1);
	assert_int_equal(hub_jobs, 1);
	hub_paused_ms = 4000;
	fixture->broker.given->hubs_until_ms = 0;
	until_ports_are(fixture, 5);
	plug_hub(fixture, "1-1.1", 4, 4);
	until_at(fixture, "hs-1.1", "hub, to be opened in 10 s");
	assert_int_equal(hub_jobs, 2);
}

static void many_quick_hubs_come_at_once(void **state)
{
	struct fixture *fixture = *state;
	char name[16];

	hub_paused_ms = 200;
	start_connected(fixture, WORKER_GOOD);
	plug_hub(fixture, "1-1", 2, 7);
	for (unsigned int port = 1; port <= 7; port++) {
		snprintf(name, sizeof(name), "1-1.%u", port);
		plug_hub(fixture, name, 2 + port, 4);
	}
	until_ports_are(fixture, 1 + 7 + 7 * 4);
	assert_int_equal(hub_jobs, 8);
}

static void hubs_have_more_ports_than_one_port_may(void **state)
{
	struct fixture *fixture = *state;

	start_connected(fixture, WORKER_GOOD);
	plug_hub(fixture, "1-1", 2, 30);
	plug_hub(fixture, "1-1.1", 3, 30);
	plug_hub(fixture, "1-1.2", 4, 30);
	until_ports_are(fixture, 1 + XVHC_HUB_PORTS_MAX);
	some_turns(fixture);
	assert_int_equal(fixture->broker.given_count, 1 + XVHC_HUB_PORTS_MAX);
}

static void the_guest_goes_and_comes_back(void **state)
{
	struct fixture *fixture = *state;

	start_with_stick(fixture, WORKER_GOOD);
	memory_store_guest_dies(fixture->store, GUEST);
	until_node(fixture, BACKEND, NULL);
	until_at(fixture, "hs-1.2", "waiting for the guest");
	assert_int_equal(fixture->broker.given_count, 5);
	memory_store_guest(fixture->store, GUEST + 1, "web");
	until_node(fixture, "/local/domain/0/backend/vusb/6/1000/state", "2");
	frontend_publishes(fixture, "/local/domain/6/device/vusb/1000", WORKER_GOOD);
	until_at(fixture, "hs-1.2", IN_USE);
	assert_int_equal(hub_jobs, 1);
}

static void the_broker_ends_while_a_hub_is_there(void **state)
{
	struct fixture *fixture = *state;
	uint64_t since_ms;

	start_with_stick(fixture, WORKER_GOOD);
	plug_hub(fixture, "1-1.3", 4, 2);
	until_ports_are(fixture, 7);
	since_ms = clock_ms();
	kill(getpid(), SIGTERM);
	until_node(fixture, BACKEND "/state", "5");
	memory_store_set(fixture->store, "6", FRONTEND "/state");
	while (broker_turn(&fixture->broker, 20))
		assert_true(clock_ms() < since_ms + LIMIT_MS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(a_hub_of_four_ports_is_plugged_in),
		TEST(a_hub_has_more_ports_than_one_controller),
		TEST(rules_for_the_port_hold_behind_the_hub),
		TEST(a_hub_is_unplugged),
		TEST(a_hub_is_unplugged_while_a_worker_keeps_a_device),
		TEST(a_hub_is_unplugged_while_a_device_is_opened),
		TEST(a_hub_of_usb_3_comes_with_its_usb_2_side_first),
		TEST(a_hub_of_usb_3_comes_with_its_superspeed_side_first),
		TEST(one_side_of_a_hub_cannot_be_opened),
		TEST(a_hub_is_behind_a_hub),
		TEST(a_port_with_a_hub_on_both_sides_is_taken_back),
		TEST(a_hub_is_taken_back_while_a_worker_keeps_a_device),
		TEST(two_hubs_are_taken_back_while_a_worker_keeps_a_device),
		TEST(a_port_behind_a_hub_is_given_and_taken),
		TEST(the_list_for_programs_says_with_what_a_port_is_given),
		TEST(a_hub_cannot_be_opened),
		TEST(dom0_uses_what_is_behind_the_hub),
		TEST(a_stick_takes_the_hubs_place_and_back),
		TEST(another_hub_takes_the_hubs_place),
		TEST(the_hubs_driver_is_bound_anew),
		TEST(a_hub_is_being_reset),
		TEST(the_ports_claim_is_lost_while_its_hub_is_opened),
		TEST(a_claim_behind_a_hub_is_lost),
		TEST(a_device_that_plays_hubs_waits_longer_and_longer),
		TEST(many_quick_hubs_come_at_once),
		TEST(hubs_have_more_ports_than_one_port_may),
		TEST(the_guest_goes_and_comes_back),
		TEST(the_broker_ends_while_a_hub_is_there),
	};

	if (argc > 0 && strcmp(argv[0], "xvhcd-worker") == 0)
		return worker_main();
	log_init("xvhcd", LOG_LEVEL_DEBUG);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
