/* test_units_table.c - unit files together: dependencies, circles, a second load, limits of the tables, and the image's own files. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "fd.h"
#include "init/units/compile.h"

#define BIT(name) (UINT64_C(1) << unit_find(name))
#define IMAGE "rootfs/skel/usr/lib/coracle/units"

static struct err err;
static int bad;

static int compile_at(const char *where, const char *name, const char *unit_lines)
{
	char text[UNITS_FILE_MAX + 1];
	char path[128];
	int n = snprintf(text, sizeof(text), "[Service]\nExecStart=/bin/%s\n[Unit]\n%s\n", name, unit_lines);

	snprintf(path, sizeof(path), "%s/%s.unit", where, name);
	return unit_compile(name, path, text, (size_t)n, &err);
}

static int compile(const char *name, const char *unit_lines)
{
	return compile_at(UNITS_DIR, name, unit_lines);
}

static void dependencies(void **state)
{
	(void)state;
	units_begin(NULL);
	compile("a", "After=b c\nRequires=d\nBefore=e");
	compile("b", "");
	compile("c", "RequiresFinished=b");
	compile("d", "RequiresHealthy=b");
	compile("e", "After=b");
	assert_int_equal(units_resolve(&bad, &err), 0);
	assert_true(units.sup[0].after == (BIT("b") | BIT("c")) && units.sup[0].needs == BIT("d"));
	assert_true(units.sup[2].finished == BIT("b") && units.sup[3].healthy == BIT("b"));
	assert_true(units.sup[4].after == (BIT("b") | BIT("a")));
}

static void unknown_names(void **state)
{
	(void)state;
	units_begin(NULL);
	compile("a", "");
	compile("b", "Description=x\nRequires=a\nAfter=nobody");
	assert_int_equal(units_resolve(&bad, &err), -EINVAL);
	assert_int_equal(bad, 1);
	assert_string_equal(err.text, UNITS_DIR "/b.unit:6: there is no unit \"nobody\"");
}

static void circles(void **state)
{
	static const char *const kinds[] = { "After", "Requires", "RequiresFinished", "RequiresHealthy" };
	char line[64];

	(void)state;
	for (int i = 0; i < 4; i++) {
		units_begin(NULL);
		compile("before", "");
		compile("a", "After=c before");
		snprintf(line, sizeof(line), "%s=a", kinds[i]);
		compile("b", line);
		compile("c", "Requires=b");
		compile("behind", "After=a");
		assert_int_equal(units_resolve(&bad, &err), -ELOOP);
		assert_true(bad >= 1 && bad <= 3);
		assert_non_null(strstr(err.text, ".unit: the order is circular: "));
		assert_non_null(strstr(err.text, "a after c after b"));
		assert_null(strstr(err.text, "behind"));
	}
	units_begin(NULL);
	compile("self", "After=self");
	assert_int_equal(units_resolve(&bad, &err), -ELOOP);
	assert_string_equal(err.text, UNITS_DIR "/self.unit: the order is circular: self after self");
	units_begin(NULL);
	compile("a", "Before=b");
	compile("b", "Before=a");
	assert_int_equal(units_resolve(&bad, &err), -ELOOP);
}

/* The machine's file closes the circle, so it is the one that goes. */
static void circle_of_the_machine(void **state)
{
	(void)state;
	units_begin(NULL);
	compile_at(UNITS_DIR_LOCAL, "engine", "After=final");
	compile("final", "After=engine config");
	compile("config", "");
	assert_int_equal(units_resolve(&bad, &err), -ELOOP);
	assert_string_equal(unit_name(bad), "engine");
	assert_int_equal(strncmp(err.text, UNITS_DIR_LOCAL "/engine.unit: ", 30), 0);
}

static struct units old;

static void second_load(void **state)
{
	(void)state;
	units_begin(NULL);
	compile("a", "Critical=yes\nAfter=b");
	compile("b", "Description=of the image");
	compile("gone", "After=a\nFailureAction=reboot");
	units.sup[2].stop_signal = SIGINT;
	assert_int_equal(units_resolve(&bad, &err), 0);
	old = units;
	units_begin(&old);
	assert_int_equal(units.n, 3);
	assert_int_equal(compile_at(UNITS_DIR_LOCAL, "new", "After=gone"), 3);
	assert_int_equal(compile_at(UNITS_DIR_LOCAL, "b", "Description=of the machine"), 1);
	assert_int_equal(compile("b", "Description=of the image"), -EEXIST);
	assert_int_equal(compile("a", "After=b"), 0);
	assert_int_equal(units_resolve(&bad, &err), 0);
	assert_int_equal(units.n, 4);
	assert_string_equal(unit_string(units.service[1].description), "of the machine");
	assert_int_equal(units.sup[0].flags, 0);
	/* what has no file any more can be stopped as before, and not be started */
	assert_string_equal(unit_name(2), "gone");
	assert_int_equal(units.sup[2].stop_signal, SIGINT);
	assert_int_equal(units.sup[2].flags, SUP_ON_DEMAND);
	assert_int_equal(units.sup[2].escalate, 0);
	assert_true(units.sup[2].after == 0);
	assert_int_equal(units.service[2].argv.n, 0);
	assert_string_equal(unit_string(units.service[2].when.first), UNITS_DIR_LOCAL "/gone.unit");
	/* and comes back with its file */
	old = units;
	units_begin(&old);
	assert_int_equal(compile("gone", "After=a"), 2);
	assert_int_equal(units.sup[2].flags, 0);
}

static void wrong_file_leaves_nothing(void **state)
{
	char text[] = "[Service]\nExecStart=/bin/x a b c\nEnvironment=A=b\nLimitCORE=1\n[Socket]\nListenStream=/a\n[Timer]\nOnBootSec=1\n[Unit]\nAfter=y z\nNonsense=1\n";
	unsigned text_n;

	(void)state;
	units_begin(NULL);
	compile("a", "");
	text_n = units.text_n;
	assert_int_equal(unit_compile("x", "/x.unit", text, sizeof(text) - 1, &err), -EINVAL);
	assert_string_equal(err.text, "/x.unit:11: Nonsense=1: unknown in section [Unit]");
	assert_int_equal(units.n, 1);
	assert_int_equal(units.text_n, text_n);
	assert_int_equal(units.sockets_n + units.timers_n + units.limits_n + unit_dependencies_n, 0);
}

static void full_tables(void **state)
{
	char name[32];
	char lines[8000] = "Description=";
	int r = 0;
	int n = 0;

	(void)state;
	units_begin(NULL);
	for (; n < SUP_UNITS_MAX; n++) {
		snprintf(name, sizeof(name), "u%d", n);
		assert_int_equal(compile(name, ""), n);
	}
	assert_int_equal(compile("more", ""), -EINVAL);
	assert_string_equal(err.text, UNITS_DIR "/more.unit: more than 64 units");
	assert_int_equal(units_resolve(&bad, &err), 0);
	units_begin(NULL);
	memset(lines + 12, 'x', 4000);
	for (n = 0; n < SUP_UNITS_MAX && r >= 0; n++) {
		snprintf(name, sizeof(name), "u%d", n);
		r = compile(name, lines);
	}
	assert_int_equal(r, -EINVAL);
	assert_int_equal(units.n, 8);
	assert_non_null(strstr(err.text, "the texts of all units together are longer than 32768 bytes"));
	snprintf(lines, sizeof(lines), "%s", "After=");
	for (n = 0; n < 600; n++)
		strcat(lines, "bb ");
	units_begin(NULL);
	assert_int_equal(compile("a", lines), -EINVAL);
	assert_non_null(strstr(err.text, ": more than 512 dependencies in all units"));
}

/* What the image starts, as its files say: what PID 1 had in a table before there were files. */
static void files_of_the_image(void **state)
{
	DIR *d = opendir(IMAGE);
	struct dirent *e;
	const struct sup_unit *u;
	int i;

	(void)state;
	assert_non_null(d);
	units_begin(NULL);
	while ((e = readdir(d))) {
		CLEANUP_FREE char *text = NULL;
		size_t n = 0;
		char path[400];
		char name[300];

		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), IMAGE "/%.200s", e->d_name);
		snprintf(name, sizeof(name), "%.*s%s", (int)strlen(e->d_name) - 5, e->d_name, strchr(e->d_name, '@') ? "eth0" : "");
		assert_int_equal(fd_read_file(AT_FDCWD, path, UNITS_FILE_MAX, &text, &n, NULL), 0);
		if (unit_compile(name, path, text, n, &err) < 0)
			fail_msg("%s", err.text);
	}
	closedir(d);
	assert_int_equal(units_resolve(&bad, &err), 0);
	i = unit_find("engine");
	u = &units.sup[i];
	assert_true(u->after == (BIT("data") | BIT("config")) && u->needs == 0);
	assert_int_equal(u->flags, SUP_NOTIFIES | SUP_CRITICAL);
	assert_int_equal(u->restart, SUP_RESTART_ALWAYS);
	assert_int_equal(u->start_ms, 0);
	assert_int_equal(u->escalate, 20);
	assert_int_equal(u->give_up, 0);
	assert_int_equal(units.service[i].oom_score_adj, -900);
	assert_int_equal(units.service[i].flags, UNIT_STAMPED);
	i = unit_find("dhcp@eth0");
	assert_int_equal(units.service[i].argv.n, 17);
	assert_non_null(memmem(units.text, units.text_n, "-i\0eth0", 8));
	assert_string_equal(unit_string(units.service[i].when.first), "!/run/coracle/network/no-dhcp.eth0");
	i = unit_find("final");
	assert_int_equal(units.sup[i].wait_ms, 60000);
	i = unit_find("rescue");
	assert_int_equal(units.service[i].flags, UNIT_CONSOLE);
	assert_int_equal(units.sup[i].stop_signal, SIGHUP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dependencies), cmocka_unit_test(unknown_names), cmocka_unit_test(circles), cmocka_unit_test(circle_of_the_machine),
		cmocka_unit_test(second_load), cmocka_unit_test(wrong_file_leaves_nothing), cmocka_unit_test(full_tables), cmocka_unit_test(files_of_the_image),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
