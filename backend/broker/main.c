// SPDX-License-Identifier: MIT
/*
 * xvhcd, the broker: reads its options, connects to XenStore, and runs. broker.h tells how it
 * works.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <broker/broker.h>
#include <broker/files_check.h>
#include <broker/hub_job.h>

#ifndef XVHC_LIBEXECDIR
#define XVHC_LIBEXECDIR "/usr/libexec"
#endif
#ifndef XVHC_VERSION
#define XVHC_VERSION "unknown"
#endif

#define EXIT_USAGE 2

static const char usage[] =
	"xvhcd gives USB ports of this machine to Xen guests. It runs until it is ended, and is "
	"told\n"
	"what to do by the command xvhc.\n"
	"\n"
	"Usage: xvhcd [OPTION]...\n"
	"\n"
	"  --config FILE      read filters and quotas from FILE (/etc/xvhc/xvhc.conf)\n"
	"  --ports-file FILE  keep the given ports in FILE (/etc/xvhc/ports.conf)\n"
	"  --socket PATH      listen there for xvhc (/run/xvhc/control)\n"
	"  --worker PATH      the program that serves one guest (" XVHC_LIBEXECDIR
	"/xvhcd-worker)\n"
	"  --check            only look whether the two files are right: 0 if so, 1 if not\n"
	"  --foreground       stay in the foreground: it always does\n"
	"  --verbose          log more\n"
	"  --help             show this\n"
	"  --version          show the version\n"
	"\n"
	"It logs to standard error. On SIGTERM it asks each guest to close its USB controllers, "
	"and\n"
	"ends. Ports stay given: guests have them again when it is started the next time. On "
	"SIGHUP it\n"
	"reads its configuration anew; xvhc.conf(5) tells what can stand in it.\n"
	"\n"
	"Exit codes: 0 ended as it was told, 1 it could not start or a file is wrong, 2 wrong "
	"usage.\n";

static const struct option long_options[] = {
	{"config", required_argument, NULL, 'c'}, {"ports-file", required_argument, NULL, 'p'},
	{"socket", required_argument, NULL, 's'}, {"worker", required_argument, NULL, 'w'},
	{"check", no_argument, NULL, 'k'},        {"foreground", no_argument, NULL, 'f'},
	{"verbose", no_argument, NULL, 'v'},      {"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},      {NULL, 0, NULL, 0},
};

static const struct job_paths paths = {
	.mounted =
		{
			.sysfs = "/sys",
			.mountinfo = "/proc/1/mountinfo",
			.swaps = "/proc/swaps",
			.dev = "/dev",
		},
	.usb_nodes = "/dev/bus/usb",
	.probing_note = "/run/xvhc/drivers-autoprobe",
	.usbip = "/usr/sbin/usbip",
	.usbip_notes = "/run/vhci_hcd",
};

/* Reads the command line. Returns -1 to go on, or the exit code. */
static int options_read(int argc, char **argv, struct broker_options *options,
			enum log_level *level, bool *check)
{
	int option;

	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		switch (option) {
		case 'c':
			options->config = optarg;
			options->config_required = true;
			break;
		case 'p':
			options->ports_file = optarg;
			break;
		case 's':
			options->socket = optarg;
			break;
		case 'w':
			options->worker = optarg;
			break;
		case 'k':
			*check = true;
			break;
		case 'f':
			break;
		case 'v':
			*level = LOG_LEVEL_DEBUG;
			break;
		case 'h':
			fputs(usage, stdout);
			return EXIT_SUCCESS;
		case 'V':
			puts("xvhcd " XVHC_VERSION);
			return EXIT_SUCCESS;
		default:
			fputs("xvhcd --help shows the options.\n", stderr);
			return EXIT_USAGE;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "xvhcd: '%s' is no option. xvhcd --help shows them.\n",
			argv[optind]);
		return EXIT_USAGE;
	}
	return -1;
}

int main(int argc, char **argv)
{
	/* Large, and there is one. */
	static struct broker broker;
	struct broker_options options = {
		.sysfs = "/sys",
		.config = "/etc/xvhc/xvhc.conf",
		.ports_file = "/etc/xvhc/ports.conf",
		.socket = "/run/xvhc/control",
		.worker = XVHC_LIBEXECDIR "/xvhcd-worker",
		.paths = &paths,
		.run_job = usb_job_run,
		.hotplug = true,
		.marks = "/run/xvhc/given",
		.notify_socket = getenv("NOTIFY_SOCKET"),
	};
	enum log_level level = LOG_LEVEL_INFO;
	struct xenstore *store;
	bool check = false;
	int code;

	code = options_read(argc, argv, &options, &level, &check);
	if (code >= 0)
		return code;
	log_init("xvhcd", level);
	if (check)
		return files_check(&options) ? EXIT_SUCCESS : EXIT_FAILURE;
	if (access("/dev/xen/xenbus", F_OK) != 0 && access("/proc/xen/xenbus", F_OK) != 0 &&
	    access("/proc/xen/capabilities", F_OK) != 0 &&
	    access("/run/xenstored/socket", F_OK) != 0) {
		log_line(LOG_LEVEL_ERROR,
			 "this machine does not run on Xen: boot it with Xen, and run xvhcd in "
			 "dom0");
		return EXIT_FAILURE;
	}
	store = xenstore_open();
	if (!store) {
		log_line(LOG_LEVEL_ERROR,
			 "XenStore does not answer: is xenstored running (systemctl "
			 "start xen, or xenstored), and is this root?");
		return EXIT_FAILURE;
	}
	code = EXIT_FAILURE;
	if (broker_init(&broker, &options, store) == 0) {
		hub_job_recover(&paths);
		log_line(LOG_LEVEL_INFO, "ready");
		broker_run(&broker);
		code = EXIT_SUCCESS;
	}
	broker_fini(&broker);
	/* A thread that is in the kernel for a hub that does not answer ends with us. */
	if (code == EXIT_SUCCESS)
		hub_job_recover(&paths);
	return code;
}
