/* SPDX-License-Identifier: MIT */
/*
 * What `xvhc help TOPIC` tells beside the commands. Answers of the broker refer to topics by their
 * names (backend/broker/given_reason.c).
 */
#ifndef XVHC_CLI_TOPIC_H
#define XVHC_CLI_TOPIC_H

struct topic {
	const char *name;
	const char *summary; /* for the list of topics */
	const char *text;
};

/* All of them, in the order of the help; the last has no name. */
extern const struct topic topics[];

/* NULL: there is no such topic. */
const struct topic *topic_find(const char *name);

#endif
