/* test_config_network_fuzz.c - drives tests/fuzz/fuzz_network.c over its seeds. */
#include "fuzz_helper.h"

int main(int argc, char **argv)
{
	return fuzz_main(argc, argv, &(struct fuzz_plan){
		.target = LLVMFuzzerTestOneInput, .folder = "tests/fuzz/corpus/network", .least = 7, .copies = 200, .beginnings = 150,
	});
}
