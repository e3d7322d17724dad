/* SPDX-License-Identifier: MIT */
/* Looks whether xvhcd would understand its files, without starting: for xvhcd --check. */
#ifndef XVHC_BROKER_FILES_CHECK_H
#define XVHC_BROKER_FILES_CHECK_H

#include <broker/broker.h>

/* Logs what is wrong with the configuration and the file of given ports. False: something is. */
XVHC_MUST_CHECK bool files_check(const struct broker_options *options);

#endif
