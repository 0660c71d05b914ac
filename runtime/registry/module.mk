# runtime/registry: coracle-registry, the registry's protocol, confined; client/ is linked by the engine
REGISTRY_SRC := $(sort $(wildcard runtime/registry/*.c)) runtime/image/digest.c runtime/image/say.c
REGISTRY_PARTS := $(addprefix runtime/registry/,challenge.c document.c http.c settings.c) $(addprefix runtime/registry/client/,config.c credentials.c) \
	$(sort $(wildcard runtime/image/*.c))

$(call program,coracle-registry,$(REGISTRY_SRC),-lyyjson)
$(call unit_test,registry,$(REGISTRY_PARTS),-lyyjson)
$(call unit_test,registry_fuzz,tests/fuzz/fuzz_registry.c tests/unit/fuzz_helper.c $(REGISTRY_PARTS),-lyyjson)
$(call fuzzer,registry,$(REGISTRY_PARTS),-lyyjson)
