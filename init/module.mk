# PID 1, the boot data helper, and the tests of their pure parts.

INIT_SRC := $(sort $(wildcard init/pid1/*.c init/supervise/*.c init/proto/*.c)) init/data/var.c
DATA_SRC := $(sort $(wildcard init/data/*.c))

# PID 1 has no heap: anything that still calls an allocator after --gc-sections fails to link ("undefined reference to __wrap_malloc").
NO_HEAP := -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=free,--wrap=posix_memalign,--wrap=aligned_alloc

$(call program,init,$(INIT_SRC),,$(NO_HEAP))
$(call program,coracle-data,$(DATA_SRC),)

$(call unit_test,supervise,init/supervise/supervise.c)
$(call unit_test,init_proto,init/proto/notify.c init/proto/control.c init/pid1/pidtab.c init/pid1/fdstore.c)
$(call unit_test,init_data,init/data/check.c init/data/ext4.c init/data/grow.c init/data/var.c)

# the stand-in for the engine in tests/init and tests/boot/test_init.py
$(call tool,init-probe,tests/init/probe.c,)
