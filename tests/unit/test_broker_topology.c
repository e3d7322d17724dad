// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <broker/topology.h>

#include "fake_sysfs.h"

struct fixture {
	struct fake_sysfs sysfs;
	struct topology topology;
};

/* An xHCI with two connectors of both kinds and one of USB 2 only, and an EHCI. */
static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	fake_sysfs_open(&fixture->sysfs);
	fake_bus(&fixture->sysfs, "0000:00:04.0", 1, "480\n", 3);
	fake_bus(&fixture->sysfs, "0000:00:04.0", 2, "10000\n", 2);
	fake_peers(&fixture->sysfs, "usb1-port1", "usb2-port1");
	fake_peers(&fixture->sysfs, "usb1-port2", "usb2-port2");
	fake_bus(&fixture->sysfs, "0000:00:1d.7", 3, "480\n", 2);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	topology_fini(&fixture->topology);
	fake_sysfs_close(&fixture->sysfs);
	free(fixture);
	return 0;
}

static const struct connector *find(struct fixture *fixture, const char *name)
{
	assert_int_equal(topology_scan(&fixture->topology, fixture->sysfs.root), 0);
	return topology_find_name(&fixture->topology, name);
}

static void a_connector_of_two_kernel_ports_is_one(void **state)
{
	struct fixture *fixture = *state;
	const struct connector *connector = find(fixture, "2-1");
	char text[2 * PLACE_SHORT_MAX > XVHC_PLACE_MAX ? 2 * PLACE_SHORT_MAX : XVHC_PLACE_MAX];

	assert_non_null(connector);
	assert_ptr_equal(connector, topology_find_name(&fixture->topology, "1-1"));
	assert_ptr_equal(connector, topology_find_name(&fixture->topology, "usb2-port1"));
	assert_ptr_equal(connector,
			 topology_find_name(&fixture->topology, "pci-0000:00:04.0/ss-1"));
	connector_names(connector, text);
	assert_string_equal(text, "1-1/2-1");
	place_format(connector_place(connector), text);
	assert_string_equal(text, "pci-0000:00:04.0/hs-1");
	assert_int_equal(fixture->topology.connector_count, 5);
}

static void a_port_that_is_not_there_is_not_found(void **state)
{
	static const char *const names[] = {"1-4", "4-1", "1-1.1", "pci-0000:00:04.0/hs-4", "x"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_null(find(*state, names[i]));
}

static void a_device_on_either_side_is_in_the_connector(void **state)
{
	struct fixture *fixture = *state;
	const struct usb_device *device;

	assert_null(connector_device(find(fixture, "1-1")));
	fake_device(&fixture->sysfs, "2-1", 7, "5000\n", 0, 0);
	device = connector_device(find(fixture, "1-1"));
	assert_non_null(device);
	assert_string_equal(device->name, "2-1");
	assert_int_equal(device->id.bus, 2);
	assert_int_equal(device->id.device, 7);
	assert_int_equal(device->speed, USB_SPEED_SUPER);
	assert_int_equal(device->vendor, 0x46f4);
	fake_unplug(&fixture->sysfs, "2-1");
	fake_device(&fixture->sysfs, "1-1", 9, "480\n", 0, 0);
	device = connector_device(find(fixture, "2-1"));
	assert_non_null(device);
	assert_int_equal(device->speed, USB_SPEED_HIGH);
}

static void ports_of_a_hub_come_and_go_with_it(void **state)
{
	struct fixture *fixture = *state;
	const struct connector *connector;
	char text[XVHC_PLACE_MAX];

	fake_device(&fixture->sysfs, "1-3", 4, "480\n", 9, 4);
	connector = find(fixture, "1-3.2");
	assert_non_null(connector);
	place_format(connector_place(connector), text);
	assert_string_equal(text, "pci-0000:00:04.0/hs-3.2");
	assert_int_equal(connector->side[0]->number, 2);
	assert_int_equal(connector->side[0]->hub_id.device, 4);
	assert_string_equal(connector->side[0]->hub, "1-3");
	fake_unplug(&fixture->sysfs, "1-3");
	assert_null(find(fixture, "1-3.2"));
	assert_non_null(topology_find_name(&fixture->topology, "1-3"));
}

static void ports_of_a_usb3_hub_are_one_each(void **state)
{
	struct fixture *fixture = *state;
	const struct connector *connector;

	fake_device(&fixture->sysfs, "1-2", 4, "480\n", 9, 2);
	fake_device(&fixture->sysfs, "2-2", 5, "5000\n", 9, 2);
	fake_peers(&fixture->sysfs, "1-2-port1", "2-2-port1");
	connector = find(fixture, "2-2.1");
	assert_non_null(connector);
	assert_ptr_equal(connector, topology_find_name(&fixture->topology, "1-2.1"));
	assert_string_equal(connector->side[0]->hub, "1-2");
	assert_string_equal(connector->side[1]->hub, "2-2");
}

static struct usb_device *device_in(struct fixture *fixture, const char *port)
{
	const struct usb_device *device = connector_device(find(fixture, port));

	return device ? topology_find_device(&fixture->topology, device->id) : NULL;
}

static void a_label_lives_as_long_as_its_device(void **state)
{
	struct fixture *fixture = *state;

	fake_device(&fixture->sysfs, "1-3", 4, "480\n", 0, 0);
	strcpy(device_in(fixture, "1-3")->label, "a stick");
	assert_string_equal(device_in(fixture, "1-3")->label, "a stick");
	fake_unplug(&fixture->sysfs, "1-3");
	fake_device(&fixture->sysfs, "1-3", 4, "480\n", 0, 0);
	assert_string_equal(device_in(fixture, "1-3")->label, "");
}

static void a_device_that_is_being_reset_is_still_the_same(void **state)
{
	struct fixture *fixture = *state;
	struct device_id id;

	fake_device(&fixture->sysfs, "1-3", 4, "480\n", 0, 0);
	id = device_in(fixture, "1-3")->id;
	fake_file(&fixture->sysfs, "0\n", "devices/0000:00:04.0/usb1/1-3/devnum");
	assert_true(device_id_equal(device_in(fixture, "1-3")->id, id));
}

static void a_device_with_the_number_of_the_one_before_is_another(void **state)
{
	struct fixture *fixture = *state;
	struct device_id id;
	uint64_t port;

	fake_device(&fixture->sysfs, "1-3", 4, "480\n", 9, 2);
	id = device_in(fixture, "1-3")->id;
	port = find(fixture, "1-3.1")->side[0]->instance;
	fake_unplug(&fixture->sysfs, "1-3");
	fake_device(&fixture->sysfs, "1-3", 4, "480\n", 9, 2);
	assert_false(device_id_equal(device_in(fixture, "1-3")->id, id));
	assert_int_not_equal(find(fixture, "1-3.1")->side[0]->instance, port);
}

static void ports_are_listed_in_the_order_of_their_names(void **state)
{
	struct fixture *fixture = *state;
	char text[2 * PLACE_SHORT_MAX];
	static const char *const names[] = {"1-1/2-1", "1-2/2-2", "1-3", "1-3.1",
					    "1-3.2",   "3-1",     "3-2"};

	fake_device(&fixture->sysfs, "1-3", 4, "480\n", 9, 2);
	assert_int_equal(topology_scan(&fixture->topology, fixture->sysfs.root), 0);
	assert_int_equal(fixture->topology.connector_count, 7);
	for (uint32_t i = 0; i < 7; i++) {
		connector_names(&fixture->topology.connectors[i], text);
		assert_string_equal(text, names[i]);
	}
}

static void a_machine_without_usb_has_no_ports(void **state)
{
	struct topology topology = {0};

	(void)state;
	assert_int_equal(topology_scan(&topology, "/nonexistent"), 0);
	assert_int_equal(topology.connector_count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_connector_of_two_kernel_ports_is_one, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_port_that_is_not_there_is_not_found, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_device_on_either_side_is_in_the_connector, setup,
						teardown),
		cmocka_unit_test_setup_teardown(ports_of_a_hub_come_and_go_with_it, setup,
						teardown),
		cmocka_unit_test_setup_teardown(ports_of_a_usb3_hub_are_one_each, setup, teardown),
		cmocka_unit_test_setup_teardown(a_label_lives_as_long_as_its_device, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_device_that_is_being_reset_is_still_the_same,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_device_with_the_number_of_the_one_before_is_another, setup, teardown),
		cmocka_unit_test_setup_teardown(ports_are_listed_in_the_order_of_their_names, setup,
						teardown),
		cmocka_unit_test(a_machine_without_usb_has_no_ports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
