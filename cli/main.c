// SPDX-License-Identifier: MIT
/* xvhc, the command. It asks the broker, and prints what it answers. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "help.h"
#include "table.h"

#ifndef XVHC_VERSION
#define XVHC_VERSION "unknown"
#endif

#define EXIT_USAGE 2

struct arguments {
	const char *socket;
	int count; /* of words, the command being the first */
	char **words;
	bool json;
	bool help;
};

static int wrong_usage(const char *command, const char *form)
{
	fprintf(stderr, "xvhc: the form is: %s (xvhc help %s has examples)\n", form, command);
	return EXIT_USAGE;
}

/* Prints a sentence of the broker's, without what a terminal would take for a command. */
static void message_print(FILE *stream, const char *text)
{
	for (; *text; text++)
		putc(*text < ' ' || *text > '~' ? '?' : *text, stream);
	putc('\n', stream);
}

/* Asks the broker, and prints its sentence. Returns the exit code; the caller puts the answer. */
static int ask(const struct arguments *arguments, struct json_object *request,
	       struct json_object **answer)
{
	struct json_object *ok, *message;

	*answer = client_ask(arguments->socket, request);
	json_object_put(request);
	if (!*answer)
		return EXIT_FAILURE;
	json_object_object_get_ex(*answer, "ok", &ok);
	if (json_object_object_get_ex(*answer, "message", &message))
		message_print(json_object_get_boolean(ok) ? stdout : stderr,
			      json_object_get_string(message));
	return json_object_get_boolean(ok) ? EXIT_SUCCESS : EXIT_FAILURE;
}

static struct json_object *request_new(const char *command)
{
	struct json_object *request = json_object_new_object();

	json_object_object_add(request, "command", json_object_new_string(command));
	return request;
}

static int run_give(const struct arguments *arguments)
{
	struct json_object *request, *answer;
	int code;

	if (arguments->count != 3)
		return wrong_usage("give", "xvhc give PORT GUEST");
	request = request_new("give");
	json_object_object_add(request, "port", json_object_new_string(arguments->words[1]));
	json_object_object_add(request, "guest", json_object_new_string(arguments->words[2]));
	code = ask(arguments, request, &answer);
	json_object_put(answer);
	return code;
}

static int run_take(const struct arguments *arguments)
{
	struct json_object *request, *answer;
	int code;

	if (arguments->count != 2)
		return wrong_usage("take", "xvhc take PORT");
	request = request_new("take");
	json_object_object_add(request, "port", json_object_new_string(arguments->words[1]));
	code = ask(arguments, request, &answer);
	json_object_put(answer);
	return code;
}

static int run_list(const struct arguments *arguments)
{
	struct json_object *answer, *ports;
	int code;

	if (arguments->count != 1)
		return wrong_usage("list", "xvhc list [--json]");
	code = ask(arguments, request_new("list"), &answer);
	if (code == EXIT_SUCCESS && json_object_object_get_ex(answer, "ports", &ports) &&
	    json_object_is_type(ports, json_type_array)) {
		json_object_object_del(answer, "ok");
		if (arguments->json)
			puts(json_object_to_json_string_ext(answer, JSON_C_TO_STRING_PRETTY));
		else
			table_print(ports);
	}
	json_object_put(answer);
	return code;
}

static int run_help_of(const char *command)
{
	if (help_print(command))
		return EXIT_SUCCESS;
	fprintf(stderr, "xvhc: there is no command '%s'. xvhc help shows the commands.\n", command);
	return EXIT_USAGE;
}

static int run_help(const struct arguments *arguments)
{
	if (arguments->count > 2)
		return wrong_usage("help", "xvhc help [COMMAND]");
	return run_help_of(arguments->count > 1 ? arguments->words[1] : NULL);
}

static const struct {
	const char *name;
	int (*run)(const struct arguments *arguments);
} commands[] = {
	{"give", run_give},
	{"take", run_take},
	{"list", run_list},
	{"help", run_help},
};

/*
 * Sorts options from words; options may stand anywhere, until `--`. Returns -1 to go on, or the
 * exit code.
 */
static int arguments_read(int argc, char **argv, struct arguments *arguments)
{
	bool options = true;

	arguments->words = argv + 1;
	for (int i = 1; i < argc; i++) {
		if (!options || argv[i][0] != '-') {
			arguments->words[arguments->count++] = argv[i];
		} else if (strcmp(argv[i], "--") == 0) {
			options = false;
		} else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			arguments->help = true;
		} else if (strcmp(argv[i], "--version") == 0) {
			puts("xvhc " XVHC_VERSION);
			return EXIT_SUCCESS;
		} else if (strcmp(argv[i], "--json") == 0) {
			arguments->json = true;
		} else if (strcmp(argv[i], "--socket") == 0 && i + 1 < argc) {
			arguments->socket = argv[++i];
		} else {
			fprintf(stderr,
				"xvhc: the option %s does not exist%s. xvhc --help shows what "
				"there is.\n",
				argv[i], strcmp(argv[i], "--socket") == 0 ? " without a path" : "");
			return EXIT_USAGE;
		}
	}
	return -1;
}

int main(int argc, char **argv)
{
	struct arguments arguments = {.socket = "/run/xvhc/control"};
	int code = arguments_read(argc, argv, &arguments);

	if (code >= 0)
		return code;
	if (arguments.help)
		return run_help_of(arguments.count ? arguments.words[0] : NULL);
	if (arguments.count == 0) {
		fputs("xvhc: what shall be done? xvhc --help shows the commands.\n", stderr);
		return EXIT_USAGE;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].name, arguments.words[0]) != 0)
			continue;
		if (arguments.json && commands[i].run != run_list) {
			fprintf(stderr, "xvhc: --json goes with xvhc list only.\n");
			return EXIT_USAGE;
		}
		return commands[i].run(&arguments);
	}
	fprintf(stderr, "xvhc: there is no command '%s'. xvhc --help shows the commands.\n",
		arguments.words[0]);
	return EXIT_USAGE;
}
