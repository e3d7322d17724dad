// SPDX-License-Identifier: MIT
#include <broker/ports_file.h>

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <broker/guest_name.h>
#include <common/log.h>

static const char header[] =
	"# The ports that are given to guests, one a line: PLACE GUEST. xvhcd reads this file "
	"when\n"
	"# it starts, and `xvhc give` and `xvhc take` change it. Comments are kept.\n";

static const char repeated[] = "an earlier line gives the same port";

static struct ports_line *line_add(struct ports_file *file)
{
	struct ports_line *grown;

	grown = realloc(file->lines, (file->count + 1) * sizeof(*grown));
	if (!grown)
		return NULL;
	file->lines = grown;
	memset(&grown[file->count], 0, sizeof(*grown));
	return &grown[file->count++];
}

static bool place_is_there(const struct ports_file *file, const struct place *place)
{
	for (uint32_t i = 0; i < file->count; i++)
		if (file->lines[i].entry && place_equal(&file->lines[i].place, place))
			return true;
	return false;
}

/* What keeps a line from being an entry; NULL: nothing. A blank line or a comment is not asked. */
static const char *line_read(const struct ports_file *file, char *text, struct place *place,
			     char guest[XVHC_GUEST_NAME_MAX])
{
	char *rest = NULL;
	char *first = strtok_r(text, " \t\r", &rest);
	char *second = strtok_r(NULL, " \t\r", &rest);
	char *third = strtok_r(NULL, " \t\r", &rest);
	const char *fault;

	if (!first || !second || (third && third[0] != '#'))
		return "it is not of the form PLACE GUEST";
	if (!place_parse(first, place))
		return "it does not begin with a place such as pci-0000:00:14.0/hs-2";
	fault = guest_name_fault(second);
	if (fault)
		return fault;
	snprintf(guest, XVHC_GUEST_NAME_MAX, "%s", second);
	return place_is_there(file, place) ? repeated : NULL;
}

static int line_parse(struct ports_file *file, const char *path, uint32_t number, const char *text,
		      size_t length)
{
	char guest[XVHC_GUEST_NAME_MAX] = "";
	struct ports_line *line;
	struct place place;
	char *copy = strndup(text, length);
	char *whole = strndup(text, length);
	const char *fault;
	size_t blanks;

	if (!copy || !whole)
		goto no_memory;
	blanks = strspn(copy, " \t\r");
	if (copy[blanks] == '\0' || copy[blanks] == '#') {
		fault = "";
	} else {
		fault = line_read(file, copy, &place, guest);
		if (fault)
			log_line(LOG_LEVEL_ERROR, "%s: line %u is left out: %s", path, number,
				 fault);
	}
	line = line_add(file);
	if (!line)
		goto no_memory;
	free(copy);
	line->text = whole;
	if (!fault || fault == repeated) {
		line->entry = !fault;
		line->repeat = fault != NULL;
		line->place = place;
		memcpy(line->guest, guest, sizeof(guest));
	}
	return 0;

no_memory:
	free(copy);
	free(whole);
	return -ENOMEM;
}

int ports_file_parse(struct ports_file *file, const char *path, const char *text)
{
	uint32_t number = 1;
	size_t length;
	int result = 0;

	memset(file, 0, sizeof(*file));
	while (*text && result == 0) {
		length = strcspn(text, "\n");
		result = line_parse(file, path, number++, text, length);
		text += length;
		if (*text)
			text++;
	}
	if (result != 0)
		ports_file_fini(file);
	return result;
}

int ports_file_read(struct ports_file *file, const char *path)
{
	FILE *stream;
	size_t length;
	char *text;
	int result = -ENOMEM;

	memset(file, 0, sizeof(*file));
	stream = fopen(path, "re");
	if (!stream)
		return errno == ENOENT ? 0 : -errno;
	text = malloc(PORTS_FILE_BYTES_MAX + 1);
	if (text) {
		length = fread(text, 1, PORTS_FILE_BYTES_MAX + 1, stream);
		result = ferror(stream) ? -EIO : length > PORTS_FILE_BYTES_MAX ? -EFBIG : 0;
		if (result == 0) {
			text[length] = '\0';
			/* A NUL would hide what stands behind it, and a write would lose that. */
			result = strlen(text) == length ? ports_file_parse(file, path, text)
							: -EINVAL;
		}
	}
	free(text);
	fclose(stream);
	return result;
}

static bool lines_write(const struct ports_file *file, FILE *stream)
{
	char place[XVHC_PLACE_MAX];

	if (file->count == 0 || !file->lines[0].text)
		fputs(header, stream);
	for (uint32_t i = 0; i < file->count; i++) {
		const struct ports_line *line = &file->lines[i];

		if (line->text) {
			fprintf(stream, "%s\n", line->text);
			continue;
		}
		place_format(&line->place, place);
		fprintf(stream, "%s  %s\n", place, line->guest);
	}
	return fflush(stream) == 0 && !ferror(stream) && fsync(fileno(stream)) == 0;
}

/* Makes the new name survive a power failure. */
static void directory_sync(const char *path)
{
	char copy[PATH_MAX];
	int fd;

	snprintf(copy, sizeof(copy), "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	fsync(fd);
	close(fd);
}

/* Makes the file's directory where it is missing; a failure shows when the file is opened. */
static void directory_make(const char *path)
{
	char copy[PATH_MAX];

	snprintf(copy, sizeof(copy), "%s", path);
	(void)mkdir(dirname(copy), 0755);
}

int ports_file_write(const struct ports_file *file, const char *path)
{
	char beside[PATH_MAX];
	FILE *stream;
	bool written;
	int fd, result;

	if (snprintf(beside, sizeof(beside), "%s.new", path) >= (int)sizeof(beside))
		return -ENAMETOOLONG;
	directory_make(path);
	fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	stream = fdopen(fd, "w");
	if (!stream) {
		close(fd);
		return -ENOMEM;
	}
	errno = EIO;
	written = lines_write(file, stream);
	result = written ? 0 : -errno;
	fclose(stream);
	if (written && rename(beside, path) != 0)
		result = -errno;
	if (result != 0)
		unlink(beside);
	else
		directory_sync(path);
	return result;
}

int ports_file_add(struct ports_file *file, const struct place *place, const char *guest)
{
	struct ports_line *line = line_add(file);

	if (!line)
		return -ENOMEM;
	line->entry = true;
	line->place = *place;
	snprintf(line->guest, sizeof(line->guest), "%s", guest);
	return 0;
}

void ports_file_remove(struct ports_file *file, const struct place *place)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < file->count; i++) {
		/* A repetition would count from the next start on. */
		if ((file->lines[i].entry || file->lines[i].repeat) &&
		    place_equal(&file->lines[i].place, place))
			free(file->lines[i].text);
		else
			file->lines[kept++] = file->lines[i];
	}
	file->count = kept;
}

void ports_file_fini(struct ports_file *file)
{
	for (uint32_t i = 0; i < file->count; i++)
		free(file->lines[i].text);
	free(file->lines);
	memset(file, 0, sizeof(*file));
}
