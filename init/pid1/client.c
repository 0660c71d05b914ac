/* client.c - poweroff, reboot, halt and shutdown: init called under these names, as an ordinary process.
 *
 * Asks PID 1 over its control socket. With -f it asks nobody: sync and reboot(2). The kernel itself runs /sbin/poweroff and
 * /sbin/reboot on some platforms, so these names must exist. */
#include "init/pid1/init.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cdefs.h"
#include "err.h"
#include "init/proto/control.h"

static void say(const char *a, const char *b, const char *c)
{
	char text[512];
	int n = snprintf(text, sizeof(text), "%s%s%s\n", a, b, c);

	(void)!write(STDERR_FILENO, text, MIN((size_t)n, sizeof(text) - 1));
}

static int at_once(const char *verb)
{
	sync();
	reboot(!strcmp(verb, "reboot") ? (int)RB_AUTOBOOT : !strcmp(verb, "halt") ? (int)RB_HALT_SYSTEM : (int)RB_POWER_OFF);
	say(verb, ": ", err_name(errno));
	return 1;
}

static int ask(const char *verb)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX, .sun_path = CONTROL_SOCKET };
	char reply[CONTROL_REPLY_MAX];
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	ssize_t n;

	if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 || send(fd, verb, strlen(verb), MSG_NOSIGNAL) < 0) {
		say(verb, ": " CONTROL_SOCKET ": ", err_name(errno));
		return 1;
	}
	n = recv(fd, reply, sizeof(reply) - 1, 0);
	if (n < 0) {
		say(verb, ": ", err_name(errno));
		return 1;
	}
	reply[n] = '\0';
	if (strcmp(reply, "ok")) {
		say(verb, ": ", reply);
		return 1;
	}
	return 0;
}

static int usage(const char *program)
{
	say("usage: ", program, strcmp(program, "shutdown") ? " [-f]" : " [-h|-P|-H|-r] [now]");
	return 2;
}

int client_main(int argc, char **argv)
{
	const char *program = strrchr(argv[0], '/');
	const char *verb;
	int force = 0;

	program = program ? program + 1 : argv[0];
	verb = control_verb_of_program(program);
	if (!verb) {
		say(program, ": ", "only process 1 may be init; see poweroff, reboot, halt, shutdown");
		return 2;
	}
	for (int i = 1; i < argc; i++) {
		int is_shutdown = !strcmp(program, "shutdown");

		if (!strcmp(argv[i], "-f") && !is_shutdown)
			force = 1;
		else if (is_shutdown && !strcmp(argv[i], "-r"))
			verb = "reboot";
		else if (is_shutdown && !strcmp(argv[i], "-H"))
			verb = "halt";
		else if (!is_shutdown || (strcmp(argv[i], "-h") && strcmp(argv[i], "-P") && strcmp(argv[i], "now")))
			return usage(program);
	}
	return force ? at_once(verb) : ask(verb);
}
