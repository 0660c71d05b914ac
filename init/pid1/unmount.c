/* unmount.c - unmounts everything at the end: container overlays, other mounts, the data file system, the root.
 *
 * Runs in children of PID 1, never in PID 1: umount(2) may hang, and then the next class has a child of its own. An overlay lies on
 * directories of /var and a volume may be a file there, so /var comes after them. Within a class the latest mounts
 * lie on top and go first; what is busy because of another mount goes in a later round. What stays is made read-only. */
#include "init/pid1/init.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/swap.h>
#include <time.h>
#include <unistd.h>

#include "cdefs.h"
#include "err.h"
#include "fd.h"
#include "report.h"
#include "sys.h"

#define KEEP 128	/* mounts handled per round; with more there are more rounds */
#define PATH_LEN 512
#define ROUNDS_MAX 1000

#define EMERGENCY_TRIES 50
#define EMERGENCY_PAUSE_NS 100000000L

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

static enum unmount_class class_of(const char *path, const char *rest)
{
	const char *type = strstr(rest, " - ");

	if (!strcmp(path, "/var"))
		return UNMOUNT_DATA;
	return type && !strncmp(type + 3, "overlay ", 8) && strcmp(path, "/etc") ? UNMOUNT_CONTAINERS : UNMOUNT_MOUNTS;
}

/* The path that *line begins with, \040 and the like undone, into out (PATH_LEN bytes); *line is behind it then. Returns its length, 0: too long. */
static size_t take_path(char *out, const char **line)
{
	const char *s = *line;
	size_t n = 0;

	for (; *s && *s != ' ' && *s != '\t'; s++) {
		int c = *s == '\\' ? octal(s + 1) : -1;

		if (n == PATH_LEN - 1)
			return 0;
		out[n++] = c >= 0 ? (char)c : *s;
		if (c >= 0)
			s += 3;
	}
	out[n] = '\0';
	*line = s;
	return n;
}

/* "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext4 /dev/root rw": the fifth field. */
static void take_line(struct ring *r, const char *line, enum unmount_class class)
{
	char *out = r->path[r->n % KEEP];

	for (int field = 0; field < 4; field++) {
		line = strchr(line, ' ');
		if (!line)
			return;
		line++;
	}
	if (take_path(out, &line) > 0 && !is_needed(out) && class_of(out, line) == class)
		r->n++;
}

static int read_mounts(struct ring *r, enum unmount_class class)
{
	SCRATCH static char line[4096];
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
			take_line(r, line, class);
		}
	}
	return n < 0 ? (int)n : 0;
}

static const char *kept(const struct ring *r, unsigned back)
{
	return r->path[(r->n - 1 - back) % KEEP];
}

/* What the kernel does for SysRq-U: everything read-only, open files or not, so that nothing has to be repaired at the next start. It does it in
 * the background. */
static int force_read_only(const char *path)
{
	const struct timespec pause = { 0, EMERGENCY_PAUSE_NS };
	struct statvfs st;

	if (init_options.guest || fd_write_small(AT_FDCWD, "/proc/sysrq-trigger", "u") < 0)
		return 0;
	for (int i = 0; i < EMERGENCY_TRIES; i++) {
		if (statvfs(path, &st) == 0 && st.f_flag & ST_RDONLY)
			return 1;
		nanosleep(&pause, NULL);
	}
	return 0;
}

static void make_read_only(const char *path, enum unmount_class class)
{
	int r = sys_mount(NULL, path, NULL, MS_REMOUNT | MS_RDONLY, NULL);

	/* not before the last class: it is for all file systems at once */
	if (r < 0 && class == UNMOUNT_DATA && force_read_only(path))
		r = 0;
	report_problem("init", "%s is still in use and was not unmounted%s%s", path,
		       r < 0 ? "; nor made read-only: " : ", only made read-only", r < 0 ? err_name(-r) : "");
}

/* A file that is swapped to keeps its file system from being unmounted, and from being made read-only too. */
static void stop_swapping(void)
{
	SCRATCH static char text[4096];
	char path[PATH_LEN];
	const char *line;

	/* a guest sees the swaps of its host */
	if (init_options.guest || fd_read_small(AT_FDCWD, "/proc/swaps", text, sizeof(text)) <= 0)
		return;
	for (line = strchr(text, '\n'); line && line[1]; line = strchr(line, '\n')) {
		line++;
		if (take_path(path, &line) == 0 || path[0] != '/')
			continue;
		if (swapoff(path) < 0)
			report_problem("init", "%s cannot be taken out of use as swap space: %s", path, err_name(errno));
		else
			report_note("init", "no longer swapping to %s", path);
	}
}

int unmount_class(enum unmount_class class)
{
	SPARSE static struct ring mounts;
	unsigned count = 0;
	int moved = 1;

	if (class == UNMOUNT_MOUNTS)
		stop_swapping();
	for (int round = 0; moved && round < ROUNDS_MAX; round++) {
		moved = 0;
		if (read_mounts(&mounts, class) < 0)
			return 1;
		count = MIN(mounts.n, KEEP);
		for (unsigned i = 0; i < count; i++)
			if (sys_umount2(kept(&mounts, i), UMOUNT_NOFOLLOW) == 0) {
				report_note("init", "unmounted %s", kept(&mounts, i));
				moved++;
			}
	}
	for (unsigned i = 0; i < count; i++)
		make_read_only(kept(&mounts, i), class);
	/* The image's root is never written; another one is not left open for writing. */
	if (class == UNMOUNT_DATA)
		sys_mount(NULL, "/", NULL, MS_REMOUNT | MS_RDONLY, NULL);
	return (int)count;
}
