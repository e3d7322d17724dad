/* SPDX-License-Identifier: MIT */
/*
 * Names of devices from usb.ids, by libudev: distributions make udev's database of hardware from
 * it. It is looked up here and not in the broker, which runs as root and needs no names.
 */
#ifndef XVHC_CLI_NAMES_H
#define XVHC_CLI_NAMES_H

#include <json-c/json.h>

/*
 * Adds to each device of the array "ports" the members vendor-name and product-name: null where the
 * database has none, or there is no database.
 */
void names_add(struct json_object *ports);

#endif
