/* signals.c - signal names (coracle-engine). Pure. */
#include "signals.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cdefs.h"

#define RT_MIN 34	/* what SIGRTMIN is to programs: the C library keeps 32 and 33 */
#define RT_MAX 64

static const struct {
	const char *name;
	int number;
} table[] = {
	{ "HUP", SIGHUP }, { "INT", SIGINT }, { "QUIT", SIGQUIT }, { "ILL", SIGILL }, { "TRAP", SIGTRAP },
	{ "ABRT", SIGABRT }, { "IOT", SIGABRT }, { "BUS", SIGBUS }, { "FPE", SIGFPE }, { "KILL", SIGKILL },
	{ "USR1", SIGUSR1 }, { "SEGV", SIGSEGV }, { "USR2", SIGUSR2 }, { "PIPE", SIGPIPE }, { "ALRM", SIGALRM },
	{ "TERM", SIGTERM }, { "STKFLT", SIGSTKFLT }, { "CHLD", SIGCHLD }, { "CLD", SIGCHLD }, { "CONT", SIGCONT },
	{ "STOP", SIGSTOP }, { "TSTP", SIGTSTP }, { "TTIN", SIGTTIN }, { "TTOU", SIGTTOU }, { "URG", SIGURG },
	{ "XCPU", SIGXCPU }, { "XFSZ", SIGXFSZ }, { "VTALRM", SIGVTALRM }, { "PROF", SIGPROF }, { "WINCH", SIGWINCH },
	{ "IO", SIGIO }, { "POLL", SIGIO }, { "PWR", SIGPWR }, { "SYS", SIGSYS }, { "RTMIN", RT_MIN }, { "RTMAX", RT_MAX },
};

static int parse_number(const char *s, int *out)
{
	char *end;
	long v = strtol(s, &end, 10);

	if (end == s || *end || v < -RT_MAX || v > RT_MAX)
		return -EINVAL;
	*out = (int)v;
	return 0;
}

int signal_parse(const char *s)
{
	int n;

	if (parse_number(s, &n) == 0)
		return n >= 1 ? n : -EINVAL;
	if (strncasecmp(s, "SIG", 3) == 0)
		s += 3;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (strcasecmp(s, table[i].name) == 0)
			return table[i].number;
	if (strncasecmp(s, "RTMIN+", 6) == 0 && parse_number(s + 6, &n) == 0 && n >= 0 && RT_MIN + n <= RT_MAX)
		return RT_MIN + n;
	if (strncasecmp(s, "RTMAX-", 6) == 0 && parse_number(s + 6, &n) == 0 && n >= 0 && RT_MAX - n >= RT_MIN)
		return RT_MAX - n;
	return -EINVAL;
}
