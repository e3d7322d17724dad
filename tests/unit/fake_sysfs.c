// SPDX-License-Identifier: MIT
/*
 * Devices lie in devices/CONTROLLER/usb1/1-2, as in the real one, and bus/usb/devices has a link to
 * each. A device behind a hub lies beside it: nobody looks at that.
 */
#include "fake_sysfs.h"

#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void must(int ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	abort();
}

static void path_make(char path[PATH_MAX], const struct fake_sysfs *sysfs, const char *format,
		      va_list arguments) __attribute__((format(printf, 3, 0)));
static void path_make(char path[PATH_MAX], const struct fake_sysfs *sysfs, const char *format,
		      va_list arguments)
{
	int at = snprintf(path, PATH_MAX, "%s/", sysfs->root);

	vsnprintf(path + at, PATH_MAX - (size_t)at, format, arguments);
	for (char *slash = path + at; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(path, 0755);
		*slash = '/';
	}
}

void fake_file(const struct fake_sysfs *sysfs, const char *text, const char *format, ...)
{
	char path[PATH_MAX];
	va_list arguments;
	FILE *file;

	va_start(arguments, format);
	path_make(path, sysfs, format, arguments);
	va_end(arguments);
	file = fopen(path, "w");
	must(file && fputs(text, file) >= 0 && fclose(file) == 0, path);
}

static void link_make(const struct fake_sysfs *sysfs, const char *target, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static void link_make(const struct fake_sysfs *sysfs, const char *target, const char *format, ...)
{
	char path[PATH_MAX];
	va_list arguments;

	va_start(arguments, format);
	path_make(path, sysfs, format, arguments);
	va_end(arguments);
	unlink(path);
	must(symlink(target, path) == 0, path);
}

static void number_file(const struct fake_sysfs *sysfs, const char *directory, const char *name,
			unsigned int number)
{
	char text[32];

	snprintf(text, sizeof(text), "%u\n", number);
	fake_file(sysfs, text, "%s/%s", directory, name);
}

static void device_files(const struct fake_sysfs *sysfs, const char *directory, unsigned int bus,
			 unsigned int number, const char *speed, unsigned int class)
{
	number_file(sysfs, directory, "busnum", bus);
	number_file(sysfs, directory, "devnum", number);
	/* Hexadecimal in the real one; classes below 10 look the same. */
	number_file(sysfs, directory, "bDeviceClass", class);
	fake_file(sysfs, speed, "%s/speed", directory);
	fake_file(sysfs, "46f4\n", "%s/idVendor", directory);
	fake_file(sysfs, "0001\n", "%s/idProduct", directory);
	fake_file(sysfs, "1\n", "%s/bConfigurationValue", directory);
	fake_file(sysfs, "QEMU \x1b[31m stick\n", "%s/product", directory);
}

void fake_sysfs_open(struct fake_sysfs *sysfs)
{
	const char *folder = getenv("TMPDIR");

	snprintf(sysfs->root, sizeof(sysfs->root), "%s/xvhc-sysfs.XXXXXX",
		 folder ? folder : "/tmp");
	must(mkdtemp(sysfs->root) != NULL, "mkdtemp");
	fake_file(sysfs, "", "bus/usb/devices/.keep");
	fake_file(sysfs, "", "class/block/.keep");
	fake_file(sysfs, "", "mountinfo");
	fake_file(sysfs, "", "swaps");
}

static int entry_remove(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	return remove(path);
}

void fake_sysfs_close(struct fake_sysfs *sysfs)
{
	nftw(sysfs->root, entry_remove, 16, FTW_DEPTH | FTW_PHYS);
}

void fake_bus(const struct fake_sysfs *sysfs, const char *controller, unsigned int bus,
	      const char *speed, unsigned int ports)
{
	char directory[256], target[300];

	snprintf(directory, sizeof(directory), "devices/%s/usb%u", controller, bus);
	device_files(sysfs, directory, bus, 1, speed, 9);
	link_make(sysfs,
		  strncmp(controller, "platform/", 9) == 0 ? "../../../bus/platform"
							   : "../../bus/pci",
		  "devices/%s/subsystem", controller);
	snprintf(target, sizeof(target), "../../../%s", directory);
	link_make(sysfs, target, "bus/usb/devices/usb%u", bus);
	for (unsigned int port = 1; port <= ports; port++)
		fake_file(sysfs, "", "%s/%u-0:1.0/usb%u-port%u/location", directory, bus, bus,
			  port);
}

/* The bus number that a name such as 1-2.3 or usb1-port2 begins with. */
static unsigned int bus_of(const char *name)
{
	return (unsigned int)strtoul(name + (strncmp(name, "usb", 3) == 0 ? 3 : 0), NULL, 10);
}

static void bus_directory(const struct fake_sysfs *sysfs, unsigned int bus,
			  char directory[PATH_MAX])
{
	char link[PATH_MAX], real[PATH_MAX];

	snprintf(link, sizeof(link), "%s/bus/usb/devices/usb%u", sysfs->root, bus);
	must(realpath(link, real) != NULL, link);
	snprintf(directory, PATH_MAX, "%s", real + strlen(sysfs->root) + 1);
}

static void ports_make(const struct fake_sysfs *sysfs, const char *directory, const char *hub,
		       unsigned int ports)
{
	for (unsigned int port = 1; port <= ports; port++)
		fake_file(sysfs, "", "%s/%s:1.0/%s-port%u/location", directory, hub, hub, port);
}

void fake_device(const struct fake_sysfs *sysfs, const char *name, unsigned int number,
		 const char *speed, unsigned int class, unsigned int ports)
{
	char hub[PATH_MAX], directory[PATH_MAX + 64], target[PATH_MAX + 128];
	unsigned int bus = bus_of(name);

	bus_directory(sysfs, bus, hub);
	snprintf(directory, sizeof(directory), "%s/%s", hub, name);
	device_files(sysfs, directory, bus, number, speed, class);
	snprintf(target, sizeof(target), "../../../%s", directory);
	link_make(sysfs, target, "bus/usb/devices/%s", name);
	ports_make(sysfs, directory, name, ports);
}

void fake_ports_anew(const struct fake_sysfs *sysfs, const char *hub, unsigned int ports)
{
	static unsigned int count;
	char bus[PATH_MAX], directory[PATH_MAX + 64], from[2 * PATH_MAX], to[PATH_MAX];

	bus_directory(sysfs, bus_of(hub), bus);
	snprintf(directory, sizeof(directory), "%s/%s", bus, hub);
	snprintf(from, sizeof(from), "%s/%s/%s:1.0", sysfs->root, directory, hub);
	/* Kept, as in fake_unplug(). */
	snprintf(to, sizeof(to), "%s/ports.gone%u", sysfs->root, ++count);
	must(rename(from, to) == 0, from);
	ports_make(sysfs, directory, hub, ports);
}

void fake_unplug(const struct fake_sysfs *sysfs, const char *name)
{
	static unsigned int count;
	char path[PATH_MAX], real[PATH_MAX], away[PATH_MAX + 16];

	snprintf(path, sizeof(path), "%s/bus/usb/devices/%s", sysfs->root, name);
	must(realpath(path, real) != NULL, path);
	must(unlink(path) == 0, path);
	/* Kept, so that its inode is not given to the next one: sysfs does not do that either. */
	snprintf(away, sizeof(away), "%s.gone%u", real, ++count);
	must(rename(real, away) == 0, away);
}

static void peer_link(const struct fake_sysfs *sysfs, const char *from, const char *to)
{
	char hub[PATH_MAX];
	const char *suffix = strstr(from, "-port");

	bus_directory(sysfs, bus_of(from), hub);
	if (strncmp(from, "usb", 3) == 0)
		link_make(sysfs, to, "%s/%u-0:1.0/%s/peer", hub, bus_of(from), from);
	else
		link_make(sysfs, to, "%s/%.*s/%.*s:1.0/%s/peer", hub, (int)(suffix - from), from,
			  (int)(suffix - from), from, from);
}

void fake_peers(const struct fake_sysfs *sysfs, const char *one, const char *other)
{
	peer_link(sysfs, one, other);
	peer_link(sysfs, other, one);
}

void fake_disk(const struct fake_sysfs *sysfs, const char *device, const char *disk)
{
	char hub[PATH_MAX];

	bus_directory(sysfs, bus_of(device), hub);
	fake_file(sysfs, "8:0\n", "%s/%s/%s:1.0/host0/target0:0:0/0:0:0:0/block/%s/dev", hub,
		  device, device, disk);
	fake_file(sysfs, "8:1\n", "%s/%s/%s:1.0/host0/target0:0:0/0:0:0:0/block/%s/%s1/dev", hub,
		  device, device, disk, disk);
	fake_file(sysfs, "1\n", "%s/%s/%s:1.0/host0/target0:0:0/0:0:0:0/block/%s/%s1/partition",
		  hub, device, device, disk, disk);
}
