// SPDX-License-Identifier: MIT
/*
 * Memory is mapped one to one, so an address is a frame number times 4096. The shared page and the
 * grant table are put where no memory is, below 4 GiB.
 */
#include "xen.h"

#include <string.h>

#define SHARED_FRAME 0xf0000u
#define GRANT_FRAME 0xf0001u
#define FIRST_GRANT 8u

#define HYPERCALL_MEMORY 12
#define HYPERCALL_SCHED 29
#define HYPERCALL_EVENT 32
#define HYPERCALL_HVM 34

#define MEMORY_ADD_TO_PHYSMAP 7
#define SPACE_SHARED_INFO 0
#define SPACE_GRANT_TABLE 1
#define SCHED_SHUTDOWN 2
#define SCHED_POLL 3
#define SHUTDOWN_POWER_OFF 0u
#define SHUTDOWN_REBOOT 1u
#define EVENT_CLOSE 3
#define EVENT_SEND 4
#define EVENT_ALLOC_UNBOUND 6
#define HVM_GET_PARAM 1
#define DOMAIN_SELF 0x7ff0u

#define GRANT_PERMIT_ACCESS 1u
#define GRANT_READ_ONLY 4u
#define GRANT_IN_USE (8u | 16u)

struct time_info {
	uint32_t version; /* odd while Xen writes */
	uint32_t padding;
	uint64_t tsc_timestamp;
	uint64_t system_time;
	uint32_t tsc_to_system_mul;
	int8_t tsc_shift;
};

#define TIME_OFFSET 32u
#define EVENTS_PENDING_OFFSET 2048u
#define EVENTS_MASK_OFFSET 2560u
#define EVENTS_BYTES 512u

struct grant_entry {
	uint16_t flags;
	uint16_t domain;
	uint32_t frame;
};

extern uint8_t hypercall_page[];

static uint8_t *const shared = (uint8_t *)(SHARED_FRAME * (uintptr_t)PAGE_BYTES);
static volatile struct grant_entry *const grants =
	(volatile struct grant_entry *)(GRANT_FRAME * (uintptr_t)PAGE_BYTES);
static bool taken[GRANTS_MAX];

static long hypercall(uint32_t number, long first, void *second, long third)
{
	long result;

	__asm__ volatile("call *%[entry]"
			 : "=a"(result), "+D"(first), "+S"(second), "+d"(third)
			 : [entry] "r"(hypercall_page + number * 32)
			 : "memory", "rcx", "r8", "r9", "r10", "r11");
	return result;
}

static void cpuid(uint32_t leaf, uint32_t out[4])
{
	__asm__ volatile("cpuid"
			 : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3])
			 : "a"(leaf), "c"(0));
}

/* The leaf from which on Xen tells about itself, or 0. */
static uint32_t find_xen(void)
{
	uint32_t leaf, out[4];

	for (leaf = 0x40000000u; leaf < 0x40010000u; leaf += 0x100) {
		cpuid(leaf, out);
		if (memcmp(&out[1], "XenVMMXenVMM", 12) == 0)
			return leaf;
	}
	return 0;
}

static bool map_frame(uint32_t space, uint32_t frame)
{
	struct {
		uint16_t domain;
		uint16_t size;
		uint32_t space;
		uint64_t index;
		uint64_t frame;
	} map = {.domain = DOMAIN_SELF, .space = space, .frame = frame};

	return hypercall(HYPERCALL_MEMORY, MEMORY_ADD_TO_PHYSMAP, &map, 0) == 0;
}

bool xen_init(void)
{
	uint32_t leaf = find_xen(), out[4];
	uintptr_t page = (uintptr_t)hypercall_page;

	if (leaf == 0)
		return false;
	cpuid(leaf + 2, out);
	__asm__ volatile("wrmsr"
			 :
			 : "c"(out[1]), "a"((uint32_t)page), "d"((uint32_t)(page >> 32))
			 : "memory");
	if (!map_frame(SPACE_SHARED_INFO, SHARED_FRAME) ||
	    !map_frame(SPACE_GRANT_TABLE, GRANT_FRAME))
		return false;
	/* Nothing is to be delivered: we look at the pending bits. */
	memset(shared + EVENTS_MASK_OFFSET, 0xff, EVENTS_BYTES);
	return true;
}

uint64_t xen_param(uint32_t index)
{
	struct {
		uint16_t domain;
		uint16_t padding;
		uint32_t index;
		uint64_t value;
	} param = {.domain = DOMAIN_SELF, .index = index};

	hypercall(HYPERCALL_HVM, HVM_GET_PARAM, &param, 0);
	return param.value;
}

static uint64_t read_tsc(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

uint64_t now_ns(void)
{
	const volatile struct time_info *time =
		(const volatile struct time_info *)(shared + TIME_OFFSET);
	uint32_t version;
	uint64_t ticks, ns;

	do {
		version = time->version;
		__asm__ volatile("" : : : "memory");
		ticks = read_tsc() - time->tsc_timestamp;
		ticks = time->tsc_shift < 0 ? ticks >> -time->tsc_shift : ticks << time->tsc_shift;
		ns = time->system_time +
		     (uint64_t)((unsigned __int128)ticks * time->tsc_to_system_mul >> 32);
		__asm__ volatile("" : : : "memory");
	} while ((version & 1) != 0 || version != time->version);
	return ns;
}

uint32_t event_alloc(uint16_t domain)
{
	struct {
		uint16_t domain;
		uint16_t remote;
		uint32_t event;
	} alloc = {.domain = DOMAIN_SELF, .remote = domain};

	if (hypercall(HYPERCALL_EVENT, EVENT_ALLOC_UNBOUND, &alloc, 0) != 0)
		return 0;
	return alloc.event;
}

void event_close(uint32_t event)
{
	hypercall(HYPERCALL_EVENT, EVENT_CLOSE, &event, 0);
}

void event_send(uint32_t event)
{
	hypercall(HYPERCALL_EVENT, EVENT_SEND, &event, 0);
}

static void poll(uint32_t *events, uint32_t count, uint64_t until_ns)
{
	struct {
		uint32_t *events;
		uint32_t count;
		uint32_t padding;
		uint64_t until_ns;
	} wait = {.events = events, .count = count, .until_ns = until_ns};

	hypercall(HYPERCALL_SCHED, SCHED_POLL, &wait, 0);
}

void event_wait(uint32_t event, uint64_t until_ns)
{
	uint64_t *pending = (uint64_t *)(void *)(shared + EVENTS_PENDING_OFFSET) + event / 64;

	poll(&event, 1, until_ns);
	__atomic_fetch_and(pending, ~(1ull << event % 64), __ATOMIC_SEQ_CST);
}

void wait_until(uint64_t until_ns)
{
	while (now_ns() < until_ns)
		poll(NULL, 0, until_ns);
}

/* Goes round and round, so that a reference that was taken back is not soon good again. */
static uint32_t free_reference(void)
{
	static uint32_t last = FIRST_GRANT;
	uint32_t i;

	for (i = 0; i < GRANTS_MAX; i++) {
		last = last + 1 < GRANTS_MAX ? last + 1 : FIRST_GRANT;
		if (!taken[last])
			return last;
	}
	return 0;
}

uint32_t grant_frame(uint16_t domain, uint32_t frame, bool writable)
{
	uint32_t i = free_reference();

	if (i == 0)
		return 0;
	taken[i] = true;
	grants[i].domain = domain;
	grants[i].frame = frame;
	__atomic_thread_fence(__ATOMIC_RELEASE);
	grants[i].flags = GRANT_PERMIT_ACCESS | (writable ? 0 : GRANT_READ_ONLY);
	return i;
}

uint32_t grant_page(uint16_t domain, const void *page, bool writable)
{
	return grant_frame(domain, (uint32_t)((uintptr_t)page / PAGE_BYTES), writable);
}

bool grant_end(uint32_t reference)
{
	uint16_t flags = grants[reference].flags;

	do {
		if ((flags & GRANT_IN_USE) != 0)
			return false;
	} while (!__atomic_compare_exchange_n(&grants[reference].flags, &flags, 0, false,
					      __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
	taken[reference] = false;
	return true;
}

void grant_revoke(uint32_t reference)
{
	__atomic_fetch_and(&grants[reference].flags, GRANT_IN_USE, __ATOMIC_SEQ_CST);
}

static _Noreturn void shut_down(uint32_t reason)
{
	for (;;)
		hypercall(HYPERCALL_SCHED, SCHED_SHUTDOWN, &reason, 0);
}

_Noreturn void xen_power_off(void)
{
	shut_down(SHUTDOWN_POWER_OFF);
}

_Noreturn void xen_reboot(void)
{
	shut_down(SHUTDOWN_REBOOT);
}
