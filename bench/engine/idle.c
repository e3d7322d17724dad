// SPDX-License-Identifier: MIT
/*
 * A worker whose guest is connected and does nothing. Prints the number of its process, and holds
 * it until standard input ends. Options: --ports, --wire, --pool, and --isolated 1.
 */
#include <stdio.h>
#include <unistd.h>

#include "bench.h"
#include "process.h"

int main(int argc, char **argv)
{
	struct guest_plan plan = guest_plan_read(argc, argv);
	bool isolated = bench_option(argc, argv, "isolated", 0) != 0;
	static struct guest guest;
	pid_t process;
	char byte;

	process = process_start(&guest, &plan, "xvhcd-worker-memfd", isolated ? "isolated" : NULL);
	printf("%d\n", (int)process);
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		continue;
	process_end(&guest, process);
	return 0;
}
