// SPDX-License-Identifier: MIT
/* What the broker says of each given port. */
#include "doctor.h"

#include <stdio.h>
#include <string.h>

static const char *member(struct json_object *object, const char *name)
{
	struct json_object *value;

	return json_object_object_get_ex(object, name, &value) ? json_object_get_string(value)
							       : NULL;
}

static enum level level_of(const char *name)
{
	for (int level = 0; name && level < LEVELS; level++)
		if (strcmp(level_name((enum level)level), name) == 0)
			return (enum level)level;
	return LEVEL_FAILURE;
}

static void check_port(struct doctor *doctor, struct json_object *port)
{
	const char *name = member(port, "port"), *guest = member(port, "guest");
	const char *what = member(port, "what");

	if (name && guest && what)
		finding_add(doctor, "port", level_of(member(port, "level")), member(port, "do"),
			    "port %s, given to %s: %s", name, guest, what);
}

void check_ports(struct doctor *doctor)
{
	struct json_object *ports;

	if (!doctor->answer || !json_object_object_get_ex(doctor->answer, "ports", &ports) ||
	    !json_object_is_type(ports, json_type_array))
		return;
	for (size_t i = 0; i < json_object_array_length(ports); i++)
		check_port(doctor, json_object_array_get_idx(ports, i));
	if (json_object_array_length(ports) == 0)
		finding_add(doctor, "port", LEVEL_OK, NULL,
			    "no port is given (xvhc give PORT GUEST gives one)");
}
