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
	"# What is given to guests, one a line: PLACE GUEST for a port, usbip://HOST/BUSID GUEST\n"
	"# for a port of another machine, or device VID:PID:SERIAL GUEST for a device in\n"
	"# whichever port it is (:SERIAL may be left out). A change is followed as soon as it is "
	"saved. `xvhc give` and `xvhc take` change "
	"this\n"
	"# file as well, and keep comments.\n";

static const char repeated[] = "an earlier line gives the same";
static const char too_many[] = "there are too many lines of devices";

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

const struct ports_line *ports_file_find(const struct ports_file *file, const struct place *place)
{
	for (uint32_t i = 0; i < file->count; i++)
		if (file->lines[i].entry && !file->lines[i].by_device &&
		    place_equal(&file->lines[i].place, place))
			return &file->lines[i];
	return NULL;
}

const struct ports_line *ports_file_find_device(const struct ports_file *file,
						const struct identity *identity)
{
	for (uint32_t i = 0; i < file->count; i++)
		if (file->lines[i].entry && file->lines[i].by_device &&
		    identity_equal(&file->lines[i].identity, identity))
			return &file->lines[i];
	return NULL;
}

const struct ports_line *ports_file_match(const struct ports_file *file,
					  const struct usb_device *device)
{
	const struct ports_line *found = NULL;

	for (uint32_t i = 0; i < file->count; i++) {
		const struct ports_line *line = &file->lines[i];

		if (!line->entry || !line->by_device || !identity_matches(&line->identity, device))
			continue;
		if (line->identity.serial[0] != '\0')
			return line;
		if (!found)
			found = line;
	}
	return found;
}

static uint32_t devices_count(const struct ports_file *file)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < file->count; i++)
		count += file->lines[i].entry && file->lines[i].by_device;
	return count;
}

static const char *device_read(const struct ports_file *file, const char *text,
			       struct ports_line *line)
{
	if (!text || !identity_parse(text, &line->identity))
		return "'device' is not followed by a name such as 0951:1666 or 0951:1666:SERIAL";
	line->by_device = true;
	if (ports_file_find_device(file, &line->identity))
		return repeated;
	return devices_count(file) < XVHC_GIVEN_DEVICES_MAX ? NULL : too_many;
}

static const char *place_read(const struct ports_file *file, const char *text,
			      struct ports_line *line)
{
	if (!place_parse(text, &line->place))
		return "it does not begin with a place such as pci-0000:00:14.0/hs-2, nor with "
		       "'device'";
	return ports_file_find(file, &line->place) ? repeated : NULL;
}

/* What keeps a line from being an entry; NULL: nothing. A blank line or a comment is not asked. */
static const char *line_read(const struct ports_file *file, char *text, struct ports_line *line)
{
	char *rest = NULL;
	char *word = strtok_r(text, " \t\r", &rest);
	const char *fault;

	if (word && strcmp(word, "device") == 0)
		fault = device_read(file, strtok_r(NULL, " \t\r", &rest), line);
	else
		fault = place_read(file, word ? word : "", line);
	if (fault && fault != repeated)
		return fault;
	word = strtok_r(NULL, " \t\r", &rest);
	if (!word)
		return "it names no guest";
	if (guest_name_fault(word))
		return guest_name_fault(word);
	snprintf(line->guest, sizeof(line->guest), "%s", word);
	word = strtok_r(NULL, " \t\r", &rest);
	return word && word[0] != '#' ? "there is something behind the guest's name" : fault;
}

static int line_parse(struct ports_file *file, const char *path, uint32_t number, const char *text,
		      size_t length)
{
	struct ports_line read = {0}, *line;
	char *copy = strndup(text, length);
	const char *fault = "";
	size_t blanks;

	read.text = strndup(text, length);
	if (!copy || !read.text)
		goto no_memory;
	blanks = strspn(copy, " \t\r");
	if (copy[blanks] != '\0' && copy[blanks] != '#') {
		fault = line_read(file, copy, &read);
		read.entry = !fault;
		read.repeat = fault == repeated;
		read.fault = fault && !read.repeat;
	}
	if (fault && fault[0] != '\0')
		log_line(LOG_LEVEL_ERROR, "%s: line %u is left out: %s", path, number, fault);
	line = line_add(file);
	if (!line)
		goto no_memory;
	*line = read;
	free(copy);
	return 0;

no_memory:
	free(copy);
	free(read.text);
	return -ENOMEM;
}

/* Whether a line that cannot be read was there before, and stood for nothing then. */
static bool stood_for_nothing(const struct ports_file *before, const char *text)
{
	for (uint32_t i = 0; i < before->count; i++)
		if (before->lines[i].fault && !before->lines[i].stands &&
		    strcmp(before->lines[i].text, text) == 0)
			return true;
	return false;
}

bool ports_file_follows(struct ports_file *file, const struct ports_file *before)
{
	bool follows = true;

	for (uint32_t i = 0; i < file->count; i++) {
		struct ports_line *line = &file->lines[i];

		line->stands = line->fault && !stood_for_nothing(before, line->text);
		follows = follows && !line->stands;
	}
	return follows;
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

static struct ports_stamp stamp_of(const struct stat *status)
{
	return (struct ports_stamp){
		.device = status->st_dev,
		.inode = status->st_ino,
		.size = status->st_size,
		.time = status->st_mtim,
	};
}

static struct ports_stamp stamp_read(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 ? stamp_of(&status) : (struct ports_stamp){0};
}

bool ports_file_changed(const struct ports_file *file, const char *path)
{
	struct ports_stamp now = {0};
	struct stat status;

	if (stat(path, &status) == 0)
		now = stamp_of(&status);
	return now.device != file->stamp.device || now.inode != file->stamp.inode ||
	       now.size != file->stamp.size || now.time.tv_sec != file->stamp.time.tv_sec ||
	       now.time.tv_nsec != file->stamp.time.tv_nsec;
}

int ports_file_read(struct ports_file *file, const char *path)
{
	struct ports_stamp stamp;
	FILE *stream;
	size_t length;
	char *text;
	int result = -ENOMEM;

	memset(file, 0, sizeof(*file));
	stream = fopen(path, "re");
	if (!stream)
		return errno == ENOENT ? 0 : -errno;
	/* Before it is read: if it changes meanwhile, it is another one afterwards. */
	stamp = stamp_read(fileno(stream));
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
	file->stamp = stamp;
	free(text);
	fclose(stream);
	return result;
}

static bool lines_write(const struct ports_file *file, FILE *stream)
{
	char place[XVHC_PLACE_MAX], device[IDENTITY_TEXT_MAX];

	if (file->count == 0 || !file->lines[0].text)
		fputs(header, stream);
	for (uint32_t i = 0; i < file->count; i++) {
		const struct ports_line *line = &file->lines[i];

		if (line->text) {
			fprintf(stream, "%s\n", line->text);
			continue;
		}
		place_format(&line->place, place);
		identity_format(&line->identity, device);
		if (line->by_device)
			fprintf(stream, "device %s  %s\n", device, line->guest);
		else
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

int ports_file_write(struct ports_file *file, const char *path)
{
	struct ports_stamp stamp = {0};
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
	/* Whatever the umask: who asks xvhc doctor reads it as himself. */
	(void)fchmod(fd, 0644);
	stream = fdopen(fd, "w");
	if (!stream) {
		close(fd);
		return -ENOMEM;
	}
	errno = EIO;
	written = lines_write(file, stream);
	result = written ? 0 : -errno;
	if (written)
		stamp = stamp_read(fd);
	fclose(stream);
	if (written && rename(beside, path) != 0)
		result = -errno;
	if (result != 0) {
		unlink(beside);
		return result;
	}
	file->stamp = stamp;
	directory_sync(path);
	return 0;
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

int ports_file_add_device(struct ports_file *file, const struct identity *identity,
			  const char *guest)
{
	struct ports_line *line =
		devices_count(file) < XVHC_GIVEN_DEVICES_MAX ? line_add(file) : NULL;

	if (!line)
		return -ENOMEM;
	line->entry = true;
	line->by_device = true;
	line->identity = *identity;
	snprintf(line->guest, sizeof(line->guest), "%s", guest);
	return 0;
}

/* Removes the lines that give what this one does, or repeat it: they would count from then on. */
static void lines_remove(struct ports_file *file, const struct ports_line *of)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < file->count; i++) {
		const struct ports_line *line = &file->lines[i];

		if ((line->entry || line->repeat) && line->by_device == of->by_device &&
		    (of->by_device ? identity_equal(&line->identity, &of->identity)
				   : place_equal(&line->place, &of->place)))
			free(line->text);
		else
			file->lines[kept++] = *line;
	}
	file->count = kept;
}

void ports_file_remove(struct ports_file *file, const struct place *place)
{
	const struct ports_line of = {.place = *place};

	lines_remove(file, &of);
}

void ports_file_remove_device(struct ports_file *file, const struct identity *identity)
{
	const struct ports_line of = {.by_device = true, .identity = *identity};

	lines_remove(file, &of);
}

void ports_file_fini(struct ports_file *file)
{
	for (uint32_t i = 0; i < file->count; i++)
		free(file->lines[i].text);
	free(file->lines);
	memset(file, 0, sizeof(*file));
}
