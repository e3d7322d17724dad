/* SPDX-License-Identifier: MIT */
/* Version 2 of the wire. */
#ifndef BARE_LINK_XVHCIF_H
#define BARE_LINK_XVHCIF_H

#include "link.h"

extern const struct link_wire link_wire_xvhcif;

#endif
