// SPDX-License-Identifier: MIT
/* What xvhc doctor says of a machine, which here is a tree of files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "../../cli/doctor.h"
#include "fake_sysfs.h"

struct machine {
	struct fake_sysfs files;
	struct doctor doctor;
};

/* Xen, dom0, USB, and nobody else. */
static int machine_setup(void **state)
{
	static const char *const files[][2] = {
		{"xen\n", "sys/hypervisor/type"},
		{"control_d\n", "proc/xen/capabilities"},
		{"", "dev/xen/gntdev"},
		{"", "dev/xen/evtchn"},
		{"", "dev/xen/xenbus"},
		{"kill_process kill_thread trap errno log allow\n",
		 "proc/sys/kernel/seccomp/actions_avail"},
		{"", "sys/bus/usb/devices/usb1/uevent"},
		{"", "dev/bus/usb/001/001"},
		{"16\n", "sys/module/usbcore/parameters/usbfs_memory_mb"},
		{"-1\n", "sys/module/usbcore/parameters/authorized_default"},
		{"systemd\n", "proc/1/comm"},
	};
	struct machine *machine = calloc(1, sizeof(*machine));

	assert_non_null(machine);
	fake_sysfs_open(&machine->files);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		fake_file(&machine->files, files[i][0], "%s", files[i][1]);
	machine->doctor.root = machine->files.root;
	machine->doctor.findings = json_object_new_array();
	*state = machine;
	return 0;
}

static int machine_teardown(void **state)
{
	struct machine *machine = *state;

	json_object_put(machine->doctor.findings);
	json_object_put(machine->doctor.answer);
	fake_sysfs_close(&machine->files);
	free(machine);
	return 0;
}

static void answer_set(struct machine *machine, const char *text)
{
	machine->doctor.answer = json_tokener_parse(text);
	assert_non_null(machine->doctor.answer);
}

static void missing(struct machine *machine, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", machine->files.root, name);
	assert_int_equal(remove(path), 0);
}

static const char *text_of(struct json_object *finding, const char *name)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(finding, name, &value);
	return value ? json_object_get_string(value) : "";
}

/* Runs a check. One finding of this level must have these words; the first what, the second do. */
static void finds(struct machine *machine, void (*check)(struct doctor *doctor), enum level level,
		  const char *what, const char *todo)
{
	struct json_object *finding;
	size_t count, first = json_object_array_length(machine->doctor.findings);

	check(&machine->doctor);
	count = json_object_array_length(machine->doctor.findings);
	for (size_t i = first; i < count; i++) {
		finding = json_object_array_get_idx(machine->doctor.findings, i);
		if (strcmp(text_of(finding, "level"), level_name(level)) == 0 &&
		    strstr(text_of(finding, "what"), what) && strstr(text_of(finding, "do"), todo))
			return;
	}
	fail_msg("no finding %s '%s' '%s' in %s", level_name(level), what, todo,
		 json_object_to_json_string(machine->doctor.findings));
}

static void (*const machine_checks[])(struct doctor *doctor) = {
	check_hypervisor, check_domain,       check_nodes,         check_seccomp,
	check_usb,        check_usbfs_memory, check_authorization, check_rivals,
};

static void a_machine_with_nothing_wrong(void **state)
{
	struct machine *machine = *state;
	const size_t count = sizeof(machine_checks) / sizeof(machine_checks[0]);

	for (size_t i = 0; i < count; i++)
		machine_checks[i](&machine->doctor);
	assert_int_equal(machine->doctor.counts[LEVEL_FAILURE], 0);
	assert_int_equal(machine->doctor.counts[LEVEL_WARNING], 0);
	assert_int_equal(machine->doctor.counts[LEVEL_OK], count);
}

static void no_hypervisor(void **state)
{
	struct machine *machine = *state;

	fake_file(&machine->files, "kvm\n", "sys/hypervisor/type");
	finds(machine, check_hypervisor, LEVEL_FAILURE, "does not run on Xen", "Install Xen");
	missing(machine, "sys/hypervisor/type");
	finds(machine, check_hypervisor, LEVEL_FAILURE, "does not run on Xen", "Install Xen");
}

static void xenfs_is_not_mounted(void **state)
{
	struct machine *machine = *state;

	missing(machine, "proc/xen/capabilities");
	finds(machine, check_domain, LEVEL_WARNING, "not mounted", "mount -t xenfs");
}

static void another_domain_than_dom0(void **state)
{
	struct machine *machine = *state;

	fake_file(&machine->files, "", "proc/xen/capabilities");
	finds(machine, check_domain, LEVEL_OK, "driver domain", "");
}

static void a_module_of_xen_is_missing(void **state)
{
	struct machine *machine = *state;

	missing(machine, "dev/xen/gntdev");
	finds(machine, check_nodes, LEVEL_FAILURE, "/dev/xen/gntdev", "modprobe xen-gntdev");
	missing(machine, "dev/xen/evtchn");
	finds(machine, check_nodes, LEVEL_FAILURE, "/dev/xen/evtchn", "modprobe xen-evtchn");
	missing(machine, "dev/xen/xenbus");
	finds(machine, check_nodes, LEVEL_FAILURE, "/dev/xen/xenbus", "start xenstored");
	/* One way to XenStore is enough. */
	fake_file(&machine->files, "", "proc/xen/xenbus");
	check_nodes(&machine->doctor);
	assert_int_equal(machine->doctor.counts[LEVEL_FAILURE], 1 + 2 + 3 + 2);
}

static void no_filters_for_system_calls(void **state)
{
	struct machine *machine = *state;

	missing(machine, "proc/sys/kernel/seccomp/actions_avail");
	finds(machine, check_seccomp, LEVEL_FAILURE, "no filters", "CONFIG_SECCOMP_FILTER");
}

static void no_usb_host_controller(void **state)
{
	struct machine *machine = *state;

	missing(machine, "sys/bus/usb/devices/usb1/uevent");
	missing(machine, "sys/bus/usb/devices/usb1");
	finds(machine, check_usb, LEVEL_FAILURE, "no USB host controller", "modprobe xhci-pci");
	missing(machine, "sys/bus/usb/devices");
	finds(machine, check_usb, LEVEL_FAILURE, "usbcore is not there", "modprobe usbcore");
}

static void no_device_nodes(void **state)
{
	struct machine *machine = *state;

	missing(machine, "dev/bus/usb/001/001");
	missing(machine, "dev/bus/usb/001");
	missing(machine, "dev/bus/usb");
	finds(machine, check_usb, LEVEL_FAILURE, "/dev/bus/usb", "udev");
}

static void usbfs_has_too_little_memory(void **state)
{
	struct machine *machine = *state;

	fake_file(&machine->files, "1\n", "sys/module/usbcore/parameters/usbfs_memory_mb");
	finds(machine, check_usbfs_memory, LEVEL_FAILURE, "usbfs_memory_mb is 1",
	      "usbcore.usbfs_memory_mb=64");
	fake_file(&machine->files, "0\n", "sys/module/usbcore/parameters/usbfs_memory_mb");
	finds(machine, check_usbfs_memory, LEVEL_OK, "as much memory as there is", "");
}

static void usbfs_memory_is_used_up(void **state)
{
	struct machine *machine = *state;

	finds(machine, check_usbfs_memory, LEVEL_OK, "enough for 6 guest controllers", "");
	/* Seven workers of 2,162,688 bytes and 128 transfers each. */
	answer_set(machine, "{\"usbfs-used\": 16973824}");
	finds(machine, check_usbfs_memory, LEVEL_WARNING, "nothing is left", "usbfs_memory_mb=64");
}

static void no_device_is_authorized(void **state)
{
	struct machine *machine = *state;

	fake_file(&machine->files, "0\n", "sys/module/usbcore/parameters/authorized_default");
	finds(machine, check_authorization, LEVEL_OK, "authorized_default is 0", "");
}

static void others_are_after_the_ports(void **state)
{
	struct machine *machine = *state;

	fake_file(&machine->files, "", "sys/bus/usb/drivers/usbback/bind");
	finds(machine, check_rivals, LEVEL_WARNING, "usbback", "rmmod xen-usbback");
	fake_file(&machine->files, "", "sys/bus/usb/drivers/usbip-host/1-5");
	finds(machine, check_rivals, LEVEL_WARNING, "exports the device 1-5", "usbip unbind");
	fake_file(&machine->files, "usbguard-daemon\n", "proc/700/comm");
	finds(machine, check_rivals, LEVEL_WARNING, "USBGuard", "append-rule");
	answer_set(machine, "{\"qusb\": [\"3\"]}");
	finds(machine, check_rivals, LEVEL_WARNING, "guest 3 (type=qusb)", "type=pv");
}

static void broker_of_another_version(void **state)
{
	struct machine *machine = *state;

	answer_set(machine, "{\"version\": \"0.0\"}");
	finds(machine, check_version, LEVEL_WARNING, "is 0.0", "restart xvhcd");
}

static void broker_does_not_run(void **state)
{
	struct machine *machine = *state;

	machine->doctor.socket = "/nowhere/control";
	finds(machine, check_broker, LEVEL_FAILURE, "does not run", "systemctl start xvhcd");
	/* What only it knows is not guessed. */
	check_version(&machine->doctor);
	check_xenstore(&machine->doctor);
	check_ports(&machine->doctor);
	assert_int_equal(json_object_array_length(machine->doctor.findings), 1);
}

static void xenstore_does_not_answer(void **state)
{
	struct machine *machine = *state;

	answer_set(machine, "{\"xenstore\": false}");
	finds(machine, check_xenstore, LEVEL_FAILURE, "does not answer", "xenstored");
}

static void worker_is_missing(void **state)
{
	struct machine *machine = *state;

	answer_set(machine, "{\"worker\": \"/nowhere/xvhcd-worker\"}");
	finds(machine, check_worker, LEVEL_FAILURE, "/nowhere/xvhcd-worker", "Install xvhc");
}

static void broker_has_many_files_open(void **state)
{
	struct machine *machine = *state;

	answer_set(machine, "{\"pid\": 7}");
	check_limits(&machine->doctor); /* somebody who may not look */
	assert_int_equal(json_object_array_length(machine->doctor.findings), 0);
	fake_file(&machine->files,
		  "Max processes 1 1 x\nMax open files            16       64 files\n",
		  "proc/7/limits");
	fake_file(&machine->files, "", "proc/7/fd/0");
	finds(machine, check_limits, LEVEL_OK, "of 16", "");
	for (int i = 1; i < 14; i++)
		fake_file(&machine->files, "", "proc/7/fd/%d", i);
	finds(machine, check_limits, LEVEL_WARNING, "of 16", "LimitNOFILE");
}

static void ports_are_told_as_the_broker_says(void **state)
{
	struct machine *machine = *state;

	answer_set(machine, "{\"ports\": [{\"port\": \"1-2\", \"guest\": \"web\", \"level\": "
			    "\"warning\", \"what\": \"it sleeps\", \"do\": \"Wake it.\"}, {}]}");
	finds(machine, check_ports, LEVEL_WARNING, "port 1-2, given to web: it sleeps", "Wake it.");
	assert_int_equal(json_object_array_length(machine->doctor.findings), 1);
}

static void a_broken_file_is_named(void **state)
{
	struct machine *machine = *state;
	char program[PATH_MAX];

	/* No xvhcd, but something that says what it would. */
	fake_file(&machine->files, "#!/bin/sh\necho 'xvhcd: error: ports.conf: line 2: no' >&2\n",
		  "xvhcd");
	snprintf(program, sizeof(program), "%s/xvhcd", machine->files.root);
	machine->doctor.daemon = program;
	finds(machine, check_files, LEVEL_WARNING, "cannot be run", "by hand");
	assert_int_equal(chmod(program, 0755), 0);
	finds(machine, check_files, LEVEL_FAILURE, "ports.conf: line 2: no", "xvhc.conf(5)");
	fake_file(&machine->files, "#!/bin/sh\nexit 0\n", "xvhcd");
	finds(machine, check_files, LEVEL_OK, "are right", "");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, machine_setup, machine_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_machine_with_nothing_wrong), CASE(no_hypervisor),
		CASE(xenfs_is_not_mounted),         CASE(another_domain_than_dom0),
		CASE(a_module_of_xen_is_missing),   CASE(no_filters_for_system_calls),
		CASE(no_usb_host_controller),       CASE(no_device_nodes),
		CASE(usbfs_has_too_little_memory),  CASE(usbfs_memory_is_used_up),
		CASE(no_device_is_authorized),      CASE(others_are_after_the_ports),
		CASE(broker_of_another_version),    CASE(broker_does_not_run),
		CASE(xenstore_does_not_answer),     CASE(worker_is_missing),
		CASE(broker_has_many_files_open),   CASE(ports_are_told_as_the_broker_says),
		CASE(a_broken_file_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
