/* SPDX-License-Identifier: MIT */
/* What may be the name of a guest: the name in its xl file, or its UUID. */
#ifndef XVHC_BROKER_GUEST_NAME_H
#define XVHC_BROKER_GUEST_NAME_H

#include <xvhc/limits.h>
#include <xvhc/types.h>

#define UUID_TEXT_BYTES 37u /* with the NUL */

/* NULL where this can name a guest; else a sentence about what is wrong with it. */
const char *guest_name_fault(const char *name);

/* Whether this is a UUID in its usual form, 8-4-4-4-12 hexadecimal digits. */
bool uuid_is_valid(const char *text);

#endif
