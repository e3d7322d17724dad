// SPDX-License-Identifier: MIT
/* The real store: libxenstore. Each call waits for xenstored's answer. */
#include <broker/xenstore.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xenstore.h>

struct xenstore_xen {
	struct xenstore store;
	struct xs_handle *handle;
};

static struct xs_handle *handle_of(struct xenstore *store)
{
	return ((struct xenstore_xen *)store)->handle;
}

static int failed(void)
{
	return errno ? -errno : -EIO;
}

static int xen_read(struct xenstore *store, uint32_t transaction, const char *path, char *value,
		    size_t size)
{
	unsigned int length = 0;
	char *text = xs_read(handle_of(store), transaction, path, &length);
	int result = 0;

	if (!text)
		return failed();
	if (length >= size)
		result = -EMSGSIZE;
	else if (strlen(text) != length)
		result = -EINVAL;
	else
		memcpy(value, text, length + 1);
	free(text);
	return result;
}

static int xen_write(struct xenstore *store, uint32_t transaction, const char *path,
		     const char *value)
{
	return xs_write(handle_of(store), transaction, path, value, (unsigned int)strlen(value))
		       ? 0
		       : failed();
}

static int xen_make(struct xenstore *store, uint32_t transaction, const char *path, uint32_t owner,
		    uint32_t reader)
{
	struct xs_permissions permissions[2] = {
		{.id = owner, .perms = XS_PERM_NONE},
		{.id = reader, .perms = XS_PERM_READ},
	};

	if (!xs_mkdir(handle_of(store), transaction, path))
		return failed();
	return xs_set_permissions(handle_of(store), transaction, path, permissions, 2) ? 0
										       : failed();
}

static int xen_remove(struct xenstore *store, uint32_t transaction, const char *path)
{
	return xs_rm(handle_of(store), transaction, path) ? 0 : failed();
}

static char **xen_list(struct xenstore *store, const char *path, uint32_t *count)
{
	*count = 0;
	return xs_directory(handle_of(store), XBT_NULL, path, count);
}

static int xen_begin(struct xenstore *store, uint32_t *transaction)
{
	*transaction = xs_transaction_start(handle_of(store));
	return *transaction ? 0 : failed();
}

static int xen_end(struct xenstore *store, uint32_t transaction, bool commit)
{
	return xs_transaction_end(handle_of(store), transaction, !commit) ? 0 : failed();
}

static int xen_watch(struct xenstore *store, const char *path, const char *token)
{
	return xs_watch(handle_of(store), path, token) ? 0 : failed();
}

static void xen_unwatch(struct xenstore *store, const char *path, const char *token)
{
	xs_unwatch(handle_of(store), path, token);
}

static int xen_event(struct xenstore *store, char path[XENSTORE_PATH_MAX],
		     char token[XENSTORE_TOKEN_MAX])
{
	char **event = xs_check_watch(handle_of(store));

	if (!event)
		return 0;
	snprintf(path, XENSTORE_PATH_MAX, "%s", event[XS_WATCH_PATH]);
	snprintf(token, XENSTORE_TOKEN_MAX, "%s", event[XS_WATCH_TOKEN]);
	free(event);
	return 1;
}

static bool xen_domain_lives(struct xenstore *store, uint32_t domid)
{
	return xs_is_domain_introduced(handle_of(store), domid);
}

static void xen_close(struct xenstore *store)
{
	xs_close(handle_of(store));
	free(store);
}

static const struct xenstore_ops xen_ops = {
	.read = xen_read,
	.write = xen_write,
	.make = xen_make,
	.remove = xen_remove,
	.list = xen_list,
	.begin = xen_begin,
	.end = xen_end,
	.watch = xen_watch,
	.unwatch = xen_unwatch,
	.event = xen_event,
	.domain_lives = xen_domain_lives,
	.close = xen_close,
};

struct xenstore *xenstore_open(void)
{
	struct xenstore_xen *xen = calloc(1, sizeof(*xen));

	if (!xen)
		return NULL;
	xen->handle = xs_open(0);
	if (!xen->handle) {
		free(xen);
		return NULL;
	}
	xen->store.ops = &xen_ops;
	xen->store.fd = xs_fileno(xen->handle);
	return &xen->store;
}
