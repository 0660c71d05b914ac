# coracle-runtime, the OCI runtime

OCI_SRC := $(sort $(wildcard runtime/oci/*.c))
OCI_TABLES := $(foreach a,x86_64 x86 x32,$(BUILD)/gen/oci/seccomp_$(a).inc)

$(call program,coracle-runtime,$(OCI_SRC),-lyyjson)

# system call names and numbers from the kernel's headers, sorted by name for bsearch
$(BUILD)/gen/oci/seccomp_x86_64.inc: OCI_HEADER := unistd_64.h
$(BUILD)/gen/oci/seccomp_x86.inc: OCI_HEADER := unistd_32.h
$(BUILD)/gen/oci/seccomp_x32.inc: OCI_HEADER := unistd_x32.h
$(OCI_TABLES): runtime/oci/module.mk | $(SYSROOT)
	@mkdir -p $(@D)
	$(Q)sed -n 's/^#define __NR_\([a-z0-9_]*\) (\{0,1\}\(__X32_SYSCALL_BIT + \)\{0,1\}\([0-9]*\))\{0,1\}$$/	{ "\1", \3 },/p' \
		$(SYSROOT)/include/asm/$(OCI_HEADER) | LC_ALL=C sort -t '"' -k 2,2 > $@
$(foreach v,target test asan,$(BUILD)/obj/$(v)/runtime/oci/seccomp_names.o): $(OCI_TABLES)
$(BUILD)/obj/target/runtime/oci/seccomp_names.o $(BUILD)/obj/test/runtime/oci/seccomp_names.o \
$(BUILD)/obj/asan/runtime/oci/seccomp_names.o: CPPFLAGS += -I$(BUILD)/gen/oci

# the same program with faults to be injected, for tests/runtime/test_faults.sh
OCI_FAULTS := $(BUILD)/tests/runtime/coracle-runtime-faults
OCI_WRAP_SRC := tests/runtime/fault_calls.c
# the calls that lib/sys.h does not wrap: the linker puts fault_calls.c in between
OCI_WRAPPED := $(shell sed -n 's/^FAULT.[^,]*, \([a-z0-9_]*\),.*/\1/p' $(OCI_WRAP_SRC)) syscall ioctl fcntl prctl
$(OCI_FAULTS): $(call objs,test,$(OCI_SRC) $(OCI_WRAP_SRC)) $(BUILD)/obj/test/lib.a
	@mkdir -p $(@D); echo "  LINK  $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $(OCI_WRAPPED:%=-Wl,--wrap=%) -o $@ $^ -lyyjson
TOOLS += $(OCI_FAULTS)
DEPFILES += $(patsubst %.c,$(BUILD)/obj/test/%.d,$(OCI_SRC) $(OCI_WRAP_SRC))

OCI_SECCOMP := $(filter runtime/oci/seccomp% runtime/oci/spec% runtime/oci/arena.c runtime/oci/jsonv.c runtime/oci/caps.c,$(OCI_SRC))
$(call unit_test,oci_seccomp,$(OCI_SECCOMP) tests/unit/bpf_helper.c,-lyyjson)
$(call unit_test,oci_seccomp_peer,$(OCI_SECCOMP) tests/unit/bpf_helper.c,-lyyjson -lseccomp)
$(call unit_test,oci_platform,$(filter runtime/oci/spec% runtime/oci/arena.c runtime/oci/jsonv.c runtime/oci/caps.c runtime/oci/intelrdt.c,$(OCI_SRC)),-lyyjson)
$(call unit_test,oci_spec,$(filter runtime/oci/spec% runtime/oci/arena.c runtime/oci/jsonv.c runtime/oci/caps.c,$(OCI_SRC)),-lyyjson)
$(call unit_test,oci_parts,$(filter-out runtime/oci/main.c runtime/oci/cmd_%,$(OCI_SRC)),-lyyjson -lm)

OCI_PARTS := $(filter-out runtime/oci/main.c runtime/oci/cmd_%,$(OCI_SRC))
OCI_FUZZ := tests/fuzz/fuzz_oci.c tests/unit/bpf_helper.c
$(call unit_test,oci_fuzz,$(OCI_PARTS) $(OCI_FUZZ) $(foreach t,spec process state,tests/fuzz/fuzz_$(t).c),-lyyjson -lm)
$(foreach t,spec process state,$(call fuzzer,$(t),$(OCI_PARTS) $(OCI_FUZZ),-lyyjson -lm,-I$(BUILD)/gen/oci -Dfuzz_$(t)=LLVMFuzzerTestOneInput,$(OCI_TABLES)))
