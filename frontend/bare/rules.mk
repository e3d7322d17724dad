# SPDX-License-Identifier: MIT
# The guest without an operating system, for ../../Makefile.

# No header and no library but its own: what it takes from core/ needs neither.
BARE_FLAGS := -std=c11 $(WARN) -O2 -g -ffreestanding -nostdinc -fno-pic -fno-stack-protector \
	-fcf-protection=none -mno-red-zone -mgeneral-regs-only -fno-asynchronous-unwind-tables \
	-fno-strict-aliasing -isystem $(shell $(CC) -print-file-name=include) -Iinclude -Icore -MMD -MP
BARE := $(patsubst %,$(B)/bare/obj/%.o,frontend/bare/start.S $(wildcard frontend/bare/*.c) \
	$(addprefix core/,ring.c usbif_response.c xvhcif_response.c descriptor.c))

.PHONY: bare
bare: $(B)/bare/xvhc-bare.elf

$(B)/bare/obj/%.o: %
	@mkdir -p $(@D)
	$(CC) $(BARE_FLAGS) -Ifrontend/bare/include -c $< -o $@

$(B)/bare/xvhc-bare.elf: $(BARE) frontend/bare/bare.ld
	$(CC) -nostdlib -static -no-pie -Wl,--build-id=none -Wl,-z,noexecstack \
		-Wl,--no-warn-rwx-segments -T frontend/bare/bare.ld $(BARE) -o $@

ifeq ($(shell uname -m),x86_64)
tests: bare
endif

-include $(BARE:.o=.d)
