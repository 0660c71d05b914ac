/* test_dns_fuzz.c - drives tests/fuzz/fuzz_dns.c over its seeds. */
#include "fuzz_helper.h"

int main(int argc, char **argv)
{
	return fuzz_main(argc, argv, &(struct fuzz_plan){
		.target = LLVMFuzzerTestOneInput, .folder = "tests/fuzz/corpus/dns", .least = 5, .copies = 2000, .beginnings = 100,
	});
}
