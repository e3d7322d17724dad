/* SPDX-License-Identifier: MIT */
/* Looks into the broker's answers. text_member() of text.h has members that are text. */
#ifndef XVHC_CLI_JSON_H
#define XVHC_CLI_JSON_H

#include <stddef.h>
#include <stdint.h>

#include <json-c/json.h>

/* A member that is an object or an array. NULL: there is none. */
struct json_object *json_member(struct json_object *object, const char *name);

/* A member as a number; 0 where there is none. */
uint64_t json_number(struct json_object *object, const char *name);

/* Elements of an array; 0 where it is none. */
size_t json_length(struct json_object *array);

#endif
