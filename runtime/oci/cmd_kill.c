/* cmd_kill.c - kill: a signal to a container's first process, or with --all to all of them. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include "lib/cdefs.h"
#include "lib/fd.h"
#include "lib/sys.h"
#include "runtime/oci/args.h"
#include "runtime/oci/verbs.h"

static const struct { const char *name; int number; } SIGNALS[] = {
	{ "ABRT", SIGABRT }, { "ALRM", SIGALRM }, { "BUS", SIGBUS }, { "CHLD", SIGCHLD }, { "CLD", SIGCHLD }, { "CONT", SIGCONT },
	{ "FPE", SIGFPE }, { "HUP", SIGHUP }, { "ILL", SIGILL }, { "INT", SIGINT }, { "IO", SIGIO }, { "IOT", SIGABRT },
	{ "KILL", SIGKILL }, { "PIPE", SIGPIPE }, { "POLL", SIGIO }, { "PROF", SIGPROF }, { "PWR", SIGPWR }, { "QUIT", SIGQUIT },
	{ "SEGV", SIGSEGV }, { "STKFLT", SIGSTKFLT }, { "STOP", SIGSTOP }, { "SYS", SIGSYS }, { "TERM", SIGTERM }, { "TRAP", SIGTRAP },
	{ "TSTP", SIGTSTP }, { "TTIN", SIGTTIN }, { "TTOU", SIGTTOU }, { "URG", SIGURG }, { "USR1", SIGUSR1 }, { "USR2", SIGUSR2 },
	{ "VTALRM", SIGVTALRM }, { "WINCH", SIGWINCH }, { "XCPU", SIGXCPU }, { "XFSZ", SIGXFSZ },
};

/* RTMIN+N and RTMAX-N are the kernel's 34 and 64: a C library may hide some of them. */
static int realtime(const char *s)
{
	int base = !strncasecmp(s, "RTMIN", 5) ? 34 : !strncasecmp(s, "RTMAX", 5) ? 64 : 0, n;

	if (!base)
		return -1;
	n = base + (s[5] ? atoi(s + 5) : 0);
	return n >= 34 && n <= 64 ? n : -1;
}

static int signal_number(const char *s)
{
	char *end;
	long n = strtol(s, &end, 10);

	if (end != s && !*end)
		return n >= 0 && n <= 64 ? (int)n : -1;
	if (!strncasecmp(s, "SIG", 3))
		s += 3;
	for (size_t i = 0; i < ARRAY_SIZE(SIGNALS); i++)
		if (!strcasecmp(SIGNALS[i].name, s))
			return SIGNALS[i].number;
	return realtime(s);
}

/* What the image wants to be stopped by (config.md, "Annotations"); the caller named no signal. */
static int stop_signal(const struct state *s)
{
	const char *name = yyjson_get_str(yyjson_obj_get(s->annotations, "org.opencontainers.image.stopSignal"));
	int sig = name ? signal_number(name) : -1;

	return sig > 0 ? sig : SIGTERM;
}

static int kill_all(const struct state *s, int sig, struct err *err)
{
	struct cgroup cg;
	int r = state_open_cgroup(s, &cg, err);

	/* a group that is gone has no processes */
	if (r == -ENOENT)
		return 0;
	if (r >= 0)
		r = cgroup_signal(&cg, sig, err);
	cgroup_fini(&cg);
	return r;
}

static int kill_first(const struct state *s, int sig, struct err *err)
{
	CLEANUP_FD int fd = state_pidfd(s);
	int r;

	if (fd < 0 || s->creating)
		return err_set(err, 0, "container not running");
	r = sys_pidfd_send_signal(fd, sig);
	if (r == -ESRCH)
		return err_set(err, 0, "container not running");
	if (r < 0)
		return err_set(err, -r, "send signal %d", sig);
	/* without a pid namespace nothing dies with the first process */
	if (sig == SIGKILL && !(s->namespaces & 1u << NS_PID))
		return kill_all(s, sig, err);
	return 0;
}

int verb_kill(const struct globals *g, int argc, char **argv, struct err *err)
{
	bool all = false;
	const struct args_option options[] = { { "all", 'a', ARGS_FLAG, &all } };
	int r, sig, n = args_parse(argc, argv, options, ARRAY_SIZE(options), false, err);
	struct state s;

	if (n < 0)
		return n;
	if (n != 1 && n != 2)
		return verb_usage(err, "kill [--all] ID [SIGNAL]");
	sig = n == 2 ? signal_number(argv[1]) : SIGTERM;
	if (sig < 0)
		return err_set(err, 0, "unknown signal \"%s\"", argv[1]);
	if ((r = state_load(&s, g->root, argv[0], err)) == 0 && n == 1)
		sig = stop_signal(&s);
	if (r == 0)
		r = all ? kill_all(&s, sig, err) : kill_first(&s, sig, err);
	state_fini(&s);
	return r;
}
