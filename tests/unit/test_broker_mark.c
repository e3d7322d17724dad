// SPDX-License-Identifier: MIT
/* The files by which udev knows which ports are given. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <broker/broker.h>
#include <broker/mark.h>

#include "broker_fixture.h"

static char marks[PATH_MAX];

static bool is_marked(const char *name)
{
	char path[2 * PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", marks, name);
	return access(path, F_OK) == 0;
}

/* What other jobs see of the port 1-1. */
static bool marked_at_claim, marked_at_release;

static void fake_job_run(struct job *job, const struct job_paths *paths)
{
	(void)paths;
	if (job->type == JOB_CLAIM)
		marked_at_claim = is_marked("1-1");
	if (job->type == JOB_RELEASE)
		marked_at_release = is_marked("1-1");
	job_run_claims(job);
}

static int setup(void **state)
{
	struct fixture *fixture = fixture_new(fake_job_run);

	snprintf(marks, sizeof(marks), "%s/given", fixture->sysfs.root);
	fixture->options.marks = marks;
	marked_at_claim = false;
	marked_at_release = true;
	*state = fixture;
	return 0;
}

static void given_port_is_marked_from_claim_to_release(void **state)
{
	struct fixture *fixture = *state;

	start(fixture);
	until_answered(fixture, "{\"command\":\"give\",\"port\":\"1-1\",\"guest\":\"web\"}",
		       "is given to web");
	assert_true(marked_at_claim);
	assert_true(is_marked("1-1"));
	assert_false(is_marked("1-2"));
	until_answered(fixture, "{\"command\":\"take\",\"port\":\"1-1\"}", "dom0 has it");
	assert_false(marked_at_release);
	assert_false(is_marked("1-1"));
}

static void each_side_of_a_connector_is_marked(void **state)
{
	struct fixture *fixture = *state;

	fake_bus(&fixture->sysfs, PCI, 2, "5000\n", FIXTURE_PORTS);
	fake_peers(&fixture->sysfs, "usb1-port1", "usb2-port1");
	start_with_given(fixture);
	until_given_is(fixture, "frontend driver");
	assert_true(is_marked("1-1"));
	assert_true(is_marked("2-1"));
}

static void marks_from_before_are_put_right(void **state)
{
	struct fixture *fixture = *state;

	mkdir(marks, 0755);
	fake_file(&fixture->sysfs, "", "given/1-1");
	fake_file(&fixture->sysfs, "", "given/1-7");
	start_with_given(fixture);
	until_given_is(fixture, "frontend driver");
	assert_true(is_marked("1-1"));
	assert_false(is_marked("1-7"));
}

static void port_that_is_gone_is_not_marked(void **state)
{
	struct fixture *fixture = *state;

	start_with_given(fixture);
	until_given_is(fixture, "frontend driver");
	assert_true(is_marked("1-1"));
	mark_follow(&fixture->broker, fixture->broker.given, NULL);
	assert_false(is_marked("1-1"));
}

static void ports_are_given_without_marks_where_there_can_be_none(void **state)
{
	struct fixture *fixture = *state;

	snprintf(marks, sizeof(marks), "/nonexistent/given");
	start_with_given(fixture);
	until_given_is(fixture, "frontend driver");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(given_port_is_marked_from_claim_to_release),
		TEST(each_side_of_a_connector_is_marked),
		TEST(marks_from_before_are_put_right),
		TEST(port_that_is_gone_is_not_marked),
		TEST(ports_are_given_without_marks_where_there_can_be_none),
	};

	log_init("xvhcd", LOG_LEVEL_DEBUG);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
