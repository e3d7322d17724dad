// SPDX-License-Identifier: MIT
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <xvhc/limits.h>

#include "ask.h"
#include "error.h"
#include "follow.h"

#define OPTION_JSON 0
#define OPTION_LAST 1

#define LINE_BYTES_MAX 4096u

static const char *member(struct json_object *event, const char *name)
{
	struct json_object *value;
	const char *text = NULL;

	if (json_object_object_get_ex(event, name, &value) && value)
		text = json_object_get_string(value);
	return text ? text : "-";
}

/* All names of the port, as one: 1-2/2-2. Where it has none now, its place. */
static void names_join(struct json_object *event, char *text, size_t size)
{
	struct json_object *names;
	size_t count = 0, at = 0;

	if (json_object_object_get_ex(event, "names", &names) &&
	    json_object_is_type(names, json_type_array))
		count = json_object_array_length(names);
	if (count == 0)
		snprintf(text, size, "%s", member(event, "port"));
	for (size_t i = 0; i < count && at < size; i++)
		at += (size_t)snprintf(text + at, size - at, "%s%s", i ? "/" : "",
				       json_object_get_string(json_object_array_get_idx(names, i)));
}

/* `2026-11-27 10:31:05.123`, of this place. What is no time is shown as it came. */
static void time_localise(const char *utc, char *text, size_t size)
{
	struct tm parts = {0};
	const char *rest = strptime(utc, "%Y-%m-%dT%H:%M:%S", &parts);
	time_t seconds = timegm(&parts);
	size_t length;

	snprintf(text, size, "%s", utc);
	if (!rest || rest[0] != '.' || !localtime_r(&seconds, &parts))
		return;
	length = strftime(text, size, "%Y-%m-%d %H:%M:%S", &parts);
	snprintf(text + length, size - length, "%.4s", rest);
}

static void event_print(struct json_object *event)
{
	char when[40], names[128], line[LINE_BYTES_MAX], left_out[64] = "", times[32] = "";
	struct json_object *count;

	time_localise(member(event, "time"), when, sizeof(when));
	names_join(event, names, sizeof(names));
	if (json_object_object_get_ex(event, "count", &count) && json_object_get_int64(count) > 1 &&
	    strcmp(member(event, "kind"), "blocked") != 0)
		snprintf(times, sizeof(times), " (%s)", member(event, "count"));
	if (json_object_object_get_ex(event, "left-out", &count))
		snprintf(left_out, sizeof(left_out), " (%s more like it before)",
			 member(event, "left-out"));
	snprintf(line, sizeof(line), "%s  %-12s  %-9s  %-10s  %s%s%s", when, member(event, "kind"),
		 names, member(event, "guest"), member(event, "message"), times, left_out);
	line_print(stdout, line);
}

/* Returns false where nobody reads what we write. */
static bool line_show(const char *text, const void *context)
{
	const struct call *call = context;
	struct json_object *event = json_tokener_parse(text);

	if (event && json_object_is_type(event, json_type_object)) {
		if (call->values[OPTION_JSON])
			puts(json_object_to_json_string_ext(
				event, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
		else
			event_print(event);
	}
	json_object_put(event);
	return fflush(stdout) == 0 && !ferror(stdout);
}

/* False: it is no number. */
static bool last_add(const struct call *call, struct json_object *request)
{
	const char *text = call->values[OPTION_LAST];
	char *end = NULL;
	unsigned long last;

	if (!text)
		return true;
	errno = 0;
	last = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || last > INT32_MAX) {
		error_say("-n takes a number of events, such as 20.");
		return false;
	}
	json_object_object_add(request, "last", json_object_new_int64((int64_t)last));
	return true;
}

static int run(const struct call *call)
{
	struct json_object *request = request_new("monitor");
	struct json_object *words = json_object_new_array();
	int code = EXIT_USAGE;

	for (size_t i = 0; i < call->word_count; i++)
		json_object_array_add(words, json_object_new_string(call->words[i]));
	json_object_object_add(request, "words", words);
	/* A reader that goes ends us by what fflush() returns. */
	signal(SIGPIPE, SIG_IGN);
	if (last_add(call, request))
		code = follow(call->socket, request, line_show, call);
	json_object_put(request);
	return code;
}

const struct command command_monitor = {
	.name = "monitor",
	.form = "[PORT|GUEST...]",
	.words_max = XVHC_MONITOR_WORDS_MAX,
	.summary = "print what happens, as it happens",
	.options = {[OPTION_JSON] = {"json", 0, NULL, "print an object a line, for programs"},
		    [OPTION_LAST] = {"last", 'n', "N", "begin with the last N events from before"}},
	.help = "Prints a line for each event: when, what kind, the port, the guest, and a "
		"sentence.\n"
		"With names it prints those of these ports and guests. The kinds: plugged,\n"
		"unplugged, given, taken, connected and disconnected (a guest's controller),\n"
		"attached (the guest is told of the device), configured (its drivers use it),\n"
		"detached, refused (by the policy), changed (it came back as something else), "
		"reset\n"
		"(by the guest), blocked (requests that may not reach the device), error,\n"
		"restarting, started, ending, reloaded (xvhcd and its configuration), and lost\n"
		"(events that were not read fast enough). json.md has all members of an\n"
		"event for programs.\n"
		"\n"
		"It ends with Ctrl-C (exit code 130), when nobody reads its output any more (0), "
		"and\n"
		"when xvhcd ends (1).\n"
		"\n"
		"Examples:\n"
		"  xvhc monitor\n"
		"  xvhc monitor -n 20 1-2 web\n"
		"  xvhc monitor --json | jq -r 'select(.kind == \"refused\") | .rule'\n",
	.run = run,
};
