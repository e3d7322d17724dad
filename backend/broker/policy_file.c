// SPDX-License-Identifier: MIT
#include <broker/policy_file.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <common/log.h>

/* The whole file as text, to be freed. NULL: errno says why not. */
static char *file_read(const char *path)
{
	FILE *stream = fopen(path, "re");
	size_t length;
	char *text;
	int error = 0;

	if (!stream)
		return NULL;
	text = malloc(XVHC_POLICY_BYTES_MAX + 1);
	if (text) {
		length = fread(text, 1, XVHC_POLICY_BYTES_MAX + 1, stream);
		error = ferror(stream) ? EIO : length > XVHC_POLICY_BYTES_MAX ? EFBIG : 0;
		/* Nothing may hide behind a NUL. */
		if (error == 0 && memchr(text, '\0', length))
			error = EILSEQ;
		if (error == 0)
			text[length] = '\0';
	} else {
		error = ENOMEM;
	}
	fclose(stream);
	if (error == 0)
		return text;
	free(text);
	errno = error;
	return NULL;
}

int policy_load(struct policy *policy, const char *path, bool required)
{
	struct policy_fault fault;
	struct policy read = {0};
	char *text = file_read(path);
	int result;

	if (!text && (errno != ENOENT || required)) {
		result = -errno;
		log_line(LOG_LEVEL_ERROR,
			 "%s cannot be read: %s. Mend it, or name another file by --config", path,
			 strerror(-result));
		return result;
	}
	result = text ? policy_parse(&read, text, &fault) : 0;
	free(text);
	if (result == -EINVAL)
		log_line(LOG_LEVEL_ERROR,
			 "%s: line %u: %s. Put this line right, or take it out; xvhc.conf(5) "
			 "tells what can stand there",
			 path, fault.line, fault.text);
	else if (result != 0)
		log_line(LOG_LEVEL_ERROR, "%s: %s", path, strerror(-result));
	if (result != 0)
		return result;
	policy_fini(policy);
	*policy = read;
	return 0;
}
