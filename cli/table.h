/* SPDX-License-Identifier: MIT */
/* Shows the list of ports to a person. */
#ifndef XVHC_CLI_TABLE_H
#define XVHC_CLI_TABLE_H

#include <json-c/json.h>

/* Prints the array "ports" of an answer as a table on standard output. */
void table_print(struct json_object *ports);

#endif
