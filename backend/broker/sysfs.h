/* SPDX-License-Identifier: MIT */
/* Small reads and writes of sysfs attributes. */
#ifndef XVHC_BROKER_SYSFS_H
#define XVHC_BROKER_SYSFS_H

#include <limits.h>

#include <xvhc/types.h>

/* Writes a path. False where it is too long. */
XVHC_MUST_CHECK bool path_format(char path[PATH_MAX], const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Reads an attribute's first line, without its end, into text of size bytes. False where there is
 * none, or it does not fit.
 */
XVHC_MUST_CHECK bool sysfs_read_text(const char *directory, const char *attribute, char *text,
				     size_t size);

/* Reads an attribute that is one number of at most max. */
XVHC_MUST_CHECK bool sysfs_read_number(const char *directory, const char *attribute, int base,
				       uint32_t max, uint32_t *value);

/* Writes an attribute. Returns 0 or -errno. */
XVHC_MUST_CHECK int sysfs_write(const char *directory, const char *attribute, const char *text);

/*
 * The inode of a directory; links are followed. 0: there is none. sysfs gives the same one twice
 * only after a reboot.
 */
uint64_t sysfs_instance(const char *path);

/* A number by which this boot of the machine differs from others. 0: there is none. */
uint64_t boot_number(void);

/* The last part of what a symbolic link points to. */
XVHC_MUST_CHECK bool sysfs_link_name(const char *path, char *name, size_t size);

/* A device by its subsystem and name, `pci-0000:00:04.0`, from the path of its directory. */
XVHC_MUST_CHECK bool sysfs_device_name(const char *directory, char *name, size_t size);

#endif
