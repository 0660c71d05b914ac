/* fuzz_layer.h - the entry of the layer fuzzer and what drives it in `make test`. */
#ifndef CORACLE_FUZZ_LAYER_H
#define CORACLE_FUZZ_LAYER_H

#include <stddef.h>
#include <stdint.h>

/* Names that the corpus tries to make outside of the layer, relative to the directory around it. */
static const char *const fuzz_layer_outside[] = { "escaped", "escaped2" };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
/* Removes the directory that it worked in. */
void fuzz_layer_end(void);

#endif
