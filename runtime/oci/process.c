/* process.c - becoming the container's user and program. Runs in the
 * container's process, inside its root; only gives privileges up. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "lib/path.h"
#include "lib/sys.h"
#include "runtime/oci/caps.h"
#include "runtime/oci/process.h"
#include "runtime/oci/schedule.h"

int process_set_limits(const struct spec *s, struct err *err)
{
	const struct spec_process *p = &s->process;

	for (size_t i = 0; i < p->rlimits_n; i++) {
		struct rlimit l = { p->rlimits[i].soft, p->rlimits[i].hard };

		if (setrlimit(p->rlimits[i].resource, &l) < 0)
			return err_set(err, errno, "set process.rlimits %s to soft %llu, hard %llu", spec_rlimit_name(p->rlimits[i].resource),
				       (unsigned long long)l.rlim_cur, (unsigned long long)l.rlim_max);
	}
	return schedule_apply(s, err);
}

/* After chdir the kernel says by the name whether we are still below the root:
 * "(unreachable)/..." for a directory that a leaked descriptor led to. */
static int check_cwd(const char *cwd, struct err *err)
{
	char name[PATH_MAX];
	long n = syscall(SYS_getcwd, name, sizeof name);

	if (n < 0 && errno != ENOENT)
		return err_set(err, errno, "getcwd in %s", cwd);
	if (n < 0 || name[0] != '/')
		return err_set(err, 0, "process.cwd: \"%s\" is outside of the container's root", cwd);
	return 0;
}

int process_enter_cwd(const struct spec_process *p, bool make, struct err *err)
{
	int r = chdir(p->cwd) < 0 ? -errno : 0;

	if (r == -ENOENT && make) {
		int root = sys_openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0);
		int fd = root < 0 ? root : path_mkdirs_in(root, p->cwd, 0755);

		if (root >= 0)
			close(root);
		if (fd < 0)
			return err_set(err, -fd, "make process.cwd \"%s\"", p->cwd);
		close(fd);
		r = chdir(p->cwd) < 0 ? -errno : 0;
	}
	if (r < 0)
		return err_set(err, -r, "chdir to process.cwd \"%s\"", p->cwd);
	return check_cwd(p->cwd, err);
}

/* setgroups is refused in user namespaces made without privilege; an empty list is no loss then. */
static int set_groups(const struct spec_process *p, struct err *err)
{
	if (syscall(SYS_setgroups, p->groups_n, p->groups) < 0 && (errno != EPERM || p->groups_n))
		return err_set(err, errno, "set process.user.additionalGids");
	return 0;
}

int process_become_user(const struct spec_process *p, struct err *err)
{
	int r;

	if ((r = caps_limit_bounding(p->caps.bounding, err)) < 0)
		return r;
	if (p->uid && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return err_set(err, errno, "keep capabilities");
	if ((r = set_groups(p, err)) < 0)
		return r;
	/* straight system calls: the library's would look for other threads */
	if (syscall(SYS_setresgid, p->gid, p->gid, p->gid) < 0)
		return err_set(err, errno, "set group %u", (unsigned)p->gid);
	if (syscall(SYS_setresuid, p->uid, p->uid, p->uid) < 0)
		return err_set(err, errno, "set user %u", (unsigned)p->uid);
	if (p->has_umask)
		umask(p->umask);
	else
		umask(022);
	return 0;
}

int process_confine(const struct spec_process *p, const struct seccomp_program *seccomp, struct err *err)
{
	int r;

	/* without no_new_privs a filter takes CAP_SYS_ADMIN, so it goes in first; with it, as late as can be */
	if (!p->no_new_privs) {
		if (p->uid) {
			struct spec_caps all = { .effective = UINT64_MAX, .permitted = UINT64_MAX };

			if (seccomp->filter && (r = caps_set(&all, err)) < 0)
				return r;
		}
		if ((r = seccomp_install(seccomp, err)) < 0)
			return r;
		return caps_set(&p->caps, err);
	}
	if ((r = caps_set(&p->caps, err)) < 0)
		return r;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_set(err, errno, "set no_new_privs");
	return seccomp_install(seccomp, err);
}

static int can_execute(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	/* effective ids, as execve checks them */
	if (syscall(SYS_faccessat2, AT_FDCWD, path, X_OK, AT_EACCESS) < 0)
		return -errno;
	/* root may, but execve wants one x bit at least */
	return st.st_mode & 0111 ? 0 : -EACCES;
}

static const char *env_get(char **env, const char *name)
{
	size_t n = strlen(name);
	const char *found = NULL;

	for (; *env; env++)
		if (!strncmp(*env, name, n) && (*env)[n] == '=')
			found = *env + n + 1;
	return found;
}

static int not_found(const char *name, int r, struct err *err)
{
	if (r == -EACCES || r == -EPERM)
		return err_set(err, EACCES, "exec: \"%s\"", name);
	if (r == -EISDIR)
		return err_set(err, EISDIR, "exec: \"%s\"", name);
	return err_set(err, -r, "exec: \"%s\": stat %s", name, name);
}

/* err_name() gives the C library's capitals; engines look for Go's small letters. */
static void go_words(struct err *err, int code, const char *words)
{
	const char *c = err_name(code);
	size_t n = strlen(err->text), m = strlen(c);

	if (n >= m && !strcmp(err->text + n - m, c) && strlen(words) <= m)
		strcpy(err->text + n - m, words);
}

static const char *search_path(struct spec *s, const char *name, const char *path, int *why)
{
	*why = -ENOENT;
	while (path) {
		const char *end = strchrnul(path, ':');
		size_t n = (size_t)(end - path);
		char *file = arena_take(&s->arena, n + strlen(name) + 3);
		int r;

		if (!file)
			return NULL;
		if (n)
			sprintf(file, "%.*s/%s", (int)n, path, name);
		else
			sprintf(file, "./%s", name);
		r = can_execute(file);
		if (r == 0)
			return file;
		if (r == -EACCES)
			*why = r;
		path = *end ? end + 1 : NULL;
	}
	return NULL;
}

const char *process_find_program(struct spec *s, char **env, struct err *err)
{
	const char *name = s->process.args[0], *path = env_get(env, "PATH"), *found;
	int r;

	if (strchr(name, '/')) {
		r = can_execute(name);
		if (!r)
			return name;
		not_found(name, r, err);
		go_words(err, ENOENT, "no such file or directory");
		go_words(err, EACCES, "permission denied");
		go_words(err, EISDIR, "is a directory");
		return NULL;
	}
	found = search_path(s, name, path ? path : "", &r);
	if (found)
		return found;
	if (r == -EACCES)
		err_set(err, 0, "exec: \"%s\": permission denied", name);
	else
		err_set(err, 0, "exec: \"%s\": executable file not found in $PATH", name);
	return NULL;
}

int process_close_rest(int keep, struct err *err)
{
	int r = sys_close_range(3U + (unsigned)keep, ~0U, CLOSE_RANGE_CLOEXEC);

	if (r < 0)
		return err_set(err, -r, "close descriptors");
	for (int fd = 3; fd < 3 + keep; fd++)
		fcntl(fd, F_SETFD, 0);
	return 0;
}

int process_exec(const char *path, const struct spec_process *p, char **env, struct err *err)
{
	/* not execveat: profiles written for other runtimes allow execve alone */
	int r = sys_execve(path, p->args, env);

	err_set(err, -r, "exec %s", path);
	go_words(err, ENOENT, "no such file or directory");
	go_words(err, EACCES, "permission denied");
	go_words(err, ENOEXEC, "exec format error");
	return r;
}

void process_own_stdio(uid_t uid)
{
	for (int fd = 0; fd < 3; fd++) {
		struct stat st;

		if (fstat(fd, &st) < 0 || st.st_uid == uid)
			continue;
		if (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3))
			continue;
		/* not ours to give (read-only file systems, foreign owners) is no reason to fail */
		if (fchown(fd, uid, (gid_t)-1) < 0)
			continue;
	}
}
