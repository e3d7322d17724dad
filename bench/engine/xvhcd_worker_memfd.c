// SPDX-License-Identifier: MIT
/*
 * The worker of dom0, with libusb and its threads, but for its guest, which is a memfd: for what it
 * costs while nothing is to be done. With an argument it isolates itself, too, which takes root.
 */
#include <common/log.h>
#include <worker/serve.h>

int main(int argc, char **argv)
{
	(void)argv;
	log_init("xvhcd-worker", LOG_LEVEL_ERROR);
	return serve(&transport_memfd, &source_usb, argc > 1 ? &isolation_full : NULL);
}
