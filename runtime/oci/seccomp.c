/* seccomp.c - the filter of a container: compiling it, and installing it. The
 * first runs in coracle-runtime before the container's process exists;
 * seccomp_install in that process, last before execve. */
#include <errno.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "lib/sys.h"
#include "runtime/oci/seccomp.h"
#include "runtime/oci/sync.h"

/* Compiling and installing rules for programs that cannot run costs as much as
 * for those that can; the sysctl is there exactly when the kernel has the 32-bit vDSO. */
static bool kernel_runs_ia32(void)
{
	return access("/proc/sys/abi/vsyscall32", F_OK) == 0 || access("/proc/sys/abi", F_OK) < 0;
}

int seccomp_compile(struct spec *s, struct seccomp_program *out, struct err *err)
{
	struct seccomp_set set = { 0 };
	int r;

	memset(out, 0, sizeof *out);
	out->report = -1;
	if (s->seccomp) {
		if ((r = seccomp_parse(&s->arena, s->seccomp, kernel_runs_ia32, &set, err)) < 0 ||
		    (r = seccomp_parse_flags(s->seccomp, &out->flags, err)) < 0)
			return r;
	} else if (s->seccomp_default) {
		out->flags = SECCOMP_FILTER_FLAG_SPEC_ALLOW;
		if ((r = seccomp_default_set(&s->arena, s->process.caps.bounding, kernel_runs_ia32(), &set, err)) < 0)
			return r;
	} else
		return 0;
	out->notify = set.notify;
	/* pidfd_getfd wants CAP_SYS_PTRACE, as our processes inside are not dumpable */
	out->by_message = set.notify && geteuid() != 0;
	if (out->by_message && set.notify_sendmsg)
		return err_set(err, 0, "linux.seccomp.syscalls[].action: SCMP_ACT_NOTIFY cannot be used for the sendmsg syscall without privileges");
	/* the kernel refuses it without a listener, where it means nothing */
	if (!set.notify)
		out->flags &= ~(unsigned)SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
	return seccomp_assemble(&s->arena, &set, out, err);
}

/* The runtime takes the descriptor out of this process by its number. Only write(2) must pass without an agent: it has the listener
 * before anything else of ours is asked about, such as this read (as runc, so that the same profiles work). */
static int hand_over(const struct seccomp_program *p, int listener, struct err *err)
{
	char text[16];
	int n = snprintf(text, sizeof text, "%c%d", SYNC_LISTENER, listener), report = p->report, r;

	r = p->by_message ? sync_send_fd(report, text, (size_t)n, listener) : (int)sys_write(report, text, (size_t)n);
	if (r >= 0)
		r = (int)sys_read(report, text, sizeof text);
	close(listener);
	if (r < 0)
		return err_set(err, -r, "hand the seccomp listener over");
	return r > 0 && text[0] == SYNC_GO ? 0 : err_set(err, 0, "the seccomp agent did not get the listener");
}

int seccomp_install(const struct seccomp_program *p, struct err *err)
{
	struct sock_fprog prog = { p->len, p->filter };
	long fd;

	if (!p->filter)
		return 0;
	fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, p->flags | (p->notify ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0), &prog);
	if (fd < 0)
		return err_set(err, errno, "linux.seccomp: install the filter");
	return p->notify ? hand_over(p, (int)fd, err) : 0;
}
