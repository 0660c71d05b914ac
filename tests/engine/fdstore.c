/* fdstore.c - plays init for coracle-engine on an ordinary host (tests only).
 *
 * usage: fdstore RUN-DIR PROGRAM [ARGUMENT...]
 * Starts the program with NOTIFY_SOCKET and RUN-DIR/init.sock, keeps its descriptors, reaps and watches what becomes
 * an orphan, and starts the program again when it dies of a signal or fails. SIGTERM is passed on; the end is that of the program.
 * Writes RUN-DIR/engine.pid, RUN-DIR/ready (one line per READY=1) and RUN-DIR/exit-code. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define STORE_MAX 256
#define PIDS_MAX 256
#define CLIENTS_MAX 8

static struct { char name[64]; int fd; } store[STORE_MAX];
static struct { pid_t pid; int ended, status, client; } pids[PIDS_MAX];
static int clients[CLIENTS_MAX];
static int stored, watched, notify_fd, control_fd, signal_fd;
static const char *run;
static pid_t program;

static void die(const char *what)
{
	perror(what);
	exit(99);
}

static void write_file(const char *name, const char *text, int flags)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", run, name);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0644);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		die(path);
	close(fd);
}

static int make_socket(const char *name, int type)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%.80s/%s", run, name);
	unlink(a.sun_path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		die(a.sun_path);
	return fd;
}

static void set_environment(void)
{
	static char names[STORE_MAX * 65];
	char text[600];

	snprintf(text, sizeof(text), "%s/notify", run);
	setenv("NOTIFY_SOCKET", text, 1);
	if (!stored)
		return;
	names[0] = '\0';
	for (int i = 0; i < stored; i++) {
		strcat(names, i ? ":" : "");
		strcat(names, store[i].name);
	}
	setenv("LISTEN_FDNAMES", names, 1);
	snprintf(text, sizeof(text), "%d", stored);
	setenv("LISTEN_FDS", text, 1);
	snprintf(text, sizeof(text), "%d", (int)getpid());
	setenv("LISTEN_PID", text, 1);
}

static void start(char **argv)
{
	char text[32];
	sigset_t none;

	program = fork();
	if (program < 0)
		die("fork");
	if (program == 0) {
		/* two steps, so that none is written over before it was copied */
		for (int i = 0; i < stored; i++)
			store[i].fd = fcntl(store[i].fd, F_DUPFD, 3 + STORE_MAX);
		for (int i = 0; i < stored; i++)
			dup2(store[i].fd, 3 + i);
		for (int fd = 3 + stored; fd < 3 + 3 * STORE_MAX; fd++)
			close(fd);
		set_environment();
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		execv(argv[0], argv);
		_exit(127);
	}
	snprintf(text, sizeof(text), "%d\n", (int)program);
	write_file("engine.pid", text, O_TRUNC);
}

static void forget_fd(const char *name)
{
	for (int i = 0; i < stored; i++) {
		if (strcmp(store[i].name, name) != 0)
			continue;
		close(store[i].fd);
		store[i--] = store[--stored];
	}
}

static void on_notify(void)
{
	char text[4096], name[64] = "";
	struct iovec iov = { text, sizeof(text) - 1 };
	union { char space[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } control;
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.space, .msg_controllen = sizeof(control.space) };
	ssize_t n = recvmsg(notify_fd, &m, MSG_CMSG_CLOEXEC);
	struct cmsghdr *c;
	char *p;

	if (n < 0)
		return;
	text[n] = '\0';
	if ((p = strstr(text, "FDNAME=")))
		sscanf(p, "FDNAME=%63[^\n]", name);
	c = CMSG_FIRSTHDR(&m);
	if (strstr(text, "FDSTORE=1") && c && stored < STORE_MAX) {
		snprintf(store[stored].name, sizeof(store[0].name), "%s", name);
		memcpy(&store[stored++].fd, CMSG_DATA(c), sizeof(int));
	} else if (strstr(text, "FDSTOREREMOVE=1")) {
		forget_fd(name);
	} else if (strstr(text, "READY=1")) {
		write_file("ready", "ready\n", O_APPEND);
	}
}

static void tell(int client, const char *text)
{
	if (client >= 0 && clients[client] >= 0)
		send(clients[client], text, strlen(text), MSG_NOSIGNAL);
}

static void tell_exit(int i)
{
	char text[64];

	snprintf(text, sizeof(text), "exit %d %d", (int)pids[i].pid, pids[i].status);
	tell(pids[i].client, text);
}

static void watch(int client, pid_t pid)
{
	int i = 0;

	while (i < watched && pids[i].pid != pid)
		i++;
	if (i == watched && watched < PIDS_MAX) {
		pids[watched].pid = pid;
		pids[watched].ended = kill(pid, 0) < 0;
		pids[watched++].status = -1;
	}
	pids[i].client = client;
	tell(client, "ok");
	if (pids[i].ended)
		tell_exit(i);
}

static void on_client(int client)
{
	char text[4097];
	ssize_t n = recv(clients[client], text, sizeof(text) - 1, 0);
	int number;

	if (n <= 0) {
		close(clients[client]);
		clients[client] = -1;
		return;
	}
	text[n] = '\0';
	if (sscanf(text, "watch %d", &number) == 1) {
		watch(client, number);
	} else if (sscanf(text, "forget %d", &number) == 1) {
		for (int i = 0; i < watched; i++)
			if (pids[i].pid == number)
				pids[i--] = pids[--watched];
		tell(client, "ok");
	} else if (sscanf(text, "exit-code %d", &number) == 1) {
		write_file("exit-code", text + 10, O_TRUNC);
		tell(client, "ok");
	} else {
		tell(client, "error unknown request");
	}
}

static void on_accept(void)
{
	for (int i = 0; i < CLIENTS_MAX; i++) {
		if (clients[i] < 0) {
			clients[i] = accept4(control_fd, NULL, NULL, SOCK_CLOEXEC);
			return;
		}
	}
}

static void on_signal(char **argv)
{
	struct signalfd_siginfo si;
	int status;
	pid_t pid;

	if (read(signal_fd, &si, sizeof(si)) != sizeof(si))
		return;
	if (si.ssi_signo == SIGTERM) {
		kill(program, SIGTERM);
		return;
	}
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == program) {
			char byte;

			while (recv(notify_fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0)
				on_notify();	/* what it said before it died */
			if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
				exit(0);
			start(argv);
			continue;
		}
		for (int i = 0; i < watched; i++) {
			if (pids[i].pid == pid && !pids[i].ended) {
				pids[i].ended = 1;
				pids[i].status = status;
				tell_exit(i);
			}
		}
	}
}

int main(int argc, char **argv)
{
	struct pollfd p[3 + CLIENTS_MAX];
	sigset_t set;

	if (argc < 3)
		return 2;
	run = argv[1];
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	for (int i = 0; i < CLIENTS_MAX; i++)
		clients[i] = -1;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	notify_fd = make_socket("notify", SOCK_DGRAM);
	control_fd = make_socket("init.sock", SOCK_SEQPACKET);
	listen(control_fd, 8);
	start(argv + 2);
	for (;;) {
		p[0] = (struct pollfd){ notify_fd, POLLIN, 0 };
		p[1] = (struct pollfd){ control_fd, POLLIN, 0 };
		p[2] = (struct pollfd){ signal_fd, POLLIN, 0 };
		for (int i = 0; i < CLIENTS_MAX; i++)
			p[3 + i] = (struct pollfd){ clients[i], POLLIN, 0 };
		if (poll(p, 3 + CLIENTS_MAX, -1) < 0 && errno != EINTR)
			die("poll");
		if (p[0].revents)
			on_notify();
		else if (p[2].revents)
			on_signal(argv + 2);
		else if (p[1].revents)
			on_accept();
		for (int i = 0; i < CLIENTS_MAX; i++)
			if (clients[i] >= 0 && p[3 + i].revents && p[3 + i].fd == clients[i])
				on_client(i);
	}
}
