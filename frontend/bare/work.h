/* SPDX-License-Identifier: MIT */
/* What an honest frontend does: reads a stick. */
#ifndef BARE_WORK_H
#define BARE_WORK_H

/* Prints the SHA-256 of the first MiB of the stick on the first port that has a device. */
void work(void);

#endif
