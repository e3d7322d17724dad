// SPDX-License-Identifier: MIT
/* A worker as below xvhcd, but for its guest, which is a memfd, and its devices (device.c). */
#include <common/log.h>
#include <worker/serve.h>

#include "device.h"

int main(void)
{
	log_init("worker", LOG_LEVEL_WARNING);
	return serve(&transport_memfd, &source_at_once, NULL);
}
