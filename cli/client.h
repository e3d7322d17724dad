/* SPDX-License-Identifier: MIT */
/* Talks to the broker: one request, one answer. */
#ifndef XVHC_CLI_CLIENT_H
#define XVHC_CLI_CLIENT_H

#include <stdbool.h>

#include <json-c/json.h>

/* Connects to the broker. -1 on failure, after a sentence on standard error. */
int client_connect(const char *socket_path);

/* Sends a request, as one line. */
bool client_send(int fd, struct json_object *request);

/*
 * Sends a request and waits for its answer, which the caller puts. NULL on failure, after a
 * sentence on standard error. The descriptor goes along, and stays the caller's; -1: none does.
 */
struct json_object *client_ask_with(const char *socket_path, struct json_object *request,
				    int descriptor);

/* The same without one. */
struct json_object *client_ask(const char *socket_path, struct json_object *request);

#endif
