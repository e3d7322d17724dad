// SPDX-License-Identifier: MIT
/*
 * The broker as domain 3, a driver domain named "usbdom", and beside it what dom0 does for it, on
 * one store in memory. The guest "web" is domain 5.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <broker/broker.h>
#include <broker/given.h>
#include <dom0/maker.h>

#include "broker_fixture.h"

#define DRIVER 3u
#define OURS "/local/domain/3/backend/vusb/5/2000"
#define THEIRS "/local/domain/5/device/vusb/2000"
#define RECORD "/tool/xvhc/controllers/5/2000"
#define WISHES "/local/domain/3/data/xvhc/guests"

static struct maker maker;
static const char *const guests[] = {"web"};

static void fake_job_run(struct job *job, const struct job_paths *paths)
{
	(void)paths;
	job_run_claims(job);
}

static int setup(void **state)
{
	struct fixture *fixture = fixture_new(fake_job_run);

	memory_store_set(fixture->store, "3", "/local/domain/0/domid");
	memory_store_guest(fixture->store, DRIVER, "usbdom");
	assert_int_equal(maker_begin(&maker, fixture->store, "usbdom", guests, 1), 0);
	*state = fixture;
	return 0;
}

/* Turns the broker and has dom0 look, until a node has a value; NULL: until it is away. */
static void until(struct fixture *fixture, const char *path, const char *value)
{
	uint64_t since_ms = clock_ms();

	while (!node_is(fixture, path, value)) {
		(void)maker_look(&maker, clock_ms());
		turn(fixture, since_ms, path);
	}
}

static void a_wish_brings_a_controller_with_the_guests_name(void **state)
{
	struct fixture *fixture = *state;
	uint32_t owner, reader;

	start_with_given(fixture);
	until(fixture, OURS "/state", "2");
	assert_true(node_is(fixture, WISHES "/0", "web"));
	assert_true(node_is(fixture, WISHES "/1", NULL));
	assert_true(node_is(fixture, OURS "/guest-name", "web"));
	assert_true(node_is(fixture, OURS "/guest-uuid", "00000000-0000-0000-0000-000000000005"));
	assert_true(node_is(fixture, OURS "/frontend", THEIRS));
	assert_true(node_is(fixture, THEIRS "/backend", OURS));
	assert_true(node_is(fixture, THEIRS "/backend-id", "3"));
	assert_true(node_is(fixture, RECORD, "3"));
	until(fixture, OURS "/port/1", PLACE);
	memory_store_permissions(fixture->store, OURS, &owner, &reader);
	assert_int_equal(owner, DRIVER);
	assert_int_equal(reader, GUEST);
	memory_store_permissions(fixture->store, THEIRS, &owner, &reader);
	assert_int_equal(owner, GUEST);
	assert_int_equal(reader, DRIVER);
	memory_store_permissions(fixture->store, RECORD, &owner, &reader);
	assert_int_equal(owner, 0);
}

static void a_guest_that_ends_leaves_nothing_behind(void **state)
{
	struct fixture *fixture = *state;

	start_with_given(fixture);
	until(fixture, OURS "/port/1", PLACE);
	memory_store_guest_dies(fixture->store, GUEST);
	until(fixture, OURS, NULL);
	until(fixture, "/tool/xvhc/controllers/5", NULL);
	until_given_is(fixture, "xvhcd-dom0");
	memory_store_guest(fixture->store, 6, "web");
	until(fixture, "/local/domain/3/backend/vusb/6/2000/port/1", PLACE);
}

static void a_port_that_is_taken_takes_the_controller_along(void **state)
{
	struct fixture *fixture = *state;

	start_with_given(fixture);
	until(fixture, OURS "/port/1", PLACE);
	given_take(&fixture->broker, fixture->broker.given);
	until(fixture, RECORD, NULL);
	assert_true(node_is(fixture, THEIRS, NULL));
	assert_true(node_is(fixture, OURS, NULL));
	assert_true(node_is(fixture, WISHES "/0", NULL));
}

static void nine_ports_are_two_wishes(void **state)
{
	struct fixture *fixture = *state;
	char text[1024] = "", line[64];

	for (int port = 1; port <= 9; port++) {
		snprintf(line, sizeof(line), "pci-" PCI "/hs-%d web\n", port);
		strcat(text, line);
	}
	fake_file(&fixture->sysfs, text, "ports.conf");
	memory_store_guest(fixture->store, GUEST, "web");
	start(fixture);
	until(fixture, "/local/domain/3/backend/vusb/5/2001/state", "2");
	while (!fixture->broker.given->controller)
		turn(fixture, clock_ms(), "it is bound");
	for (const struct given *given = fixture->broker.given; given; given = given->next)
		assert_non_null(given->controller);
	assert_true(node_is(fixture, WISHES "/1", "web"));
	assert_true(node_is(fixture, WISHES "/2", NULL));
}

/* From here on, the test itself is the driver domain. */

static void wish(struct fixture *fixture, uint32_t number, const char *name)
{
	memory_store_set(fixture->store, name, WISHES "/%u", number);
}

static void only_the_named_guests_are_served(void **state)
{
	struct fixture *fixture = *state;

	start(fixture);
	memory_store_guest(fixture->store, GUEST, "web");
	memory_store_guest(fixture->store, 6, "other");
	wish(fixture, 0, "other");
	wish(fixture, 1, "Domain-0");
	wish(fixture, 2, "usbdom");
	wish(fixture, 3, "");
	wish(fixture, 4, "00000000-0000-0000-0000-000000000006");
	(void)maker_look(&maker, clock_ms());
	assert_true(node_is(fixture, "/tool/xvhc", NULL));
	wish(fixture, 5, "00000000-0000-0000-0000-000000000005");
	(void)maker_look(&maker, clock_ms());
	assert_true(node_is(fixture, RECORD, "3"));
	assert_true(node_is(fixture, "/tool/xvhc/controllers/6", NULL));
}

static void a_guest_gets_only_so_many_controllers(void **state)
{
	struct fixture *fixture = *state;

	start(fixture);
	memory_store_guest(fixture->store, GUEST, "web");
	for (uint32_t i = 0; i < 3 * MAKER_CONTROLLERS_MAX; i++)
		wish(fixture, i, "web");
	for (int i = 0; i < 3; i++)
		(void)maker_look(&maker, clock_ms());
	assert_false(node_is(fixture, "/tool/xvhc/controllers/5/2007", NULL));
	assert_true(node_is(fixture, "/tool/xvhc/controllers/5/2008", NULL));
}

static void a_backend_that_goes_is_made_anew_a_moment_later(void **state)
{
	struct fixture *fixture = *state;

	start(fixture);
	memory_store_guest(fixture->store, GUEST, "web");
	wish(fixture, 0, "web");
	assert_int_equal(maker_look(&maker, 1000), 0);
	assert_true(node_is(fixture, THEIRS "/state", "1"));
	memory_store_set(fixture->store, NULL, OURS);
	assert_int_equal(maker_look(&maker, 2000), 2000 + MAKER_REMAKE_MS);
	assert_true(node_is(fixture, THEIRS, NULL));
	assert_int_equal(maker_look(&maker, 2000 + MAKER_REMAKE_MS), 0);
	assert_true(node_is(fixture, THEIRS "/state", "1"));
}

static void another_driver_domain_of_the_name_serves_on(void **state)
{
	struct fixture *fixture = *state;

	start(fixture);
	memory_store_guest(fixture->store, GUEST, "web");
	wish(fixture, 0, "web");
	(void)maker_look(&maker, 1000);
	memory_store_guest_dies(fixture->store, DRIVER);
	(void)maker_look(&maker, 2000);
	assert_true(node_is(fixture, THEIRS, NULL));
	assert_true(node_is(fixture, RECORD, NULL));
	memory_store_guest(fixture->store, 9, "usbdom");
	memory_store_set(fixture->store, "web", "/local/domain/9/data/xvhc/guests/0");
	(void)maker_look(&maker, 3000);
	assert_true(node_is(fixture, THEIRS "/backend-id", "9"));
}

static void what_was_made_before_a_restart_is_known(void **state)
{
	struct fixture *fixture = *state;

	start(fixture);
	memory_store_guest(fixture->store, GUEST, "web");
	wish(fixture, 0, "web");
	(void)maker_look(&maker, 1000);
	assert_int_equal(maker_begin(&maker, fixture->store, "usbdom", guests, 1), 0);
	(void)maker_look(&maker, 2000);
	assert_true(node_is(fixture, "/tool/xvhc/controllers/5/2001", NULL));
	memory_store_guest_dies(fixture->store, GUEST);
	(void)maker_look(&maker, 3000);
	assert_true(node_is(fixture, OURS, NULL));
	assert_true(node_is(fixture, RECORD, NULL));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(a_wish_brings_a_controller_with_the_guests_name),
		TEST(a_guest_that_ends_leaves_nothing_behind),
		TEST(a_port_that_is_taken_takes_the_controller_along),
		TEST(nine_ports_are_two_wishes),
		TEST(only_the_named_guests_are_served),
		TEST(a_guest_gets_only_so_many_controllers),
		TEST(a_backend_that_goes_is_made_anew_a_moment_later),
		TEST(another_driver_domain_of_the_name_serves_on),
		TEST(what_was_made_before_a_restart_is_known),
	};

	(void)argc;
	(void)argv;
	log_init("xvhcd", LOG_LEVEL_DEBUG);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
