/* test_cli_verdict.c - runtime/cli/verdict.c: records that survive hostile bytes, and each way in which a boot can have ended. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cli/verdict.h"

static void test_round_trip(void **state)
{
	struct verdict_boot a = { .number = 17, .id = "3f", .began = 1764235577, .ended = 9, .uptime = 8, .kernel = "6.12", .start = "kexec",
				  .state = "ended", .kind = "clean", .text = "reboot: power button", .crash = "crash/boot-17.txt" };
	struct verdict_boot b = { 0 };
	char text[VERDICT_RECORD_MAX];

	(void)state;
	verdict_format(&a, text, sizeof(text));
	verdict_parse(text, &b);
	assert_memory_equal(&a, &b, sizeof(a));
	/* the longest values fit */
	memset(a.text, 'x', sizeof(a.text) - 1);
	memset(a.kernel, 'y', sizeof(a.kernel) - 1);
	memset(a.crash, 'z', sizeof(a.crash) - 1);
	memset(a.id, 'i', sizeof(a.id) - 1);
	assert_true(verdict_format(&a, text, sizeof(text)) < sizeof(text) - 1);
	verdict_parse(text, &b);
	assert_memory_equal(&a, &b, sizeof(a));
}

static void test_bad_records(void **state)
{
	struct verdict_boot b = { 0 };
	static const char letters[] = "boot=id\nstate\nkind=text=\x01\xff 0123456789";
	char noise[400];

	(void)state;
	verdict_parse("", &b);
	verdict_parse("future=1\nboot=3\nstate=running\ntext=a\tb\nboots=9\nboot", &b);
	assert_int_equal(b.number, 3);
	assert_string_equal(b.text, "a b");
	srandom(1);
	for (int i = 0; i < 20000; i++) {
		for (size_t k = 0; k < sizeof(noise) - 1; k++)
			noise[k] = letters[(size_t)random() % (sizeof(letters) - 1)];
		noise[sizeof(noise) - 1] = '\0';
		verdict_parse(noise, &b);
	}
}

/* What the last boot left, what there is beside it, and what it comes to. */
static struct verdict_boot judge(const char *in_state, const char *kind, const char *text, struct verdict_evidence e)
{
	struct verdict_boot b = { .number = in_state[0] ? 4 : 0 };

	snprintf(b.state, sizeof(b.state), "%s", in_state);
	snprintf(b.kind, sizeof(b.kind), "%s", kind);
	snprintf(b.text, sizeof(b.text), "%s", text);
	verdict_judge(&b, &e);
	return b;
}

#define EXPECT(b, kind_, part) do { \
	struct verdict_boot got = (b); \
	assert_string_equal(got.kind, kind_); \
	if (!strstr(got.text, part)) \
		fail_msg("\"%s\" does not say \"%s\"", got.text, part); \
} while (0)

static const struct verdict_evidence nothing, dog = { .watchdog = 1 }, kexec = { .by_kexec = 1 };

static struct verdict_evidence dump(const char *text)
{
	struct verdict_evidence e = { 0 };

	verdict_add_dump(&e, text);
	return e;
}

static void test_orderly(void **state)
{
	(void)state;
	EXPECT(judge("", "", "", nothing), "first", "nothing is known");
	EXPECT(judge("", "", "", kexec), "kexec", "another kernel");
	EXPECT(judge("ended", "clean", "poweroff: power button", nothing), "clean", "poweroff: power button");
	EXPECT(judge("ended", "service", "engine failed 5 times", nothing), "service", "engine failed 5 times");
	EXPECT(judge("ended", "kexec", "reboot by kexec: x", kexec), "kexec", "reboot by kexec: x");
	EXPECT(judge("ended", "kexec", "reboot by kexec: x", nothing), "kexec", "the firmware started this kernel nevertheless");
	/* without a data disk, or with one that hung: what the kernel kept of its log */
	EXPECT(judge("", "", "", dump("Shutdown#1 Part1\n<6>[ 1.0] coracle: init: reason: clean: reboot: asked by x\n")), "clean", "reboot: asked by x");
	EXPECT(judge("ending", "clean", "reboot: y", dump("Shutdown#1 Part1\n<6>[ 1.0] coracle: init: reason: clean: reboot: y\n")), "clean", "reboot: y");
}

/* What the handler of a fault in init leaves when it cannot execute init again, or has done so too often (init/pid1/crash.c). */
static void test_last_word(void **state)
{
	struct verdict_boot b = { .number = 4, .state = "running", .kind = "clean", .text = "reboot: x" };
	static const char word[] = "<2>coracle: init: reason: init-crash: init crashed, and could not go on\n";
	struct verdict_boot other = { 0 };
	char text[200];

	(void)state;
	snprintf(text, sizeof(text), "%sid=0c8d\n", word);
	verdict_parse(text, &b);
	assert_string_equal(b.id, "0c8d");
	assert_string_equal(b.state, "ending");
	assert_string_equal(b.kind, "init-crash");
	assert_string_equal(b.text, "init crashed, and could not go on");
	verdict_judge(&b, &nothing);
	EXPECT(b, "init-crash", "could not go on");
	/* no text of a record is one, and what is cut off is none */
	verdict_parse("text=<2>coracle: init: reason: init-crash: x\n <2>coracle: init: reason: init-crash: x\n<2>coracle: init: reason: \n<2>cor", &other);
	assert_string_equal(other.kind, "");
	assert_string_equal(other.state, "");
}

/* A boot that ended before it had a disk to write on: the kernel's log is all there is, and the record is of the boot before. */
static void test_later_boot(void **state)
{
	struct verdict_evidence e = { 0 };
	struct verdict_boot b;
	char text[VERDICT_TEXT_MAX];

	(void)state;
	verdict_add_dump(&e, "Shutdown#1 Part1\n<6>[ 1.0] coracle: init: reason: clean: reboot: x\n");
	EXPECT(judge("ended", "clean", "reboot: x", e), "clean", "reboot: x");
	verdict_add_dump(&e, "Shutdown#1 Part1\n<6>[ 1.0] coracle: init: reason: init-crash: there is no state\n");
	b = judge("ended", "clean", "reboot: x", e);
	EXPECT(b, "init-crash", "there is no state");
	assert_int_equal(b.number, 5);
	assert_string_equal(b.state, "");
	/* a dump whose beginning is lost tells nothing of another boot */
	EXPECT(judge("ended", "clean", "reboot: x", dump("Shutdown#1 Part1\n<6>[ 1.0] reboot: Restarting system\n")), "clean", "reboot: x");
	/* a text as long as can be is the same one */
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	snprintf(e.line, sizeof(e.line), "clean: %.192s", text);
	EXPECT(judge("ended", "clean", text, e), "clean", "xxx");
}

static void test_sudden(void **state)
{
	(void)state;
	EXPECT(judge("running", "", "", nothing), "power-loss", "the power was lost");
	EXPECT(judge("ending", "clean", "reboot: x", nothing), "power-loss", "while going down (reboot: x)");
	EXPECT(judge("running", "", "", dog), "watchdog", "process 1 or the kernel hung");
	EXPECT(judge("ending", "watchdog", "critical service a was failed", dog), "watchdog", "critical service a was failed");
	EXPECT(judge("ending", "watchdog", "critical service a was failed", nothing), "watchdog", "critical service a was failed");
	EXPECT(judge("ended", "clean", "reboot: x", dog), "watchdog", "while going down (reboot: x)");
	EXPECT(judge("ending", "init-crash", "five crashes in 60 s", nothing), "init-crash", "five crashes");
	EXPECT(judge("running", "", "", dump("Emergency#1 Part1\n<6>[ 1.0] softdog: initialized. soft_noboot=0\n<2>[ 9.1] softdog: Initiating system reboot\n")), "watchdog", "process 1 or the kernel hung");
	EXPECT(judge("running", "", "", dump("Emergency#1 Part1\n<6>[ 1.0] softdog: initialized. soft_noboot=0\n<6>[ 9.1] sysrq: Resetting\n")), "reset", "Resetting");
}

static void test_panics(void **state)
{
	struct verdict_evidence e = { 0 };

	(void)state;
	EXPECT(judge("running", "", "", dump("Panic#1 Part1\n<0>[ 5.0] Kernel panic - not syncing: sysrq triggered crash\n<4>[ 5.1] more\n")), "panic",
	       "sysrq triggered crash");
	EXPECT(judge("running", "", "", dump("Panic#1 Part1\nKernel panic - not syncing: Attempted to kill init! exitcode=0x0000000b")), "init-crash", "kill init");
	EXPECT(judge("running", "", "", dump("Panic#1 Part1\nKernel panic - not syncing: Software Watchdog Timer expired")), "watchdog", "expired");
	/* in parts, the oldest first, with the oops before its panic, and a shutdown of long ago */
	verdict_add_dump(&e, "Oops#1 Part1\n<1>[ 4.0] BUG: unable to handle page fault\n");
	verdict_add_dump(&e, "Panic#2 Part2\n<1>[ 4.0] other\n");
	verdict_add_dump(&e, "Panic#2 Part1\n<0>[ 4.1] Kernel panic - not syncing: Fatal exception\n");
	verdict_add_dump(&e, "Shutdown#3 Part1\n<0>[ 4.1] coracle: init: reason: clean: x\n");
	verdict_add_dump(&e, "no dump at all");
	EXPECT(judge("running", "", "", e), "panic", "Fatal exception");
	EXPECT(judge("ended", "clean", "reboot: x", e), "panic", "Fatal exception, while going down (reboot: x)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip), cmocka_unit_test(test_bad_records), cmocka_unit_test(test_orderly), cmocka_unit_test(test_last_word),
		cmocka_unit_test(test_later_boot),
		cmocka_unit_test(test_sudden), cmocka_unit_test(test_panics),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
