// SPDX-License-Identifier: MIT
#include "work.h"

#include "console.h"
#include "sha256.h"
#include "storage.h"

#define READ_BYTES (1u << 20)
#define LIMIT_NS (60000 * MS)

static void hash_first_mib(struct storage *storage)
{
	static uint8_t data[READ_BYTES];
	const uint32_t most = storage->device->link->wire->length_max;
	const uint32_t bytes = most < READ_BYTES ? most : READ_BYTES;
	uint32_t step = bytes / storage->block_bytes, at;
	struct sha256 sha;
	char text[65];

	sha256_init(&sha);
	for (at = 0; at < READ_BYTES / storage->block_bytes; at += step) {
		int result = storage_read(storage, at, (uint16_t)step, data);

		if (result != 0) {
			print("xvhc-bare: reading block %u failed: %d\r\n", at, result);
			return;
		}
		sha256_add(&sha, data, bytes);
	}
	sha256_end(&sha, text);
	print("xvhc-bare: read %u bytes at a time\r\n", bytes);
	print("xvhc-bare: sha256 of the first MiB: %s\r\n", text);
}

void work(uint32_t version)
{
	static struct link link;
	static struct device device;
	static struct storage storage;
	uint64_t until_ns = now_ns() + LIMIT_NS;
	uint8_t port;
	int result;

	if (!link_find(&link, version, until_ns))
		die("no controller under device/vusb");
	print("xvhc-bare: %s, backend %s\r\n", link.frontend, link.backend);
	if (!link_open(&link, until_ns))
		die("the backend does not connect");
	print("xvhc-bare: connected by version %u of the wire, %u ports\r\n", link.wire->version,
	      link.ports);
	if (!link_wait_devices(&link, 1, until_ns))
		die("no device came");
	port = link_next_device(&link, 0);
	print("xvhc-bare: port %u has a device of speed %u, number %x%x\r\n", port,
	      link.speed[port], (uint32_t)(link.number[port] >> 32), (uint32_t)link.number[port]);
	result = device_enumerate(&device, &link, port);
	if (result >= 0)
		result = storage_open(&storage, &device, until_ns);
	print("xvhc-bare: device %x, result %d, %u blocks of %u\r\n",
	      (uint32_t)device.descriptors.vendor << 16 | device.descriptors.product, result,
	      storage.blocks, storage.block_bytes);
	if (result == 0 && storage.block_bytes >= 512 && storage.block_bytes <= 4096)
		hash_first_mib(&storage);
	link_close(&link, now_ns() + 5000 * MS);
}
