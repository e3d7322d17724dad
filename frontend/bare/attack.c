// SPDX-License-Identifier: MIT
#include "attack.h"
void attack(const char *name, int devices)
{
	(void)name;
	(void)devices;
}
