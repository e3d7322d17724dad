/* SPDX-License-Identifier: MIT */
/*
 * Fixed-size integers, bool and static_assert for code that is built for the worker, for the Linux
 * kernel and for guests without an operating system alike.
 */
#ifndef XVHC_TYPES_H
#define XVHC_TYPES_H

#ifdef __KERNEL__
#include <linux/build_bug.h>
#include <linux/stddef.h>
#include <linux/types.h>
#else
#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#endif

#define XVHC_MUST_CHECK __attribute__((warn_unused_result))

#endif
