# SPDX-License-Identifier: MIT
#
# make            xvhcd, xvhcd-worker, xvhcd-dom0 and xvhc, into build/
# make tests      the unit and wire test programs, with ASan and UBSan, into build/san/
# make bare       the guest without an operating system, build/bare/xvhc-bare.elf
# make lab-device the devices that the lab plays, build/lab-device
# make bench-engine the programs that bench/engine/run measures with, into build/bench/
# make module     xvhc.ko for the running kernel, or for KDIR=
# make module-install   installs it there; INSTALL_MOD_PATH= as usual
# make format     rewrites the sources with clang-format
# make lint       every static check; ./test lint runs it with the tests
# make install    DESTDIR= and PREFIX= as usual
# make deb        Debian packages, into build/deb/; DEB_SUFFIX= is added to their version

PREFIX     ?= /usr
SBINDIR    ?= $(PREFIX)/sbin
BINDIR     ?= $(PREFIX)/bin
LIBEXECDIR ?= $(PREFIX)/libexec
DATADIR    ?= $(PREFIX)/share
MANDIR     ?= $(DATADIR)/man
BASHDIR    ?= $(DATADIR)/bash-completion/completions
ZSHDIR     ?= $(DATADIR)/zsh/site-functions
SYSCONFDIR ?= /etc
UNITDIR    ?= /lib/systemd/system
UDEVDIR    ?= /lib/udev/rules.d
CC         ?= gcc
KDIR       ?= /lib/modules/$(shell uname -r)/build
B          := build

VERSION := 0.1

WARN := -Wall -Wextra -Wconversion -Wshadow -Wimplicit-fallthrough -Wvla -Wstrict-prototypes \
	-Wmissing-prototypes -Wcast-align -Wwrite-strings -Wformat=2 -Werror
DEFS := -D_GNU_SOURCE -DXVHC_VERSION='"$(VERSION)"' -DXVHC_LIBEXECDIR='"$(LIBEXECDIR)"' \
	-DXVHC_SBINDIR='"$(SBINDIR)"' \
	-Iinclude -Icore -Ibackend
HARDEN := -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
CFLAGS ?= -O2 -g
ALL_CFLAGS := -std=c11 $(WARN) $(DEFS) $(HARDEN) $(CPPFLAGS) $(CFLAGS) -MMD -MP
LINK := -pie -Wl,-z,relro,-z,now $(LDFLAGS)
SAN := -std=c11 $(WARN) $(DEFS) -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
	-fno-sanitize-recover=all -MMD -MP

pkg = $(shell pkg-config --libs $(1))
WORKER_LIBS := libusb-1.0 xengnttab xenevtchn xentoolcore libseccomp libcap-ng
BROKER_LIBS := libudev xenstore json-c inih libusbredirparser-0.5
CLI_LIBS := json-c libudev

CORE   := $(wildcard core/*.c)
COMMON := $(wildcard backend/common/*.c)
WORKER := $(filter-out %/main.c,$(wildcard backend/worker/*.c))
MODELS := $(wildcard backend/models/*.c)
BROKER := $(filter-out %/main.c,$(wildcard backend/broker/*.c))
DOM0   := $(filter-out %/main.c,$(wildcard backend/dom0/*.c))
CLI    := $(wildcard cli/*.c)
# Of these, what tests and fuzzers run without the command.
CLI_PARTS := cli/capture_file.c cli/pcapng.c cli/usbmon.c

# $(call obj,dir,sources): where the objects of these sources lie
obj = $(patsubst %.c,$(B)/$(1)/%.o,$(2))

.PHONY: all tests module module-install format format-check cppcheck clang-tidy lint install deb
.PHONY: clean
.SECONDARY:
all: $(B)/xvhcd $(B)/xvhcd-worker $(B)/xvhc $(B)/xvhcd-dom0

$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c $< -o $@

$(B)/san/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(SAN) -c $< -o $@

$(B)/xvhcd: $(call obj,obj,backend/broker/main.c $(BROKER) $(COMMON))
	$(CC) $(LINK) $^ $(call pkg,$(BROKER_LIBS)) -lpthread -o $@

$(B)/xvhcd-worker: $(call obj,obj,backend/worker/main.c $(WORKER) $(COMMON) $(CORE))
	$(CC) $(LINK) $^ $(call pkg,$(WORKER_LIBS)) -lpthread -o $@

$(B)/xvhc: $(call obj,obj,$(CLI))
	$(CC) $(LINK) $^ $(call pkg,$(CLI_LIBS)) -o $@

$(B)/xvhcd-dom0: $(call obj,obj,backend/dom0/main.c $(DOM0) $(BROKER) $(COMMON))
	$(CC) $(LINK) $^ $(call pkg,$(BROKER_LIBS)) -lpthread -o $@

# The first three with the sanitizers, for runs in the lab that look for our own mistakes.
$(B)/san/xvhcd: $(call obj,san/obj,backend/broker/main.c $(BROKER) $(COMMON))
	$(CC) -fsanitize=address,undefined $^ $(call pkg,$(BROKER_LIBS)) -lpthread -o $@

$(B)/san/xvhcd-worker: $(call obj,san/obj,backend/worker/main.c $(WORKER) $(COMMON) $(CORE))
	$(CC) -fsanitize=address,undefined $^ $(call pkg,$(WORKER_LIBS)) -lpthread -o $@

$(B)/san/xvhc: $(call obj,san/obj,$(CLI))
	$(CC) -fsanitize=address,undefined $^ $(call pkg,$(CLI_LIBS)) -o $@

# Tests. Each test_*.c is one program.
UNIT := $(patsubst tests/unit/%.c,$(B)/san/unit/%,$(wildcard tests/unit/test_*.c))
WIRE := $(patsubst tests/wire/%.c,$(B)/san/wire/%,$(wildcard tests/wire/test_*.c))
WIRE_HELP := $(filter-out tests/wire/test_%.c tests/wire/worker_main.c,$(wildcard tests/wire/*.c))
UNIT_HELP := $(filter-out tests/unit/test_%.c,$(wildcard tests/unit/*.c))

$(B)/san/libxvhc.a: $(call obj,san/obj,$(CORE) $(COMMON) $(WORKER) $(MODELS) $(BROKER) $(DOM0) \
		$(CLI_PARTS))
	@rm -f $@
	ar rcs $@ $^

$(B)/san/unit/%: $(B)/san/obj/tests/unit/%.o $(call obj,san/obj,$(UNIT_HELP)) $(B)/san/libxvhc.a
	@mkdir -p $(@D)
	$(CC) -fsanitize=address,undefined $^ $(call pkg,cmocka $(BROKER_LIBS) $(WORKER_LIBS)) \
		-lpthread -o $@

# The checks of the command xvhc doctor, on a tree that the test makes.
$(B)/san/unit/test_doctor: $(call obj,san/obj,$(filter cli/doctor%.c,$(CLI)))
$(B)/san/unit/test_doctor: $(call obj,san/obj,cli/ask.c cli/client.c cli/colour.c cli/error.c)

$(B)/san/wire/%: $(B)/san/obj/tests/wire/%.o $(call obj,san/obj,$(WIRE_HELP)) $(B)/san/libxvhc.a
	@mkdir -p $(@D)
	$(CC) -fsanitize=address,undefined $^ $(call pkg,cmocka $(WORKER_LIBS)) -lpthread -o $@

$(B)/san/xvhcd-worker-models: $(call obj,san/obj,tests/wire/worker_main.c) $(B)/san/libxvhc.a
	$(CC) -fsanitize=address,undefined $^ $(call pkg,$(WORKER_LIBS)) -lpthread -o $@

# The broker with its store in memory, for the tests of the command.
$(B)/san/xvhcd-without-xen: $(call obj,san/obj,tests/cli/broker_main.c \
		tests/unit/fake_sysfs.c tests/unit/memory_store.c) $(B)/san/libxvhc.a
	$(CC) -fsanitize=address,undefined $^ $(call pkg,$(BROKER_LIBS)) -lpthread -o $@

tests: $(UNIT) $(WIRE) $(B)/lab-device $(B)/san/xvhcd-worker-models $(B)/san/xvhcd $(B)/san/xvhc \
	$(B)/san/xvhcd-without-xen

include frontend/bare/rules.mk

module:
	$(MAKE) -C $(KDIR) M=$(CURDIR)/frontend/linux modules

# The kernel's own rules install it below updates/ and run depmod.
module-install:
	$(MAKE) -C $(KDIR) M=$(CURDIR)/frontend/linux modules_install

# Modules follow the kernel's style.
SOURCES := $(shell find backend bench cli core frontend/bare fuzz include lab proofs tests \
	-path lab/hsbus -prune -o -name '*.[ch]' -print 2>/dev/null)
format:
	clang-format -i $(SOURCES)

format-check:
	clang-format --dry-run -Werror $(SOURCES)

cppcheck:
	cppcheck --quiet --error-exitcode=1 --std=c11 --enable=warning,performance,portability \
		--inline-suppr --suppressions-list=.cppcheck -Iinclude -Icore -Ibackend \
		core backend bench cli lab/devices

TIDY := $(CORE) $(COMMON) $(WORKER) $(MODELS) $(BROKER) $(DOM0) $(CLI) $(wildcard lab/devices/*.c) \
	$(wildcard bench/engine/*.c backend/broker/main.c backend/dom0/main.c \
	backend/worker/main.c)
clang-tidy: $(TIDY:%=$(B)/tidy/%.ok)

$(B)/tidy/%.ok: % .clang-tidy
	@mkdir -p $(@D)
	clang-tidy --quiet $< -- -std=c11 $(DEFS)
	@touch $@

lint:
	tests/style/run
	tests/lint/run

# How the pages of the command, of the daemon and of its file are found; the module's is xvhc.4.
PAGES := $(wildcard docs/man/*.[158])
# What they, the help and messages name.
DOCUMENTS := $(patsubst %,docs/%.md,capture driver-domain json libvirt metrics policy protocol \
	usbip xl)
to = $(DESTDIR)$(1)
page = install -D -m 644 $(1) $(call to,$(MANDIR)/man$(subst .,,$(suffix $(1)))/$(notdir $(1)))

# A configuration that is there already stays as it is.
install: all
	install -D -m 755 $(B)/xvhcd $(call to,$(SBINDIR)/xvhcd)
	install -D -m 755 $(B)/xvhcd-dom0 $(call to,$(SBINDIR)/xvhcd-dom0)
	install -D -m 755 $(B)/xvhcd-worker $(call to,$(LIBEXECDIR)/xvhcd-worker)
	install -D -m 755 $(B)/xvhc $(call to,$(BINDIR)/xvhc)
	install -D -m 644 docs/xvhc.conf.example $(call to,$(DATADIR)/doc/xvhc/xvhc.conf.example)
	test -e $(call to,$(SYSCONFDIR)/xvhc/xvhc.conf) || \
		install -D -m 644 docs/xvhc.conf.example $(call to,$(SYSCONFDIR)/xvhc/xvhc.conf)
	install -D -m 644 packaging/systemd/xvhcd.service $(call to,$(UNITDIR)/xvhcd.service)
	install -D -m 644 packaging/systemd/xvhc-metrics.service \
		$(call to,$(UNITDIR)/xvhc-metrics.service)
	install -D -m 644 packaging/systemd/xvhc-metrics.timer \
		$(call to,$(UNITDIR)/xvhc-metrics.timer)
	install -D -m 644 packaging/systemd/xvhcd-dom0@.service \
		$(call to,$(UNITDIR)/xvhcd-dom0@.service)
	install -D -m 644 -t $(call to,$(DATADIR)/doc/xvhc) $(DOCUMENTS)
	install -D -m 644 packaging/libvirt/xvhc \
		$(call to,$(DATADIR)/doc/xvhc/examples/libvirt-hook)
	install -D -m 755 packaging/init/xvhcd $(call to,$(SYSCONFDIR)/init.d/xvhcd)
	install -D -m 644 packaging/logrotate/xvhcd $(call to,$(SYSCONFDIR)/logrotate.d/xvhcd)
	install -D -m 644 packaging/udev/40-xvhc.rules $(call to,$(UDEVDIR)/40-xvhc.rules)
	install -D -m 644 packaging/udev/99-xvhc.rules $(call to,$(UDEVDIR)/99-xvhc.rules)
	$(if $(wildcard packaging/completions/xvhc.bash),install -D -m 644 \
		packaging/completions/xvhc.bash $(call to,$(BASHDIR)/xvhc))
	$(if $(wildcard packaging/completions/_xvhc),install -D -m 644 \
		packaging/completions/_xvhc $(call to,$(ZSHDIR)/_xvhc))
	$(foreach name,$(PAGES),$(call page,$(name));)

# xvhc_VERSION_amd64.deb and xvhc-guest-dkms_VERSION_all.deb
DEB_SUFFIX ?=
deb:
	packaging/build $(VERSION)$(DEB_SUFFIX)

clean:
	rm -rf $(B)

-include $(shell find $(B)/obj $(B)/san -type f -name '*.d' 2>/dev/null)

include fuzz/rules.mk lab/devices/rules.mk tests/sim/rules.mk bench/engine/rules.mk
