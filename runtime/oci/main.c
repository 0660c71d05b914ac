/* main.c - coracle-runtime: an OCI runtime with the command line of runc.
 *
 * Started once per operation, as root; never stays resident. Global options,
 * choosing the verb, and reporting errors where engines look for them. */
#include <errno.h>
#include <limits.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>
#include "lib/sys.h"
#include "runtime/oci/args.h"
#include "runtime/oci/log.h"
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
	{ "update", verb_update, false, "update ID: change the limits" },
	{ "events", verb_events, false, "events ID: print statistics and out-of-memory events" },
	{ "spec", verb_spec, false, "spec: write a config.json to begin with" },
	{ "features", verb_features, false, "features: print what is implemented as JSON" },
	{ "checkpoint", verb_refused, false, NULL },
	{ "restore", verb_refused, false, NULL },
};

int verb_usage(struct err *err, const char *usage)
{
	return err_set(err, 0, "wrong number of arguments; usage: coracle-runtime %s", usage);
}

int verb_refused(const struct globals *g, int argc, char **argv, struct err *err)
{
	(void)g;
	(void)argc;
	return err_set(err, 0, "%s is not supported by coracle-runtime", argv[-1]);
}

static int help(FILE *out, int status)
{
	fputs("coracle-runtime " CORACLE_VERSION ": an OCI runtime for Linux\n\n"
	      "usage: coracle-runtime [--root DIR] [--log FILE] [--log-format text|json] [--debug] [--rootless true|false|auto] COMMAND ...\n\n", out);
	for (size_t i = 0; i < ARRAY_SIZE(VERBS); i++)
		if (VERBS[i].help)
			fprintf(out, "  %s\n", VERBS[i].help);
	fputs("\n  COMMAND --help: its options\n", out);
	return status;
}

static int version(void)
{
	puts("coracle-runtime version " CORACLE_VERSION "\nspec: " SPEC_VERSION);
	return 0;
}

static int fail(const struct err *err)
{
	log_error(err->text);
	return 1;
}

static int run_verb(const struct globals *g, const struct verb *v, int argc, char **argv, char **all, struct err *err)
{
	int r;

	if (v->enters) {
		/* the container's processes must not reach our memory, descriptors or executable by /proc/PID while one of ours is among them */
		/* rootless: once users are mapped (init.c, exec.c) */
		if (!geteuid() && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
			return err_set(err, errno, "hide from the container");
		if ((r = protect_binary(all, err)) < 0)
			return r;
	}
	log_debug("coracle-runtime " CORACLE_VERSION ": %s", v->name);
	return v->fn(g, argc, argv, err);
}

/* --rootless true|false|auto, as runc: the words of Go's ParseBool. */
static int parse_rootless(const char *value, struct err *err)
{
	static const char *const YES[] = { "1", "t", "T", "true", "TRUE", "True" }, *const NO[] = { "0", "f", "F", "false", "FALSE", "False" };

	if (!value || !*value || !strcmp(value, "auto"))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(YES); i++)
		if (!strcmp(value, YES[i]) || !strcmp(value, NO[i])) {
			cgroup_set_rootless(!strcmp(value, YES[i]));
			return 0;
		}
	return err_set(err, 0, "--rootless: \"%s\" is neither true, false nor auto", value);
}

/* Test builds: CORACLE_FAULT=N:ERRNO makes the Nth call of this process fail, N:ERRNO:child that of the one it makes; CORACLE_FAULT_TOLD: a
 * file that gets a byte when it did. */
static void arm_fault(void)
{
#ifdef SYS_FAULTS
	const char *s = getenv("CORACLE_FAULT"), *code = s ? strchr(s, ':') : NULL, *told = getenv("CORACLE_FAULT_TOLD");

	if (!code)
		return;
	if (told)
		sys_fault_told = open(told, O_WRONLY | O_APPEND | O_CLOEXEC);
	if (strstr(code, ":child"))
		sys_fault_arm_child(atol(s), atoi(code + 1));
	else
		sys_fault_arm(atol(s), atoi(code + 1));
#endif
}

/* The root of a user namespace is somebody's user, as below podman without privileges, unless USER says root (as runc). */
static bool has_session(void)
{
	const char *user;

	if (geteuid())
		return true;
	user = getenv("USER");
	return (!user || strcmp(user, "root")) && cgroup_in_userns();
}

/* Without --root: /run for root, the session's directory for others (as runc). */
static const char *root_or_default(const char *given)
{
	static char path[PATH_MAX];
	const char *dir = given ? NULL : getenv("XDG_RUNTIME_DIR");

	if (!dir || !has_session() || *dir != '/' || snprintf(path, sizeof path, "%s/coracle/runtime", dir) >= (int)sizeof path)
		return given ? given : ROOT_DEFAULT;
	return path;
}

int main(int argc, char **argv)
{
	struct globals g = { 0 };
	const char *format = "text", *rootless = NULL;
	bool show_version = false, show_help = false;
	const struct args_option options[] = {
		{ "root", 0, ARGS_VALUE, &g.root }, { "log", 0, ARGS_VALUE, &g.log }, { "log-format", 0, ARGS_VALUE, &format },
		{ "debug", 0, ARGS_FLAG, &g.debug }, { "systemd-cgroup", 0, ARGS_FLAG, &g.systemd_cgroup },
		{ "rootless", 0, ARGS_VALUE, &rootless }, { "criu", 0, ARGS_IGNORED_VALUE, NULL },
		{ "version", 'v', ARGS_FLAG, &show_version }, { "help", 'h', ARGS_FLAG, &show_help },
	};
	struct err err = ERR_INIT;
	char **all = malloc(sizeof *all * (size_t)(argc + 1));
	int n;

	if (!all)
		return 1;
	log_init(&g);
	arm_fault();
	memcpy(all, argv, sizeof *all * (size_t)(argc + 1));
	n = args_parse(argc - 1, argv + 1, options, ARRAY_SIZE(options), true, &err);
	argv++;
	if (n < 0)
		return fail(&err);
	g.log_json = !strcmp(format, "json");
	if (!g.log_json && strcmp(format, "text")) {
		err_set(&err, 0, "invalid log-format: %s", format);
		return fail(&err);
	}
	if (show_version)
		return version();
	if (show_help || !n)
		return help(show_help ? stdout : stderr, !show_help);
	if (n > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) && verb_help(argv[0]))
		return 0;
	if (parse_rootless(rootless, &err) < 0)
		return fail(&err);
	g.root = args_absolute(root_or_default(g.root));
	g.log = args_absolute(g.log);
	for (size_t i = 0; i < ARRAY_SIZE(VERBS); i++)
		if (!strcmp(argv[0], VERBS[i].name)) {
			int r = run_verb(&g, &VERBS[i], n - 1, argv + 1, all, &err);

			if (r >= 0)
				return r;
			fail(&err);
			/* runc's statuses where there is no program's */
			return VERBS[i].fn == verb_exec ? 255 : 1;
		}
	if (!strcmp(argv[0], "help"))
		return help(stdout, 0);
	if (!strcmp(argv[0], "version"))
		return version();
	err_set(&err, 0, "no such command: %s", argv[0]);
	return fail(&err);
}
