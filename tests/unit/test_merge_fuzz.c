/* test_merge_fuzz.c - drives tests/fuzz/fuzz_merge.c over its seeds. */
#include "fuzz_helper.h"

int main(int argc, char **argv)
{
	return fuzz_main(argc, argv, &(struct fuzz_plan){
		.target = LLVMFuzzerTestOneInput, .folder = "tests/fuzz/corpus/merge", .least = 5, .copies = 200, .beginnings = 50,
	});
}
