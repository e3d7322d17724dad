// SPDX-License-Identifier: MIT
/* Messages and descriptors over a socket pair. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <common/message_io.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

struct pair {
	int ours, theirs;
};

static int setup(void **state)
{
	struct pair *pair = calloc(1, sizeof(*pair));
	int sockets[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0)
		return -1;
	pair->ours = sockets[0];
	pair->theirs = sockets[1];
	*state = pair;
	return 0;
}

static int teardown(void **state)
{
	struct pair *pair = *state;

	close(pair->ours);
	if (pair->theirs >= 0)
		close(pair->theirs);
	free(pair);
	return 0;
}

/* Sends raw bytes with this many copies of a pipe's writing end, and returns the reading end. */
static int send_raw(int socket, const void *bytes, size_t length, uint32_t count)
{
	struct iovec iov = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = length};
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int) * 8)] = {0};
	struct msghdr header = {.msg_iov = &iov, .msg_iovlen = 1};
	struct cmsghdr *cmsg;
	int ends[2];
	uint32_t i;

	assert_return_code(pipe2(ends, O_CLOEXEC), errno);
	header.msg_control = control;
	header.msg_controllen = CMSG_SPACE(sizeof(int) * count);
	cmsg = CMSG_FIRSTHDR(&header);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int) * count);
	for (i = 0; i < count; i++)
		memcpy(CMSG_DATA(cmsg) + i * sizeof(int), &ends[1], sizeof(int));
	assert_int_equal(sendmsg(socket, &header, 0), length);
	close(ends[1]);
	return ends[0];
}

/* All writing ends are closed: the reading end says so. */
static void assert_hung_up(int fd)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};

	assert_int_equal(poll(&wait, 1, 0), 1);
	assert_true(wait.revents & POLLHUP);
	close(fd);
}

static void message_arrives_with_its_descriptors(void **state)
{
	struct pair *pair = *state;
	struct message sent = {.type = MESSAGE_ATTACH}, received;
	struct message_fds fds = {.count = 2}, got;
	int ends[2];
	char byte = 0;

	assert_return_code(pipe(ends), errno);
	fds.fd[0] = ends[0];
	fds.fd[1] = ends[1];
	sent.u.attach.port = 3;
	assert_int_equal(message_send(pair->ours, &sent, &fds), 0);
	message_fds_close(&fds);
	assert_int_equal(fds.count, 0);
	assert_int_equal(message_receive(pair->theirs, &received, &got), 1);
	assert_memory_equal(&sent, &received, sizeof(sent));
	assert_int_equal(got.count, 2);
	assert_true(fcntl(got.fd[0], F_GETFD) & FD_CLOEXEC);
	assert_int_equal(write(got.fd[1], "x", 1), 1);
	assert_int_equal(read(got.fd[0], &byte, 1), 1);
	assert_int_equal(byte, 'x');
	message_fds_close(&got);
}

static void nothing_to_receive(void **state)
{
	struct pair *pair = *state;
	struct message message;
	struct message_fds fds;

	assert_int_equal(message_receive(pair->ours, &message, &fds), -EAGAIN);
}

static void peer_that_is_gone(void **state)
{
	struct pair *pair = *state;
	struct message message = {.type = MESSAGE_DETACH};
	struct message_fds fds;

	close(pair->theirs);
	pair->theirs = -1;
	assert_int_equal(message_send(pair->ours, &message, NULL), -EPIPE);
	assert_int_equal(message_receive(pair->ours, &message, &fds), 0);
}

static void peer_that_does_not_read(void **state)
{
	struct pair *pair = *state;
	struct message message = {.type = MESSAGE_DETACH};
	int error = 0;
	uint32_t i;

	for (i = 0; i < 100000 && error == 0; i++)
		error = message_send(pair->ours, &message, NULL);
	assert_int_equal(error, -EAGAIN);
}

static void message_of_another_size_loses_its_descriptors(void **state)
{
	struct pair *pair = *state;
	struct message message = {.type = MESSAGE_ATTACH};
	char longer[sizeof(message) + 1] = {0};
	struct message_fds fds;
	int fd;

	fd = send_raw(pair->theirs, &message, sizeof(message) - 1, 1);
	assert_int_equal(message_receive(pair->ours, &message, &fds), -EPROTO);
	assert_int_equal(fds.count, 0);
	assert_hung_up(fd);
	fd = send_raw(pair->theirs, longer, sizeof(longer), 1);
	assert_int_equal(message_receive(pair->ours, &message, &fds), -EPROTO);
	assert_hung_up(fd);
}

static void too_many_descriptors_are_closed(void **state)
{
	struct pair *pair = *state;
	struct message message = {.type = MESSAGE_ATTACH};
	struct message_fds fds;
	int fd = send_raw(pair->theirs, &message, sizeof(message), 8);

	assert_int_equal(message_receive(pair->ours, &message, &fds), -EPROTO);
	assert_int_equal(fds.count, 0);
	assert_hung_up(fd);
}

#define IO_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IO_TEST(message_arrives_with_its_descriptors),
		IO_TEST(nothing_to_receive),
		IO_TEST(peer_that_is_gone),
		IO_TEST(peer_that_does_not_read),
		IO_TEST(message_of_another_size_loses_its_descriptors),
		IO_TEST(too_many_descriptors_are_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
