// SPDX-License-Identifier: MIT
/*
 * The configuration, with inih's reader of [section] and key = value. inih cuts long lines and long
 * names of sections without a word, and could so turn a rule into another one. Hence the lines go
 * in by way of our own reader, which counts them and refuses those that do not fit.
 *
 * A filter's text is gathered first, since it may stand on several lines, and becomes rules at the
 * end of its section.
 */
#include <broker/policy.h>

#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <usbredirfilter.h>

#include <broker/guest_name.h>
#include <broker/xenstore.h>

#define SECTION_BYTES_MAX 50u /* inih keeps one less, and cuts what is longer */
#define FILTER_BYTES_MAX 65536u

struct parser {
	struct policy *policy;
	struct policy_fault *fault;
	const char *rest; /* of the text */
	uint32_t line;    /* the one that was read last */
	int error;        /* other than a fault of the text */
	char name[SECTION_BYTES_MAX];
	/* The filter of the last section, as far as it was read. */
	char *filter;
	size_t filter_bytes;
};

static void fault(struct parser *parser, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The first fault counts. Returns what inih takes for an error. */
static void fault(struct parser *parser, const char *format, ...)
{
	va_list arguments;

	if (parser->fault->line != 0)
		return;
	parser->fault->line = parser->line;
	va_start(arguments, format);
	vsnprintf(parser->fault->text, sizeof(parser->fault->text), format, arguments);
	va_end(arguments);
}

/* As fgets(), for inih. */
static char *line_read(char *line, int size, void *stream)
{
	struct parser *parser = stream;
	size_t length = strcspn(parser->rest, "\n");

	if (parser->rest[0] == '\0' || parser->fault->line != 0 || parser->error != 0)
		return NULL;
	parser->line++;
	/* Room for the end of line and the NUL. */
	if (length + 2 > (size_t)size) {
		fault(parser,
		      "it is longer than %d characters. A filter can go on in the next "
		      "line, behind another `filter =`",
		      size - 2);
		return NULL;
	}
	memcpy(line, parser->rest, length);
	line[length] = '\n';
	line[length + 1] = '\0';
	parser->rest += length + (parser->rest[length] == '\n');
	return line;
}

/* Makes rules of the filter that was gathered. */
static void filter_end(struct parser *parser)
{
	struct policy *policy = parser->policy;
	struct policy_section *section;
	int count = 0, result;

	if (!parser->filter)
		return;
	section = &policy->sections[policy->count - 1];
	result = usbredirfilter_string_to_rules(parser->filter, ":", "|", &section->rules, &count);
	free(parser->filter);
	parser->filter = NULL;
	if (result == -ENOMEM)
		parser->error = -ENOMEM;
	section->rule_count = result == 0 ? (uint32_t)count : 0;
	/* Each line was looked at when it was read. */
	if (result == 0 && (count == 0 || (uint32_t)count > XVHC_POLICY_RULES_MAX))
		fault(parser, "its filter has %d rules; 1 to %u can be", count,
		      XVHC_POLICY_RULES_MAX);
}

static bool rules_are_valid(const char *text)
{
	struct usbredirfilter_rule *rules = NULL;
	int count = 0, result;

	result = usbredirfilter_string_to_rules(text, ":", "|", &rules, &count);
	usbredirfilter_free(rules);
	return result == 0 && count > 0;
}

static void filter_add(struct parser *parser, const char *value)
{
	size_t length = strlen(value);
	char *grown;

	if (!rules_are_valid(value)) {
		fault(parser,
		      "'%.80s' is not a filter: it has rules "
		      "class:vendor:product:version:allow with | between them, such as "
		      "0x03:-1:-1:-1:0|-1:-1:-1:-1:1",
		      value);
		return;
	}
	if (parser->filter_bytes + length + 2 > FILTER_BYTES_MAX) {
		fault(parser, "the filter is too long");
		return;
	}
	grown = realloc(parser->filter, (parser->filter ? parser->filter_bytes : 0) + length + 2);
	if (!grown) {
		parser->error = -ENOMEM;
		return;
	}
	if (!parser->filter)
		parser->filter_bytes = 0;
	parser->filter = grown;
	if (parser->filter_bytes > 0)
		grown[parser->filter_bytes++] = '|';
	memcpy(grown + parser->filter_bytes, value, length + 1);
	parser->filter_bytes += length;
}

static void allow_dfu_set(struct parser *parser, struct policy_section *section, const char *value)
{
	if (section->allow_dfu != ANSWER_UNSAID)
		fault(parser, "allow-dfu stands here for the second time");
	else if (strcmp(value, "yes") == 0)
		section->allow_dfu = ANSWER_YES;
	else if (strcmp(value, "no") == 0)
		section->allow_dfu = ANSWER_NO;
	else
		fault(parser, "allow-dfu is yes or no, and not '%.80s'", value);
}

static const struct {
	const char *key;
	uint32_t min, max;
} quotas[QUOTAS] = {
	[QUOTA_TRANSFERS] = {"transfers-in-flight", XVHC_TRANSFERS_IN_FLIGHT_MIN,
			     XVHC_TRANSFERS_IN_FLIGHT_MAX},
	[QUOTA_BYTES] = {"bytes-in-flight", XVHC_BYTES_IN_FLIGHT_MIN, XVHC_BYTES_IN_FLIGHT_MAX},
	[QUOTA_CONTROL] = {"control-per-second", XVHC_CONTROL_RATE_MIN, XVHC_CONTROL_RATE_MAX},
	[QUOTA_RECONNECT] = {"reconnect-pause", XVHC_RECONNECT_PAUSE_S_MIN,
			     XVHC_RECONNECT_PAUSE_S_MAX},
	[QUOTA_XENSTORE] = {"xenstore-changes-per-second", XVHC_XENSTORE_CHANGES_MIN,
			    XVHC_XENSTORE_CHANGES_MAX},
};

const char *policy_quota_key(enum policy_quota quota)
{
	return quotas[quota].key;
}

static void quota_set(struct parser *parser, struct policy_section *section, uint32_t quota,
		      const char *value)
{
	if (section->scope == SCOPE_PORT)
		fault(parser, "%s is a guest's: it cannot stand in a port's section",
		      quotas[quota].key);
	else if (section->quota[quota] != 0)
		fault(parser, "%s stands here for the second time", quotas[quota].key);
	else if (!number_parse(value, quotas[quota].max, &section->quota[quota]) ||
		 section->quota[quota] < quotas[quota].min)
		fault(parser, "%s is a number from %u to %u, and not '%.40s'", quotas[quota].key,
		      quotas[quota].min, quotas[quota].max, value);
}

static void key_set(struct parser *parser, const char *key, const char *value)
{
	struct policy_section *section = &parser->policy->sections[parser->policy->count - 1];

	if (strcmp(key, "filter") == 0) {
		filter_add(parser, value);
		return;
	}
	if (strcmp(key, "allow-dfu") == 0) {
		allow_dfu_set(parser, section, value);
		return;
	}
	for (uint32_t quota = 0; quota < QUOTAS; quota++) {
		if (strcmp(key, quotas[quota].key) != 0)
			continue;
		quota_set(parser, section, quota, value);
		return;
	}
	fault(parser, "there is no key '%.40s'", key);
}

static void section_read(struct parser *parser, struct policy_section *section, const char *name)
{
	static const char port[] = "port ", guest[] = "guest ";
	const char *named;

	if (strlen(name) >= SECTION_BYTES_MAX - 1) {
		fault(parser,
		      "the name of its section is longer than %u characters (a guest has a "
		      "UUID, too)",
		      SECTION_BYTES_MAX - 2);
	} else if (name[0] == '\0') {
		section->scope = SCOPE_ALL;
	} else if (strncmp(name, port, sizeof(port) - 1) == 0) {
		section->scope = SCOPE_PORT;
		if (!place_parse(name + sizeof(port) - 1, &section->place))
			fault(parser,
			      "[%s] does not name a port by its place, such as "
			      "pci-0000:00:14.0/hs-2; xvhc list --places shows them",
			      name);
	} else if (strncmp(name, guest, sizeof(guest) - 1) == 0) {
		section->scope = SCOPE_GUEST;
		named = guest_name_fault(name + sizeof(guest) - 1);
		if (named)
			fault(parser, "[%s] does not name a guest: %.150s", name, named);
		snprintf(section->guest, sizeof(section->guest), "%s", name + sizeof(guest) - 1);
	} else {
		fault(parser, "[%s] is neither [port PLACE] nor [guest NAME]", name);
	}
}

/* A section that stands there twice would hide from a reader half of what holds. */
static bool section_is_there(const struct policy *policy, const struct policy_section *section)
{
	for (uint32_t i = 0; i < policy->count; i++) {
		const struct policy_section *other = &policy->sections[i];

		if (other->scope != section->scope)
			continue;
		if (other->scope == SCOPE_ALL ||
		    (other->scope == SCOPE_PORT && place_equal(&other->place, &section->place)) ||
		    (other->scope == SCOPE_GUEST && strcmp(other->guest, section->guest) == 0))
			return true;
	}
	return false;
}

static void section_begin(struct parser *parser, const char *name)
{
	struct policy *policy = parser->policy;
	struct policy_section section = {0}, *grown;

	filter_end(parser);
	section_read(parser, &section, name);
	if (parser->fault->line == 0 && section_is_there(policy, &section))
		fault(parser, "[%s] stands here for the second time", name);
	if (policy->count >= XVHC_POLICY_SECTIONS_MAX)
		fault(parser, "there are more than %u sections", XVHC_POLICY_SECTIONS_MAX);
	if (parser->fault->line != 0)
		return;
	grown = realloc(policy->sections, (policy->count + 1) * sizeof(*grown));
	if (!grown) {
		parser->error = -ENOMEM;
		return;
	}
	policy->sections = grown;
	grown[policy->count++] = section;
	snprintf(parser->name, sizeof(parser->name), "%s", name);
}

/* Called by inih for each key. Returns 0 for an error, as it wants. */
static int pair_read(void *user, const char *name, const char *key, const char *value)
{
	struct parser *parser = user;

	if (parser->policy->count == 0 || strcmp(name, parser->name) != 0)
		section_begin(parser, name);
	if (parser->fault->line == 0 && parser->error == 0)
		key_set(parser, key, value);
	return parser->fault->line == 0 && parser->error == 0;
}

int policy_parse(struct policy *policy, const char *text, struct policy_fault *wrong)
{
	struct parser parser = {.policy = policy, .fault = wrong, .rest = text};
	int line;

	memset(policy, 0, sizeof(*policy));
	memset(wrong, 0, sizeof(*wrong));
	line = ini_parse_stream(line_read, &parser, pair_read, &parser);
	filter_end(&parser);
	/* inih knows of lines that it could make nothing of. */
	if (line > 0 && parser.error == 0 && (wrong->line == 0 || (uint32_t)line < wrong->line)) {
		wrong->line = (uint32_t)line;
		snprintf(wrong->text, sizeof(wrong->text),
			 "it is neither [section] nor key = value");
	}
	if (line < 0 && parser.error == 0)
		parser.error = -ENOMEM;
	if (wrong->line == 0 && parser.error == 0)
		return 0;
	policy_fini(policy);
	return parser.error != 0 ? parser.error : -EINVAL;
}
