# PID 1, the boot data helper, and the tests of their pure parts.

INIT_SRC := $(sort $(wildcard init/pid1/*.c init/supervise/*.c init/proto/*.c)) init/data/var.c
DATA_SRC := $(sort $(wildcard init/data/*.c))

# PID 1 has no heap: anything that still calls an allocator after --gc-sections fails to link ("undefined reference to __wrap_malloc").
NO_HEAP := -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=free,--wrap=posix_memalign,--wrap=aligned_alloc

$(call program,init,$(INIT_SRC),,$(NO_HEAP))
$(call program,coracle-data,$(DATA_SRC),)
