/* breakpoint.c - coracle.break=STAGE: a shell on the console at that stage of the boot or of the way down; it goes on when the shell is left.
 *
 * Runs in PID 1. Before the loop runs nobody else needs PID 1, so it waits there, reaping; later the stage is a unit like others, or a phase of
 * the shutdown, and the loop goes on. The initramfs has no shell: `early` is where the root has just been reached. */
#include "init/pid1/init.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cdefs.h"
#include "err.h"
#include "report.h"

#define STAGES "early, root, devices, data, config, engine, shutdown"

static const char *const stages[] = { "early", "root", "devices", "data", "config", "engine", "shutdown" };

int breakpoint_is(const char *stage)
{
	return !strcmp(init_options.break_at, stage);
}

void breakpoint_check(void)
{
	if (!init_options.break_at[0])
		return;
	for (size_t i = 0; i < ARRAY_SIZE(stages); i++)
		if (breakpoint_is(stages[i]))
			return;
	report_problem("init", "command line: coracle.break=%s: there is no such stage; there are: " STAGES, init_options.break_at);
	init_options.break_at[0] = '\0';
}

static int is_unit(void)
{
	return breakpoint_is("data") || breakpoint_is("config") || breakpoint_is("engine");
}

void breakpoint_add_unit(void)
{
	static const char text[] = "[Service]\nType=oneshot\nExecStart=/bin/sh -l\nStandardInput=tty\nTimeoutStartSec=infinity\nKillSignal=HUP\nTimeoutStopSec=1\n";
	struct err err = ERR_INIT;

	if (!is_unit() || unit_find("break") >= 0)
		return;
	memcpy(init_scratch, text, sizeof(text));
	if (unit_compile("break", "(init)", init_scratch, sizeof(text) - 1, &err) < 0)
		report_problem("init", "%s", err.text);
}

void breakpoint_order(void)
{
	int shell = is_unit() ? unit_find("break") : -1;
	int stage = is_unit() ? unit_find(init_options.break_at) : -1;

	if (shell < 0 || stage < 0)
		return;
	units.sup[shell].after = units.sup[stage].after;
	units.sup[stage].after |= UINT64_C(1) << shell;
}

/* The console as a terminal of its own, for job control. In a child: opening it may wait. */
COLD static int run_shell(const void *arg)
{
	static char *const argv[] = { (char *)"/bin/sh", (char *)"-l", NULL };
	static char *const envp[] = { (char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin", (char *)"HOME=/root", (char *)"TERM=linux", NULL };
	sigset_t none;
	int fd;

	(void)arg;
	setsid();
	fd = open("/dev/console", O_RDWR | O_NONBLOCK | O_NOCTTY);
	if (fd >= 0) {
		fcntl(fd, F_SETFL, O_RDWR);
		ioctl(fd, TIOCSCTTY, 1);
		for (int i = 0; i < 3; i++)
			dup2(fd, i);
	}
	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execve(argv[0], argv, envp);
	report_problem("init", "run %s: %s", argv[0], err_name(errno));
	return 127;
}

pid_t breakpoint_shell(const char *stage)
{
	pid_t pid;

	root_say("coracle.break=%s: %sa shell; `exit` goes on", stage,
		 strcmp(stage, "early") ? "" : "the initramfs has none, so this is the root, right after it was mounted: ");
	pid = spawn_function(run_shell, NULL);
	if (pid < 0)
		report_problem("init", "coracle.break=%s: start a shell: %s", stage, err_name(-pid));
	return pid;
}

void breakpoint_reached(const char *stage)
{
	pid_t shell;

	if (!breakpoint_is(stage) || (shell = breakpoint_shell(stage)) < 0)
		return;
	for (;;) {
		pid_t pid = waitpid(-1, NULL, 0);

		if (pid == shell || (pid < 0 && errno == ECHILD))
			return;
	}
}
