// SPDX-License-Identifier: MIT
#include "store.h"

#include <string.h>

#include "console.h"
#include "xen.h"

#define RING_BYTES 1024u

#define STORE_DIRECTORY 1u
#define STORE_READ 2u
#define STORE_BEGIN 6u
#define STORE_END 7u
#define STORE_WRITE 11u
#define STORE_REMOVE 13u
#define STORE_ERROR 16u

struct store_page {
	char requests[RING_BYTES];
	char replies[RING_BYTES];
	uint32_t requests_taken;
	uint32_t requests_put;
	uint32_t replies_taken;
	uint32_t replies_put;
};

struct store_head {
	uint32_t type;
	uint32_t id;
	uint32_t transaction;
	uint32_t length;
};

static struct store_page *page;
static uint32_t event;

void store_init(void)
{
	page = (struct store_page *)(uintptr_t)(xen_param(PARAM_STORE_PAGE) * PAGE_BYTES);
	event = (uint32_t)xen_param(PARAM_STORE_EVENT);
}

static void put(const void *bytes, size_t size)
{
	const char *from = bytes;

	for (; size > 0; size--) {
		uint32_t at = page->requests_put;

		while (at - __atomic_load_n(&page->requests_taken, __ATOMIC_ACQUIRE) >=
		       RING_BYTES) {
			event_send(event);
			event_wait(event, now_ns() + 100 * MS);
		}
		page->requests[at % RING_BYTES] = *from++;
		__atomic_store_n(&page->requests_put, at + 1, __ATOMIC_RELEASE);
	}
}

static void get(void *bytes, size_t size)
{
	char *to = bytes;

	for (; size > 0; size--) {
		uint32_t at = page->replies_taken;

		while (at == __atomic_load_n(&page->replies_put, __ATOMIC_ACQUIRE)) {
			event_send(event);
			event_wait(event, now_ns() + 100 * MS);
		}
		*to++ = page->replies[at % RING_BYTES];
		__atomic_store_n(&page->replies_taken, at + 1, __ATOMIC_RELEASE);
	}
}

static void post(struct store_head head, const char *path, const char *rest, size_t rest_length)
{
	size_t path_length = strlen(path) + 1;

	head.length = (uint32_t)(path_length + rest_length);
	put(&head, sizeof(head));
	put(path, path_length);
	put(rest, rest_length);
	event_send(event);
}

/*
 * Copies a reply to reply, size bytes at most with a 0 behind it. Returns its whole length, or -1
 * for an error.
 */
static int collect(uint32_t type, char *reply, size_t size)
{
	struct store_head head;
	size_t used = 0, i;
	char byte;

	get(&head, sizeof(head));
	for (i = 0; i < head.length; i++) {
		get(&byte, 1);
		if (used + 1 < size)
			reply[used++] = byte;
	}
	event_send(event);
	reply[used] = 0;
	if (head.type != type && head.type != STORE_ERROR)
		die("XenStore answered something else");
	return head.type == type ? (int)head.length : -1;
}

static int call(struct store_head head, const char *path, const char *rest, size_t rest_length,
		char *reply, size_t size)
{
	post(head, path, rest, rest_length);
	return collect(head.type, reply, size);
}

bool store_read(const char *path, char value[STORE_VALUE_MAX])
{
	int length =
		call((struct store_head){.type = STORE_READ}, path, "", 0, value, STORE_VALUE_MAX);

	return length >= 0 && length < (int)STORE_VALUE_MAX;
}

uint32_t store_read_number(const char *path)
{
	char value[STORE_VALUE_MAX];
	uint32_t number = 0, i;

	if (!store_read(path, value) || value[0] == 0)
		return STORE_NOT_A_NUMBER;
	for (i = 0; value[i]; i++) {
		if (value[i] < '0' || value[i] > '9' || i > 8)
			return STORE_NOT_A_NUMBER;
		number = number * 10 + (uint32_t)(value[i] - '0');
	}
	return number;
}

bool store_first(const char *path, char name[STORE_VALUE_MAX])
{
	return call((struct store_head){.type = STORE_DIRECTORY}, path, "", 0, name,
		    STORE_VALUE_MAX) > 0;
}

bool store_write(uint32_t transaction, const char *path, const char *value)
{
	char reply[16];

	return call((struct store_head){.type = STORE_WRITE, .transaction = transaction}, path,
		    value, strlen(value), reply, sizeof(reply)) >= 0;
}

void store_write_many(const char *path, const char *const values[], uint32_t count)
{
	char reply[16];
	uint32_t i;

	for (i = 0; i < count; i++)
		post((struct store_head){.type = STORE_WRITE}, path, values[i], strlen(values[i]));
	for (i = 0; i < count; i++)
		(void)collect(STORE_WRITE, reply, sizeof(reply));
}

bool store_write_number(uint32_t transaction, const char *path, uint32_t number)
{
	char value[12];

	format(value, sizeof(value), "%u", number);
	return store_write(transaction, path, value);
}

bool store_remove(const char *path)
{
	char reply[16];

	return call((struct store_head){.type = STORE_REMOVE}, path, "", 0, reply, sizeof(reply)) >=
	       0;
}

uint32_t store_begin(void)
{
	char reply[16];
	uint32_t number = 0, i;

	if (call((struct store_head){.type = STORE_BEGIN}, "", "", 0, reply, sizeof(reply)) < 0)
		return 0;
	for (i = 0; reply[i] >= '0' && reply[i] <= '9'; i++)
		number = number * 10 + (uint32_t)(reply[i] - '0');
	return number;
}

bool store_commit(uint32_t transaction)
{
	char reply[16];

	return call((struct store_head){.type = STORE_END, .transaction = transaction}, "T", "", 0,
		    reply, sizeof(reply)) >= 0;
}
