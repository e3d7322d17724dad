// SPDX-License-Identifier: MIT
/* xvhcd-dom0: reads its arguments, and has maker.c look whenever XenStore changes. */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <broker/guest_name.h>
#include <dom0/maker.h>

#define EXIT_USAGE 2
#define EVENTS_AT_ONCE 4096u

static const char usage[] =
	"xvhcd-dom0 runs in dom0 for a driver domain, in which xvhcd runs: it makes the USB\n"
	"controllers of the guests that the driver domain has given ports to.\n"
	"\n"
	"Usage: xvhcd-dom0 DOMAIN GUEST...\n"
	"       xvhcd-dom0 DOMAIN --all\n"
	"\n"
	"DOMAIN is the driver domain's name; a GUEST is named by its name or UUID. None of them\n"
	"need run yet. It runs until it is ended, and logs to standard error; it may be ended\n"
	"and started again at any time. Ports are given in the driver domain, by the command\n"
	"xvhc there.\n"
	"\n"
	"Options:\n"
	"  --all       for each guest, instead of those that are named\n"
	"  --help      show this\n"
	"  --version   show which version this is\n"
	"\n"
	"Exit codes: 1 XenStore does not answer, 2 wrong usage.\n";

/* Takes all events that are there; a store that changes without end has to wait. */
static void events_drain(struct xenstore *store)
{
	char path[XENSTORE_PATH_MAX], token[XENSTORE_TOKEN_MAX];

	for (uint32_t i = 0; i < EVENTS_AT_ONCE; i++)
		if (store->ops->event(store, path, token) != 1)
			return;
}

static void pause_ms(uint32_t ms)
{
	const struct timespec pause = {
		.tv_sec = ms / 1000,
		.tv_nsec = (long)(ms % 1000) * 1000000,
	};

	nanosleep(&pause, NULL);
}

static int run(struct maker *maker, struct xenstore *store)
{
	struct pollfd ready = {.fd = store->fd, .events = POLLIN};
	uint64_t until, now;

	for (;;) {
		events_drain(store);
		until = maker_look(maker, clock_ms());
		pause_ms(MAKER_LOOK_PAUSE_MS);
		now = clock_ms();
		if (poll(&ready, 1,
			 until == 0    ? -1
			 : until > now ? (int)(until - now)
				       : 0) < 0 &&
		    errno != EINTR)
			return -errno;
		if (ready.revents & (POLLERR | POLLHUP))
			return -EIO;
	}
}

/* Whether the arguments are names; says what is wrong with the first that is not. */
static bool names_are_valid(int count, char **names)
{
	for (int i = 0; i < count; i++) {
		const char *fault = guest_name_fault(names[i]);

		if (!fault)
			continue;
		fprintf(stderr, "xvhcd-dom0: '%s' cannot be a guest: %s\n", names[i], fault);
		return false;
	}
	return true;
}

/* Reads the options. Returns -1 to go on, or the exit code. */
static int options_read(int argc, char **argv, bool *all)
{
	static const struct option options[] = {
		{"all", no_argument, NULL, 'a'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'v'},
		{0},
	};
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'h') {
			fputs(usage, stdout);
			return EXIT_SUCCESS;
		}
		if (option == 'v') {
			puts("xvhcd-dom0 " XVHC_VERSION);
			return EXIT_SUCCESS;
		}
		if (option != 'a') {
			fprintf(stderr,
				"xvhcd-dom0: the option %s does not exist. xvhcd-dom0 --help shows "
				"what there is.\n",
				argv[optind - 1]);
			return EXIT_USAGE;
		}
		*all = true;
	}
	/* The driver domain, and guests or --all. */
	if (argc - optind == 1 ? *all : argc - optind > 1 && !*all)
		return -1;
	fputs("xvhcd-dom0: name the driver domain, and the guests that it may serve, or --all. "
	      "xvhcd-dom0 --help shows more.\n",
	      stderr);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	/* Large, and there is one. */
	static struct maker maker;
	struct xenstore *store;
	bool all = false;
	int result = options_read(argc, argv, &all);

	if (result >= 0)
		return result;
	argc -= optind;
	argv += optind;
	if (!names_are_valid(argc, argv))
		return EXIT_USAGE;
	log_init("xvhcd-dom0", LOG_LEVEL_INFO);
	store = xenstore_open();
	if (!store) {
		log_line(LOG_LEVEL_ERROR, "XenStore does not answer: is this dom0, and is this "
					  "root?");
		return EXIT_FAILURE;
	}
	result = maker_begin(&maker, store, argv[0], all ? NULL : (const char *const *)argv + 1,
			     all ? 0 : (uint32_t)argc - 1);
	if (result == 0)
		result = run(&maker, store);
	log_line(LOG_LEVEL_ERROR, "XenStore: %s", strerror(-result));
	store->ops->close(store);
	return EXIT_FAILURE;
}
