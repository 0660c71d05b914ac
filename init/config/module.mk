# init/config: coracle-config, the boot configuration

CONFIG_SRC := $(sort $(wildcard init/config/*.c init/config/*/*.c))
CONFIG_CORE := $(filter-out init/config/main.c,$(CONFIG_SRC))

$(call program,coracle-config,$(CONFIG_SRC),-lyaml -lz)
