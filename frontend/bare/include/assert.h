/* SPDX-License-Identifier: MIT */
/* All that <assert.h> is to a program without a C library. */
#ifndef BARE_ASSERT_H
#define BARE_ASSERT_H

#define static_assert _Static_assert

#endif
