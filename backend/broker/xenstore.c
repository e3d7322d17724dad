// SPDX-License-Identifier: MIT
#include <broker/xenstore.h>

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool number_parse(const char *text, uint32_t max, uint32_t *value)
{
	uint64_t sum = 0;

	if (*text == '\0')
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		sum = sum * 10 + (uint64_t)(*text - '0');
		if (sum > max)
			return false;
	}
	*value = (uint32_t)sum;
	return true;
}

int xenstore_read_number(struct xenstore *store, const char *path, uint32_t max, uint32_t *value)
{
	char text[XENSTORE_VALUE_MAX];
	int result;

	result = store->ops->read(store, XENSTORE_NO_TRANSACTION, path, text, sizeof(text));
	if (result != 0)
		return result;
	return number_parse(text, max, value) ? 0 : -EINVAL;
}

int xenstore_write_number(struct xenstore *store, uint32_t transaction, const char *path,
			  uint32_t value)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", value);
	return store->ops->write(store, transaction, path, text);
}

void xenstore_path(char path[XENSTORE_PATH_MAX], const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(path, XENSTORE_PATH_MAX, format, arguments);
	va_end(arguments);
	assert(length > 0 && length < (int)XENSTORE_PATH_MAX);
}
