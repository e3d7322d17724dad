/* SPDX-License-Identifier: MIT */
/* Follows what the broker tells: one request, and lines without end. */
#ifndef XVHC_CLI_FOLLOW_H
#define XVHC_CLI_FOLLOW_H

#include <stdbool.h>

#include <json-c/json.h>

/*
 * Sends a request, and hands over each line that comes after an answer that says ok, until that
 * returns false or nobody reads our output. Returns the exit code, after a sentence on standard
 * error where it is a failure; the end of xvhcd is one.
 */
int follow(const char *socket_path, struct json_object *request,
	   bool (*each)(const char *line, const void *context), const void *context);

#endif
