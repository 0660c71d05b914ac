/* starve.c - what takes a machine's breath, and what looks whether init still has it (tests/boot/test_starve.py):
 *
 *	starve-probe serve PORT		on each TCP connection asks init twice, on a connection that it has and on a new one, and says
 *					"ROWS OLD-MS NEW-MS"; needs no new process and no memory for that
 *	starve-probe orphans N		N processes without a parent, ten at a time
 *	starve-probe bomb		forks for ever, in every process
 *	starve-probe eat		touches memory for ever
 *	starve-probe flood		writes to the kernel's log for ever, at a level that the console shows */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LIMIT_MS 60000

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

	if (fd >= 0 && connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* The milliseconds until the last row; -1: no whole answer. */
static int64_t ask(int fd, int *rows)
{
	int64_t began = now_ms();
	char text[512];

	*rows = 0;
	if (fd < 0 || send(fd, "services", 8, MSG_NOSIGNAL) < 0)
		return -1;
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t n = poll(&p, 1, LIMIT_MS) == 1 ? recv(fd, text, sizeof(text) - 1, 0) : -1;

		if (n <= 0)
			return -1;
		text[n] = '\0';
		if (!strcmp(text, "end"))
			return now_ms() - began;
		(*rows)++;
	}
}

static int serve(int port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int old = connect_control();
	int one = 1;

	setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(listening, (struct sockaddr *)&addr, sizeof(addr)) < 0 || listen(listening, 8) < 0 || mlockall(MCL_CURRENT | MCL_FUTURE) < 0)
		return 1;
	for (;;) {
		int client = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
		char text[128];
		int rows = 0;
		int64_t old_ms = ask(old, &rows);
		int64_t began = now_ms();
		int fresh = connect_control();
		int64_t new_ms = ask(fresh, &rows) < 0 ? -1 : now_ms() - began;

		snprintf(text, sizeof(text), "%d %lld %lld\n", rows, (long long)old_ms, (long long)new_ms);
		(void)!write(client, text, strlen(text));
		close(fresh);
		close(client);
	}
}

static int orphans(int count)
{
	for (int i = 0; i < count; i += 10) {
		pid_t middle = fork();

		if (middle == 0) {
			for (int k = 0; k < 10; k++)
				if (fork() == 0)
					_exit(0);
			_exit(0);
		}
		waitpid(middle, NULL, 0);
	}
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (argc > 2 && !strcmp(what, "serve"))
		return serve(atoi(argv[2]));
	if (argc > 2 && !strcmp(what, "orphans"))
		return orphans(atoi(argv[2]));
	while (!strcmp(what, "bomb"))
		fork();
	while (!strcmp(what, "eat")) {
		char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p != MAP_FAILED)
			memset(p, 1, 1 << 20);
	}
	if (!strcmp(what, "flood")) {
		int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);

		for (int i = 0;; i++)
			dprintf(fd, "<3>flood: line %d of many that nobody reads, and that are as long as such lines are\n", i);
	}
	return 2;
}
