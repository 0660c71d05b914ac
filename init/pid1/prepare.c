/* prepare.c - what a service is started as and with: user and groups, environment, descriptors.
 *
 * Runs in PID 1, before the child is made; but for the environment file, which the child reads: it may lie on a disk that hangs. /etc/passwd,
 * /etc/group and that file are read at each start, each at most as large as a unit file; NSS is never asked, it could wait for a network. */
#include "init/pid1/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cdefs.h"
#include "fd.h"

static const char *next_word(const char *s)
{
	return s + strlen(s) + 1;
}

static void fill_argv(const struct unit_words *words)
{
	const char *at = unit_string(words->first);
	int n = 0;

	for (; n < words->n && n < UNIT_ARGS_MAX; n++, at = next_word(at))
		child.argv[n] = (char *)(uintptr_t)at;
	child.argv[n] = NULL;
}

/* The whole file in the scratch buffer. Returns 0 or -errno. */
static int read_scratch(const char *path)
{
	ssize_t n = fd_read_small(AT_FDCWD, path, init_scratch, UNITS_FILE_MAX + 1);

	return n < 0 ? (int)n : 0;
}

static void fill_groups(const char *group_text, int have_user)
{
	child.groups_n = account_groups(have_user ? group_text : "", child.account.name, child.account.gid, child.groups, ACCOUNT_GROUPS_MAX);
}

/* User= brings its own group and those that name it; Group= takes the place of the first. */
static int find_identity(const struct service *s, enum spawn_step *step)
{
	const char *user = unit_string(s->user);
	const char *group = unit_string(s->group);
	int r;

	child.changes_identity = *user || *group;
	memset(&child.account, 0, sizeof(child.account));
	if (!child.changes_identity)
		return 0;
	*step = SPAWN_USER;
	if (*user && ((r = read_scratch("/etc/passwd")) < 0 || (r = account_user(init_scratch, user, &child.account)) < 0))
		return r;
	*step = SPAWN_GROUP;
	if ((r = read_scratch("/etc/group")) < 0)
		return r;
	if (*group && (r = account_group(init_scratch, group, &child.account.gid)) < 0)
		return r;
	fill_groups(init_scratch, *user != '\0');
	return 0;
}

/* A variable takes the place of an earlier one of its name. */
static int set_variable(const char *entry)
{
	size_t n = strcspn(entry, "=") + 1;
	int i = 0;

	while (i < child.environment_n && strncmp(child.environment[i], entry, n))
		i++;
	if (i == SPAWN_ENVIRONMENT_MAX)
		return -E2BIG;
	child.environment[i] = (char *)(uintptr_t)entry;
	child.environment_n = MAX(child.environment_n, i + 1);
	return 0;
}

static void set_identity_variables(void)
{
	const struct account *a = &child.account;

	if (!*a->name)
		return;
	snprintf(child.home, sizeof(child.home), "HOME=%s", a->home);
	snprintf(child.user, sizeof(child.user), "USER=%s", a->name);
	snprintf(child.logname, sizeof(child.logname), "LOGNAME=%s", a->name);
	snprintf(child.shell, sizeof(child.shell), "SHELL=%s", *a->shell ? a->shell : "/bin/sh");
	set_variable(child.home);
	set_variable(child.user);
	set_variable(child.logname);
	set_variable(child.shell);
}

/* Those of the protocols; the pids in them are written by the child. */
static void set_protocol_variables(int unit)
{
	int64_t watchdog = units.sup[unit].watchdog_ms;

	if (!(child.service->flags & UNIT_CONSOLE))
		set_variable("NOTIFY_SOCKET=" NOTIFY_PATH);
	child.watchdog_pid[0] = '\0';
	if (watchdog) {
		snprintf(child.watchdog_usec, sizeof(child.watchdog_usec), "WATCHDOG_USEC=%lld", (long long)watchdog * 1000);
		set_variable(child.watchdog_usec);
		snprintf(child.watchdog_pid, sizeof(child.watchdog_pid), "WATCHDOG_PID=");
		set_variable(child.watchdog_pid);
	}
	if (child.fds_n) {
		snprintf(child.listen_fds, sizeof(child.listen_fds), "LISTEN_FDS=%d", child.fds_n);
		snprintf(child.listen_pid, sizeof(child.listen_pid), "LISTEN_PID=");
		set_variable(child.listen_pid);
		set_variable(child.listen_fds);
		set_variable(child.listen_names);
	}
}

int spawn_read_environment(void)
{
	const char *path = unit_string(child.service->environment_file);
	char *at = init_scratch;
	char *entry;
	int r;

	if (!*path)
		return 0;
	if ((r = read_scratch(path + (*path == '-'))) < 0)
		return r == -ENOENT && *path == '-' ? 0 : r;
	while ((r = environment_next(&at, &entry)) > 0)
		if ((r = set_variable(entry)) < 0)
			return r;
	child.environment[child.environment_n] = NULL;
	return r;
}

static int fill_environment(int unit)
{
	const struct service *s = child.service;
	const char *at = unit_string(s->environment.first);
	int r = 0;

	child.environment_n = 0;
	set_variable("PATH=/usr/sbin:/usr/bin:/sbin:/bin");
	set_variable("HOME=/root");
	set_variable("TERM=linux");
	set_identity_variables();
	set_protocol_variables(unit);
	for (int i = 0; i < s->environment.n && r == 0; i++, at = next_word(at))
		r = set_variable(at);
	child.environment[child.environment_n] = NULL;
	return r;
}

static void collect_descriptors(int unit)
{
	static const char name[] = "LISTEN_FDNAMES=";
	size_t n = sizeof(name) - 1;
	int stored;

	child.fds_n = 0;
	if (!(units.sup[unit].flags & SUP_LISTENS) && child.service->fdstore_max == 0)
		return;
	memcpy(child.listen_names, name, sizeof(name));
	child.fds_n = sockets_collect(unit, child.fds, UNITS_SOCKETS_MAX, child.listen_names + n, sizeof(child.listen_names) - n);
	if (child.service->fdstore_max == 0)
		return;
	n += strlen(child.listen_names + n);
	if (child.fds_n)
		child.listen_names[n++] = ':';
	stored = fdstore_collect(unit, child.fds + child.fds_n, INIT_STORED_MAX, child.listen_names + n, sizeof(child.listen_names) - n);
	if (child.fds_n && !stored)
		child.listen_names[n - 1] = '\0';
	child.fds_n += stored;
}

int spawn_prepare(int unit, enum spawn_step *step)
{
	int r;

	child.service = &units.service[unit];
	*step = SPAWN_EXEC;
	if (child.service->argv.n == 0)
		return -ENOENT;
	fill_argv(&child.service->argv);
	if ((r = find_identity(child.service, step)) < 0)
		return r;
	collect_descriptors(unit);
	*step = SPAWN_ENVIRONMENT;
	return fill_environment(unit);
}
