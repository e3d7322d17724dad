// SPDX-License-Identifier: MIT
/*
 * lab-stall DEVICE COUNT, in the lab's guests: makes so many control requests that no device knows,
 * and succeeds where each was answered with a stall.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/usbdevice_fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>

int main(int argc, char **argv)
{
	int device = argc == 3 ? open(argv[1], O_RDWR) : -1, i;
	unsigned char byte;

	for (i = 0; device >= 0 && i < atoi(argv[2]); i++) {
		struct usbdevfs_ctrltransfer request = {
			.bRequestType = 0xc0, /* to the host, the vendor's own */
			.bRequest = 0x77,
			.wLength = 1,
			.timeout = 5000,
			.data = &byte,
		};

		if (ioctl(device, USBDEVFS_CONTROL, &request) >= 0 || errno != EPIPE)
			device = -1;
	}
	if (device < 0)
		perror("lab-stall");
	return device < 0;
}
