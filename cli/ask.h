/* SPDX-License-Identifier: MIT */
/* What most commands do: ask the broker, and print its sentence. */
#ifndef XVHC_CLI_ASK_H
#define XVHC_CLI_ASK_H

#include <stdio.h>

#include <json-c/json.h>

#include "command.h"

/* A request of this name, to which the caller adds. */
struct json_object *request_new(const char *command);

/* Adds a member that is text. */
void request_add(struct json_object *request, const char *name, const char *text);

/*
 * Sends the request, which it puts, and prints the answer's sentence, if there is one. Returns the
 * exit code. *answer is the caller's to put, NULL where none came; where answer is NULL, it is put.
 */
int ask(const struct call *call, struct json_object *request, struct json_object **answer);

/*
 * The same, for a command whose answer is one sentence; json: prints the answer as an object, where
 * one came.
 */
int ask_once(const struct call *call, struct json_object *request, bool json);

/* Prints a line of somebody else's text, without what a terminal would take for a command. */
void line_print(FILE *stream, const char *text);

#endif
