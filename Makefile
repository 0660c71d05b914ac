# Coracle's build: one non-recursive make. `make help` tells the commands.
#
# A part adds itself in its module.mk through the macros at the end of the
# second section (program, tool, unit_test, ...).

PROFILE ?= virt
BUILD   ?= build
VERSION := $(shell cat VERSION)
export SOURCE_DATE_EPOCH ?= 1735689600
export CORACLE_CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/coracle
MAKEFLAGS += --no-builtin-rules
ifeq ($(filter -j%,$(MAKEFLAGS)),)
MAKEFLAGS += -j$(shell nproc)
endif
.DELETE_ON_ERROR:
.SUFFIXES:
.DEFAULT_GOAL := all

SYSROOT := $(BUILD)/sysroot
ASANROOT := $(BUILD)/sysroot-asan
CC      := $(SYSROOT)/bin/x86_64-linux-musl-gcc
STRIP   := $(SYSROOT)/bin/x86_64-linux-musl-strip
Q       := $(if $(V),,@)

WARN    := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 -Werror
CPPFLAGS := -D_GNU_SOURCE -DCORACLE_VERSION='"$(VERSION)"' -I. -Ilib
CFLAGS  := -std=c11 -Os -g0 -fPIE -ffunction-sections -fdata-sections -fstack-protector-strong \
           -fno-asynchronous-unwind-tables -fno-unwind-tables -fno-common -ffile-prefix-map=$(CURDIR)=.
LDFLAGS := -static-pie -Wl,--gc-sections -Wl,-z,relro,-z,now
ASANFLAGS := -std=c11 -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all -DSYS_FAULTS

ALL :=
TESTS :=
ASANTESTS :=
FUZZERS :=
LIB_SRC := $(sort $(wildcard lib/*.c))

# objs,VARIANT,SOURCES
objs = $(patsubst %.c,$(BUILD)/obj/$(1)/%.o,$(2))

# program,NAME,SOURCES,LIBS[,EXTRA-LDFLAGS]: a program of the machine, build/bin/NAME
define program_rule
$(BUILD)/bin/$(1): $(call objs,target,$(2)) $(BUILD)/obj/target/lib.a
	@mkdir -p $$(@D); echo "  LINK  $$@"
	$$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(4) -o $$@.full $(call objs,target,$(2)) $(BUILD)/obj/target/lib.a $(3)
	$$(Q)$(STRIP) -o $$@ $$@.full && rm $$@.full
ALL += $(BUILD)/bin/$(1)
DEPFILES += $(patsubst %.c,$(BUILD)/obj/target/%.d,$(2))
endef
program = $(eval $(call program_rule,$(1),$(2),$(3),$(4)))

# tool,NAME,SOURCES,LIBS: a program of the build host (static musl too), build/tools/NAME
define tool_rule
$(BUILD)/tools/$(1): $(call objs,target,$(2)) $(BUILD)/obj/target/lib.a
	@mkdir -p $$(@D); echo "  LINK  $$@"
	$$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $$@ $(call objs,target,$(2)) $(BUILD)/obj/target/lib.a $(3)
TOOLS += $(BUILD)/tools/$(1)
DEPFILES += $(patsubst %.c,$(BUILD)/obj/target/%.d,$(2))
endef
tool = $(eval $(call tool_rule,$(1),$(2),$(3)))

# unit_test,NAME,SOURCES (tests/unit/test_NAME.c is added),LIBS: built twice, as the target is and with ASan and UBSan on glibc;
# both define SYS_FAULTS (lib/sys.h)
define unit_test_rule
$(BUILD)/tests/unit/$(1): $(call objs,test,tests/unit/test_$(1).c $(2)) $(BUILD)/obj/test/lib.a
	@mkdir -p $$(@D); echo "  LINK  $$@"
	$$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $$@ $$^ $(3) -lcmocka
$(BUILD)/tests/asan/$(1): $(call objs,asan,tests/unit/test_$(1).c $(2)) $(BUILD)/obj/asan/lib.a
	@mkdir -p $$(@D); echo "  LINK  $$@"
	$$(Q)gcc $(ASANFLAGS) -o $$@ $$^ -L$(ASANROOT)/lib $(3) -lcmocka -lcrypt
TESTS += $(BUILD)/tests/unit/$(1)
ASANTESTS += $(BUILD)/tests/asan/$(1)
DEPFILES += $(patsubst %.c,$(BUILD)/obj/test/%.d,tests/unit/test_$(1).c $(2)) $(patsubst %.c,$(BUILD)/obj/asan/%.d,tests/unit/test_$(1).c $(2))
endef
unit_test = $(eval $(call unit_test_rule,$(1),$(2),$(3)))

# asan_program,NAME,SOURCES,LIBS: a program with ASan and UBSan on glibc, build/asan/NAME, for shell tests that run hostile input
define asan_program_rule
$(BUILD)/asan/$(1): $(call objs,asan,$(2)) $(BUILD)/obj/asan/lib.a
	@mkdir -p $$(@D); echo "  LINK  $$@"
	$$(Q)gcc $(ASANFLAGS) -o $$@ $$^ -L$(ASANROOT)/lib $(3) -lcrypt
ASANTESTS += $(BUILD)/asan/$(1)
DEPFILES += $(patsubst %.c,$(BUILD)/obj/asan/%.d,$(2))
endef
asan_program = $(eval $(call asan_program_rule,$(1),$(2),$(3)))

# fuzzer,NAME,SOURCES (tests/fuzz/fuzz_NAME.c is added),LIBS,CPPFLAGS,NEEDS: build/fuzz/NAME by clang, for `make fuzz`; its seeds are
# tests/fuzz/corpus/NAME, or FUZZ_SEEDS_NAME
define fuzzer_rule
$(BUILD)/fuzz/$(1): tests/fuzz/fuzz_$(1).c $(2) $(LIB_SRC) $(5) | $(ASANROOT)
	@mkdir -p $$(@D); echo "  CLANG $$@"
	$$(Q)clang $(CPPFLAGS) $(4) -I$(ASANROOT)/include -std=c11 -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
		-o $$@ tests/fuzz/fuzz_$(1).c $(2) $(LIB_SRC) -L$(ASANROOT)/lib $(3) -lcrypt
FUZZERS += $(1)
endef
fuzzer = $(eval $(call fuzzer_rule,$(1),$(2),$(3),$(4),$(5)))

$(BUILD)/obj/target/%.o: %.c | $(SYSROOT)
	@mkdir -p $(@D); echo "  CC    $<"
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(WARN) $(CFLAGS_$*) -MMD -MP -c -o $@ $<
$(BUILD)/obj/test/%.o: %.c | $(SYSROOT)
	@mkdir -p $(@D); echo "  CC    $< (test)"
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(WARN) -DSYS_FAULTS -MMD -MP -c -o $@ $<
$(BUILD)/obj/asan/%.o: %.c | $(ASANROOT)
	@mkdir -p $(@D); echo "  CC    $< (asan)"
	$(Q)gcc $(CPPFLAGS) -I$(ASANROOT)/include $(ASANFLAGS) $(WARN) -MMD -MP -c -o $@ $<
$(foreach v,target test asan,$(BUILD)/obj/$(v)/lib.a): $(BUILD)/obj/%/lib.a: $(foreach s,$(LIB_SRC:.c=.o),$(BUILD)/obj/%/$(s))
	$(Q)rm -f $@ && ar rcsD $@ $^
DEPFILES += $(foreach v,target test asan,$(LIB_SRC:%.c=$(BUILD)/obj/$(v)/%.d))

# the host's packages come first; instant when nothing is missing
PACKAGES := packages-build packages-run packages-test packages-bench packages-fuzz
.PHONY: $(PACKAGES)
$(PACKAGES): packages-%:
	$(Q)deps/host-packages --$*
$(SYSROOT) $(ASANROOT) $(BUILD)/kernel: | packages-build

# the sysroots are links into the dependency cache
$(SYSROOT): $(wildcard deps/deps deps/deps.lock deps/lib/* deps/recipes/* deps/patches/*) $(wildcard rootfs/busybox.config)
	@mkdir -p $(BUILD)
	$(Q)s=$$(deps/deps sysroot) && ln -sfn "$$s" $@.new && mv -T $@.new $@ && touch -h $@
$(ASANROOT): $(wildcard deps/deps deps/deps.lock deps/lib/* deps/recipes/* deps/patches/*)
	@mkdir -p $(BUILD)
	$(Q)s=$$(deps/deps sysroot --variant asan) && ln -sfn "$$s" $@.new && mv -T $@.new $@ && touch -h $@

# images and tests name all programs as prerequisites: they come when the list is complete
MODULES := $(sort $(wildcard */module.mk */*/module.mk))
LAST    := imagebuild/module.mk qemu/module.mk tests/module.mk
include $(filter-out $(LAST),$(MODULES)) $(LAST)
-include $(DEPFILES)

.PHONY: all help clean programs
all: $(ALL) $(TOOLS) $(IMAGES) ## everything into build/
programs: $(ALL) $(TOOLS)
clean: ## remove build/ (the dependency cache stays)
	rm -rf $(BUILD)
help: ## this text
	@echo "Coracle $(VERSION): make TARGET [PROFILE=virt|metal] [V=1]"; \
	 sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | sort | expand -t 16
