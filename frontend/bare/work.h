/* SPDX-License-Identifier: MIT */
/* What an honest frontend does: reads a stick. */
#ifndef BARE_WORK_H
#define BARE_WORK_H

#include <stdint.h>

/*
 * Prints the SHA-256 of the first MiB of the stick on the first port that has a device. Speaks at
 * most this version of the wire.
 */
void work(uint32_t version);

#endif
