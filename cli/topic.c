// SPDX-License-Identifier: MIT
#include "topic.h"

#include <stddef.h>
#include <string.h>

static const char guest[] =
	"How a guest gets a frontend, the driver that shows it its ports.\n"
	"\n"
	"A port that is given waits until the guest runs and its frontend has connected. A\n"
	"Linux guest has one of these:\n"
	"\n"
	"  xvhc.ko   of this project. Install the package xvhc-guest-dkms in the guest, with\n"
	"            its kernel's headers. Or build it from the sources there: make module &&\n"
	"            make module-install && modprobe xvhc\n"
	"  xen-hcd   of Linux itself, where the kernel was made with CONFIG_USB_XEN_HCD.\n"
	"            In the guest: modprobe xen-hcd. It knows no SuperSpeed: such a device\n"
	"            works as a high-speed one.\n"
	"\n"
	"Both load by themselves where udev runs in the guest. `dmesg | grep -i usb` in the\n"
	"guest shows a controller when one has connected. For another operating system\n"
	"somebody has to write a frontend: protocol.md says all that it must do.\n"
	"\n"
	"Where a frontend was refused, or a connection breaks again and again, the log of\n"
	"xvhcd says why: journalctl -u xvhcd, or xvhcd's standard error.\n";

static const char policy[] =
	"Why a guest does not get a device that is plugged into its port.\n"
	"\n"
	"Filters in /etc/xvhc/xvhc.conf say which devices a guest, or a port, may have; the\n"
	"reason that xvhc list shows names the rule. The format is that of SPICE and QEMU:\n"
	"class:vendor:product:version:allow. To let the device in, change the filter, and\n"
	"send xvhcd a SIGHUP (systemctl reload xvhcd). xvhc.conf(5) has all of it. A device\n"
	"that is refused stays claimed: dom0's drivers do not get it either.\n";

static const char dom0[] =
	"Why a device, or a port, is still in dom0's hands.\n"
	"\n"
	"A disk that dom0 has mounted, or uses as swap, for LVM, RAID or another guest, is\n"
	"not taken away from it. Unmount it, or end what uses it; the guest then gets it\n"
	"within some seconds. A program of dom0 that drives a device directly (QEMU, a\n"
	"scanner's or a telephone's program) has to be ended in the same way.\n"
	"\n"
	"A port that another program has claimed cannot be given before that program ends.\n"
	"\n"
	"A device that is given by what it is (xvhc give --device) is met by dom0's drivers\n"
	"first, for a moment. Where a desktop mounts every stick at once, give the port.\n";

static const char device[] =
	"What to do about a device that does not work.\n"
	"\n"
	"xvhcd tries a device five times, then waits until it is plugged in anew. Unplug it\n"
	"and plug it in again; try another cable, and a port without a hub in between. If\n"
	"it does not work in dom0 either (xvhc take PORT), it is not xvhc's fault.\n"
	"\n"
	"A controller of USB 1.1, which only xl makes (version=1), is too slow for most\n"
	"devices: make one with version=2, or let xvhc give make it.\n"
	"\n"
	"The log of xvhcd and dom0's dmesg say more.\n";

const struct topic topics[] = {
	{"guest", "how a guest gets the driver that it needs", guest},
	{"policy", "why a guest may not have a device", policy},
	{"dom0", "why a device stays in dom0", dom0},
	{"device", "what to do about a device that does not work", device},
	{NULL, NULL, NULL},
};

const struct topic *topic_find(const char *name)
{
	for (const struct topic *topic = topics; topic->name; topic++)
		if (strcmp(topic->name, name) == 0)
			return topic;
	return NULL;
}
