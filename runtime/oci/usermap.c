/* usermap.c - maps the users of a new user namespace. Runs in the runtime,
 * outside; the process that is mapped must be dumpable where we are not root
 * (the kernel and newuidmap go by the owner of /proc/PID). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "lib/buf.h"
#include "lib/fd.h"
#include "lib/sys.h"
#include "runtime/oci/proc.h"
#include "runtime/oci/usermap.h"

#define HELPER_ARGS (2 + 3 * 340 + 1)	/* user_namespaces(7): at most 340 lines */

static int write_map(pid_t pid, const char *file, const struct spec_id_map *map, size_t n)
{
	CLEANUP_BUF struct buf b = { 0 };
	int r;

	buf_init(&b, 16384);
	for (size_t i = 0; i < n; i++)
		buf_printf(&b, "%u %u %u\n", map[i].container, map[i].host, map[i].size);
	r = buf_error(&b);
	return r == 0 ? proc_write(pid, file, b.data) : r;
}

static int say(int r, const char *file, struct err *err)
{
	const char *property = *file == 'u' ? "uidMappings" : "gidMappings";

	if (r == -EPERM)
		return err_set(err, EPERM, "linux.%s: write %s: not all of these ids are ours to map", property, file);
	return r < 0 ? err_set(err, -r, "linux.%s: write %s", property, file) : 0;
}

int usermap_write(pid_t pid, const char *file, const struct spec_id_map *map, size_t n, struct err *err)
{
	return say(write_map(pid, file, map, n), file, err);
}

static _Noreturn void helper_child(char **args, int out)
{
	if (dup2(out, 1) >= 0 && dup2(out, 2) >= 0)
		execvp(args[0], args);
	_exit(errno == ENOENT ? 127 : 126);
}

/* Runs newuidmap or newgidmap; what it complains about is ours to say. */
static int run_helper(char **args, const char *property, struct err *err)
{
	char text[200] = "";
	int fds[2], status = 0;
	ssize_t n;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_set(err, errno, "make a pipe");
	pid = fork();
	if (pid == 0)
		helper_child(args, fds[1]);
	close(fds[1]);
	n = pid < 0 ? 0 : fd_read_full(fds[0], text, sizeof text - 1);
	close(fds[0]);
	if (pid < 0)
		return err_set(err, EAGAIN, "start %s", args[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return err_set(err, 0, "linux.%s: more than the caller's own id needs the program %s (package uidmap or shadow)", property, args[0]);
	return err_set(err, 0, "linux.%s: %s failed: %s (does /etc/%s give the caller these ids?)", property, args[0],
		       *text ? text : "no reason given", args[0][3] == 'u' ? "subuid" : "subgid");
}

static int by_helper(pid_t pid, const char *helper, const char *property, const struct spec_id_map *map, size_t n, struct err *err)
{
	static char number[3 * 340 + 1][12], *args[HELPER_ARGS];
	char name[16];
	size_t a = 2;

	snprintf(name, sizeof name, "%s", helper);
	snprintf(number[0], sizeof number[0], "%d", (int)pid);
	args[0] = name;
	args[1] = number[0];
	for (size_t i = 0; i < n; i++) {
		const uint32_t v[3] = { map[i].container, map[i].host, map[i].size };

		for (size_t k = 0; k < 3; k++, a++) {
			snprintf(number[a - 1], sizeof number[0], "%u", v[k]);
			args[a] = number[a - 1];
		}
	}
	args[a] = NULL;
	return run_helper(args, property, err);
}

static int rootless_groups(pid_t pid, const struct spec *s, struct err *err)
{
	int r;

	/* one's own group alone: allowed once setgroups is given up, else a group could be dropped that a file's
	 * permissions exclude (user_namespaces(7)); newgidmap sees to it itself */
	if (s->gid_maps == 1 && s->gid_map->size == 1 && s->gid_map->host == getegid()) {
		if (s->process.groups_n)
			return err_set(err, 0, "process.user.additionalGids: cannot set any additional groups in a rootless container with one group");
		r = proc_write(pid, "setgroups", "deny");
		if (r < 0)
			return err_set(err, -r, "give setgroups up");
		return usermap_write(pid, "gid_map", s->gid_map, 1, err);
	}
	return by_helper(pid, "newgidmap", "gidMappings", s->gid_map, s->gid_maps, err);
}

int usermap_set(pid_t pid, const struct spec *s, struct err *err)
{
	int r = write_map(pid, "uid_map", s->uid_map, s->uid_maps);

	if (!geteuid()) {
		if ((r = say(r, "uid_map", err)) < 0)
			return r;
		return usermap_write(pid, "gid_map", s->gid_map, s->gid_maps, err);
	}
	if (r == -EPERM)
		r = by_helper(pid, "newuidmap", "uidMappings", s->uid_map, s->uid_maps, err);
	else
		r = say(r, "uid_map", err);
	return r < 0 ? r : rootless_groups(pid, s, err);
}
