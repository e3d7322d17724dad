// SPDX-License-Identifier: GPL-2.0-only
/*
 * The parts of core/ that the module uses, compiled here: an object beside their sources would be
 * taken for that of the user-space build.
 */
#include "../../core/ring.c"
#include "../../core/usbif_response.c"
#include "../../core/xvhcif_response.c"
