/* notify.c - a service of the tests that speaks sd_notify(3): sends each argument as one datagram to $NOTIFY_SOCKET, "+MS" waits as many milliseconds
 * instead; then it stays until a signal ends it, or exits with N where the last argument is "=N". "@SIGNAL" (a number) in the last place: each such signal
 * is a reload, as Type=notify-reload has it, after words of an earlier one that come too late. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static void tell(int fd, const struct sockaddr_un *addr, const char *text)
{
	if (sendto(fd, text, strlen(text), 0, (const struct sockaddr *)addr, sizeof(*addr)) < 0)
		exit(101);
}

static void wait_ms(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

static void reload_for_ever(int fd, const struct sockaddr_un *addr, int number)
{
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, number);
	sigprocmask(SIG_BLOCK, &set, NULL);
	tell(fd, addr, "READY=1");
	for (int n = 1; sigwait(&set, &sig) == 0; n++) {
		struct timespec now;
		char text[128];

		tell(fd, addr, "RELOADING=1\nMONOTONIC_USEC=1");
		tell(fd, addr, "READY=1\nSTATUS=too late");
		wait_ms(300);
		clock_gettime(CLOCK_MONOTONIC, &now);
		snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
		tell(fd, addr, text);
		wait_ms(300);
		snprintf(text, sizeof(text), "READY=1\nSTATUS=reload %d", n);
		tell(fd, addr, text);
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (!path || strlen(path) >= sizeof(addr.sun_path))
		return 100;
	strcpy(addr.sun_path, path);
	for (int i = 1; i < argc; i++) {
		const char *a = argv[i];

		if (*a == '=')
			return atoi(a + 1);
		if (*a == '@')
			reload_for_ever(fd, &addr, atoi(a + 1));
		else if (*a == '+')
			wait_ms(atol(a));
		else
			tell(fd, &addr, a);
	}
	for (;;)
		pause();
}
