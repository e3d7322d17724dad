/* SPDX-License-Identifier: MIT */
/* Words for the classes of interfaces that the USB Implementers Forum has given numbers. */
#ifndef XVHC_CLI_USB_CLASS_H
#define XVHC_CLI_USB_CLASS_H

#include <stdint.h>

/* NULL: there is no word for it. */
const char *usb_class_name(uint64_t class);

#endif
