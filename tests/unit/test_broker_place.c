// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <broker/guest_name.h>
#include <broker/place.h>

static void place_is_written_as_it_was_read(void **state)
{
	static const char *const texts[] = {
		"pci-0000:00:04.0/hs-1",
		"pci-0000:00:04.0/ss-1.3",
		"platform-vhci_hcd.0/hs-255.255.255.255.255.255",
		"pci-a-name-of-sixty-three-characters-which-is-the-longest-one-x/hs-1",
	};
	struct place place;
	char text[XVHC_PLACE_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_true(place_parse(texts[i], &place));
		place_format(&place, text);
		assert_string_equal(text, texts[i]);
	}
	assert_int_equal(strcspn(texts[3], "/"), PLACE_CONTROLLER_MAX - 1);
}

static void what_is_no_place_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"/hs-1",
		"pci-0000:00:04.0",
		"pci-0000:00:04.0/",
		"pci-0000:00:04.0/hs-",
		"pci-0000:00:04.0/hs-0",
		"pci-0000:00:04.0/hs-01",
		"pci-0000:00:04.0/hs-256",
		"pci-0000:00:04.0/hs-1.",
		"pci-0000:00:04.0/hs-1.2 ",
		"pci-0000:00:04.0/fs-1",
		"pci-0000:00:04.0/hs-1.1.1.1.1.1.1",
		"pci/../hs-1",
		"pci 1/hs-1",
		"pci-0000:00:04.0/hs-99999999999999999999",
		"pci-a-name-of-sixty-four-characters-which-is-one-more-than-there/hs-1",
	};
	struct place place;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_false(place_parse(texts[i], &place));
}

static void short_names_of_the_kernel_are_read(void **state)
{
	static const struct {
		const char *text, *name;
	} cases[] = {
		{"1-2", "1-2"},
		{"1-2.3.4", "1-2.3.4"},
		{"usb1-port2", "1-2"},
		{"1-2-port3", "1-2.3"},
		{"12-1.4", "12-1.4"},
		{"65535-1", "65535-1"},
		{"1-2.3-port4", "1-2.3.4"},
	};
	char text[PLACE_SHORT_MAX];
	struct short_name name;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(short_name_parse(cases[i].text, &name));
		short_name_format(&name, text);
		assert_string_equal(text, cases[i].name);
	}
}

static void what_is_no_short_name_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"1",
		"1-",
		"-1",
		"0-1",
		"1-0",
		"1-2-",
		"usb1",
		"usb-1",
		"1-2:1.0",
		"1-2-port",
		"1-2-port0",
		"usb1-port2.3",
		"65536-1",
		"1--2",
		"+1-2",
		"1-2.3.4.5.6.7.8",
		"1-1.1.1.1.1.1-port1",
	};
	struct short_name name;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_false(short_name_parse(texts[i], &name));
}

static bool behind(const char *inner, const char *outer)
{
	struct place a, b;

	assert_true(place_parse(inner, &a));
	assert_true(place_parse(outer, &b));
	return place_is_behind(&a, &b);
}

static void only_a_port_of_a_hub_in_a_port_is_behind_it(void **state)
{
	(void)state;
	assert_true(behind("pci-0/hs-1.2", "pci-0/hs-1"));
	assert_true(behind("pci-0/hs-1.2.3", "pci-0/hs-1"));
	assert_false(behind("pci-0/hs-1", "pci-0/hs-1"));
	assert_false(behind("pci-0/hs-1", "pci-0/hs-1.2"));
	assert_false(behind("pci-0/hs-11.2", "pci-0/hs-1"));
	assert_false(behind("pci-0/ss-1.2", "pci-0/hs-1"));
	assert_false(behind("pci-1/hs-1.2", "pci-0/hs-1"));
}

static void names_that_no_guest_can_have_are_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"5",
		"-web",
		"a b",
		"a/b",
		"a\nb",
		"w\xc3\xa9"
		"b",
		"dom0",
		"Domain-0",
		"we'b",
	};
	char long_name[XVHC_GUEST_NAME_MAX + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_non_null(guest_name_fault(bad[i]));
	memset(long_name, 'a', sizeof(long_name));
	long_name[XVHC_GUEST_NAME_MAX] = '\0';
	assert_non_null(guest_name_fault(long_name));
	long_name[XVHC_GUEST_NAME_MAX - 1] = '\0';
	assert_null(guest_name_fault(long_name));
	assert_null(guest_name_fault("web-2_b.c+d:e"));
	assert_null(guest_name_fault("6f2b1f0e-3f4c-4b8e-9a52-0c4d3c1f7a10"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(place_is_written_as_it_was_read),
		cmocka_unit_test(what_is_no_place_is_refused),
		cmocka_unit_test(short_names_of_the_kernel_are_read),
		cmocka_unit_test(what_is_no_short_name_is_refused),
		cmocka_unit_test(only_a_port_of_a_hub_in_a_port_is_behind_it),
		cmocka_unit_test(names_that_no_guest_can_have_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
