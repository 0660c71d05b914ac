/* notify.c - a service of the tests that speaks sd_notify(3): sends each argument as one datagram to $NOTIFY_SOCKET, "+MS" waits as many milliseconds
 * instead; then it stays until a signal ends it, or exits with N where the last argument is "=N". */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

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
		if (*a == '+') {
			struct timespec t = { atol(a) / 1000, atol(a) % 1000 * 1000000 };

			nanosleep(&t, NULL);
		} else if (sendto(fd, a, strlen(a), 0, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
			return 101;
		}
	}
	for (;;)
		pause();
}
