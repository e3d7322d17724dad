// SPDX-License-Identifier: MIT
#include <broker/command.h>

#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include <broker/guest_name.h>

#define JSON_DEPTH_MAX 4

static const struct {
	const char *name;
	enum command_type type;
	bool port;  /* it has a "port" or a "device" */
	bool guest; /* it has a "guest" */
} commands[] = {
	{"list", COMMAND_LIST, false, false},         {"give", COMMAND_GIVE, true, true},
	{"take", COMMAND_TAKE, true, false},          {"doctor", COMMAND_DOCTOR, false, false},
	{"monitor", COMMAND_MONITOR, false, false},   {"show", COMMAND_SHOW, true, false},
	{"counters", COMMAND_COUNTERS, false, false}, {"capture", COMMAND_CAPTURE, false, false},
};

/* A string member of the request, without a NUL inside; NULL: there is none. */
static const char *member_text(struct json_object *request, const char *name)
{
	struct json_object *member;
	const char *text;

	if (!json_object_object_get_ex(request, name, &member) ||
	    !json_object_is_type(member, json_type_string))
		return NULL;
	text = json_object_get_string(member);
	return strlen(text) == (size_t)json_object_get_string_len(member) ? text : NULL;
}

/* What somebody wrote, fit for a sentence on a terminal. */
static const char *quote(const char *text, char quoted[128])
{
	snprintf(quoted, 128, "%.100s%s", text, strlen(text) > 100 ? "..." : "");
	for (char *at = quoted; *at; at++)
		if (*at < ' ' || *at > '~')
			*at = '?';
	return quoted;
}

static bool port_parse(struct json_object *request, struct command *command,
		       char text[COMMAND_TEXT_MAX])
{
	const char *port = member_text(request, "port");
	char quoted[128];

	if (!port) {
		snprintf(text, COMMAND_TEXT_MAX, "The request names no port.");
		return false;
	}
	if (strlen(port) >= sizeof(command->port) || !port_name_is_valid(port)) {
		snprintf(text, COMMAND_TEXT_MAX,
			 "'%s' is not the name of a port. A port is named like 1-2 or 1-2.3, or by "
			 "its place, like pci-0000:00:14.0/hs-2; xvhc list shows all of them. One "
			 "of "
			 "another machine is named like usbip://host/1-2.",
			 quote(port, quoted));
		return false;
	}
	snprintf(command->port, sizeof(command->port), "%s", port);
	return true;
}

static bool device_parse(const char *device, struct command *command, char text[COMMAND_TEXT_MAX])
{
	char quoted[128];

	command->by_device = identity_parse(device, &command->device);
	if (!command->by_device)
		snprintf(text, COMMAND_TEXT_MAX,
			 "'%s' is not the name of a device. A device is named like 0951:1666, or "
			 "with its serial number 0951:1666:5B8203 (%%20 stands for a blank in it); "
			 "xvhc list --json shows both.",
			 quote(device, quoted));
	return command->by_device;
}

static bool port_or_device_parse(struct json_object *request, struct command *command,
				 char text[COMMAND_TEXT_MAX])
{
	const char *device = member_text(request, "device");

	if (!device)
		return port_parse(request, command, text);
	if (!member_text(request, "port"))
		return device_parse(device, command, text);
	snprintf(text, COMMAND_TEXT_MAX, "The request names a port and a device: it must be one.");
	return false;
}

static bool guest_parse(struct json_object *request, struct command *command,
			char text[COMMAND_TEXT_MAX])
{
	const char *guest = member_text(request, "guest");
	const char *fault = guest ? guest_name_fault(guest) : NULL;
	char quoted[128];

	if (!guest) {
		snprintf(text, COMMAND_TEXT_MAX, "The request names no guest.");
		return false;
	}
	if (fault) {
		snprintf(text, COMMAND_TEXT_MAX, "'%s' cannot be a guest: %s", quote(guest, quoted),
			 fault);
		return false;
	}
	snprintf(command->guest, sizeof(command->guest), "%s", guest);
	return true;
}

static bool word_parse(struct json_object *array, size_t index, struct command *command,
		       char text[COMMAND_TEXT_MAX])
{
	struct json_object *member = json_object_array_get_idx(array, index);
	const char *word =
		json_object_is_type(member, json_type_string) ? json_object_get_string(member) : "";
	char quoted[128];

	if (!port_name_is_valid(word) && guest_name_fault(word)) {
		snprintf(text, COMMAND_TEXT_MAX,
			 "'%s' is neither the name of a port, like 1-2, nor of a guest. xvhc list "
			 "shows both.",
			 quote(word, quoted));
		return false;
	}
	snprintf(command->words[index], sizeof(command->words[index]), "%s", word);
	return true;
}

/* What is to be followed, and how much of what was before. */
static bool follow_parse(struct json_object *request, struct command *command,
			 char text[COMMAND_TEXT_MAX])
{
	struct json_object *words = NULL, *last = NULL;
	size_t count = 0;

	if (json_object_object_get_ex(request, "last", &last)) {
		int64_t number = json_object_get_int64(last);

		if (!json_object_is_type(last, json_type_int) || number < 0 ||
		    number > XVHC_EVENTS_MAX) {
			snprintf(text, COMMAND_TEXT_MAX,
				 "The number of events from before is from 0 to %u.",
				 XVHC_EVENTS_MAX);
			return false;
		}
		command->last = (uint32_t)number;
	}
	if (json_object_object_get_ex(request, "words", &words))
		count = json_object_is_type(words, json_type_array)
				? json_object_array_length(words)
				: SIZE_MAX;
	if (count > XVHC_MONITOR_WORDS_MAX) {
		snprintf(
			text, COMMAND_TEXT_MAX,
			"No more than %u ports and guests can be followed by name. Without a name, "
			"all are.",
			XVHC_MONITOR_WORDS_MAX);
		return false;
	}
	for (size_t i = 0; i < count; i++)
		if (!word_parse(words, i, command, text))
			return false;
	command->word_count = (uint32_t)count;
	return true;
}

/* Whose requests, and how much of their data. A word may be the name of a port, and of a guest. */
static bool capture_parse(struct json_object *request, struct command *command,
			  char text[COMMAND_TEXT_MAX])
{
	const char *word = member_text(request, "target");
	struct json_object *bytes;
	char quoted[128];

	command->data_max = XVHC_CAPTURE_DATA_DEFAULT;
	if (json_object_object_get_ex(request, "bytes", &bytes)) {
		int64_t number = json_object_is_type(bytes, json_type_int)
					 ? json_object_get_int64(bytes)
					 : -1;

		if (number < 0 || number > XVHC_CAPTURE_DATA_MAX) {
			snprintf(text, COMMAND_TEXT_MAX,
				 "Of the data of a request, 0 to %u bytes can be captured.",
				 XVHC_CAPTURE_DATA_MAX);
			return false;
		}
		command->data_max = (uint32_t)number;
	}
	if (word && strlen(word) < sizeof(command->port) && port_name_is_valid(word))
		snprintf(command->port, sizeof(command->port), "%s", word);
	if (word && !guest_name_fault(word))
		snprintf(command->guest, sizeof(command->guest), "%s", word);
	if (command->port[0] || command->guest[0])
		return true;
	snprintf(text, COMMAND_TEXT_MAX,
		 "'%s' is the name neither of a port nor of a guest. xvhc list shows both.",
		 word ? quote(word, quoted) : "");
	return false;
}

static bool request_parse(struct json_object *request, struct command *command,
			  char text[COMMAND_TEXT_MAX])
{
	const char *name = member_text(request, "command");

	for (size_t i = 0; name && i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].name, name) != 0)
			continue;
		command->type = commands[i].type;
		if (command->type == COMMAND_CAPTURE)
			return capture_parse(request, command, text);
		return (!commands[i].port || port_or_device_parse(request, command, text)) &&
		       (!commands[i].guest || guest_parse(request, command, text)) &&
		       (command->type != COMMAND_MONITOR || follow_parse(request, command, text));
	}
	snprintf(text, COMMAND_TEXT_MAX, "xvhcd does not know this command.");
	return false;
}

bool command_parse(const char *line, struct command *command, char text[COMMAND_TEXT_MAX])
{
	struct json_tokener *tokener = json_tokener_new_ex(JSON_DEPTH_MAX);
	struct json_object *request = NULL;
	size_t length = strlen(line);
	bool parsed = false;

	memset(command, 0, sizeof(*command));
	snprintf(text, COMMAND_TEXT_MAX, "The request is not one line of JSON.");
	if (tokener && length < XVHC_COMMAND_BYTES_MAX) {
		json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
		request = json_tokener_parse_ex(tokener, line, (int)length + 1);
		if (request && json_object_is_type(request, json_type_object))
			parsed = request_parse(request, command, text);
	}
	json_object_put(request);
	if (tokener)
		json_tokener_free(tokener);
	return parsed;
}
