/* SPDX-License-Identifier: MIT */
/*
 * What this guest needs of Xen: time, event channels, grants, its parameters and its end. The
 * numbers are those of Xen's public interface. There is one processor, and interrupts are off.
 */
#ifndef BARE_XEN_H
#define BARE_XEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_BYTES 4096u
#define MS 1000000ull /* nanoseconds */

#define PARAM_STORE_PAGE 1u
#define PARAM_STORE_EVENT 2u
#define PARAM_CONSOLE_PAGE 17u
#define PARAM_CONSOLE_EVENT 18u

/* Grant references end here, and the first 8 are the toolstack's. */
#define GRANTS_MAX 512u

/* What Xen hands a PVH guest at its start. */
struct start_info {
	uint32_t magic;
	uint32_t version;
	uint32_t flags;
	uint32_t modules;
	uint64_t module_list;
	uint64_t command_line; /* address of text, or 0 */
};

/* Finds Xen, and maps the shared page and the grant table. False where there is no Xen. */
bool xen_init(void);

/* One of the PARAM_... of this domain. */
uint64_t xen_param(uint32_t index);

/* Nanoseconds since Xen started. */
uint64_t now_ns(void);

/* Makes an event channel that domain may bind. */
uint32_t event_alloc(uint16_t domain);
void event_close(uint32_t event);
void event_send(uint32_t event);

/*
 * Waits for an event, at the latest until a time in now_ns(). An event that came since the last
 * return ends the wait at once, so: look, wait, look again.
 */
void event_wait(uint32_t event, uint64_t until_ns);

/* Waits for nothing but the time. */
void wait_until(uint64_t until_ns);

/* Grants a domain one page. Returns the reference, or 0 where none is free. */
uint32_t grant_page(uint16_t domain, const void *page, bool writable);

/* The same for any frame number, however wrong. */
uint32_t grant_frame(uint16_t domain, uint32_t frame, bool writable);

/* Takes the grant back. Returns false, and leaves it, while it is in use. */
bool grant_end(uint32_t reference);

/* Takes the right to new uses back, whatever uses it now. The reference stays taken. */
void grant_revoke(uint32_t reference);

/* Powers this domain off. */
_Noreturn void xen_power_off(void);

/* Ends this domain, and has the toolstack make it anew. */
_Noreturn void xen_reboot(void);

#endif
