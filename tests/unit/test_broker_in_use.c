// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <broker/mounted.h>

#include "fake_sysfs.h"

struct fixture {
	struct fake_sysfs sysfs;
	char mountinfo[PATH_MAX], swaps[PATH_MAX], device[PATH_MAX];
	struct mounted_paths paths;
	char text[IN_USE_TEXT_MAX];
};

/* A stick in 1-1 with the disk sda, partition sda1, that nobody uses. */
static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	fake_sysfs_open(&fixture->sysfs);
	fake_bus(&fixture->sysfs, "0000:00:04.0", 1, "480\n", 2);
	fake_device(&fixture->sysfs, "1-1", 2, "480\n", 0, 0);
	fake_disk(&fixture->sysfs, "1-1", "sda");
	snprintf(fixture->mountinfo, PATH_MAX, "%s/mountinfo", fixture->sysfs.root);
	snprintf(fixture->swaps, PATH_MAX, "%s/swaps", fixture->sysfs.root);
	snprintf(fixture->device, PATH_MAX, "%s/bus/usb/devices/1-1", fixture->sysfs.root);
	fixture->paths.sysfs = fixture->sysfs.root;
	fixture->paths.mountinfo = fixture->mountinfo;
	fixture->paths.swaps = fixture->swaps;
	fake_file(&fixture->sysfs,
		  "22 1 8:17 / / rw,relatime shared:1 - ext4 /dev/sdb1 rw\n"
		  "23 22 0:21 / /proc rw - proc proc rw\n",
		  "mountinfo");
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	fake_sysfs_close(&fixture->sysfs);
	free(fixture);
	return 0;
}

static bool in_use(struct fixture *fixture)
{
	return device_is_in_use(&fixture->paths, fixture->device, fixture->text);
}

static void says(const struct fixture *fixture, const char *word)
{
	if (!strstr(fixture->text, word))
		fail_msg("'%s' is not in: %s", word, fixture->text);
}

static void an_unused_disk_is_free(void **state)
{
	assert_false(in_use(*state));
}

static void a_mounted_partition_is_found_with_its_place(void **state)
{
	struct fixture *fixture = *state;

	fake_file(&fixture->sysfs,
		  "22 1 8:17 / / rw - ext4 /dev/sdb1 rw\n"
		  "40 22 8:1 / /mnt/my\\040stick rw shared:9 - vfat /dev/sda1 rw\n",
		  "mountinfo");
	assert_true(in_use(fixture));
	says(fixture, "/dev/sda1");
	says(fixture, "/mnt/my stick");
	says(fixture, "umount");
}

static void a_mounted_whole_disk_is_found(void **state)
{
	struct fixture *fixture = *state;

	fake_file(&fixture->sysfs, "40 22 8:0 / /mnt rw - vfat /dev/sda rw\n", "mountinfo");
	assert_true(in_use(fixture));
}

static void a_file_system_with_a_number_of_its_own_is_found_by_its_source(void **state)
{
	struct fixture *fixture = *state;

	fake_file(&fixture->sysfs, "40 22 0:44 / /mnt rw - btrfs /dev/sda1 rw\n", "mountinfo");
	assert_true(in_use(fixture));
	says(fixture, "/mnt");
}

static void another_disk_with_a_longer_name_does_not_count(void **state)
{
	struct fixture *fixture = *state;

	fake_file(&fixture->sysfs, "40 22 8:10 / /mnt rw - vfat /dev/sda10 rw\n", "mountinfo");
	assert_false(in_use(fixture));
}

static void a_mount_point_cannot_write_on_the_terminal(void **state)
{
	struct fixture *fixture = *state;

	fake_file(&fixture->sysfs, "40 22 8:1 / /mnt/\\033[2J\\012x rw - vfat /dev/sda1 rw\n",
		  "mountinfo");
	assert_true(in_use(fixture));
	says(fixture, "/mnt/?[2J?x");
}

static void swap_is_found(void **state)
{
	struct fixture *fixture = *state;

	fake_file(&fixture->sysfs,
		  "Filename\tType\tSize\tUsed\tPriority\n/dev/sda1 partition 100 0 -2\n", "swaps");
	assert_true(in_use(fixture));
	says(fixture, "swapoff /dev/sda1");
}

static void what_is_built_upon_it_is_found(void **state)
{
	struct fixture *fixture = *state;
	const char *below = "devices/0000:00:04.0/usb1/1-1/1-1:1.0/host0/target0:0:0/0:0:0:0/block";

	fake_file(&fixture->sysfs, "", "%s/sda/sda1/holders/dm-0", below);
	fake_file(&fixture->sysfs, "253:0\n", "class/block/dm-0/dev");
	assert_true(in_use(fixture));
	says(fixture, "dm-0");
	fake_file(&fixture->sysfs, "40 22 253:0 / /secret rw - ext4 /dev/mapper/x rw\n",
		  "mountinfo");
	assert_true(in_use(fixture));
	says(fixture, "/secret");
}

static void a_loop_device_on_it_is_found(void **state)
{
	struct fixture *fixture = *state;

	fake_file(&fixture->sysfs, "/dev/sdb1\n", "class/block/loop0/loop/backing_file");
	assert_false(in_use(fixture));
	fake_file(&fixture->sysfs, "/dev/sda1\n", "class/block/loop0/loop/backing_file");
	assert_true(in_use(fixture));
	says(fixture, "loop0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_unused_disk_is_free, setup, teardown),
		cmocka_unit_test_setup_teardown(a_mounted_partition_is_found_with_its_place, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_mounted_whole_disk_is_found, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_file_system_with_a_number_of_its_own_is_found_by_its_source, setup,
			teardown),
		cmocka_unit_test_setup_teardown(another_disk_with_a_longer_name_does_not_count,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_mount_point_cannot_write_on_the_terminal, setup,
						teardown),
		cmocka_unit_test_setup_teardown(swap_is_found, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_built_upon_it_is_found, setup, teardown),
		cmocka_unit_test_setup_teardown(a_loop_device_on_it_is_found, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
