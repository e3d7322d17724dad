// SPDX-License-Identifier: MIT
#include "ask.h"

static int run(const struct call *call)
{
	struct json_object *request = request_new("give");

	request_add(request, "port", call->words[0]);
	request_add(request, "guest", call->words[1]);
	return ask(call, request, NULL);
}

const struct command command_give = {
	.name = "give",
	.form = "PORT GUEST",
	.words_min = 2,
	.words_max = 2,
	.summary = "give a port to a guest",
	.help = "Gives a port to a guest, until `xvhc take PORT`.\n"
		"\n"
		"PORT is a name that `xvhc list` shows: the kernel's (1-2; behind a hub 1-2.3), "
		"or\n"
		"the place, which is the same after a reboot. A USB 3 connector has two names, "
		"such\n"
		"as 1-1 and 2-1; each of them means the whole connector. GUEST is the name in the\n"
		"guest's xl file, or its UUID. The guest need not run yet.\n"
		"\n"
		"If dom0 has mounted a disk in this port, unmount it first.\n"
		"\n"
		"Examples:\n"
		"  xvhc give 1-2 web\n"
		"  xvhc give pci-0000:00:14.0/hs-2 web\n"
		"  xvhc give 1-2.3 6f2b1f0e-3f4c-4b8e-9a52-0c4d3c1f7a10\n",
	.run = run,
};
