/* test_changes_fuzz.c - drives tests/fuzz/fuzz_changes.c over its seeds. */
#include "fuzz_helper.h"

int main(int argc, char **argv)
{
	return fuzz_main(argc, argv, &(struct fuzz_plan){
		.target = LLVMFuzzerTestOneInput, .folder = "tests/fuzz/corpus/changes", .least = 5, .copies = 300, .beginnings = 50,
	});
}
