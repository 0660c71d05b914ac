# coracle-runtime, the OCI runtime

OCI_SRC := $(sort $(wildcard runtime/oci/*.c))
OCI_TABLES := $(BUILD)/gen/oci/seccomp_names.inc

$(call program,coracle-runtime,$(OCI_SRC),-lyyjson)

# system call names and their numbers (x86_64, i386, x32; -1: has no such call) from the kernel's headers, sorted by name
$(OCI_TABLES): runtime/oci/module.mk | $(SYSROOT)
	@mkdir -p $(@D)
	$(Q)cd $(SYSROOT)/include/asm && awk 'FNR == 1 { a++ } \
		$$2 ~ /^__NR_/ { n = $$NF; sub(/\)$$/, "", n); if (n ~ /^[0-9]+$$/) { nr[substr($$2, 6), a] = n; all[substr($$2, 6)] } } \
		END { for (c in all) { printf "\t{ \"%s\", {", c; for (i = 1; i <= 3; i++) printf " %s,", (c, i) in nr ? nr[c, i] : -1; print " } }," } }' \
		unistd_64.h unistd_32.h unistd_x32.h | LC_ALL=C sort -t '"' -k 2,2 > $(abspath $@)
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

# the attacker of tests/runtime/test_security.sh: static, it runs inside containers
OCI_ATTACK := $(BUILD)/tests/runtime/attack
$(OCI_ATTACK): $(call objs,target,tests/runtime/attack.c)
	@mkdir -p $(@D); echo "  LINK  $@"
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^
TOOLS += $(OCI_ATTACK)
DEPFILES += $(BUILD)/obj/target/tests/runtime/attack.d

OCI_SECCOMP := $(filter runtime/oci/seccomp% runtime/oci/sync.c runtime/oci/spec% runtime/oci/arena.c runtime/oci/jsonv.c runtime/oci/caps.c,$(OCI_SRC))
$(call unit_test,oci_seccomp,$(OCI_SECCOMP) tests/unit/bpf_helper.c,-lyyjson)
$(call unit_test,oci_seccomp_peer,$(OCI_SECCOMP) tests/unit/bpf_helper.c,-lyyjson -lseccomp)
$(call unit_test,oci_platform,$(filter runtime/oci/spec% runtime/oci/arena.c runtime/oci/jsonv.c runtime/oci/caps.c runtime/oci/intelrdt.c,$(OCI_SRC)),-lyyjson)
$(call unit_test,oci_spec,$(filter runtime/oci/spec% runtime/oci/arena.c runtime/oci/jsonv.c runtime/oci/caps.c,$(OCI_SRC)),-lyyjson)
$(call unit_test,oci_systemd,$(filter-out runtime/oci/main.c runtime/oci/cmd_%,$(OCI_SRC)),-lyyjson -lm)
$(call unit_test,oci_parts,$(filter-out runtime/oci/main.c runtime/oci/cmd_%,$(OCI_SRC)),-lyyjson -lm)

OCI_PARTS := $(filter-out runtime/oci/main.c runtime/oci/cmd_%,$(OCI_SRC))
OCI_FUZZ := tests/fuzz/fuzz_oci.c tests/unit/bpf_helper.c
$(call unit_test,oci_fuzz,$(OCI_PARTS) $(OCI_FUZZ) $(foreach t,spec process resources state,tests/fuzz/fuzz_$(t).c) tests/unit/fuzz_helper.c,-lyyjson -lm)
$(foreach t,spec process resources state,$(call fuzzer,$(t),$(OCI_PARTS) $(OCI_FUZZ),-lyyjson -lm,-I$(BUILD)/gen/oci -Dfuzz_$(t)=LLVMFuzzerTestOneInput,$(OCI_TABLES)))
