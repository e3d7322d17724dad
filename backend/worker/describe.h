/* SPDX-License-Identifier: MIT */
/* The describer: a process that reads one device's descriptors, tells the broker, and ends. */
#ifndef XVHC_WORKER_DESCRIBE_H
#define XVHC_WORKER_DESCRIBE_H

#include "isolate.h"

/* Whether the broker's first message, which it waits for and leaves there, asks for this. */
bool describe_is_wanted(int broker);

/* Does it. isolation may be NULL. Returns the process' exit code: 0 or 1. */
XVHC_MUST_CHECK int describe(int broker, const struct isolation *isolation);

#endif
