// SPDX-License-Identifier: MIT
#include <broker/worker_process.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORKER_SOCKET 3
#define WORKER_NAME_MAX 32u

/* In the child: only calls that are safe after a fork of a process with threads. */
static void child_run(const char *path, char *name, int socket) __attribute__((noreturn));
static void child_run(const char *path, char *name, int socket)
{
	char program[] = "xvhcd-worker";
	char *arguments[] = {program, name, NULL};
	char *environment[] = {NULL};
	sigset_t none;
	int null;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (socket == WORKER_SOCKET) {
		/* dup2() of a descriptor onto itself would leave close-on-exec set. */
		if (fcntl(socket, F_SETFD, 0) != 0)
			_exit(126);
	} else if (dup2(socket, WORKER_SOCKET) < 0) {
		_exit(126);
	}
	if (close_range(WORKER_SOCKET + 1, ~0U, 0) != 0)
		_exit(126);
	null = open("/dev/null", O_RDWR);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
		_exit(126);
	if (null > STDERR_FILENO)
		close(null);
	execve(path, arguments, environment);
	_exit(127);
}

int worker_process_start(struct worker_process *worker, const char *path, const char *guest)
{
	char name[WORKER_NAME_MAX];
	int sockets[2], result;

	if (access(path, X_OK) != 0)
		return -errno;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, sockets) != 0)
		return -errno;
	memset(worker, 0, sizeof(*worker));
	snprintf(name, sizeof(name), "%s", guest);
	worker->pid = fork();
	if (worker->pid == 0)
		child_run(path, name, sockets[1]);
	result = worker->pid < 0 ? -errno : 0;
	close(sockets[1]);
	if (result != 0) {
		close(sockets[0]);
		return result;
	}
	worker->socket = sockets[0];
	worker->pidfd = pidfd_open(worker->pid, 0);
	if (worker->pidfd < 0) {
		result = -errno;
		worker_process_abort(worker);
		return result;
	}
	fcntl(worker->pidfd, F_SETFD, FD_CLOEXEC);
	return 0;
}

void worker_process_hang_up(struct worker_process *worker)
{
	if (worker->socket < 0)
		return;
	close(worker->socket);
	worker->socket = -1;
}

static void worker_close(struct worker_process *worker)
{
	worker_process_hang_up(worker);
	if (worker->pidfd >= 0)
		close(worker->pidfd);
	worker->pidfd = -1;
}

bool worker_process_has_unread(const struct worker_process *worker)
{
	int bytes = 0;

	/* Of a Unix socket: what the other side has not taken out of its queue yet. */
	return worker->socket >= 0 && (ioctl(worker->socket, SIOCOUTQ, &bytes) != 0 || bytes != 0);
}

void worker_process_stop(struct worker_process *worker)
{
	kill(worker->pid, SIGSTOP);
}

bool worker_process_is_stopped(struct worker_process *worker)
{
	siginfo_t info = {0};

	/* The kernel reports this only once each thread has stopped. */
	return waitid(P_PID, (id_t)worker->pid, &info, WSTOPPED | WNOHANG) == 0 &&
	       info.si_pid == worker->pid;
}

void worker_process_continue(struct worker_process *worker)
{
	kill(worker->pid, SIGCONT);
}

bool worker_process_holds(const struct worker_process *worker, dev_t node)
{
	struct dirent *entry;
	struct stat status;
	char path[32];
	bool holds = false;
	DIR *table;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)worker->pid);
	table = opendir(path);
	if (!table)
		return true;
	while (!holds && (errno = 0, entry = readdir(table))) {
		if (entry->d_name[0] == '.')
			continue;
		holds = fstatat(dirfd(table), entry->d_name, &status, 0) != 0 ||
			(S_ISCHR(status.st_mode) && status.st_rdev == node);
	}
	holds = holds || errno != 0;
	closedir(table);
	return holds;
}

uint64_t worker_process_cpu_ms(const struct worker_process *worker)
{
	struct timespec used;
	clockid_t clock;

	if (clock_getcpuclockid(worker->pid, &clock) != 0 || clock_gettime(clock, &used) != 0)
		return 0;
	return (uint64_t)used.tv_sec * 1000 + (uint64_t)used.tv_nsec / 1000000;
}

void worker_process_kill(struct worker_process *worker)
{
	/* It is not reaped yet, so the number is still its own. */
	kill(worker->pid, SIGKILL);
}

bool worker_process_reap(struct worker_process *worker, char *how, size_t size)
{
	struct pollfd end = {.fd = worker->pidfd, .events = POLLIN};
	int status = 0;

	/*
	 * A child of ours shares our descriptors until it has closed them, and so keeps one that we
	 * have closed in the event loop: what that says is about who was in this place before.
	 */
	if (poll(&end, 1, 0) != 1)
		return false;
	/* It has ended: this does not wait. */
	if (waitpid(worker->pid, &status, 0) != worker->pid)
		snprintf(how, size, "ended");
	else if (WIFSIGNALED(status))
		snprintf(how, size, "was ended by signal %d", WTERMSIG(status));
	else if (WEXITSTATUS(status) == 127)
		snprintf(how, size, "could not be started");
	else
		snprintf(how, size, "ended with code %d", WEXITSTATUS(status));
	worker_close(worker);
	return true;
}

void worker_process_abort(struct worker_process *worker)
{
	worker_process_kill(worker);
	waitpid(worker->pid, NULL, 0);
	worker_close(worker);
}
