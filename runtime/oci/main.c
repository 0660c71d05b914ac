/* main.c - coracle-runtime: an OCI runtime with the command line of runc.
 *
 * Started once per operation, as root; never stays resident. Global options,
 * choosing the verb, and reporting errors where engines look for them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>
#include "lib/buf.h"
#include "lib/fd.h"
#include "lib/sys.h"
#include "runtime/oci/args.h"
#include "runtime/oci/verbs.h"

#define ROOT_DEFAULT "/run/coracle/runtime"

static const struct verb {
	const char *name;
	int (*fn)(const struct globals *, int, char **, struct err *);
	bool enters;		/* the process, or a child, runs inside the container */
	const char *help;
} VERBS[] = {
	{ "create", verb_create, true, "create ID: make a container from a bundle" },
	{ "start", verb_start, false, "start ID: run the program of a created container" },
	{ "run", verb_run, true, "run ID: create and start" },
	{ "exec", verb_exec, true, "exec ID PROGRAM [ARG]...: run a program more in a container" },
	{ "state", verb_state, false, "state ID: print the state as JSON" },
	{ "kill", verb_kill, false, "kill ID [SIGNAL]: send a signal (default SIGTERM)" },
	{ "delete", verb_delete, false, "delete ID: remove a stopped container" },
	{ "list", verb_list, false, "list: print the containers" },
	{ "ps", verb_ps, false, "ps ID: print the processes of a container" },
	{ "pause", verb_pause, false, "pause ID: freeze all processes" },
	{ "resume", verb_resume, false, "resume ID: let them go on" },
	{ "spec", verb_spec, false, "spec: write a config.json to begin with" },
	{ "features", verb_features, false, "features: print what is implemented as JSON" },
	{ "checkpoint", verb_refused, false, NULL },
	{ "restore", verb_refused, false, NULL },
	{ "update", verb_refused, false, NULL },
	{ "events", verb_refused, false, NULL },
};

int verb_usage(struct err *err, const char *usage)
{
	return err_set(err, 0, "wrong number of arguments; usage: coracle-runtime %s", usage);
}

int verb_refused(const struct globals *g, int argc, char **argv, struct err *err)
{
	(void)g;
	(void)argc;
	(void)argv;
	return err_set(err, 0, "this command is not supported by coracle-runtime");
}

/* As runc does: the log gets a structured line, standard error then the bare text, since engines show it to people.
 * logrus' quoting and JSON's agree for what our messages hold. */
static void report(const struct globals *g, const char *text)
{
	CLEANUP_BUF struct buf json = { 0 }, plain = { 0 };
	char now[40];
	int fd = -1;

	state_time(now);
	memcpy(now + 19, "Z", 2);
	buf_init(&json, 16384);
	buf_init(&plain, 16384);
	buf_puts(&json, "{\"level\":\"error\",\"msg\":");
	buf_json_string(&json, text, strlen(text));
	buf_printf(&json, ",\"time\":\"%s\"}\n", now);
	buf_printf(&plain, "time=\"%s\" level=error msg=", now);
	buf_json_string(&plain, text, strlen(text));
	buf_putc(&plain, '\n');
	if (g->log)
		fd = sys_openat(AT_FDCWD, g->log, O_WRONLY | O_CREAT | O_APPEND, 0644);
	if (fd >= 0) {
		struct buf *b = g->log_json ? &json : &plain;

		fd_write_full(fd, b->data, b->len);
		close(fd);
	}
	if (fd >= 0)
		dprintf(2, "%s\n", text);
	else
		fd_write_full(2, plain.data, plain.len);
}

static int help(FILE *out, int status)
{
	fputs("coracle-runtime " CORACLE_VERSION ": an OCI runtime for Linux\n\n"
	      "usage: coracle-runtime [--root DIR] [--log FILE] [--log-format text|json] [--debug] COMMAND ...\n\n", out);
	for (size_t i = 0; i < ARRAY_SIZE(VERBS); i++)
		if (VERBS[i].help)
			fprintf(out, "  %s\n", VERBS[i].help);
	return status;
}

static int version(void)
{
	puts("coracle-runtime version " CORACLE_VERSION "\nspec: " SPEC_VERSION);
	return 0;
}

static int fail(const struct globals *g, const char *verb, const struct err *err)
{
	char text[ERR_TEXT_MAX + 64];

	snprintf(text, sizeof text, "%s%s%s", verb, *verb ? ": " : "", err->text);
	report(g, text);
	return 1;
}

static int run_verb(const struct globals *g, const struct verb *v, int argc, char **argv, char **all, struct err *err)
{
	int r;

	if (v->enters) {
		/* the container's processes must not reach our memory, descriptors or executable by /proc/PID while one of ours is among them */
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
		if ((r = protect_binary(all, err)) < 0)
			return r;
	}
	return v->fn(g, argc, argv, err);
}

/* Test builds: CORACLE_FAULT=N:ERRNO makes the Nth wrapped call of each process fail. */
static void arm_fault(void)
{
#ifdef SYS_FAULTS
	const char *s = getenv("CORACLE_FAULT"), *code = s ? strchr(s, ':') : NULL;

	if (code)
		sys_fault_arm(atol(s), atoi(code + 1));
#endif
}

int main(int argc, char **argv)
{
	struct globals g = { .root = ROOT_DEFAULT };
	const char *format = "text";
	bool systemd = false, show_version = false, show_help = false;
	const struct args_option options[] = {
		{ "root", 0, ARGS_VALUE, &g.root }, { "log", 0, ARGS_VALUE, &g.log }, { "log-format", 0, ARGS_VALUE, &format },
		{ "debug", 0, ARGS_FLAG, &g.debug }, { "systemd-cgroup", 0, ARGS_FLAG, &systemd },
		{ "rootless", 0, ARGS_IGNORED_VALUE, NULL }, { "criu", 0, ARGS_IGNORED_VALUE, NULL },
		{ "version", 'v', ARGS_FLAG, &show_version }, { "help", 'h', ARGS_FLAG, &show_help },
	};
	struct err err = ERR_INIT;
	char **all = malloc(sizeof *all * (size_t)(argc + 1));
	int n;

	if (!all)
		return 1;
	arm_fault();
	memcpy(all, argv, sizeof *all * (size_t)(argc + 1));
	n = args_parse(argc - 1, argv + 1, options, ARRAY_SIZE(options), true, &err);
	argv++;
	if (n < 0)
		return fail(&g, "", &err);
	g.log_json = !strcmp(format, "json");
	if (!g.log_json && strcmp(format, "text")) {
		err_set(&err, 0, "invalid log-format: %s", format);
		return fail(&g, "", &err);
	}
	if (show_version)
		return version();
	if (show_help || !n)
		return help(show_help ? stdout : stderr, !show_help);
	if (systemd) {
		err_set(&err, 0, "--systemd-cgroup is not supported: cgroups are made directly");
		return fail(&g, "", &err);
	}
	g.root = args_absolute(g.root);
	g.log = args_absolute(g.log);
	for (size_t i = 0; i < ARRAY_SIZE(VERBS); i++)
		if (!strcmp(argv[0], VERBS[i].name)) {
			int r = run_verb(&g, &VERBS[i], n - 1, argv + 1, all, &err);

			return r < 0 ? fail(&g, "", &err) : r;
		}
	if (!strcmp(argv[0], "help"))
		return help(stdout, 0);
	if (!strcmp(argv[0], "version"))
		return version();
	err_set(&err, 0, "no such command: %s", argv[0]);
	return fail(&g, "", &err);
}
