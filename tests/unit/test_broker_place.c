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

static void the_port_of_another_machine_is_a_place(void **state)
{
	static const struct {
		const char *text, *canonical, *host, *port, *busid;
	} cases[] = {
		{"usbip://host/1-2", "usbip://host/1-2", "host", "3240", "1-2"},
		{"usbip://Host.Example.Org:3240/1-2.3", "usbip://host.example.org/1-2.3",
		 "host.example.org", "3240", "1-2.3"},
		{"usbip://10.9.0.2:40/65535-255.255.255.255.255.255",
		 "usbip://10.9.0.2:40/65535-255.255.255.255.255.255", "10.9.0.2", "40",
		 "65535-255.255.255.255.255.255"},
		{"usbip://[FE80::1]/3-1", "usbip://[fe80::1]/3-1", "fe80::1", "3240", "3-1"},
		{"usbip://[fe80::1]:65535/3-1", "usbip://[fe80::1]:65535/3-1", "fe80::1", "65535",
		 "3-1"},
	};
	struct place place, other;
	struct remote_name name = {0};
	char text[XVHC_PLACE_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(place_parse(cases[i].text, &place));
		assert_true(place_is_remote(&place));
		place_format(&place, text);
		assert_string_equal(text, cases[i].canonical);
		assert_true(place_parse(text, &other));
		assert_true(place_equal(&place, &other));
		remote_name_read(&place, &name);
		assert_string_equal(name.host, cases[i].host);
		assert_string_equal(name.port, cases[i].port);
		assert_string_equal(name.busid, cases[i].busid);
	}
	assert_true(place_parse("usbip://host/1-2.3", &other));
	assert_true(place_parse("usbip://host/1-2", &place));
	assert_false(place_is_behind(&other, &place));
	assert_true(place_parse("pci-0000:00:04.0/hs-1", &place));
	assert_false(place_is_remote(&place));
}

static void what_is_no_port_of_another_machine_is_refused(void **state)
{
	static const char *const texts[] = {
		"usbip://",
		"usbip:///1-2",
		"usbip://host",
		"usbip://host/",
		"usbip://host/1",
		"usbip://host/1-",
		"usbip://host/01-2",
		"usbip://host/1-2.",
		"usbip://host/1-2 ",
		"usbip://host/1-2/3",
		"usbip://host/usb1-port2",
		"usbip://host:/1-2",
		"usbip://host:0/1-2",
		"usbip://host:65536/1-2",
		"usbip://host:3240:1/1-2",
		"usbip://-b/1-2",
		"usbip://ho st/1-2",
		"usbip://host;reboot/1-2",
		"usbip://$(reboot)/1-2",
		"usbip://user@host/1-2",
		"usbip://[]/1-2",
		"usbip://[::1/1-2",
		"usbip://[::1]x/1-2",
		"usbip://[host]/1-2",
		"usbip://host/65536-1",
		"usbip://host/1-256",
		"usbip://h\xc3\xb6st/1-2",
		"usbip://a-name-of-a-host-that-is-longer-than-what-is-left-for-it/1-2",
	};
	struct place place;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (place_parse(texts[i], &place))
			fail_msg("taken: %s", texts[i]);
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
		cmocka_unit_test(the_port_of_another_machine_is_a_place),
		cmocka_unit_test(what_is_no_port_of_another_machine_is_refused),
		cmocka_unit_test(what_is_no_place_is_refused),
		cmocka_unit_test(short_names_of_the_kernel_are_read),
		cmocka_unit_test(what_is_no_short_name_is_refused),
		cmocka_unit_test(only_a_port_of_a_hub_in_a_port_is_behind_it),
		cmocka_unit_test(names_that_no_guest_can_have_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
