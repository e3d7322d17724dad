// SPDX-License-Identifier: MIT
#include "json.h"

static struct json_object *get(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	if (json_object_is_type(object, json_type_object))
		json_object_object_get_ex(object, name, &value);
	return value;
}

struct json_object *json_member(struct json_object *object, const char *name)
{
	struct json_object *value = get(object, name);

	return json_object_is_type(value, json_type_object) ||
			       json_object_is_type(value, json_type_array)
		       ? value
		       : NULL;
}

uint64_t json_number(struct json_object *object, const char *name)
{
	return json_object_get_uint64(get(object, name));
}

size_t json_length(struct json_object *array)
{
	return json_object_is_type(array, json_type_array) ? json_object_array_length(array) : 0;
}
