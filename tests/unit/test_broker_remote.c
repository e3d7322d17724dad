// SPDX-License-Identifier: MIT
/*
 * Ports of another machine: the whole broker on a fake sysfs with vhci_hcd's root hub as bus 9, and
 * jobs that say what usbip would. How usbip itself is called, tests/cli and the lab show.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
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
#include <broker/given.h>
#include <broker/sysfs.h>

#include "broker_fixture.h"

#define NAME "usbip://host/1-2"
#define VHCI "platform/vhci_hcd.0"

static atomic_bool answers; /* the other machine does */
static atomic_uint imports;
static atomic_uint detaches;
static atomic_uint returns; /* devices that were given back to dom0's drivers */
static struct fixture *tested;

/* The port of vhci_hcd that the next attachment comes to. */
static atomic_uint next_port;

static void fake_import(struct job *job)
{
	unsigned int port = next_port;
	char path[PATH_MAX];

	imports++;
	if (!answers) {
		job->error = -EIO;
		snprintf(job->text, sizeof(job->text), "host does not answer");
		return;
	}
	if (!path_format(path, "%s/bus/usb/devices/9-0:1.0/usb9-port%u", tested->sysfs.root, port))
		abort();
	job->side[0].port = (uint8_t)port;
	job->side[0].fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	job->vhci_port = (uint8_t)(port - 1);
	job->remote_instance = sysfs_instance(path);
}

static void fake_job_run(struct job *job, const struct job_paths *paths)
{
	(void)paths;
	job_run_claims(job);
	if (job->type == JOB_IMPORT)
		fake_import(job);
	if (job->type == JOB_OPEN)
		job->fd = open("/dev/zero", O_RDWR | O_CLOEXEC);
	returns += job->type == JOB_RELEASE;
	if (job->type == JOB_DETACH) {
		detaches++;
		for (int side = 0; side < 2; side++)
			if (job->side[side].fd >= 0)
				close(job->side[side].fd);
	}
}

/* What the kernel says of the ports: which one of the two is in use. */
static void status_write(struct fixture *fixture, unsigned int used)
{
	char text[256];

	snprintf(text, sizeof(text),
		 "hub port sta spd dev      sockfd local_busid\n"
		 "hs  0000 %03u 000 00000000 000000 0-0\n"
		 "hs  0001 %03u 000 00000000 000000 0-0\n"
		 "ss  0008 004 000 00000000 000000 0-0\n",
		 used == 1 ? 6u : 4u, used == 2 ? 6u : 4u);
	fake_file(&fixture->sysfs, text, "devices/" VHCI "/status");
}

static int setup(void **state)
{
	struct fixture *fixture = fixture_new(fake_job_run);

	fake_bus(&fixture->sysfs, VHCI, 9, "480\n", 2);
	status_write(fixture, 0);
	answers = true;
	imports = detaches = returns = 0;
	next_port = 1;
	tested = fixture;
	*state = fixture;
	return 0;
}

static void start_with_remote(struct fixture *fixture)
{
	fake_file(&fixture->sysfs, NAME " web\n", "ports.conf");
	memory_store_guest(fixture->store, GUEST, "web");
	status_write(fixture, 1);
	start(fixture);
	until_given_is(fixture, "frontend driver");
}

static void until_device_is_there(struct fixture *fixture)
{
	uint64_t since_ms = clock_ms();

	while (fixture->broker.given->device_state != DEVICE_PRESENT)
		turn(fixture, since_ms, "the device is seen");
}

static void it_is_a_port_like_any_other(void **state)
{
	struct fixture *fixture = *state;
	struct given *given;

	start_with_remote(fixture);
	given = fixture->broker.given;
	until_node(fixture, BACKEND "/port/1", NAME);
	plug(fixture, "9-1", 2);
	until_answered(fixture, "{\"command\":\"list\"}", "\"port\":\"usbip:\\/\\/host\\/1-2\"");
	until_device_is_there(fixture);
	assert_int_equal(given->claim_state, CLAIM_HELD);
	assert_int_equal(imports, 1);
}

static void it_is_attached_anew_when_the_link_is_gone(void **state)
{
	struct fixture *fixture = *state;

	start_with_remote(fixture);
	plug(fixture, "9-1", 2);
	until_given_is(fixture, "frontend driver");
	answers = false;
	status_write(fixture, 0);
	unplug(fixture, "9-1");
	until_given_is(fixture, "not attached: host does not answer");
	assert_true(imports >= 2);
	/* Somebody else has the first port by now. */
	answers = true;
	next_port = 2;
	status_write(fixture, 2);
	until_given_is(fixture, "frontend driver");
	plug(fixture, "9-2", 3);
	until_device_is_there(fixture);
	assert_true(node_is(fixture, BACKEND "/port/1", NAME));
}

static void a_device_that_is_slow_to_come_is_waited_for(void **state)
{
	struct fixture *fixture = *state;
	uint64_t since_ms;

	start_with_remote(fixture);
	since_ms = clock_ms();
	while (clock_ms() < since_ms + 2500)
		turn(fixture, since_ms, "time goes by");
	assert_int_equal(imports, 1);
	assert_int_equal(fixture->broker.given->at.controller[0], 'p');
}

static void taken_it_is_detached_and_not_dom0s(void **state)
{
	struct fixture *fixture = *state;

	start_with_remote(fixture);
	plug(fixture, "9-1", 2);
	until_answered(fixture, "{\"command\":\"take\",\"port\":\"usbip://HOST/1-2\"}",
		       "Port usbip:\\/\\/host\\/1-2 is taken from web.");
	assert_int_equal(detaches, 1);
	assert_int_equal(returns, 0);
	assert_null(fixture->broker.given);
	until_node(fixture, BACKEND, NULL);
}

static void one_that_is_away_is_taken_at_once(void **state)
{
	struct fixture *fixture = *state;

	answers = false;
	fake_file(&fixture->sysfs, NAME " web\n", "ports.conf");
	start(fixture);
	until_given_is(fixture, "host does not answer");
	until_answered(fixture, "{\"command\":\"take\",\"port\":\"" NAME "\"}",
		       "is taken from web.");
	assert_int_equal(detaches, 0);
}

static void one_that_cannot_be_attached_is_not_given(void **state)
{
	struct fixture *fixture = *state;

	answers = false;
	start(fixture);
	until_answered(fixture, "{\"command\":\"give\",\"port\":\"" NAME "\",\"guest\":\"web\"}",
		       "is not given: host does not answer.");
	assert_null(fixture->broker.given);
	answers = true;
	status_write(fixture, 1);
	until_answered(fixture, "{\"command\":\"give\",\"port\":\"" NAME "\",\"guest\":\"web\"}",
		       "is given to web");
}

static void the_port_that_it_is_attached_to_is_given_as_well(void **state)
{
	struct fixture *fixture = *state;

	start_with_remote(fixture);
	until_answered(fixture, "{\"command\":\"give\",\"port\":\"9-1\",\"guest\":\"mail\"}",
		       "is given to web already");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(it_is_a_port_like_any_other),
		TEST(it_is_attached_anew_when_the_link_is_gone),
		TEST(a_device_that_is_slow_to_come_is_waited_for),
		TEST(taken_it_is_detached_and_not_dom0s),
		TEST(one_that_is_away_is_taken_at_once),
		TEST(one_that_cannot_be_attached_is_not_given),
		TEST(the_port_that_it_is_attached_to_is_given_as_well),
	};

	/* A describer. */
	if (argc > 0 && strcmp(argv[0], "xvhcd-worker") == 0) {
		worker_describe_stick();
		return 0;
	}
	log_init("xvhcd", LOG_LEVEL_DEBUG);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
