// SPDX-License-Identifier: MIT
#include "ask.h"
#include "help.h"

#define OPTION_DEVICE 0
#define OPTION_JSON 1

static int run(const struct call *call)
{
	const char *device = call->values[OPTION_DEVICE];
	struct json_object *request;

	if (call->word_count != (device ? 1 : 2))
		return help_wrong_form(&command_give);
	request = request_new("give");
	request_add(request, device ? "device" : "port", device ? device : call->words[0]);
	request_add(request, "guest", call->words[device ? 0 : 1]);
	return ask_once(call, request, call->values[OPTION_JSON]);
}

const struct command command_give = {
	.name = "give",
	.form = "PORT GUEST",
	.words_min = 1,
	.words_max = 2,
	.summary = "give a port, or a device, to a guest",
	.options =
		{
			[OPTION_DEVICE] = {"device", 'd', "DEVICE",
					   "give this device, and no PORT: VID:PID or "
					   "VID:PID:SERIAL"},
			[OPTION_JSON] = {"json", 0, NULL, "print an object for programs"},
		},
	.help = "Gives a port to a guest, until `xvhc take PORT`.\n"
		"\n"
		"PORT is a name that `xvhc list` shows: the kernel's (1-2; behind a hub 1-2.3), "
		"or\n"
		"the place, which is the same after a reboot. A USB 3 connector has two names, "
		"such\n"
		"as 1-1 and 2-1; each of them means the whole connector. GUEST is the name in the\n"
		"guest's xl file, or its UUID. The guest need not run yet.\n"
		"\n"
		"A port of another machine, which exports it by USB/IP, is usbip://HOST/BUSID, or\n"
		"usbip://HOST:PORT/BUSID. It is attached anew whenever the link comes back.\n"
		"\n"
		"If dom0 has mounted a disk in this port, unmount it first.\n"
		"\n"
		"With --device, the device of these numbers goes to the guest, whichever port it "
		"is\n"
		"plugged into, for as long as it is there. A port that is given by itself comes "
		"first:\n"
		"what is in it goes to that port's guest. dom0's drivers see such a device for a "
		"moment\n"
		"before the guest gets it, and any device can say that it is this one: give a "
		"port where\n"
		"that matters.\n"
		"\n"
		"Examples:\n"
		"  xvhc give 1-2 web\n"
		"  xvhc give pci-0000:00:14.0/hs-2 web\n"
		"  xvhc give 1-2.3 6f2b1f0e-3f4c-4b8e-9a52-0c4d3c1f7a10\n"
		"  xvhc give --device 0951:1666 web\n"
		"  xvhc give --device 0951:1666:60A44C413FAEF2 web\n"
		"  xvhc give usbip://printserver/1-2 web\n",
	.run = run,
};
