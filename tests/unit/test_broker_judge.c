// SPDX-License-Identifier: MIT
/*
 * The broker and its describers: what they say, lie, or do not say. A describer is this very
 * program, started again under the worker's name. The "device" that it is handed is a file with the
 * answer that the test wants it to give.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <broker/broker.h>
#include <broker/controller_worker.h>
#include <broker/given.h>
#include <common/message_io.h>

#include "broker_fixture.h"

#define PORTS FIXTURE_PORTS
#define DIES 1000u /* types of an answer: do this instead */
#define SILENT 1001u

static void describer_answer(const struct message_fds *fds)
{
	struct message answer = answer_read(fds);

	if (answer.type == DIES)
		_exit(9);
	if (answer.type != SILENT && message_send(3, &answer, NULL) != 0)
		_exit(3);
}

/* Tells by the port's state what flags came with the device: addressed, where DFU is allowed. */
static void worker_attached(const struct message_attach *attach)
{
	worker_say(MESSAGE_PORT_STATE, attach->port,
		   attach->flags == ATTACH_ALLOW_DFU ? PORT_ADDRESSED : PORT_CONFIGURED);
}

static int worker_main(void)
{
	struct pollfd wait = {.fd = 3, .events = POLLIN};
	struct message message;
	struct message_fds fds;

	for (;;) {
		poll(&wait, 1, -1);
		if (message_receive(3, &message, &fds) != 1)
			return 0;
		if (message.type == MESSAGE_DESCRIBE)
			describer_answer(&fds);
		else if (message.type == MESSAGE_CONNECT)
			worker_say(MESSAGE_CONNECTED, 0, 0);
		else if (message.type == MESSAGE_ATTACH)
			worker_attached(&message.u.attach);
		else if (message.type == MESSAGE_DETACH)
			worker_say(MESSAGE_DETACHED, message.u.port.port, 0);
		message_fds_close(&fds);
	}
}

/* What describers of the device in each port say; read by the jobs' thread. */
static struct message answers[PORTS + 1];

static unsigned long port_of(const char *device_name)
{
	return strtoul(strchr(device_name, '-') + 1, NULL, 10);
}

static void fake_job_run(struct job *job, const struct job_paths *paths)
{
	(void)paths;
	job_run_claims(job);
	if (job->type == JOB_HUB)
		job->fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (job->type == JOB_OPEN)
		job->fd = job->describe ? answer_open(&answers[port_of(job->device_name)])
					: open("/dev/zero", O_RDWR | O_CLOEXEC);
}

static int setup(void **state)
{
	struct fixture *fixture = fixture_new(fake_job_run);

	fixture->options.config = fixture->config;
	for (int port = 0; port <= PORTS; port++)
		answers[port] = description_of_a_stick();
	*state = fixture;
	return 0;
}

/* Starts with port 1 given to the guest web, which runs and is connected. */
static void start_connected(struct fixture *fixture, const char *config)
{
	fake_file(&fixture->sysfs, config, "xvhc.conf");
	start_with_given(fixture);
	until_given_is(fixture, "frontend driver");
	frontend_publishes(fixture, FRONTEND, 10);
	until_node(fixture, BACKEND "/state", "4");
}

static void reload(struct fixture *fixture, const char *config)
{
	fake_file(&fixture->sysfs, config, "xvhc.conf");
	kill(getpid(), SIGHUP);
}

static void allowed_device_goes_to_the_guest(void **state)
{
	struct fixture *fixture = *state;

	start_connected(fixture, "filter = 0x03:-1:-1:-1:0|-1:-1:-1:-1:1\n");
	plug(fixture, "1-1", 2);
	until_given_is(fixture, "in use by web (configured)");
}

static void forbidden_device_stays_and_says_why(void **state)
{
	struct fixture *fixture = *state;
	struct given *given;

	answers[1] = description_of_a_keyboard();
	start_connected(fixture,
			"[guest web]\nfilter = 0x08:-1:-1:-1:1\nfilter = 0x03:-1:-1:-1:0\n");
	plug(fixture, "1-1", 2);
	until_given_is(fixture, "refused: rule 0x03:-1:-1:-1:0 of the filter of [guest web]");
	given = fixture->broker.given;
	assert_int_equal(given->device_state, DEVICE_PRESENT);
	assert_int_equal(given->claim_state, CLAIM_HELD);
	/* The next one in the port is another matter. */
	unplug(fixture, "1-1");
	until_given_is(fixture, "ready, empty");
	answers[1] = description_of_a_stick();
	plug(fixture, "1-1", 3);
	until_given_is(fixture, "in use by web (configured)");
}

static void forbidden_device_of_a_guest_that_does_not_run(void **state)
{
	struct fixture *fixture = *state;

	fake_file(&fixture->sysfs, "pci-0000:00:04.0/hs-1 later\n", "ports.conf");
	fake_file(&fixture->sysfs, "[port pci-0000:00:04.0/hs-1]\nfilter = 3:-1:-1:-1:1\n",
		  "xvhc.conf");
	start(fixture);
	plug(fixture, "1-1", 2);
	until_given_is(fixture,
		       "refused: no rule allows it in the filter of [port pci-0000:00:04.0/hs-1]");
}

static void allow_dfu_goes_along_with_the_device(void **state)
{
	struct fixture *fixture = *state;

	start_connected(fixture, "[guest web]\nallow-dfu = yes\n");
	plug(fixture, "1-1", 2);
	until_given_is(fixture, "in use by web (addressed)");
}

static void lie_about(struct fixture *fixture, struct message lie, const char *says)
{
	answers[1] = lie;
	plug(fixture, "1-1", 2);
	until_given_is(fixture, says);
	unplug(fixture, "1-1");
	until_given_is(fixture, "ready, empty");
}

static void describers_that_lie(void **state)
{
	struct fixture *fixture = *state;
	struct message lie;

	start_connected(fixture, "");
	lie = description_of_a_stick();
	lie.u.description.vendor++;
	lie_about(fixture, lie, "refused: its describer says something else than the kernel");
	lie = description_of_a_stick();
	lie.u.description.device.class = 3;
	lie_about(fixture, lie, "refused: its describer says something else than the kernel");
	lie = description_of_a_stick();
	lie.u.description.version = 7;
	lie_about(fixture, lie, "refused: its describer says something else than the kernel");
	lie = description_of_a_stick();
	lie.u.description.kinds = 255;
	lie_about(fixture, lie, "refused: its describer broke the protocol");
	lie = description_of_a_stick();
	lie.u.description.complete = 0;
	lie_about(fixture, lie, "refused: it has more kinds of interfaces than can be judged");
	lie = description_of_a_stick();
	lie.u.description.kind[0].class = CLASS_HUB;
	lie_about(fixture, lie, "refused: hubs never go to a guest");
}

static void describers_that_say_something_else(void **state)
{
	/* All that a worker can say, what the broker says itself, and what nobody says. */
	static const uint32_t types[] = {MESSAGE_CONNECTED,
					 MESSAGE_PORT_STATE,
					 MESSAGE_DETACHED,
					 MESSAGE_CONNECT,
					 MESSAGE_ATTACH,
					 MESSAGE_DETACH,
					 MESSAGE_DESCRIBE,
					 0,
					 77};
	struct fixture *fixture = *state;
	struct message lie = description_of_a_stick();

	start_connected(fixture, "");
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		lie.type = types[i];
		lie_about(fixture, lie, "refused: its describer broke the protocol");
	}
	lie = (struct message){.type = MESSAGE_FAILED};
	memset(lie.u.failed.text, '\x1b', sizeof(lie.u.failed.text));
	lie_about(fixture, lie, "refused: ????");
	lie.type = DIES;
	lie_about(fixture, lie, "refused: its describer ended with code 9");
	/* The guest's worker and its connection saw nothing of all this. */
	answers[1] = description_of_a_stick();
	plug(fixture, "1-1", 3);
	until_given_is(fixture, "in use by web (configured)");
}

static void silent_describer_is_ended_at_its_limit(void **state)
{
	struct fixture *fixture = *state;

	answers[1].type = SILENT;
	start_connected(fixture, "");
	plug(fixture, "1-1", 2);
	until_given_is(fixture, "refused: its descriptors take too long to read");
}

/* More devices than describers, each of which takes its time: all have their turn. */
static void silent_describers_do_not_hold_up_others_for_good(void **state)
{
	struct fixture *fixture = *state;
	char lines[1024] = "", name[16];
	struct given *last;

	for (int port = 1; port <= PORTS; port++)
		sprintf(lines + strlen(lines), "pci-0000:00:04.0/hs-%d later\n", port);
	fake_file(&fixture->sysfs, lines, "ports.conf");
	for (int port = 1; port <= (int)XVHC_DESCRIBERS_MAX; port++)
		answers[port].type = SILENT;
	answers[PORTS] = description_of_a_keyboard();
	fake_file(&fixture->sysfs, "filter = 3:-1:-1:-1:0|-1:-1:-1:-1:1\n", "xvhc.conf");
	for (int port = 1; port <= PORTS; port++) {
		snprintf(name, sizeof(name), "1-%d", port);
		plug(fixture, name, 10 + (unsigned int)port);
	}
	start(fixture);
	broker_turn(&fixture->broker, 0);
	last = fixture->broker.given;
	while (last->next)
		last = last->next;
	until_state_is(fixture, &last, "refused: rule");
	until_given_is(fixture, "refused: its descriptors take too long to read");
}

static void device_that_is_pulled_while_it_is_described(void **state)
{
	struct fixture *fixture = *state;

	answers[1].type = SILENT;
	start_connected(fixture, "");
	plug(fixture, "1-1", 2);
	while (!fixture->broker.given->describer || !fixture->broker.given->describer->running)
		broker_turn(&fixture->broker, 20);
	unplug(fixture, "1-1");
	until_given_is(fixture, "ready, empty");
	assert_null(fixture->broker.given->describer);
	answers[1] = description_of_a_stick();
	plug(fixture, "1-1", 3);
	until_given_is(fixture, "in use by web (configured)");
}

static void device_that_comes_back_as_another(void **state)
{
	struct fixture *fixture = *state;
	struct given *given;

	start_connected(fixture, "filter = 0x03:-1:-1:-1:0|-1:-1:-1:-1:1\n");
	given = fixture->broker.given;
	plug(fixture, "1-1", 2);
	until_given_is(fixture, "in use by web (configured)");
	assert_string_equal(given->changed_from, "");
	unplug(fixture, "1-1");
	answers[1] = description_of_a_keyboard();
	plug(fixture, "1-1", 3);
	until_given_is(fixture,
		       "refused: rule 0x03:-1:-1:-1:0 of the filter for all; it was 46f4:0001 "
		       "(08:06:50) before");
	assert_string_equal(given->changed_from, "46f4:0001 (08:06:50)");
	/* The guest had no keyboard, so the stick has not changed when it is there again. */
	unplug(fixture, "1-1");
	answers[1] = description_of_a_stick();
	plug(fixture, "1-1", 4);
	until_given_is(fixture, "in use by web (configured)");
	assert_string_equal(given->changed_from, "");
}

static void device_that_comes_back_as_another_that_is_allowed(void **state)
{
	struct fixture *fixture = *state;

	start_connected(fixture, "");
	plug(fixture, "1-1", 2);
	until_given_is(fixture, "in use by web (configured)");
	unplug(fixture, "1-1");
	answers[1].u.description.kinds = 2;
	answers[1].u.description.kind[1] = (struct message_kind){3, 0, 0};
	plug(fixture, "1-1", 3);
	until_given_is(fixture, "in use by web (configured); it was 46f4:0001 (08:06:50) before");
	/* It has been away for so long that another one is no surprise. */
	unplug(fixture, "1-1");
	until_given_is(fixture, "ready, empty");
	fixture->broker.given->had_until_ms -= XVHC_CHANGE_WINDOW_MS + LIMIT_MS;
	answers[1] = description_of_a_keyboard();
	plug(fixture, "1-1", 4);
	until_given_is(fixture, "in use by web (configured)");
	assert_string_equal(fixture->broker.given->changed_from, "");
}

static void new_policy_takes_and_gives_devices(void **state)
{
	struct fixture *fixture = *state;

	start_connected(fixture, "");
	plug(fixture, "1-1", 2);
	until_given_is(fixture, "in use by web (configured)");
	reload(fixture, "filter = 0x08:-1:-1:-1:0\n");
	until_given_is(fixture, "refused: rule 0x08:-1:-1:-1:0 of the filter for all");
	assert_int_equal(fixture->broker.given->device_state, DEVICE_PRESENT);
	/* One that cannot be read changes nothing. */
	reload(fixture, "filter = nonsense\n");
	for (int turn = 0; turn < 5; turn++)
		broker_turn(&fixture->broker, 20);
	until_given_is(fixture, "refused: rule 0x08:-1:-1:-1:0 of the filter for all");
	reload(fixture, "filter = 0x08:-1:-1:-1:1\n");
	until_given_is(fixture, "in use by web (configured)");
}

static void list_for_programs_says_why_and_from_what(void **state)
{
	struct fixture *fixture = *state;

	start_connected(fixture, "filter = 0x03:-1:-1:-1:0|-1:-1:-1:-1:1\n");
	plug(fixture, "1-1", 2);
	until_given_is(fixture, "in use by web (configured)");
	until_answered(fixture, "{\"command\":\"list\"}",
		       "\"refused-by\":null,\"changed-from\":null");
	unplug(fixture, "1-1");
	answers[1] = description_of_a_keyboard();
	plug(fixture, "1-1", 3);
	until_given_is(fixture, "refused");
	until_answered(fixture, "{\"command\":\"list\"}",
		       "\"refused-by\":\"rule 0x03:-1:-1:-1:0 of the filter for all\","
		       "\"changed-from\":\"46f4:0001 (08:06:50)\"");
}

static void device_that_comes_back_as_a_hub(void **state)
{
	struct fixture *fixture = *state;

	start_connected(fixture, "");
	plug(fixture, "1-1", 2);
	until_given_is(fixture, "in use by web (configured)");
	unplug(fixture, "1-1");
	fake_device(&fixture->sysfs, "1-1", 3, "480\n", CLASS_HUB, 4);
	fixture->broker.topology_dirty = true;
	until_given_is(fixture, "hub, given with its ports; it was 46f4:0001 (08:06:50) before");
	/* It is not for a rule to refuse: what is behind it is judged. */
	reload(fixture, "filter = -1:-1:-1:-1:0\n");
	for (int turn = 0; turn < 5; turn++)
		broker_turn(&fixture->broker, 20);
	until_given_is(fixture, "hub, given with its ports");
	assert_int_equal(fixture->broker.given->device_state, DEVICE_HUB);
}

static void flood_of_state_changes_is_looked_at_slowly(void **state)
{
	struct fixture *fixture = *state;
	uint64_t limit = clock_ms() + LIMIT_MS;
	struct controller *controller;
	uint32_t reads, looks = 0;

	start_connected(fixture, "xenstore-changes-per-second = 10\n");
	controller = fixture->broker.given->controller;
	for (int change = 0; change < 1000; change++) {
		reads = memory_store_reads(fixture->store);
		memory_store_set(fixture->store, "4", FRONTEND "/state");
		broker_turn(&fixture->broker, 0);
		looks += memory_store_reads(fixture->store) != reads;
	}
	/* A full bucket, and what came into it meanwhile. */
	assert_in_range(looks, RATE_BURST_MIN / 2, RATE_BURST_MIN + 10 * (LIMIT_MS / 1000));
	assert_int_not_equal(controller->look_at_ms, 0);
	assert_int_equal(controller->phase, PHASE_CONNECTED);
	/* The last change is seen, if late. */
	memory_store_set(fixture->store, "6", FRONTEND "/state");
	while (controller->phase == PHASE_CONNECTED) {
		assert_true(clock_ms() < limit);
		broker_turn(&fixture->broker, 20);
	}
}

static void transfers_of_a_guest_are_set_aside_for_its_workers(void **state)
{
	struct fixture *fixture = *state;
	struct worker_slot *slot = &fixture->broker.workers[0];

	start_connected(fixture,
			"[guest web]\ntransfers-in-flight = 10\nbytes-in-flight = 1200000\n");
	assert_int_equal(slot->transfers_share, 10);
	assert_int_equal(slot->bytes_share, 1u << 20);
	/* A second connection, while the first still has all: there is nothing to start it with. */
	assert_int_equal(controller_worker_start(&fixture->broker,
						 fixture->broker.given->controller,
						 &(struct frontend_offer){.version = 1}),
			 -EDQUOT);
	assert_false(fixture->broker.workers[1].used);
}

static void quotas_are_shares_of_one_pool(void **state)
{
	struct fixture *fixture = *state;
	struct worker_slot *slot = &fixture->broker.workers[0];

	start_connected(fixture, "");
	assert_true(slot->used);
	assert_int_equal(slot->bytes_share, 1u << 20);
}

static void missing_configuration_that_was_named_stops_the_start(void **state)
{
	struct fixture *fixture = *state;

	fixture->options.config_required = true;
	assert_int_equal(broker_init(&fixture->broker, &fixture->options, fixture->store), -ENOENT);
}

static void guest_without_a_share_is_not_connected(void **state)
{
	struct fixture *fixture = *state;
	uint64_t limit = clock_ms() + LIMIT_MS;

	/* The other one has all of the host's memory for usbfs. */
	fake_file(&fixture->sysfs, "1\n", "module/usbcore/parameters/usbfs_memory_mb");
	fake_file(&fixture->sysfs, "pci-0000:00:04.0/hs-1 web\npci-0000:00:04.0/hs-2 mail\n",
		  "ports.conf");
	memory_store_guest(fixture->store, 5, "web");
	memory_store_guest(fixture->store, 6, "mail");
	start(fixture);
	until_given_is(fixture, "frontend driver");
	for (unsigned int guest = 5; guest <= 6; guest++) {
		memory_store_set(fixture->store, "8",
				 "/local/domain/%u/device/vusb/1000/urb-ring-ref", guest);
		memory_store_set(fixture->store, "9",
				 "/local/domain/%u/device/vusb/1000/conn-ring-ref", guest);
		memory_store_set(fixture->store, "10",
				 "/local/domain/%u/device/vusb/1000/event-channel", guest);
		memory_store_set(fixture->store, "4", "/local/domain/%u/device/vusb/1000/state",
				 guest);
	}
	/* The first has what there is; the second is tried again, and again, and has nothing. */
	while (fixture->broker.given->controller->phase != PHASE_CONNECTED ||
	       fixture->broker.given->next->controller->attempts < 1) {
		assert_true(clock_ms() < limit);
		broker_turn(&fixture->broker, 20);
	}
	assert_in_range(fixture->broker.workers[0].bytes_share, XVHC_WORKER_BYTES_MIN_1,
			(1u << 20) - 1);
	assert_false(fixture->broker.workers[1].used);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(allowed_device_goes_to_the_guest),
		TEST(forbidden_device_stays_and_says_why),
		TEST(forbidden_device_of_a_guest_that_does_not_run),
		TEST(allow_dfu_goes_along_with_the_device),
		TEST(describers_that_lie),
		TEST(describers_that_say_something_else),
		TEST(silent_describer_is_ended_at_its_limit),
		TEST(silent_describers_do_not_hold_up_others_for_good),
		TEST(device_that_is_pulled_while_it_is_described),
		TEST(device_that_comes_back_as_another),
		TEST(device_that_comes_back_as_another_that_is_allowed),
		TEST(new_policy_takes_and_gives_devices),
		TEST(list_for_programs_says_why_and_from_what),
		TEST(device_that_comes_back_as_a_hub),
		TEST(flood_of_state_changes_is_looked_at_slowly),
		TEST(transfers_of_a_guest_are_set_aside_for_its_workers),
		TEST(missing_configuration_that_was_named_stops_the_start),
		TEST(quotas_are_shares_of_one_pool),
		TEST(guest_without_a_share_is_not_connected),
	};

	if (argc > 0 && strcmp(argv[0], "xvhcd-worker") == 0)
		return worker_main();
	log_init("xvhcd", LOG_LEVEL_DEBUG);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
