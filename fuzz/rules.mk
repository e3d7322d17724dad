# SPDX-License-Identifier: MIT
# The fuzzing harnesses: make fuzzers. Each fuzz_*.c becomes build/fuzz/fuzz_*. All of them count
# coverage, for the table that fuzz/run prints.

FUZZ_CC := clang-14
FUZZ_SAN := -fsanitize=address,undefined -fno-sanitize-recover=all
FUZZ_FLAGS := -std=c11 $(WARN) $(DEFS) -Itests/unit -O1 -g -fno-omit-frame-pointer $(FUZZ_SAN) \
	-fsanitize=fuzzer-no-link -fprofile-instr-generate -fcoverage-mapping \
	-Wno-missing-field-initializers -MMD -MP
FUZZERS := $(patsubst fuzz/%.c,$(B)/fuzz/%,$(wildcard fuzz/fuzz_*.c))
FUZZ_HELP := $(filter-out fuzz/fuzz_%.c,$(wildcard fuzz/*.c))

$(B)/fuzz/obj/%.o: %.c
	@mkdir -p $(@D)
	$(FUZZ_CC) $(FUZZ_FLAGS) -c $< -o $@

$(B)/fuzz/libxvhc.a: $(call obj,fuzz/obj,$(CORE) $(WORKER) $(MODELS) $(BROKER) $(CLI_PARTS) $(FUZZ_HELP) \
		$(filter-out %/log.c,$(COMMON)) tests/unit/memory_store.c)
	@rm -f $@
	ar rcs $@ $^

$(B)/fuzz/fuzz_%: $(B)/fuzz/obj/fuzz/fuzz_%.o $(B)/fuzz/libxvhc.a
	$(FUZZ_CC) $(FUZZ_SAN) -fsanitize=fuzzer -fprofile-instr-generate $^ \
		$(call pkg,$(BROKER_LIBS) $(WORKER_LIBS)) -lpthread -o $@

.PHONY: fuzzers
fuzzers: $(FUZZERS)

-include $(shell find $(B)/fuzz -type f -name '*.d' 2>/dev/null)
