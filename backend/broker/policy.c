// SPDX-License-Identifier: MIT
#include <broker/policy.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <usbredirfilter.h>

#include <broker/guest_name.h>
#include <broker/topology.h>

/* Each interface is looked at: that of volume keys is no exception. */
#define FLAGS usbredirfilter_fl_dont_skip_non_boot_hid

static const uint32_t quota_defaults[QUOTAS] = {
	[QUOTA_TRANSFERS] = XVHC_TRANSFERS_IN_FLIGHT_DEFAULT,
	[QUOTA_BYTES] = XVHC_BYTES_IN_FLIGHT_DEFAULT,
	[QUOTA_CONTROL] = XVHC_CONTROL_RATE_DEFAULT,
	[QUOTA_RECONNECT] = XVHC_RECONNECT_PAUSE_S_DEFAULT,
	[QUOTA_XENSTORE] = XVHC_XENSTORE_CHANGES_DEFAULT,
};

static bool section_applies(const struct policy_section *section,
			    const struct policy_subject *subject)
{
	switch (section->scope) {
	case SCOPE_ALL:
		return true;
	case SCOPE_PORT:
		for (int i = 0; i < POLICY_PLACES_MAX; i++)
			if (subject->places[i] && place_equal(subject->places[i], &section->place))
				return true;
		return false;
	case SCOPE_GUEST:
		for (int i = 0; i < 3 && subject->names[i]; i++)
			if (strcmp(subject->names[i], section->guest) == 0 ||
			    (uuid_is_valid(section->guest) &&
			     strcasecmp(subject->names[i], section->guest) == 0))
				return true;
		return false;
	}
	return false;
}

static void section_name(const struct policy_section *section, char text[POLICY_TEXT_MAX])
{
	char place[XVHC_PLACE_MAX];

	switch (section->scope) {
	case SCOPE_ALL:
		snprintf(text, POLICY_TEXT_MAX, "for all");
		break;
	case SCOPE_PORT:
		place_format(&section->place, place);
		snprintf(text, POLICY_TEXT_MAX, "of [port %s]", place);
		break;
	case SCOPE_GUEST:
		snprintf(text, POLICY_TEXT_MAX, "of [guest %.80s]", section->guest);
		break;
	}
}

/* A description in the form that usbredirfilter_check() takes. */
struct kinds {
	uint8_t class[XVHC_KINDS_MAX];
	uint8_t subclass[XVHC_KINDS_MAX];
	uint8_t protocol[XVHC_KINDS_MAX];
};

static int check(const struct policy_section *section, uint32_t rules,
		 const struct message_description *description, int flags)
{
	struct kinds kinds;

	for (uint32_t i = 0; i < description->kinds; i++) {
		kinds.class[i] = description->kind[i].class;
		kinds.subclass[i] = description->kind[i].subclass;
		kinds.protocol[i] = description->kind[i].protocol;
	}
	return usbredirfilter_check(section->rules, (int)rules, description->device.class,
				    description->device.subclass, description->device.protocol,
				    kinds.class, kinds.subclass, kinds.protocol, description->kinds,
				    description->vendor, description->product, description->version,
				    FLAGS | flags);
}

static void rule_write(const struct usbredirfilter_rule *rule, char text[64])
{
	char *whole = usbredirfilter_rules_to_string(rule, 1, ":", "|");

	snprintf(text, 64, "%s", whole ? whole : "?");
	usbredirfilter_free(whole);
}

/*
 * Names the rule that refused. An interface's verdict is that of the first rule that it matches, so
 * the rule is the last one of the shortest beginning of the filter that refuses.
 */
static void refusal_write(const struct policy_section *section,
			  const struct message_description *description,
			  char refused[POLICY_TEXT_MAX])
{
	char where[POLICY_TEXT_MAX], rule[64];

	section_name(section, where);
	for (uint32_t count = 1; count <= section->rule_count; count++) {
		if (check(section, count, description, usbredirfilter_fl_default_allow) == 0)
			continue;
		rule_write(&section->rules[count - 1], rule);
		snprintf(refused, POLICY_TEXT_MAX, "rule %s of the filter %.150s", rule, where);
		return;
	}
	snprintf(refused, POLICY_TEXT_MAX, "no rule allows it in the filter %.150s", where);
}

static bool is_hub(const struct message_description *description)
{
	for (uint32_t i = 0; i < description->kinds; i++)
		if (description->kind[i].class == CLASS_HUB)
			return true;
	return description->device.class == CLASS_HUB;
}

/* What is wrong with the description itself. NULL: nothing. */
static const char *description_fault(const struct message_description *description,
				     const struct policy_witness *witness)
{
	if (description->kinds > XVHC_KINDS_MAX)
		return "its describer broke the protocol";
	if (description->vendor != witness->vendor || description->product != witness->product ||
	    description->version != witness->version || description->device.class != witness->class)
		return "its describer says something else than the kernel";
	if (description->complete != 1)
		return "it has more kinds of interfaces than can be judged";
	if (is_hub(description))
		return "hubs never go to a guest";
	return NULL;
}

bool policy_allows(const struct policy *policy, const struct policy_subject *subject,
		   const struct message_description *description,
		   const struct policy_witness *witness, char refused[POLICY_TEXT_MAX])
{
	const char *fault = description_fault(description, witness);

	if (fault) {
		snprintf(refused, POLICY_TEXT_MAX, "%s", fault);
		return false;
	}
	for (uint32_t i = 0; i < policy->count; i++) {
		const struct policy_section *section = &policy->sections[i];

		if (section->rule_count == 0 || !section_applies(section, subject))
			continue;
		/* usbredirfilter_check() allows what has nothing to look at. */
		if (description->kinds == 0) {
			snprintf(refused, POLICY_TEXT_MAX,
				 "it has no interface that a filter could judge");
			return false;
		}
		if (check(section, section->rule_count, description, 0) != 0) {
			refusal_write(section, description, refused);
			return false;
		}
	}
	refused[0] = '\0';
	return true;
}

char *policy_filter_next(const struct policy *policy, const struct policy_subject *subject,
			 uint32_t *section, char where[POLICY_TEXT_MAX])
{
	while (*section < policy->count) {
		const struct policy_section *next = &policy->sections[(*section)++];

		if (next->rule_count == 0 || !section_applies(next, subject))
			continue;
		section_name(next, where);
		return usbredirfilter_rules_to_string(next->rules, (int)next->rule_count, ":", "|");
	}
	return NULL;
}

bool policy_allows_dfu(const struct policy *policy, const struct policy_subject *subject)
{
	bool allowed = false;

	for (uint32_t i = 0; i < policy->count; i++) {
		const struct policy_section *section = &policy->sections[i];

		if (section->allow_dfu == ANSWER_UNSAID || !section_applies(section, subject))
			continue;
		if (section->allow_dfu == ANSWER_NO && section->scope != SCOPE_ALL)
			return false;
		allowed |= section->allow_dfu == ANSWER_YES;
	}
	return allowed;
}

uint32_t policy_quota(const struct policy *policy, const struct policy_subject *subject,
		      enum policy_quota quota)
{
	uint32_t value = quota_defaults[quota];
	enum policy_scope scope = SCOPE_ALL;

	for (uint32_t i = 0; i < policy->count; i++) {
		const struct policy_section *section = &policy->sections[i];

		if (section->quota[quota] == 0 || section->scope < scope ||
		    !section_applies(section, subject))
			continue;
		/* A guest that is named by its name and by its UUID has the smaller one. */
		if (scope == SCOPE_GUEST && value < section->quota[quota])
			continue;
		value = section->quota[quota];
		scope = section->scope;
	}
	return value;
}

void policy_fini(struct policy *policy)
{
	for (uint32_t i = 0; i < policy->count; i++)
		usbredirfilter_free(policy->sections[i].rules);
	free(policy->sections);
	memset(policy, 0, sizeof(*policy));
}
