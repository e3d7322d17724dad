/* SPDX-License-Identifier: MIT */
/* SHA-256 (FIPS 180-4). */
#ifndef BARE_SHA256_H
#define BARE_SHA256_H

#include <stddef.h>
#include <stdint.h>

struct sha256 {
	uint32_t state[8];
	uint64_t bytes;
	uint8_t block[64];
};

void sha256_init(struct sha256 *sha);
void sha256_add(struct sha256 *sha, const uint8_t *data, size_t size);

/* The sum as 64 hexadecimal digits. */
void sha256_end(struct sha256 *sha, char text[65]);

#endif
