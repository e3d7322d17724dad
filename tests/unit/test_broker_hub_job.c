// SPDX-License-Identifier: MIT
/*
 * Opening a hub, on a tree of plain files that looks like sysfs. No file answers to the calls that
 * claim ports, so no hub is opened here: what is shown is that drivers are probed again, wherever
 * it ends. The file by which a driver is bound is a pipe that is full, in one test: there the job
 * waits, and the test looks around.
 */
#include <broker/hub_job.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <broker/sysfs.h>

#include "fake_sysfs.h"

#define HUB "devices/0000:00:04.0/usb1/1-1"
#define AUTOPROBE "bus/usb/drivers_autoprobe"
#define PROBE "bus/usb/drivers_probe"
#define BIND "bus/usb/drivers/hub/bind"
#define NOTE "run/note"
#define INTERFACE "1-1:-1.0" /* in a plain file, no configuration stays what was written last */
#define FILLER 'x'

struct tree {
	struct fake_sysfs sysfs;
	struct job_paths paths;
	char text[4][PATH_MAX]; /* of paths */
	struct job *job;
	pthread_t reader; /* of BIND */
	char bound[64];   /* what the job wrote there */
	int pipe;
	bool noted; /* the file was there, too */
};

static const char *path_of(const struct tree *tree, const char *file, char path[PATH_MAX])
{
	assert_true(path_format(path, "%s/%s", tree->sysfs.root, file));
	return path;
}

static bool is_there(const struct tree *tree, const char *file)
{
	char path[PATH_MAX];

	return access(path_of(tree, file, path), F_OK) == 0;
}

static void remove_file(const struct tree *tree, const char *file)
{
	char path[PATH_MAX];

	assert_int_equal(unlink(path_of(tree, file, path)), 0);
}

static void assert_file_is(const struct tree *tree, const char *file, const char *text)
{
	char now[256];

	assert_true(sysfs_read_text(tree->sysfs.root, file, now, sizeof(now)));
	assert_string_equal(now, text);
}

/* Drivers are probed, and nothing says that they are not. */
static void assert_probed(const struct tree *tree)
{
	assert_file_is(tree, AUTOPROBE, "1");
	assert_false(is_there(tree, NOTE));
}

static int setup(void **state)
{
	static const char *const below[] = {"", "/mountinfo", "/nodes", "/" NOTE};
	struct tree *tree = calloc(1, sizeof(*tree));
	struct job *job = job_new(JOB_HUB, NULL);
	char path[PATH_MAX];

	assert_non_null(tree);
	assert_non_null(job);
	fake_sysfs_open(&tree->sysfs);
	fake_bus(&tree->sysfs, "0000:00:04.0", 1, "480\n", 4);
	fake_device(&tree->sysfs, "1-1", 7, "480\n", CLASS_HUB, 4);
	fake_file(&tree->sysfs, "1\n", HUB "/authorized");
	fake_file(&tree->sysfs, "4\n", HUB "/maxchild");
	fake_file(&tree->sysfs, "1\n", AUTOPROBE);
	fake_file(&tree->sysfs, "", PROBE);
	fake_file(&tree->sysfs, "", "nodes/001/007");
	fake_file(&tree->sysfs, "", "nodes/parent");
	for (size_t i = 0; i < 4; i++)
		assert_true(path_format(tree->text[i], "%s%s", tree->sysfs.root, below[i]));
	tree->paths.mounted.sysfs = tree->text[0];
	tree->paths.mounted.mountinfo = tree->text[1];
	tree->paths.mounted.swaps = tree->text[1];
	tree->paths.mounted.dev = "/dev";
	tree->paths.usb_nodes = tree->text[2];
	tree->paths.probing_note = tree->text[3];
	snprintf(job->device_name, sizeof(job->device_name), "1-1");
	job->device.bus = 1;
	job->device.device = 7;
	job->device.instance = sysfs_instance(path_of(tree, HUB, path));
	fake_file(&tree->sysfs, "", "bus/usb/drivers/hub/.keep");
	tree->job = job;
	*state = tree;
	return 0;
}

static int teardown(void **state)
{
	struct tree *tree = *state;

	fake_sysfs_close(&tree->sysfs);
	free(tree->job);
	free(tree);
	return 0;
}

static void run(struct tree *tree)
{
	hub_job_run(tree->job, &tree->paths);
}

/* Takes from the pipe what it was filled with, and then the name of the interface. */
static void pipe_drain(struct tree *tree)
{
	size_t length = 0;
	char byte;

	assert_int_equal(fcntl(tree->pipe, F_SETFL, 0), 0);
	while (length < strlen(INTERFACE) && read(tree->pipe, &byte, 1) == 1)
		if (byte != FILLER)
			tree->bound[length++] = byte;
}

/* Looks around, and plugs devices in, while the job waits for the pipe. */
static void *bind_read(void *argument)
{
	struct tree *tree = argument;
	char autoprobe[16];

	do {
		if (!sysfs_read_text(tree->sysfs.root, AUTOPROBE, autoprobe, sizeof(autoprobe)))
			abort();
	} while (autoprobe[0] != '0');
	tree->noted = is_there(tree, NOTE);
	fake_device(&tree->sysfs, "1-3", 8, "480\n", 0, 0);
	fake_device(&tree->sysfs, "1-4", 9, "480\n", 0, 0);
	fake_file(&tree->sysfs, "", "bus/usb/devices/1-4/driver");
	pipe_drain(tree);
	return NULL;
}

static void bind_begin(struct tree *tree)
{
	const char filler = FILLER;
	char path[PATH_MAX];

	assert_int_equal(mkfifo(path_of(tree, BIND, path), 0600), 0);
	tree->pipe = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	assert_true(tree->pipe >= 0);
	assert_true(fcntl(tree->pipe, F_SETPIPE_SZ, 4096) > 0);
	while (write(tree->pipe, &filler, 1) == 1)
		;
	assert_int_equal(pthread_create(&tree->reader, NULL, bind_read, tree), 0);
}

static void drivers_are_not_probed_while_the_hub_is_bound(void **state)
{
	struct tree *tree = *state;

	/* Nothing for which dom0 has a driver, or somebody took it from that. */
	fake_device(&tree->sysfs, "1-2.2.2.2", 3, "480\n", 0, 0);
	bind_begin(tree);
	run(tree);
	pthread_join(tree->reader, NULL);
	close(tree->pipe);
	assert_true(tree->noted);
	assert_string_equal(tree->bound, INTERFACE);
	assert_int_equal(tree->job->error, -ENOTTY);
	assert_probed(tree);
	/* What came meanwhile, and has no driver, is probed. */
	assert_file_is(tree, PROBE, "1-3");
}

static void the_hub_cannot_be_opened_at_any_step(void **state)
{
	static const struct {
		const char *file;
		int error;
	} missing[] = {
		{"nodes/001/007", -ENOENT},
		{HUB "/maxchild", -ENODEV},
		{BIND, -ENOENT},
		{HUB "/authorized", -ENOENT},
	};
	struct tree *tree = *state;

	fake_file(&tree->sysfs, "", BIND);
	for (size_t i = 0; i < sizeof(missing) / sizeof(missing[0]); i++) {
		remove_file(tree, missing[i].file);
		fake_file(&tree->sysfs, "1\n", HUB "/bConfigurationValue");
		run(tree);
		assert_int_equal(tree->job->error, missing[i].error);
		assert_int_equal(tree->job->fd, -1);
		assert_non_null(strstr(tree->job->text, "dom0's hub driver does not take it: "));
		assert_probed(tree);
		assert_file_is(tree, HUB "/bConfigurationValue", "-1");
		assert_false(tree->job->claim_lost);
	}
}

/* Where the claim of its own port cannot be let go, the hub stays as it is. */
static void the_ports_claim_cannot_be_let_go(void **state)
{
	struct tree *tree = *state;
	char path[PATH_MAX];

	tree->job->side[0].fd = open(path_of(tree, "nodes/parent", path), O_RDWR | O_CLOEXEC);
	assert_true(tree->job->side[0].fd >= 0);
	fake_file(&tree->sysfs, "1\n", HUB "/authorized");
	run(tree);
	close(tree->job->side[0].fd);
	assert_int_equal(tree->job->error, -ENOTTY);
	assert_false(tree->job->claim_lost);
	assert_file_is(tree, HUB "/authorized", "1");
	assert_probed(tree);
}

static void the_hub_is_pulled_before(void **state)
{
	struct tree *tree = *state;

	fake_unplug(&tree->sysfs, "1-1");
	run(tree);
	assert_int_equal(tree->job->error, -ENODEV);
	assert_probed(tree);
}

static void probing_is_not_stopped_without_a_note(void **state)
{
	struct tree *tree = *state;

	fake_file(&tree->sysfs, "", "run");
	run(tree);
	assert_int_equal(tree->job->error, -ENOTDIR);
	assert_file_is(tree, AUTOPROBE, "1");
	assert_file_is(tree, HUB "/authorized", "1");
}

static void an_administrator_wants_no_driver_probed(void **state)
{
	struct tree *tree = *state;

	fake_file(&tree->sysfs, "0\n", AUTOPROBE);
	fake_file(&tree->sysfs, "", BIND);
	run(tree);
	assert_int_equal(tree->job->error, -ENOTTY);
	assert_file_is(tree, AUTOPROBE, "0");
	assert_file_is(tree, PROBE, "");
	assert_false(is_there(tree, NOTE));
	/* It is his, and not what we left behind. */
	hub_job_recover(&tree->paths);
	assert_file_is(tree, AUTOPROBE, "0");
}

static void dom0_uses_a_disk_behind_the_hub(void **state)
{
	struct tree *tree = *state;

	fake_disk(&tree->sysfs, "1-1", "sda");
	fake_file(&tree->sysfs, "24 22 8:1 / /mnt rw - vfat /dev/sda1 rw\n", "mountinfo");
	run(tree);
	assert_true(tree->job->in_use);
	assert_int_equal(tree->job->error, -EBUSY);
	assert_int_equal(tree->job->paused_ms, 0);
	assert_file_is(tree, HUB "/bConfigurationValue", "1");
	assert_probed(tree);
}

static void xvhcd_was_killed_in_between(void **state)
{
	struct tree *tree = *state;

	fake_file(&tree->sysfs, "0\n", AUTOPROBE);
	fake_file(&tree->sysfs, "", NOTE);
	hub_job_recover(&tree->paths);
	assert_probed(tree);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(drivers_are_not_probed_while_the_hub_is_bound),
		TEST(the_hub_cannot_be_opened_at_any_step),
		TEST(the_ports_claim_cannot_be_let_go),
		TEST(the_hub_is_pulled_before),
		TEST(probing_is_not_stopped_without_a_note),
		TEST(an_administrator_wants_no_driver_probed),
		TEST(dom0_uses_a_disk_behind_the_hub),
		TEST(xvhcd_was_killed_in_between),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
