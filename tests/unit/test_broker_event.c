// SPDX-License-Identifier: MIT
/*
 * Events of the whole broker on a store in memory: what is kept, how much, and who is told. Workers
 * are this very program: see worker_main().
 */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>
#include <json-c/json.h>

#include <broker/broker.h>
#include <broker/control_socket.h>
#include <broker/event.h>
#include <broker/given.h>
#include <common/message_io.h>

#include "broker_fixture.h"

#define RESETS_FOREVER 11u /* an event channel: how the worker behaves */
#define RESETS_NOTHING 12u

static void reset_say(uint32_t event, uint32_t count)
{
	struct message message = {.type = MESSAGE_PORT_EVENT};

	message.u.port_event.port = 1;
	message.u.port_event.event = event;
	message.u.port_event.count = count;
	if (message_send(3, &message, NULL) != 0)
		_exit(3);
}

static int worker_main(void)
{
	struct pollfd wait = {.fd = 3, .events = POLLIN};
	struct message_fds fds;
	struct message message;
	uint32_t manner = 0;

	for (;;) {
		poll(&wait, 1, -1);
		if (!(wait.revents & (POLLIN | POLLHUP))) {
			reset_say(PORT_EVENT_RESET, UINT32_MAX);
			continue;
		}
		if (message_receive(3, &message, &fds) != 1)
			return 0;
		if (message.type == MESSAGE_DESCRIBE)
			worker_describe_stick();
		if (message.type == MESSAGE_CONNECT)
			worker_say(MESSAGE_CONNECTED, 0, 0);
		if (message.type == MESSAGE_DETACH)
			worker_say(MESSAGE_DETACHED, message.u.port.port, 0);
		if (message.type == MESSAGE_CONNECT)
			manner = message.u.connect.event_channel;
		/* As often as the broker takes it. */
		if (manner == RESETS_FOREVER)
			wait.events = POLLIN | POLLOUT;
		if (message.type == MESSAGE_ATTACH) {
			worker_say(MESSAGE_PORT_STATE, 1, PORT_CONFIGURED);
			reset_say(PORT_EVENT_BLOCKED, 3);
			if (manner == RESETS_NOTHING)
				reset_say(PORT_EVENT_RESET, 0);
		}
		message_fds_close(&fds);
	}
}

static void fake_job_run(struct job *job, const struct job_paths *paths)
{
	struct message stick = description_of_a_stick();

	(void)paths;
	job_run_claims(job);
	if (job->type == JOB_OPEN)
		job->fd = answer_open(&stick);
	if (job->type == JOB_LABEL)
		snprintf(job->text, sizeof(job->text), "Cruzer");
}

static int setup(void **state)
{
	*state = fixture_new(fake_job_run);
	return 0;
}

static uint32_t count_of(const struct broker *broker, enum event_kind kind)
{
	uint32_t count = 0;

	for (const struct event *event = event_find(broker, 0); event; event = event->next)
		count += event->kind == kind;
	return count;
}

static void until_event(struct fixture *fixture, enum event_kind kind)
{
	uint64_t since_ms = clock_ms();

	while (count_of(&fixture->broker, kind) == 0)
		turn(fixture, since_ms, event_kind_name(kind));
}

/* The kinds of all events, as far as they are asked for, in their order. */
static void assert_kinds(const struct broker *broker, const char *wanted)
{
	char kinds[1024] = "";

	for (const struct event *event = event_find(broker, 0); event; event = event->next)
		snprintf(kinds + strlen(kinds), sizeof(kinds) - strlen(kinds), "%s ",
			 event_kind_name(event->kind));
	assert_string_equal(kinds, wanted);
}

static struct json_object *last_event(const struct broker *broker, enum event_kind kind)
{
	const struct event *found = NULL;

	for (const struct event *event = event_find(broker, 0); event; event = event->next)
		if (event->kind == kind)
			found = event;
	assert_non_null(found);
	return json_tokener_parse(found->text);
}

static const char *text_of(struct json_object *event, const char *name)
{
	struct json_object *value = NULL;

	assert_true(json_object_object_get_ex(event, name, &value));
	return json_object_get_string(value);
}

static void start_connected(struct fixture *fixture, unsigned int manner)
{
	start_with_given(fixture);
	until_given_is(fixture, "frontend driver");
	frontend_publishes(fixture, FRONTEND, manner);
	until_node(fixture, BACKEND "/state", "4");
}

static void a_device_tells_its_story(void **state)
{
	struct fixture *fixture = *state;
	struct json_object *event, *device;

	start_connected(fixture, 10);
	plug(fixture, "1-1", 2);
	until_event(fixture, EVENT_BLOCKED);
	unplug(fixture, "1-1");
	until_event(fixture, EVENT_DETACHED);
	assert_kinds(&fixture->broker,
		     "started connected plugged attached configured blocked unplugged detached ");
	event = last_event(&fixture->broker, EVENT_BLOCKED);
	assert_string_equal(text_of(event, "port"), "1-1");
	assert_string_equal(text_of(event, "place"), PLACE);
	assert_string_equal(text_of(event, "guest"), "web");
	assert_string_equal(text_of(event, "domain"), "5");
	assert_string_equal(text_of(event, "count"), "3");
	assert_int_equal(strlen(text_of(event, "time")), strlen("2026-11-27T10:31:05.123Z"));
	assert_true(json_object_object_get_ex(event, "device", &device));
	assert_string_equal(text_of(device, "vendor"), "46f4");
	json_object_put(event);
	/* It is gone from sysfs, and known all the same. */
	event = last_event(&fixture->broker, EVENT_UNPLUGGED);
	assert_string_equal(text_of(event, "message"), "46f4:0001 Cruzer is unplugged");
	assert_string_equal(text_of(event, "guest"), "web");
	json_object_put(event);
}

static void what_was_there_before_is_not_told(void **state)
{
	struct fixture *fixture = *state;

	plug(fixture, "1-3", 3);
	start(fixture);
	turn(fixture, clock_ms(), "one round");
	plug(fixture, "1-4", 4);
	until_event(fixture, EVENT_PLUGGED);
	unplug(fixture, "1-3");
	until_event(fixture, EVENT_UNPLUGGED);
	assert_kinds(&fixture->broker, "started plugged unplugged ");
}

static void a_guest_that_resets_in_a_loop_floods_nobody(void **state)
{
	struct fixture *fixture = *state;
	uint32_t with_left_out = 0;
	uint64_t since_ms;

	start_connected(fixture, RESETS_FOREVER);
	plug(fixture, "1-1", 2);
	until_event(fixture, EVENT_RESET);
	since_ms = clock_ms();
	while (count_of(&fixture->broker, EVENT_RESET) <= XVHC_EVENTS_PER_SECOND_MAX)
		turn(fixture, since_ms, "the next second");
	assert_true(clock_ms() - since_ms >= 900);
	for (const struct event *event = event_find(&fixture->broker, 0); event;
	     event = event->next)
		with_left_out += strstr(event->text, "\"left-out\":") != NULL;
	assert_true(with_left_out > 0);
	while (event_find(&fixture->broker, 0)->kind != EVENT_RESET &&
	       count_of(&fixture->broker, EVENT_RESET) < XVHC_EVENTS_OF_A_KIND_MAX)
		turn(fixture, since_ms, "as many as are kept");
	/* Nothing else was displaced. */
	assert_int_equal(count_of(&fixture->broker, EVENT_CONFIGURED), 1);
	unplug(fixture, "1-1");
	until_event(fixture, EVENT_UNPLUGGED);
	assert_true(count_of(&fixture->broker, EVENT_RESET) <= XVHC_EVENTS_OF_A_KIND_MAX);
}

static void a_worker_that_counts_nothing_is_ended(void **state)
{
	struct fixture *fixture = *state;
	struct json_object *event;

	start_connected(fixture, RESETS_NOTHING);
	plug(fixture, "1-1", 2);
	until_event(fixture, EVENT_RESTARTING);
	event = last_event(&fixture->broker, EVENT_ERROR);
	assert_non_null(strstr(text_of(event, "message"), "broke the protocol"));
	json_object_put(event);
	event = last_event(&fixture->broker, EVENT_RESTARTING);
	assert_string_equal(text_of(event, "pause-ms"), "100");
	assert_string_equal(text_of(event, "guest"), "web");
	json_object_put(event);
	assert_int_equal(count_of(&fixture->broker, EVENT_DISCONNECTED), 1);
	assert_int_equal(count_of(&fixture->broker, EVENT_RESET), 0);
}

/* Events that are put by hand. */

static void put(struct broker *broker, enum event_kind kind, const char *place, const char *guest)
{
	struct event_facts facts = {0};

	snprintf(facts.place, sizeof(facts.place), "%s", place);
	snprintf(facts.guest, sizeof(facts.guest), "%s", guest);
	event_put(broker, kind, &facts, "something");
	/* As if that had been long ago. */
	for (struct event *event = broker->events.first; event; event = event->next)
		event->told_ms = 0;
}

static void a_guest_displaces_its_own_events_alone(void **state)
{
	struct fixture *fixture = *state;
	struct broker *broker = &fixture->broker;
	char place[XVHC_PLACE_MAX];
	uint32_t of_web = 0;

	start(fixture);
	put(broker, EVENT_GIVEN, "place", "mail");
	for (uint32_t i = 0; i < 2 * XVHC_EVENTS_MAX; i++) {
		snprintf(place, sizeof(place), "place-%u", i);
		put(broker, EVENT_RESET, place, "web");
	}
	for (const struct event *event = event_find(broker, 0); event; event = event->next)
		of_web += strcmp(event->guest, "web") == 0;
	assert_int_equal(of_web, XVHC_EVENTS_OF_A_GUEST_MAX);
	assert_int_equal(count_of(broker, EVENT_GIVEN), 1);
	assert_int_equal(count_of(broker, EVENT_STARTED), 1);
}

static void all_guests_together_have_a_limit(void **state)
{
	struct fixture *fixture = *state;
	struct broker *broker = &fixture->broker;
	char guest[32];

	start(fixture);
	for (uint32_t i = 0; i < XVHC_EVENTS_MAX + 10; i++) {
		snprintf(guest, sizeof(guest), "guest-%u", i);
		put(broker, EVENT_CONNECTED, "", guest);
	}
	assert_int_equal(broker->events.count, XVHC_EVENTS_MAX);
	assert_int_equal(event_find(broker, 0)->number, 12);
}

static void the_last_of_a_port_are_its_own_and_its_guests(void **state)
{
	struct fixture *fixture = *state;
	struct broker *broker = &fixture->broker;
	struct json_object *array, *first;
	struct place place;

	start_with_given(fixture);
	until_given_is(fixture, "frontend driver");
	put(broker, EVENT_RESET, PLACE, "web");
	put(broker, EVENT_RESET, "pci-" PCI "/hs-2", "web");
	put(broker, EVENT_CONNECTED, "", "web");
	put(broker, EVENT_CONNECTED, "", "mail");
	put(broker, EVENT_ERROR, PLACE, "web");
	assert_true(place_parse(PLACE, &place));
	array = event_last_json(broker, &place, 10);
	assert_int_equal(json_object_array_length(array), 3);
	json_object_put(array);
	array = event_last_json(broker, &place, 2);
	assert_int_equal(json_object_array_length(array), 2);
	first = json_object_array_get_idx(array, 0);
	assert_string_equal(text_of(first, "kind"), "connected");
	json_object_put(array);
	assert_true(place_parse("pci-" PCI "/hs-7", &place));
	array = event_last_json(broker, &place, 10);
	assert_int_equal(json_object_array_length(array), 0);
	json_object_put(array);
}

static void nothing_in_a_message_moves_a_terminal(void **state)
{
	struct fixture *fixture = *state;
	struct json_object *event;

	start(fixture);
	event_tell(&fixture->broker, EVENT_ERROR, (struct event_about){0}, "a\033[2J\n\xff");
	event = last_event(&fixture->broker, EVENT_ERROR);
	assert_string_equal(text_of(event, "message"), "a?[2J??");
	json_object_put(event);
}

/* Those who follow. */

static int follow(struct fixture *fixture, const char *request)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), bytes = 1;

	assert_true(strlen(fixture->socket) < sizeof(address.sun_path));
	memcpy(address.sun_path, fixture->socket, strlen(fixture->socket));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(write(fd, request, strlen(request)), strlen(request));
	return fd;
}

/* Reads until there are these words; the last line is the one that they are in. */
static void until_read(struct fixture *fixture, int fd, const char *words)
{
	static char text[4u << 20];
	uint64_t since_ms = clock_ms();
	size_t length = 0;
	ssize_t got;

	text[0] = '\0';
	while (!strstr(text, words)) {
		turn(fixture, since_ms, words);
		while ((got = read(fd, text + length, sizeof(text) - 1 - length)) > 0)
			length += (size_t)got;
		assert_true(got < 0 && errno == EAGAIN);
		text[length] = '\0';
	}
}

static void one_who_does_not_read_is_told_what_it_lost(void **state)
{
	struct fixture *fixture = *state;
	struct broker *broker = &fixture->broker;
	int fd;

	start(fixture);
	fd = follow(fixture, "{\"command\":\"monitor\"}\n");
	until_read(fixture, fd, "{\"ok\":true}\n");
	for (uint32_t i = 0; i < 4 * XVHC_EVENTS_MAX; i++) {
		char guest[32];

		snprintf(guest, sizeof(guest), "guest-%u", i);
		put(broker, EVENT_CONNECTED, "", guest);
		if (i % 64 == 0)
			turn(fixture, clock_ms(), "one round");
	}
	until_read(fixture, fd, "\"kind\":\"lost\"");
	put(broker, EVENT_GIVEN, "place", "mail");
	until_read(fixture, fd, "\"kind\":\"given\"");
	assert_int_equal(clients_that_follow(broker), 1);
	close(fd);
	for (uint64_t since_ms = clock_ms(); clients_that_follow(broker) > 0;)
		turn(fixture, since_ms, "the client's end");
}

static void the_last_ones_come_first(void **state)
{
	struct fixture *fixture = *state;
	struct broker *broker = &fixture->broker;
	int fd;

	start_with_given(fixture);
	until_given_is(fixture, "frontend driver");
	put(broker, EVENT_RESET, PLACE, "web");
	put(broker, EVENT_CHANGED, "pci-" PCI "/hs-2", "mail");
	put(broker, EVENT_RESTARTING, "", "web");
	fd = follow(fixture, "{\"command\":\"monitor\",\"last\":3,\"words\":[\"1-1\"]}\n");
	until_read(fixture, fd, "restarting");
	put(broker, EVENT_CHANGED, "pci-" PCI "/hs-2", "mail");
	put(broker, EVENT_GIVEN, PLACE, "web");
	until_read(fixture, fd, "given");
	close(fd);
}

static void too_many_cannot_follow(void **state)
{
	struct fixture *fixture = *state;
	int fds[XVHC_MONITORS_MAX];

	start(fixture);
	for (uint32_t i = 0; i < XVHC_MONITORS_MAX; i++) {
		fds[i] = follow(fixture, "{\"command\":\"monitor\"}\n");
		until_read(fixture, fds[i], "\"ok\":true");
	}
	until_answered(fixture, "{\"command\":\"monitor\"}", "No more than 8 can follow");
	close(fds[3]);
	for (uint64_t since_ms = clock_ms();
	     clients_that_follow(&fixture->broker) == XVHC_MONITORS_MAX;)
		turn(fixture, since_ms, "one less");
	until_answered(fixture, "{\"command\":\"monitor\"}", "\"ok\":true");
	for (uint32_t i = 0; i < XVHC_MONITORS_MAX; i++)
		if (i != 3)
			close(fds[i]);
}

static void one_who_follows_has_nothing_to_say(void **state)
{
	struct fixture *fixture = *state;
	uint64_t since_ms;
	int fd;

	start(fixture);
	fd = follow(fixture, "{\"command\":\"monitor\"}\n");
	until_read(fixture, fd, "\"ok\":true");
	assert_int_equal(write(fd, "x", 1), 1);
	since_ms = clock_ms();
	while (clients_that_follow(&fixture->broker) > 0)
		turn(fixture, since_ms, "the end of the connection");
	close(fd);
}

static void requests_that_make_no_sense(void **state)
{
	static const char *const requests[][2] = {
		{"{\"command\":\"monitor\",\"last\":-1}", "from 0 to"},
		{"{\"command\":\"monitor\",\"last\":\"5\"}", "from 0 to"},
		{"{\"command\":\"monitor\",\"last\":99999}", "from 0 to"},
		{"{\"command\":\"monitor\",\"words\":\"web\"}", "No more than 8"},
		{"{\"command\":\"monitor\",\"words\":[\"a b\"]}", "neither"},
		{"{\"command\":\"monitor\",\"words\":[1]}", "neither"},
		{"{\"command\":\"monitor\",\"words\":[[]]}", "neither"},
		{"{\"command\":\"monitor\",\"words\":[\"9-9\"]}", "no port 9-9"},
		{"{\"command\":\"monitor\",\"words\":[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\","
		 "\"h\",\"i\"]}",
		 "No more than 8"},
	};
	struct fixture *fixture = *state;

	start(fixture);
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		until_answered(fixture, requests[i][0], requests[i][1]);
	assert_int_equal(clients_that_follow(&fixture->broker), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(a_device_tells_its_story),
		TEST(what_was_there_before_is_not_told),
		TEST(a_guest_that_resets_in_a_loop_floods_nobody),
		TEST(a_worker_that_counts_nothing_is_ended),
		TEST(a_guest_displaces_its_own_events_alone),
		TEST(all_guests_together_have_a_limit),
		TEST(the_last_of_a_port_are_its_own_and_its_guests),
		TEST(nothing_in_a_message_moves_a_terminal),
		TEST(one_who_does_not_read_is_told_what_it_lost),
		TEST(the_last_ones_come_first),
		TEST(too_many_cannot_follow),
		TEST(one_who_follows_has_nothing_to_say),
		TEST(requests_that_make_no_sense),
	};

	if (argc > 0 && strcmp(argv[0], "xvhcd-worker") == 0)
		return worker_main();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
