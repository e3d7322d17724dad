// SPDX-License-Identifier: MIT
#include "ask.h"

#include <stdlib.h>

#include "client.h"
#include "error.h"

struct json_object *request_new(const char *command)
{
	struct json_object *request = json_object_new_object();

	request_add(request, "command", command);
	return request;
}

void request_add(struct json_object *request, const char *name, const char *text)
{
	json_object_object_add(request, name, json_object_new_string(text));
}

void line_print(FILE *stream, const char *text)
{
	for (; *text; text++)
		putc(*text < ' ' || *text > '~' ? '?' : *text, stream);
	putc('\n', stream);
}

/* Sends the request. *answer: NULL where none came. Returns the exit code. */
static int exchange(const struct call *call, struct json_object *request,
		    struct json_object **answer)
{
	struct json_object *ok;

	*answer = client_ask(call->socket, request);
	json_object_put(request);
	if (!*answer)
		return EXIT_FAILURE;
	json_object_object_get_ex(*answer, "ok", &ok);
	return json_object_get_boolean(ok) ? EXIT_SUCCESS : EXIT_FAILURE;
}

static void sentence_print(int code, const char *text)
{
	if (code == EXIT_SUCCESS)
		line_print(stdout, text);
	else
		error_say("%s", text);
}

int ask(const struct call *call, struct json_object *request, struct json_object **answer)
{
	struct json_object *got, *message;
	int code = exchange(call, request, &got);

	if (got && json_object_object_get_ex(got, "message", &message))
		sentence_print(code, json_object_get_string(message));
	if (answer)
		*answer = got;
	else
		json_object_put(got);
	return code;
}

int ask_once(const struct call *call, struct json_object *request, bool json)
{
	struct json_object *answer;
	int code;

	if (!json)
		return ask(call, request, NULL);
	code = exchange(call, request, &answer);
	if (answer)
		puts(json_object_to_json_string_ext(answer, JSON_C_TO_STRING_PRETTY));
	json_object_put(answer);
	return code;
}
