// SPDX-License-Identifier: MIT
/*
 * The walk goes from the USB device's directory in sysfs down to each directory `block`, and from
 * each disk there to its partitions and, over the links in `holders`, to what is built upon them.
 * It follows no other link, and goes no deeper than WALK_DEPTH_MAX.
 */
#include <broker/mounted.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <broker/sysfs.h>

#define WALK_DEPTH_MAX 12u
#define LINE_MAX_BYTES 4096u

struct walk {
	const struct mounted_paths *paths;
	char *text; /* the finding */
};

/* Undoes the octal escapes of /proc/self/mountinfo, and makes the result fit for a terminal. */
static void unescape(char *text)
{
	const unsigned char *from = (const unsigned char *)text;
	unsigned char *to = (unsigned char *)text, c;

	for (; *from; from++) {
		c = *from;
		if (c == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] >= '0' &&
		    from[2] <= '7' && from[3] >= '0' && from[3] <= '7') {
			c = (unsigned char)((from[1] - '0') * 64 + (from[2] - '0') * 8 +
					    (from[3] - '0'));
			from += 3;
		}
		*to++ = c < ' ' || c == 0x7f ? '?' : c;
	}
	*to = '\0';
}

/* Whether a mount's source, such as /dev/sda1 or /dev/mapper/stick, is this block device. */
static bool source_is_device(const struct mounted_paths *paths, const char *source,
			     const char *device, unsigned int major_wanted,
			     unsigned int minor_wanted)
{
	struct stat status;

	if (strncmp(source, "/dev/", 5) != 0)
		return false;
	if (strcmp(source + 5, device) == 0)
		return true;
	return paths->dev && stat(source, &status) == 0 && S_ISBLK(status.st_mode) &&
	       major(status.st_rdev) == major_wanted && minor(status.st_rdev) == minor_wanted;
}

/*
 * Looks for a block device in mountinfo: "36 35 98:0 /root /mount/point options - type source".
 * Some file systems show a device number of their own there, hence the look at the source.
 */
static bool is_mounted(const struct walk *walk, const char *device, unsigned int major_wanted,
		       unsigned int minor_wanted)
{
	char line[LINE_MAX_BYTES], point[LINE_MAX_BYTES], source[LINE_MAX_BYTES];
	FILE *file = fopen(walk->paths->mountinfo, "re");
	unsigned int its_major, its_minor;
	const char *dash;
	bool found = false;

	if (!file)
		return false;
	while (!found && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%*s %*s %u:%u %*s %4095s", &its_major, &its_minor, point) != 3)
			continue;
		dash = strstr(line, " - ");
		if (!dash || sscanf(dash, " - %*s %4095s", source) != 1)
			source[0] = '\0';
		unescape(source);
		found = (its_major == major_wanted && its_minor == minor_wanted) ||
			source_is_device(walk->paths, source, device, major_wanted, minor_wanted);
	}
	fclose(file);
	if (!found)
		return false;
	unescape(point);
	snprintf(walk->text, IN_USE_TEXT_MAX,
		 "/dev/%s is mounted on %.200s in dom0: unmount it first (umount %.200s)", device,
		 point, point);
	return true;
}

static bool is_swap(const struct walk *walk, const char *device, unsigned int major_wanted,
		    unsigned int minor_wanted)
{
	char line[LINE_MAX_BYTES], source[LINE_MAX_BYTES];
	FILE *file = fopen(walk->paths->swaps, "re");
	bool found = false;

	if (!file)
		return false;
	while (!found && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%4095s", source) != 1)
			continue;
		unescape(source);
		found = source_is_device(walk->paths, source, device, major_wanted, minor_wanted);
	}
	fclose(file);
	if (found)
		snprintf(walk->text, IN_USE_TEXT_MAX,
			 "dom0 swaps to /dev/%s: end that first (swapoff /dev/%s)", device, device);
	return found;
}

/* The kernel opens a disk exclusively for whatever builds on it; then nobody else can. */
static bool is_held(const struct walk *walk, const char *device)
{
	char path[PATH_MAX];
	int fd;

	if (!walk->paths->dev)
		return false;
	if (!path_format(path, "%s/%s", walk->paths->dev, device))
		return false;
	fd = open(path, O_RDONLY | O_EXCL | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0) {
		close(fd);
		return false;
	}
	if (errno != EBUSY)
		return false;
	snprintf(walk->text, IN_USE_TEXT_MAX,
		 "dom0 uses /dev/%s (RAID, LVM, encryption, or the disk of another guest): end "
		 "that first",
		 device);
	return true;
}

static bool block_in_use(const struct walk *walk, const char *directory, const char *name,
			 unsigned int depth);

/* The links in `holders` name the block devices that are built upon this one. */
static bool holders_in_use(const struct walk *walk, const char *directory, const char *name,
			   unsigned int depth)
{
	char path[PATH_MAX], holder[PATH_MAX];
	struct dirent *entry;
	bool found = false, any = false;
	DIR *dir;

	if (!path_format(path, "%s/holders", directory))
		return false;
	dir = opendir(path);
	if (!dir)
		return false;
	while (!found && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		any = true;
		if (path_format(holder, "%s/class/block/%s", walk->paths->sysfs, entry->d_name))
			found = block_in_use(walk, holder, entry->d_name, depth + 1);
		if (!found)
			snprintf(walk->text, IN_USE_TEXT_MAX,
				 "/dev/%s is a part of /dev/%.64s in dom0: end that first", name,
				 entry->d_name);
	}
	closedir(dir);
	return any;
}

/* A loop device that reads from this one says so in its `backing_file`. */
static bool loops_in_use(const struct walk *walk, const char *name)
{
	char path[PATH_MAX], backing[PATH_MAX];
	struct dirent *entry;
	bool found = false;
	DIR *dir;

	if (!path_format(path, "%s/class/block", walk->paths->sysfs))
		return false;
	dir = opendir(path);
	if (!dir)
		return false;
	while (!found && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, "loop", 4) != 0 ||
		    !path_format(path, "%s/class/block/%s/loop", walk->paths->sysfs,
				 entry->d_name) ||
		    !sysfs_read_text(path, "backing_file", backing, sizeof(backing)))
			continue;
		found = strncmp(backing, "/dev/", 5) == 0 && strcmp(backing + 5, name) == 0;
		if (found)
			snprintf(walk->text, IN_USE_TEXT_MAX,
				 "/dev/%.64s reads from /dev/%s in dom0: end that first (losetup "
				 "-d /dev/%.64s)",
				 entry->d_name, name, entry->d_name);
	}
	closedir(dir);
	return found;
}

/* A disk or a partition, and what belongs to it. */
static bool block_in_use(const struct walk *walk, const char *directory, const char *name,
			 unsigned int depth)
{
	char path[PATH_MAX], number[32];
	unsigned int its_major = 0, its_minor = 0;
	struct dirent *entry;
	bool found = false;
	DIR *dir;

	if (depth > WALK_DEPTH_MAX)
		return false;
	if (sysfs_read_text(directory, "dev", number, sizeof(number)) &&
	    sscanf(number, "%u:%u", &its_major, &its_minor) == 2 &&
	    (is_mounted(walk, name, its_major, its_minor) ||
	     is_swap(walk, name, its_major, its_minor)))
		return true;
	if (holders_in_use(walk, directory, name, depth) || loops_in_use(walk, name))
		return true;
	dir = opendir(directory);
	if (!dir)
		return false;
	while (!found && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, name, strlen(name)) != 0 ||
		    !path_format(path, "%s/%s", directory, entry->d_name))
			continue;
		found = block_in_use(walk, path, entry->d_name, depth + 1);
	}
	closedir(dir);
	return found || is_held(walk, name);
}

static bool tree_in_use(const struct walk *walk, const char *directory, unsigned int depth)
{
	bool is_block = strcmp(strrchr(directory, '/') + 1, "block") == 0;
	char path[PATH_MAX];
	struct dirent *entry;
	struct stat status;
	bool found = false;
	DIR *dir;

	if (depth > WALK_DEPTH_MAX)
		return false;
	dir = opendir(directory);
	if (!dir)
		return false;
	while (!found && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.' ||
		    !path_format(path, "%s/%s", directory, entry->d_name) ||
		    lstat(path, &status) != 0 || !S_ISDIR(status.st_mode))
			continue;
		found = is_block ? block_in_use(walk, path, entry->d_name, depth + 1)
				 : tree_in_use(walk, path, depth + 1);
	}
	closedir(dir);
	return found;
}

bool device_is_in_use(const struct mounted_paths *paths, const char *directory,
		      char text[IN_USE_TEXT_MAX])
{
	struct walk walk = {.paths = paths, .text = text};
	char path[PATH_MAX];

	text[0] = '\0';
	/* The trailing dot makes opendir() follow /sys/bus/usb/devices/1-1, which is a link. */
	if (!path_format(path, "%s/.", directory))
		return false;
	return tree_in_use(&walk, path, 0);
}
