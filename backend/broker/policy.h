/* SPDX-License-Identifier: MIT */
/*
 * The policy: which devices a guest may see, and what it may use up. docs/policy.md tells the
 * configuration's form and the rules; here they are parsed, and a device is judged, without any
 * I/O.
 */
#ifndef XVHC_BROKER_POLICY_H
#define XVHC_BROKER_POLICY_H

#include <broker/place.h>
#include <message.h>
#include <xvhc/limits.h>

#define POLICY_TEXT_MAX 256u /* bytes of a sentence about a device or a line, with the NUL */

struct usbredirfilter_rule;

/* What one guest may use up. Each number has a key; 0 in a section: not said there. */
enum policy_quota {
	QUOTA_TRANSFERS, /* in flight */
	QUOTA_BYTES,     /* in flight */
	QUOTA_CONTROL,   /* requests in a second */
	QUOTA_RECONNECT, /* the longest pause before a reconnection, in seconds */
	QUOTA_XENSTORE,  /* changes of a frontend's state in a second */
	QUOTAS,
};

enum policy_scope {
	SCOPE_ALL, /* in front of the first section */
	SCOPE_PORT,
	SCOPE_GUEST,
};

enum policy_answer {
	ANSWER_UNSAID = 0,
	ANSWER_NO,
	ANSWER_YES,
};

struct policy_section {
	enum policy_scope scope;
	struct place place;              /* SCOPE_PORT */
	char guest[XVHC_GUEST_NAME_MAX]; /* SCOPE_GUEST: a name or a UUID */
	struct usbredirfilter_rule *rules;
	uint32_t rule_count; /* 0: no filter */
	enum policy_answer allow_dfu;
	uint32_t quota[QUOTAS];
};

struct policy {
	struct policy_section *sections; /* the first is SCOPE_ALL, where there is any */
	uint32_t count;
};

/* Where a configuration is wrong. */
struct policy_fault {
	uint32_t line;
	char text[POLICY_TEXT_MAX];
};

#define POLICY_PLACES_MAX (1 + 2 * (int)XVHC_PORT_CHAIN_MAX)

/* Whose device it is, and where. */
struct policy_subject {
	/* Of the port, and of those in front of it, both sides; NULL: none. */
	const struct place *places[POLICY_PLACES_MAX];
	const char *names[3]; /* by which the guest may be called; NULL: no more */
};

/* What the kernel says about the device, in sysfs. */
struct policy_witness {
	uint16_t vendor;
	uint16_t product;
	uint16_t version;
	uint8_t class;
};

/*
 * Parses a configuration. Returns 0, -EINVAL and *fault, or -ENOMEM. On failure the policy is
 * empty.
 */
XVHC_MUST_CHECK int policy_parse(struct policy *policy, const char *text,
				 struct policy_fault *fault);

/* Frees what is in it. An empty policy allows everything but hubs. */
void policy_fini(struct policy *policy);

/*
 * Whether this guest may see this device in this port: each filter that applies has to allow it.
 * False: refused has the reason, such as the rule that refused it. The description is what a
 * describer said, and not believed to make sense.
 */
XVHC_MUST_CHECK bool policy_allows(const struct policy *policy,
				   const struct policy_subject *subject,
				   const struct message_description *description,
				   const struct policy_witness *witness,
				   char refused[POLICY_TEXT_MAX]);

/* Whether downloads of firmware may reach a device there: somebody says yes, and nobody no. */
XVHC_MUST_CHECK bool policy_allows_dfu(const struct policy *policy,
				       const struct policy_subject *subject);

/*
 * The next filter that applies to this subject: *section is where to go on, at first 0. Returns
 * its rules as text, to be freed, and whose it is in where; NULL: there are no more.
 */
char *policy_filter_next(const struct policy *policy, const struct policy_subject *subject,
			 uint32_t *section, char where[POLICY_TEXT_MAX]);

/* The key of a quota in the configuration. */
const char *policy_quota_key(enum policy_quota quota);

/* One quota of a guest: as its section says, or as it is for all, or the default. */
uint32_t policy_quota(const struct policy *policy, const struct policy_subject *subject,
		      enum policy_quota quota);

#endif
