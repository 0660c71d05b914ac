/* unmount.c - unmounts everything at the end, deepest first.
 *
 * Runs in a child of PID 1, never in PID 1: umount(2) may hang. The latest mounts come last in mountinfo and
 * lie on top, so they go first; what is busy because of another mount goes in a later round. */
#include "init/pid1/init.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "cdefs.h"
#include "err.h"
#include "fd.h"
#include "report.h"
#include "sys.h"

#define KEEP 128	/* mounts handled per round; with more there are more rounds */
#define PATH_LEN 512
#define ROUNDS_MAX 1000

struct ring {
	unsigned n;			/* seen so far; the last KEEP of them are kept */
	char path[KEEP][PATH_LEN];
};

/* The kernel's own file systems and our root: nothing is written there. */
static int is_needed(const char *path)
{
	static const char *const trees[] = { "/proc", "/sys", "/dev" };
	static const char *const exact[] = { "/", "/run", "/tmp" };

	for (size_t i = 0; i < ARRAY_SIZE(exact); i++)
		if (!strcmp(path, exact[i]))
			return 1;
	for (size_t i = 0; i < ARRAY_SIZE(trees); i++) {
		size_t n = strlen(trees[i]);

		if (!strncmp(path, trees[i], n) && (path[n] == '\0' || path[n] == '/'))
			return 1;
	}
	return 0;
}

static int octal(const char *s)
{
	for (int i = 0; i < 3; i++)
		if (s[i] < '0' || s[i] > '7')
			return -1;
	return (s[0] - '0') * 64 + (s[1] - '0') * 8 + (s[2] - '0');
}

/* "36 35 98:0 /mnt1 /mnt2 rw,noatime ...": the fifth field, with \040 and the like undone. */
static void take_line(struct ring *r, const char *line)
{
	char *out = r->path[r->n % KEEP];
	size_t n = 0;

	for (int field = 0; field < 4; field++) {
		line = strchr(line, ' ');
		if (!line)
			return;
		line++;
	}
	for (; *line && *line != ' '; line++) {
		int c = *line == '\\' ? octal(line + 1) : -1;

		if (n == PATH_LEN - 1)
			return;
		out[n++] = c >= 0 ? (char)c : *line;
		if (c >= 0)
			line += 3;
	}
	out[n] = '\0';
	if (n > 0 && !is_needed(out))
		r->n++;
}

static int read_mounts(struct ring *r)
{
	static char line[4096];
	CLEANUP_FD int fd = sys_openat(AT_FDCWD, "/proc/self/mountinfo", O_RDONLY, 0);
	char buf[4096];
	size_t len = 0;
	ssize_t n;

	r->n = 0;
	if (fd < 0)
		return fd;
	while ((n = sys_read(fd, buf, sizeof(buf))) > 0) {
		for (ssize_t i = 0; i < n; i++) {
			if (buf[i] != '\n') {
				if (len < sizeof(line) - 1)
					line[len++] = buf[i];
				continue;
			}
			line[len] = '\0';
			len = 0;
			take_line(r, line);
		}
	}
	return n < 0 ? (int)n : 0;
}

static const char *kept(const struct ring *r, unsigned back)
{
	return r->path[(r->n - 1 - back) % KEEP];
}

int unmount_all(void)
{
	static struct ring mounts;
	unsigned count = 0;
	int moved = 1;

	for (int round = 0; moved && round < ROUNDS_MAX; round++) {
		moved = 0;
		if (read_mounts(&mounts) < 0)
			return 1;
		count = MIN(mounts.n, KEEP);
		for (unsigned i = 0; i < count; i++)
			if (sys_umount2(kept(&mounts, i), UMOUNT_NOFOLLOW) == 0)
				moved++;
	}
	for (unsigned i = 0; i < count; i++) {
		int r = sys_mount(NULL, kept(&mounts, i), NULL, MS_REMOUNT | MS_RDONLY, NULL);

		report_problem("init", "%s is still in use and was not unmounted%s%s", kept(&mounts, i),
			       r < 0 ? "; nor made read-only: " : ", only made read-only", r < 0 ? err_name(-r) : "");
	}
	return (int)count;
}
