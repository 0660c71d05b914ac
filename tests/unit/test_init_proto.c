/* test_init_proto.c - init/proto: notifications and control requests, good, bad and random; init's pid table and fd store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cdefs.h"
#include "init/pid1/init.h"
#include "init/pid1/recover.h"
#include "init/proto/control.h"
#include "init/proto/notify.h"

int fuzz_notify(const uint8_t *data, size_t n);

/* of the loop and the recovery, which these tables do without here */
int recover_keep(int fd)
{
	(void)fd;
	return 0;
}

void recover_commit(void)
{
}

struct units units;
static int watched_fd, watches;

int loop_add(int fd, enum watch who, int index, unsigned events)
{
	assert_true(who == WATCH_STORED && index == fd && events == 0);
	watched_fd = fd;
	watches++;
	return 0;
}

void loop_remove(int fd)
{
	assert_true(fcntl(fd, F_GETFD) >= 0);
	watches--;
}

static int notify(const char *text, struct notify_message *m)
{
	return notify_parse(text, strlen(text), m);
}

static void test_notify(void **state)
{
	struct notify_message m;

	(void)state;
	assert_int_equal(notify("READY=1\nSTATUS=all is\twell\nMAINPID=77", &m), 0);
	assert_int_equal(m.seen, NOTIFY_READY | NOTIFY_STATUS | NOTIFY_MAINPID);
	assert_string_equal(m.status, "all is?well");
	assert_int_equal(m.main_pid, 77);
	assert_string_equal(m.fdname, "stored");
	assert_int_equal(notify("FDSTORE=1\nFDNAME=c.ab12.out.r\n", &m), 0);
	assert_int_equal(m.seen, NOTIFY_FDSTORE);
	assert_string_equal(m.fdname, "c.ab12.out.r");
	assert_int_equal(notify("FDSTOREREMOVE=1\nFDNAME=x", &m), 0);
	assert_int_equal(m.seen, NOTIFY_FDSTOREREMOVE);
	assert_int_equal(notify("READY=0\nSTOPPING=1\nRELOADING=1\nMONOTONIC_USEC=17\nWATCHDOG=1\nX_OWN=1\nnothing\n\n", &m), 0);
	assert_int_equal(m.seen, NOTIFY_STOPPING | NOTIFY_RELOADING | NOTIFY_WATCHDOG);
	assert_int_equal(notify("", &m), 0);
	assert_int_equal(m.seen, 0);
	assert_int_equal(notify("WATCHDOG=trigger\nFDPOLL=0\nBUSERROR=org.x.Y\nEXIT_STATUS=3\nERRNO=2", &m), 0);
	assert_int_equal(m.seen, NOTIFY_TRIGGER | NOTIFY_NO_POLL | NOTIFY_ERRNO);
	assert_int_equal(m.error, 2);
	assert_string_equal(m.bad, "");
}

/* Times are in microseconds there and in milliseconds here: never shorter than was asked for. */
static void test_notify_times(void **state)
{
	struct notify_message m;

	(void)state;
	assert_int_equal(notify("WATCHDOG_USEC=20000000\nEXTEND_TIMEOUT_USEC=1500", &m), 0);
	assert_int_equal(m.seen, NOTIFY_WATCHDOG_USEC | NOTIFY_EXTEND);
	assert_int_equal(m.watchdog_ms, 20000);
	assert_int_equal(m.extend_ms, 2);
	assert_int_equal(notify("WATCHDOG_USEC=18446744073709551615\nEXTEND_TIMEOUT_USEC=99999999999999999999999", &m), 0);
	assert_int_equal(m.watchdog_ms, 0);
	assert_true(m.extend_ms > INT64_C(1000000000000));
	assert_int_equal(notify("WATCHDOG_USEC=0", &m), 0);
	assert_int_equal(m.seen, NOTIFY_WATCHDOG_USEC);
	assert_int_equal(m.watchdog_ms, 0);
}

static void test_notify_barrier(void **state)
{
	struct notify_message m;

	(void)state;
	assert_int_equal(notify("BARRIER=1", &m), 0);
	assert_int_equal(m.seen, NOTIFY_BARRIER);
	assert_int_equal(notify("BARRIER=1\n", &m), 0);
	assert_int_equal(m.seen, NOTIFY_BARRIER);
	assert_int_equal(notify("READY=1\nBARRIER=1", &m), 0); /* the page: no other text together with it */
	assert_int_equal(m.seen, 0);
}

/* What is malformed counts as not there, and the rest of the message does. */
static void test_notify_bad(void **state)
{
	static const char *const bad[] = {
		"MAINPID=", "MAINPID=0", "MAINPID=-3", "MAINPID=99999999999", "MAINPID=4294967297", "MAINPID=1x", "FDNAME=a:b", "FDNAME=", "FDNAME=a\tb",
		"FDNAME=\xc3\xa9", "WATCHDOG_USEC=", "WATCHDOG_USEC=-1", "WATCHDOG_USEC=1s", "EXTEND_TIMEOUT_USEC=x", "ERRNO=ENOENT", "ERRNO=4096",
	};
	struct notify_message m;
	char text[NOTIFY_TEXT_MAX + 1];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(text, sizeof(text), "%s\nREADY=1", bad[i]);
		assert_int_equal(notify(text, &m), 0);
		assert_int_equal(m.seen, NOTIFY_READY);
		assert_int_equal(strncmp(m.bad, bad[i], strlen(m.bad)), 0);
		assert_true(m.bad[0]);
		assert_string_equal(m.fdname, "stored");
	}
	notify_parse("FDNAME=a\0b", 10, &m);
	assert_string_equal(m.bad, "FDNAME");
	memset(text, 'a', sizeof(text));
	memcpy(text, "FDNAME=", 7);
	notify_parse(text, 7 + 63, &m);
	assert_int_equal(strlen(m.fdname), 63);
	notify_parse(text, 7 + 64, &m);
	assert_string_equal(m.fdname, "stored");
	assert_int_equal(notify("FDNAME=any /name@{x}", &m), 0);
	assert_string_equal(m.fdname, "any /name@{x}");
	memcpy(text, "STATUS=", 7);
	assert_int_equal(notify_parse(text, NOTIFY_TEXT_MAX, &m), 0);
	assert_int_equal(strlen(m.status), NOTIFY_STATUS_MAX - 1);
	assert_int_equal(notify_parse(text, sizeof(text), &m), -E2BIG);
}

static int control(const char *text, struct control_request *q)
{
	return control_parse(text, strlen(text), q);
}

static void test_control(void **state)
{
	static const char *const bad[] = {
		"", " ", "watch", "watch ", "watch 1", "watch 0", "watch -5", "watch 12x", "watch 99999999999", "watch 2147483648", "watch 5 6",
		"watch  5", "services x", "services ", "poweroff now", "start", "start ", "start a/b", "start a b", "Watch 5", "watchx 5", "wat 5",
		"exit-code", "exit-code 256", "exit-code -1", "reboot\n", "reload ", "reload a/b",
	};
	struct control_request q;
	char text[CONTROL_TEXT_MAX + 2];

	(void)state;
	assert_int_equal(control("watch 4242", &q), 0);
	assert_int_equal(q.verb, CONTROL_WATCH);
	assert_int_equal(q.pid, 4242);
	assert_int_equal(control("forget 2147483647", &q), 0);
	assert_int_equal(q.verb, CONTROL_FORGET);
	assert_int_equal(control("services", &q), 0);
	assert_int_equal(q.verb, CONTROL_SERVICES);
	assert_int_equal(control("restart dhcp@eth0.100", &q), 0);
	assert_int_equal(q.verb, CONTROL_RESTART);
	assert_string_equal(q.name, "dhcp@eth0.100");
	assert_int_equal(control("reload", &q), 0);
	assert_string_equal(q.name, "");
	assert_int_equal(control("reload web", &q), 0);
	assert_int_equal(q.verb, CONTROL_RELOAD);
	assert_string_equal(q.name, "web");
	assert_int_equal(control("poweroff", &q), 0);
	assert_int_equal(control("halt", &q), 0);
	assert_int_equal(control("exit-code 255", &q), 0);
	assert_int_equal(q.number, 255);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(control(bad[i], &q), -EINVAL);
	assert_int_equal(control_parse("services\0", 9, &q), -EINVAL);
	memset(text, 'a', sizeof(text));
	memcpy(text, "start ", 6);
	assert_int_equal(control_parse(text, 6 + CONTROL_NAME_MAX - 1, &q), 0);
	assert_int_equal(control_parse(text, 6 + CONTROL_NAME_MAX, &q), -EINVAL);
	assert_int_equal(control_parse(text, sizeof(text), &q), -EINVAL);
	assert_string_equal(control_verb_of_program("reboot"), "reboot");
	assert_string_equal(control_verb_of_program("shutdown"), "poweroff");
	assert_null(control_verb_of_program("init"));
}

/* Random bytes out of the words that the parsers know, each in a buffer of exactly its length, so that ASan sees one byte too many. */
static void test_random(void **state)
{
	static const char *const words[] = { "READY=1", "MAINPID=", "FDNAME=", "STATUS=", "FDSTORE=1", "WATCHDOG_USEC=", "EXTEND_TIMEOUT_USEC=", "ERRNO=", "BARRIER=1", "\n", "=", "watch ", "start ", "12", "x", " ", "exit-code " };
	uint32_t seed = 1;

	(void)state;
	for (int round = 0; round < 200000; round++) {
		char text[256];
		size_t n = 0;
		char *exact;
		struct notify_message m;
		struct control_request q;

		while (n < 200 && (seed = seed * 1664525 + 1013904223) >> 29) {
			const char *w = words[(seed >> 8) % ARRAY_SIZE(words)];

			memcpy(text + n, w, strlen(w));
			n += strlen(w);
			text[n++] = (char)(seed >> 20);
		}
		exact = malloc(n ? n : 1);
		assert_non_null(exact);
		memcpy(exact, text, n);
		if (notify_parse(exact, n, &m) == 0)
			assert_true(notify_fdname_ok(m.fdname) && strlen(m.status) < NOTIFY_STATUS_MAX);
		if (control_parse(exact, n, &q) == 0)
			assert_true(strlen(q.name) < CONTROL_NAME_MAX);
		free(exact);
	}
}

static void test_pidtab(void **state)
{
	struct pidtab_entry *e;
	unsigned at = 0;

	(void)state;
	pidtab_clear();
	assert_null(pidtab_find(5));
	assert_int_equal(pidtab_set_unit(5, 3), 0);
	assert_int_equal(pidtab_find(5)->unit, 3);
	e = pidtab_watch(5, 2);
	assert_non_null(e);
	pidtab_end(e, 256);
	pidtab_forget_unit(e);
	assert_non_null(pidtab_find(5)); /* the status is kept until it is forgotten */
	assert_int_equal(pidtab_find(5)->status, 256);
	e = pidtab_untold(2, &at);
	assert_non_null(e);
	assert_int_equal(e->pid, 5);
	e->told |= 1u << 2;
	at = 0;
	assert_null(pidtab_untold(2, &at));
	pidtab_watch(5, 2); /* who asks again is told again: an engine that was restarted */
	at = 0;
	assert_non_null(pidtab_untold(2, &at));
	pidtab_forget(5);
	assert_null(pidtab_find(5));
	pidtab_forget(5);
}

/* Full, and against a plain array, with many pids that fall into the same slots. */
static void test_pidtab_full(void **state)
{
	static uint8_t model[65536];
	uint32_t seed = 7;
	int count = 0;

	(void)state;
	pidtab_clear();
	memset(model, 0, sizeof(model));
	for (int i = 0; i < 300000; i++) {
		pid_t pid;

		seed = seed * 1664525 + 1013904223;
		pid = (pid_t)(2 + (seed >> 16) % 700 + ((seed >> 8) & 7) * 8192);
		if (model[pid]) {
			assert_non_null(pidtab_find(pid));
			pidtab_forget(pid);
			model[pid] = 0;
			count--;
		} else {
			assert_null(pidtab_find(pid));
			if (pidtab_watch(pid, 0)) {
				model[pid] = 1;
				count++;
			} else {
				assert_int_equal(count, INIT_WATCHED_MAX);
			}
		}
	}
	for (pid_t pid = 2; pid < 65536; pid++)
		assert_int_equal(pidtab_find(pid) != NULL, model[pid]);
	for (pid_t pid = 100000; pidtab_watch(pid, 1); pid++)
		count++;
	assert_int_equal(count, INIT_WATCHED_MAX);
	assert_int_equal(pidtab_set_unit(99999, 0), 0); /* services always find room */
	pidtab_clear();
}

static void test_fdstore(void **state)
{
	int fds[INIT_STORED_MAX];
	static char names[INIT_STORED_MAX * FDNAME_MAX];
	int p[2];

	(void)state;
	assert_int_equal(pipe(p), 0);
	units.service[0].fdstore_max = units.service[1].fdstore_max = INIT_STORED_MAX;
	assert_int_equal(fdstore_add(0, "c.1.out.r", p[0], 1), 0);
	assert_int_equal(fdstore_add(0, "c.1.out.w", p[1], 1), 0);
	assert_int_equal(fdstore_add(1, "other", dup(p[0]), 1), 0);
	assert_int_equal(fdstore_collect(0, fds, INIT_STORED_MAX, names, sizeof(names)), 2);
	assert_string_equal(names, "c.1.out.r:c.1.out.w");
	assert_int_equal(fds[1], p[1]);
	/* the same end again is one entry, the other end under the same name is another */
	assert_int_equal(fdstore_add(0, "c.1.out.r", dup(p[0]), 1), 0);
	assert_int_equal(fdstore_collect(0, fds, INIT_STORED_MAX, names, sizeof(names)), 2);
	assert_int_equal(fdstore_add(0, "c.1.out.r", dup(p[1]), 1), 0);
	assert_int_equal(fdstore_collect(0, fds, INIT_STORED_MAX, names, sizeof(names)), 3);
	assert_int_equal(fdstore_add(0, "a:b", dup(p[0]), 1), -EINVAL);
	fdstore_remove(0, "c.1.out.r");
	assert_int_equal(fdstore_collect(0, fds, INIT_STORED_MAX, names, sizeof(names)), 1);
	assert_string_equal(names, "c.1.out.w");
	assert_int_equal(fcntl(p[0], F_GETFD), -1); /* removed is closed */
	fdstore_remove(0, "c.1.out.w");
	fdstore_remove(1, "other");
	assert_int_equal(fdstore_count(), 0);
}

/* What has hung up is dropped, unless nobody wants that; a unit has a limit of its own. */
static void test_fdstore_poll(void **state)
{
	static char names[INIT_STORED_MAX * FDNAME_MAX];
	int fds[INIT_STORED_MAX];
	int before = watches;

	(void)state;
	units.service[0].fdstore_max = 3;
	assert_int_equal(fdstore_add(0, "polled", open("/dev/null", O_RDONLY | O_CLOEXEC), 1), 0);
	assert_int_equal(watches, before + 1);
	assert_int_equal(fdstore_add(0, "kept", open("/dev/zero", O_RDONLY | O_CLOEXEC), 0), 0);
	assert_int_equal(watches, before + 1);
	assert_int_equal(fdstore_add(0, "third", open("/dev/full", O_RDONLY | O_CLOEXEC), 0), 0);
	assert_int_equal(fdstore_add(0, "fourth", open("/", O_RDONLY | O_CLOEXEC), 0), -ENOSPC);
	fdstore_on_hangup(watched_fd);
	assert_int_equal(watches, before);
	assert_int_equal(fdstore_collect(0, fds, INIT_STORED_MAX, names, sizeof(names)), 2);
	assert_string_equal(names, "kept:third");
	fdstore_remove(0, "kept");
	fdstore_remove(0, "third");
	assert_int_equal(fdstore_count(), 0);
}

static void test_fdstore_full(void **state)
{
	static char names[INIT_STORED_MAX * FDNAME_MAX];
	static int fds[INIT_STORED_MAX];
	char name[FDNAME_MAX];
	int n = 0;
	int r = 0;

	(void)state;
	units.service[0].fdstore_max = INIT_STORED_MAX;
	/* the limit of descriptors may be reached before the store is full: then what there is must be right */
	for (; n < INIT_STORED_MAX; n++) {
		int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

		if (fd < 0)
			break;
		snprintf(name, sizeof(name), "%063d", n);
		assert_int_equal(fdstore_add(0, name, fd, 1), 0);
	}
	assert_true(n > 500);
	if (n == INIT_STORED_MAX)
		r = fdstore_add(0, "one-more", dup(0), 1);
	assert_true(r == 0 || r == -ENOSPC);
	assert_int_equal(fdstore_collect(0, fds, INIT_STORED_MAX, names, sizeof(names)), n);
	assert_int_equal(strlen(names), (size_t)n * 64 - 1);
	for (int i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "%063d", i);
		fdstore_remove(0, name);
	}
	assert_int_equal(fdstore_count(), 0);
}

/* The fuzz target over its seeds, over their beginnings, and over damaged copies: the same ones on every run. */
static void test_notify_fuzz(void **state)
{
	DIR *d = opendir("tests/fuzz/corpus/notify");
	struct dirent *e;
	int seeds = 0;

	(void)state;
	srandom(3);
	assert_non_null(d);
	while ((e = readdir(d))) {
		uint8_t seed[NOTIFY_TEXT_MAX], copy[2 * NOTIFY_TEXT_MAX];
		int fd = e->d_name[0] == '.' ? -1 : openat(dirfd(d), e->d_name, O_RDONLY | O_CLOEXEC);
		ssize_t n = fd < 0 ? -1 : read(fd, seed, sizeof(seed));

		if (n <= 0)
			continue;
		close(fd);
		for (ssize_t k = 0; k <= n; k++)
			fuzz_notify(seed, (size_t)k);
		for (int i = 0; i < 4000; i++) {
			size_t len = (size_t)n;

			memcpy(copy, seed, len);
			if (random() % 4 == 0 && len > 1) { /* a part of it twice */
				size_t from = (size_t)random() % len;

				memcpy(copy + len, seed + from, len - from);
				len += len - from;
			}
			for (long k = random() % 4; k >= 0; k--)
				copy[(size_t)random() % len] = random() % 2 ? (uint8_t)random() : (uint8_t)"=\n019\0"[random() % 6];
			fuzz_notify(copy, len);
		}
		seeds++;
	}
	closedir(d);
	assert_true(seeds >= 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_notify), cmocka_unit_test(test_notify_bad), cmocka_unit_test(test_notify_times),
		cmocka_unit_test(test_notify_barrier), cmocka_unit_test(test_fdstore_poll), cmocka_unit_test(test_control), cmocka_unit_test(test_random),
		cmocka_unit_test(test_pidtab), cmocka_unit_test(test_pidtab_full), cmocka_unit_test(test_fdstore), cmocka_unit_test(test_fdstore_full),
		cmocka_unit_test(test_notify_fuzz),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
