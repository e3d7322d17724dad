// SPDX-License-Identifier: MIT
/*
 * Nodes are kept in a list, by path. A change reports itself to each watch at or above its path,
 * and a removal also to watches below. Transactions take effect at once: what the broker does in
 * one, it can do again.
 */
#include "memory_store.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct node {
	struct node *next;
	char path[XENSTORE_PATH_MAX];
	char value[XENSTORE_VALUE_MAX];
	uint32_t owner, reader;
};

struct watch {
	struct watch *next;
	char path[XENSTORE_PATH_MAX];
	char token[XENSTORE_TOKEN_MAX];
};

struct memory {
	struct xenstore store;
	struct node *nodes;
	struct watch *watches;
	struct watch *events; /* path and token of each */
	uint32_t alive[16];   /* bits, by domid */
	uint32_t disturb;
	uint32_t reads;
	struct watch **events_end;
};

static struct memory *memory_of(struct xenstore *store)
{
	return (struct memory *)store;
}

/* Relative paths are those of domain 0. */
static void absolute(const char *path, char full[XENSTORE_PATH_MAX])
{
	snprintf(full, XENSTORE_PATH_MAX, "%s%s",
		 path[0] == '/' || path[0] == '@' ? "" : "/local/domain/0/", path);
}

/* Whether a path is another one, or lies below it. */
static bool is_within(const char *path, const char *above)
{
	size_t length = strlen(above);

	return strncmp(path, above, length) == 0 && (path[length] == '\0' || path[length] == '/');
}

static void event_push(struct memory *memory, const char *path, const char *token)
{
	struct watch *event = calloc(1, sizeof(*event));
	const uint64_t one = 1;

	assert(event);
	snprintf(event->path, sizeof(event->path), "%s", path);
	snprintf(event->token, sizeof(event->token), "%s", token);
	*(memory->events ? memory->events_end : &memory->events) = event;
	memory->events_end = &event->next;
	assert(write(memory->store.fd, &one, sizeof(one)) == (ssize_t)sizeof(one));
}

static void fire(struct memory *memory, const char *path, bool removed)
{
	for (struct watch *watch = memory->watches; watch; watch = watch->next)
		if (is_within(path, watch->path) || (removed && is_within(watch->path, path)))
			event_push(memory, path, watch->token);
}

static struct node *node_find(struct memory *memory, const char *path)
{
	for (struct node *node = memory->nodes; node; node = node->next)
		if (strcmp(node->path, path) == 0)
			return node;
	return NULL;
}

/* Finds or makes a node, and those above it; a new one has the permissions of the one above. */
static struct node *node_make(struct memory *memory, const char *path)
{
	struct node *node = node_find(memory, path), *parent = NULL;
	char above[XENSTORE_PATH_MAX];

	if (node)
		return node;
	snprintf(above, sizeof(above), "%s", path);
	*strrchr(above, '/') = '\0';
	if (above[0])
		parent = node_make(memory, above);
	node = calloc(1, sizeof(*node));
	assert(node);
	snprintf(node->path, sizeof(node->path), "%s", path);
	if (parent) {
		node->owner = parent->owner;
		node->reader = parent->reader;
	}
	node->next = memory->nodes;
	memory->nodes = node;
	return node;
}

static int memory_read(struct xenstore *store, uint32_t transaction, const char *path, char *value,
		       size_t size)
{
	char full[XENSTORE_PATH_MAX];
	struct node *node;

	(void)transaction;
	absolute(path, full);
	node = node_find(memory_of(store), full);
	memory_of(store)->reads++;
	if (!node)
		return -ENOENT;
	return snprintf(value, size, "%s", node->value) < (int)size ? 0 : -EMSGSIZE;
}

static int memory_write(struct xenstore *store, uint32_t transaction, const char *path,
			const char *value)
{
	char full[XENSTORE_PATH_MAX];

	(void)transaction;
	absolute(path, full);
	snprintf(node_make(memory_of(store), full)->value, XENSTORE_VALUE_MAX, "%s", value);
	fire(memory_of(store), full, false);
	return 0;
}

static int memory_make(struct xenstore *store, uint32_t transaction, const char *path,
		       uint32_t owner, uint32_t reader)
{
	struct node *node = node_make(memory_of(store), path);

	(void)transaction;
	node->owner = owner;
	node->reader = reader;
	fire(memory_of(store), path, false);
	return 0;
}

static int memory_remove(struct xenstore *store, uint32_t transaction, const char *path)
{
	struct memory *memory = memory_of(store);
	struct node **at = &memory->nodes, *gone;
	bool found = false;

	(void)transaction;
	while (*at) {
		if (!is_within((*at)->path, path)) {
			at = &(*at)->next;
			continue;
		}
		gone = *at;
		*at = gone->next;
		free(gone);
		found = true;
	}
	if (found)
		fire(memory, path, true);
	return found ? 0 : -ENOENT;
}

static char **memory_list(struct xenstore *store, const char *path, uint32_t *count)
{
	size_t above = strlen(path) + 1, room = 64 * sizeof(char *);
	struct memory *memory = memory_of(store);
	char **names, *text;

	*count = 0;
	if (!node_find(memory, path))
		return NULL;
	names = calloc(1, room + 64 * XENSTORE_PATH_MAX);
	assert(names);
	text = (char *)names + room;
	for (struct node *node = memory->nodes; node; node = node->next) {
		if (!is_within(node->path, path) || strlen(node->path) <= above ||
		    strchr(node->path + above, '/'))
			continue;
		assert(*count < 64);
		names[*count] = text + *count * XENSTORE_PATH_MAX;
		strcpy(names[(*count)++], node->path + above);
	}
	return names;
}

static int memory_begin(struct xenstore *store, uint32_t *transaction)
{
	(void)store;
	*transaction = 1;
	return 0;
}

static int memory_end(struct xenstore *store, uint32_t transaction, bool commit)
{
	assert(transaction == 1);
	if (commit && memory_of(store)->disturb > 0) {
		memory_of(store)->disturb--;
		return -EAGAIN;
	}
	return 0;
}

static int memory_watch(struct xenstore *store, const char *path, const char *token)
{
	struct watch *watch = calloc(1, sizeof(*watch));

	assert(watch);
	snprintf(watch->path, sizeof(watch->path), "%s", path);
	snprintf(watch->token, sizeof(watch->token), "%s", token);
	watch->next = memory_of(store)->watches;
	memory_of(store)->watches = watch;
	event_push(memory_of(store), path, token);
	return 0;
}

static void memory_unwatch(struct xenstore *store, const char *path, const char *token)
{
	struct watch **at = &memory_of(store)->watches, *gone;

	while (*at && (strcmp((*at)->path, path) != 0 || strcmp((*at)->token, token) != 0))
		at = &(*at)->next;
	gone = *at;
	if (!gone)
		return;
	*at = gone->next;
	free(gone);
}

static int memory_event(struct xenstore *store, char path[XENSTORE_PATH_MAX],
			char token[XENSTORE_TOKEN_MAX])
{
	struct watch *event = memory_of(store)->events;
	uint64_t count;

	if (!event) {
		if (read(store->fd, &count, sizeof(count)) < 0)
			assert(errno == EAGAIN);
		return 0;
	}
	memory_of(store)->events = event->next;
	strcpy(path, event->path);
	strcpy(token, event->token);
	free(event);
	return 1;
}

static bool memory_domain_lives(struct xenstore *store, uint32_t domid)
{
	return domid < 512 && (memory_of(store)->alive[domid / 32] & (1u << domid % 32));
}

static void memory_close(struct xenstore *store)
{
	struct memory *memory = memory_of(store);
	char path[XENSTORE_PATH_MAX], token[XENSTORE_TOKEN_MAX];

	while (memory_event(store, path, token) == 1)
		continue;
	while (memory->watches)
		memory_unwatch(store, memory->watches->path, memory->watches->token);
	(void)memory_remove(store, 0, "");
	close(store->fd);
	free(store);
}

static const struct xenstore_ops memory_ops = {
	.read = memory_read,
	.write = memory_write,
	.make = memory_make,
	.remove = memory_remove,
	.list = memory_list,
	.begin = memory_begin,
	.end = memory_end,
	.watch = memory_watch,
	.unwatch = memory_unwatch,
	.event = memory_event,
	.domain_lives = memory_domain_lives,
	.close = memory_close,
};

struct xenstore *memory_store_open(void)
{
	struct memory *memory = calloc(1, sizeof(*memory));

	assert(memory);
	memory->store.ops = &memory_ops;
	memory->store.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	assert(memory->store.fd >= 0);
	memory_store_set(&memory->store, "0", "/local/domain/0/domid");
	memory_store_set(&memory->store, "Domain-0", "/local/domain/0/name");
	memory->alive[0] = 1;
	return &memory->store;
}

void memory_store_set(struct xenstore *store, const char *value, const char *format, ...)
{
	char path[XENSTORE_PATH_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(path, sizeof(path), format, arguments);
	va_end(arguments);
	if (value)
		(void)memory_write(store, 0, path, value);
	else
		(void)memory_remove(store, 0, path);
}

const char *memory_store_get(struct xenstore *store, const char *format, ...)
{
	static char value[XENSTORE_VALUE_MAX];
	char path[XENSTORE_PATH_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(path, sizeof(path), format, arguments);
	va_end(arguments);
	return memory_read(store, 0, path, value, sizeof(value)) == 0 ? value : NULL;
}

void memory_store_permissions(struct xenstore *store, const char *path, uint32_t *owner,
			      uint32_t *reader)
{
	const struct node *node = node_find(memory_of(store), path);

	assert(node);
	*owner = node->owner;
	*reader = node->reader;
}

void memory_store_guest(struct xenstore *store, uint32_t domid, const char *name)
{
	char uuid[64];

	assert(domid < 512);
	snprintf(uuid, sizeof(uuid), "/vm/00000000-0000-0000-0000-%012u", domid);
	memory_store_set(store, uuid, "/local/domain/%u/vm", domid);
	memory_store_set(store, name, "/local/domain/%u/name", domid);
	memory_of(store)->alive[domid / 32] |= 1u << domid % 32;
	fire(memory_of(store), "@introduceDomain", false);
}

void memory_store_guest_dies(struct xenstore *store, uint32_t domid)
{
	memory_of(store)->alive[domid / 32] &= ~(1u << domid % 32);
	memory_store_set(store, NULL, "/local/domain/%u", domid);
	fire(memory_of(store), "@releaseDomain", false);
}

void memory_store_disturb(struct xenstore *store, uint32_t times)
{
	memory_of(store)->disturb = times;
}

uint32_t memory_store_reads(struct xenstore *store)
{
	return memory_of(store)->reads;
}
