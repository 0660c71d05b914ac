# init/config: coracle-config, the boot configuration

CONFIG_SRC := $(sort $(wildcard init/config/*.c init/config/*/*.c))
CONFIG_CORE := $(filter-out init/config/main.c,$(CONFIG_SRC))

$(call program,coracle-config,$(CONFIG_SRC),-lyaml -lz)

CONFIG_TEST := $(CONFIG_CORE) tests/unit/config_helper.c
$(call unit_test,config_yaml,$(CONFIG_TEST),-lyaml -lz)
$(call unit_test,config_values,$(CONFIG_TEST),-lyaml -lz)
$(call unit_test,config_storage,$(CONFIG_TEST),-lyaml -lz)
$(call unit_test,config_compose,$(CONFIG_TEST),-lyaml -lz)
$(call unit_test,config_userdata,$(CONFIG_TEST),-lyaml -lz)
$(call unit_test,config_merge,$(CONFIG_TEST),-lyaml -lz)
$(call unit_test,config_parts,$(CONFIG_TEST),-lyaml -lz)
$(call unit_test,config_jinja,$(CONFIG_TEST),-lyaml -lz)
$(call unit_test,config_seed,$(CONFIG_TEST),-lyaml -lz)
$(call unit_test,config_sources,$(CONFIG_TEST),-lyaml -lz)
$(call unit_test,config_sources_fuzz,$(CONFIG_CORE) tests/fuzz/fuzz_sources.c tests/unit/fuzz_helper.c,-lyaml -lz)
$(call fuzzer,sources,$(CONFIG_CORE),-lyaml -lz)
$(call unit_test,config_apply,$(CONFIG_TEST),-lyaml -lz)
$(call unit_test,config_network,$(CONFIG_TEST),-lyaml -lz)
$(call unit_test,config_accounts,$(CONFIG_TEST),-lyaml -lz)
$(call unit_test,config_network_forms,$(CONFIG_TEST),-lyaml -lz)
$(call unit_test,config_corpus,$(CONFIG_TEST),-lyaml -lz)
$(call unit_test,config_fuzz,$(CONFIG_CORE) tests/fuzz/fuzz_config.c tests/unit/fuzz_helper.c,-lyaml -lz)
$(call fuzzer,config,$(CONFIG_CORE),-lyaml -lz)
