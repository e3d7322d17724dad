/* SPDX-License-Identifier: MIT */
/*
 * What xvhcd-dom0 does: it makes in XenStore the controllers that a driver domain wishes for, and
 * removes what is left of them. docs/driver-domain.md tells how it is used.
 *
 * The driver domain is trusted with its devices, and not with more: a wish is a name, and is
 * granted only for guests that the administrator has named, up to MAKER_CONTROLLERS_MAX for each.
 */
#ifndef XVHC_DOM0_MAKER_H
#define XVHC_DOM0_MAKER_H

#include <broker/broker.h>

#define MAKER_CONTROLLERS_MAX 8u /* of one guest */
#define MAKER_LOOK_PAUSE_MS 100u /* between two looks, however often XenStore changes */
#define MAKER_REMAKE_MS 500u     /* for a guest to notice that its controller is away */

struct maker {
	/* What controller_nodes.c needs to know: the store, and whose controllers these are. */
	struct broker backend;
	const char *domain;        /* name of the driver domain */
	const char *const *guests; /* names or UUIDs of those that may be served; NULL: all */
	uint32_t guests_count;
	bool present;         /* the driver domain runs, as backend.own_domid */
	uint64_t make_at_ms;  /* nothing is made before this */
	struct log_limit log; /* of wishes that are not granted */
};

/* Begins to follow XenStore. The store stays the caller's. Returns 0 or -errno. */
XVHC_MUST_CHECK int maker_begin(struct maker *maker, struct xenstore *store, const char *domain,
				const char *const *guests, uint32_t guests_count);

/* Compares what is with what should be, once. Returns when to look again at the latest; 0: when
 * XenStore changes. now_ms as clock_ms() gives it. */
uint64_t maker_look(struct maker *maker, uint64_t now_ms);

#endif
