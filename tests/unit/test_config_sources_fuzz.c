/* test_config_sources_fuzz.c - drives tests/fuzz/fuzz_sources.c over its seeds. */
#include "fuzz_helper.h"

int main(int argc, char **argv)
{
	return fuzz_main(argc, argv, &(struct fuzz_plan){
		.target = LLVMFuzzerTestOneInput, .folder = "tests/fuzz/corpus/sources", .least = 7, .copies = 300, .beginnings = 200,
	});
}
