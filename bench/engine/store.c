// SPDX-License-Identifier: MIT
/*
 * Nodes are found by a hash of their path, and each knows the nodes below it. Watches are found by
 * a hash of what they watch: a change looks for those of its path and of each path above it. A
 * removal tells those at and above its path alone; the broker does not watch below what it removes.
 */
#include "store.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

#define BUCKETS 131072u
#define DOMAINS 2048u
#define BACKENDS "/local/domain/0/backend/vusb/"

struct node {
	struct node *next; /* of the same hash */
	struct node *parent, *children, *sibling;
	char path[XENSTORE_PATH_MAX];
	char value[64]; /* what the broker and a frontend write is short */
};

struct watch {
	struct watch *next; /* of the same hash, or the next event */
	char path[XENSTORE_PATH_MAX];
	char token[XENSTORE_TOKEN_MAX];
};

struct store_counts store_counts;

static struct xenstore store;
static struct node *nodes[BUCKETS];
static struct watch *watches[BUCKETS];
static struct watch *events, **events_end = &events;
static bool alive[DOMAINS];

static void *heap_take(size_t bytes)
{
	void *taken = calloc(1, bytes);

	bench_must(taken != NULL, "there is memory for the store");
	store_counts.bytes += bytes;
	return taken;
}

static void heap_give(void *taken, size_t bytes)
{
	free(taken);
	store_counts.bytes -= bytes;
}

static uint32_t bucket_of(const char *path)
{
	uint32_t hash = 2166136261u;

	for (; *path; path++)
		hash = (hash ^ (uint8_t)*path) * 16777619u;
	return hash % BUCKETS;
}

/* Relative paths are those of domain 0. */
static void absolute(const char *path, char full[XENSTORE_PATH_MAX])
{
	snprintf(full, XENSTORE_PATH_MAX, "%s%s",
		 path[0] == '/' || path[0] == '@' ? "" : "/local/domain/0/", path);
}

static struct watch *watch_new(const char *path, const char *token)
{
	struct watch *watch = heap_take(sizeof(*watch));

	snprintf(watch->path, sizeof(watch->path), "%s", path);
	snprintf(watch->token, sizeof(watch->token), "%s", token);
	return watch;
}

static void event_push(const char *path, const char *token)
{
	struct watch *event = watch_new(path, token);
	const uint64_t one = 1;

	*events_end = event;
	events_end = &event->next;
	bench_must(write(store.fd, &one, sizeof(one)) == sizeof(one), "an event is told");
}

static void fire(const char *path)
{
	char above[XENSTORE_PATH_MAX], *end;

	snprintf(above, sizeof(above), "%s", path);
	for (;;) {
		const struct watch *watch = watches[bucket_of(above)];

		for (; watch; watch = watch->next)
			if (strcmp(watch->path, above) == 0)
				event_push(path, watch->token);
		end = strrchr(above, '/');
		if (!end || end == above)
			return;
		*end = '\0';
	}
}

static struct node *node_find(const char *path)
{
	struct node *node = nodes[bucket_of(path)];

	while (node && strcmp(node->path, path) != 0)
		node = node->next;
	return node;
}

/* Finds or makes a node, and those above it. */
static struct node *node_make(const char *path)
{
	struct node *node = node_find(path), **bucket = &nodes[bucket_of(path)];
	char above[XENSTORE_PATH_MAX];

	if (node)
		return node;
	node = heap_take(sizeof(*node));
	snprintf(node->path, sizeof(node->path), "%s", path);
	node->next = *bucket;
	*bucket = node;
	snprintf(above, sizeof(above), "%s", path);
	*strrchr(above, '/') = '\0';
	if (above[0]) {
		node->parent = node_make(above);
		node->sibling = node->parent->children;
		node->parent->children = node;
	}
	return node;
}

static void node_remove(struct node *node)
{
	struct node **at = &nodes[bucket_of(node->path)], *child, *next;

	for (child = node->children; child; child = next) {
		next = child->sibling;
		node_remove(child);
	}
	while (*at != node)
		at = &(*at)->next;
	*at = node->next;
	for (at = &node->parent->children; *at != node;)
		at = &(*at)->sibling;
	*at = node->sibling;
	heap_give(node, sizeof(*node));
}

static int store_read(struct xenstore *unused, uint32_t transaction, const char *path, char *value,
		      size_t size)
{
	char full[XENSTORE_PATH_MAX];
	const struct node *node;

	(void)unused;
	(void)transaction;
	absolute(path, full);
	node = node_find(full);
	if (!node)
		return -ENOENT;
	return snprintf(value, size, "%s", node->value) < (int)size ? 0 : -EMSGSIZE;
}

static void note_state(const char *path, const char *value)
{
	const char *name = strrchr(path, '/');

	if (strcmp(name, "/state") == 0 && strncmp(path, BACKENDS, strlen(BACKENDS)) == 0)
		store_counts.backends[(value[0] - '0') & 7]++;
}

static int store_write(struct xenstore *unused, uint32_t transaction, const char *path,
		       const char *value)
{
	char full[XENSTORE_PATH_MAX];
	struct node *node;

	(void)unused;
	(void)transaction;
	absolute(path, full);
	node = node_make(full);
	bench_must(strlen(value) < sizeof(node->value), "a value is short");
	snprintf(node->value, sizeof(node->value), "%s", value);
	note_state(full, value);
	fire(full);
	return 0;
}

static int store_make(struct xenstore *unused, uint32_t transaction, const char *path,
		      uint32_t owner, uint32_t reader)
{
	(void)unused;
	(void)transaction;
	(void)owner;
	(void)reader;
	(void)node_make(path);
	fire(path);
	return 0;
}

static int store_remove(struct xenstore *unused, uint32_t transaction, const char *path)
{
	struct node *node = node_find(path);

	(void)unused;
	(void)transaction;
	if (!node)
		return -ENOENT;
	node_remove(node);
	fire(path);
	return 0;
}

static char **store_list(struct xenstore *unused, const char *path, uint32_t *count)
{
	const struct node *node = node_find(path), *child;
	char **names, *text;

	(void)unused;
	*count = 0;
	if (!node)
		return NULL;
	for (child = node->children; child; child = child->sibling)
		(*count)++;
	names = calloc(1, (*count + 1) * (sizeof(char *) + XENSTORE_PATH_MAX));
	if (!names)
		return NULL;
	text = (char *)(names + *count);
	*count = 0;
	for (child = node->children; child; child = child->sibling) {
		names[*count] = text + (size_t)*count * XENSTORE_PATH_MAX;
		snprintf(names[(*count)++], XENSTORE_PATH_MAX, "%s", strrchr(child->path, '/') + 1);
	}
	return names;
}

static int store_begin(struct xenstore *unused, uint32_t *transaction)
{
	(void)unused;
	*transaction = 1;
	return 0;
}

static int store_end(struct xenstore *unused, uint32_t transaction, bool commit)
{
	(void)unused;
	(void)transaction;
	(void)commit;
	return 0;
}

static int store_watch(struct xenstore *unused, const char *path, const char *token)
{
	struct watch *watch, **bucket;
	char full[XENSTORE_PATH_MAX];

	(void)unused;
	absolute(path, full);
	watch = watch_new(full, token);
	bucket = &watches[bucket_of(full)];
	watch->next = *bucket;
	*bucket = watch;
	event_push(full, token);
	return 0;
}

static void store_unwatch(struct xenstore *unused, const char *path, const char *token)
{
	char full[XENSTORE_PATH_MAX];
	struct watch **at, *gone;

	(void)unused;
	absolute(path, full);
	at = &watches[bucket_of(full)];
	while (*at && (strcmp((*at)->path, full) != 0 || strcmp((*at)->token, token) != 0))
		at = &(*at)->next;
	gone = *at;
	if (!gone)
		return;
	*at = gone->next;
	heap_give(gone, sizeof(*gone));
}

static int store_event(struct xenstore *unused, char path[XENSTORE_PATH_MAX],
		       char token[XENSTORE_TOKEN_MAX])
{
	struct watch *event = events;
	uint64_t count;

	(void)unused;
	if (!event) {
		if (read(store.fd, &count, sizeof(count)) < 0)
			bench_must(errno == EAGAIN, "the store's events can be read");
		return 0;
	}
	events = event->next;
	if (!events)
		events_end = &events;
	memcpy(path, event->path, sizeof(event->path));
	memcpy(token, event->token, sizeof(event->token));
	heap_give(event, sizeof(*event));
	return 1;
}

static bool store_domain_lives(struct xenstore *unused, uint32_t domid)
{
	(void)unused;
	return domid < DOMAINS && alive[domid];
}

static void store_close(struct xenstore *unused)
{
	(void)unused;
}

/* Each of the broker's calls is counted and timed. */
#define TIMED(type, name, parameters, arguments)                                                   \
	static type timed_##name parameters                                                        \
	{                                                                                          \
		uint64_t since = bench_now_ns(CLOCK_MONOTONIC);                                    \
		type result = store_##name arguments;                                              \
                                                                                                   \
		store_counts.calls++;                                                              \
		store_counts.ns += bench_now_ns(CLOCK_MONOTONIC) - since;                          \
		return result;                                                                     \
	}

TIMED(int, read,
      (struct xenstore * s, uint32_t transaction, const char *path, char *value, size_t size),
      (s, transaction, path, value, size))
TIMED(int, write, (struct xenstore * s, uint32_t transaction, const char *path, const char *value),
      (s, transaction, path, value))
TIMED(int, make,
      (struct xenstore * s, uint32_t transaction, const char *path, uint32_t owner,
       uint32_t reader),
      (s, transaction, path, owner, reader))
TIMED(int, remove, (struct xenstore * s, uint32_t transaction, const char *path),
      (s, transaction, path))
TIMED(char **, list, (struct xenstore * s, const char *path, uint32_t *count), (s, path, count))
TIMED(int, begin, (struct xenstore * s, uint32_t *transaction), (s, transaction))
TIMED(int, end, (struct xenstore * s, uint32_t transaction, bool commit), (s, transaction, commit))
TIMED(int, watch, (struct xenstore * s, const char *path, const char *token), (s, path, token))
TIMED(bool, domain_lives, (struct xenstore * s, uint32_t domid), (s, domid))

static const struct xenstore_ops ops = {
	.read = timed_read,
	.write = timed_write,
	.make = timed_make,
	.remove = timed_remove,
	.list = timed_list,
	.begin = timed_begin,
	.end = timed_end,
	.watch = timed_watch,
	.unwatch = store_unwatch,
	.event = store_event,
	.domain_lives = timed_domain_lives,
	.close = store_close,
};

struct xenstore *store_open(void)
{
	store.ops = &ops;
	store.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	bench_must(store.fd >= 0, "the store has its channel");
	alive[0] = true;
	store_set("0", "/local/domain/0/domid");
	return &store;
}

void store_set(const char *value, const char *format, ...)
{
	char path[XENSTORE_PATH_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(path, sizeof(path), format, arguments);
	va_end(arguments);
	(void)store_write(&store, 0, path, value);
}

void store_guest(uint32_t domid, const char *name)
{
	char uuid[64];

	bench_must(domid < DOMAINS, "a domain has a place");
	snprintf(uuid, sizeof(uuid), "/vm/00000000-0000-0000-0000-%012u", domid);
	store_set(uuid, "/local/domain/%u/vm", domid);
	store_set(name, "/local/domain/%u/name", domid);
	alive[domid] = true;
}

void store_introduce(void)
{
	fire("@introduceDomain");
}
