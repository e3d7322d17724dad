// SPDX-License-Identifier: MIT
#include <stdlib.h>

#include "ask.h"
#include "error.h"
#include "names.h"
#include "text.h"
#include "tree.h"

#define OPTION_JSON 0
#define OPTION_PLACES 1

/* What is given by what it is, and is not in a port now. */
static void absent_print(struct json_object *devices)
{
	struct json_object *device, *places;
	char line[640];

	for (size_t i = 0; i < json_object_array_length(devices); i++) {
		device = json_object_array_get_idx(devices, i);
		if (json_object_object_get_ex(device, "places", &places) &&
		    json_object_is_type(places, json_type_array) &&
		    json_object_array_length(places) > 0)
			continue;
		snprintf(line, sizeof(line),
			 "The device %.160s is given to %.256s, by identity; it is not there now.",
			 text_member(device, "device"), text_member(device, "guest"));
		text_clean(line);
		puts(line);
	}
}

static int show(const struct call *call, struct json_object *answer, struct json_object *ports)
{
	struct json_object *devices;

	if (call->word_count > 0 && tree_filter(ports, call->words[0]) == 0) {
		error_say("there is no such port, and no guest that has one: %s. xvhc list shows "
			  "all.",
			  call->words[0]);
		return EXIT_FAILURE;
	}
	names_add(ports);
	json_object_object_del(answer, "ok");
	if (call->values[OPTION_JSON]) {
		puts(json_object_to_json_string_ext(answer, JSON_C_TO_STRING_PRETTY));
		return EXIT_SUCCESS;
	}
	tree_print(ports, call->values[OPTION_PLACES]);
	if (call->word_count == 0 && json_object_object_get_ex(answer, "devices", &devices) &&
	    json_object_is_type(devices, json_type_array))
		absent_print(devices);
	return EXIT_SUCCESS;
}

static int run(const struct call *call)
{
	struct json_object *answer, *ports;
	int code = ask(call, request_new("list"), &answer);

	if (code == EXIT_SUCCESS && json_object_object_get_ex(answer, "ports", &ports) &&
	    json_object_is_type(ports, json_type_array))
		code = show(call, answer, ports);
	json_object_put(answer);
	return code;
}

const struct command command_list = {
	.name = "list",
	.form = "[PORT|GUEST]",
	.words_max = 1,
	.summary = "show all ports: what is in them, and which guest has them",
	.options =
		{
			[OPTION_JSON] = {"json", 0, NULL, "print an object for programs"},
			[OPTION_PLACES] = {"places", 'p', NULL, "show the place of each port, too"},
		},
	.help = "Shows the ports of this machine as a tree: host controllers, their ports, and "
		"the\n"
		"ports of hubs. Of each port it shows the device in it, the device's speed, the "
		"guest\n"
		"that has the port, and what it does. Where a guest does not have what is in its "
		"port,\n"
		"the next line says why. PORT shows that one and those behind it, GUEST those of "
		"the\n"
		"guest.\n"
		"\n"
		"A port's place (--places) is the same after a reboot; the name, which begins "
		"with the\n"
		"number of a bus, need not be. A device that was given by what it is, and not by "
		"its\n"
		"port, is marked \"by identity\". json.md tells what --json prints.\n"
		"\n"
		"Examples:\n"
		"  xvhc list\n"
		"  xvhc list --places web\n"
		"  xvhc list --json | jq -r '.ports[] | select(.guest == \"web\") | .place'\n",
	.run = run,
};
