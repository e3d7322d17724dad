/* SPDX-License-Identifier: MIT */
/* Reads the configuration from its file. */
#ifndef XVHC_BROKER_POLICY_FILE_H
#define XVHC_BROKER_POLICY_FILE_H

#include <broker/policy.h>

/*
 * Reads the file; required: it has to be there, or else it counts as empty. Returns 0, or -errno
 * after a sentence in the log with the file and the line; then *policy is as it was.
 */
XVHC_MUST_CHECK int policy_load(struct policy *policy, const char *path, bool required);

#endif
