/* test_cli_explain.c - runtime/cli/explain_judge.c: who is to blame for a boot that failed, and a screen that has limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "runtime/cli/explain.h"

static struct explain_facts f;

static struct explain_unit *unit(const char *name, const char *state, const char *after)
{
	struct explain_unit *u = &f.unit[f.n++];

	memset(u, 0, sizeof(*u));
	snprintf(u->name, sizeof(u->name), "%s", name);
	snprintf(u->state, sizeof(u->state), "%s", state);
	snprintf(u->after, sizeof(u->after), "%s", after);
	return u;
}

static void problem(double at, const char *component, const char *message)
{
	struct explain_problem *p = &f.problem[f.problems_n++];

	p->at = at;
	snprintf(p->component, sizeof(p->component), "%s", component);
	snprintf(p->message, sizeof(p->message), "%s", message);
}

/* The units of the image, in these states. */
static void machine(const char *data, const char *config, const char *engine, const char *final)
{
	memset(&f, 0, sizeof(f));
	unit("network", "waiting", "");
	unit("data", data, "");
	unit("config", config, "data");
	unit("engine", engine, "data,config")->critical = true;
	unit("final", final, "data,config,engine");
}

static void expect(enum explain_kind kind, const char *name, int at_problem)
{
	struct explain_verdict v = explain_judge(&f, NULL);

	assert_int_equal(v.kind, kind);
	assert_string_equal(v.unit < 0 ? "" : f.unit[v.unit].name, name);
	assert_int_equal(v.problem, at_problem);
}

static void test_fine(void **state)
{
	(void)state;
	machine("skipped", "done", "running", "done");
	expect(EXPLAIN_FINE, "", -1);
	problem(1, "engine", "web: no such image");
	expect(EXPLAIN_FINE, "", -1);
	machine("done", "starting", "waiting", "waiting");
	expect(EXPLAIN_UNFINISHED, "config", -1);
	machine("done", "done", "starting", "waiting");
	expect(EXPLAIN_UNFINISHED, "engine", -1);
	machine("done", "done", "skipped", "skipped");
	unit("mine", "starting", "")->critical = true;
	expect(EXPLAIN_UNFINISHED, "mine", -1);
}

static void test_stages(void **state)
{
	(void)state;
	machine("skipped", "done", "running", "done");
	f.wants_data = true;
	expect(EXPLAIN_NO_DATA, "data", -1);
	/* it is there, and may still be on its way */
	snprintf(f.data_node, sizeof(f.data_node), "/dev/vda");
	expect(EXPLAIN_FINE, "", -1);
	machine("failed", "done", "running", "done");
	problem(1, "data", "mount /dev/vda: Structure needs cleaning");
	problem(2, "init", "data exited with code 1");
	expect(EXPLAIN_DATA, "data", 0);
	/* what is before the others is to blame for them */
	machine("done", "done", "backoff", "waiting");
	f.unit[3].restarts = 9;
	f.config_errors = 1;
	problem(1, "init", "engine exited with code 1");
	problem(2, "config", "user-data: line 3: unknown key");
	expect(EXPLAIN_CONFIG, "config", 1);
	machine("done", "failed", "running", "done");
	expect(EXPLAIN_CONFIG, "config", -1);
}

static void test_critical(void **state)
{
	struct explain_facts before;

	(void)state;
	machine("done", "done", "failed", "done");
	problem(1, "init", "engine-room exited with code 1");
	problem(2, "init", "engine exited with code 1");
	expect(EXPLAIN_CRITICAL, "engine", 1);
	/* two restarts are no failure, a third that does not come up is */
	machine("done", "done", "backoff", "waiting");
	f.unit[3].restarts = 2;
	expect(EXPLAIN_UNFINISHED, "engine", -1);
	f.unit[3].restarts = 3;
	expect(EXPLAIN_CRITICAL, "engine", -1);
	/* it runs, but not the same run as a moment ago */
	machine("done", "done", "running", "done");
	f.unit[3].restarts = 5;
	before = f;
	assert_int_equal(explain_judge(&f, &before).kind, EXPLAIN_FINE);
	before.unit[3].restarts = 4;
	assert_int_equal(explain_judge(&f, &before).kind, EXPLAIN_CRITICAL);
	/* of two the one that began it */
	machine("done", "done", "failed", "done");
	unit("mine", "failed", "")->critical = true;
	problem(1, "init", "mine exited with code 1");
	problem(2, "init", "engine exited with code 1");
	expect(EXPLAIN_CRITICAL, "mine", 0);
	/* and not the one that only waits for it, though it is the critical one */
	machine("done", "done", "running", "done");
	unit("top", "failed", "engine,middle")->critical = true;
	unit("middle", "failed", "base-2,base");
	unit("base", "failed", "");
	unit("base-2", "running", "");
	problem(1, "init", "base exited with code 1");
	problem(2, "init", "top was not started: it needs middle");
	expect(EXPLAIN_CRITICAL, "base", 0);
	machine("done", "done", "running", "done");
	unit("other", "failed", "");
	expect(EXPLAIN_UNIT, "other", -1);
}

static void test_screen(void **state)
{
	struct explain_screen s = { 0 };
	char text[2000];
	int lines = 0;

	(void)state;
	explain_line(&s, "%s", "a\tb\x1b[2J\x7f\xc3\xa4\n");
	assert_string_equal(s.text, "a?b?[2J????\n");
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (int i = 0; i < 100; i++)
		explain_line(&s, "%s", text);
	for (const char *at = s.text; *at; at = strchr(at, '\n') + 1, lines++)
		assert_true(strcspn(at, "\n") <= EXPLAIN_COLUMNS);
	assert_int_equal(lines, EXPLAIN_LINES);
	assert_int_equal(strlen(s.text), s.n);
}

static void test_text(void **state)
{
	struct explain_screen s = { 0 };
	char word[400];

	(void)state;
	explain_text(&s, 3, "  short");
	assert_string_equal(s.text, "  short\n");
	memset(&s, 0, sizeof(s));
	/* 79 columns: 3 are broken at their blanks, what is longer is cut */
	explain_text(&s, 3, "%s", "1234567890 1234567890 1234567890 1234567890 1234567890 1234567890 1234567890 abcdefgh ijk lm");
	assert_string_equal(s.text, "1234567890 1234567890 1234567890 1234567890 1234567890 1234567890 1234567890\n    abcdefgh ijk lm\n");
	memset(&s, 0, sizeof(s));
	memset(word, 'x', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	explain_text(&s, 3, "%s", word);
	assert_int_equal(s.lines, 3);
	assert_int_equal(s.n, 3 * (EXPLAIN_COLUMNS + 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fine), cmocka_unit_test(test_stages), cmocka_unit_test(test_critical), cmocka_unit_test(test_screen),
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
