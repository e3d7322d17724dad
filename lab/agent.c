// SPDX-License-Identifier: MIT
/*
 * The lab's agent: runs commands in dom0 or in a guest for the host outside.
 *
 * It is the first process of the image, after the init script, and speaks over one character
 * device: a virtio-serial port in dom0, the console in a guest. The kernel may write to that
 * console too, so each message is a line of its own with a mark in front and a checksum behind:
 *
 *	\x01 TYPE ' ' ID ' ' NUMBER ' ' BASE64-OR-DASH ' ' CRC32 \n
 *
 * What is not such a line is skipped. All output of a command carries its offset and is kept until
 * the host says "forget", so that the host can ask again for what was garbled.
 *
 * From the host:			From the agent:
 *  E id flags command: run		 B id pid total: runs, with that much output so far
 *  O id flags path: open a device	 R id offset data: output
 *  I id offset data: input		 A id count: input taken so far
 *  C id: no more input			 X id status total: has ended
 *  K id signal: kill its group		 U id: no such job
 *  S id: say B or X again		 H number: here I am
 *  G id offset length: give this output again
 *  F id: forget it
 *  P number: are you there?
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

enum {
	JOBS_MAX = 64,
	LINE_MAX_BYTES = 65536,
	KEEP_MAX = 8 << 20,
	LINK_QUEUE_HIGH = 64 << 10,
};

enum job_flags {
	JOB_PTY = 1,    /* run it under a terminal of its own */
	JOB_INPUT = 2,  /* its input comes from the host */
	JOB_STREAM = 4, /* do not keep its output */
};

struct bytes {
	char *data;
	size_t length;
	size_t size;
};

struct job {
	int id; /* 0: this slot is free */
	unsigned int flags;
	pid_t pid; /* 0: a device, or a process that has ended */
	int in;
	int out;
	bool in_close;
	bool ended;
	int status;
	size_t in_count;
	size_t out_count;
	struct bytes input; /* not yet written to it */
	struct bytes kept;
};

static struct job jobs[JOBS_MAX];
static struct bytes link_out;
static struct bytes link_in;
static size_t chunk_max;
static int child_pipe[2];

static void die(const char *what)
{
	fprintf(stderr, "lab-agent: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void bytes_add(struct bytes *bytes, const void *data, size_t length)
{
	if (bytes->length + length > bytes->size) {
		bytes->size = (bytes->length + length) * 2 + 4096;
		bytes->data = realloc(bytes->data, bytes->size);
		if (!bytes->data)
			die("realloc");
	}
	memcpy(bytes->data + bytes->length, data, length);
	bytes->length += length;
}

static void bytes_drop(struct bytes *bytes, size_t length)
{
	memmove(bytes->data, bytes->data + length, bytes->length - length);
	bytes->length -= length;
}

static void bytes_free(struct bytes *bytes)
{
	free(bytes->data);
	*bytes = (struct bytes){0};
}

static uint32_t crc32_of(const char *data, size_t length)
{
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < length; i++) {
		crc ^= (uint8_t)data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Returns the length of what it wrote to out, which has room for length * 4 / 3 + 4. */
static size_t base64_encode(char *out, const char *data, size_t length)
{
	const uint8_t *in = (const uint8_t *)data;
	char *start = out;

	for (size_t i = 0; i < length; i += 3) {
		size_t left = length - i;
		uint32_t group =
			in[i] << 16 | (left > 1 ? in[i + 1] << 8 : 0) | (left > 2 ? in[i + 2] : 0);

		*out++ = digits[group >> 18];
		*out++ = digits[group >> 12 & 63];
		*out++ = left > 1 ? digits[group >> 6 & 63] : '=';
		*out++ = left > 2 ? digits[group & 63] : '=';
	}
	return out - start;
}

/* Decodes in place. Returns the length; what is not base64 ends it. */
static size_t base64_decode(char *data)
{
	uint8_t *out = (uint8_t *)data;
	uint32_t group = 0;
	int bits = 0;

	for (const char *in = data; *in && *in != '='; in++) {
		const char *digit = strchr(digits, *in);

		if (!digit)
			break;
		group = group << 6 | (digit - digits);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			*out++ = group >> bits;
		}
	}
	return out - (uint8_t *)data;
}

static void send_line(char type, int id, long long number, const char *data, size_t length)
{
	size_t size = length * 4 / 3 + 128;
	char *line = malloc(size);
	size_t used;

	if (!line)
		die("malloc");
	used = sprintf(line, "\x01%c %d %lld ", type, id, number);
	if (length)
		used += base64_encode(line + used, data, length);
	else
		line[used++] = '-';
	used += sprintf(line + used, " %08x\n", crc32_of(line + 1, used - 1));
	bytes_add(&link_out, line, used);
	free(line);
}

static struct job *job_find(int id)
{
	for (int i = 0; i < JOBS_MAX; i++)
		if (jobs[i].id == id)
			return &jobs[i];
	return NULL;
}

static void job_close(int *fd, int other)
{
	if (*fd >= 0 && *fd != other)
		close(*fd);
	*fd = -1;
}

static void job_forget(struct job *job)
{
	job_close(&job->in, job->out);
	job_close(&job->out, -1);
	bytes_free(&job->input);
	bytes_free(&job->kept);
	*job = (struct job){0};
}

static void job_report(struct job *job)
{
	char total[32];
	int length = sprintf(total, "%zu", job->out_count);

	send_line(job->ended ? 'X' : 'B', job->id, job->ended ? job->status : job->pid, total,
		  length);
}

static void job_end(struct job *job, int status)
{
	job->pid = 0;
	job->ended = true;
	job->status = status;
	job_report(job);
}

static void set_raw(int fd)
{
	struct termios mode;

	if (tcgetattr(fd, &mode) != 0)
		return;
	cfmakeraw(&mode);
	mode.c_cflag |= CLOCAL | CREAD;
	tcsetattr(fd, TCSANOW, &mode);
}

static void run_command(const char *command)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGCHLD, SIG_DFL);
	execl("/bin/sh", "sh", "-c", command, NULL);
	_exit(127);
}

static void job_spawn_pty(struct job *job, const char *command)
{
	struct winsize size = {.ws_row = 50, .ws_col = 120};
	int master;

	job->pid = forkpty(&master, NULL, NULL, &size);
	if (job->pid == 0) {
		setenv("TERM", "linux", 1);
		run_command(command);
	}
	job->in = job->out = master;
}

static void job_spawn(struct job *job, const char *command)
{
	int in[2], out[2];

	if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
		die("pipe");
	job->pid = fork();
	if (job->pid == 0) {
		setsid();
		if (!(job->flags & JOB_INPUT)) {
			int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

			dup2(null, 0);
		} else {
			dup2(in[0], 0);
		}
		dup2(out[1], 1);
		dup2(out[1], 2);
		run_command(command);
	}
	close(in[0]);
	close(out[1]);
	job->in = in[1];
	job->out = out[0];
	if (!(job->flags & JOB_INPUT))
		job_close(&job->in, -1);
}

static void job_start(char type, int id, unsigned int flags, const char *what)
{
	struct job *job = job_find(id);

	if (job) {
		job_report(job);
		return;
	}
	job = job_find(0);
	if (!job || id == 0) {
		send_line('U', id, 0, NULL, 0);
		return;
	}
	*job = (struct job){.id = id, .flags = flags, .in = -1, .out = -1};
	if (type == 'O') {
		job->in = job->out = open(what, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
		if (job->out < 0) {
			job_end(job, errno);
			return;
		}
		set_raw(job->out);
	} else if (flags & JOB_PTY) {
		job_spawn_pty(job, what);
	} else {
		job_spawn(job, what);
	}
	if (job->in >= 0)
		fcntl(job->in, F_SETFL, O_NONBLOCK);
	if (job->out >= 0) {
		fcntl(job->out, F_SETFL, O_NONBLOCK);
		fcntl(job->out, F_SETFD, FD_CLOEXEC);
	}
	job_report(job);
	if (type == 'E' && job->pid < 0)
		job_end(job, 127);
}

/* Give output again; what lies outside of what was kept is left out. */
static void job_repeat(struct job *job, size_t offset, size_t length)
{
	while (length && offset < job->kept.length) {
		size_t part = job->kept.length - offset;

		if (part > chunk_max)
			part = chunk_max;
		if (part > length)
			part = length;
		send_line('R', job->id, offset, job->kept.data + offset, part);
		offset += part;
		length -= part;
	}
}

static void job_take_input(struct job *job, size_t offset, const char *data, size_t length)
{
	if (offset == job->in_count) {
		bytes_add(&job->input, data, length);
		job->in_count += length;
	}
	send_line('A', job->id, job->in_count, NULL, 0);
}

static void handle_message(char type, int id, long long number, char *data, size_t length)
{
	struct job *job = job_find(id);

	if (type == 'P') {
		send_line('H', id, number, NULL, 0);
	} else if (type == 'E' || type == 'O') {
		data[length] = '\0';
		job_start(type, id, number, data);
	} else if (!job || id == 0) {
		send_line('U', id, 0, NULL, 0);
	} else if (type == 'I') {
		job_take_input(job, number, data, length);
	} else if (type == 'C') {
		job->in_close = true;
	} else if (type == 'K') {
		if (job->pid > 0 && kill(-job->pid, number) != 0)
			kill(job->pid, number);
	} else if (type == 'S') {
		job_report(job);
	} else if (type == 'G') {
		data[length] = '\0';
		job_repeat(job, number, strtoul(data, NULL, 10));
	} else if (type == 'F') {
		job_forget(job);
	}
}

/* Lines with a wrong checksum are dropped: the host says them again. */
static void handle_line(char *line)
{
	char *mark = strrchr(line, '\x01');
	char *check, *data;
	long long number;
	char type;
	int id, used;

	if (!mark)
		return;
	mark++;
	check = strrchr(mark, ' ');
	if (!check || strtoul(check + 1, NULL, 16) != crc32_of(mark, check - mark))
		return;
	*check = '\0';
	if (sscanf(mark, "%c %d %lld %n", &type, &id, &number, &used) != 3)
		return;
	data = mark + used;
	handle_message(type, id, number, data, *data == '-' ? 0 : base64_decode(data));
}

static void handle_link_input(int fd)
{
	char buffer[4096];
	ssize_t length = read(fd, buffer, sizeof(buffer));
	char *end;

	if (length <= 0) {
		/* The host's end of a virtio port is not open: look again soon. */
		if (length == 0)
			poll(NULL, 0, 50);
		return;
	}
	bytes_add(&link_in, buffer, length);
	while ((end = memchr(link_in.data, '\n', link_in.length))) {
		size_t used = end + 1 - link_in.data;

		*end = '\0';
		handle_line(link_in.data);
		bytes_drop(&link_in, used);
	}
	if (link_in.length > LINE_MAX_BYTES)
		link_in.length = 0;
}

static void handle_link_output(int fd)
{
	ssize_t length = write(fd, link_out.data, link_out.length);

	if (length > 0)
		bytes_drop(&link_out, length);
}

/* Returns false when there is nothing more to read for now. */
static bool handle_job_output(struct job *job)
{
	char buffer[12288];
	ssize_t length = read(job->out, buffer, chunk_max);

	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (length <= 0) {
		bool device = !job->pid && !job->ended;

		job_close(&job->in, job->out);
		job_close(&job->out, -1);
		if (device)
			job_end(job, 0);
		return false;
	}
	/* What a daemon says after the command that started it has ended is nobody's output. */
	if (job->ended)
		return true;
	send_line('R', job->id, job->out_count, buffer, length);
	job->out_count += length;
	if (!(job->flags & JOB_STREAM) && job->kept.length + length <= KEEP_MAX)
		bytes_add(&job->kept, buffer, length);
	return true;
}

static void handle_job_input(struct job *job)
{
	if (job->input.length) {
		ssize_t length = write(job->in, job->input.data, job->input.length);

		if (length > 0)
			bytes_drop(&job->input, length);
		else if (length < 0 && errno != EAGAIN)
			job_close(&job->in, job->out);
	}
	if (job->in_close && !job->input.length)
		job_close(&job->in, job->out);
}

static void handle_children(void)
{
	char drain[64];
	int status;
	pid_t pid;

	while (read(child_pipe[0], drain, sizeof(drain)) > 0)
		;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (int i = 0; i < JOBS_MAX; i++) {
			struct job *job = &jobs[i];

			if (!job->id || job->pid != pid)
				continue;
			while (job->out >= 0 && handle_job_output(job))
				;
			job_end(job,
				WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
		}
	}
}

static void note_child(int signal)
{
	int saved = errno;

	(void)signal;
	(void)!write(child_pipe[1], "", 1);
	errno = saved;
}

/* Entry 0 is the link, 1 the children, then two for each job: its output and its input. */
static void loop_once(int fd)
{
	struct pollfd polls[2 + 2 * JOBS_MAX];
	bool full = link_out.length > LINK_QUEUE_HIGH;

	polls[0] = (struct pollfd){fd, POLLIN | (link_out.length ? POLLOUT : 0), 0};
	polls[1] = (struct pollfd){child_pipe[0], POLLIN, 0};
	for (int i = 0; i < JOBS_MAX; i++) {
		struct job *job = &jobs[i];
		bool input = job->id && (job->input.length || job->in_close);

		polls[2 + 2 * i] = (struct pollfd){job->id && !full ? job->out : -1, POLLIN, 0};
		polls[3 + 2 * i] = (struct pollfd){input ? job->in : -1, POLLOUT, 0};
	}
	if (poll(polls, 2 + 2 * JOBS_MAX, -1) < 0)
		return;
	for (int i = 0; i < JOBS_MAX; i++) {
		if (polls[2 + 2 * i].revents && jobs[i].out >= 0)
			handle_job_output(&jobs[i]);
		if (polls[3 + 2 * i].revents && jobs[i].in >= 0)
			handle_job_input(&jobs[i]);
	}
	if (polls[1].revents)
		handle_children();
	if (polls[0].revents & POLLOUT)
		handle_link_output(fd);
	if (polls[0].revents & ~POLLOUT)
		handle_link_input(fd);
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = note_child, .sa_flags = SA_RESTART};
	int fd;

	if (argc != 2) {
		fprintf(stderr, "Usage: lab-agent DEVICE\n");
		return 2;
	}
	fd = open(argv[1], O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		die(argv[1]);
	set_raw(fd);
	/* A console gets short lines: less is lost when the kernel writes into one. */
	chunk_max = isatty(fd) ? 384 : 12288;
	if (pipe2(child_pipe, O_CLOEXEC | O_NONBLOCK) != 0)
		die("pipe");
	signal(SIGPIPE, SIG_IGN);
	sigaction(SIGCHLD, &action, NULL);
	send_line('H', 0, 0, NULL, 0);
	for (;;)
		loop_once(fd);
}
