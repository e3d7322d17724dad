// SPDX-License-Identifier: MIT
/* lab-reset DEVICE, in the lab's guests: resets a USB device by its file in /dev/bus/usb. */
#include <fcntl.h>
#include <linux/usbdevice_fs.h>
#include <stdio.h>
#include <sys/ioctl.h>

int main(int argc, char **argv)
{
	int device = argc == 2 ? open(argv[1], O_RDWR) : -1;

	if (device < 0 || ioctl(device, USBDEVFS_RESET, NULL) < 0) {
		perror("lab-reset");
		return 1;
	}
	return 0;
}
