// SPDX-License-Identifier: MIT
#include "ask.h"
#include "help.h"

#define OPTION_DEVICE 0
#define OPTION_JSON 1

static int run(const struct call *call)
{
	const char *device = call->values[OPTION_DEVICE];
	struct json_object *request;

	if (call->word_count != (device ? 0 : 1))
		return help_wrong_form(&command_take);
	request = request_new("take");
	request_add(request, device ? "device" : "port", device ? device : call->words[0]);
	return ask_once(call, request, call->values[OPTION_JSON]);
}

const struct command command_take = {
	.name = "take",
	.form = "PORT",
	.words_max = 1,
	.summary = "take a port, or a device, back for dom0",
	.options =
		{
			[OPTION_DEVICE] = {"device", 'd', "DEVICE",
					   "take back what was given with --device"},
			[OPTION_JSON] = {"json", 0, NULL, "print an object for programs"},
		},
	.help = "Takes a port back from its guest. To the guest, the device in it is unplugged;\n"
		"dom0's drivers have it afterwards. Unmount a disk in the guest first.\n"
		"\n"
		"Examples:\n"
		"  xvhc take 1-2\n"
		"  xvhc take --device 0951:1666\n",
	.run = run,
};
