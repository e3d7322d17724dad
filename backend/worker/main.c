// SPDX-License-Identifier: MIT
#include <common/log.h>

#include "serve.h"

int main(void)
{
	log_init("xvhcd-worker", LOG_LEVEL_INFO);
	return serve(&transport_xen, &source_usb, &isolation_full);
}
