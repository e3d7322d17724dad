// SPDX-License-Identifier: MIT
#include <broker/mark.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <broker/broker.h>
#include <broker/sysfs.h>

/* A mark that stays, or that is missing, is no reason not to go on. */
static void mark_failed(struct broker *broker, const char *path)
{
	log_limited(&broker->mark_limit, LOG_LEVEL_WARNING,
		    "%s: %s. Programs of dom0 may look at what is in given ports", path,
		    strerror(errno));
}

void marks_begin(struct broker *broker)
{
	const char *marks = broker->options->marks;
	struct dirent *entry;
	DIR *directory;

	if (!marks)
		return;
	/* Whatever the umask: udev is root, but a person may want to look. */
	if (mkdir(marks, 0755) == 0)
		(void)chmod(marks, 0755);
	directory = opendir(marks);
	if (!directory) {
		mark_failed(broker, marks);
		return;
	}
	while ((entry = readdir(directory)))
		if (entry->d_name[0] != '.')
			(void)unlinkat(dirfd(directory), entry->d_name, 0);
	closedir(directory);
}

static void mark_put(struct broker *broker, const char *name)
{
	char path[PATH_MAX];
	int fd;

	if (!path_format(path, "%s/%s", broker->options->marks, name))
		return;
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		mark_failed(broker, path);
	else
		close(fd);
}

static void mark_remove(struct broker *broker, const char *name)
{
	char path[PATH_MAX];

	if (path_format(path, "%s/%s", broker->options->marks, name) && unlink(path) != 0 &&
	    errno != ENOENT)
		mark_failed(broker, path);
}

void mark_follow(struct broker *broker, struct given *given, const struct connector *connector)
{
	if (!broker->options->marks)
		return;
	for (int side = 0; side < 2; side++) {
		char name[PLACE_SHORT_MAX] = "";

		if (connector && connector->side[side])
			short_name_format(&connector->side[side]->name, name);
		if (strcmp(given->mark[side], name) == 0)
			continue;
		if (given->mark[side][0] != '\0')
			mark_remove(broker, given->mark[side]);
		if (name[0] != '\0')
			mark_put(broker, name);
		memcpy(given->mark[side], name, sizeof(given->mark[side]));
	}
}
