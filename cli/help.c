// SPDX-License-Identifier: MIT
#include "help.h"

#include <stdio.h>
#include <string.h>

static const char general[] =
	"xvhc gives a USB port of this machine to a Xen guest. Whatever is plugged into the port "
	"from\n"
	"then on appears in the guest, and dom0's own drivers leave it alone.\n"
	"\n"
	"  xvhc list              show all ports: what is in them, and which guest has them\n"
	"  xvhc give PORT GUEST   give a port to a guest\n"
	"  xvhc take PORT         take a port back for dom0\n"
	"  xvhc help [COMMAND]    show this, or more about a command\n"
	"\n"
	"Example: find the port with your stick in it, and give it to the guest web.\n"
	"\n"
	"  # xvhc list\n"
	"  PORT     PLACE                     SPEED       DEVICE               GUEST  STATE\n"
	"  1-1/2-1  pci-0000:00:14.0/hs-1     480 Mbit/s  0781:5567 Cruzer     -      in dom0\n"
	"  1-2/2-2  pci-0000:00:14.0/hs-2     -           -                    -      empty\n"
	"  # xvhc give 1-1 web\n"
	"  Port 1-1/2-1 is given to web.\n"
	"\n"
	"A port stays given until you take it: over replugs, restarts of the guest, and reboots.\n"
	"Give an empty port first, and plug in later, if you like.\n"
	"\n"
	"Options: --socket PATH (the broker's socket, /run/xvhc/control), --help, --version.\n"
	"Exit codes: 0 done, 1 refused or failed, 2 wrong usage.\n";

static const char give[] = "xvhc give PORT GUEST\n"
			   "\n"
			   "Gives a port to a guest, until `xvhc take PORT`.\n"
			   "\n"
			   "PORT is a name that `xvhc list` shows: the kernel's (1-2; behind a hub "
			   "1-2.3), or the place,\n"
			   "which is the same after a reboot. A USB 3 connector has two names, "
			   "such as 1-1 and 2-1; each\n"
			   "of them means the whole connector. GUEST is the name in the guest's xl "
			   "file, or its UUID. The\n"
			   "guest need not run yet.\n"
			   "\n"
			   "Examples:\n"
			   "  xvhc give 1-2 web\n"
			   "  xvhc give pci-0000:00:14.0/hs-2 web\n"
			   "  xvhc give 1-2.3 6f2b1f0e-3f4c-4b8e-9a52-0c4d3c1f7a10\n"
			   "\n"
			   "If dom0 has mounted a disk in this port, unmount it first.\n";

static const char take[] = "xvhc take PORT\n"
			   "\n"
			   "Takes a port back from its guest. To the guest, the device in it is "
			   "unplugged; dom0's drivers\n"
			   "have it afterwards. Unmount a disk in the guest first.\n"
			   "\n"
			   "Example:\n"
			   "  xvhc take 1-2\n";

static const char list[] =
	"xvhc list [--json]\n"
	"\n"
	"Shows each port of this machine: its names, its place, the device in it, the guest that "
	"has\n"
	"it, and what it does. With --json it prints an object for programs, with the array "
	"\"ports\";\n"
	"each has port (a name to give or take it by), names, place, device, guest, state, "
	"refused-by\n"
	"(why the guest does not get the device) and changed-from (what the guest had there just "
	"before).\n"
	"\n"
	"Examples:\n"
	"  xvhc list\n"
	"  xvhc list --json | jq -r '.ports[] | select(.guest == \"web\") | .place'\n";

static const char help[] = "xvhc help [COMMAND]\n"
			   "\n"
			   "Shows what a command does, with examples.\n";

bool help_print(const char *command)
{
	static const struct {
		const char *name;
		const char *text;
	} texts[] = {{"give", give}, {"take", take}, {"list", list}, {"help", help}};

	if (!command) {
		fputs(general, stdout);
		return true;
	}
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (strcmp(texts[i].name, command) != 0)
			continue;
		fputs(texts[i].text, stdout);
		return true;
	}
	return false;
}
