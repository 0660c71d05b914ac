# coracle-engine: containers of the boot configuration, logs, the Docker API
ENGINE_SRC := $(sort $(wildcard runtime/engine/*.c))
ENGINE_STORE_SRC := $(sort $(wildcard runtime/store/*.c runtime/image/*.c)) runtime/store/tool/import_cli.c
$(call program,coracle-engine,$(ENGINE_SRC) $(ENGINE_STORE_SRC),-lmicrohttpd -lyyjson)

# init's protocol for tests/engine on an ordinary host
$(call tool,engine-fdstore,tests/engine/fdstore.c,)
