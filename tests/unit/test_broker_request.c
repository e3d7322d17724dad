// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <broker/command.h>

static void a_whole_request_is_read(void **state)
{
	struct command command;
	char text[COMMAND_TEXT_MAX];

	(void)state;
	assert_true(command_parse("{\"command\": \"give\", \"port\": \"1-2\", \"guest\": \"web\"}",
				  &command, text));
	assert_int_equal(command.type, COMMAND_GIVE);
	assert_string_equal(command.port, "1-2");
	assert_string_equal(command.guest, "web");
	assert_true(command_parse("{\"command\":\"take\",\"port\":\"pci-0000:00:04.0/hs-2\"}",
				  &command, text));
	assert_int_equal(command.type, COMMAND_TAKE);
	assert_true(command_parse("{\"command\":\"list\"}", &command, text));
	assert_int_equal(command.type, COMMAND_LIST);
}

static void a_bad_request_gets_a_sentence(void **state)
{
	static const struct {
		const char *line, *word;
	} cases[] = {
		{"", "JSON"},
		{"{", "JSON"},
		{"[]", "JSON"},
		{"null", "JSON"},
		{"\"list\"", "JSON"},
		{"{\"command\":\"list\"} x", "JSON"},
		{"{\"command\":{\"a\":{\"b\":{\"c\":{}}}}}", "JSON"},
		{"{}", "command"},
		{"{\"command\":7}", "command"},
		{"{\"command\":\"steal\"}", "command"},
		{"{\"command\":\"give\"}", "port"},
		{"{\"command\":\"give\",\"port\":12}", "port"},
		{"{\"command\":\"give\",\"port\":\"1-2\"}", "guest"},
		{"{\"command\":\"give\",\"port\":\"1-2\",\"guest\":[]}", "guest"},
		{"{\"command\":\"give\",\"port\":\"1-2\",\"guest\":\"a/b\"}", "a/b"},
		{"{\"command\":\"give\",\"port\":\"1-2\",\"guest\":\"web\\u0000x\"}", "guest"},
		{"{\"command\":\"give\",\"port\":\"1-2/..\",\"guest\":\"web\"}", "1-2/.."},
		{"{\"command\":\"take\",\"port\":\"\\u001b[2J\"}", "'?[2J'"},
	};
	struct command command;
	char text[COMMAND_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_false(command_parse(cases[i].line, &command, text));
		if (!strstr(text, cases[i].word))
			fail_msg("%s: the answer is: %s", cases[i].line, text);
	}
}

static void a_long_name_is_refused_and_not_cut(void **state)
{
	struct command command;
	char text[COMMAND_TEXT_MAX], line[XVHC_COMMAND_BYTES_MAX], name[1000];

	(void)state;
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	snprintf(line, sizeof(line), "{\"command\":\"give\",\"port\":\"1-2\",\"guest\":\"%s\"}",
		 name);
	assert_false(command_parse(line, &command, text));
	snprintf(line, sizeof(line), "{\"command\":\"take\",\"port\":\"%s/hs-1\"}", name);
	assert_false(command_parse(line, &command, text));
	assert_true(strlen(text) < COMMAND_TEXT_MAX - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_request_is_read),
		cmocka_unit_test(a_bad_request_gets_a_sentence),
		cmocka_unit_test(a_long_name_is_refused_and_not_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
