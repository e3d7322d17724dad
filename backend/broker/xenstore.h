/* SPDX-License-Identifier: MIT */
/*
 * XenStore, as the broker uses it: a table of functions, so that the broker's logic also runs on a
 * store in memory, where there is no Xen. All functions that can fail return 0 or -errno. A guest
 * may write what it likes into its part of the store: each value is bounded here, and read
 * strictly.
 */
#ifndef XVHC_BROKER_XENSTORE_H
#define XVHC_BROKER_XENSTORE_H

#include <xvhc/types.h>

#define XENSTORE_PATH_MAX 160u  /* bytes of a path that we use, with the NUL */
#define XENSTORE_VALUE_MAX 512u /* bytes of a value that we read, with the NUL */
#define XENSTORE_TOKEN_MAX 32u  /* bytes of a watch's token, with the NUL */

/* Outside of a transaction. */
#define XENSTORE_NO_TRANSACTION 0u

struct xenstore;

struct xenstore_ops {
	/* Reads a value as text. -ENOENT; -EMSGSIZE where it does not fit; -EINVAL: a NUL in it. */
	int (*read)(struct xenstore *store, uint32_t transaction, const char *path, char *value,
		    size_t size);
	int (*write)(struct xenstore *store, uint32_t transaction, const char *path,
		     const char *value);
	/* Makes a directory that owner may read and write, and reader only read. */
	int (*make)(struct xenstore *store, uint32_t transaction, const char *path, uint32_t owner,
		    uint32_t reader);
	/* Removes a node and all below it. -ENOENT where it is not there. */
	int (*remove)(struct xenstore *store, uint32_t transaction, const char *path);
	/* The names below a node: one block, which the caller frees. NULL: none. */
	char **(*list)(struct xenstore *store, const char *path, uint32_t *count);
	int (*begin)(struct xenstore *store, uint32_t *transaction);
	/* -EAGAIN: somebody else changed what was read; begin again. */
	int (*end)(struct xenstore *store, uint32_t transaction, bool commit);
	int (*watch)(struct xenstore *store, const char *path, const char *token);
	void (*unwatch)(struct xenstore *store, const char *path, const char *token);
	/* Takes one event. 1: taken; 0: there is none. Cuts a longer path. */
	int (*event)(struct xenstore *store, char path[XENSTORE_PATH_MAX],
		     char token[XENSTORE_TOKEN_MAX]);
	/* Whether a domain runs, or is being built: it has not died. */
	bool (*domain_lives)(struct xenstore *store, uint32_t domid);
	void (*close)(struct xenstore *store);
};

/* The head of each implementation's own struct. */
struct xenstore {
	const struct xenstore_ops *ops;
	int fd; /* readable while there are events */
};

/* Connects to xenstored. NULL: not on Xen, or it does not run; errno says more. */
struct xenstore *xenstore_open(void);

/* Reads a value that is one decimal number of at most max. -EINVAL where it is not. */
XVHC_MUST_CHECK int xenstore_read_number(struct xenstore *store, const char *path, uint32_t max,
					 uint32_t *value);

/* Writes a decimal number. */
XVHC_MUST_CHECK int xenstore_write_number(struct xenstore *store, uint32_t transaction,
					  const char *path, uint32_t value);

/* Writes a path; the caller's are all of a bounded length. */
void xenstore_path(char path[XENSTORE_PATH_MAX], const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Reads a decimal number of at most max, and nothing behind it. */
XVHC_MUST_CHECK bool number_parse(const char *text, uint32_t max, uint32_t *value);

#endif
