/* SPDX-License-Identifier: MIT */
/* What `xvhc top` shows of two answers of the broker. */
#ifndef XVHC_CLI_TOP_TABLE_H
#define XVHC_CLI_TOP_TABLE_H

#include <stdio.h>

#include <json-c/json.h>

/*
 * The rates between two answers to `counters`, in the form that docs/json.md tells. The caller puts
 * it.
 */
struct json_object *top_rates(struct json_object *before, struct json_object *now);

/* The same as a table for a person. */
void top_table_print(FILE *stream, struct json_object *rates);

#endif
