/* check.c - e2fsck on the data file system. Runs in coracle-data, before the mount. */
#include "init/data/check.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <sys/wait.h>

#include "report.h"

#define E2FSCK "/usr/sbin/e2fsck"

int check_understand(int code)
{
	if (code & ~7)
		return -EIO;
	return code & 4 ? CHECK_DAMAGED : code ? CHECK_REPAIRED : CHECK_CLEAN;
}

/* Returns its exit code or -errno. */
static int run_e2fsck(const char *how, const char *node, struct err *err)
{
	char *argv[] = { (char *)E2FSCK, (char *)how, (char *)node, NULL };
	char *envp[] = { (char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };
	pid_t pid;
	int status;
	int r = posix_spawn(&pid, E2FSCK, NULL, NULL, argv, envp);

	if (r)
		return err_set(err, r, "run " E2FSCK);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_set(err, errno, "wait for " E2FSCK);
	if (!WIFEXITED(status))
		return err_set(err, EIO, E2FSCK " was ended by signal %d", WTERMSIG(status));
	return WEXITSTATUS(status);
}

int check_repair(const char *node, struct err *err)
{
	int code = run_e2fsck("-p", node, err);
	int result;

	if (code < 0)
		return code;
	result = check_understand(code);
	if (result == CHECK_DAMAGED) {
		/* Nobody is here to answer its questions, and a machine without its data is not better off. */
		report_problem("data", "%s is damaged beyond what can be repaired without risk: running e2fsck -y, files may be lost "
			       "(look in lost+found)", node);
		if ((code = run_e2fsck("-y", node, err)) < 0)
			return code;
		result = check_understand(code);
	}
	if (result < 0)
		return err_set(err, EIO, "e2fsck %s ended with code %d", node, code);
	if (result == CHECK_DAMAGED)
		return err_set(err, EUCLEAN, "%s is damaged and could not be repaired", node);
	if (result == CHECK_REPAIRED)
		report_note("data", "%s was repaired", node);
	return 0;
}
