// SPDX-License-Identifier: MIT
/* The configuration: what is taken, what is refused with which line, and what it then decides. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <broker/policy.h>

#define UUID "12345678-abcd-1234-ABCD-123456789abc"
#define PLACE "pci-0000:00:14.0/hs-2"

static struct policy parsed(const char *text)
{
	struct policy policy;
	struct policy_fault fault;
	int result = policy_parse(&policy, text, &fault);

	if (result != 0)
		fail_msg("line %u: %s (%d)", fault.line, fault.text, result);
	return policy;
}

static void wrong(const char *text, uint32_t line, const char *says)
{
	struct policy policy;
	struct policy_fault fault;

	assert_int_equal(policy_parse(&policy, text, &fault), -EINVAL);
	assert_int_equal(policy.count, 0);
	assert_null(policy.sections);
	if (fault.line != line || !strstr(fault.text, says))
		fail_msg("line %u and '%s', but not line %u and '%s'", fault.line, fault.text, line,
			 says);
}

static struct message_description device(uint8_t class, uint16_t vendor, uint16_t product)
{
	struct message_description description = {
		.vendor = vendor,
		.product = product,
		.version = 0x100,
		.complete = 1,
		.kinds = 1,
		.kind = {{class, 1, 1}},
	};

	return description;
}

/* The reason for which a device is refused; empty: it is allowed. */
static const char *judged(const char *text, const struct policy_subject *subject,
			  const struct message_description *description)
{
	static char refused[POLICY_TEXT_MAX];
	struct policy policy = parsed(text);
	struct policy_witness witness = {description->vendor, description->product,
					 description->version, description->device.class};
	bool allowed = policy_allows(&policy, subject, description, &witness, refused);

	assert_true(allowed == (refused[0] == '\0'));
	policy_fini(&policy);
	return refused;
}

static const struct policy_subject web = {.names = {"web"}};

static void empty_configuration_allows_all_but_hubs(void **state)
{
	struct message_description any = device(8, 1, 2), hub = device(9, 1, 2);

	(void)state;
	assert_string_equal(judged("", &web, &any), "");
	assert_string_equal(judged("# nothing\n\n; nothing\n", &web, &any), "");
	assert_string_equal(judged("", &web, &hub), "hubs never go to a guest");
	hub = device(0, 1, 2);
	hub.device.class = 9;
	assert_string_equal(judged("filter = -1:-1:-1:-1:1\n", &web, &hub),
			    "hubs never go to a guest");
	/* Among others, too. */
	any.kinds = 2;
	any.kind[1].class = 9;
	assert_string_equal(judged("", &web, &any), "hubs never go to a guest");
}

static void first_rule_that_fits_decides(void **state)
{
	static const char filter[] = "filter = 8:0x781:0x5567:-1:1|0x08:-1:-1:-1:0|"
				     "-1:-1:-1:0x100:1";
	struct message_description description = device(8, 0x781, 0x5567);

	(void)state;
	assert_string_equal(judged(filter, &web, &description), "");
	description.product = 1;
	assert_string_equal(judged(filter, &web, &description),
			    "rule 0x08:-1:-1:-1:0 of the filter for all");
	description = device(3, 1, 2);
	assert_string_equal(judged(filter, &web, &description), "");
	description.version = 0x101;
	assert_string_equal(judged(filter, &web, &description),
			    "no rule allows it in the filter for all");
}

static void composite_device_needs_each_interface_allowed(void **state)
{
	static const char no_keys[] = "filter = 3:-1:-1:-1:0|-1:-1:-1:-1:1";
	struct message_description description = device(1, 1, 2);

	(void)state;
	description.kinds = 2;
	description.kind[1] = (struct message_kind){3, 1, 1};
	assert_string_equal(judged(no_keys, &web, &description),
			    "rule 0x03:-1:-1:-1:0 of the filter for all");
	/* No exception for keys on a loudspeaker. */
	description.kind[1] = (struct message_kind){3, 0, 0};
	assert_string_equal(judged(no_keys, &web, &description),
			    "rule 0x03:-1:-1:-1:0 of the filter for all");
	/* The order of the interfaces does not matter. */
	description.kind[0] = (struct message_kind){3, 0, 0};
	description.kind[1] = (struct message_kind){1, 1, 1};
	assert_string_equal(judged(no_keys, &web, &description),
			    "rule 0x03:-1:-1:-1:0 of the filter for all");
	/* Nor does one that is allowed speak for another. */
	assert_string_equal(judged("filter = 1:-1:-1:-1:1", &web, &description),
			    "no rule allows it in the filter for all");
	assert_string_equal(judged("filter = 1:-1:-1:-1:1|3:-1:-1:-1:1", &web, &description), "");
	/* The class of the whole device counts too, unless it says: look at the interfaces. */
	description.device.class = 0xff;
	assert_string_equal(judged("filter = 255:-1:-1:-1:0|-1:-1:-1:-1:1", &web, &description),
			    "rule 0xff:-1:-1:-1:0 of the filter for all");
	description.device.class = 0xef;
	assert_string_equal(judged("filter = 239:-1:-1:-1:0|-1:-1:-1:-1:1", &web, &description),
			    "");
}

static void device_without_interfaces_passes_no_filter(void **state)
{
	struct message_description description = device(0, 1, 2);

	(void)state;
	description.kinds = 0;
	assert_string_equal(judged("", &web, &description), "");
	assert_string_equal(judged("filter = -1:-1:-1:-1:1", &web, &description),
			    "it has no interface that a filter could judge");
}

static void each_filter_that_applies_has_to_allow(void **state)
{
	static const char text[] = "filter = 3:-1:-1:-1:0|-1:-1:-1:-1:1\n"
				   "[guest web]\nfilter = 8:-1:-1:-1:0|-1:-1:-1:-1:1\n"
				   "[guest " UUID "]\nfilter = 14:-1:-1:-1:0|-1:-1:-1:-1:1\n"
				   "[port " PLACE "]\nfilter = 3:-1:-1:-1:1|2:-1:-1:-1:1\n";
	struct policy_subject other = {.names = {"mail"}}, byid = web, byport = other;
	struct message_description stick = device(8, 1, 2), keys = device(3, 1, 2),
				   camera = device(14, 1, 2), modem = device(2, 1, 2);
	struct place place;

	(void)state;
	assert_true(place_parse(PLACE, &place));
	byid.names[1] = "12345678-ABCD-1234-abcd-123456789ABC";
	byport.places[1] = &place;
	assert_string_equal(judged(text, &other, &stick), "");
	assert_string_equal(judged(text, &web, &stick),
			    "rule 0x08:-1:-1:-1:0 of the filter of [guest web]");
	assert_string_equal(judged(text, &byid, &camera),
			    "rule 0x0e:-1:-1:-1:0 of the filter of [guest " UUID "]");
	assert_string_equal(judged(text, &web, &camera), "");
	assert_string_equal(judged(text, &byport, &modem), "");
	assert_string_equal(judged(text, &byport, &stick),
			    "no rule allows it in the filter of [port " PLACE "]");
	/* What one section allows, another cannot be talked out of refusing. */
	assert_string_equal(judged(text, &byport, &keys),
			    "rule 0x03:-1:-1:-1:0 of the filter for all");
}

static void filter_goes_on_in_the_next_lines(void **state)
{
	static const char text[] = "[guest web]\nfilter = 3:-1:-1:-1:0 ; no keyboards\n"
				   "# nor sticks\nfilter = 8:-1:-1:-1:0|\n"
				   "    -1:-1:-1:-1:1\n";
	struct message_description stick = device(8, 1, 2), keys = device(3, 1, 2),
				   camera = device(14, 1, 2);

	(void)state;
	assert_string_equal(judged(text, &web, &keys),
			    "rule 0x03:-1:-1:-1:0 of the filter of [guest web]");
	assert_string_equal(judged(text, &web, &stick),
			    "rule 0x08:-1:-1:-1:0 of the filter of [guest web]");
	assert_string_equal(judged(text, &web, &camera), "");
}

static bool dfu(const char *text, const struct policy_subject *subject)
{
	struct policy policy = parsed(text);
	bool allowed = policy_allows_dfu(&policy, subject);

	policy_fini(&policy);
	return allowed;
}

static void firmware_downloads_need_a_yes_and_no_no(void **state)
{
	static const char both[] = "[guest web]\nallow-dfu=yes\n[port " PLACE "]\nallow-dfu=no\n";
	struct policy_subject there = web;
	struct place place;

	(void)state;
	assert_true(place_parse(PLACE, &place));
	there.places[0] = &place;
	assert_false(dfu("", &web));
	assert_true(dfu("allow-dfu = yes\n", &web));
	assert_false(dfu("allow-dfu = yes\n[guest web]\nallow-dfu = no\n", &web));
	assert_true(dfu("allow-dfu = no\n[guest web]\nallow-dfu = yes\n", &web));
	assert_false(dfu("[guest mail]\nallow-dfu = yes\n", &web));
	assert_true(dfu(both, &web));
	assert_false(dfu(both, &there));
}

static uint32_t quota(const char *text, const struct policy_subject *subject,
		      enum policy_quota which)
{
	struct policy policy = parsed(text);
	uint32_t value = policy_quota(&policy, subject, which);

	policy_fini(&policy);
	return value;
}

static void guests_quota_comes_before_that_for_all(void **state)
{
	static const char text[] = "transfers-in-flight = 32\ncontrol-per-second = 60\n"
				   "[guest web]\ntransfers-in-flight = 64\nreconnect-pause = 9\n"
				   "[guest " UUID "]\ntransfers-in-flight = 48\n";
	struct policy_subject mail = {.names = {"mail"}}, byid = {.names = {"web", UUID}};

	(void)state;
	assert_int_equal(quota(text, &mail, QUOTA_TRANSFERS), 32);
	assert_int_equal(quota(text, &web, QUOTA_TRANSFERS), 64);
	assert_int_equal(quota(text, &byid, QUOTA_TRANSFERS), 48);
	assert_int_equal(quota(text, &web, QUOTA_CONTROL), 60);
	assert_int_equal(quota(text, &web, QUOTA_RECONNECT), 9);
	assert_int_equal(quota(text, &mail, QUOTA_RECONNECT), XVHC_RECONNECT_PAUSE_S_DEFAULT);
	assert_int_equal(quota("", &web, QUOTA_TRANSFERS), XVHC_TRANSFERS_IN_FLIGHT_DEFAULT);
	assert_int_equal(quota("", &web, QUOTA_BYTES), XVHC_BYTES_IN_FLIGHT_DEFAULT);
	assert_int_equal(quota("", &web, QUOTA_CONTROL), XVHC_CONTROL_RATE_DEFAULT);
	assert_int_equal(quota("", &web, QUOTA_XENSTORE), XVHC_XENSTORE_CHANGES_DEFAULT);
}

static void quotas_out_of_their_range(void **state)
{
	(void)state;
	wrong("transfers-in-flight = 3\n", 1, "a number from 4 to 65536, and not '3'");
	wrong("transfers-in-flight = 65537\n", 1, "transfers-in-flight");
	wrong("bytes-in-flight = 1M\n", 1, "'1M'");
	wrong("bytes-in-flight = 4294967297\n", 1, "bytes-in-flight");
	wrong("control-per-second = -1\n", 1, "control-per-second");
	wrong("\nreconnect-pause = 0\n", 2, "reconnect-pause");
	wrong("xenstore-changes-per-second =\n", 1, "xenstore-changes-per-second");
	wrong("[guest a]\nreconnect-pause = 2\nreconnect-pause = 2\n", 3, "for the second time");
	wrong("[port " PLACE "]\nreconnect-pause = 2\n", 2, "cannot stand in a port's section");
}

static void bad_filters(void **state)
{
	static const char *const filters[] = {
		"nonsense",          "3:-1:-1:-1",    "3:-1:-1:-1:allow", "3:-1:-1:-1:0:1",
		"256:-1:-1:-1:0",    "-2:-1:-1:-1:0", "3:65536:-1:-1:0",  "|",
		"3:-1:-1:-1:0|8:-1", "3,-1,-1,-1,0",  "0x3g:-1:-1:-1:0",  "",
	};
	char text[128];

	(void)state;
	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
		snprintf(text, sizeof(text), "\n[guest web]\nfilter = %s\n", filters[i]);
		wrong(text, 3, "is not a filter");
	}
}

static void bad_lines(void **state)
{
	char text[2048] = "# one\nfilter = ";

	(void)state;
	wrong("filtre = 3:-1:-1:-1:0\n", 1, "there is no key 'filtre'");
	wrong("[guest a]\nrubbish\n", 2, "neither [section] nor key = value");
	wrong("[guest a\nallow-dfu = no\n", 1, "neither [section] nor key = value");
	wrong("[guests a]\nallow-dfu = no\n", 2, "neither [port PLACE] nor [guest NAME]");
	wrong("[guest 3]\nallow-dfu = no\n", 2, "its name or UUID");
	wrong("[guest Domain-0]\nallow-dfu = no\n", 2, "dom0 is no guest");
	wrong("[port 1-2]\nallow-dfu = no\n", 2, "xvhc list --places shows them");
	wrong("allow-dfu = maybe\n", 1, "yes or no");
	wrong("allow-dfu = no\nallow-dfu = no\n", 2, "for the second time");
	wrong("[guest a]\nallow-dfu=no\n[guest b]\nallow-dfu=no\n[guest a]\nallow-dfu=no\n", 6,
	      "[guest a] stands here for the second time");
	wrong("[guest aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]\nallow-dfu=no\n", 2,
	      "longer than");
	/* A rule that is cut in the middle could be another rule. */
	while (strlen(text) < sizeof(text) - 40)
		strcat(text, "|8:1:1:-1:0");
	strcat(text, "\n");
	wrong(text, 2, "it is longer than");
}

static void many_rules_and_sections(void **state)
{
	const size_t size = 64 * (XVHC_POLICY_SECTIONS_MAX + 2);
	struct message_description stick = device(8, 1, 2);
	char *text = malloc(size);
	size_t at = 0;

	(void)state;
	assert_non_null(text);
	for (uint32_t i = 0; i < XVHC_POLICY_RULES_MAX; i++)
		at += (size_t)snprintf(text + at, size - at, "filter = 8:1:%u:-1:0\n", i + 3);
	assert_string_equal(judged(text, &web, &stick), "no rule allows it in the filter for all");
	snprintf(text + at, size - at, "filter = -1:-1:-1:-1:1\n");
	wrong(text, XVHC_POLICY_RULES_MAX + 1, "1 to 1024 can be");
	at = 0;
	for (uint32_t i = 0; i <= XVHC_POLICY_SECTIONS_MAX; i++)
		at += (size_t)snprintf(text + at, size - at, "[guest g%u]\nallow-dfu = no\n", i);
	wrong(text, 2 * (XVHC_POLICY_SECTIONS_MAX + 1), "more than 2048 sections");
	free(text);
}

static void names_of_rules_fit_their_sentence(void **state)
{
	struct message_description stick = device(8, 0xffff, 0xffff);
	struct policy_subject guest = {.names = {"a-guest-with-a-name-of-forty-two-letters-x"}};
	const char *why;

	(void)state;
	stick.version = 0xffff;
	why = judged("[guest a-guest-with-a-name-of-forty-two-letters-x]\n"
		     "filter = 8:65535:65535:65535:0\n",
		     &guest, &stick);
	assert_string_equal(why, "rule 0x08:0xffff:0xffff:0xffff:0 of the filter of "
				 "[guest a-guest-with-a-name-of-forty-two-letters-x]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_configuration_allows_all_but_hubs),
		cmocka_unit_test(first_rule_that_fits_decides),
		cmocka_unit_test(composite_device_needs_each_interface_allowed),
		cmocka_unit_test(device_without_interfaces_passes_no_filter),
		cmocka_unit_test(each_filter_that_applies_has_to_allow),
		cmocka_unit_test(filter_goes_on_in_the_next_lines),
		cmocka_unit_test(firmware_downloads_need_a_yes_and_no_no),
		cmocka_unit_test(guests_quota_comes_before_that_for_all),
		cmocka_unit_test(quotas_out_of_their_range),
		cmocka_unit_test(bad_filters),
		cmocka_unit_test(bad_lines),
		cmocka_unit_test(many_rules_and_sections),
		cmocka_unit_test(names_of_rules_fit_their_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
