// SPDX-License-Identifier: MIT
#include <broker/sysfs.h>

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool path_format(char path[PATH_MAX], const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(path, PATH_MAX, format, arguments);
	va_end(arguments);
	return length >= 0 && length < PATH_MAX;
}

bool sysfs_read_text(const char *directory, const char *attribute, char *text, size_t size)
{
	char path[PATH_MAX];
	ssize_t length;
	int fd;

	if (!path_format(path, "%s/%s", directory, attribute))
		return false;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	length = read(fd, text, size);
	close(fd);
	if (length < 0 || (size_t)length == size)
		return false;
	text[length] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return true;
}

bool sysfs_read_number(const char *directory, const char *attribute, int base, uint32_t max,
		       uint32_t *value)
{
	char text[32], *end;
	unsigned long number;

	if (!sysfs_read_text(directory, attribute, text, sizeof(text)) || text[0] == '-')
		return false;
	errno = 0;
	number = strtoul(text, &end, base);
	if (errno != 0 || end == text || *end != '\0' || number > max)
		return false;
	*value = (uint32_t)number;
	return true;
}

int sysfs_write(const char *directory, const char *attribute, const char *text)
{
	char path[PATH_MAX];
	int fd, result = 0;

	if (!path_format(path, "%s/%s", directory, attribute))
		return -ENAMETOOLONG;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		result = -errno;
	close(fd);
	return result;
}

uint64_t sysfs_instance(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 ? status.st_ino : 0;
}

uint64_t boot_number(void)
{
	unsigned int high, middle, low;
	char text[64];

	if (!sysfs_read_text("/proc/sys/kernel/random", "boot_id", text, sizeof(text)) ||
	    sscanf(text, "%8x-%4x-%4x", &high, &middle, &low) != 3)
		return 0;
	return (uint64_t)high << 32 | (uint64_t)middle << 16 | low;
}

bool sysfs_link_name(const char *path, char *name, size_t size)
{
	char target[PATH_MAX];
	ssize_t length = readlink(path, target, sizeof(target) - 1);
	const char *last;

	if (length <= 0)
		return false;
	target[length] = '\0';
	last = strrchr(target, '/');
	last = last ? last + 1 : target;
	return snprintf(name, size, "%s", last) < (int)size;
}

bool sysfs_device_name(const char *directory, char *name, size_t size)
{
	char path[PATH_MAX], subsystem[64];
	const char *last = strrchr(directory, '/');

	if (!last)
		return false;
	if (!path_format(path, "%s/subsystem", directory))
		return false;
	if (!sysfs_link_name(path, subsystem, sizeof(subsystem)))
		snprintf(subsystem, sizeof(subsystem), "device");
	return snprintf(name, size, "%s-%s", subsystem, last + 1) < (int)size;
}
