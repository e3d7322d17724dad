// SPDX-License-Identifier: MIT
/* The machine below xvhcd: the hypervisor, this domain, and what the kernel has for both. */
#include "doctor.h"

#include <string.h>

void check_hypervisor(struct doctor *doctor)
{
	char type[32];

	doctor_read(doctor, "/sys/hypervisor/type", type, sizeof(type));
	if (strcmp(type, "xen") == 0)
		finding_add(doctor, "hypervisor", LEVEL_OK, NULL, "this machine runs on Xen");
	else
		finding_add(
			doctor, "hypervisor", LEVEL_FAILURE,
			"Install Xen (Debian: apt install xen-system-amd64), and boot the entry "
			"\"with Xen hypervisor\".",
			"this machine does not run on Xen");
}

void check_domain(struct doctor *doctor)
{
	char capabilities[256];

	if (!doctor_read(doctor, "/proc/xen/capabilities", capabilities, sizeof(capabilities)))
		finding_add(doctor, "domain", LEVEL_WARNING,
			    "Mount it: modprobe xenfs; mount -t xenfs xenfs /proc/xen.",
			    "/proc/xen is not mounted: nothing tells whether this is dom0");
	else if (strstr(capabilities, "control_d"))
		finding_add(doctor, "domain", LEVEL_OK, NULL, "this is dom0");
	else
		finding_add(doctor, "domain", LEVEL_OK, NULL,
			    "this is not dom0: it serves guests as a driver domain");
}

void check_nodes(struct doctor *doctor)
{
	static const struct {
		const char *paths[3]; /* one of them is enough */
		const char *todo;
	} nodes[] = {
		{{"/dev/xen/gntdev"}, "Load the module: modprobe xen-gntdev."},
		{{"/dev/xen/evtchn"}, "Load the module: modprobe xen-evtchn."},
		{{"/dev/xen/xenbus", "/proc/xen/xenbus", "/run/xenstored/socket"},
		 "Mount /proc/xen: modprobe xenfs; mount -t xenfs xenfs /proc/xen. In dom0, start "
		 "xenstored as well: systemctl start xen, or xenstored."},
	};
	bool all = true;

	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
		bool there = false;

		for (size_t path = 0; path < 3 && nodes[i].paths[path]; path++)
			there |= doctor_has(doctor, nodes[i].paths[path]);
		if (there)
			continue;
		all = false;
		finding_add(doctor, "devices", LEVEL_FAILURE, nodes[i].todo, "%s is missing",
			    nodes[i].paths[0]);
	}
	if (all)
		finding_add(doctor, "devices", LEVEL_OK, NULL,
			    "the kernel's ways to grants, event channels and XenStore are there");
}

void check_seccomp(struct doctor *doctor)
{
	char actions[256];

	doctor_read(doctor, "/proc/sys/kernel/seccomp/actions_avail", actions, sizeof(actions));
	if (strstr(actions, "kill_process"))
		finding_add(doctor, "seccomp", LEVEL_OK, NULL,
			    "the kernel can filter the workers' system calls");
	else
		finding_add(
			doctor, "seccomp", LEVEL_FAILURE,
			"Use a kernel with CONFIG_SECCOMP_FILTER: a worker does not run without.",
			"the kernel has no filters for system calls");
}
