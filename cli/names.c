// SPDX-License-Identifier: MIT
#include "names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libudev.h>

/* "v0951p1666", as the kernel's modalias begins for a USB device. */
static void look_up(struct udev_hwdb *hwdb, const char *vendor, const char *product,
		    const char **vendor_name, const char **product_name)
{
	struct udev_list_entry *entry;
	char modalias[64];

	snprintf(modalias, sizeof(modalias), "usb:v%04lXp%04lX", strtoul(vendor, NULL, 16) & 0xffff,
		 strtoul(product, NULL, 16) & 0xffff);
	udev_list_entry_foreach(entry, udev_hwdb_get_properties_list_entry(hwdb, modalias, 0))
	{
		const char *name = udev_list_entry_get_name(entry);

		if (strcmp(name, "ID_VENDOR_FROM_DATABASE") == 0)
			*vendor_name = udev_list_entry_get_value(entry);
		else if (strcmp(name, "ID_MODEL_FROM_DATABASE") == 0)
			*product_name = udev_list_entry_get_value(entry);
	}
}

static const char *text_of(struct json_object *object, const char *name)
{
	struct json_object *value;

	return json_object_object_get_ex(object, name, &value) ? json_object_get_string(value) : "";
}

static void name_add(struct udev_hwdb *hwdb, struct json_object *device)
{
	const char *vendor = NULL, *product = NULL;

	if (hwdb)
		look_up(hwdb, text_of(device, "vendor"), text_of(device, "product"), &vendor,
			&product);
	/* What was found lives until the next look-up. */
	json_object_object_add(device, "vendor-name",
			       vendor ? json_object_new_string(vendor) : NULL);
	json_object_object_add(device, "product-name",
			       product ? json_object_new_string(product) : NULL);
}

void names_add(struct json_object *ports)
{
	struct udev *udev = udev_new();
	struct udev_hwdb *hwdb = udev ? udev_hwdb_new(udev) : NULL;
	struct json_object *device;

	for (size_t i = 0; i < json_object_array_length(ports); i++)
		if (json_object_object_get_ex(json_object_array_get_idx(ports, i), "device",
					      &device) &&
		    device)
			name_add(hwdb, device);
	udev_hwdb_unref(hwdb);
	udev_unref(udev);
}
