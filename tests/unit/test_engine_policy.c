/* test_engine_policy.c - dependency order and restart policies of coracle-engine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "runtime/engine/graph.h"
#include "runtime/engine/restart.h"

#define NAME(s) (char *)(uintptr_t)(s)

/* "name:dep,dep" */
static void make(struct service *s, struct service_depend *d, const char *name, const char *deps, bool required)
{
	static char text[64][64];
	static int at;
	char *p;

	*s = (struct service){ .name = NAME(name), .depends = d };
	p = text[at++ % 64];
	strcpy(p, deps);
	for (char *dep = strtok(p, ","); dep; dep = strtok(NULL, ","))
		d[s->depend_count++] = (struct service_depend){ .name = dep, .condition = DEPEND_STARTED, .required = required };
}

static void order_follows_dependencies(void **state)
{
	struct service v[4];
	struct service_depend d[4][4];
	size_t order[4];
	int level[4];
	struct err err = ERR_INIT;

	(void)state;
	make(&v[0], d[0], "web", "app,cache", true);
	make(&v[1], d[1], "app", "db", true);
	make(&v[2], d[2], "cache", "", true);
	make(&v[3], d[3], "db", "", true);
	assert_int_equal(graph_order(v, 4, order, level, &err), 0);
	assert_int_equal(order[0], 2);	/* ties keep the order of the file */
	assert_int_equal(order[1], 3);
	assert_int_equal(order[2], 1);
	assert_int_equal(order[3], 0);
	assert_int_equal(level[0], 2);
	assert_int_equal(level[1], 1);
	assert_int_equal(level[2], 0);
}

static void circles_are_named(void **state)
{
	struct service v[3];
	struct service_depend d[3][2];
	size_t order[3];
	struct err err = ERR_INIT;

	(void)state;
	make(&v[0], d[0], "fine", "", true);
	make(&v[1], d[1], "hen", "egg", true);
	make(&v[2], d[2], "egg", "hen", true);
	assert_int_equal(graph_order(v, 3, order, NULL, &err), -EINVAL);
	assert_non_null(strstr(err.text, "hen, egg"));
	assert_null(strstr(err.text, "fine"));
	make(&v[0], d[0], "self", "self", true);
	assert_int_equal(graph_order(v, 1, order, NULL, &err), -EINVAL);
}

static void unknown_dependencies(void **state)
{
	struct service v[1];
	struct service_depend d[1];
	size_t order[1];
	struct err err = ERR_INIT;

	(void)state;
	make(&v[0], d, "web", "nosuch", true);
	assert_int_equal(graph_order(v, 1, order, NULL, &err), -ENOENT);
	assert_non_null(strstr(err.text, "nosuch"));
	make(&v[0], d, "web", "nosuch", false);
	assert_int_equal(graph_order(v, 1, order, NULL, &err), 0);
}

static void verdicts(void **state)
{
	static const struct {
		enum depend_condition condition;
		bool required;
		enum graph_state now;
		enum graph_verdict verdict;
	} table[] = {
		{ DEPEND_STARTED, true, GRAPH_PENDING, GRAPH_WAIT }, { DEPEND_STARTED, true, GRAPH_RUNNING, GRAPH_GO },
		{ DEPEND_STARTED, true, GRAPH_DONE, GRAPH_GO }, { DEPEND_STARTED, true, GRAPH_ENDED_BADLY, GRAPH_GO },
		{ DEPEND_STARTED, true, GRAPH_NOT_STARTED, GRAPH_NEVER }, { DEPEND_STARTED, false, GRAPH_NOT_STARTED, GRAPH_GO },
		{ DEPEND_HEALTHY, true, GRAPH_RUNNING, GRAPH_GO }, { DEPEND_HEALTHY, true, GRAPH_PENDING, GRAPH_WAIT },
		{ DEPEND_COMPLETED, true, GRAPH_PENDING, GRAPH_WAIT }, { DEPEND_COMPLETED, true, GRAPH_RUNNING, GRAPH_WAIT },
		{ DEPEND_COMPLETED, true, GRAPH_DONE, GRAPH_GO }, { DEPEND_COMPLETED, true, GRAPH_ENDED_BADLY, GRAPH_NEVER },
		{ DEPEND_COMPLETED, false, GRAPH_ENDED_BADLY, GRAPH_GO }, { DEPEND_COMPLETED, true, GRAPH_NOT_STARTED, GRAPH_NEVER },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct service_depend d = { NAME("x"), table[i].condition, table[i].required };

		assert_int_equal(graph_verdict(&d, table[i].now), table[i].verdict);
	}
}

static void backoff_doubles_to_a_minute(void **state)
{
	struct restart_rule rule = { RESTART_ALWAYS, 0 };
	struct restart_state st = { 0 };
	int64_t want = 100;

	(void)state;
	for (int i = 0; i < 20; i++) {
		assert_int_equal(restart_after_exit(&rule, &st, 0, 50), want);
		want = MIN(want * 2, 60000);
	}
	assert_int_equal(restart_after_exit(&rule, &st, 0, 9999), 60000);
	assert_int_equal(restart_after_exit(&rule, &st, 0, 10000), 100);
	assert_int_equal(st.count, 22);
}

static void policies(void **state)
{
	struct restart_state st = { 0 };
	struct restart_rule no = { RESTART_NO, 0 }, failure = { RESTART_ON_FAILURE, 2 }, unless = { RESTART_UNLESS_STOPPED, 0 };

	(void)state;
	assert_int_equal(restart_after_exit(&no, &st, 1, 0), -1);
	assert_int_equal(restart_after_exit(&failure, &st, 0, 0), -1);
	assert_int_equal(restart_after_exit(&failure, &st, 1, 0), 100);
	assert_int_equal(restart_after_exit(&failure, &st, 137, 0), 200);
	assert_int_equal(restart_after_exit(&failure, &st, 1, 0), -1);
	failure.max_retries = 0;
	assert_int_equal(restart_after_exit(&failure, &st, 1, 0), 400);
	st.stopped_by_hand = true;
	assert_int_equal(restart_after_exit(&unless, &st, 1, 0), -1);
}

static void engine_comes_up(void **state)
{
	struct restart_rule rule[] = { { RESTART_NO, 0 }, { RESTART_ALWAYS, 0 }, { RESTART_ON_FAILURE, 0 }, { RESTART_UNLESS_STOPPED, 0 } };
	struct restart_state ran = { 0 }, stopped = { .stopped_by_hand = true };

	(void)state;
	/* only the engine was restarted */
	assert_false(restart_at_engine_start(&rule[0], &ran, 1, false));
	assert_true(restart_at_engine_start(&rule[1], &stopped, 0, false));
	assert_true(restart_at_engine_start(&rule[2], &ran, 1, false));
	assert_false(restart_at_engine_start(&rule[2], &ran, 0, false));
	assert_false(restart_at_engine_start(&rule[2], &stopped, 1, false));
	assert_true(restart_at_engine_start(&rule[3], &ran, 0, false));
	assert_false(restart_at_engine_start(&rule[3], &stopped, 0, false));
	/* the machine was booted */
	assert_true(restart_at_engine_start(&rule[0], &ran, 0, true));
	assert_true(restart_at_engine_start(&rule[0], &stopped, 0, true));
	assert_true(restart_at_engine_start(&rule[2], &ran, 0, true));
	assert_false(restart_at_engine_start(&rule[3], &stopped, 0, true));
	assert_true(restart_at_engine_start(&rule[3], &ran, 0, true));
}

static void policy_names(void **state)
{
	(void)state;
	for (int p = RESTART_NO; p <= (int)RESTART_UNLESS_STOPPED; p++)
		assert_int_equal(restart_policy_parse(restart_policy_name((enum restart_policy)p)), p);
	assert_int_equal(restart_policy_parse("sometimes"), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_follows_dependencies), cmocka_unit_test(circles_are_named),
		cmocka_unit_test(unknown_dependencies), cmocka_unit_test(verdicts), cmocka_unit_test(backoff_doubles_to_a_minute),
		cmocka_unit_test(policies), cmocka_unit_test(engine_comes_up), cmocka_unit_test(policy_names),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
