// SPDX-License-Identifier: MIT
#include "text.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

const char *text_member(struct json_object *object, const char *name)
{
	struct json_object *value;
	const char *text = NULL;

	if (json_object_is_type(object, json_type_object) &&
	    json_object_object_get_ex(object, name, &value) && value)
		text = json_object_get_string(value);
	return text ? text : "";
}

void text_names(struct json_object *port, char *text, size_t size)
{
	struct json_object *names;
	size_t count, at = 0;

	text[0] = '\0';
	if (!json_object_object_get_ex(port, "names", &names) ||
	    !json_object_is_type(names, json_type_array))
		return;
	count = json_object_array_length(names);
	for (size_t i = 0; i < count && at < size; i++)
		at += (size_t)snprintf(text + at, size - at, "%s%s", i ? "/" : "",
				       json_object_get_string(json_object_array_get_idx(names, i)));
}

void text_device(struct json_object *device, char *text, size_t size)
{
	const char *vendor = text_member(device, "vendor-name");
	const char *product = text_member(device, "product-name");

	text[0] = '\0';
	if (!device)
		return;
	if (product[0] == '\0') {
		product = text_member(device, "name");
		/* Most say who made them, too. */
		if (strncasecmp(product, vendor, strlen(vendor)) == 0)
			vendor = "";
	}
	snprintf(text, size, "%s:%s %.120s%s%.120s", text_member(device, "vendor"),
		 text_member(device, "product"), vendor, vendor[0] && product[0] ? " " : "",
		 product);
}

void text_clean(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}
