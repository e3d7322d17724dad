// SPDX-License-Identifier: MIT
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

#include <broker/ports_file.h>
#include <common/log.h>

#define PLACE_1 "pci-0000:00:04.0/hs-1"
#define PLACE_2 "pci-0000:00:04.0/hs-2"

struct fixture {
	char directory[64];
	char path[128];
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	strcpy(fixture->directory, "/tmp/xvhc-ports.XXXXXX");
	assert_non_null(mkdtemp(fixture->directory));
	snprintf(fixture->path, sizeof(fixture->path), "%s/etc/ports.conf", fixture->directory);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;
	char path[128];

	unlink(fixture->path);
	snprintf(path, sizeof(path), "%s/etc", fixture->directory);
	rmdir(path);
	assert_int_equal(rmdir(fixture->directory), 0);
	free(fixture);
	return 0;
}

static void file_text(const char *path, char text[4096])
{
	FILE *file = fopen(path, "r");
	size_t length;

	assert_non_null(file);
	length = fread(text, 1, 4095, file);
	text[length] = '\0';
	fclose(file);
}

static struct place place_of(const char *text)
{
	struct place place;

	assert_true(place_parse(text, &place));
	return place;
}

static void a_file_that_is_not_there_is_empty(void **state)
{
	struct fixture *fixture = *state;
	struct ports_file file;

	assert_int_equal(ports_file_read(&file, fixture->path), 0);
	assert_int_equal(file.count, 0);
}

static void what_is_written_is_read_again(void **state)
{
	struct fixture *fixture = *state;
	struct place one = place_of("pci-0000:00:04.0/hs-1"), two = place_of("pci-1/ss-2.3");
	struct ports_file file = {0}, again;

	assert_int_equal(ports_file_add(&file, &one, "web"), 0);
	assert_int_equal(ports_file_add(&file, &two, "mail"), 0);
	assert_int_equal(ports_file_write(&file, fixture->path), 0);
	assert_int_equal(ports_file_read(&again, fixture->path), 0);
	ports_file_remove(&again, &one);
	assert_int_equal(ports_file_write(&again, fixture->path), 0);
	ports_file_fini(&again);
	assert_int_equal(ports_file_read(&again, fixture->path), 0);
	for (uint32_t i = 0, found = 0; i < again.count; i++) {
		if (!again.lines[i].entry)
			continue;
		assert_int_equal(found++, 0);
		assert_true(place_equal(&again.lines[i].place, &two));
		assert_string_equal(again.lines[i].guest, "mail");
	}
	ports_file_fini(&file);
	ports_file_fini(&again);
}

static void comments_and_bad_lines_are_kept(void **state)
{
	static const char before[] = "# ours\n"
				     "pci-0000:00:04.0/hs-1  web   # the stick\n"
				     "\n"
				     "what is this\n"
				     "pci-0000:00:04.0/hs-2  b@d\n"
				     "pci-0000:00:04.0/hs-1  mail\n"
				     "pci-0000:00:04.0/hs-3  one two\n"
				     "pci-0000:00:04.0/hs-4\n";
	static const char after[] = "# ours\n"
				    "\n"
				    "what is this\n"
				    "pci-0000:00:04.0/hs-2  b@d\n"
				    "pci-0000:00:04.0/hs-3  one two\n"
				    "pci-0000:00:04.0/hs-4\n"
				    "pci-0000:00:04.0/hs-9  db\n";
	struct fixture *fixture = *state;
	struct place one = place_of("pci-0000:00:04.0/hs-1"),
		     nine = place_of("pci-0000:00:04.0/hs-9");
	struct ports_file file;
	uint32_t entries = 0;
	char text[4096];

	assert_int_equal(ports_file_parse(&file, "ports.conf", before), 0);
	for (uint32_t i = 0; i < file.count; i++)
		entries += file.lines[i].entry;
	assert_int_equal(entries, 1);
	assert_string_equal(file.lines[1].guest, "web");
	ports_file_remove(&file, &one);
	assert_int_equal(ports_file_add(&file, &nine, "db"), 0);
	assert_int_equal(ports_file_write(&file, fixture->path), 0);
	file_text(fixture->path, text);
	assert_string_equal(text, after);
	ports_file_fini(&file);
}

static void devices_stand_beside_ports(void **state)
{
	static const char before[] = "device 46F4:0001 web # all of them\n"
				     "device 46f4:0001:a%20b\tmail\n"
				     "device 46f4:0001 db\n"
				     "device web\n"
				     "device\n"
				     "device 46f4:0002\n"
				     "device 46f4:0002 web now\n";
	static const char after[] = "device 46f4:0001:a%20b\tmail\n"
				    "device web\n"
				    "device\n"
				    "device 46f4:0002\n"
				    "device 46f4:0002 web now\n"
				    "device 0951:1666:%23  web\n";
	struct fixture *fixture = *state;
	struct usb_device device = {.vendor = 0x46f4, .product = 1};
	struct identity identity;
	struct ports_file file;
	char text[4096];

	assert_int_equal(ports_file_parse(&file, "ports.conf", before), 0);
	assert_string_equal(ports_file_match(&file, &device)->guest, "web");
	strcpy(device.serial, "a%20b");
	assert_string_equal(ports_file_match(&file, &device)->guest, "mail");
	device.product = 2;
	assert_null(ports_file_match(&file, &device));
	assert_true(identity_parse("46f4:0001", &identity));
	assert_string_equal(ports_file_find_device(&file, &identity)->guest, "web");
	ports_file_remove_device(&file, &identity);
	assert_null(ports_file_find_device(&file, &identity));
	assert_true(identity_parse("0951:1666:%23", &identity));
	assert_int_equal(ports_file_add_device(&file, &identity, "web"), 0);
	assert_int_equal(ports_file_write(&file, fixture->path), 0);
	assert_false(ports_file_changed(&file, fixture->path));
	file_text(fixture->path, text);
	assert_string_equal(text, after);
	ports_file_fini(&file);
	assert_int_equal(ports_file_read(&file, fixture->path), 0);
	assert_false(ports_file_changed(&file, fixture->path));
	assert_string_equal(ports_file_find_device(&file, &identity)->guest, "web");
	assert_int_equal(unlink(fixture->path), 0);
	assert_true(ports_file_changed(&file, fixture->path));
	ports_file_fini(&file);
}

static void there_are_not_too_many_devices(void **state)
{
	struct ports_file file = {0};
	struct identity identity = {.vendor = 1};

	(void)state;
	for (; identity.product < XVHC_GIVEN_DEVICES_MAX; identity.product++)
		assert_int_equal(ports_file_add_device(&file, &identity, "web"), 0);
	assert_int_not_equal(ports_file_add_device(&file, &identity, "web"), 0);
	ports_file_fini(&file);
}

/* Whether what has no line any more is taken, after each of these in turn. */
static void a_line_that_breaks_stands_for_what_it_was(void **state)
{
	static const struct {
		const char *text;
		bool follows;
	} steps[] = {
		{"rubbish\n" PLACE_1 " web\n" PLACE_2 " web\n", true},
		{"rubbish\n" PLACE_1 " web\npci-\n", false},
		{"rubbish\npci-\n", false}, /* still */
		{"rubbish\n" PLACE_2 " web\n", true},
		{"rubbish\n\n", true},
		{"", true},
	};
	struct ports_file before, now;

	(void)state;
	/* What could not be read at the start stood for nothing. */
	assert_int_equal(ports_file_parse(&before, "ports.conf", "rubbish\n"), 0);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		assert_int_equal(ports_file_parse(&now, "ports.conf", steps[i].text), 0);
		assert_int_equal(ports_file_follows(&now, &before), steps[i].follows);
		ports_file_fini(&before);
		before = now;
	}
	ports_file_fini(&before);
}

static void a_bad_line_is_told_with_its_number(void **state)
{
	struct ports_file file;
	char text[4096] = "";
	int saved = dup(STDERR_FILENO);
	FILE *log = tmpfile();

	(void)state;
	assert_non_null(log);
	dup2(fileno(log), STDERR_FILENO);
	assert_int_equal(ports_file_parse(&file, "ports.conf", "# one\n\nnonsense\n"), 0);
	dup2(saved, STDERR_FILENO);
	close(saved);
	rewind(log);
	assert_non_null(fgets(text, sizeof(text), log));
	assert_non_null(strstr(text, "ports.conf: line 3"));
	fclose(log);
	ports_file_fini(&file);
}

static void a_write_that_fails_leaves_the_old_file(void **state)
{
	struct fixture *fixture = *state;
	struct place one = place_of("pci-0000:00:04.0/hs-1");
	struct ports_file file = {0};
	char text[4096], beside[160];

	assert_int_equal(ports_file_add(&file, &one, "web"), 0);
	assert_int_equal(ports_file_write(&file, fixture->path), 0);
	ports_file_remove(&file, &one);
	/* A directory with the name of the new file is in the way, for root as well. */
	snprintf(beside, sizeof(beside), "%s.new", fixture->path);
	assert_int_equal(mkdir(beside, 0700), 0);
	assert_int_not_equal(ports_file_write(&file, fixture->path), 0);
	assert_int_equal(rmdir(beside), 0);
	file_text(fixture->path, text);
	assert_non_null(strstr(text, "hs-1  web"));
	ports_file_fini(&file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_file_that_is_not_there_is_empty, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_written_is_read_again, setup, teardown),
		cmocka_unit_test_setup_teardown(comments_and_bad_lines_are_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(devices_stand_beside_ports, setup, teardown),
		cmocka_unit_test(there_are_not_too_many_devices),
		cmocka_unit_test(a_line_that_breaks_stands_for_what_it_was),
		cmocka_unit_test(a_bad_line_is_told_with_its_number),
		cmocka_unit_test_setup_teardown(a_write_that_fails_leaves_the_old_file, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
