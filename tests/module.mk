# tests: what `make test` and its parts run. tests/run does the running and the counting.

CORPUS ?= ../shared/corpus
export CORPUS
FIXTURES = $(shell cat $(BUILD)/fixtures.path)

.PHONY: test test-unit test-host test-boot fixtures lint bench chaos fuzz
# everything a test needs, built before the first one starts
TEST_NEEDS := $(TESTS) $(ASANTESTS) $(ALL) $(TOOLS)

test: packages-test $(TEST_NEEDS) $(IMAGES) $(BUILD)/coracle.img fixtures ## every test; ends with N passed, N failed, N skipped
	$(Q)tests/run
test-unit: packages-test $(TESTS) $(ASANTESTS) $(ALL) ## cmocka units, plain and under ASan and UBSan
	$(Q)tests/run unit
test-host: packages-test $(TEST_NEEDS) $(IMAGES) fixtures ## runtime, images, engine, configuration on this machine (root)
	$(Q)tests/run shell
test-boot: packages-test $(IMAGES) $(BUILD)/coracle.img fixtures ## whole machines in QEMU
	$(Q)tests/run boot
# real images from real software, made by public tools; cached beside the dependencies
fixtures: packages-test $(SYSROOT) ## the test images (busybox, redis, nginx)
	@mkdir -p $(BUILD)
	$(Q)f=$$(tests/fixtures/make) && echo "$$f" > $(BUILD)/fixtures.path
bench: packages-bench $(IMAGES) $(TOOLS) $(BUILD)/coracle.img fixtures ## every figure beside its floor and its peers
	$(Q)qemu/bench
CHAOS_CUTS ?= 200
chaos: packages-test $(IMAGES) $(TOOLS) fixtures ## every fault of the catalogue, with a counted result; CHAOS_CUTS=200 power cuts, CHAOS='--only GLOB --seed N'
	$(Q)tests/chaos/chaos --cuts $(CHAOS_CUTS) $(CHAOS)
# one after the other; what a run finds stays in build/fuzz/NAME.corpus for the next, what fails in build/fuzz/NAME-*
FUZZ_SECONDS ?= 60
fuzz: packages-fuzz $(FUZZERS:%=$(BUILD)/fuzz/%) ## every target of tests/fuzz with libFuzzer, FUZZ_SECONDS=60 each
	$(Q)for t in $(FUZZERS); do \
		mkdir -p $(BUILD)/fuzz/$$t.corpus; \
		seeds=tests/fuzz/corpus/$$t; [ -d $$seeds ] || seeds=tests/fixtures/$$t; [ -d $$seeds ] || seeds=; \
		echo "----  fuzz $$t, $(FUZZ_SECONDS) s"; \
		$(BUILD)/fuzz/$$t -max_total_time=$(FUZZ_SECONDS) -max_len=65536 -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 -verbosity=0 \
			-artifact_prefix=$(BUILD)/fuzz/$$t- $(BUILD)/fuzz/$$t.corpus $$seeds || exit 1; \
	done
lint: ## size and complexity limits, include directions, static analysis
	$(Q)tests/lint
