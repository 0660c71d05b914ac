/* test_config_fuzz.c - drives tests/fuzz/fuzz_config.c over the fixtures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fuzz_helper.h"

fuzz_target LLVMFuzzerTestOneInput;

static void fixtures(void **state)
{
	(void)state;
	fuzz_seeds(&(struct fuzz_plan){
		.target = LLVMFuzzerTestOneInput, .folder = "tests/fixtures/config", .suffix = ".yaml", .least = 10, .copies = 60, .beginnings = 100,
		.damage = fuzz_damage_text,
	});
}

int main(int argc, char **argv)
{
	static fuzz_target *const all[] = { LLVMFuzzerTestOneInput };
	const struct CMUnitTest tests[] = { cmocka_unit_test(fixtures) };

	return argc == 1 ? cmocka_run_group_tests(tests, NULL, NULL) : fuzz_files(argc, argv, all, 1);
}
