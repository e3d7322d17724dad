// SPDX-License-Identifier: MIT
#include "doctor.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FINDING_TEXT_MAX 2048u

const char *level_name(enum level level)
{
	static const char *const names[LEVELS] = {
		[LEVEL_OK] = "ok",
		[LEVEL_WARNING] = "warning",
		[LEVEL_FAILURE] = "failure",
	};

	return names[level];
}

void finding_add(struct doctor *doctor, const char *check, enum level level, const char *todo,
		 const char *format, ...)
{
	struct json_object *finding = json_object_new_object();
	char text[FINDING_TEXT_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	json_object_object_add(finding, "check", json_object_new_string(check));
	json_object_object_add(finding, "level", json_object_new_string(level_name(level)));
	json_object_object_add(finding, "what", json_object_new_string(text));
	json_object_object_add(finding, "do", todo ? json_object_new_string(todo) : NULL);
	json_object_array_add(doctor->findings, finding);
	doctor->counts[level]++;
}

static bool path_make(const struct doctor *doctor, const char *path, char whole[PATH_MAX])
{
	return snprintf(whole, PATH_MAX, "%s%s", doctor->root, path) < PATH_MAX;
}

bool doctor_has(const struct doctor *doctor, const char *path)
{
	char whole[PATH_MAX];

	return path_make(doctor, path, whole) && access(whole, F_OK) == 0;
}

DIR *doctor_open(const struct doctor *doctor, const char *path)
{
	char whole[PATH_MAX];

	return path_make(doctor, path, whole) ? opendir(whole) : NULL;
}

int doctor_count(const struct doctor *doctor, const char *path, const char *begin)
{
	DIR *directory = doctor_open(doctor, path);
	struct dirent *entry;
	int count = 0;

	if (!directory)
		return -1;
	while ((entry = readdir(directory)))
		count += strncmp(entry->d_name, begin, strlen(begin)) == 0;
	closedir(directory);
	return count;
}

bool doctor_read(const struct doctor *doctor, const char *path, char *text, size_t size)
{
	char whole[PATH_MAX];
	FILE *stream;

	text[0] = '\0';
	stream = path_make(doctor, path, whole) ? fopen(whole, "re") : NULL;
	if (!stream)
		return false;
	if (!fgets(text, (int)size, stream))
		text[0] = '\0';
	fclose(stream);
	text[strcspn(text, "\n")] = '\0';
	return true;
}

const char *doctor_answer_text(const struct doctor *doctor, const char *name)
{
	struct json_object *member;

	if (!doctor->answer || !json_object_object_get_ex(doctor->answer, name, &member))
		return NULL;
	return json_object_get_string(member);
}
