/* test_supervise_sim.c - init/supervise under a storm of random events with virtual time (tests/sim): a million steps, and after each
 * everything that must always hold. SIM_STEPS and SIM_SEED in the environment change the run. */
#include "tests/sim/sim.h"

#include <stdlib.h>

#define STEPS 1200000

static void test_storm(void **state)
{
	const char *steps = getenv("SIM_STEPS");
	const char *seed = getenv("SIM_SEED");
	const struct sim_counts *c = &sim_counts;

	(void)state;
	for (long k = seed ? atol(seed) : 0; k > 0; k--)
		sim_random(2);
	sim_storm(steps ? atol(steps) : STEPS);
	print_message("%ld steps: %ld starts, %ld restarts, %ld escalations, %ld given up, %ld bites, %ld timeouts, %ld out of memory, %ld stuck\n",
		      c->steps, c->starts, c->restarts, c->escalations, c->given_up, c->bites, c->timeouts, c->ooms, c->stuck);
	print_message("%ld times listening, %ld in vain, %ld targets reached, %ld failed for want of another; at most %d actions of a step\n",
		      c->listens, c->vain, c->reached, c->needs, c->most);
	/* the storm has been everywhere */
	assert_true(c->starts > c->steps / 100 && c->restarts > 1000 && c->escalations > 100 && c->given_up > 100);
	assert_true(c->bites > 1000 && c->timeouts > 1000 && c->ooms > 1000 && c->stuck > 10);
	assert_true(c->listens > 1000 && c->vain > 10 && c->reached > 100 && c->needs > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_storm) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
