// SPDX-License-Identifier: MIT
#include <string.h>

#include "attack.h"
#include "console.h"
#include "store.h"
#include "work.h"
#include "xen.h"

_Noreturn void main(const struct start_info *info);
_Noreturn void trap(uint64_t vector, uint64_t error, uint64_t instruction, uint64_t address);

/*
 * An exception, from start.S. Nothing here causes one on purpose. It is said on the console, where
 * the tests look for it, and the guest begins anew.
 */
_Noreturn void trap(uint64_t vector, uint64_t error, uint64_t instruction, uint64_t address)
{
	print("xvhc-bare: exception %u, error code %x, at %x, page fault %x\r\n",
	      (unsigned int)vector, (unsigned int)error, (unsigned int)instruction,
	      (unsigned int)address);
	console_flush();
	xen_reboot();
}

/* The value of a word "name=value" of the command line, or NULL. */
static const char *option(const char *line, const char *name, char value[64])
{
	size_t length = strlen(name), i;

	for (; *line; line++) {
		if (strlen(line) >= length && memcmp(line, name, length) == 0) {
			line += length;
			for (i = 0; i < 63 && line[i] && line[i] != ' '; i++)
				value[i] = line[i];
			value[i] = 0;
			return value;
		}
		while (line[1] && *line != ' ')
			line++;
	}
	return NULL;
}

_Noreturn void main(const struct start_info *info)
{
	const char *line = (const char *)(uintptr_t)info->command_line;
	char name[64], number[64];

	if (!xen_init())
		for (;;)
			__asm__ volatile("hlt");
	console_init();
	store_init();
	print("xvhc-bare: started with '%s'\r\n", line ? line : "");
	if (line && option(line, "attack=", name))
		attack(name, option(line, "devices=", number) ? (uint32_t)(number[0] - '0') : 1);
	else if (line && option(line, "work", name))
		work(option(line, "wire=", number) && number[0] == '2' ? 2 : 1);
	else
		print("xvhc-bare: the command line says neither work nor attack=NAME\r\n");
	print("xvhc-bare: end\r\n");
	console_flush();
	xen_power_off();
}
