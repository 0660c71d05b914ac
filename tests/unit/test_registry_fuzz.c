/* test_registry_fuzz.c - drives tests/fuzz/fuzz_registry.c over its seeds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fuzz_helper.h"

fuzz_target LLVMFuzzerTestOneInput;

static void seeds(void **state)
{
	(void)state;
	fuzz_seeds(&(struct fuzz_plan){
		.target = LLVMFuzzerTestOneInput, .folder = "tests/fuzz/corpus/registry", .least = 8, .copies = 300, .beginnings = 60, .damage = fuzz_damage_text,
	});
}

int main(int argc, char **argv)
{
	static fuzz_target *const all[] = { LLVMFuzzerTestOneInput };
	const struct CMUnitTest tests[] = { cmocka_unit_test(seeds) };

	return argc == 1 ? cmocka_run_group_tests(tests, NULL, NULL) : fuzz_files(argc, argv, all, 1);
}
