/* look.c - coracle why --look: once per boot, by a unit of the image: what became of the last boot, and that this one runs.
 *
 * A record that only says that a boot began means that nobody got to write its end: then hardware and pstore are asked, and what
 * they do not know either was a lost power. Every file is replaced as a whole. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"
#include "crash.h"
#include "fd.h"
#include "sys.h"
#include "verdict.h"

#define HISTORY_MAX 4096	/* the oldest lines go */
#define WATCHDOGS_MAX 8
#define CARDRESET 0x20		/* WDIOF_CARDRESET */

static const char *path_of(const char *name)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%s", cli_state_directory(), name);
	return path;
}

static void read_record(const char *name, struct verdict_boot *b)
{
	char text[2 * VERDICT_RECORD_MAX];

	memset(b, 0, sizeof(*b));
	if (fd_read_small(AT_FDCWD, path_of(name), text, sizeof(text)) > 0)
		verdict_parse(text, b);
}

static int write_record(const char *name, const struct verdict_boot *b, struct err *err)
{
	char text[VERDICT_RECORD_MAX];

	return fd_replace_file(AT_FDCWD, path_of(name), text, verdict_format(b, text, sizeof(text)), 0644, err);
}

/* The last boot: its beginning, as this program wrote it, and its end, as init did. */
static void read_last(struct verdict_boot *last)
{
	struct verdict_boot before, end;
	char text[2 * VERDICT_RECORD_MAX];

	read_record("boot/current", last);
	read_record("boot/last", &before);
	read_record("boot/end", &end);
	if (!end.id[0] || (strcmp(end.id, last->id) && strcmp(end.id, before.id) == 0))
		return;
	/* of a boot that was too short for its beginning to be written */
	if (strcmp(end.id, last->id))
		*last = (struct verdict_boot){ .number = last->number + 1 };
	if (fd_read_small(AT_FDCWD, path_of("boot/end"), text, sizeof(text)) > 0)
		verdict_parse(text, last);
}

/* "17 1764235577 clean reboot: power button" */
static int add_history(const struct verdict_boot *last, struct err *err)
{
	CLEANUP_FREE char *text = NULL;
	CLEANUP_BUF struct buf b;
	const char *from;
	size_t n = 0;

	buf_init(&b, HISTORY_MAX + VERDICT_RECORD_MAX);
	if (fd_read_file(AT_FDCWD, path_of("boot/history"), 2 * HISTORY_MAX, &text, &n, NULL) == 0) {
		from = n > HISTORY_MAX ? strchr(text + n - HISTORY_MAX, '\n') : text;
		buf_puts(&b, from ? from + (from != text) : "");
	}
	buf_printf(&b, "%u %lld %s %s\n", last->number, (long long)last->began, last->kind, last->text);
	return fd_replace_file(AT_FDCWD, path_of("boot/history"), b.data, b.len, 0644, err);
}

static bool watchdog_has_reset(void)
{
	char path[64], text[16];

	for (int i = 0; i < WATCHDOGS_MAX; i++) {
		snprintf(path, sizeof(path), "/sys/class/watchdog/watchdog%d/bootstatus", i);
		if (fd_read_small(AT_FDCWD, path, text, sizeof(text)) > 0 && strtol(text, NULL, 10) & CARDRESET)
			return true;
	}
	return false;
}

static bool started_by_kexec(void)
{
	char text[16];

	/* the loader's number, with its version in the low four bits: 0xD is kexec */
	return fd_read_small(AT_FDCWD, "/proc/sys/kernel/bootloader_type", text, sizeof(text)) > 0 && strtol(text, NULL, 10) >> 4 == 0xd;
}

static int judge(struct verdict_boot *last, bool by_kexec, struct err *err)
{
	const char *pstore = getenv("CORACLE_PSTORE");
	struct verdict_evidence evidence = { .watchdog = watchdog_has_reset(), .by_kexec = by_kexec };
	char problems[512];
	int r;

	if (!pstore)
		sys_mount("pstore", "/sys/fs/pstore", "pstore", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	crash_collect(&evidence, pstore ? pstore : "/sys/fs/pstore", cli_state_directory(), last->number, last->crash, sizeof(last->crash));
	verdict_judge(last, &evidence);
	if ((r = write_record("boot/last", last, err)) < 0 || (last->number && (r = add_history(last, err)) < 0))
		return r;
	/* what it had noted down about itself at its end */
	snprintf(problems, sizeof(problems), "%s", path_of("boot/problems"));
	if (rename(problems, path_of("boot/last-problems")) < 0)
		unlink(path_of("boot/last-problems"));
	return 0;
}

/* For good: one that came back after the next loss of power would be taken for the end of a boot that nobody knows. */
static void forget_end(void)
{
	CLEANUP_FD int dir = -1;

	unlink(path_of("boot/end"));
	dir = sys_openat(AT_FDCWD, path_of("boot"), O_RDONLY | O_DIRECTORY, 0);
	if (dir >= 0)
		sys_fsync(dir);
}

int look(void)
{
	struct verdict_boot last, now = { .state = "running" };
	struct err err = ERR_INIT;
	struct utsname u;
	bool by_kexec = started_by_kexec();

	sys_mkdirat(AT_FDCWD, cli_state_directory(), 0755);
	sys_mkdirat(AT_FDCWD, path_of("boot"), 0755);
	read_record("boot/current", &last);
	if (fd_read_small(AT_FDCWD, "/proc/sys/kernel/random/boot_id", now.id, sizeof(now.id)) > 0 && strcmp(last.id, now.id) == 0)
		return 0; /* done in this boot already */
	read_last(&last);
	now.began = time(NULL);
	snprintf(now.start, sizeof(now.start), "%s", by_kexec ? "kexec" : "firmware");
	if (uname(&u) == 0)
		snprintf(now.kernel, sizeof(now.kernel), "%.63s", u.release);
	if (judge(&last, by_kexec, &err) < 0)
		return cli_fail(&err);
	now.number = last.number + 1; /* it may have been found only now that there was another one between */
	if (write_record("boot/current", &now, &err) < 0)
		return cli_fail(&err);
	forget_end();
	return 0;
}
