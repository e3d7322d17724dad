// SPDX-License-Identifier: MIT
#include <broker/command_doctor.h>

#include <stdlib.h>
#include <unistd.h>

#include <json-c/json.h>

#include <broker/control_socket.h>
#include <broker/controller_worker.h>
#include <broker/diagnose.h>
#include <broker/given.h>

#ifndef XVHC_VERSION
#define XVHC_VERSION "unknown"
#endif

static void text_add(struct json_object *object, const char *name, const char *text)
{
	json_object_object_add(object, name, text ? json_object_new_string(text) : NULL);
}

static struct json_object *port_json(struct broker *broker, const struct given *given)
{
	static const char *const levels[] = {
		[DIAGNOSIS_OK] = "ok",
		[DIAGNOSIS_WARNING] = "warning",
		[DIAGNOSIS_FAILURE] = "failure",
	};
	struct json_object *object = json_object_new_object();
	struct diagnosis diagnosis;
	char names[XVHC_PLACE_MAX];

	given_names(broker, given, names, sizeof(names));
	diagnose(broker, given, &diagnosis);
	text_add(object, "port", names);
	text_add(object, "guest", given->guest);
	text_add(object, "level", levels[diagnosis.level]);
	text_add(object, "what", diagnosis.what);
	text_add(object, "do", diagnosis.todo[0] != '\0' ? diagnosis.todo : NULL);
	return object;
}

/* The numbers of guests for which QEMU serves controllers. */
static struct json_object *qusb_json(struct broker *broker)
{
	struct json_object *guests = json_object_new_array();
	char path[XENSTORE_PATH_MAX];
	uint32_t count;
	char **names;

	xenstore_path(path, "/local/domain/%u/backend/qusb", broker->own_domid);
	names = broker->store->ops->list(broker->store, path, &count);
	for (uint32_t i = 0; names && i < count; i++)
		json_object_array_add(guests, json_object_new_string(names[i]));
	free(names);
	return guests;
}

static bool xenstore_answers(struct broker *broker)
{
	char path[XENSTORE_PATH_MAX];
	uint32_t count;
	char **names;

	xenstore_path(path, "/local/domain/%u", broker->own_domid);
	names = broker->store->ops->list(broker->store, path, &count);
	free(names);
	return names != NULL;
}

void command_doctor(struct broker *broker, struct client_ref client, const struct command *command)
{
	struct json_object *whole = json_object_new_object();
	struct json_object *ports = json_object_new_array();
	uint64_t limit, used;

	(void)command;
	usbfs_memory(broker, &limit, &used);
	for (const struct given *given = broker->given; given; given = given->next)
		json_object_array_add(ports, port_json(broker, given));
	json_object_object_add(whole, "ok", json_object_new_boolean(true));
	text_add(whole, "version", XVHC_VERSION);
	json_object_object_add(whole, "pid", json_object_new_int(getpid()));
	text_add(whole, "config", broker->options->config);
	text_add(whole, "ports-file", broker->options->ports_file);
	text_add(whole, "worker", broker->options->worker);
	json_object_object_add(whole, "xenstore",
			       json_object_new_boolean(xenstore_answers(broker)));
	json_object_object_add(whole, "usbfs-limit", json_object_new_uint64(limit));
	json_object_object_add(whole, "usbfs-used", json_object_new_uint64(used));
	json_object_object_add(whole, "qusb", qusb_json(broker));
	json_object_object_add(whole, "ports", ports);
	client_answer_json(broker, client,
			   json_object_to_json_string_ext(whole, JSON_C_TO_STRING_PLAIN));
	json_object_put(whole);
}
