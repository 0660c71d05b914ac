/* probe.c - stands in for coracle-engine in test_pid1.sh and test_init.py and tries everything that init promises a service.
 *
 * Says "probe: ok NAME" or "probe: FAILED NAME: ..." on the console, one line per promise. It runs three times: the first run
 * ends with code 3, the second is the restart that must find what the first one left, the third follows a `restart`. Then it asks for the end. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RUN "/run/probe"

static int control = -1;
static int stray = -1;		/* a descriptor above 2 that we were started with */
static volatile sig_atomic_t terminated;

static void on_term(int sig)
{
	(void)sig;
	terminated = 1;
}

__attribute__((format(printf, 1, 2))) static void say(const char *fmt, ...)
{
	char line[600] = "<3>probe: ";
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line + 10, sizeof(line) - 12, fmt, ap);
	va_end(ap);
	strcat(line, "\n"); /* or the kernel holds the record back for a continuation */
	(void)!write(fd, line, strlen(line));
	close(fd);
}

static long tried;	/* promises looked at, over all runs: a torn line on the console must not hide one */

static void result(const char *name, int good, const char *detail)
{
	tried++;
	if (good)
		say("ok %s", name);
	else
		say("FAILED %s: %s", name, detail);
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int connect_control(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX, .sun_path = "/run/coracle/init.sock" };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* A SIGTERM that came before is not waited for again. */
static void wait_for_term(void)
{
	sigset_t term;
	sigset_t old;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, &old);
	while (!terminated)
		sigsuspend(&old);
	sigprocmask(SIG_SETMASK, &old, NULL);
}

static const char *receive(void)
{
	static char text[4097];
	struct pollfd p = { .fd = control, .events = POLLIN };
	ssize_t n;
	int r;

	/* SIGTERM may come before the answer that announces it: "restart engine" asks for both */
	while ((r = poll(&p, 1, 60000)) < 0 && errno == EINTR)
		;
	if (r != 1)
		return "(no answer)";
	n = recv(control, text, sizeof(text) - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

__attribute__((format(printf, 1, 2))) static const char *ask(const char *fmt, ...)
{
	char text[4096];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (send(control, text, strlen(text), 0) < 0)
		return "(cannot send)";
	return receive();
}

static int notify(const char *text, const int *fds, int n)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(8 * sizeof(int))];
	} c;
	struct iovec iov = { (char *)text, strlen(text) };
	struct msghdr msg = { .msg_name = &addr, .msg_namelen = sizeof(addr), .msg_iov = &iov, .msg_iovlen = 1 };
	int s = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int r;

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", getenv("NOTIFY_SOCKET"));
	if (n) {
		msg.msg_control = &c;
		msg.msg_controllen = (socklen_t)CMSG_SPACE((size_t)n * sizeof(int));
		c.align.cmsg_level = SOL_SOCKET;
		c.align.cmsg_type = SCM_RIGHTS;
		c.align.cmsg_len = (socklen_t)CMSG_LEN((size_t)n * sizeof(int));
		memcpy(CMSG_DATA(&c.align), fds, (size_t)n * sizeof(int));
	}
	r = (int)sendmsg(s, &msg, 0);
	close(s);
	return r;
}

/* A process as `coracle-runtime create` leaves it: in a cgroup of containers, its parent gone, so PID 1's child. */
static pid_t make_container(const char *name)
{
	char path[128];
	int p[2];
	pid_t pid = 0;
	pid_t middle;

	snprintf(path, sizeof(path), "/sys/fs/cgroup/coracle/%s", name);
	mkdir(path, 0755);
	if (pipe(p) < 0)
		return -1;
	middle = fork();
	if (middle == 0) {
		pid_t me = fork();
		int fd;

		if (me != 0)
			_exit(0);
		strcat(path, "/cgroup.procs");
		fd = open(path, O_WRONLY);
		(void)!write(fd, "0", 1);
		me = getpid();
		(void)!write(p[1], &me, sizeof(me));
		close(p[1]);
		for (;;)
			pause();
	}
	waitpid(middle, NULL, 0);
	close(p[1]);
	(void)!read(p[0], &pid, sizeof(pid));
	close(p[0]);
	return pid;
}

static void save_number(const char *name, long n)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), RUN "/%s", name);
	f = fopen(path, "w");
	fprintf(f, "%ld\n", n);
	fclose(f);
}

static long load_number(const char *name)
{
	char path[64];
	FILE *f;
	long n = -1;

	snprintf(path, sizeof(path), RUN "/%s", name);
	f = fopen(path, "r");
	if (!f || fscanf(f, "%ld", &n) != 1)
		n = -1;
	if (f)
		fclose(f);
	return n;
}

static int file_says(const char *path, const char *want)
{
	char text[8192];
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	return strstr(text, want) != NULL;
}

static const char *status_of_init(void)
{
	static char text[4096];
	int fd = open("/proc/1/status", O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, text, sizeof(text) - 1);

	close(fd);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

/* PID 1 has not taken it yet. */
static int is_pending(int sig)
{
	const char *at = strstr(status_of_init(), "ShdPnd:");

	return at && strtoull(at + 7, NULL, 16) >> (sig - 1) & 1;
}

/* What PID 1 has in memory, in kB; -1: unknown. */
static int init_memory(const char *when)
{
	const char *text = status_of_init();
	const char *rss = strstr(text, "VmRSS:");
	const char *anon = strstr(text, "RssAnon:");

	if (!rss || !anon)
		return -1;
	say("init %s: rss %d kB, anon %d kB", when, atoi(rss + 6), atoi(anon + 8));
	return atoi(rss + 6);
}

static void try_surroundings(void)
{
	struct stat st;
	sigset_t mask;

	/* init moves there when it has started us, before it answers anyone */
	ask("forget 99");
	result("rule 26: own cgroup of init", file_says("/proc/1/cgroup", "0::/init\n"), "PID 1 is elsewhere");
	result("cgroup of a service", file_says("/proc/self/cgroup", "0::/system/engine\n"), "the engine is elsewhere");
	result("controllers for containers", file_says("/sys/fs/cgroup/coracle/cgroup.controllers", "memory"), "none");
	result("oom_score_adj", file_says("/proc/self/oom_score_adj", "-900"), "not -900");
	result("session of its own", getsid(0) == getpid(), "no leader");
	sigprocmask(SIG_BLOCK, NULL, &mask);
	result("signal mask is empty", !sigismember(&mask, SIGCHLD) && !sigismember(&mask, SIGTERM), "something is blocked");
	result("no stray descriptor", stray < 0, "one is open");
	result("etc is writable", open("/etc/probe", O_CREAT | O_WRONLY, 0600) >= 0, "no");
	result("var is there", stat("/var/lib/coracle", &st) == 0 && st.st_mode & S_IFDIR, "no /var/lib/coracle");
	result("initramfs was freed", access("/root.erofs", F_OK) < 0, "/root.erofs is visible");
	result("data and config before the engine", file_says("/run/coracle/boot-times", " data\n") && file_says("/run/coracle/boot-times", " config\n"), "no stamp");
	printf("a line on standard output\n");
	fflush(stdout);
}

static void try_watch(void)
{
	pid_t pid = make_container("c1");
	char want[64];
	const char *a;

	result("watch", !strcmp(ask("watch %d", (int)pid), "ok"), "no ok");
	kill(pid, SIGKILL);
	snprintf(want, sizeof(want), "exit %d 9", (int)pid);
	a = receive();
	result("exit is told", !strcmp(a, want), a);
	result("kept status", !strcmp(ask("watch %d", (int)pid), "ok") && !strcmp(receive(), want), "lost");
	result("forget", !strcmp(ask("forget %d", (int)pid), "ok"), "no ok");
	snprintf(want, sizeof(want), "exit %d -1", (int)pid);
	result("unknown pid", !strcmp(ask("watch %d", (int)pid), "ok") && !strcmp(receive(), want), "no -1");
	ask("forget %d", (int)pid);
	a = ask("watch 1x");
	result("malformed request", !strncmp(a, "error", 5), a);
	a = ask("stop nothing");
	result("unknown service", !strcmp(a, "error no service nothing"), a);
}

/* A process that has another parent first is told of as well. */
static void try_watch_stranger(void)
{
	char want[64];
	const char *a;
	pid_t mine = fork();

	if (mine == 0) {
		pause();
		_exit(0);
	}
	ask("watch %d", (int)mine);
	kill(mine, SIGKILL);
	waitpid(mine, NULL, 0);
	snprintf(want, sizeof(want), "exit %d -1", (int)mine);
	a = receive();
	result("exit of another's child", !strcmp(a, want), a);
	ask("forget %d", (int)mine);
}

/* 1,500 requests are sent before one answer is read: init must neither wait for us nor lose one. */
static void try_full_socket(void)
{
	enum { N = 1500 };
	int sent = 0;
	int oks = 0;
	int exits = 0;
	int64_t end = now_ms() + 120000;

	while ((oks < N || exits < N) && now_ms() < end) {
		char text[64];
		ssize_t n;

		for (int full = 0; sent < N && !full;) {
			snprintf(text, sizeof(text), "watch %d", 3000000 + sent);
			if (send(control, text, strlen(text), MSG_DONTWAIT) < 0)
				full = 1;
			else
				sent++;
		}
		n = recv(control, text, sizeof(text) - 1, MSG_DONTWAIT);
		if (n <= 0) {
			struct pollfd p = { .fd = control, .events = (short)(POLLIN | (sent < N ? POLLOUT : 0)) };

			poll(&p, 1, 1000);
			continue;
		}
		text[n] = '\0';
		oks += !strcmp(text, "ok");
		exits += !strncmp(text, "exit 3", 6);
	}
	say("full socket: %d sent, %d ok, %d exit", sent, oks, exits);
	result("a client that reads late", oks == N && exits == N, "answers are missing");
	for (int i = 0; i < N; i++)
		ask("forget %d", 3000000 + i);
}

static void try_services(void)
{
	int engine = 0;
	int rows = 0;
	const char *a = ask("services");

	for (; strcmp(a, "end") && rows < 64 && a[0] != '('; rows++) {
		char want[64];

		snprintf(want, sizeof(want), "engine starting %d", (int)getpid());
		engine |= !strncmp(a, want, strlen(want));
		a = receive();
	}
	result("list of services", engine && !strcmp(a, "end"), a);
}

static void try_rights(void)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		if (setgid(1000) < 0 || setuid(1000) < 0)
			_exit(2);
		_exit(connect_control() >= 0);
	}
	waitpid(pid, &status, 0);
	result("root only", status == 0, "another user could connect");
	/* a notification from outside of every service's cgroup is nothing */
	pid = fork();
	if (pid == 0) {
		int fd = open("/sys/fs/cgroup/coracle/c1/cgroup.procs", O_WRONLY);

		(void)!write(fd, "0", 1);
		notify("READY=1", NULL, 0);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	try_services();
}

static int count_zombies(void)
{
	int zombies = 0;

	for (int pid = 2; pid < 32768; pid++) {
		char path[32];

		snprintf(path, sizeof(path), "/proc/%d/stat", pid);
		zombies += file_says(path, ") Z ");
	}
	return zombies;
}

/* Orphans that end as fast as they are made; the control socket answers all the while. */
static void try_orphans(int count)
{
	int64_t worst = 0;
	int zombies = 1;
	char text[64];

	for (int i = 0; i < count; i++) {
		pid_t middle = fork();

		if (middle == 0) {
			for (int k = 0; k < 10; k++)
				if (fork() == 0)
					_exit(0);
			_exit(0);
		}
		waitpid(middle, NULL, 0);
		if (i % 20 == 0) {
			int64_t began = now_ms();

			ask("forget 99");
			began = now_ms() - began;
			worst = began > worst ? began : worst;
		}
	}
	for (int tries = 0; zombies && tries < 200; tries++) {
		struct timespec ts = { 0, 10000000 };

		nanosleep(&ts, NULL);
		zombies = count_zombies();
	}
	snprintf(text, sizeof(text), "%d zombies, worst answer after %lld ms", zombies, (long long)worst);
	say("orphans: %s", text);
	result("rule 6: storm of orphans", zombies == 0 && worst < 2000, text);
}

static void first_run(void)
{
	int p[2];
	int deaf[2];
	int orphan;
	int rss;
	pid_t pid;

	mkdir(RUN, 0755);
	try_surroundings();
	try_services();
	try_watch();
	try_watch_stranger();
	try_rights();
	/* it gives back what only the start needed when it has started us; the goal of 200 kB is for a while later: qemu/bench */
	rss = init_memory("after a few requests");
	result("init at most 240 kB resident", rss > 0 && rss <= 240, "more");
	try_full_socket();
	init_memory("after 1,500 watched pids");
	try_orphans(200);
	init_memory("after 2,000 orphans");
	/* what the next run must find: a pipe with something in it, a status that came while nobody asked, a running container */
	if (pipe(p) < 0)
		return;
	(void)!write(p[1], "kept", 4);
	notify("FDSTORE=1\nFDNAME=c.1.out.r", &p[0], 1);
	notify("FDSTORE=1\nFDNAME=c.1.out.w", &p[1], 1);
	notify("FDSTORE=1\nFDNAME=c.1.out.w", &p[1], 1);
	notify("FDSTORE=1\nFDNAME=gone", &p[1], 1);
	notify("FDSTOREREMOVE=1\nFDNAME=gone", NULL, 0);
	/* what has hung up is dropped, unless that is not wanted */
	if (pipe(deaf) < 0)
		return;
	notify("FDSTORE=1\nFDNAME=deaf", &deaf[1], 1);
	notify("FDSTORE=1\nFDPOLL=0\nFDNAME=kept", &deaf[1], 1);
	close(deaf[0]);
	close(deaf[1]);
	pid = make_container("c2");
	ask("watch %d", (int)pid);
	save_number("ended", pid);
	pid = make_container("c3");
	ask("watch %d", (int)pid);
	save_number("running", pid);
	/* something of ours that stays behind must be gone before the next start */
	orphan = fork();
	if (orphan == 0) {
		signal(SIGTERM, SIG_IGN);
		for (;;)
			pause();
	}
	save_number("orphan", orphan);
	kill((pid_t)load_number("ended"), SIGUSR1);
	save_number("tried", tried);
	say("first run ends");
	exit(3);
}

static void second_run(void)
{
	char want[64], text[8] = "";
	const char *names = getenv("LISTEN_FDNAMES");
	const char *listen_pid = getenv("LISTEN_PID");
	long pid = load_number("ended");
	const char *a;

	tried = load_number("tried");
	result("stored descriptors come back", names && !strcmp(names, "c.1.out.r:c.1.out.w:kept"), names ? names : "(none)");
	result("LISTEN_PID and LISTEN_FDS", listen_pid && atoi(listen_pid) == getpid() && !strcmp(getenv("LISTEN_FDS"), "3"), "wrong");
	result("rule 12: what was in the pipe", read(3, text, 4) == 4 && !strcmp(text, "kept"), text);
	snprintf(want, sizeof(want), "exit %ld %d", pid, SIGUSR1);
	result("status kept over the restart", !strcmp(ask("watch %ld", pid), "ok") && !strcmp(receive(), want), "lost");
	result("containers run on", kill((pid_t)load_number("running"), 0) == 0, "killed");
	result("nothing of the last run is left", kill((pid_t)load_number("orphan"), 0) < 0, "its child lives");
	notify("READY=1\nSTATUS=ready", NULL, 0);
	a = ask("restart engine");
	result("restart by command", !strcmp(a, "ok"), a);
	wait_for_term();
	result("no shutdown file at a restart", access("/run/coracle/shutdown", F_OK) < 0, "it is there");
	save_number("tried", tried);
	exit(0);
}

static void third_run(void)
{
	tried = load_number("tried");
	notify("READY=1", NULL, 0);
	init_memory("at the end");
	result("exit code for the debug port", !strcmp(ask("exit-code 7"), "ok"), "refused");
	say("all done");
	if (!file_says("/proc/cmdline", "probe.stay"))
		ask("poweroff");
	wait_for_term();
	result("shutdown file", access("/run/coracle/shutdown", F_OK) == 0, "not there");
	if (file_says("/proc/cmdline", "probe.slow")) {
		struct timespec ts = { 4, 0 };

		nanosleep(&ts, NULL);
	}
	say("third run ends, %ld promises tried", tried);
	exit(0);
}

/* Also coracle-config and coracle-data of the test machine: `boot` makes the final step wanted. */
static int stand_in(const char *program, const char *what)
{
	if (strstr(program, "coracle-config") && !strcmp(what, "boot") && !file_says("/proc/cmdline", "probe.broken")) {
		close(open("/run/coracle/final", O_CREAT | O_WRONLY, 0600));
		return 0;
	}
	if (strstr(program, "coracle-config") && !strcmp(what, "boot"))
		raise(SIGSEGV);
	if (!file_says("/proc/cmdline", "probe.silent"))
		result("final after the engine is ready", file_says("/run/coracle/boot-times", " engine-ready\n") || access(RUN "/ended", F_OK) == 0,
		       "too early");
	return 0;
}

int main(int argc, char **argv)
{
	long run = load_number("runs") < 0 ? 1 : load_number("runs") + 1;

	if (argc > 1)
		return stand_in(argv[0], argv[1]);
	for (int fd = 3; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			stray = fd;
	signal(SIGTERM, on_term);
	mkdir(RUN, 0755);
	save_number("runs", run);
	if (file_says("/proc/cmdline", "probe.silent")) {
		notify("READY=1", NULL, 0);
		wait_for_term();
		/* an impatient person at the keyboard, whose Ctrl-Alt-Del the kernel makes this signal; one that is pending swallows the next */
		for (int i = file_says("/proc/cmdline", "probe.burst") ? 6 : file_says("/proc/cmdline", "probe.again") ? 1 : 0; i > 0; i--) {
			kill(1, SIGINT);
			while (is_pending(SIGINT))
				usleep(1000);
		}
		if (file_says("/proc/cmdline", "probe.slow"))
			sleep(4);
		say("had its time");
		return 0;
	}
	say("run %ld as pid %d", run, (int)getpid());
	control = connect_control();
	if (control < 0)
		say("FAILED connect: %s", strerror(errno));
	if (run == 1)
		first_run();
	else if (run == 2)
		second_run();
	else
		third_run();
	return 0;
}
