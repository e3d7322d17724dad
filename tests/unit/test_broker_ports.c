// SPDX-License-Identifier: MIT
/* The whole broker with a file of given ports: what it gives, and what an edit changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <broker/broker.h>
#include <broker/given.h>

#include "broker_fixture.h"

#define PLACE_2 "pci-" PCI "/hs-2"
#define PLACE_3 "pci-" PCI "/hs-3"
#define ELSEWHERE "pci-0000:00:09.0/hs-1"
#define GUEST_UUID "6f2b1f0e-3f4c-4b8e-9a52-0c4d3c1f7a10"

static atomic_uint releases;

static void fake_job_run(struct job *job, const struct job_paths *paths)
{
	(void)paths;
	releases += job->type == JOB_RELEASE;
	job_run_claims(job);
}

static int setup(void **state)
{
	struct fixture *fixture = fixture_new(fake_job_run);

	memory_store_guest(fixture->store, GUEST, "web");
	releases = 0;
	*state = fixture;
	return 0;
}

static void start_with(struct fixture *fixture, const char *lines)
{
	fake_file(&fixture->sysfs, lines, "ports.conf");
	start(fixture);
}

/* The given port of this place. NULL: there is none. */
static const struct given *given_at(struct fixture *fixture, const char *text)
{
	struct place place;

	assert_true(place_parse(text, &place));
	return given_find_place(&fixture->broker, &place);
}

static bool is_given(struct fixture *fixture, const char *place, const char *guest)
{
	const struct given *given = given_at(fixture, place);

	return guest ? given && given->confirmed && !given->taking &&
			       strcmp(given->guest, guest) == 0
		     : !given;
}

/* Turns the broker until a port is given to a guest; NULL: to nobody. */
static void until_given_to(struct fixture *fixture, const char *place, const char *guest)
{
	uint64_t since_ms = clock_ms();
	char awaited[256];

	snprintf(awaited, sizeof(awaited), "%s is given to %s", place, guest ? guest : "nobody");
	while (!is_given(fixture, place, guest))
		turn(fixture, since_ms, awaited);
}

/* Turns it until the file that there is has been read, or will not be. */
static void until_read(struct fixture *fixture)
{
	uint64_t since_ms = clock_ms();

	while (fixture->broker.ports_read_at_ms == 0)
		turn(fixture, since_ms, "the change is noticed");
	while (fixture->broker.ports_read_at_ms != 0)
		turn(fixture, since_ms, "the file is read");
}

/* As an editor does it that writes a new file. */
static void edit(struct fixture *fixture, const char *text)
{
	char beside[PATH_MAX + 16];

	fake_file(&fixture->sysfs, text, "editor.tmp");
	snprintf(beside, sizeof(beside), "%s/editor.tmp", fixture->sysfs.root);
	assert_int_equal(rename(beside, fixture->ports_file), 0);
}

static void bus_numbers_that_change_change_nothing(void **state)
{
	struct fixture *fixture = *state;

	/* Another controller's bus came first this time: the port 1-2 of before is 2-2 now. */
	fake_sysfs_close(&fixture->sysfs);
	fake_sysfs_open(&fixture->sysfs);
	fake_bus(&fixture->sysfs, "0000:00:03.0", 1, "480\n", 4);
	fake_bus(&fixture->sysfs, PCI, 2, "480\n", FIXTURE_PORTS);
	snprintf(fixture->ports_file, PATH_MAX, "%s/ports.conf", fixture->sysfs.root);
	snprintf(fixture->socket, PATH_MAX, "%s/control", fixture->sysfs.root);
	fake_device(&fixture->sysfs, "1-2", 5, "480\n", 0, 0);
	start_with(fixture, PLACE_2 " web\n");
	until_node(fixture, BACKEND "/port/1", PLACE_2);
	until_answered(fixture, "{\"command\":\"list\"}",
		       "\"names\":[\"2-2\"],\"place\":\"pci-0000:00:04.0\\/hs-2\",\"device\":null,"
		       "\"guest\":\"web\"");
	until_answered(fixture, "{\"command\":\"take\",\"port\":\"1-2\"}", "not given");
	until_answered(fixture, "{\"command\":\"take\",\"port\":\"2-2\"}", "taken from web");
}

static void what_is_missing_stops_nothing(void **state)
{
	struct fixture *fixture = *state;

	memory_store_set(fixture->store, "/vm/" GUEST_UUID, "/local/domain/%u/vm", GUEST);
	start_with(fixture, ELSEWHERE " web\n"
				      "pci-" PCI "/hs-2.7 web\n"
				      "device 0951:1666 web\n"
				      "device 0951:1666:5B8203 nobody\n" PLACE_3 " nobody\n" PLACE
				      " " GUEST_UUID "\n");
	until_given_to(fixture, PLACE, GUEST_UUID);
	until_node(fixture, BACKEND "/port/3", PLACE);
	assert_true(is_given(fixture, ELSEWHERE, "web"));
	assert_true(is_given(fixture, PLACE_3, "nobody"));
	/* It comes. */
	fake_bus(&fixture->sysfs, "0000:00:09.0", 7, "480\n", 1);
	fixture->broker.topology_dirty = true;
	until_given_is(fixture, "waiting for the guest's frontend driver");
}

static void a_line_that_is_added_gives(void **state)
{
	struct fixture *fixture = *state;

	start_with(fixture, PLACE " web\n");
	until_given_to(fixture, PLACE, "web");
	edit(fixture, PLACE " web\n" PLACE_2 " mail\n" ELSEWHERE " db\n");
	until_given_to(fixture, PLACE_2, "mail");
	assert_non_null(given_at(fixture, ELSEWHERE));
	until_answered(fixture, "{\"command\":\"list\"}", "not there now");
	assert_true(is_given(fixture, PLACE, "web"));
	assert_int_equal(releases, 0);
}

static void a_line_that_is_removed_takes(void **state)
{
	struct fixture *fixture = *state;

	start_with(fixture, PLACE " web\n" PLACE_2 " web\n" ELSEWHERE " db\n");
	until_given_to(fixture, PLACE_2, "web");
	edit(fixture, "# " PLACE " web\n" PLACE_2 " web\n");
	until_given_to(fixture, PLACE, NULL);
	until_given_to(fixture, ELSEWHERE, NULL);
	assert_true(is_given(fixture, PLACE_2, "web"));
}

static void a_line_that_names_another_guest_moves_the_port(void **state)
{
	struct fixture *fixture = *state;

	start_with(fixture, PLACE " web\n");
	until_given_to(fixture, PLACE, "web");
	edit(fixture, PLACE " mail\n");
	until_given_to(fixture, PLACE, "mail");
	assert_int_equal(releases, 1);
}

static void a_guest_that_gets_another_name_keeps_the_port(void **state)
{
	struct fixture *fixture = *state;

	memory_store_set(fixture->store, "/vm/" GUEST_UUID, "/local/domain/%u/vm", GUEST);
	start_with(fixture, PLACE " web\n");
	until_given_to(fixture, PLACE, "web");
	edit(fixture, PLACE " " GUEST_UUID "\n");
	until_given_to(fixture, PLACE, GUEST_UUID);
	assert_int_equal(releases, 0);
}

static void a_broken_line_loses_nothing(void **state)
{
	struct fixture *fixture = *state;

	start_with(fixture, PLACE " web\n" PLACE_2 " web\n");
	until_given_to(fixture, PLACE_2, "web");
	edit(fixture, PLACE " w b\n" PLACE_3 " web\n");
	until_given_to(fixture, PLACE_3, "web");
	assert_true(is_given(fixture, PLACE, "web"));
	assert_true(is_given(fixture, PLACE_2, "web"));
	/* A command keeps the broken line, and what it stands for. */
	until_answered(fixture, "{\"command\":\"give\",\"port\":\"1-4\",\"guest\":\"web\"}", "ok");
	assert_true(is_given(fixture, PLACE, "web"));
	edit(fixture, PLACE " web\n" PLACE_3 " web\n");
	until_given_to(fixture, PLACE_2, NULL);
	assert_true(is_given(fixture, PLACE, "web"));
}

static void a_file_is_read_when_its_writer_has_closed_it(void **state)
{
	struct fixture *fixture = *state;
	uint64_t since_ms = clock_ms();
	FILE *file;

	start_with(fixture, PLACE " web\n");
	until_given_to(fixture, PLACE, "web");
	file = fopen(fixture->ports_file, "w");
	assert_non_null(file);
	fputs("#", file);
	fflush(file);
	while (!fixture->broker.ports_written)
		turn(fixture, since_ms, "the change is noticed");
	since_ms = clock_ms();
	while (clock_ms() < since_ms + 3 * XVHC_PORTS_FILE_QUIET_MS)
		turn(fixture, since_ms, "");
	assert_true(is_given(fixture, PLACE, "web"));
	fputs("\n" PLACE " web\n" PLACE_2 " web\n", file);
	fclose(file);
	until_given_to(fixture, PLACE_2, "web");
	assert_int_equal(releases, 0);
}

static void a_file_that_is_gone_or_unreadable_takes_nothing(void **state)
{
	struct fixture *fixture = *state;

	start_with(fixture, PLACE " web\n");
	until_given_to(fixture, PLACE, "web");
	assert_int_equal(unlink(fixture->ports_file), 0);
	until_read(fixture);
	assert_true(is_given(fixture, PLACE, "web"));
	assert_int_equal(mkdir(fixture->ports_file, 0700), 0);
	until_read(fixture);
	assert_true(is_given(fixture, PLACE, "web"));
	assert_int_equal(rmdir(fixture->ports_file), 0);
	/* The next command writes it anew, with all that is given. */
	until_answered(fixture, "{\"command\":\"give\",\"port\":\"1-2\",\"guest\":\"web\"}", "ok");
	edit(fixture, PLACE_2 " web\n");
	until_given_to(fixture, PLACE, NULL);
}

static void what_we_wrote_is_not_read_again(void **state)
{
	struct fixture *fixture = *state;
	const struct ports_line *lines;

	start_with(fixture, PLACE " web\n");
	until_answered(fixture, "{\"command\":\"give\",\"port\":\"1-2\",\"guest\":\"web\"}", "ok");
	lines = fixture->broker.file.lines;
	until_read(fixture);
	assert_ptr_equal(fixture->broker.file.lines, lines);
	assert_null(fixture->broker.file.lines[1].text);
}

static void an_edit_survives_a_command_right_after_it(void **state)
{
	struct fixture *fixture = *state;

	start_with(fixture, PLACE " web\n");
	until_given_to(fixture, PLACE, "web");
	edit(fixture, PLACE " web\n" PLACE_2 " mail\n");
	until_answered(fixture, "{\"command\":\"give\",\"port\":\"1-3\",\"guest\":\"web\"}", "ok");
	until_given_to(fixture, PLACE_2, "mail");
	assert_non_null(ports_file_find(&fixture->broker.file, &given_at(fixture, PLACE_2)->place));
	assert_false(ports_file_changed(&fixture->broker.file, fixture->ports_file));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bus_numbers_that_change_change_nothing),
		TEST(what_is_missing_stops_nothing),
		TEST(a_line_that_is_added_gives),
		TEST(a_line_that_is_removed_takes),
		TEST(a_line_that_names_another_guest_moves_the_port),
		TEST(a_guest_that_gets_another_name_keeps_the_port),
		TEST(a_broken_line_loses_nothing),
		TEST(a_file_is_read_when_its_writer_has_closed_it),
		TEST(a_file_that_is_gone_or_unreadable_takes_nothing),
		TEST(what_we_wrote_is_not_read_again),
		TEST(an_edit_survives_a_command_right_after_it),
	};

	log_init("xvhcd", LOG_LEVEL_DEBUG);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
