/* main.c - coracle: a client of the engine's API and of init's socket. Owns nothing, needs no state. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli.h"
#include "fd.h"
#include "http.h"

struct cli cli = { .docker_socket = "/run/docker.sock", .run = "/run/coracle" };

static const struct {
	const char *name, *args, *what;
	int (*run)(int argc, char **argv);
} verbs[] = {
	{ "status", "", "the machine, its containers, what went wrong since boot", verb_status },
	{ "ps", "[-a]", "containers", verb_ps },
	{ "images", "", "images", verb_images },
	{ "logs", "[-f] [-t] [-n N] NAME", "output of a container or a service", verb_logs },
	{ "start", "NAME...", "start containers or services", verb_start },
	{ "stop", "[-t SECONDS] NAME...", "stop them", verb_stop },
	{ "restart", "[-t SECONDS] NAME...", "stop and start them", verb_restart },
	{ "inspect", "CONTAINER...", "everything about a container, as JSON", verb_inspect },
	{ "services", "[start|stop|restart NAME]", "what init supervises", verb_services },
	{ "reload", "[NAME]", "read the unit files again, or have a service read its own", verb_reload },
	{ "boot-time", "[-o FILE.svg] [UNIT]", "when what happened on the way up, and what waited for what", verb_boot_time },
	{ "poweroff", "", "switch the machine off, in order", verb_poweroff },
	{ "reload-init", "[PATH]", "replace init by the program at PATH, or by its own file; all goes on", verb_reload_init },
	{ "reboot", "[--kexec KERNEL...]", "start it anew, in order", verb_reboot },
	{ "why", "[--format json]", "why it was started, and how the last boot ended", verb_why },
	{ "explain", "", "what failed in this boot, what it said, what to do next", verb_explain },
	{ "version", "", "versions of client and engine", verb_version },
};

static void help(FILE *to)
{
	fputs("usage: coracle VERB [ARGUMENT...]\n\n", to);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		char left[64];

		snprintf(left, sizeof(left), "%s %s", verbs[i].name, verbs[i].args);
		fprintf(to, "  %-36s %s\n", left, verbs[i].what);
	}
	fputs("\nThe docker command line works too: the engine answers its API on /run/docker.sock.\n"
	      "CORACLE_SOCKET and CORACLE_RUN name another socket and run directory.\n", to);
}

int cli_fail(const struct err *err)
{
	fflush(stdout);
	fprintf(stderr, "coracle: %s\n", err->text);
	return 1;
}

int cli_usage(const char *how)
{
	fprintf(stderr, "usage: coracle %s\n", how);
	return 2;
}

yyjson_doc *cli_get(const char *path, struct err *err)
{
	CLEANUP_BUF struct buf b;
	yyjson_doc *doc;

	buf_init(&b, HTTP_BODY_MAX);
	if (http_get(cli.docker_socket, "GET", path, &b, err) < 0)
		return NULL;
	doc = yyjson_read(b.data, b.len, 0);
	if (!doc)
		err_set(err, 0, "the engine's answer is not JSON");
	return doc;
}

int cli_each(int argc, char **argv, const char *action, const char *query)
{
	int code = 0;

	for (int i = 0; i < argc; i++) {
		struct err err = ERR_INIT;
		CLEANUP_BUF struct buf path = { 0 }, reply = { 0 };

		buf_init(&path, 4096);
		buf_init(&reply, HTTP_BODY_MAX);
		buf_puts(&path, "/containers/");
		http_escape(&path, argv[i]);
		buf_printf(&path, "/%s%s", action, query);
		if (http_get(cli.docker_socket, "POST", path.data, &reply, &err) < 0 &&
		    (!cli_has_unit(argv[i]) || cli_unit(action, argv[i], &err) < 0))
			code = cli_fail(&err);
		else
			puts(argv[i]);
	}
	return code;
}

int cli_init(const char *request, void (*line)(const char *text, void *arg), void *arg, struct err *err)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	CLEANUP_FD int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	char text[4097];
	ssize_t n;

	snprintf(a.sun_path, sizeof(a.sun_path), "%.80s/init.sock", cli.run);
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		return err_set(err, errno, "connect to %s", a.sun_path);
	if (send(fd, request, strlen(request), MSG_NOSIGNAL) < 0)
		return err_set(err, errno, "ask init");
	while ((n = recv(fd, text, sizeof(text) - 1, 0)) > 0) {
		text[n] = '\0';
		if (strncmp(text, "error", 5) == 0)
			return err_set(err, 0, "init: %s", n > 6 ? text + 6 : text);
		if (strcmp(text, "ok") == 0 || strcmp(text, "end") == 0)
			return 0;
		line(text, arg);
	}
	return n < 0 ? err_set(err, errno, "answer of init") : err_set(err, EPIPE, "answer of init");
}

const char *cli_safe(const char *s)
{
	static char ring[8][512];
	static unsigned at;
	char *out = ring[at++ % 8];

	snprintf(out, sizeof(ring[0]), "%s", s ? s : "");
	for (char *p = out; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	return out;
}

const char *cli_size(uint64_t bytes, char out[24])
{
	static const char *const unit[] = { "B", "kB", "MB", "GB", "TB" };
	double v = (double)bytes;
	size_t u = 0;

	while (v >= 1000 && u + 1 < ARRAY_SIZE(unit)) {
		v /= 1000;
		u++;
	}
	snprintf(out, 24, v < 10 && u > 0 ? "%.1f %s" : "%.0f %s", v, unit[u]);
	return out;
}

int main(int argc, char **argv)
{
	const char *socket_path = getenv("CORACLE_SOCKET"), *run = getenv("CORACLE_RUN");
	const char *verb = argc > 1 ? argv[1] : "--help";

	signal(SIGPIPE, SIG_DFL);
	if (socket_path && *socket_path)
		cli.docker_socket = socket_path;
	if (run && *run)
		cli.run = run;
	if (strcmp(verb, "--help") == 0 || strcmp(verb, "-h") == 0 || strcmp(verb, "help") == 0) {
		help(stdout);
		return 0;
	}
	if (strcmp(verb, "--version") == 0)
		verb = "version";
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (strcmp(verb, verbs[i].name) == 0)
			return verbs[i].run(argc - 1, argv + 1);
	fprintf(stderr, "coracle: unknown verb %s\n", verb);
	help(stderr);
	return 2;
}
