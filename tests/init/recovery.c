/* recovery.c - stands in for the engine while init is made to fault (tests/init/test_recovery.sh, tests/boot/test_recovery.py).
 *
 * /scenario in its root says what is tried: words of init-fault, or one of the words in the table at the end. Says "probe: ok NAME" or
 * "probe: FAILED NAME: ..." on the console. At most four faults happen per boot: the fifth is a reboot. */
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
#include <time.h>
#include <unistd.h>

#define RUN "/run/probe"
#define LINES 60

static int control = -1;

__attribute__((format(printf, 1, 2))) static void say(const char *fmt, ...)
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

__attribute__((format(printf, 3, 4))) static void result(int good, const char *detail, const char *fmt, ...)
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

__attribute__((format(printf, 3, 4))) static void same(const char *got, const char *want, const char *fmt, ...)
{
	char name[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(name, sizeof(name), fmt, ap);
	va_end(ap);
	result(!strcmp(got, want), got, "%s", name);
}

static int connect_control(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX, .sun_path = "/run/coracle/init.sock" };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		say("FAILED connect: %s", strerror(errno));
	return fd;
}

static const char *receive_within(int ms)
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

static const char *receive(void)
{
	return receive_within(60000);
}

__attribute__((format(printf, 1, 2))) static const char *ask(const char *fmt, ...)
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
static const char *row_of(const char *name)
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

static void notify(const char *text, int stored)
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

static void enter_cgroup(const char *name)
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
static pid_t make_container(void)
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

/* Returns when it is attached. Outside of our cgroup, which may be killed. */
static void arm(const char *at, const char *fault)
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
		if (at)
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
		say("FAILED arm %s: %s", fault, text);
}

static void wait_fault(const char *fault)
{
	int status = 0;

	waitpid(injector, &status, 0);
	close(injector_out);
	if (status)
		say("FAILED inject %s: status %d", fault, status);
}

static void inject(const char *fault)
{
	arm(NULL, fault);
	wait_fault(fault);
}

static void save_number(const char *name, long n)
{
	char path[64];
	FILE *f;

	mkdir(RUN, 0755);
	snprintf(path, sizeof(path), RUN "/%s", name);
	f = fopen(path, "w");
	fprintf(f, "%ld\n", n);
	fclose(f);
}

static long load_number(const char *name)
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

static int descriptors_of_init(void)
{
	DIR *d = opendir("/proc/1/fd");
	int n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n;
}

/* Each fault in turn, at no particular place. */
static void try_fault(const char *fault, int descriptors)
{
	char want[64];
	char text[32];
	pid_t pid = make_container();
	int now;

	same(ask("watch %d", (int)pid), "ok", "%s: watch before it", fault);
	printf("before %s, ", fault);
	fflush(stdout);
	/* init has taken it when it answers what came later */
	ask("forget 99999");
	inject(fault);
	printf("after it\n");
	fflush(stdout);
	kill(pid, SIGUSR1);
	snprintf(want, sizeof(want), "exit %d %d", (int)pid, SIGUSR1);
	same(receive(), want, "%s: the connection and the watched pid", fault);
	ask("forget %d", (int)pid);
	snprintf(want, sizeof(want), "running %d 0", (int)getpid());
	same(row_of("engine"), want, "%s: the service runs on", fault);
	now = descriptors_of_init();
	snprintf(text, sizeof(text), "%d before, %d after", descriptors, now);
	result(now == descriptors, text, "%s: no descriptor lost or left", fault);
}

static void first_run(char *faults)
{
	int p[2];
	int descriptors;
	pid_t stays = make_container();

	notify("READY=1", -1);
	if (pipe(p) < 0)
		return;
	(void)!write(p[1], "kept", 4);
	notify("FDSTORE=1\nFDNAME=pipe.r", p[0]);
	notify("FDSTORE=1\nFDNAME=pipe.w", p[1]);
	ask("watch %d", (int)stays);
	save_number("stays", stays);
	ask("forget 99999");
	descriptors = descriptors_of_init();
	for (char *f = strtok(faults, " \n"); f; f = strtok(NULL, " \n"))
		try_fault(f, descriptors);
	/* The last fault strikes when the journal has our exit status and the kernel still has it too. */
	arm("waitid,pwrite64", "ud2");
	exit(3);
}

static void second_run(void)
{
	const char *names = getenv("LISTEN_FDNAMES");
	char text[8] = "";
	char want[64];

	notify("READY=1", -1);
	result(names && !strcmp(names, "pipe.r:pipe.w") && read(3, text, 4) == 4 && !strcmp(text, "kept"), names ? names : "(none)", "the fd store");
	snprintf(want, sizeof(want), "running %d 1", (int)getpid());
	same(row_of("engine"), want, "a service that ends during the recovery is started again once");
	result(kill((pid_t)load_number("stays"), SIGKILL) == 0, "gone", "the container runs on");
	snprintf(want, sizeof(want), "exit %ld 9", load_number("stays"));
	ask("watch %ld", load_number("stays"));
	same(receive(), want, "a pid watched before is known after");
}

/* Init faults behind these system calls of handling one request. */
static void journal(void)
{
	char want[64];
	const char *a;
	pid_t pid;

	notify("READY=1", -1);
	arm("recvmmsg,pwrite64", "null");
	a = ask("watch 1234567");
	result(!strcmp(a, "error init crashed while it did this"), a, "a request that crashes init is answered with an error");
	wait_fault("null");
	same(receive_within(300), "(nothing)", "and only once");

	pid = make_container();
	ask("watch %d", (int)pid);
	arm("waitid,pwrite64", "ud2");
	kill(pid, SIGKILL);
	snprintf(want, sizeof(want), "exit %d 9", (int)pid);
	same(receive(), want, "a status between the journal and wait(2) is told");
	same(receive_within(300), "(nothing)", "and only once");
	wait_fault("ud2");

	pid = make_container();
	ask("watch %d", (int)pid);
	arm("sendmmsg", "abort");
	kill(pid, SIGTERM);
	snprintf(want, sizeof(want), "exit %d 15", (int)pid);
	same(receive(), want, "a status that was told is not told again");
	same(receive_within(300), "(nothing)", "indeed not");
	wait_fault("abort");

	save_number("finals", 0);
	arm("clone3,pwrite64", "division");
	a = ask("start final");
	wait_fault("division");
	result(!strcmp(a, "error init crashed while it did this"), a, "a start that crashes init is an error");
	for (int i = 0; i < 100 && strncmp(a = row_of("final"), "done", 4); i++)
		usleep(50000);
	result(!strncmp(a, "done", 4) && load_number("finals") == 1, a, "but what was started is known, and started once");
}

static void journal_more(void)
{
	char want[64];
	const char *a;
	pid_t pid;

	arm("recvmsg,pwrite64", "null");
	notify("READY=1", -1);
	wait_fault("null");
	snprintf(want, sizeof(want), "running %d 0", (int)getpid());
	same(row_of("engine"), want, "a READY=1 in the journal counts");

	pid = make_container();
	ask("watch %d", (int)pid);
	arm("wait4", "ud2");
	kill(pid, SIGUSR2);
	snprintf(want, sizeof(want), "exit %d %d", (int)pid, SIGUSR2);
	same(receive(), want, "a status that only the journal has is told");
	same(receive_within(300), "(nothing)", "and only once");
	wait_fault("ud2");

	/* the process is there, and nobody has written down that it is */
	save_number("linger", 1);
	arm("clone3", "jump");
	ask("start final");
	wait_fault("jump");
	save_number("linger", 0);
	for (int i = 0; i < 200 && strncmp(a = row_of("final"), "done", 4); i++)
		usleep(50000);
	result(!strncmp(a, "done", 4), a, "a process that nobody wrote down is killed, and its unit started again");

	pid = make_container();
	arm("recvmmsg,pwrite64,pwrite64", "bus");
	a = ask("watch %d", (int)pid);
	wait_fault("bus");
	result(!strcmp(a, "ok"), a, "what is in the journal is not lost: watch");
	kill(pid, SIGKILL);
	snprintf(want, sizeof(want), "exit %d 9", (int)pid);
	same(receive(), want, "and the pid is watched");
}

static void five(void)
{
	static const char *const faults[] = { "null", "ud2", "stack", "division", "abort" };

	notify("READY=1", -1);
	for (int i = 0; i < 5; i++) {
		inject(faults[i]);
		if (i < 4)
			result(!strcmp(ask("forget 99999"), "ok"), "no answer", "alive after crash %d", i + 1);
	}
	for (;;)
		pause();
}

/* What goes on all the time in the background: orphans, another client's requests, output. */
static void make_load(void)
{
	for (int k = 0; k < 2; k++) {
		if (fork() == 0) {
			for (;;) {
				if (fork() == 0) {
					if (fork() == 0)
						_exit(0);
					_exit(0);
				}
				wait(NULL);
			}
		}
	}
}

static int ask_for_ever(void)
{
	int p[2];
	pid_t pid;

	if (pipe(p) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		long n = 0;

		control = connect_control();
		for (;;) {
			const char *a = ask("watch %ld", 2000000 + n % 1000);

			/* the answer to a request that was being handled */
			if (!strcmp(a, "error init crashed while it did this"))
				continue;
			if (strcmp(a, "ok") || strncmp(a = receive(), "exit 2", 6)) {
				dprintf(p[1], "%s\n", a);
				_exit(1);
			}
			if (strcmp(a = ask("forget %ld", 2000000 + n % 1000), "ok") && strncmp(a, "error init", 10)) {
				dprintf(p[1], "%s\n", a);
				_exit(1);
			}
			n++;
		}
	}
	close(p[1]);
	return p[0];
}

static void load(void)
{
	static const char *const faults[] = { "null", "stack", "bus" };
	char text[64] = "";
	int asking;
	struct pollfd p;

	notify("READY=1", -1);
	make_load();
	asking = ask_for_ever();
	for (int i = 0; i < LINES; i++) {
		printf("line %d of %d\n", i, LINES);
		fflush(stdout);
		if (i % 20 == 10)
			inject(faults[i / 20]);
		usleep(10000);
	}
	result(!strcmp(ask("forget 99999"), "ok"), "no answer", "three faults in a row under load");
	p = (struct pollfd){ .fd = asking, .events = POLLIN };
	if (poll(&p, 1, 0) == 1)
		(void)!read(asking, text, sizeof(text) - 1);
	result(!text[0], text, "a busy client loses nothing");
	signal(SIGTERM, SIG_IGN);
	kill(0, SIGTERM);
	signal(SIGTERM, SIG_DFL);
}

static void reload(void)
{
	char want[64];
	const char *a;
	pid_t pid = make_container();
	int descriptors;

	notify("READY=1", -1);
	ask("watch %d", (int)pid);
	descriptors = descriptors_of_init();
	a = ask("reload-init /bin/true");
	result(strstr(a, "cannot read the state") != NULL, a, "reload: a program that is no init is refused");
	a = ask("reload-init /nowhere");
	result(strstr(a, "is not there") != NULL, a, "reload: a program that is not there");
	a = ask("reload-init /etc/passwd");
	result(strstr(a, "cannot be executed") != NULL, a, "reload: a file that is no program");
	a = ask("reload-init /usr/bin/recovery-probe");
	result(strstr(a, "within 10 s") != NULL, a, "reload: a program that hangs");
	same(ask("reload-init /usr/bin/other-init"), "ok", "reload: another copy of init");
	if (readlink("/proc/1/exe", want, sizeof(want) - 1) > 0)
		result(!strncmp(want, "/usr/bin/other-init", 19), want, "reload: it runs");
	same(ask("reload-init"), "ok", "reload: and back");
	printf("after the reload\n");
	fflush(stdout);
	kill(pid, SIGUSR1);
	snprintf(want, sizeof(want), "exit %d %d", (int)pid, SIGUSR1);
	same(receive(), want, "reload: the connection and the watched pid");
	snprintf(want, sizeof(want), "running %d 0", (int)getpid());
	same(row_of("engine"), want, "reload: the service runs on");
	result(descriptors_of_init() == descriptors, "more or less", "reload: no descriptor lost or left");
}

static void run_scenario(char *scenario)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} table[] = { { "journal", journal }, { "more", journal_more }, { "five", five }, { "load", load }, { "reload", reload } };

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (!strncmp(scenario, table[i].name, strlen(table[i].name))) {
			table[i].run();
			return;
		}
	}
	if (load_number("runs") == 1)
		first_run(scenario);
	second_run();
}

int main(int argc, char **argv)
{
	char scenario[256] = "";
	int fd = open("/scenario", O_RDONLY | O_CLOEXEC);

	if (argc > 1 && !strcmp(argv[1], "--check-state"))
		for (;;)
			pause();
	if (argc > 1 && strstr(argv[0], "config")) {
		if (!strcmp(argv[1], "boot"))
			close(open("/run/coracle/final", O_CREAT | O_WRONLY, 0600));
		else
			save_number("finals", load_number("finals") + 1);
		while (!strcmp(argv[1], "final") && load_number("linger"))
			usleep(10000);
		return 0;
	}
	(void)!read(fd, scenario, sizeof(scenario) - 1);
	signal(SIGTERM, SIG_DFL);
	save_number("runs", load_number("runs") + 1);
	control = connect_control();
	say("run %ld of %s", load_number("runs"), scenario);
	run_scenario(scenario);
	say("all done");
	ask("poweroff");
	for (;;)
		pause();
}
