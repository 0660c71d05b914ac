/* recovery_parts.c - the parts of recovery.c: the conversation with init, processes, the injector, what outlives this process. */
#include "recovery.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>


#define RUN "/run/probe"

int control = -1;

void say(const char *fmt, ...)
{
	char line[600] = "<3>probe: ";
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line + 10, sizeof(line) - 12, fmt, ap);
	va_end(ap);
	strcat(line, "\n");
	(void)!write(fd, line, strlen(line));
	close(fd);
}

void result(int good, const char *detail, const char *fmt, ...)
{
	char name[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(name, sizeof(name), fmt, ap);
	va_end(ap);
	if (good)
		say("ok %s", name);
	else
		say("FAILED %s: %s", name, detail);
}

void same(const char *got, const char *want, const char *fmt, ...)
{
	char name[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(name, sizeof(name), fmt, ap);
	va_end(ap);
	result(!strcmp(got, want), got, "%s", name);
}

int connect_control(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX, .sun_path = "/run/coracle/init.sock" };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		say("FAILED connect: %s", strerror(errno));
	return fd;
}

const char *receive_within(int ms)
{
	static char text[4097];
	struct pollfd p = { .fd = control, .events = POLLIN };
	ssize_t n;
	int r;

	while ((r = poll(&p, 1, ms)) < 0 && errno == EINTR)
		;
	if (r != 1)
		return "(nothing)";
	n = recv(control, text, sizeof(text) - 1, 0);
	if (n <= 0)
		return "(connection lost)";
	text[n] = '\0';
	return text;
}

const char *receive(void)
{
	return receive_within(60000);
}

const char *ask(const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (send(control, text, strlen(text), MSG_NOSIGNAL) < 0)
		return "(cannot send)";
	return receive();
}

/* The row of a service: "STATE PID RESTARTS". */
const char *row_of(const char *name)
{
	static char row[200];
	size_t n = strlen(name);
	const char *a = ask("services");

	row[0] = '\0';
	for (int i = 0; i < 64 && strcmp(a, "end") && a[0] != '('; i++, a = receive())
		if (!strncmp(a, name, n) && a[n] == ' ')
			snprintf(row, sizeof(row), "%s", a + n + 1);
	return row;
}

void notify(const char *text, int stored)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} c;
	struct iovec iov = { (char *)(uintptr_t)text, strlen(text) };
	struct msghdr msg = { .msg_name = &addr, .msg_namelen = sizeof(addr), .msg_iov = &iov, .msg_iovlen = 1 };
	int s = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", getenv("NOTIFY_SOCKET"));
	if (stored >= 0) {
		msg.msg_control = &c;
		msg.msg_controllen = sizeof(c.bytes);
		c.align.cmsg_level = SOL_SOCKET;
		c.align.cmsg_type = SCM_RIGHTS;
		c.align.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&c.align), &stored, sizeof(int));
	}
	if (sendmsg(s, &msg, 0) < 0)
		say("FAILED notify: %s", strerror(errno));
	close(s);
}

/* Returns when it is known: init's two sockets have no order between them. */
void ready(void)
{
	notify("READY=1", -1);
	while (!strncmp(row_of("engine"), "starting", 8))
		usleep(1000);
}

void enter_cgroup(const char *name)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/sys/fs/cgroup/coracle/%s", name);
	mkdir(path, 0755);
	strcat(path, "/cgroup.procs");
	fd = open(path, O_WRONLY);
	(void)!write(fd, "0", 1);
	close(fd);
}

/* A process as `coracle-runtime create` leaves it: PID 1's child, in a cgroup of containers. */
pid_t make_container(void)
{
	int p[2];
	pid_t pid = 0;

	if (pipe(p) < 0)
		return -1;
	if (fork() == 0) {
		pid_t me = fork();

		if (me != 0)
			_exit(0);
		enter_cgroup("probe");
		/* its parent is gone when it says who it is */
		while (getppid() != 1)
			usleep(1000);
		me = getpid();
		(void)!write(p[1], &me, sizeof(me));
		close(p[1]);
		for (;;)
			pause();
	}
	wait(NULL);
	close(p[1]);
	(void)!read(p[0], &pid, sizeof(pid));
	close(p[0]);
	return pid;
}

static int injector_out = -1;
static pid_t injector;

/* Returns when it is attached. Outside of our cgroup, which may be killed. Without a fault it is init's next child that has one. */
void arm(const char *at, const char *fault)
{
	char text[64] = "";
	size_t n = 0;
	int p[2];

	if (pipe(p) < 0)
		exit(1);
	injector = fork();
	if (injector == 0) {
		enter_cgroup("injector");
		dup2(p[1], 1);
		dup2(p[1], 2);
		close(control);
		if (!fault)
			execl("/usr/bin/init-fault", "init-fault", "-c", (char *)NULL);
		else if (at)
			execl("/usr/bin/init-fault", "init-fault", "-a", at, fault, (char *)NULL);
		else
			execl("/usr/bin/init-fault", "init-fault", fault, (char *)NULL);
		_exit(127);
	}
	close(p[1]);
	injector_out = p[0];
	while (n < sizeof(text) - 1 && !strchr(text, '\n') && read(p[0], text + n, 1) == 1)
		n++;
	if (strcmp(text, "armed\n"))
		say("FAILED arm %s: %s", fault ? fault : "child", text);
}

void wait_fault(const char *fault)
{
	int status = 0;

	waitpid(injector, &status, 0);
	close(injector_out);
	if (status)
		say("FAILED inject %s: status %d", fault, status);
}

void inject(const char *fault)
{
	arm(NULL, fault);
	wait_fault(fault);
}

void save_number(const char *name, long n)
{
	char path[64];
	FILE *f;

	mkdir(RUN, 0755);
	snprintf(path, sizeof(path), RUN "/%s", name);
	f = fopen(path, "w");
	fprintf(f, "%ld\n", n);
	fclose(f);
}

long load_number(const char *name)
{
	char path[64];
	FILE *f;
	long n = 0;

	snprintf(path, sizeof(path), RUN "/%s", name);
	f = fopen(path, "r");
	if (f && fscanf(f, "%ld", &n) != 1)
		n = 0;
	if (f)
		fclose(f);
	return n;
}

static void show_descriptors(void)
{
	DIR *d = opendir("/proc/1/fd");
	struct dirent *e;

	while (d && (e = readdir(d))) {
		char what[256];
		ssize_t n = readlinkat(dirfd(d), e->d_name, what, sizeof(what) - 1);

		if (n >= 0)
			printf("# %s: %.*s\n", e->d_name, (int)n, what);
	}
	if (d)
		closedir(d);
}

int descriptors_settle(int want)
{
	int now = descriptors_of_init();

	for (int i = 0; i < 1000 && now != want; i++) {
		usleep(10000);
		now = descriptors_of_init();
	}
	if (now != want)
		show_descriptors();
	return now;
}

int descriptors_of_init(void)
{
	DIR *d = opendir("/proc/1/fd");
	int n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n;
}
