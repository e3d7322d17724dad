// SPDX-License-Identifier: MIT
#include "help.h"

#include <stdio.h>
#include <string.h>

#include "error.h"

static const char before[] =
	"xvhc gives a USB port of this machine to a Xen guest. Whatever is plugged into the port\n"
	"from then on appears in the guest, and dom0's own drivers leave it alone.\n";

static const char after[] =
	"Example: find the port with your stick in it, and give it to the guest web.\n"
	"\n"
	"  # xvhc list\n"
	"  PORT         DEVICE                                SPEED       GUEST  STATE\n"
	"  pci-0000:00:14.0\n"
	"  |-- 1-1/2-1  0781:5567 SanDisk Corp. Cruzer Blade  480 Mbit/s  -      in dom0\n"
	"  `-- 1-2/2-2  -                                     -           -      empty\n"
	"  # xvhc give 1-1 web\n"
	"  Port 1-1/2-1 is given to web.\n"
	"\n"
	"A port stays given until you take it: over replugs, restarts of the guest, and reboots.\n"
	"Give an empty port first, and plug in later, if you like.\n"
	"\n"
	"Options of every command:\n"
	"  --socket PATH  the broker's socket; else /run/xvhc/control\n"
	"  --color WHEN   colours: auto (on a terminal, and without NO_COLOR), always or never\n"
	"  -h, --help     show the help of the command\n"
	"  --version      show which version this is\n"
	"\n"
	"The documents that help names lie in /usr/share/doc/xvhc.\n"
	"\n"
	"Exit codes: 0 done, 1 refused or failed, 2 wrong usage.\n";

/* Writes one option as it is typed, such as "-w, --write FILE" or "--json". */
static void option_form(char *text, size_t size, const struct command_option *option, bool letter)
{
	char first[8] = "";

	if (option->letter && letter)
		snprintf(first, sizeof(first), "-%c, ", option->letter);
	snprintf(text, size, "%s--%s%s%s", first, option->name, option->value ? " " : "",
		 option->value ? option->value : "");
}

void help_form(char *text, size_t size, const struct command *command)
{
	char option[64];
	size_t used;

	snprintf(text, size, "xvhc %s%s%s", command->name, command->form[0] ? " " : "",
		 command->form);
	for (size_t i = 0; i < COMMAND_OPTIONS_MAX && command->options[i].name; i++) {
		option_form(option, sizeof(option), &command->options[i], false);
		used = strlen(text);
		snprintf(text + used, size - used, " [%s]", option);
	}
}

/* The command with its words, without options. Returns its length. */
static int form_short(char *text, size_t size, const struct command *command)
{
	return snprintf(text, size, "%s%s%s", command->name, command->form[0] ? " " : "",
			command->form);
}

void help_general(void)
{
	char form[64];
	int length, width = 0;

	puts(before);
	for (size_t i = 0; commands[i]; i++) {
		length = form_short(form, sizeof(form), commands[i]);
		width = length > width ? length : width;
	}
	for (size_t i = 0; commands[i]; i++) {
		form_short(form, sizeof(form), commands[i]);
		printf("  xvhc %-*s  %s\n", width, form, commands[i]->summary);
	}
	printf("\nTopics, which xvhc help TOPIC tells about:\n\n");
	for (const struct topic *topic = topics; topic->name; topic++)
		printf("  %-27s %s\n", topic->name, topic->summary);
	printf("\n%s", after);
}

void help_topic(const struct topic *topic)
{
	fputs(topic->text, stdout);
}

int help_wrong_form(const struct command *command)
{
	char form[HELP_FORM_MAX];

	help_form(form, sizeof(form), command);
	error_say("the form is: %s (xvhc help %s has examples)", form, command->name);
	return EXIT_USAGE;
}

void help_command(const struct command *command)
{
	char form[HELP_FORM_MAX];

	help_form(form, sizeof(form), command);
	printf("%s\n\n%s", form, command->help);
	for (size_t i = 0; i < COMMAND_OPTIONS_MAX && command->options[i].name; i++) {
		if (i == 0)
			printf("\nOptions:\n");
		option_form(form, sizeof(form), &command->options[i], true);
		printf("  %-22s %s\n", form, command->options[i].text);
	}
}
