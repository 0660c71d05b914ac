# PID 1, the boot data helper, and the tests of their pure parts.

INIT_SRC := $(sort $(wildcard init/pid1/*.c init/supervise/*.c init/proto/*.c init/units/*.c)) init/data/var.c
DATA_SRC := $(sort $(wildcard init/data/*.c))

# PID 1 has no heap: anything that still calls an allocator after --gc-sections fails to link ("undefined reference to __wrap_malloc").
NO_HEAP := -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=free,--wrap=posix_memalign,--wrap=aligned_alloc

# One program for the optimizer, and the stack's guard where there is a buffer of characters: 8 KiB less.
$(foreach f,$(filter-out init/data/%,$(INIT_SRC)),$(eval CFLAGS_$(f:.c=) := -flto=1 -fstack-protector))

comma := ,
# Code and constants share their pages: that is 4 KiB less of file and 8 KiB less of memory.
$(call program,init,$(INIT_SRC),,$(NO_HEAP) -flto=auto -Wl$(comma)-z$(comma)noseparate-code -T init/pid1/init.ld)
$(call program,coracle-data,$(DATA_SRC),)
$(call program,coracle-netwatch,init/netwatch/main.c,)

SUPERVISE_SRC := $(sort $(wildcard init/supervise/*.c))
$(call unit_test,supervise,$(SUPERVISE_SRC))
$(call unit_test,supervise_sim,$(SUPERVISE_SRC) tests/sim/judge.c tests/sim/world.c)
$(call unit_test,init_proto,init/proto/notify.c init/proto/control.c init/pid1/pidtab.c init/pid1/fdstore.c tests/fuzz/fuzz_notify.c)
$(call fuzzer,notify,init/proto/notify.c,,-Dfuzz_notify=LLVMFuzzerTestOneInput)
$(call unit_test,init_state,init/pid1/state.c tests/fuzz/fuzz_init_state.c tests/unit/fuzz_helper.c)
$(call fuzzer,init_state,init/pid1/state.c,,-Dfuzz_init_state=LLVMFuzzerTestOneInput)
UNITS_SRC := $(sort $(wildcard init/units/*.c))
$(call unit_test,init_timers,init/pid1/timers.c $(UNITS_SRC))
$(call unit_test,units,$(UNITS_SRC))
$(call unit_test,init_print,)
$(call unit_test,units_accounts,init/units/accounts.c init/units/values.c)
$(call unit_test,units_table,$(UNITS_SRC))
$(call unit_test,units_time,$(UNITS_SRC))
$(call unit_test,units_fuzz,$(UNITS_SRC) tests/fuzz/fuzz_units.c tests/unit/fuzz_helper.c)
$(call fuzzer,units,$(UNITS_SRC),,-Dfuzz_units=LLVMFuzzerTestOneInput)
$(call unit_test,init_data,init/data/check.c init/data/ext4.c init/data/grow.c init/data/var.c)

# the stand-in for the engine in tests/init and tests/boot/test_init.py
$(call tool,init-probe,tests/init/probe.c,)
# what injects faults into PID 1, and what then looks whether anything was lost
$(call tool,init-fault,tests/init/fault.c,)
$(call tool,recovery-probe,tests/init/recovery.c tests/init/recovery_parts.c,)
$(call tool,starve-probe,tests/init/starve.c,)
$(call tool,init-notify,tests/init/notify.c,)
# for tests/boot/test_shutdown.py
$(call tool,test-freeze,tests/boot/freeze.c,)
