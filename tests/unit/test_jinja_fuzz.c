/* test_jinja_fuzz.c - drives tests/fuzz/fuzz_jinja.c over its seeds. */
#include "fuzz_helper.h"

int main(int argc, char **argv)
{
	return fuzz_main(argc, argv, &(struct fuzz_plan){
		.target = LLVMFuzzerTestOneInput, .folder = "tests/fuzz/corpus/jinja", .least = 5, .copies = 200, .beginnings = 50,
	});
}
