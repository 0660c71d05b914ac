/* test_mime_fuzz.c - drives tests/fuzz/fuzz_mime.c over its seeds. */
#include "fuzz_helper.h"

int main(int argc, char **argv)
{
	return fuzz_main(argc, argv, &(struct fuzz_plan){
		.target = LLVMFuzzerTestOneInput, .folder = "tests/fuzz/corpus/mime", .least = 5, .copies = 200, .beginnings = 50,
	});
}
