/* SPDX-License-Identifier: MIT */
/*
 * The one space of errors of core/: zero is success, errors are negative. Nothing of an operating
 * system is in it; each user of core/ has one table from these to its own codes.
 */
#ifndef XVHC_CORE_ERROR_H
#define XVHC_CORE_ERROR_H

enum xvhc_error {
	XVHC_OK = 0,
	XVHC_EPROTO = -1,  /* the peer broke the protocol: its connection ends */
	XVHC_EINVAL = -2,  /* this one request may not pass */
	XVHC_ENODEV = -3,  /* there is no device on that port, or not any more */
	XVHC_ESTALL = -4,  /* the endpoint answered with STALL */
	XVHC_EIO = -5,     /* the transfer failed on the bus */
	XVHC_EBABBLE = -6, /* the device sent more than was asked for */
	XVHC_ECANCEL = -7, /* the request was cancelled */
	XVHC_ELIMIT = -8,  /* a named limit was reached */
};

#endif
