/* reload.c - PID 1 is replaced by another program, usually a newer init (docs/design/recovery.md).
 *
 * Runs in PID 1 and waits for nobody: the new program proves in a child, with a deadline, that it can read the state as it is; only then it is
 * executed. Whatever fails, the old one goes on and says why. */
#include "init/pid1/init.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "err.h"
#include "init/pid1/crash.h"
#include "init/pid1/recover.h"
#include "init/proto/control.h"
#include "report.h"
#include "sys.h"

#define CHECK_MS 10000
#define SELF "/sbin/init"

static char program[CONTROL_PATH_MAX];
static pid_t child;		/* runs the check, 0: none */
static int client = -1;		/* to be answered */
static int64_t deadline = SUP_NEVER;

static int check(const void *arg)
{
	char *const argv[] = { (char *)(uintptr_t)arg, (char *)"--check-state", (char[]){ '0' + RECOVER_FD, 0 }, NULL };
	char *const envp[] = { NULL };
	sigset_t none;

	fcntl(RECOVER_FD, F_SETFD, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	sys_execve(arg, argv, envp);
	return errno == ENOENT ? 126 : 127;
}

const char *reload_begin(int c, const char *path)
{
	static char why[CONTROL_REPLY_MAX];

	if (child)
		return "error it is being done already";
	if (init_sup.shutting_down)
		return "error the machine is going down";
	snprintf(program, sizeof(program), "%s", path[0] ? path : SELF);
	recover_commit();
	recover_take_checked();
	child = spawn_function(check, program);
	if (child < 0) {
		snprintf(why, sizeof(why), "error start %.100s: %s", program, err_name(-child));
		child = 0;
		return why;
	}
	client = c;
	deadline = loop_now() + CHECK_MS;
	return "";
}

void reload_forget_client(void)
{
	client = -1;
}

static void refuse(const char *why)
{
	char text[CONTROL_REPLY_MAX];

	snprintf(text, sizeof(text), "error %.100s %s; init goes on as it is", program, why);
	report_problem("init", "reload-init: %s", text + strlen("error "));
	if (client >= 0)
		control_reply(client, text);
	client = -1;
}

void reload_on_child(pid_t pid, int status)
{
	int c = client;
	char why[96];
	int r;

	if (child == 0 || pid != child)
		return;
	child = 0;
	if (deadline == SUP_NEVER) {
		refuse("did not say within 10 s whether it can read the state");
		return;
	}
	deadline = SUP_NEVER;
	if (WIFEXITED(status) && WEXITSTATUS(status) >= 126) {
		refuse(WEXITSTATUS(status) == 126 ? "is not there" : "cannot be executed");
		return;
	}
	if (status != 0 || !recover_take_checked()) {
		refuse("cannot read the state of this one");
		return;
	}
	report_note("init", "replaced by %s", program);
	client = -1;
	if (c >= 0)
		control_reply(c, "ok"); /* sent by the new one */
	recover_commit();
	r = crash_execute(program);
	snprintf(why, sizeof(why), "could not be executed: %s", err_name(-r));
	client = c;
	refuse(why);
}

int64_t reload_turn(int64_t now)
{
	if (child && deadline <= now) {
		deadline = SUP_NEVER; /* its end will be the answer */
		sys_kill(child, SIGKILL);
	}
	return deadline;
}
