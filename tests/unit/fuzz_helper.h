/* fuzz_helper.h - drives a fuzz target inside a unit test: over its seeds, their beginnings, and damaged copies, the same ones on every run.
 *
 * `make fuzz` goes on from there with libFuzzer. A test of one plan is one call of fuzz_main(); others hand main()'s arguments to fuzz_files(). */
#ifndef CORACLE_FUZZ_HELPER_H
#define CORACLE_FUZZ_HELPER_H

#include <stddef.h>
#include <stdint.h>

typedef int fuzz_target(const uint8_t *data, size_t n);

/* Runs the target on a copy of the n bytes (n > 0) that is damaged in the seed's own way. */
typedef void fuzz_damage(fuzz_target *target, const char *data, size_t n, uint32_t seed);

struct fuzz_plan {
	fuzz_target *target;
	const char *folder;	/* of the seeds, from the project's root */
	const char *suffix;	/* only files that end so; NULL: all */
	unsigned least;		/* seeds there must be */
	unsigned copies;	/* damaged ones of each seed */
	unsigned beginnings;	/* about so many of each seed; 0: every one */
	fuzz_damage *damage;	/* NULL: fuzz_damage_text */
};

/* libFuzzer's entry, for a test of one target. */
fuzz_target LLVMFuzzerTestOneInput;

/* xorshift32; *state must not be 0. */
uint32_t fuzz_random(uint32_t *state);

/* Bytes that mean something to most text formats take the place of others; pieces are left out, or there twice. */
void fuzz_damage_text(fuzz_target *target, const char *data, size_t n, uint32_t seed);

/* Runs the plan; fails the test when there are fewer seeds than there must be. */
void fuzz_seeds(const struct fuzz_plan *plan);

/* main() of a test whose one case, "seeds", runs the plan; with arguments, runs the target on these files, which a fuzzer found. */
int fuzz_main(int argc, char **argv, const struct fuzz_plan *plan);

/* Runs each target on each file of argv[1..]. Returns main()'s exit status. */
int fuzz_files(int argc, char **argv, fuzz_target *const *targets, size_t n);

#endif
