// SPDX-License-Identifier: MIT
#include "ask.h"

#include <stdlib.h>

#include "client.h"

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

int ask(const struct call *call, struct json_object *request, struct json_object **answer)
{
	struct json_object *got = client_ask(call->socket, request), *ok, *message;
	int code;

	json_object_put(request);
	if (answer)
		*answer = got;
	if (!got)
		return EXIT_FAILURE;
	json_object_object_get_ex(got, "ok", &ok);
	code = json_object_get_boolean(ok) ? EXIT_SUCCESS : EXIT_FAILURE;
	if (json_object_object_get_ex(got, "message", &message))
		line_print(code == EXIT_SUCCESS ? stdout : stderr, json_object_get_string(message));
	if (!answer)
		json_object_put(got);
	return code;
}
