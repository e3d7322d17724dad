/* SPDX-License-Identifier: MIT */
/*
 * The file that keeps which ports are given: a line `PLACE GUEST` each, `#` begins a comment. It is
 * written anew as a whole, in one step, and then keeps the order, the comments and the lines that
 * we could not read.
 */
#ifndef XVHC_BROKER_PORTS_FILE_H
#define XVHC_BROKER_PORTS_FILE_H

#include <broker/place.h>
#include <xvhc/limits.h>

#define PORTS_FILE_BYTES_MAX 1048576u

struct ports_line {
	char *text;  /* as it was read, without the end of line; NULL: made from the two below */
	bool entry;  /* it names a given port */
	bool repeat; /* it names a port that an earlier line gives: left out */
	struct place place;
	char guest[XVHC_GUEST_NAME_MAX];
};

struct ports_file {
	struct ports_line *lines;
	uint32_t count;
};

/*
 * Reads the file. A file that does not exist is an empty one. A line that is no entry is logged
 * with its number, and kept. Returns 0 or -errno.
 */
XVHC_MUST_CHECK int ports_file_read(struct ports_file *file, const char *path);

/* Reads the same from memory; path is for the log only. */
XVHC_MUST_CHECK int ports_file_parse(struct ports_file *file, const char *path, const char *text);

/* Writes the file: to a new one beside it, which then takes its place. Returns 0 or -errno. */
XVHC_MUST_CHECK int ports_file_write(const struct ports_file *file, const char *path);

/* Adds an entry. Returns 0 or -errno. */
XVHC_MUST_CHECK int ports_file_add(struct ports_file *file, const struct place *place,
				   const char *guest);

/* Removes each line of this place. */
void ports_file_remove(struct ports_file *file, const struct place *place);

void ports_file_fini(struct ports_file *file);

#endif
