/* SPDX-License-Identifier: MIT */
/* Says of a given port whether all is well with it, and if not, what to do: for xvhc doctor. */
#ifndef XVHC_BROKER_DIAGNOSE_H
#define XVHC_BROKER_DIAGNOSE_H

#include <broker/broker.h>

enum diagnosis_level {
	DIAGNOSIS_OK,
	DIAGNOSIS_WARNING, /* it may be wanted so, or pass by itself */
	DIAGNOSIS_FAILURE, /* the guest does not get what it was given */
};

struct diagnosis {
	enum diagnosis_level level;
	char what[IN_USE_TEXT_MAX + 128]; /* how it stands, without port and guest; no full stop */
	char todo[512];                   /* what to do, whole sentences; "": nothing */
};

/* Looks at XenStore as well, where the port is bound to a controller. */
void diagnose(struct broker *broker, const struct given *given, struct diagnosis *diagnosis);

#endif
