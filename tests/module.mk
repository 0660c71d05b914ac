# tests: what `make test` and its parts run. tests/run does the running and the counting.

CORPUS ?= ../shared/corpus
export CORPUS
FIXTURES = $(shell cat $(BUILD)/fixtures.path)

.PHONY: test test-unit test-host test-boot fixtures lint bench
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
lint: ## size and complexity limits, include directions, static analysis
	$(Q)tests/lint
