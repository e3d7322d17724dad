// SPDX-License-Identifier: MIT
#include "console.h"

#include <string.h>

#include "xen.h"

#define OUT_BYTES 2048u

struct console_page {
	char in[1024];
	char out[OUT_BYTES];
	uint32_t in_taken;
	uint32_t in_put;
	uint32_t out_taken; /* by the console daemon */
	uint32_t out_put;
};

struct output {
	char *text;
	size_t size;
	size_t used;
};

static struct console_page *page;
static uint32_t event;

void console_init(void)
{
	page = (struct console_page *)(uintptr_t)(xen_param(PARAM_CONSOLE_PAGE) * PAGE_BYTES);
	event = (uint32_t)xen_param(PARAM_CONSOLE_EVENT);
}

static void add(struct output *output, char character)
{
	if (output->used + 1 < output->size)
		output->text[output->used++] = character;
}

static void add_number(struct output *output, uint32_t number, uint32_t base, int digits)
{
	char text[12];
	int count = 0;

	do {
		text[count++] = "0123456789abcdef"[number % base];
		number /= base;
	} while (number > 0 || count < digits);
	while (count > 0)
		add(output, text[--count]);
}

static void add_text(struct output *output, const char *text)
{
	while (*text)
		add(output, *text++);
}

static void add_field(struct output *output, char kind, va_list *values)
{
	int number;

	switch (kind) {
	case 's':
		add_text(output, va_arg(*values, const char *));
		break;
	case 'c':
		add(output, (char)va_arg(*values, int));
		break;
	case 'd':
		number = va_arg(*values, int);
		if (number < 0)
			add(output, '-');
		add_number(output, number < 0 ? 0u - (uint32_t)number : (uint32_t)number, 10, 1);
		break;
	case 'u':
		add_number(output, va_arg(*values, uint32_t), 10, 1);
		break;
	case 'x':
		add_number(output, va_arg(*values, uint32_t), 16, 8);
		break;
	default:
		add(output, kind);
		break;
	}
}

static size_t format_all(char *text, size_t size, const char *pattern, va_list *values)
{
	struct output output = {.text = text, .size = size};

	for (; *pattern; pattern++) {
		if (*pattern == '%' && pattern[1] != 0)
			add_field(&output, *++pattern, values);
		else
			add(&output, *pattern);
	}
	text[output.used] = 0;
	return output.used;
}

void format(char *text, size_t size, const char *pattern, ...)
{
	va_list values;

	va_start(values, pattern);
	format_all(text, size, pattern, &values);
	va_end(values);
}

void print(const char *pattern, ...)
{
	char text[256];
	va_list values;
	size_t size, i;

	va_start(values, pattern);
	size = format_all(text, sizeof(text), pattern, &values);
	va_end(values);
	for (i = 0; i < size; i++) {
		uint32_t put = page->out_put;

		while (put - __atomic_load_n(&page->out_taken, __ATOMIC_ACQUIRE) >= OUT_BYTES) {
			event_send(event);
			event_wait(event, now_ns() + 10 * MS);
		}
		page->out[put % OUT_BYTES] = text[i];
		__atomic_store_n(&page->out_put, put + 1, __ATOMIC_RELEASE);
	}
	event_send(event);
}

void console_flush(void)
{
	uint64_t until_ns = now_ns() + 2000 * MS;

	while (__atomic_load_n(&page->out_taken, __ATOMIC_ACQUIRE) != page->out_put &&
	       now_ns() < until_ns) {
		event_send(event);
		event_wait(event, now_ns() + 10 * MS);
	}
}

_Noreturn void die(const char *why)
{
	print("xvhc-bare: %s\r\n", why);
	console_flush();
	xen_power_off();
}
