// SPDX-License-Identifier: MIT
/*
 * Makes a pair of sockets, hands one end to the broker, and writes what comes out of the other. The
 * first signal asks for the end: the broker and the workers hear of it as our sending side closes,
 * send what they still have, and hang up. The second signal does not wait for them.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "ask.h"
#include "capture_file.h"
#include "client.h"
#include "error.h"

#define OPTION_WRITE 0
#define OPTION_BYTES 1
#define OPTION_COUNT 2

#define QUEUE_BYTES (8 << 20) /* in the kernel, of records that we have not read */
#define BATCH 64u             /* records between two looks at the signals */
#define END_LIMIT_S 3         /* for the workers to say what they still have */

#ifndef XVHC_VERSION
#define XVHC_VERSION "unknown"
#endif

struct job {
	const char *path; /* "-": standard output */
	uint64_t count;   /* packets, then it ends; 0: no limit */
	int records;      /* socket */
	int output;
	bool regular;
	bool gone;         /* nobody reads what we write any more */
	bool ending;       /* we have asked for the end */
	uint64_t until_ns; /* then: how long we wait for it */
};

static struct capture_file file;
static uint8_t message[CAPTURE_RECORD_MAX];
static volatile sig_atomic_t signals;

static void signal_note(int number)
{
	(void)number;
	signals++;
}

static uint64_t time_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int block_write(void *context, const void *bytes, size_t length)
{
	struct job *job = context;
	const uint8_t *at = bytes;

	while (length > 0) {
		ssize_t written = write(job->output, at, length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		at += written;
		length -= (size_t)written;
	}
	return 0;
}

/* A number of at most max, for an option. False after a sentence. */
static bool number_read(const char *text, const char *option, uint64_t max, uint64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 10);
	if (text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0 && *number <= max)
		return true;
	error_say("the option --%s takes a number of at most %" PRIu64 ".", option, max);
	return false;
}

/* What is captured may hold secrets: a file of ours can be read by its owner alone. */
static int output_open(struct job *job)
{
	struct stat status;

	job->output = strcmp(job->path, "-") == 0
			      ? STDOUT_FILENO
			      : open(job->path,
				     O_WRONLY | O_CREAT | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC, 0600);
	if (job->output < 0 || fstat(job->output, &status) != 0) {
		error_say("%s cannot be written: %s", job->path, strerror(errno));
		return -1;
	}
	job->regular = S_ISREG(status.st_mode);
	if (job->output == STDOUT_FILENO || !job->regular)
		return 0;
	if (fchmod(job->output, 0600) == 0 && ftruncate(job->output, 0) == 0)
		return 0;
	error_say("%s cannot be made anew: %s", job->path, strerror(errno));
	return -1;
}

static int job_read(const struct call *call, struct job *job, uint64_t *bytes)
{
	const char *count = call->values[OPTION_COUNT], *most = call->values[OPTION_BYTES];

	job->path = call->values[OPTION_WRITE];
	if (!job->path) {
		error_say("capture where to? --write FILE, or --write - for standard output");
		return EXIT_USAGE;
	}
	if (strcmp(job->path, "-") == 0 && isatty(STDOUT_FILENO)) {
		error_say("what is captured is not for a terminal. Give it to a program: xvhc "
			  "capture web -w - | wireshark -k -i -");
		return EXIT_USAGE;
	}
	*bytes = XVHC_CAPTURE_DATA_DEFAULT;
	if ((count && !number_read(count, "count", UINT32_MAX, &job->count)) ||
	    (most && !number_read(most, "snaplen", XVHC_CAPTURE_DATA_MAX, bytes)))
		return EXIT_USAGE;
	return EXIT_SUCCESS;
}

/* Makes the sockets and asks the broker. Prints its sentence. Returns the exit code. */
static int capture_ask(const struct call *call, struct job *job, uint64_t bytes)
{
	struct json_object *request = request_new("capture"), *answer, *ok, *text;
	const int queue = QUEUE_BYTES;
	int pair[2], code = EXIT_FAILURE;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
		error_say("no socket can be made: %s", strerror(errno));
		json_object_put(request);
		return EXIT_FAILURE;
	}
	/* Only root may have more than the system's limit. */
	if (setsockopt(pair[1], SOL_SOCKET, SO_SNDBUFFORCE, &queue, sizeof(queue)) != 0)
		(void)setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &queue, sizeof(queue));
	request_add(request, "target", call->words[0]);
	json_object_object_add(request, "bytes", json_object_new_int64((int64_t)bytes));
	answer = client_ask_with(call->socket, request, pair[1]);
	json_object_put(request);
	close(pair[1]);
	job->records = pair[0];
	if (!answer)
		return EXIT_FAILURE;
	if (json_object_object_get_ex(answer, "ok", &ok) && json_object_get_boolean(ok))
		code = EXIT_SUCCESS;
	if (!json_object_object_get_ex(answer, "message", &text))
		text = NULL;
	/* Standard output may be the file. */
	if (text && code == EXIT_SUCCESS)
		line_print(stderr, json_object_get_string(text));
	else if (text)
		error_say("%s", json_object_get_string(text));
	json_object_put(answer);
	return code;
}

static int begin(struct job *job)
{
	struct utsname system;
	char text[sizeof(system.sysname) + sizeof(system.release) + 2];

	uname(&system);
	snprintf(text, sizeof(text), "%s %s", system.sysname, system.release);
	file.put = block_write;
	file.context = job;
	return capture_file_begin(&file, time_ns(CLOCK_REALTIME), system.machine, text,
				  "xvhc " XVHC_VERSION);
}

static bool is_full(const struct job *job)
{
	return job->count != 0 && file.packets >= job->count;
}

/* Takes some records. Returns 1; 0 at their end; -errno where they cannot be written. */
static int records_take(struct job *job)
{
	for (uint32_t i = 0; i < BATCH && !is_full(job); i++) {
		ssize_t got = recv(job->records, message, sizeof(message), MSG_DONTWAIT);
		int result;

		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			return 1;
		if (got <= 0)
			return 0;
		result = capture_file_add(&file, message, (size_t)got);
		if (result != 0)
			return result;
	}
	return is_full(job) ? 0 : 1;
}

static void end_ask(struct job *job)
{
	job->ending = true;
	job->until_ns = time_ns(CLOCK_MONOTONIC) + END_LIMIT_S * 1000000000ull;
	shutdown(job->records, SHUT_WR);
}

/* Returns 0, or -errno where something cannot be written. */
static int records_follow(struct job *job, const sigset_t *signals_open)
{
	const struct timespec limit = {.tv_sec = END_LIMIT_S};
	struct pollfd wait[] = {
		{.fd = job->records, .events = POLLIN},
		/* Of a pipe: whether somebody reads. A regular file is always ready: not asked. */
		{.fd = job->regular ? -1 : job->output, .events = 0},
	};
	int result = 1;

	while (result > 0) {
		(void)ppoll(wait, 2, job->ending ? &limit : NULL, signals_open);
		if (wait[1].revents & (POLLERR | POLLHUP))
			return -EPIPE;
		if (signals > 1 || (job->ending && time_ns(CLOCK_MONOTONIC) >= job->until_ns))
			return 0;
		result = records_take(job);
		if (signals > 0 && !job->ending)
			end_ask(job);
	}
	return result;
}

/* A number with commas, such as 1,234. */
static const char *number_text(uint64_t number, char text[32])
{
	char digits[24];
	size_t length, used = 0;

	snprintf(digits, sizeof(digits), "%" PRIu64, number);
	length = strlen(digits);
	for (size_t i = 0; i < length; i++) {
		if (i > 0 && (length - i) % 3 == 0)
			text[used++] = ',';
		text[used++] = digits[i];
	}
	text[used] = '\0';
	return text;
}

static int finish(struct job *job, int result)
{
	char packets[32], lost[32];
	bool hung_up = result == 0 && !job->ending && !is_full(job);

	if (result == 0)
		result = capture_file_end(&file, time_ns(CLOCK_REALTIME));
	if (job->output != STDOUT_FILENO && close(job->output) != 0 && result == 0)
		result = -errno;
	fprintf(stderr, "%s packets, %s lost\n", number_text(file.packets, packets),
		number_text(file.lost, lost));
	if (file.senseless > 0)
		error_say("%s records made no sense, and were left out.",
			  number_text(file.senseless, packets));
	if (result != 0 && result != -EPIPE)
		error_say("%s cannot be written: %s", job->path, strerror(-result));
	if (hung_up)
		error_say("xvhcd has ended, and the capture with it.");
	return (result == 0 || result == -EPIPE) && !hung_up ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* They are let in while we wait, and at no other time. */
static void signals_take(sigset_t *open)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction action = {.sa_handler = signal_note};
	sigset_t taken;

	sigemptyset(&action.sa_mask);
	sigemptyset(&taken);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		sigaction(numbers[i], &action, NULL);
		sigaddset(&taken, numbers[i]);
	}
	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_BLOCK, &taken, open);
}

static int run(const struct call *call)
{
	struct job job = {.records = -1, .output = -1};
	sigset_t open;
	uint64_t bytes;
	int code = job_read(call, &job, &bytes), result;

	if (code != EXIT_SUCCESS)
		return code;
	code = capture_ask(call, &job, bytes);
	if (code != EXIT_SUCCESS)
		return code;
	if (output_open(&job) != 0)
		return EXIT_FAILURE;
	signals_take(&open);
	result = begin(&job);
	if (result == 0)
		result = records_follow(&job, &open);
	return finish(&job, result);
}

const struct command command_capture = {
	.name = "capture",
	.form = "GUEST|PORT",
	.words_min = 1,
	.words_max = 1,
	.summary = "write down what crosses the ring, for Wireshark",
	.options =
		{
			[OPTION_WRITE] = {"write", 'w', "FILE", "where to; - is standard output"},
			[OPTION_BYTES] = {"snaplen", 's', "BYTES",
					  "data of a request at most; else 65536"},
			[OPTION_COUNT] = {"count", 'c', "COUNT", "end after so many packets"},
		},
	.help = "Writes each request of a guest, and its answer, to a file in the format of\n"
		"Wireshark (pcapng, with USB packets as usbmon has them), until Ctrl-C. A request\n"
		"that xvhcd refuses has the reason as a comment; it has not reached the device. A\n"
		"request that xvhcd answers by itself is marked, too.\n"
		"\n"
		"With the name of a guest, all that it asks for is captured; with that of a given\n"
		"port, what is asked of the device in it. The guest need not run yet. Each port "
		"is\n"
		"an interface of the file, and a bus of its own; a device has the address that "
		"the\n"
		"guest gave it. Requests of the port itself are shown as those of device 127.\n"
		"\n"
		"The data may hold secrets: what is typed, what a disk has. The file is made "
		"anew,\n"
		"for its owner alone. With -s 0, no data is captured. A guest that is faster than\n"
		"the file is not held up: packets are lost, and the file says how many.\n"
		"\n"
		"Examples:\n"
		"  xvhc capture web -w web.pcapng\n"
		"  xvhc capture 1-2 -w - | wireshark -k -i -\n"
		"  xvhc capture web -w - | tshark -r - -Y \"usb.urb_type == 'E'\"\n",
	.run = run,
};
