// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ask.h"
#include "colour.h"
#include "doctor.h"

#ifndef XVHC_SBINDIR
#define XVHC_SBINDIR "/usr/sbin"
#endif

#define OPTION_JSON 0

/* In the order in which a person would look; the broker's answer is there from check_broker() on.
 */
static void (*const checks[])(struct doctor *doctor) = {
	check_hypervisor, check_domain,       check_nodes,         check_seccomp,
	check_usb,        check_broker,       check_version,       check_xenstore,
	check_worker,     check_limits,       check_files,         check_worker_user,
	check_group,      check_usbfs_memory, check_authorization, check_rivals,
	check_ports,
};

static const char *member(struct json_object *object, const char *name)
{
	struct json_object *value;

	return json_object_object_get_ex(object, name, &value) && value
		       ? json_object_get_string(value)
		       : "";
}

static void finding_print(struct json_object *finding)
{
	static const struct {
		char name; /* the first letter of the level's */
		const char *word;
		enum colour colour;
	} levels[] = {
		{'o', "OK  ", COLOUR_GOOD},
		{'w', "WARN", COLOUR_WARNING},
		{'f', "FAIL", COLOUR_BAD},
	};
	const char *level = member(finding, "level"), *todo = member(finding, "do");

	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		if (level[0] == levels[i].name)
			printf("%s%s%s  ", colour_start(stdout, levels[i].colour), levels[i].word,
			       colour_end(stdout));
	printf("%-13s ", member(finding, "check"));
	line_print(stdout, member(finding, "what"));
	if (todo[0] == '\0')
		return;
	printf("%20s%s->%s ", "", colour_start(stdout, COLOUR_STRONG), colour_end(stdout));
	line_print(stdout, todo);
}

static void findings_print(const struct doctor *doctor)
{
	size_t count = json_object_array_length(doctor->findings);

	for (size_t i = 0; i < count; i++)
		finding_print(json_object_array_get_idx(doctor->findings, i));
	printf("\n%u failed, %u to look at, %u in order.\n", doctor->counts[LEVEL_FAILURE],
	       doctor->counts[LEVEL_WARNING], doctor->counts[LEVEL_OK]);
}

static void findings_print_json(const struct doctor *doctor)
{
	struct json_object *whole = json_object_new_object();

	json_object_object_add(whole, "findings", json_object_get(doctor->findings));
	json_object_object_add(whole, "failures",
			       json_object_new_int((int32_t)doctor->counts[LEVEL_FAILURE]));
	json_object_object_add(whole, "warnings",
			       json_object_new_int((int32_t)doctor->counts[LEVEL_WARNING]));
	puts(json_object_to_json_string_ext(whole, JSON_C_TO_STRING_PRETTY));
	json_object_put(whole);
}

static int run(const struct call *call)
{
	struct doctor doctor = {
		.root = "",
		.socket = call->socket,
		.daemon = XVHC_SBINDIR "/xvhcd",
		.user = geteuid(),
		.findings = json_object_new_array(),
	};

	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		checks[i](&doctor);
	if (call->values[OPTION_JSON])
		findings_print_json(&doctor);
	else
		findings_print(&doctor);
	json_object_put(doctor.answer);
	json_object_put(doctor.findings);
	return doctor.counts[LEVEL_FAILURE] > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

const struct command command_doctor = {
	.name = "doctor",
	.form = "",
	.summary = "look for what is wrong, and say what to do",
	.options = {[OPTION_JSON] = {"json", 0, NULL, "print an object for programs"}},
	.help = "Looks at Xen, the kernel's modules, USB, users, xvhcd, its files, and each given "
		"port\n"
		"with its guest. Each line is OK, WARN (it may be wanted so) or FAIL; behind -> "
		"stands\n"
		"what to do. Nothing is changed. The exit code is 1 where something fails.\n"
		"\n"
		"With --json it prints an object for programs: \"findings\" with check, level (ok, "
		"warning,\n"
		"failure), what and do; \"failures\" and \"warnings\" count.\n"
		"\n"
		"Example:\n"
		"  xvhc doctor\n",
	.run = run,
};
