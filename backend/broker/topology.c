// SPDX-License-Identifier: MIT
#include <broker/topology.h>

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <broker/sysfs.h>

static const struct {
	const char *sysfs; /* Mbit/s, as the attribute `speed` has it */
	enum usb_speed speed;
	const char *text;
} speeds[] = {
	{"1.5", USB_SPEED_LOW, "1.5 Mbit/s"},         {"12", USB_SPEED_FULL, "12 Mbit/s"},
	{"480", USB_SPEED_HIGH, "480 Mbit/s"},        {"5000", USB_SPEED_SUPER, "5 Gbit/s"},
	{"10000", USB_SPEED_SUPER_PLUS, "10 Gbit/s"}, {"20000", USB_SPEED_SUPER_PLUS, "20 Gbit/s"},
};

const char *speed_text(enum usb_speed speed)
{
	for (size_t i = 0; i < sizeof(speeds) / sizeof(speeds[0]); i++)
		if (speeds[i].speed == speed)
			return speeds[i].text;
	return "";
}

static enum usb_speed speed_parse(const char *text)
{
	for (size_t i = 0; i < sizeof(speeds) / sizeof(speeds[0]); i++)
		if (strcmp(speeds[i].sysfs, text) == 0)
			return speeds[i].speed;
	return USB_SPEED_NONE;
}

bool device_id_equal(struct device_id a, struct device_id b)
{
	return a.bus == b.bus && a.device == b.device && a.instance == b.instance;
}

/*
 * Makes room for one more element, all zeroes, in an array of count; the array then lies where the
 * result says. NULL: there is no room, and the array is as it was.
 */
static void *array_grow(void *array, uint32_t count, uint32_t max, size_t size)
{
	char *grown = array;

	if (count >= max)
		return NULL;
	if ((count & (count - 1)) == 0)
		grown = realloc(array, (count ? 2 * (size_t)count : 1) * size);
	if (grown)
		memset(grown + count * size, 0, size);
	return grown;
}

/* Reads one device's attributes. False where it is going or is no device. */
static bool device_read(const char *directory, const char *name, struct usb_device *device)
{
	char speed[16];
	uint32_t value;

	if (strlen(name) >= sizeof(device->name))
		return false;
	memset(device, 0, sizeof(*device));
	snprintf(device->name, sizeof(device->name), "%s", name);
	if (!sysfs_read_number(directory, "busnum", 10, UINT16_MAX, &value) || value == 0)
		return false;
	device->id.bus = (uint16_t)value;
	if (!sysfs_read_number(directory, "devnum", 10, UINT16_MAX, &value))
		return false;
	device->id.device = (uint16_t)value;
	device->id.instance = sysfs_instance(directory);
	if (sysfs_read_number(directory, "idVendor", 16, UINT16_MAX, &value))
		device->vendor = (uint16_t)value;
	if (sysfs_read_number(directory, "idProduct", 16, UINT16_MAX, &value))
		device->product = (uint16_t)value;
	if (sysfs_read_number(directory, "bcdDevice", 16, UINT16_MAX, &value))
		device->version = (uint16_t)value;
	if (sysfs_read_number(directory, "bDeviceClass", 16, UINT8_MAX, &value))
		device->class = (uint8_t)value;
	if (sysfs_read_text(directory, "speed", speed, sizeof(speed)))
		device->speed = speed_parse(speed);
	return true;
}

/* Writes the place of a hub's ports, but for the last number, from the hub's name. */
static bool hub_place(const char *devices, const struct usb_device *hub, struct place *place)
{
	char root_name[DEVICE_NAME_MAX], path[PATH_MAX], real[PATH_MAX];
	struct usb_device root;
	char *slash;

	memset(place, 0, sizeof(*place));
	snprintf(root_name, sizeof(root_name), "usb%u", hub->id.bus);
	if (!path_format(path, "%s/%s", devices, root_name) || !device_read(path, root_name, &root))
		return false;
	place->super = root.speed >= USB_SPEED_SUPER;
	if (!realpath(path, real) || !(slash = strrchr(real, '/')))
		return false;
	*slash = '\0';
	return sysfs_device_name(real, place->controller, sizeof(place->controller));
}

/* Adds one port of a hub; entry is its directory's name, such as `usb1-port2`. */
static int port_add(struct topology *topology, const struct usb_device *hub,
		    const struct place *hub_at, const char *directory, const char *entry)
{
	struct kernel_port *ports, *port;
	struct short_name name;
	char path[PATH_MAX], target[PATH_MAX];

	if (!strstr(entry, "-port") || !short_name_parse(entry, &name))
		return 0;
	ports = array_grow(topology->ports, topology->port_count, TOPOLOGY_PORTS_MAX,
			   sizeof(*ports));
	if (!ports)
		return -ENOMEM;
	topology->ports = ports;
	port = &ports[topology->port_count++];
	port->name = name;
	port->place = *hub_at;
	port->place.chain = name.chain;
	port->number = name.chain.port[name.chain.depth - 1];
	port->hub_id = hub->id;
	memcpy(port->hub, hub->name, sizeof(port->hub));
	if (path_format(path, "%s/%s", directory, entry))
		port->instance = sysfs_instance(path);
	/* To vhci_hcd each of its ports is one, to which something of its own can be attached. */
	if (!place_is_vhci(hub_at) && path_format(path, "%s/%s/peer", directory, entry) &&
	    sysfs_link_name(path, target, sizeof(target)))
		port->has_peer = short_name_parse(target, &port->peer);
	return 0;
}

/* Adds the ports of one interface of a hub. */
static int interface_ports_add(struct topology *topology, const struct usb_device *hub,
			       const struct place *hub_at, const char *directory)
{
	DIR *dir = opendir(directory);
	struct dirent *entry;
	int result = 0;

	if (!dir)
		return 0;
	while (result == 0 && (entry = readdir(dir)))
		result = port_add(topology, hub, hub_at, directory, entry->d_name);
	closedir(dir);
	return result;
}

static int hub_ports_add(struct topology *topology, const char *devices,
			 const struct usb_device *hub)
{
	char path[PATH_MAX];
	struct dirent *entry;
	struct place at;
	DIR *dir;
	int result = 0;

	if (!hub_place(devices, hub, &at))
		return 0;
	if (!path_format(path, "%s/%s", devices, hub->name))
		return 0;
	dir = opendir(path);
	if (!dir)
		return 0;
	while (result == 0 && (entry = readdir(dir))) {
		if (!strchr(entry->d_name, ':'))
			continue;
		if (path_format(path, "%s/%s/%s", devices, hub->name, entry->d_name))
			result = interface_ports_add(topology, hub, &at, path);
	}
	closedir(dir);
	return result;
}

static int devices_add(struct topology *topology, const char *devices)
{
	char path[PATH_MAX];
	struct dirent *entry;
	struct usb_device *grown, found;
	int result = 0;
	DIR *dir = opendir(devices);

	/* A machine whose kernel has no USB at all has no ports; that is no error. */
	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while (result == 0 && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || strchr(entry->d_name, ':'))
			continue;
		if (!path_format(path, "%s/%s", devices, entry->d_name) ||
		    !device_read(path, entry->d_name, &found))
			continue;
		grown = array_grow(topology->devices, topology->device_count, TOPOLOGY_DEVICES_MAX,
				   sizeof(*grown));
		if (grown) {
			topology->devices = grown;
			grown[topology->device_count++] = found;
		} else {
			result = -ENOMEM;
		}
	}
	closedir(dir);
	return result;
}

static struct kernel_port *find_port(const struct topology *topology, const struct short_name *name)
{
	for (uint32_t i = 0; i < topology->port_count; i++)
		if (short_name_equal(&topology->ports[i].name, name))
			return &topology->ports[i];
	return NULL;
}

static void devices_plug(struct topology *topology)
{
	struct kernel_port *port;
	struct short_name name;

	for (uint32_t i = 0; i < topology->device_count; i++) {
		if (!short_name_parse(topology->devices[i].name, &name))
			continue;
		port = find_port(topology, &name);
		if (port)
			port->device = &topology->devices[i];
	}
}

static int compare_ports(const void *a, const void *b)
{
	const struct kernel_port *left = a, *right = b;
	int order = (int)left->name.bus - (int)right->name.bus;

	if (order)
		return order;
	order = memcmp(left->name.chain.port, right->name.chain.port, XVHC_PORT_CHAIN_MAX);
	return order ? order : (int)left->name.chain.depth - (int)right->name.chain.depth;
}

static int connectors_add(struct topology *topology)
{
	const struct kernel_port *port, *peer;
	struct connector *grown, *connector;

	for (uint32_t i = 0; i < topology->port_count; i++) {
		port = &topology->ports[i];
		peer = port->has_peer ? find_port(topology, &port->peer) : NULL;
		if (peer && peer->place.super == port->place.super)
			peer = NULL;
		if (peer && port->place.super)
			continue; /* comes, or came, with its USB 2 side */
		grown = array_grow(topology->connectors, topology->connector_count,
				   TOPOLOGY_PORTS_MAX, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		topology->connectors = grown;
		connector = &grown[topology->connector_count++];
		connector->side[port->place.super] = port;
		if (peer)
			connector->side[peer->place.super] = peer;
	}
	return 0;
}

/* A hub that is being reset is known to its ports by the number that it has otherwise, too. */
static void ports_keep(struct topology *now, struct device_id hub)
{
	for (uint32_t i = 0; i < now->port_count; i++)
		if (now->ports[i].hub_id.instance == hub.instance)
			now->ports[i].hub_id = hub;
}

static const struct usb_device *find_instance(const struct topology *topology, uint64_t instance)
{
	for (uint32_t i = 0; i < topology->device_count; i++)
		if (topology->devices[i].id.instance == instance)
			return &topology->devices[i];
	return NULL;
}

/*
 * Takes over what is known about devices that are still there. While a device is being reset, the
 * kernel shows 0 as its number: it is still the same one, and its number comes back.
 */
static void devices_keep(struct topology *now, struct topology *before)
{
	const struct usb_device *old;

	for (uint32_t i = 0; i < now->device_count; i++) {
		struct usb_device *device = &now->devices[i];

		old = find_instance(before, device->id.instance);
		if (!old)
			continue;
		if (device->id.device == 0) {
			device->id = old->id;
			ports_keep(now, old->id);
		}
		device->labelled = old->labelled;
		device->named = old->named;
		memcpy(device->label, old->label, sizeof(old->label));
		memcpy(device->serial, old->serial, sizeof(old->serial));
	}
}

/* Fills an empty topology. Returns 0 or -errno; what is in it then is the caller's to free. */
static int topology_read(struct topology *topology, const char *root)
{
	char devices[PATH_MAX];
	int result;

	if (!path_format(devices, "%s/bus/usb/devices", root))
		return -ENAMETOOLONG;
	result = devices_add(topology, devices);
	/* The analyzer takes the array for lost here; topology_scan() frees it. */
	for (uint32_t i = 0; result == 0 && i < topology->device_count; i++)
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
		result = hub_ports_add(topology, devices, &topology->devices[i]);
	if (result != 0)
		return result;
	if (topology->port_count > 0)
		qsort(topology->ports, topology->port_count, sizeof(topology->ports[0]),
		      compare_ports);
	devices_plug(topology);
	return connectors_add(topology);
}

int topology_scan(struct topology *topology, const char *root)
{
	struct topology now = {0};
	int result = topology_read(&now, root);

	if (result != 0) {
		topology_fini(&now);
		return result;
	}
	devices_keep(&now, topology);
	now.scans = topology->scans + 1;
	topology_fini(topology);
	*topology = now;
	return 0;
}

void topology_fini(struct topology *topology)
{
	free(topology->devices);
	free(topology->ports);
	free(topology->connectors);
	memset(topology, 0, sizeof(*topology));
}

const struct connector *topology_find_place(const struct topology *topology,
					    const struct place *place)
{
	const struct connector *connector;

	for (uint32_t i = 0; i < topology->connector_count; i++) {
		connector = &topology->connectors[i];
		for (int side = 0; side < 2; side++)
			if (connector->side[side] &&
			    place_equal(&connector->side[side]->place, place))
				return connector;
	}
	return NULL;
}

const struct connector *topology_find_name(const struct topology *topology, const char *name)
{
	const struct kernel_port *port;
	struct short_name wanted;
	struct place place;

	if (place_parse(name, &place))
		return topology_find_place(topology, &place);
	if (!short_name_parse(name, &wanted))
		return NULL;
	port = find_port(topology, &wanted);
	return port ? topology_find_place(topology, &port->place) : NULL;
}

const struct place *connector_place(const struct connector *connector)
{
	return &connector->side[connector->side[0] ? 0 : 1]->place;
}

const struct usb_device *connector_device(const struct connector *connector)
{
	for (int side = 1; side >= 0; side--)
		if (connector->side[side] && connector->side[side]->device)
			return connector->side[side]->device;
	return NULL;
}

void connector_names(const struct connector *connector, char text[2 * PLACE_SHORT_MAX])
{
	char name[PLACE_SHORT_MAX];
	int at = 0;

	for (int side = 0; side < 2; side++) {
		if (!connector->side[side])
			continue;
		short_name_format(&connector->side[side]->name, name);
		at += snprintf(text + at, 2 * (size_t)PLACE_SHORT_MAX - (size_t)at, "%s%s",
			       at ? "/" : "", name);
	}
}

struct usb_device *topology_find_device(struct topology *topology, struct device_id id)
{
	for (uint32_t i = 0; i < topology->device_count; i++)
		if (device_id_equal(topology->devices[i].id, id))
			return &topology->devices[i];
	return NULL;
}
