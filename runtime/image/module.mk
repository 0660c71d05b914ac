# runtime/image: image documents (linked by the store's users) and coracle-fetch, the confined unpacker
FETCH_SRC := $(sort $(wildcard runtime/image/fetch/*.c)) runtime/image/escape.c runtime/image/digest.c runtime/image/say.c
FETCH_PARTS := $(filter-out runtime/image/fetch/main.c,$(FETCH_SRC))
IMAGE_SRC := $(sort $(wildcard runtime/image/*.c))

$(call program,coracle-fetch,$(FETCH_SRC),-larchive -lz -lzstd)
$(call unit_test,image_names,$(IMAGE_SRC),-lyyjson)
$(call unit_test,image_documents,$(IMAGE_SRC),-lyyjson)
$(call unit_test,image_tree,$(FETCH_PARTS),-larchive -lz -lzstd)
$(call unit_test,image_fuzz,tests/fuzz/fuzz_layer.c tests/unit/fuzz_helper.c $(FETCH_PARTS),-larchive -lz -lzstd)
$(call fuzzer,layer,$(FETCH_PARTS),-larchive -lz -lzstd)
