/* SPDX-License-Identifier: MIT */
/* Pieces of an answer, as they are shown to a person. */
#ifndef XVHC_CLI_TEXT_H
#define XVHC_CLI_TEXT_H

#include <stddef.h>

#include <json-c/json.h>

/* A member that is text. An empty text where there is none. The object may be NULL. */
const char *text_member(struct json_object *object, const char *name);

/* Writes the names of a port, such as 1-1/2-1. An empty text where it has none. */
void text_names(struct json_object *port, char *text, size_t size);

/*
 * Writes what a device is: its numbers, and its names from usb.ids, or what it calls itself where
 * there are none. An empty text where the device is NULL.
 */
void text_device(struct json_object *device, char *text, size_t size);

/* Replaces what is not printable ASCII: nothing of it may reach a terminal as a command. */
void text_clean(char *text);

#endif
