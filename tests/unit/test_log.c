// SPDX-License-Identifier: MIT
/* Lines of the log, as they come out of stderr. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <common/log.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static int real_stderr, ends[2];
static char text[8192];

static void capture(void)
{
	assert_return_code(pipe2(ends, O_NONBLOCK), errno);
	real_stderr = dup(STDERR_FILENO);
	assert_return_code(dup2(ends[1], STDERR_FILENO), errno);
}

/* Returns how many lines were written since capture(); they are in text. */
static uint32_t release(void)
{
	ssize_t got = read(ends[0], text, sizeof(text) - 1);
	uint32_t lines = 0, i;

	dup2(real_stderr, STDERR_FILENO);
	close(real_stderr);
	close(ends[0]);
	close(ends[1]);
	text[got > 0 ? got : 0] = 0;
	for (i = 0; text[i]; i++)
		lines += text[i] == '\n';
	return lines;
}

static void line_names_process_and_prefix(void **state)
{
	(void)state;
	log_init("program", LOG_LEVEL_INFO);
	capture();
	log_prefix("guest %d", 7);
	log_line(LOG_LEVEL_WARNING, "port %d", 3);
	log_prefix("%s", "");
	log_line(LOG_LEVEL_INFO, "plain");
	assert_int_equal(release(), 2);
	assert_string_equal(text, "program: guest 7: warning: port 3\nprogram: plain\n");
}

static void levels_beyond_the_wanted_are_silent(void **state)
{
	(void)state;
	log_init("program", LOG_LEVEL_WARNING);
	capture();
	log_line(LOG_LEVEL_INFO, "not this");
	log_line(LOG_LEVEL_WARNING, "this");
	assert_int_equal(release(), 1);
	log_init("program", LOG_LEVEL_INFO);
}

static void text_of_a_peer_cannot_make_lines(void **state)
{
	(void)state;
	capture();
	log_line(LOG_LEVEL_INFO, "%s", "one\ntwo\x1b[31m");
	assert_int_equal(release(), 1);
	assert_string_equal(text, "program: one?two?[31m\n");
}

static void long_line_is_cut(void **state)
{
	char longer[2000];

	(void)state;
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = 0;
	capture();
	log_line(LOG_LEVEL_INFO, "%s", longer);
	assert_int_equal(release(), 1);
	assert_true(strlen(text) < 600);
}

static void one_cause_writes_a_bounded_number_of_lines(void **state)
{
	struct log_limit limit = {0}, other = {0};
	uint32_t i;

	(void)state;
	capture();
	for (i = 0; i < 1000; i++)
		log_limited(&limit, LOG_LEVEL_INFO, "again");
	log_limited(&other, LOG_LEVEL_INFO, "another cause");
	assert_int_equal(release(), LOG_LIMIT_LINES + 1);
	assert_non_null(strstr(text, "another cause"));
}

static void what_was_left_out_is_told(void **state)
{
	struct log_limit limit = {0};
	uint32_t i;

	(void)state;
	capture();
	for (i = 0; i < LOG_LIMIT_LINES + 5; i++)
		log_limited(&limit, LOG_LEVEL_INFO, "again");
	/* As if that had been long ago. */
	limit.since_ms -= LOG_LIMIT_MS;
	log_limited(&limit, LOG_LEVEL_INFO, "later");
	assert_int_equal(release(), LOG_LIMIT_LINES + 1);
	assert_non_null(strstr(text, "(5 such lines left out) later"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(line_names_process_and_prefix),
		cmocka_unit_test(levels_beyond_the_wanted_are_silent),
		cmocka_unit_test(text_of_a_peer_cannot_make_lines),
		cmocka_unit_test(long_line_is_cut),
		cmocka_unit_test(one_cause_writes_a_bounded_number_of_lines),
		cmocka_unit_test(what_was_left_out_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
