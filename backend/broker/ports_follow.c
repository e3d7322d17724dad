// SPDX-License-Identifier: MIT
/*
 * An editor writes a new file and gives it the old one's name, or empties the old one and fills it
 * again. So the directory is watched, and a file is read when nobody has it open in the middle of
 * writing it, and nothing has happened to it for a moment. What we wrote ourselves is known by its
 * inode and time.
 *
 * The lines say what is wanted. Each round in which something may have changed compares them with
 * what is given: a line without a port gives one, a port without a line is taken. A line that gives
 * a port to another guest takes it first; it is given once it is free. A port that is not there is
 * given all the same, and waits.
 *
 * A file that is gone takes nothing: editors have such a moment. The next command writes it anew.
 */
#include <broker/ports_follow.h>

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <broker/given.h>
#include <broker/guest.h>
#include <broker/sysfs.h>

#define EVENTS_WATCHED                                                                             \
	(IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE |        \
	 IN_ONLYDIR)

/* The path's last part. */
static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void watch_begin(struct broker *broker)
{
	char copy[PATH_MAX];
	const char *directory;
	int fd;

	if (!path_format(copy, "%s", broker->options->ports_file))
		return;
	directory = dirname(copy);
	/* It may come with the first port that is given. */
	(void)mkdir(directory, 0755);
	fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (fd >= 0 && inotify_add_watch(fd, directory, EVENTS_WATCHED) >= 0 &&
	    broker_follow(broker, fd, EPOLLIN, SOURCE_PORTS_FILE, 0) == 0) {
		broker->ports_watch = fd;
		return;
	}
	log_line(LOG_LEVEL_WARNING,
		 "%s is not followed (%s): after it is edited, send xvhcd a SIGHUP",
		 broker->options->ports_file, strerror(errno));
	if (fd >= 0)
		close(fd);
}

static void watch_end(struct broker *broker)
{
	if (broker->ports_watch >= 0)
		close(broker->ports_watch);
	broker->ports_watch = -1;
	broker->ports_written = false;
}

int ports_begin(struct broker *broker)
{
	const char *path = broker->options->ports_file;
	int result;

	broker->ports_follows = true;
	/* First, so that no change is missed. */
	watch_begin(broker);
	result = ports_file_read(&broker->file, path);
	if (result != 0) {
		log_line(LOG_LEVEL_ERROR,
			 "%s cannot be read: %s. Mend it, or move it away and give the ports anew",
			 path, strerror(-result));
		return result;
	}
	for (uint32_t i = 0; i < broker->file.count; i++) {
		const struct ports_line *line = &broker->file.lines[i];
		struct given *given;

		if (!line->entry || line->by_device)
			continue;
		given = given_add(broker, &line->place, line->guest);
		if (!given) {
			log_line(LOG_LEVEL_ERROR,
				 "%s: line %u is left out: no more than %u ports can be given. "
				 "Take out the lines of ports that no guest needs",
				 path, i + 1, XVHC_GIVEN_PORTS_MAX);
			continue;
		}
		given->in_file = true;
		given->confirmed = true;
	}
	return 0;
}

static void event_note(struct broker *broker, const struct inotify_event *event)
{
	if (event->mask & IN_Q_OVERFLOW)
		broker->ports_read_at_ms = clock_ms() + XVHC_PORTS_FILE_QUIET_MS;
	if (event->mask & IN_IGNORED) {
		log_line(LOG_LEVEL_WARNING,
			 "the directory of %s is gone: the file is followed again from SIGHUP on",
			 broker->options->ports_file);
		watch_end(broker);
		return;
	}
	if (event->len == 0 || strcmp(event->name, name_of(broker->options->ports_file)) != 0)
		return;
	/* Whoever began to write has not closed it yet; else it is whole, another one, or gone. */
	broker->ports_written = (event->mask & IN_MODIFY) != 0;
	broker->ports_read_at_ms = clock_ms() + XVHC_PORTS_FILE_QUIET_MS;
}

void ports_readable(struct broker *broker)
{
	_Alignas(struct inotify_event) char buffer[4096];
	ssize_t got, at;

	while (broker->ports_watch >= 0 &&
	       (got = read(broker->ports_watch, buffer, sizeof(buffer))) > 0) {
		for (at = 0; at < got && broker->ports_watch >= 0;) {
			const struct inotify_event *event = (const void *)(buffer + at);

			at += (ssize_t)(sizeof(*event) + event->len);
			event_note(broker, event);
		}
	}
}

/* Takes a port that no line gives any more. */
static void unlisted_take(struct broker *broker, struct given *given)
{
	const struct ports_line *line = ports_file_find(&broker->file, &given->place);
	char names[XVHC_PLACE_MAX];

	if (given->taking || (line && strcmp(line->guest, given->guest) == 0))
		return;
	given_names(broker, given, names, sizeof(names));
	if (line && guest_same(broker, line->guest, given->guest)) {
		snprintf(given->guest, sizeof(given->guest), "%s", line->guest);
		return;
	}
	if (!line && !broker->ports_follows) {
		log_line(LOG_LEVEL_WARNING,
			 "port %s has no line any more; it stays given to %s until each line can "
			 "be read",
			 names, given->guest);
		return;
	}
	log_line(LOG_LEVEL_INFO, "port %s is taken from %s: %s gives it to %s", names, given->guest,
		 broker->options->ports_file, line ? line->guest : "nobody");
	given_return(broker, given);
}

static void file_apply(struct broker *broker)
{
	for (struct given *given = broker->given; given; given = given->next)
		if (given->in_file)
			unlisted_take(broker, given);
	broker->ports_again = true;
	broker->again = true;
}

/* The given port that is this line's, or that is in its way. NULL: none. */
static struct given *given_of(const struct broker *broker, const struct ports_line *line)
{
	const struct connector *connector = topology_find_place(&broker->topology, &line->place);
	struct given *given = given_find_place(broker, &line->place), *around;

	if (given || !connector)
		return given;
	given = given_find(broker, connector);
	around = given ? NULL : given_around(broker, connector);
	return around && around->by_device ? around : given;
}

static void line_give(struct broker *broker, const struct ports_line *line)
{
	struct given *given = given_of(broker, line);

	if (!given) {
		given = given_add(broker, &line->place, line->guest);
		if (given)
			given->in_file = true;
		else
			log_limited(&broker->given_limit, LOG_LEVEL_ERROR,
				    "no more than %u ports can be given", XVHC_GIVEN_PORTS_MAX);
		return;
	}
	/* A place wins over what is in it: see given_identity.c. */
	if (given->by_device && !given->taking)
		given_return(broker, given);
}

/* Reads the file. What cannot be read at all changes nothing. */
static void file_reread(struct broker *broker)
{
	const char *path = broker->options->ports_file;
	struct ports_file now;
	int result = ports_file_read(&now, path);

	if (result == 0 && now.stamp.inode == 0) {
		log_line(LOG_LEVEL_WARNING, "%s is gone; what it gave stays given", path);
		broker->file.stamp = now.stamp;
		return;
	}
	if (result != 0) {
		log_line(LOG_LEVEL_ERROR, "%s cannot be read (%s); what it gave stays given", path,
			 strerror(-result));
		return;
	}
	broker->ports_follows = ports_file_follows(&now, &broker->file);
	ports_file_fini(&broker->file);
	broker->file = now;
	broker->file_dirty = false;
	log_line(LOG_LEVEL_INFO, "%s has changed, and is followed", path);
	file_apply(broker);
}

bool ports_sync(struct broker *broker)
{
	ports_readable(broker);
	if (broker->ports_written)
		return false;
	broker->ports_read_at_ms = 0;
	if (ports_file_changed(&broker->file, broker->options->ports_file))
		file_reread(broker);
	return true;
}

void ports_reload(struct broker *broker)
{
	if (broker->ports_watch < 0)
		watch_begin(broker);
	(void)!ports_sync(broker);
}

void ports_step(struct broker *broker)
{
	if (broker->ports_read_at_ms != 0 && !broker->ports_written) {
		if (broker->now_ms >= broker->ports_read_at_ms)
			(void)!ports_sync(broker);
		else
			broker_wake_at(broker, broker->ports_read_at_ms);
	}
	if (!broker->ports_again)
		return;
	broker->ports_again = false;
	for (uint32_t i = 0; i < broker->file.count; i++)
		if (broker->file.lines[i].entry && !broker->file.lines[i].by_device)
			line_give(broker, &broker->file.lines[i]);
}

/*
 * In the broker's loop, with all that fsync() takes: somebody who is told that a port is given must
 * find it given after a power failure, and a port that is taken, not given. It is done once for
 * each such command, by a person or a toolstack, and never for what a guest or a device does.
 */
int ports_save(struct broker *broker)
{
	int result = ports_file_write(&broker->file, broker->options->ports_file);

	broker->file_dirty = false;
	if (result != 0)
		log_line(LOG_LEVEL_ERROR,
			 "%s cannot be written (%s): what was given or taken since is forgotten "
			 "when xvhcd restarts. Make room, or make it writable, and give or take a "
			 "port again",
			 broker->options->ports_file, strerror(-result));
	return result;
}

void ports_end(struct broker *broker)
{
	if (broker->file_dirty)
		(void)!ports_save(broker);
	watch_end(broker);
	ports_file_fini(&broker->file);
}
