/* SPDX-License-Identifier: MIT */
/*
 * The file that keeps what is given: a line `PLACE GUEST` for a port, a line `device VID:PID GUEST`
 * or `device VID:PID:SERIAL GUEST` for a device. `#` begins a comment. It is written anew as a
 * whole, in one step, and then keeps the order, the comments and the lines that we could not read.
 *
 * A person may edit it at any time. So a line that cannot be read may be what is left of a line
 * that gave something. As long as such a line is there, what has no line any more stays given
 * (ports_file_follows()).
 */
#ifndef XVHC_BROKER_PORTS_FILE_H
#define XVHC_BROKER_PORTS_FILE_H

#include <sys/types.h>
#include <time.h>

#include <broker/identity.h>
#include <broker/place.h>
#include <xvhc/limits.h>

#define PORTS_FILE_BYTES_MAX 1048576u

struct ports_line {
	char *text;  /* as it was read, without the end of line; NULL: made from those below */
	bool entry;  /* it gives something */
	bool repeat; /* it gives what an earlier line gives: left out */
	bool fault;  /* it cannot be read */
	bool stands; /* it cannot be read, and may stand for something that is given */
	bool by_device;
	struct place place;       /* where it is not by_device */
	struct identity identity; /* where it is */
	char guest[XVHC_GUEST_NAME_MAX];
};

/* Which of the files of this name it was. All zeroes: there was none. */
struct ports_stamp {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec time;
};

struct ports_file {
	struct ports_line *lines;
	uint32_t count;
	struct ports_stamp stamp; /* of the file that was read, or written, last */
};

/*
 * Reads the file. A file that does not exist is an empty one. A line that is no entry is logged
 * with its number, and kept. Returns 0 or -errno.
 */
XVHC_MUST_CHECK int ports_file_read(struct ports_file *file, const char *path);

/* Reads the same from memory; path is for the log only. */
XVHC_MUST_CHECK int ports_file_parse(struct ports_file *file, const char *path, const char *text);

/* Writes the file: to a new one beside it, which then takes its place. Returns 0 or -errno. */
XVHC_MUST_CHECK int ports_file_write(struct ports_file *file, const char *path);

/* Whether the file of this name is another one than was read, or written, last. */
bool ports_file_changed(const struct ports_file *file, const char *path);

/*
 * The file was read anew; before is what it was. True where what has no line any more is taken.
 * False where a line that came since cannot be read, and may stand for what has none.
 */
bool ports_file_follows(struct ports_file *file, const struct ports_file *before);

/* Adds an entry. Returns 0 or -errno. */
XVHC_MUST_CHECK int ports_file_add(struct ports_file *file, const struct place *place,
				   const char *guest);
XVHC_MUST_CHECK int ports_file_add_device(struct ports_file *file, const struct identity *identity,
					  const char *guest);

/* Removes each line of this place, or of this device. */
void ports_file_remove(struct ports_file *file, const struct place *place);
void ports_file_remove_device(struct ports_file *file, const struct identity *identity);

/* The entry of this place, or of exactly this name of a device. NULL: none. */
const struct ports_line *ports_file_find(const struct ports_file *file, const struct place *place);
const struct ports_line *ports_file_find_device(const struct ports_file *file,
						const struct identity *identity);

/* The entry by which this device is given: one with its serial number first. NULL: none. */
const struct ports_line *ports_file_match(const struct ports_file *file,
					  const struct usb_device *device);

void ports_file_fini(struct ports_file *file);

#endif
