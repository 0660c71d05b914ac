/* fuzz_run.h - what the fuzz targets of init/config share: the memory and the problems of one input. */
#ifndef CORACLE_FUZZ_RUN_H
#define CORACLE_FUZZ_RUN_H

#include <stddef.h>
#include <stdint.h>

#include "init/config/schema.h"

#define FUZZ_MEMORY_MAX ((size_t)32 << 20)

struct fuzz_run {
	struct arena arena;
	struct diags diags;
	struct ctx ctx;
};

/* libFuzzer's entry, which each target defines. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Begins with nothing. Memory that runs out ends the program: the limits on input are there so that this never happens. */
void fuzz_begin(struct fuzz_run *r);
/* Renders the problems as a user sees them and frees everything. */
void fuzz_end(struct fuzz_run *r);
/* The bytes as a source, with a NUL behind them, in the run's memory. */
struct source fuzz_source(struct fuzz_run *r, const char *name, const uint8_t *data, size_t size);

#endif
