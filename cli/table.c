// SPDX-License-Identifier: MIT
#include "table.h"

#include <stdio.h>
#include <string.h>

#define CELL_MAX 512

enum column {
	COLUMN_PORT,
	COLUMN_PLACE,
	COLUMN_SPEED,
	COLUMN_DEVICE,
	COLUMN_GUEST,
	COLUMN_STATE,
	COLUMNS,
};

static const char *const titles[COLUMNS] = {"PORT", "PLACE", "SPEED", "DEVICE", "GUEST", "STATE"};

static const char *member(struct json_object *object, const char *name)
{
	struct json_object *value;
	const char *text = NULL;

	if (object && json_object_object_get_ex(object, name, &value) && value)
		text = json_object_get_string(value);
	return text ? text : "";
}

static void names_join(struct json_object *port, char cell[CELL_MAX])
{
	struct json_object *names;
	size_t count, at = 0;

	cell[0] = '\0';
	if (!json_object_object_get_ex(port, "names", &names) ||
	    !json_object_is_type(names, json_type_array))
		return;
	count = json_object_array_length(names);
	for (size_t i = 0; i < count && at < CELL_MAX; i++)
		at += (size_t)snprintf(cell + at, CELL_MAX - at, "%s%s", i ? "/" : "",
				       json_object_get_string(json_object_array_get_idx(names, i)));
}

static void cell_write(struct json_object *port, enum column column, char cell[CELL_MAX])
{
	struct json_object *device = NULL;

	cell[0] = '\0';
	json_object_object_get_ex(port, "device", &device);
	switch (column) {
	case COLUMN_PORT:
		names_join(port, cell);
		break;
	case COLUMN_PLACE:
		snprintf(cell, CELL_MAX, "%s", member(port, "place"));
		break;
	case COLUMN_SPEED:
		snprintf(cell, CELL_MAX, "%s", member(device, "speed"));
		break;
	case COLUMN_DEVICE:
		if (device)
			snprintf(cell, CELL_MAX, "%s:%s %s", member(device, "vendor"),
				 member(device, "product"), member(device, "name"));
		break;
	case COLUMN_GUEST:
		snprintf(cell, CELL_MAX, "%s", member(port, "guest"));
		break;
	case COLUMN_STATE:
		snprintf(cell, CELL_MAX, "%s", member(port, "state"));
		break;
	case COLUMNS:
		break;
	}
	/* What a device calls itself must not be able to write on the terminal as it likes. */
	for (char *at = cell; *at; at++)
		if (*at < ' ' || *at > '~')
			*at = '?';
	if (cell[0] == '\0')
		snprintf(cell, CELL_MAX, "-");
}

void table_print(struct json_object *ports)
{
	size_t count = json_object_array_length(ports), width[COLUMNS], length;
	char cell[CELL_MAX];

	for (int column = 0; column < COLUMNS; column++) {
		width[column] = strlen(titles[column]);
		for (size_t i = 0; i < count; i++) {
			cell_write(json_object_array_get_idx(ports, i), (enum column)column, cell);
			length = strlen(cell);
			width[column] = length > width[column] ? length : width[column];
		}
	}
	for (size_t line = 0; line <= count; line++) {
		for (int column = 0; column < COLUMNS; column++) {
			if (line == 0)
				snprintf(cell, sizeof(cell), "%s", titles[column]);
			else
				cell_write(json_object_array_get_idx(ports, line - 1),
					   (enum column)column, cell);
			if (column == COLUMN_STATE)
				printf("%s\n", cell);
			else
				printf("%-*s  ", (int)width[column], cell);
		}
	}
}
