/* SPDX-License-Identifier: MIT */
#ifndef BARE_ATTACK_H
#define BARE_ATTACK_H
void attack(const char *name, int devices);
#endif
