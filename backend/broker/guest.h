/* SPDX-License-Identifier: MIT */
/* The guests that run, as XenStore shows them. */
#ifndef XVHC_BROKER_GUEST_H
#define XVHC_BROKER_GUEST_H

#include <broker/broker.h>

/* Begins to follow guests coming and going. Returns 0 or -errno. */
XVHC_MUST_CHECK int guests_watch(struct broker *broker);

/* Reads what XenStore has about one domain. False where it does not live. */
XVHC_MUST_CHECK bool guest_read(struct broker *broker, uint32_t domid, struct guest *guest);

/* Looks which guests run; tells the controllers of those that are gone. */
void guests_scan(struct broker *broker);

/* The running guest with this name or UUID. NULL: none. */
const struct guest *guest_find(const struct broker *broker, const char *name);

/* The running guest with this number. NULL: none. */
const struct guest *guest_find_domid(const struct broker *broker, uint32_t domid);

/* Whether two names, of which either can be a UUID, mean the same guest as far as we know. */
bool guest_same(const struct broker *broker, const char *a, const char *b);

void guests_fini(struct broker *broker);

#endif
