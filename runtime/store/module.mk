# runtime/store: images on disk (linked by the engine), and coracle-import for tests and bench
STORE_SRC := $(sort $(wildcard runtime/store/*.c runtime/image/*.c))

$(call tool,coracle-import,$(STORE_SRC) runtime/store/tool/import_cli.c runtime/store/tool/import_main.c,-lyyjson)
$(call unit_test,store,$(STORE_SRC),-lyyjson)
