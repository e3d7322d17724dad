/* SPDX-License-Identifier: MIT */
/* The functions on descriptors, with checks of what they promise. */
#ifndef XVHC_FUZZ_DESCRIPTORS_H
#define XVHC_FUZZ_DESCRIPTORS_H

#include "check.h"

/* Parses, and selects each configuration and altsetting that was found. */
void parse_and_check(const uint8_t *bytes, size_t length);

/* Describes: a policy must be told of each class of interface that the parser finds. */
void describe_and_check(const uint8_t *bytes, size_t length);

/* Presents as high speed, in place; returns the new length. */
size_t present_and_check(uint8_t *bytes, size_t length);

/* Finds the device descriptor and each configuration. */
void find_and_check(const uint8_t *bytes, size_t length);

#endif
