/* test_config_fuzz.c - drives tests/fuzz/fuzz_config.c over the fixtures. */
#include "fuzz_helper.h"

int main(int argc, char **argv)
{
	return fuzz_main(argc, argv, &(struct fuzz_plan){
		.target = LLVMFuzzerTestOneInput, .folder = "tests/fixtures/config", .suffix = ".yaml", .least = 10, .copies = 60, .beginnings = 100,
	});
}
