# coracle-engine: containers of the boot configuration, logs, the Docker API
ENGINE_SRC := $(sort $(wildcard runtime/engine/*.c))
ENGINE_STORE_SRC := $(sort $(wildcard runtime/store/*.c runtime/image/*.c)) runtime/store/tool/import_cli.c
$(call program,coracle-engine,$(ENGINE_SRC) $(ENGINE_STORE_SRC),-lmicrohttpd -lyyjson)

# init's protocol for tests/engine on an ordinary host
$(call tool,engine-fdstore,tests/engine/fdstore.c,)

ENGINE_DIR := runtime/engine
$(call unit_test,engine_policy,$(addprefix $(ENGINE_DIR)/,graph.c restart.c),)
$(call unit_test,engine_text,$(addprefix $(ENGINE_DIR)/,arena.c filters.c gotime.c jw.c logformat.c signals.c text.c user.c),-lyyjson)
$(call unit_test,engine_service,$(addprefix $(ENGINE_DIR)/,arena.c bundle_caps.c jw.c merge.c restart.c service.c service_fields.c service_list.c text.c) \
	$(sort $(wildcard runtime/image/*.c)),-lyyjson)
