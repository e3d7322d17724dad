/* SPDX-License-Identifier: MIT */
/* Shows the list of ports to a person: host controllers, their ports, and those behind hubs. */
#ifndef XVHC_CLI_TREE_H
#define XVHC_CLI_TREE_H

#include <stdbool.h>

#include <json-c/json.h>

/*
 * Keeps of the array "ports" the port of this name, with those behind it, or the ports of the guest
 * of this name, or both. Returns how many they are.
 */
size_t tree_filter(struct json_object *ports, const char *name);

/*
 * Prints the array "ports" of an answer on standard output; places: with each port's place. Lines
 * are drawn where the locale is one of UTF-8, else made of ASCII.
 */
void tree_print(struct json_object *ports, bool places);

#endif
