// SPDX-License-Identifier: MIT
/* Devices that are given by what they are: their names, and the whole broker with such. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <broker/broker.h>
#include <broker/given.h>
#include <broker/given_identity.h>
#include <broker/identity.h>

#include "broker_fixture.h"

#define STICKS "device 46f4:0001  web\n"

static void a_name_is_written_as_it_was_read(void **state)
{
	static const struct {
		const char *text, *name;
	} cases[] = {
		{"0951:1666", "0951:1666"},
		{"09AF:16fF", "09af:16ff"},
		{"0951:1666:5B8203", "0951:1666:5B8203"},
		{"0951:1666:a:b", "0951:1666:a:b"},
		{"0951:1666:%2f%20%ff%25", "0951:1666:/%20%FF%25"},
	};
	char text[IDENTITY_TEXT_MAX];
	struct identity identity;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(identity_parse(cases[i].text, &identity));
		identity_format(&identity, text);
		assert_string_equal(text, cases[i].name);
	}
}

static void what_names_no_device_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"0951",
		"0951:",
		"951:1666",
		"0951:16666",
		"0951:166g",
		"0951:1666:",
		"0951 1666",
		"0x951:1666",
		"0951:1666:a b",
		"0951:1666:%",
		"0951:1666:%2",
		"0951:1666:%2g",
		"0951:1666:%00",
		"0951:1666:\x1b",
		"0951:1666:caf\xc3\xa9",
		"0951:1666:#",
	};
	char text[2 * IDENTITY_TEXT_MAX];
	struct identity identity;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_false(identity_parse(texts[i], &identity));
	memset(text, 'y', sizeof(text));
	memcpy(text, "0951:1666:", 10);
	text[IDENTITY_TEXT_MAX] = '\0';
	assert_false(identity_parse(text, &identity));
	text[IDENTITY_TEXT_MAX - 1] = '\0';
	assert_true(identity_parse(text, &identity));
	/* These take three bytes each. */
	for (size_t i = 0; i < (XVHC_SERIAL_MAX - 1) / 3 + 1; i++)
		memcpy(text + 10 + 3 * i, "%20", 4);
	assert_false(identity_parse(text, &identity));
}

static void each_serial_number_has_one_name(void **state)
{
	char serial[XVHC_SERIAL_MAX], raw[XVHC_SERIAL_MAX + 1], twice[XVHC_SERIAL_MAX + 12];
	struct identity identity;

	(void)state;
	identity_serial("5B8203-x.y:z", serial);
	assert_string_equal(serial, "5B8203-x.y:z");
	identity_serial("a b\x1b[2J%#\xc3\xa9\x7f", serial);
	assert_string_equal(serial, "a%20b%1B[2J%25%23%C3%A9%7F");
	snprintf(twice, sizeof(twice), "0951:1666:%s", serial);
	assert_true(identity_parse(twice, &identity));
	assert_string_equal(identity.serial, serial);
	identity_serial("", serial);
	assert_string_equal(serial, "");
	/* One that is too long is not cut: it could be another's. */
	memset(raw, 'a', sizeof(raw));
	raw[XVHC_SERIAL_MAX] = '\0';
	identity_serial(raw, serial);
	assert_string_equal(serial, "");
	raw[XVHC_SERIAL_MAX - 1] = '\0';
	identity_serial(raw, serial);
	assert_int_equal(strlen(serial), XVHC_SERIAL_MAX - 1);
}

/* What the jobs did, and are to do: they run on threads of their own. */
static atomic_bool dom0_uses_devices;
static atomic_bool serials_are_slow;
static atomic_uint evictions, releases, descriptions;

static void fake_job_run(struct job *job, const struct job_paths *paths)
{
	struct message stick = description_of_a_stick();

	switch (job->type) {
	case JOB_LABEL:
		/* Until somebody says that they have come. */
		while (serials_are_slow)
			continue;
		usb_job_run(job, paths);
		break;
	case JOB_EVICT:
		evictions++;
		job->in_use = dom0_uses_devices;
		job->error = job->in_use ? -EBUSY : 0;
		snprintf(job->text, sizeof(job->text), "mounted");
		break;
	case JOB_OPEN:
		descriptions++;
		job->fd = answer_open(&stick);
		break;
	case JOB_HUB:
		job->fd = open("/dev/null", O_RDWR | O_CLOEXEC);
		break;
	case JOB_RELEASE:
		releases++;
		break;
	default:
		break;
	}
	job_run_claims(job);
}

static int describer_main(void)
{
	struct pollfd poll_socket = {.fd = 3, .events = POLLIN};
	struct message message, answer;
	struct message_fds fds;

	/* It may be here before the broker's message is. */
	poll(&poll_socket, 1, -1);
	if (message_receive(3, &message, &fds) != 1 || message.type != MESSAGE_DESCRIBE)
		return 1;
	answer = answer_read(&fds);
	message_fds_close(&fds);
	return message_send(3, &answer, NULL) == 0 ? 0 : 1;
}

static int setup(void **state)
{
	struct fixture *fixture = fixture_new(fake_job_run);

	fixture->paths.mounted.sysfs = fixture->sysfs.root;
	memory_store_guest(fixture->store, GUEST, "web");
	dom0_uses_devices = false;
	serials_are_slow = false;
	evictions = 0;
	releases = 0;
	descriptions = 0;
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	serials_are_slow = false;
	return fixture_teardown(state);
}

static void start_with(struct fixture *fixture, const char *lines)
{
	fake_file(&fixture->sysfs, lines, "ports.conf");
	start(fixture);
}

static void serial_set(struct fixture *fixture, const char *device, const char *serial)
{
	fake_file(&fixture->sysfs, serial, "devices/" PCI "/usb1/%s/serial", device);
}

/* The given port of this name, such as 1-3. NULL: it is not given. */
static struct given *given_at(struct fixture *fixture, const char *name)
{
	const struct connector *connector = topology_find_name(&fixture->broker.topology, name);

	return connector ? given_find(&fixture->broker, connector) : NULL;
}

static void until_at(struct fixture *fixture, const char *name, bool given, const char *awaited)
{
	uint64_t since_ms = clock_ms();

	do
		turn(fixture, since_ms, awaited);
	while ((given_at(fixture, name) && given_at(fixture, name)->confirmed) != given);
}

static void until_named(struct fixture *fixture)
{
	uint64_t since_ms = clock_ms();
	bool named;

	do {
		turn(fixture, since_ms, "all devices are named");
		named = true;
		for (uint32_t i = 0; i < fixture->broker.topology.device_count; i++)
			named = named && fixture->broker.topology.devices[i].named;
	} while (!named);
}

static void a_device_in_a_free_port_goes_to_its_guest(void **state)
{
	struct fixture *fixture = *state;
	struct given *given;

	start_with(fixture, STICKS);
	plug(fixture, "1-3", 5);
	until_at(fixture, "1-3", true, "1-3 is given");
	given = given_at(fixture, "1-3");
	assert_true(given->by_device);
	assert_string_equal(given->guest, "web");
	assert_int_equal(evictions, 1);
	until_node(fixture, BACKEND "/port/1", "pci-" PCI "/hs-3");
	/* It is in no line of the file but its own. */
	until_answered(fixture, "{\"command\":\"give\",\"port\":\"1-9\",\"guest\":\"web\"}", "ok");
	assert_int_equal(fixture->broker.file.count, 2);
	unplug(fixture, "1-3");
	until_at(fixture, "1-3", false, "1-3 is dom0's");
	assert_int_equal(releases, 1);
	plug(fixture, "1-4", 6);
	until_at(fixture, "1-4", true, "1-4 is given");
	assert_null(given_at(fixture, "1-3"));
}

static void a_device_that_comes_back_at_once_finds_its_port(void **state)
{
	struct fixture *fixture = *state;

	start_with(fixture, STICKS);
	plug(fixture, "1-3", 5);
	until_at(fixture, "1-3", true, "1-3 is given");
	unplug(fixture, "1-3");
	until_given_is(fixture, "waiting for the guest's frontend driver");
	plug(fixture, "1-3", 6);
	until_given_is(fixture, "waiting for the guest's frontend driver");
	assert_int_equal(releases, 0);
	assert_non_null(given_at(fixture, "1-3"));
}

static void two_devices_of_one_name_go_both(void **state)
{
	struct fixture *fixture = *state;
	struct identity identity;
	struct given *one, *other;

	plug(fixture, "1-3", 5);
	start_with(fixture, STICKS);
	plug(fixture, "1-7", 6);
	until_at(fixture, "1-3", true, "1-3 is given");
	until_at(fixture, "1-7", true, "1-7 is given");
	assert_true(identity_parse("46f4:0001", &identity));
	one = identity_given(&fixture->broker, &identity, NULL);
	other = identity_given(&fixture->broker, &identity, one);
	assert_null(identity_given(&fixture->broker, &identity, other));
	/* Which of them is claimed first is the kernel's affair. */
	if (one != given_at(fixture, "1-3")) {
		struct given *swap = one;

		one = other;
		other = swap;
	}
	assert_ptr_equal(one, given_at(fixture, "1-3"));
	assert_ptr_equal(other, given_at(fixture, "1-7"));
}

static void a_serial_number_chooses_one_of_two(void **state)
{
	struct fixture *fixture = *state;

	plug(fixture, "1-3", 5);
	plug(fixture, "1-4", 6);
	plug(fixture, "1-5", 7);
	serial_set(fixture, "1-3", "one\n");
	serial_set(fixture, "1-4", "\x1b[2Jtwo #\n");
	start_with(fixture, "device 46f4:0001:%1B[2Jtwo%20%23 web\n");
	until_at(fixture, "1-4", true, "1-4 is given");
	until_named(fixture);
	turn(fixture, clock_ms(), "");
	assert_null(given_at(fixture, "1-3"));
	assert_null(given_at(fixture, "1-5"));
	assert_int_equal(evictions, 1);
}

static void a_name_with_a_serial_number_wins(void **state)
{
	struct fixture *fixture = *state;

	plug(fixture, "1-3", 5);
	serial_set(fixture, "1-3", "one\n");
	start_with(fixture, "device 46f4:0001 mail\ndevice 46f4:0001:one web\n");
	until_named(fixture);
	until_at(fixture, "1-3", true, "1-3 is given");
	while (strcmp(given_at(fixture, "1-3") ? given_at(fixture, "1-3")->guest : "", "web") != 0)
		turn(fixture, clock_ms(), "it is web's");
	assert_int_equal(evictions, 1);
}

static void another_device_in_the_port_is_not_the_guests(void **state)
{
	struct fixture *fixture = *state;
	uint64_t since_ms = clock_ms();

	plug(fixture, "1-3", 5);
	serial_set(fixture, "1-3", "one\n");
	start_with(fixture, "device 46f4:0001:one web\n");
	until_at(fixture, "1-3", true, "1-3 is given");
	while (descriptions == 0)
		turn(fixture, since_ms, "it is described");
	serials_are_slow = true;
	unplug(fixture, "1-3");
	turn(fixture, since_ms, "it is away");
	plug(fixture, "1-3", 6);
	serial_set(fixture, "1-3", "two\n");
	while (!given_at(fixture, "1-3") || given_at(fixture, "1-3")->undecided_until_ms == 0)
		turn(fixture, since_ms, "its serial number is waited for");
	serials_are_slow = false;
	until_at(fixture, "1-3", false, "1-3 is dom0's");
	assert_int_equal(releases, 1);
	assert_int_equal(descriptions, 1);
	assert_int_equal(evictions, 1);
}

static void a_device_that_never_tells_its_number_is_dom0s_at_last(void **state)
{
	struct fixture *fixture = *state;
	uint64_t since_ms = clock_ms();

	plug(fixture, "1-3", 5);
	serial_set(fixture, "1-3", "one\n");
	start_with(fixture, "device 46f4:0001:one web\n");
	until_at(fixture, "1-3", true, "1-3 is given");
	serials_are_slow = true;
	unplug(fixture, "1-3");
	turn(fixture, since_ms, "it is away");
	plug(fixture, "1-3", 6);
	until_at(fixture, "1-3", false, "1-3 is dom0's");
	assert_int_equal(releases, 1);
}

static void a_device_that_dom0_uses_goes_when_it_is_free(void **state)
{
	struct fixture *fixture = *state;

	dom0_uses_devices = true;
	plug(fixture, "1-3", 5);
	start_with(fixture, STICKS);
	until_given_is(fixture, "still in dom0: mounted");
	assert_false(given_at(fixture, "1-3")->confirmed);
	dom0_uses_devices = false;
	until_at(fixture, "1-3", true, "1-3 is given");
}

static void a_place_wins(void **state)
{
	struct fixture *fixture = *state;

	plug(fixture, "1-1", 5);
	start_with(fixture, STICKS PLACE " mail\n");
	until_at(fixture, "1-1", true, "1-1 is given");
	assert_string_equal(given_at(fixture, "1-1")->guest, "mail");
	assert_false(given_at(fixture, "1-1")->by_device);
	until_answered(fixture, "{\"command\":\"take\",\"port\":\"1-1\"}", "taken from mail");
	until_at(fixture, "1-1", true, "1-1 is given");
	assert_string_equal(given_at(fixture, "1-1")->guest, "web");
	until_answered(fixture, "{\"command\":\"take\",\"port\":\"1-1\"}", "take --device");
}

static void a_hub_is_given_with_what_is_behind_it(void **state)
{
	struct fixture *fixture = *state;

	start_with(fixture, STICKS);
	fake_device(&fixture->sysfs, "1-3", 5, "480\n", 9, 2);
	fake_device(&fixture->sysfs, "1-3.1", 6, "480\n", 0, 0);
	fixture->broker.topology_dirty = true;
	until_at(fixture, "1-3.1", true, "1-3.1 is given");
	/* Behind a hub that dom0 has, the device alone is. */
	assert_true(given_at(fixture, "1-3.1")->parent || given_at(fixture, "1-3.1")->by_device);
	unplug(fixture, "1-3.1");
	unplug(fixture, "1-3");
	until_given_is(fixture, "none");
}

static void a_device_has_the_same_port_number_after_a_restart(void **state)
{
	struct fixture *fixture = *state;

	/* As a broker left them before. */
	memory_store_set(fixture->store, "1", BACKEND "/online");
	memory_store_set(fixture->store, "xvhcd", BACKEND "/origin");
	memory_store_set(fixture->store, "8", BACKEND "/num-ports");
	memory_store_set(fixture->store, "pci-" PCI "/hs-3", BACKEND "/port/5");
	memory_store_set(fixture->store, "2", BACKEND "/state");
	memory_store_set(fixture->store, "1", FRONTEND "/state");
	plug(fixture, "1-3", 5);
	start_with(fixture, STICKS);
	until_given_is(fixture, "waiting for the guest's frontend driver");
	assert_int_equal(given_at(fixture, "1-3")->port, 5);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_is_written_as_it_was_read),
		cmocka_unit_test(what_names_no_device_is_refused),
		cmocka_unit_test(each_serial_number_has_one_name),
		TEST(a_device_in_a_free_port_goes_to_its_guest),
		TEST(a_device_that_comes_back_at_once_finds_its_port),
		TEST(two_devices_of_one_name_go_both),
		TEST(a_serial_number_chooses_one_of_two),
		TEST(a_name_with_a_serial_number_wins),
		TEST(another_device_in_the_port_is_not_the_guests),
		TEST(a_device_that_never_tells_its_number_is_dom0s_at_last),
		TEST(a_device_that_dom0_uses_goes_when_it_is_free),
		TEST(a_place_wins),
		TEST(a_hub_is_given_with_what_is_behind_it),
		TEST(a_device_has_the_same_port_number_after_a_restart),
	};

	if (argc > 0 && strcmp(argv[0], "xvhcd-worker") == 0)
		return describer_main();
	log_init("xvhcd", LOG_LEVEL_DEBUG);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
