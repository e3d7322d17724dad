// SPDX-License-Identifier: MIT
/*
 * The filter of system calls, as a worker installs it: a child does one thing behind it. Whether
 * the child has ended by itself, or by the filter, is what counts.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/usbdevice_fs.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <xen/xen.h>

#include <xen/sys/evtchn.h>
#include <xen/sys/gntdev.h>

#include <cmocka.h>

#include <worker/isolate.h>

#define CODE_DONE 7
#define CODE_NO_FILTER 8

/* Raw calls: the C library and the sanitizers have no part in it. */
static void call(long number, unsigned long a, unsigned long b, unsigned long c, unsigned long d)
{
	(void)syscall(number, a, b, c, d, -1, 0);
}

/*
 * Not by the C library, nor by what the compiler knows not to return: the sanitizers do something
 * of their own there, which the filter ends.
 */
static void leave(int code)
{
	call(SYS_exit_group, (unsigned long)code, 0, 0, 0);
}

static void control(unsigned long request)
{
	/* Of no descriptor at all: what passes the filter fails behind it. */
	call(SYS_ioctl, (unsigned long)-1, request, 0, 0);
}

/* Returns what the child came to, as waitpid() tells it. */
static int behind_the_filter(void (*act)(void))
{
	int status = 0;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		if (isolation_full.filter() != 0)
			leave(CODE_NO_FILTER);
		act();
		leave(CODE_DONE);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static void assert_passes(void (*act)(void))
{
	int status = behind_the_filter(act);

	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), CODE_DONE);
}

static void assert_ends(void (*act)(void))
{
	int status = behind_the_filter(act);

	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
}

static void serve_a_guest(void)
{
	call(SYS_epoll_wait, (unsigned long)-1, 0, 1, 0);
	call(SYS_recvmsg, (unsigned long)-1, 0, 0, 0);
	call(SYS_sendto, (unsigned long)-1, 0, 0, 0);
	call(SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
	control(IOCTL_GNTDEV_GRANT_COPY);
	control(IOCTL_EVTCHN_NOTIFY);
	control(USBDEVFS_SUBMITURB);
	control(USBDEVFS_REAPURBNDELAY);
	control(USBDEVFS_RESET);
}

static void open_a_file(void)
{
	/* Libraries try, and are told that there is none. */
	if (syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY) >= 0 || errno != ENOENT)
		leave(1);
}

static void make_a_socket(void)
{
	call(SYS_socket, AF_UNIX, SOCK_STREAM, 0, 0);
}

static void attach_a_descriptor(void)
{
	call(SYS_sendmsg, (unsigned long)-1, 0, 0, 0);
}

static void run_a_program(void)
{
	call(SYS_execve, 0, 0, 0, 0);
}

static void make_a_process(void)
{
	call(SYS_clone, SIGCHLD, 0, 0, 0);
}

static void trace_a_process(void)
{
	call(SYS_ptrace, 0, 0, 0, 0);
}

static void kill_a_process(void)
{
	call(SYS_kill, 1, 0, 0, 0);
}

static void signal_a_thread_of_its_own(void)
{
	call(SYS_tgkill, (unsigned long)getpid(), (unsigned long)gettid(), 0, 0);
}

static void signal_another_process(void)
{
	call(SYS_tgkill, (unsigned long)getpid() + 1, (unsigned long)getpid() + 1, 0, 0);
}

static void make_memory_executable(void)
{
	call(SYS_mmap, 0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS);
}

static void protect_memory_as_executable(void)
{
	call(SYS_mprotect, 0, 4096, PROT_READ | PROT_EXEC, 0);
}

static void map_a_grant(void)
{
	control(IOCTL_GNTDEV_MAP_GRANT_REF);
}

static void bind_an_event_channel(void)
{
	control(IOCTL_EVTCHN_BIND_INTERDOMAIN);
}

static void claim_a_port(void)
{
	control(USBDEVFS_CLAIM_PORT);
}

static void ask_a_driver(void)
{
	control(USBDEVFS_IOCTL);
}

static void what_serving_needs_passes(void **state)
{
	(void)state;
	assert_passes(serve_a_guest);
	assert_passes(open_a_file);
	assert_passes(signal_a_thread_of_its_own);
}

static void other_system_calls_end_the_process(void **state)
{
	(void)state;
	assert_ends(make_a_socket);
	assert_ends(attach_a_descriptor);
	assert_ends(run_a_program);
	assert_ends(make_a_process);
	assert_ends(trace_a_process);
	assert_ends(kill_a_process);
	assert_ends(signal_another_process);
}

static void executable_memory_ends_the_process(void **state)
{
	(void)state;
	assert_ends(make_memory_executable);
	assert_ends(protect_memory_as_executable);
}

static void other_numbers_of_ioctl_end_the_process(void **state)
{
	(void)state;
	assert_ends(map_a_grant);
	assert_ends(bind_an_event_channel);
	assert_ends(claim_a_port);
	assert_ends(ask_a_driver);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_serving_needs_passes),
		cmocka_unit_test(other_system_calls_end_the_process),
		cmocka_unit_test(executable_memory_ends_the_process),
		cmocka_unit_test(other_numbers_of_ioctl_end_the_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
