// SPDX-License-Identifier: MIT
/* xvhcd itself: whether it runs, answers, and would understand its files. */
#include "doctor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ask.h"
#include "client.h"

#ifndef XVHC_LIBEXECDIR
#define XVHC_LIBEXECDIR "/usr/libexec"
#endif
#ifndef XVHC_VERSION
#define XVHC_VERSION "unknown"
#endif

#define CHECK_LINE_MAX 1024u

/* Whether somebody listens there: 0 or -errno. */
static int socket_try(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd, result;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	result = connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 ? 0 : -errno;
	close(fd);
	return result;
}

void check_broker(struct doctor *doctor)
{
	struct json_object *request, *ok;
	int result = socket_try(doctor->socket);

	if (result == 0) {
		request = request_new("doctor");
		doctor->answer = client_ask(doctor->socket, request);
		json_object_put(request);
	}
	if (result == -ENOENT || result == -ECONNREFUSED)
		finding_add(
			doctor, "xvhcd", LEVEL_FAILURE,
			"Start it: systemctl start xvhcd, or as root: xvhcd. If it ends at once, "
			"its log says why: journalctl -u xvhcd.",
			"xvhcd does not run: nobody listens on %s", doctor->socket);
	else if (result == -EACCES || result == -EPERM)
		finding_add(doctor, "xvhcd", LEVEL_FAILURE,
			    "Use sudo, or become a member of the group xvhc.",
			    "you may not use the socket of xvhcd, %s", doctor->socket);
	else if (result != 0)
		finding_add(doctor, "xvhcd", LEVEL_FAILURE, "Restart it: systemctl restart xvhcd.",
			    "xvhcd cannot be reached by %s: %s", doctor->socket, strerror(-result));
	else if (!doctor->answer)
		finding_add(doctor, "xvhcd", LEVEL_FAILURE, "Restart it: systemctl restart xvhcd.",
			    "xvhcd does not answer");
	else if (json_object_object_get_ex(doctor->answer, "ok", &ok) &&
		 json_object_get_boolean(ok))
		finding_add(doctor, "xvhcd", LEVEL_OK, NULL, "xvhcd runs and answers (process %s)",
			    doctor_answer_text(doctor, "pid"));
	else
		finding_add(
			doctor, "xvhcd", LEVEL_FAILURE,
			"If it is older than this command, restart it: systemctl restart xvhcd.",
			"xvhcd refuses: %s", doctor_answer_text(doctor, "message"));
}

void check_version(struct doctor *doctor)
{
	const char *version = doctor_answer_text(doctor, "version");

	if (!version)
		return;
	if (strcmp(version, XVHC_VERSION) == 0)
		finding_add(doctor, "version", LEVEL_OK, NULL, "xvhc and xvhcd are version %s",
			    version);
	else
		finding_add(doctor, "version", LEVEL_WARNING,
			    "Restart xvhcd, so that the new one runs: systemctl restart xvhcd.",
			    "xvhc is version " XVHC_VERSION ", and the xvhcd that runs is %s",
			    version);
}

void check_xenstore(struct doctor *doctor)
{
	struct json_object *answers;

	if (!doctor->answer || !json_object_object_get_ex(doctor->answer, "xenstore", &answers))
		return;
	if (json_object_get_boolean(answers))
		finding_add(doctor, "xenstore", LEVEL_OK, NULL, "XenStore answers xvhcd");
	else
		finding_add(doctor, "xenstore", LEVEL_FAILURE,
			    "Look whether xenstored runs (systemctl status xen, or xenstored), and "
			    "restart "
			    "xvhcd.",
			    "XenStore does not answer xvhcd");
}

void check_worker(struct doctor *doctor)
{
	const char *worker = doctor_answer_text(doctor, "worker");

	if (!worker)
		worker = XVHC_LIBEXECDIR "/xvhcd-worker";
	if (access(worker, X_OK) == 0)
		finding_add(doctor, "worker", LEVEL_OK, NULL, "the program %s is there", worker);
	else
		finding_add(doctor, "worker", LEVEL_FAILURE,
			    "Install xvhc anew, or name the program by xvhcd --worker.",
			    "%s cannot be run: %s", worker, strerror(errno));
}

/* How many files xvhcd may have open. 0: it is not known, or there is no limit. */
static unsigned long files_limit(const struct doctor *doctor, const char *pid)
{
	static const char begin[] = "Max open files";
	char path[256], line[256];
	unsigned long limit = 0;
	FILE *stream;

	snprintf(path, sizeof(path), "%s/proc/%s/limits", doctor->root, pid);
	stream = fopen(path, "re");
	if (!stream)
		return 0;
	while (fgets(line, sizeof(line), stream))
		if (strncmp(line, begin, strlen(begin)) == 0)
			limit = strtoul(line + strlen(begin), NULL, 10);
	fclose(stream);
	return limit;
}

void check_limits(struct doctor *doctor)
{
	const char *pid = doctor_answer_text(doctor, "pid");
	unsigned long limit = pid ? files_limit(doctor, pid) : 0;
	char path[64];
	int used;

	snprintf(path, sizeof(path), "/proc/%s/fd", pid ? pid : "none");
	used = doctor_count(doctor, path, "");
	/* Only root may look. */
	if (limit == 0 || used < 0)
		return;
	if ((unsigned long)used > limit / 4 * 3)
		finding_add(
			doctor, "limits", LEVEL_WARNING,
			"Let it have more: LimitNOFILE=16384 in a drop-in of its unit (systemctl "
			"edit xvhcd), or ulimit -n before it is started.",
			"xvhcd has %d files open, of %lu that it may have", used, limit);
	else
		finding_add(doctor, "limits", LEVEL_OK, NULL,
			    "xvhcd has %d files open, of %lu that it may have", used, limit);
}

/* Each line that xvhcd --check says is a fault. Returns how many there were. */
static uint32_t faults_read(struct doctor *doctor, FILE *stream)
{
	static const char *const prefixes[] = {"xvhcd: ", "error: "};
	char line[CHECK_LINE_MAX], *text;
	uint32_t count = 0;

	while (fgets(line, sizeof(line), stream)) {
		line[strcspn(line, "\n")] = '\0';
		text = line;
		for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
			if (strncmp(text, prefixes[i], strlen(prefixes[i])) == 0)
				text += strlen(prefixes[i]);
		finding_add(
			doctor, "files", LEVEL_FAILURE,
			"Put it right (xvhc.conf(5) tells what can stand there), and have xvhcd "
			"read it: systemctl reload xvhcd, or kill -HUP $(pidof xvhcd).",
			"%s", text);
		count++;
	}
	return count;
}

/* Runs xvhcd --check with its standard error in a pipe. Returns its end to read; -1: it failed. */
static int check_start(const struct doctor *doctor, const char *config, const char *ports,
		       pid_t *pid)
{
	const char *arguments[8] = {doctor->daemon, "--check"};
	size_t count = 2;
	int ends[2];

	if (config) {
		arguments[count++] = "--config";
		arguments[count++] = config;
	}
	if (ports) {
		arguments[count++] = "--ports-file";
		arguments[count++] = ports;
	}
	if (pipe(ends) != 0)
		return -1;
	*pid = fork();
	if (*pid == 0) {
		dup2(ends[1], STDERR_FILENO);
		close(ends[0]);
		close(ends[1]);
		execv(doctor->daemon, (char *const *)arguments);
		_exit(127);
	}
	close(ends[1]);
	if (*pid < 0)
		close(ends[0]);
	return *pid < 0 ? -1 : ends[0];
}

void check_files(struct doctor *doctor)
{
	const char *config = doctor_answer_text(doctor, "config");
	const char *ports = doctor_answer_text(doctor, "ports-file");
	uint32_t faults = 0;
	int status = -1, fd;
	FILE *stream;
	pid_t pid;

	/* That there is a default one need not be. */
	fd = check_start(doctor, config && access(config, F_OK) == 0 ? config : NULL, ports, &pid);
	if (fd >= 0) {
		stream = fdopen(fd, "r");
		if (stream) {
			faults = faults_read(doctor, stream);
			fclose(stream);
		}
		waitpid(pid, &status, 0);
	}
	if (faults > 0)
		return;
	if (fd >= 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		finding_add(doctor, "files", LEVEL_OK, NULL, "xvhc.conf and ports.conf are right");
	else
		finding_add(doctor, "files", LEVEL_WARNING,
			    "Install xvhcd there, or run xvhcd --check by hand.",
			    "%s --check cannot be run: nothing tells whether xvhc.conf and "
			    "ports.conf are right",
			    doctor->daemon);
}
