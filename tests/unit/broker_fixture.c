// SPDX-License-Identifier: MIT
#include "broker_fixture.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include <broker/given.h>

struct fixture *fixture_new(void (*run_job)(struct job *job, const struct job_paths *paths))
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	fake_sysfs_open(&fixture->sysfs);
	fake_bus(&fixture->sysfs, PCI, 1, "480\n", FIXTURE_PORTS);
	snprintf(fixture->ports_file, PATH_MAX, "%s/ports.conf", fixture->sysfs.root);
	snprintf(fixture->socket, PATH_MAX, "%s/control", fixture->sysfs.root);
	snprintf(fixture->config, PATH_MAX, "%s/xvhc.conf", fixture->sysfs.root);
	fixture->options.sysfs = fixture->sysfs.root;
	fixture->options.ports_file = fixture->ports_file;
	fixture->options.socket = fixture->socket;
	fixture->options.worker = "/proc/self/exe";
	fixture->options.paths = &fixture->paths;
	fixture->options.run_job = run_job;
	fixture->store = memory_store_open();
	return fixture;
}

int fixture_teardown(void **state)
{
	struct fixture *fixture = *state;

	broker_fini(&fixture->broker);
	fake_sysfs_close(&fixture->sysfs);
	free(fixture);
	return 0;
}

void start(struct fixture *fixture)
{
	assert_int_equal(broker_init(&fixture->broker, &fixture->options, fixture->store), 0);
}

void start_with_given(struct fixture *fixture)
{
	fake_file(&fixture->sysfs, PLACE " web\n", "ports.conf");
	memory_store_guest(fixture->store, GUEST, "web");
	start(fixture);
}

void plug(struct fixture *fixture, const char *name, unsigned int number)
{
	fake_device(&fixture->sysfs, name, number, "480\n", 0, 0);
	fixture->broker.topology_dirty = true;
}

void unplug(struct fixture *fixture, const char *name)
{
	fake_unplug(&fixture->sysfs, name);
	fixture->broker.topology_dirty = true;
}

void turn(struct fixture *fixture, uint64_t since_ms, const char *awaited)
{
	if (clock_ms() > since_ms + LIMIT_MS)
		fail_msg("not in time: %s", awaited);
	broker_turn(&fixture->broker, 20);
}

bool node_is(struct fixture *fixture, const char *path, const char *value)
{
	const char *now = memory_store_get(fixture->store, "%s", path);

	return value ? now && strcmp(now, value) == 0 : !now;
}

void until_node(struct fixture *fixture, const char *path, const char *value)
{
	uint64_t since_ms = clock_ms();
	char awaited[256];

	snprintf(awaited, sizeof(awaited), "%s is %s", path, value ? value : "away");
	while (!node_is(fixture, path, value))
		turn(fixture, since_ms, awaited);
}

void until_state_is(struct fixture *fixture, struct given *const *given, const char *word)
{
	char text[IN_USE_TEXT_MAX] = "", awaited[2 * IN_USE_TEXT_MAX];
	uint64_t since_ms = clock_ms();

	do {
		snprintf(awaited, sizeof(awaited), "'%s'; it is '%s'", word, text);
		turn(fixture, since_ms, awaited);
		if (*given)
			given_state_text(&fixture->broker, *given, text, sizeof(text));
		else
			strcpy(text, "none");
	} while (!strstr(text, word));
}

void until_given_is(struct fixture *fixture, const char *word)
{
	until_state_is(fixture, &fixture->broker.given, word);
}

void until_answered(struct fixture *fixture, const char *request, const char *words)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	uint64_t since_ms = clock_ms();
	static char text[65536];
	size_t length = 0;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	ssize_t got;

	assert_true(strlen(fixture->socket) < sizeof(address.sun_path));
	memcpy(address.sun_path, fixture->socket, strlen(fixture->socket));
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(write(fd, request, strlen(request)), strlen(request));
	assert_int_equal(write(fd, "\n", 1), 1);
	text[0] = '\0';
	while (!strchr(text, '\n')) {
		turn(fixture, since_ms, request);
		got = read(fd, text + length, sizeof(text) - 1 - length);
		length += got > 0 ? (size_t)got : 0;
		text[length] = '\0';
	}
	close(fd);
	if (!strstr(text, words))
		fail_msg("no '%s' in: %s", words, text);
}

void frontend_publishes(struct fixture *fixture, const char *directory, unsigned int channel)
{
	char number[16];

	snprintf(number, sizeof(number), "%u", channel);
	memory_store_set(fixture->store, "8", "%s/urb-ring-ref", directory);
	memory_store_set(fixture->store, "9", "%s/conn-ring-ref", directory);
	memory_store_set(fixture->store, number, "%s/event-channel", directory);
	memory_store_set(fixture->store, "4", "%s/state", directory);
}

void job_run_claims(struct job *job)
{
	for (int side = 0; side < 2; side++) {
		if (job->type == JOB_CLAIM && job->side[side].hub.bus && job->side[side].fd < 0)
			job->side[side].fd = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (job->type == JOB_RELEASE && job->side[side].fd >= 0)
			close(job->side[side].fd);
	}
}

void worker_say(uint32_t type, uint32_t port, uint32_t state)
{
	struct message message = {.type = type};

	message.u.port.port = port;
	message.u.port.state = state;
	if (message_send(3, &message, NULL) != 0)
		_exit(3);
}

struct message description_of_a_stick(void)
{
	struct message answer = {.type = MESSAGE_DESCRIPTION};

	answer.u.description.vendor = 0x46f4;
	answer.u.description.product = 1;
	answer.u.description.complete = 1;
	answer.u.description.kinds = 1;
	answer.u.description.kind[0] = (struct message_kind){8, 6, 0x50};
	return answer;
}

struct message description_of_a_keyboard(void)
{
	struct message answer = description_of_a_stick();

	answer.u.description.kind[0] = (struct message_kind){3, 1, 1};
	return answer;
}

void worker_describe_stick(void)
{
	struct message answer = description_of_a_stick();

	if (message_send(3, &answer, NULL) != 0)
		_exit(3);
}

int answer_open(const struct message *answer)
{
	int fd = memfd_create("answer", MFD_CLOEXEC);

	if (write(fd, answer, sizeof(*answer)) != sizeof(*answer))
		abort();
	return fd;
}

struct message answer_read(const struct message_fds *fds)
{
	struct message answer;

	if (fds->count != 1 || pread(fds->fd[0], &answer, sizeof(answer), 0) != sizeof(answer))
		_exit(4);
	return answer;
}
