/* test_config_containers_fuzz.c - drives tests/fuzz/fuzz_containers.c over its seeds. */
#include "fuzz_helper.h"

int main(int argc, char **argv)
{
	return fuzz_main(argc, argv, &(struct fuzz_plan){
		.target = LLVMFuzzerTestOneInput, .folder = "tests/fuzz/corpus/containers", .least = 7, .copies = 150, .beginnings = 100,
	});
}
