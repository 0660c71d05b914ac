# runtime/registry: coracle-registry, the registry's protocol, confined; client/ is linked by the engine
REGISTRY_SRC := $(sort $(wildcard runtime/registry/*.c)) runtime/image/digest.c runtime/image/say.c
REGISTRY_CLIENT_SRC := $(sort $(wildcard runtime/registry/client/*.c))
$(call program,coracle-registry,$(REGISTRY_SRC),-lyyjson)
