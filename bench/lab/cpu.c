// SPDX-License-Identifier: MIT
/*
 * bench-cpu: the processor time of each domain since it was made, in nanoseconds, as the hypervisor
 * counts it. One line for each domain: its number and its time.
 */
#include <inttypes.h>
#include <stdio.h>

#include <xenctrl.h>

#define DOMAINS_MAX 64

int main(void)
{
	xc_interface *xen = xc_interface_open(NULL, NULL, 0);
	xc_domaininfo_t domains[DOMAINS_MAX];
	int count = xen ? xc_domain_getinfolist(xen, 0, DOMAINS_MAX, domains) : -1;

	if (count < 0) {
		perror("bench-cpu");
		return 1;
	}
	for (int i = 0; i < count; i++)
		printf("%u %" PRIu64 "\n", domains[i].domain, domains[i].cpu_time);
	xc_interface_close(xen);
	return 0;
}
