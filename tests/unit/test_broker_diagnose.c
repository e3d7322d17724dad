// SPDX-License-Identifier: MIT
/*
 * What the broker says of its given ports to xvhc doctor. Workers and describers are this very
 * program, started again under the worker's name; they do as they are told.
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

#include <broker/diagnose.h>

#include "broker_fixture.h"

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
			worker_describe_stick();
		else if (message.type == MESSAGE_CONNECT)
			worker_say(MESSAGE_CONNECTED, 0, 0);
		else if (message.type == MESSAGE_ATTACH)
			worker_say(MESSAGE_PORT_STATE, message.u.attach.port, PORT_CONFIGURED);
		else if (message.type == MESSAGE_DETACH)
			worker_say(MESSAGE_DETACHED, message.u.port.port, 0);
		message_fds_close(&fds);
	}
}

static const char *evict_fails; /* what a job says of a device that dom0 keeps; NULL: it gives it */

static void fake_job_run(struct job *job, const struct job_paths *paths)
{
	(void)paths;
	job_run_claims(job);
	if (job->type == JOB_OPEN)
		job->fd = open("/dev/zero", O_RDWR | O_CLOEXEC);
	if (job->type == JOB_EVICT && evict_fails) {
		job->error = -EBUSY;
		job->in_use = true;
		snprintf(job->text, sizeof(job->text), "%s", evict_fails);
	}
}

static int setup(void **state)
{
	struct fixture *fixture = fixture_new(fake_job_run);

	fixture->options.config = fixture->config;
	evict_fails = NULL;
	*state = fixture;
	return 0;
}

/* Turns the broker until it says this of the first given port. */
static void until_diagnosed(struct fixture *fixture, enum diagnosis_level level, const char *what,
			    const char *todo)
{
	uint64_t since_ms = clock_ms();
	struct diagnosis diagnosis;
	char awaited[2048] = "";

	do {
		turn(fixture, since_ms, awaited);
		diagnose(&fixture->broker, fixture->broker.given, &diagnosis);
		snprintf(awaited, sizeof(awaited), "%d '%s' '%s'; it is %d '%s' '%s'", level, what,
			 todo, diagnosis.level, diagnosis.what, diagnosis.todo);
	} while (diagnosis.level != level || !strstr(diagnosis.what, what) ||
		 !strstr(diagnosis.todo, todo));
}

static void guest_that_does_not_run(void **state)
{
	struct fixture *fixture = *state;

	fake_file(&fixture->sysfs, PLACE " mail\n", "ports.conf");
	start(fixture);
	until_diagnosed(fixture, DIAGNOSIS_OK, "does not run; it gets the port", "");
}

static void guest_without_a_driver(void **state)
{
	struct fixture *fixture = *state;

	start_with_given(fixture);
	until_diagnosed(fixture, DIAGNOSIS_WARNING, "no driver of it has connected",
			"modprobe xvhc");
}

static void guest_that_uses_its_device(void **state)
{
	struct fixture *fixture = *state;

	start_with_given(fixture);
	until_diagnosed(fixture, DIAGNOSIS_WARNING, "no driver", "modprobe");
	frontend_publishes(fixture, FRONTEND, 10);
	until_diagnosed(fixture, DIAGNOSIS_OK, "ready, and empty (wire version 1)", "");
	plug(fixture, "1-1", 2);
	until_diagnosed(fixture, DIAGNOSIS_OK, "in use (wire version 1)", "");
}

static void guest_that_offers_nonsense(void **state)
{
	struct fixture *fixture = *state;

	start_with_given(fixture);
	until_diagnosed(fixture, DIAGNOSIS_WARNING, "no driver", "modprobe");
	memory_store_set(fixture->store, "9", FRONTEND "/wire-version");
	frontend_publishes(fixture, FRONTEND, 10);
	until_diagnosed(fixture, DIAGNOSIS_FAILURE, "wire-version is not what", "modprobe -r xvhc");
}

static void device_that_dom0_uses(void **state)
{
	struct fixture *fixture = *state;

	evict_fails = "/dev/sda1 is mounted on /mnt";
	plug(fixture, "1-1", 2);
	start_with_given(fixture);
	until_diagnosed(fixture, DIAGNOSIS_FAILURE, "still dom0's: /dev/sda1 is mounted",
			"Unmount");
}

static void device_that_is_refused(void **state)
{
	struct fixture *fixture = *state;

	fake_file(&fixture->sysfs, "filter = 0x08:-1:-1:-1:0|-1:-1:-1:-1:1\n", "xvhc.conf");
	start_with_given(fixture);
	plug(fixture, "1-1", 2);
	until_diagnosed(fixture, DIAGNOSIS_WARNING, "refused: rule 0x08:-1:-1:-1:0", "xvhc.conf");
}

static void port_that_is_not_there(void **state)
{
	struct fixture *fixture = *state;

	fake_file(&fixture->sysfs, "pci-0000:00:09.0/hs-1 web\n", "ports.conf");
	start(fixture);
	until_diagnosed(fixture, DIAGNOSIS_WARNING, "not there now", "xvhc take");
}

static void the_command_has_all(void **state)
{
	struct fixture *fixture = *state;

	start_with_given(fixture);
	memory_store_set(fixture->store, "x", "/local/domain/0/backend/qusb/3/0/state");
	until_diagnosed(fixture, DIAGNOSIS_WARNING, "no driver", "modprobe");
	until_answered(fixture, "{\"command\": \"doctor\"}",
		       "\"port\":\"1-1\",\"guest\":\"web\",\"level\":\"warning\"");
	until_answered(fixture, "{\"command\": \"doctor\"}", "\"qusb\":[\"3\"]");
	until_answered(fixture, "{\"command\": \"doctor\"}", "\"xenstore\":true");
	until_answered(fixture, "{\"command\": \"doctor\"}", "\"usbfs-limit\":16777216");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(guest_that_does_not_run),    TEST(guest_without_a_driver),
		TEST(guest_that_uses_its_device), TEST(guest_that_offers_nonsense),
		TEST(device_that_dom0_uses),      TEST(device_that_is_refused),
		TEST(port_that_is_not_there),     TEST(the_command_has_all),
	};

	if (argc > 0 && strcmp(argv[0], "xvhcd-worker") == 0)
		return worker_main();
	log_init("xvhcd", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
