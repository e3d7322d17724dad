/* SPDX-License-Identifier: MIT */
/*
 * What xvhc doctor looks at. Each check adds findings: how it stands, and what to do where it is
 * not well. The files that begin with doctor_ have the checks, by what they are about.
 */
#ifndef XVHC_CLI_DOCTOR_H
#define XVHC_CLI_DOCTOR_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <json-c/json.h>

enum level {
	LEVEL_OK,
	LEVEL_WARNING, /* it may be wanted so */
	LEVEL_FAILURE, /* xvhc cannot do its work */
	LEVELS,
};

/* What the checks look at, and what they have found. */
struct doctor {
	const char *root;           /* in front of each path: "", but in tests */
	const char *socket;         /* the broker's */
	const char *daemon;         /* the program xvhcd */
	uid_t user;                 /* who asks */
	struct json_object *answer; /* the broker's to `doctor`; NULL: none */
	struct json_object *findings;
	uint32_t counts[LEVELS];
};

/*
 * Adds a finding of the check with this name. todo: what to do, in whole sentences, or NULL. The
 * rest is the sentence of how it stands, without a full stop.
 */
void finding_add(struct doctor *doctor, const char *check, enum level level, const char *todo,
		 const char *format, ...) __attribute__((format(printf, 5, 6)));

/* The level's name, in --json and in what the broker says. */
const char *level_name(enum level level);

/* Whether there is such a file or directory. */
bool doctor_has(const struct doctor *doctor, const char *path);

/* Opens a directory, to be closed. NULL: it cannot be opened. */
DIR *doctor_open(const struct doctor *doctor, const char *path);

/* How many entries of a directory begin like this. -1: it cannot be opened. */
int doctor_count(const struct doctor *doctor, const char *path, const char *begin);

/*
 * Reads the first line of a file, without its end. False: it cannot be read; text is empty then.
 */
bool doctor_read(const struct doctor *doctor, const char *path, char *text, size_t size);

/* A text of the broker's answer. NULL: there is none. */
const char *doctor_answer_text(const struct doctor *doctor, const char *name);

/* The machine: doctor_xen.c. */
void check_hypervisor(struct doctor *doctor);
void check_domain(struct doctor *doctor);
void check_nodes(struct doctor *doctor);
void check_seccomp(struct doctor *doctor);

/* USB: doctor_usb.c. */
void check_usb(struct doctor *doctor);
void check_usbfs_memory(struct doctor *doctor);
void check_authorization(struct doctor *doctor);
void check_rivals(struct doctor *doctor);

/* Users: doctor_user.c. */
void check_worker_user(struct doctor *doctor);
void check_group(struct doctor *doctor);

/* xvhcd: doctor_broker.c. The first asks it, and sets answer. */
void check_broker(struct doctor *doctor);
void check_version(struct doctor *doctor);
void check_xenstore(struct doctor *doctor);
void check_worker(struct doctor *doctor);
void check_limits(struct doctor *doctor);
void check_files(struct doctor *doctor);

/* Given ports: doctor_port.c. */
void check_ports(struct doctor *doctor);

#endif
