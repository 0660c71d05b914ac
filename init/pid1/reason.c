/* reason.c - why the machine goes down: told to the kernel log and to the data disk, for `coracle why` at the next boot.
 *
 * PID 1 only remembers it. The file is written by children, one at a time, because /var may hang; nobody waits for them. What becomes of it,
 * and what the end was when nobody got to write one, is the business of `coracle why --look`, which a unit of the image runs at
 * the next boot. pstore keeps the kernel's log where it is set up (init(8)), and with it the reason. */
#include "init/pid1/init.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cdefs.h"
#include "err.h"
#include "fd.h"
#include "init/pid1/recover.h"
#include "report.h"
#include "sys.h"

#define DIR "/var/lib/coracle/boot"
#define PROBLEMS_MAX 4096

static struct {
	int decided;
	int dirty;		/* what was decided is not written yet */
	char kind[16];
	char text[200];
} reason;

static pid_t child;		/* writing; 0: none */

const struct state_section reason_state[] = { STATE_ONE("resn", reason), STATE_ONE("resc", child), STATE_END };

/* Where there is no data disk, or not yet, nothing can be written, and that is no problem. */
COLD static void replace(const char *path, const char *text, size_t n)
{
	struct err err = ERR_INIT;

	if (access("/var/lib/coracle", W_OK) == 0 && fd_replace_file(AT_FDCWD, path, text, n, 0644, &err) < 0)
		report_problem("init", "keep the reason of the end: %s", err.text);
}

/* Lines KEY=VALUE, as in runtime/cli/verdict.h. */
COLD static void write_state(const char *state)
{
	char text[512];
	char id[40] = "";
	int n;

	fd_read_small(AT_FDCWD, "/proc/sys/kernel/random/boot_id", id, sizeof(id));
	n = snprintf(text, sizeof(text), "id=%s\nstate=%s\nkind=%s\ntext=%s\nended=%lld\nuptime=%lld\n", id, state, reason.kind, reason.text,
		     (long long)time(NULL), (long long)loop_now() / 1000);
	sys_mkdirat(AT_FDCWD, DIR, 0755);
	replace(DIR "/end", text, (size_t)n);
}

static int state_worker(const void *arg)
{
	(void)arg;
	if (reason.decided)
		write_state("ending");
	else
		unlink(DIR "/end");
	return 0;
}

void reason_write_end(void)
{
	SCRATCH static char problems[PROBLEMS_MAX];
	CLEANUP_FD int fd = sys_openat(AT_FDCWD, INIT_RUN "/problems", O_RDONLY, 0);
	struct stat st;
	ssize_t n;

	write_state("ended");
	if (fd < 0 || fstat(fd, &st) < 0)
		return;
	if (st.st_size > PROBLEMS_MAX)
		lseek(fd, st.st_size - PROBLEMS_MAX, SEEK_SET);
	if ((n = fd_read_full(fd, problems, sizeof(problems))) > 0)
		replace(DIR "/problems", problems, (size_t)n);
}

void reason_on_child(pid_t pid)
{
	if (pid == child)
		child = 0;
}

void reason_say(void)
{
	if (reason.decided)
		report_note("init", "reason: %s: %s", reason.kind, reason.text);
}

void reason_record(const char *kind, const char *text)
{
	/* what the watchdog is going to do is a threat: whatever comes before it counts */
	if (reason.decided && strcmp(reason.kind, "watchdog"))
		return;
	reason.decided = reason.dirty = 1;
	snprintf(reason.kind, sizeof(reason.kind), "%s", kind);
	snprintf(reason.text, sizeof(reason.text), "%s", text);
	for (char *c = reason.text; *c; c++)
		if ((unsigned char)*c < 0x20)
			*c = ' ';
	reason_say();
}

void reason_withdraw(const char *kind)
{
	if (!reason.decided || strcmp(reason.kind, kind))
		return;
	memset(&reason, 0, sizeof(reason));
	reason.dirty = 1;
}

int64_t reason_turn(int64_t now)
{
	(void)now;
	if (child || !reason.dirty)
		return SUP_NEVER; /* the child's end wakes the loop */
	reason.dirty = 0;
	child = spawn_function(state_worker, NULL);
	if (child < 0) {
		report_problem("init", "start a process that keeps the reason of the end: %s", err_name(-child));
		child = 0;
	}
	return SUP_NEVER;
}
