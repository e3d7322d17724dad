// SPDX-License-Identifier: MIT
/*
 * lab-spoil DOMAIN REFERENCE VALUE OFFSET..., in dom0: plays a backend that breaks the protocol.
 * Writes a 32-bit number into a page that a guest has granted, at each of these offsets, over and
 * over for as long as the real backend could overwrite it before the guest has looked.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* The next header leaves these two to whoever includes it. */
typedef uint16_t domid_t;
typedef uint32_t grant_ref_t;
#include <xen/gntdev.h>

#define PAGE_BYTES 4096
#define SPOIL_MS 300

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static volatile uint32_t *page_map(int gntdev, uint32_t domain, uint32_t reference)
{
	struct ioctl_gntdev_map_grant_ref map = {
		.count = 1,
		.refs = {{.domid = (domid_t)domain, .ref = reference}},
	};
	void *page;

	if (ioctl(gntdev, IOCTL_GNTDEV_MAP_GRANT_REF, &map) < 0)
		return NULL;
	page = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, gntdev, (off_t)map.index);
	return page == MAP_FAILED ? NULL : page;
}

int main(int argc, char **argv)
{
	int gntdev = open("/dev/xen/gntdev", O_RDWR), i;
	volatile uint32_t *page = NULL;
	int64_t end;

	if (argc < 5) {
		fprintf(stderr, "usage: lab-spoil DOMAIN REFERENCE VALUE OFFSET...\n");
		return 2;
	}
	if (gntdev >= 0)
		page = page_map(gntdev, (uint32_t)strtoul(argv[1], NULL, 0),
				(uint32_t)strtoul(argv[2], NULL, 0));
	if (!page) {
		perror("lab-spoil: mapping the page");
		return 1;
	}
	for (end = now_ms() + SPOIL_MS; now_ms() < end;) {
		for (i = 4; i < argc; i++)
			page[strtoul(argv[i], NULL, 0) % PAGE_BYTES / sizeof(*page)] =
				(uint32_t)strtoul(argv[3], NULL, 0);
	}
	return 0;
}
