// SPDX-License-Identifier: MIT
#include "ask.h"

static int run(const struct call *call)
{
	struct json_object *request = request_new("take");

	request_add(request, "port", call->words[0]);
	return ask(call, request, NULL);
}

const struct command command_take = {
	.name = "take",
	.form = "PORT",
	.words_min = 1,
	.words_max = 1,
	.summary = "take a port back for dom0",
	.help = "Takes a port back from its guest. To the guest, the device in it is unplugged;\n"
		"dom0's drivers have it afterwards. Unmount a disk in the guest first.\n"
		"\n"
		"Example:\n"
		"  xvhc take 1-2\n",
	.run = run,
};
