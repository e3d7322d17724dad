// SPDX-License-Identifier: MIT
#include <stdlib.h>

#include "ask.h"
#include "table.h"

#define OPTION_JSON 0

static int run(const struct call *call)
{
	struct json_object *answer, *ports;
	int code = ask(call, request_new("list"), &answer);

	if (code == EXIT_SUCCESS && json_object_object_get_ex(answer, "ports", &ports) &&
	    json_object_is_type(ports, json_type_array)) {
		json_object_object_del(answer, "ok");
		if (call->values[OPTION_JSON])
			puts(json_object_to_json_string_ext(answer, JSON_C_TO_STRING_PRETTY));
		else
			table_print(ports);
	}
	json_object_put(answer);
	return code;
}

const struct command command_list = {
	.name = "list",
	.form = "",
	.summary = "show all ports: what is in them, and which guest has them",
	.options = {[OPTION_JSON] = {"json", 0, NULL, "print an object for programs"}},
	.help = "Shows each port of this machine: its names, its place, the device in it, the "
		"guest\n"
		"that has it, and what it does. With --json it prints an object for programs, "
		"with\n"
		"the array \"ports\"; each has port (a name to give or take it by), names, place,\n"
		"device, guest, state, refused-by (why the guest does not get the device) and\n"
		"changed-from (what the guest had there just before).\n"
		"\n"
		"Examples:\n"
		"  xvhc list\n"
		"  xvhc list --json | jq -r '.ports[] | select(.guest == \"web\") | .place'\n",
	.run = run,
};
