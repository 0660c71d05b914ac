/* recovery.c - stands in for the engine while init is made to fault (tests/init/test_recovery.sh, tests/boot/test_recovery.py).
 *
 * /scenario in its root says what is tried: words of init-fault, or one of the words in the table at the end. Says "probe: ok NAME" or
 * "probe: FAILED NAME: ..." on the console. At most four faults happen per boot: the fifth is a reboot. */
#include "recovery.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LINES 60

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
	now = descriptors_settle(descriptors);
	snprintf(text, sizeof(text), "%d before, %d after", descriptors, now);
	result(now == descriptors, text, "%s: no descriptor lost or left", fault);
}

static void first_run(char *faults)
{
	int p[2];
	int descriptors;
	pid_t stays = make_container();

	ready();
	/* what starts when we are ready has descriptors in init too */
	while (!strncmp(row_of("final"), "waiting", 7) || !strncmp(row_of("why"), "waiting", 7))
		usleep(1000);
	if (pipe(p) < 0)
		return;
	(void)!write(p[1], "kept", 4);
	descriptors = descriptors_of_init() + 2;
	notify("FDSTORE=1\nFDNAME=pipe.r", p[0]);
	notify("FDSTORE=1\nFDNAME=pipe.w", p[1]);
	while (descriptors_of_init() < descriptors)
		usleep(1000);
	ask("watch %d", (int)stays);
	save_number("stays", stays);
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

	ready();
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

	ready();
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

	ready();
	for (int i = 0; i < 5; i++) {
		inject(faults[i]);
		if (i < 4)
			result(!strcmp(ask("forget 99999"), "ok"), "no answer", "alive after crash %d", i + 1);
	}
	for (;;)
		pause();
}

/* The engine's SIGTERM is the sign that init is back, and on the way down. The sixth has no state, the eighth is the last. */
static void eight(void)
{
	sigset_t term;
	int sig;

	ready();
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);
	for (int i = 1; i <= 8; i++) {
		inject("null");
		if (i >= 5)
			sigwait(&term, &sig);
		else
			ask("forget 99999");
	}
}

/* Init has crashed before it watched the network, and opened what it needs for that while it was restored. That descriptor is its own, also after
 * the next crash: whoever comes later has another one. */
static void late(void)
{
	int mine = control;
	int others[12];
	char text[64] = "";

	while (!strstr(text, "--recover")) {
		int fd = open("/proc/1/cmdline", O_RDONLY | O_CLOEXEC);
		ssize_t n = read(fd, text, sizeof(text) - 1);

		close(fd);
		for (ssize_t i = 0; i < n; i++)
			text[i] = text[i] ? text[i] : ' ';
	}
	ready();
	for (int i = 0; i < 12; i++) {
		control = others[i] = connect_control();
		same(ask("forget 99999"), "ok", "late: connection %d", i);
	}
	inject("null");
	for (int i = 0; i < 12; i++) {
		control = others[i];
		same(ask("forget 99999"), "ok", "late: connection %d after the crash", i);
	}
	control = mine;
}

/* Nothing can be executed in init's place. What it leaves behind is to be seen when its file systems are gone. */
static void gone(void)
{
	ready();
	mkdir("/var/lib", 0755);
	mkdir("/var/lib/coracle", 0755);
	mkdir("/var/lib/coracle/boot", 0755);
	(void)!symlink("/kept", "/var/lib/coracle/boot/end");
	chmod("/usr/bin/init", 0644);
	inject("null");
	for (;;)
		pause();
}

static int has_processes(const char *path)
{
	char text[64];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text));

	if (fd >= 0)
		close(fd);
	return n > 0;
}

/* A service that was started before a crash is stopped after it: with all that it has made. */
static void family(void)
{
	static const char procs[] = "/sys/fs/cgroup/system/family/cgroup.procs";
	const char *a = "";

	ready();
	while (strncmp(a = row_of("family"), "running", 7))
		usleep(1000);
	while (access("/run/child", F_OK) < 0)
		usleep(1000);
	inject("null");
	same(ask("stop family"), "ok", "family: stopped after the crash");
	for (int i = 0; i < 1000 && !strncmp(a = row_of("family"), "stopping", 8); i++)
		usleep(10000);
	for (int i = 0; i < 300 && has_processes(procs); i++)
		usleep(10000);
	result(!has_processes(procs), a, "family: nothing of it is left, not even what ignores every signal");
}

/* A process that init makes shares its memory until it has executed its program. */
static void child(void)
{
	char want[64];
	const char *a;
	int descriptors;

	ready();
	/* its start after ours must be over, or the next one is none */
	while (strncmp(row_of("final"), "done", 4) || !strncmp(row_of("why"), "waiting", 7))
		usleep(1000);
	descriptors = descriptors_of_init();
	for (int i = 0; i < 5; i++) {
		arm(NULL, NULL);
		a = ask("start final");
		wait_fault("child");
		result(!strcmp(a, "ok"), a, "a child that faults before its exec, %d: init answers", i);
		for (int k = 0; k < 200 && strncmp(a = row_of("final"), "failed", 6); k++)
			usleep(10000);
		result(!strncmp(a, "failed", 6), a, "it has failed, %d", i);
	}
	same(ask("start final"), "ok", "the next one");
	for (int i = 0; i < 200 && strncmp(a = row_of("final"), "done", 4); i++)
		usleep(10000);
	result(!strncmp(a, "done", 4), a, "runs to its end");
	snprintf(want, sizeof(want), "running %d 0", (int)getpid());
	same(row_of("engine"), want, "the others run on");
	result(descriptors_settle(descriptors) == descriptors, "more or less", "no descriptor lost or left");
	inject("null");
	same(ask("forget 99999"), "ok", "and a fault of init itself is still caught");
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

	ready();
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

	ready();
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
	result(descriptors_settle(descriptors) == descriptors, "more or less", "reload: no descriptor lost or left");
}

static void run_scenario(char *scenario)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} table[] = { { "journal", journal }, { "more", journal_more }, { "five", five }, { "load", load }, { "reload", reload },
		    { "eight", eight }, { "gone", gone }, { "child", child }, { "family", family }, { "late", late } };

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
	/* it has been accepted, and that is committed: before that a crash may lose it */
	ask("forget 99999");
	say("run %ld of %s", load_number("runs"), scenario);
	run_scenario(scenario);
	say("all done");
	ask("poweroff");
	for (;;)
		pause();
}
