// SPDX-License-Identifier: MIT
/*
 * What guests transfer, live. Each look asks the broker for its figures; what changed since the
 * look before, by the time between, is what is shown. On a terminal each look takes the place of
 * the last one; elsewhere they follow each other.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "ask.h"
#include "error.h"
#include "json.h"
#include "names.h"
#include "screen.h"
#include "top_table.h"

#define OPTION_JSON 0
#define OPTION_DELAY 1
#define OPTION_COUNT 2

#define DELAY_MAX_MS 3600000u
#define COUNT_MAX 1000000000u

struct top {
	const struct call *call;
	uint32_t delay_ms;
	uint32_t left; /* looks that are still to be shown; 0: without end */
	bool json;
	bool terminal;
	int signals;
	struct json_object *before; /* the broker's answer before this one */
};

/* Reads "2" or "0.5" as milliseconds. False where it is no such number. */
static bool delay_parse(const char *text, uint32_t *delay_ms)
{
	char *end;
	double seconds;

	errno = 0;
	seconds = strtod(text, &end);
	if (errno != 0 || end == text || *end != '\0' || !(seconds >= 0.1) ||
	    seconds > DELAY_MAX_MS / 1000.0)
		return false;
	*delay_ms = (uint32_t)(seconds * 1000);
	return true;
}

static bool count_parse(const char *text, uint32_t *count)
{
	unsigned long number;
	char *end;

	errno = 0;
	number = strtoul(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || text[0] == '-' || number == 0 ||
	    number > COUNT_MAX)
		return false;
	*count = (uint32_t)number;
	return true;
}

static int options_read(const struct call *call, struct top *top)
{
	if (call->values[OPTION_DELAY] &&
	    !delay_parse(call->values[OPTION_DELAY], &top->delay_ms)) {
		error_say("--delay takes seconds, from 0.1 to %u.", DELAY_MAX_MS / 1000);
		return EXIT_USAGE;
	}
	if (call->values[OPTION_COUNT] && !count_parse(call->values[OPTION_COUNT], &top->left)) {
		error_say("--count takes a number, from 1 to %u.", COUNT_MAX);
		return EXIT_USAGE;
	}
	return EXIT_SUCCESS;
}

/* Waits until it is time to look again. False: the user, or a signal, wants it to end. */
static bool wait_next(const struct top *top)
{
	struct pollfd wait[2] = {{.fd = top->signals, .events = POLLIN},
				 {.fd = top->terminal ? STDIN_FILENO : -1, .events = POLLIN}};
	char key = 0;

	if (poll(wait, 2, (int)top->delay_ms) <= 0)
		return true;
	if (wait[0].revents)
		return false;
	/* A terminal that is gone reads as an end of file. */
	if (read(STDIN_FILENO, &key, 1) != 1)
		return false;
	return key != 'q' && key != 'Q' && key != 3;
}

static void show(const struct top *top, struct json_object *now)
{
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);
	struct json_object *rates;

	if (!stream)
		return;
	rates = top_rates(top->before, now);
	if (top->json)
		fprintf(stream, "%s\n",
			json_object_to_json_string_ext(rates, JSON_C_TO_STRING_PLAIN));
	else
		top_table_print(stream, rates);
	json_object_put(rates);
	if (fclose(stream) == 0 && top->terminal)
		screen_show(text);
	else if (text)
		fputs(text, stdout);
	fflush(stdout);
	free(text);
}

/* The first answer is what the next one is compared with; it shows nothing. */
static int look_on(struct top *top)
{
	struct json_object *now;
	int code;

	do {
		code = ask(top->call, request_new("counters"), &now);
		if (code != EXIT_SUCCESS) {
			json_object_put(now);
			return code;
		}
		if (top->before) {
			if (json_length(json_member(now, "ports")) > 0)
				names_add(json_member(now, "ports"));
			show(top, now);
			if (top->left > 0 && --top->left == 0) {
				json_object_put(now);
				return EXIT_SUCCESS;
			}
			if (!top->json && !top->terminal)
				putchar('\n');
		}
		json_object_put(top->before);
		top->before = now;
	} while (!ferror(stdout) && wait_next(top));
	return EXIT_SUCCESS;
}

static int run(const struct call *call)
{
	struct top top = {.call = call, .delay_ms = 1000, .json = call->values[OPTION_JSON]};
	sigset_t set;
	int code = options_read(call, &top);

	if (code != EXIT_SUCCESS)
		return code;
	/* However it ends, the terminal is put back as it was. */
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	top.signals = signalfd(-1, &set, SFD_CLOEXEC);
	if (top.signals < 0) {
		error_say("Signals cannot be waited for: %s.", strerror(errno));
		return EXIT_FAILURE;
	}
	top.terminal = !top.json && screen_open();
	code = look_on(&top);
	screen_close();
	json_object_put(top.before);
	close(top.signals);
	return code;
}

const struct command command_top = {
	.name = "top",
	.form = "",
	.summary = "show transfers and bytes per second, live",
	.options = {[OPTION_JSON] = {"json", 0, NULL, "print an object a line, for programs"},
		    [OPTION_DELAY] = {"delay", 'd', "SECONDS", "between two looks; else 1"},
		    [OPTION_COUNT] = {"count", 'n', "COUNT", "end after so many; else never"}},
	.help = "Shows for each guest, and for each of its ports, what was transferred in a "
		"second:\n"
		"transfers, bytes to the host and to the device, errors (what the guest cancels "
		"is\n"
		"none), transfers in flight, and the processor time of the guest's workers. On a\n"
		"terminal it goes on until q or Ctrl-C. Elsewhere it prints one table after "
		"another;\n"
		"with --json, one object a line (json.md).\n"
		"\n"
		"Examples:\n"
		"  xvhc top\n"
		"  xvhc top -d 5 -n 12 >> usb.log\n"
		"  xvhc top --json -n 1 | jq '.guests[] | {guest, \"bytes-in-per-second\"}'\n",
	.run = run,
};
