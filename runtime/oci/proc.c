/* proc.c - reads and writes files of /proc/PID. Runs in coracle-runtime. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/fd.h"
#include "runtime/oci/proc.h"

int proc_read(pid_t pid, struct proc_info *out)
{
	char path[40], text[1024], *p;
	ssize_t n;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	n = fd_read_small(AT_FDCWD, path, text, sizeof text);
	if (n < 0)
		return (int)n;
	/* the name (field 2) may hold blanks and parentheses: fields count from its last one */
	p = strrchr(text, ')');
	if (!p || p[1] != ' ')
		return -EPROTO;
	p += 2;
	out->state = *p;
	for (int field = 3; field < 22 && p; field++) {
		p = strchr(p, ' ');
		p = p ? p + 1 : NULL;
	}
	if (!p)
		return -EPROTO;
	out->start_time = strtoull(p, NULL, 10);
	return 0;
}

uint64_t proc_start_time(pid_t pid)
{
	struct proc_info p;

	return proc_read(pid, &p) < 0 ? 0 : p.start_time;
}

int proc_write(pid_t pid, const char *file, const char *text)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
	return fd_write_small(AT_FDCWD, path, text);
}

int proc_set_oom(pid_t pid, int value, struct err *err)
{
	char text[16];
	int r;

	snprintf(text, sizeof text, "%d", value);
	r = pid ? proc_write(pid, "oom_score_adj", text) : fd_write_small(AT_FDCWD, "/proc/self/oom_score_adj", text);
	return r < 0 ? err_set(err, -r, "set process.oomScoreAdj to %s", text) : 0;
}
