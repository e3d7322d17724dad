// SPDX-License-Identifier: MIT
#include <broker/command_counters.h>

#include <json-c/json.h>

#include <broker/command_list.h>
#include <broker/control_socket.h>
#include <broker/counters_json.h>

#ifndef XVHC_VERSION
#define XVHC_VERSION "unknown"
#endif

static struct json_object *given_json(struct broker *broker, const struct given *given)
{
	const struct connector *connector = topology_find_place(&broker->topology, &given->at);
	struct json_object *object = port_json(
		broker, connector ? connector_place(connector) : &given->place, connector, given);

	json_object_object_add(
		object, "domain",
		given->controller ? json_object_new_int((int32_t)given->controller->domid) : NULL);
	json_object_object_add(object, "condition",
			       json_object_new_string(port_condition(broker, given)));
	json_object_object_add(object, "counters", port_counters_json(broker, given));
	return object;
}

void command_counters(struct broker *broker, struct client_ref client,
		      const struct command *command)
{
	struct json_object *whole = json_object_new_object();
	struct json_object *ports = json_object_new_array();
	struct json_object *controllers = json_object_new_array();

	(void)command;
	for (const struct given *given = broker->given; given; given = given->next)
		json_object_array_add(ports, given_json(broker, given));
	for (uint32_t i = 0; i < XVHC_CONTROLLERS_MAX; i++)
		if (broker->controllers[i])
			json_object_array_add(controllers,
					      controller_json(broker, broker->controllers[i]));
	json_object_object_add(whole, "ok", json_object_new_boolean(true));
	json_object_object_add(whole, "version", json_object_new_string(XVHC_VERSION));
	json_object_object_add(whole, "uptime-ms",
			       json_object_new_uint64(clock_ms() - broker->started_at_ms));
	json_object_object_add(whole, "ports", ports);
	json_object_object_add(whole, "controllers", controllers);
	client_answer_json(broker, client,
			   json_object_to_json_string_ext(whole, JSON_C_TO_STRING_PLAIN));
	json_object_put(whole);
}
