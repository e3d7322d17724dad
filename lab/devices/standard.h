// SPDX-License-Identifier: MIT
/* Standard requests, which each device answers alike. */
#ifndef LAB_DEVICES_STANDARD_H
#define LAB_DEVICES_STANDARD_H

#include "device.h"

/* Answers a standard request as model->control() does; STALL for one that is not known here. */
int standard_request(const struct look *look, const struct setup *setup, uint8_t *data);

#endif
