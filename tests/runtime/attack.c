/* attack.c - what a hostile program does beside and inside a container. Built
 * static, run by tests/runtime/test_security.sh on the host and in containers.
 *
 *	attack swap A B		exchanges A and B over and over (RENAME_EXCHANGE); at SIGTERM says how often
 *	attack grab		opens what it can of other processes' executables, and later tries to write them;
 *				at SIGTERM one line for each: SIZE NAME writable|protected, and the executables of
 *				processes whose descriptors were open to it: fds SIZE NAME */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define KEPT 32

static volatile sig_atomic_t ended;

static void end(int sig)
{
	(void)sig;
	ended = 1;
}

static int swap(const char *a, const char *b)
{
	unsigned long n = 0;

	puts("ready");
	fflush(stdout);
	while (!ended) {
		if (syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, 2 /* RENAME_EXCHANGE */) < 0 && errno != ENOENT) {
			perror("exchange");
			return 1;
		}
		/* each state lasts a little, or the other side would always meet the same one */
		for (volatile int i = (int)(n * 7919 % 4001); i > 0; i--)
			;
		n++;
	}
	/* as it was found */
	if (n % 2)
		syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, 2);
	printf("%lu\n", n);
	return 0;
}

static struct kept {
	int fd, writable;
	char name[256];
	struct stat st;
} kept[KEPT];
static int kept_n;
static char open_fds[KEPT][300];
static int open_fds_n;

static void keep_executable(const char *pid)
{
	struct kept *k = &kept[kept_n];
	char path[300];
	ssize_t n;

	snprintf(path, sizeof path, "/proc/%s/exe", pid);
	k->fd = kept_n < KEPT ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (k->fd < 0)
		return;
	fstat(k->fd, &k->st);
	for (int i = 0; i < kept_n; i++)
		if (kept[i].st.st_ino == k->st.st_ino && kept[i].st.st_dev == k->st.st_dev) {
			close(k->fd);
			return;
		}
	snprintf(path, sizeof path, "/proc/self/fd/%d", k->fd);
	n = readlink(path, k->name, sizeof k->name - 1);
	k->name[n > 0 ? n : 0] = '\0';
	kept_n++;
	printf("sees %s\n", k->name);
	fflush(stdout);
}

/* A process of the runtime that lets its descriptors be seen gives the host's away. */
static void look_at_descriptors(const char *pid)
{
	char path[300], name[256], line[300];
	struct stat st;
	ssize_t n;
	DIR *d;

	snprintf(path, sizeof path, "/proc/%s/fd", pid);
	d = opendir(path);
	if (!d)
		return;
	closedir(d);
	snprintf(path, sizeof path, "/proc/%s/exe", pid);
	n = readlink(path, name, sizeof name - 1);
	if (n <= 0 || stat(path, &st) < 0)
		return;
	name[n] = '\0';
	snprintf(line, sizeof line, "%lld %s", (long long)st.st_size, name);
	for (int i = 0; i < open_fds_n; i++)
		if (!strcmp(open_fds[i], line))
			return;
	if (open_fds_n < KEPT)
		strcpy(open_fds[open_fds_n++], line);
}

static void try_writing(void)
{
	for (int i = 0; i < kept_n; i++) {
		char path[40];
		int fd;

		if (kept[i].writable)
			continue;
		snprintf(path, sizeof path, "/proc/self/fd/%d", kept[i].fd);
		fd = open(path, O_WRONLY | O_CLOEXEC);	/* ETXTBSY while it runs */
		if (fd < 0)
			continue;
		kept[i].writable = 1;
		close(fd);
	}
}

static int grab(void)
{
	char self[16];
	DIR *d = opendir("/proc");

	if (!d)
		return 1;
	snprintf(self, sizeof self, "%d", (int)getpid());
	puts("ready");
	fflush(stdout);
	while (!ended) {
		struct dirent *e;

		rewinddir(d);
		while ((e = readdir(d)))
			if (e->d_name[0] >= '0' && e->d_name[0] <= '9' && strcmp(e->d_name, self)) {
				keep_executable(e->d_name);
				look_at_descriptors(e->d_name);
			}
		try_writing();
	}
	try_writing();
	for (int i = 0; i < kept_n; i++)
		printf("%lld %s %s\n", (long long)kept[i].st.st_size, kept[i].name, kept[i].writable ? "writable" : "protected");
	for (int i = 0; i < open_fds_n; i++)
		printf("fds %s\n", open_fds[i]);
	fflush(stdout);
	return 0;
}

int main(int argc, char **argv)
{
	signal(SIGTERM, end);
	if (argc == 4 && !strcmp(argv[1], "swap"))
		return swap(argv[2], argv[3]);
	if (argc == 2 && !strcmp(argv[1], "grab"))
		return grab();
	fputs("usage: attack swap A B | grab\n", stderr);
	return 2;
}
