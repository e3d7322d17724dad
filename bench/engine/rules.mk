# SPDX-License-Identifier: MIT
# The engine without Xen: make bench-engine. The worker is compiled as for dom0, from the same
# objects; bench/engine/run runs the programs.

BENCH := $(patsubst %,$(B)/bench/%,speed guests idle worker xvhcd-worker-memfd)
BENCH_ENGINE := $(call obj,obj,$(WORKER) $(COMMON) $(CORE))
bench_obj = $(call obj,obj,$(patsubst %,bench/engine/%.c,$(1)))

$(B)/bench/speed: $(call bench_obj,speed bench guest device)
$(B)/bench/guests: $(call bench_obj,guests bench guest process)
$(B)/bench/idle: $(call bench_obj,idle bench guest process)
$(B)/bench/worker: $(call bench_obj,worker device)
$(B)/bench/xvhcd-worker-memfd: $(call bench_obj,xvhcd_worker_memfd)

$(BENCH): $(BENCH_ENGINE)
	@mkdir -p $(@D)
	$(CC) $(LINK) $^ $(call pkg,$(WORKER_LIBS)) -lpthread -o $@

$(B)/bench/broker: $(call bench_obj,broker bench store) \
		$(call obj,obj,tests/unit/fake_sysfs.c $(BROKER) $(COMMON) $(CORE))
	@mkdir -p $(@D)
	$(CC) $(LINK) $^ $(call pkg,$(BROKER_LIBS)) -lpthread -o $@

.PHONY: bench-engine
bench-engine: $(BENCH) $(B)/bench/broker
