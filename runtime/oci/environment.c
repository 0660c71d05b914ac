/* environment.c - the environment of the container's program. Runs in the
 * container's process, inside its root; reads the container's /etc/passwd,
 * which may be hostile: every line is bounded. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "lib/fd.h"
#include "lib/path.h"
#include "lib/sys.h"
#include "runtime/oci/process.h"

#define PASSWD_MAX (1u << 20)

/* Home directory of uid: the sixth field of its line. */
static const char *home_in(char *text, uid_t uid)
{
	char *line, *save = NULL;

	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *field[7], *p = line;
		int n = 0;

		while (n < 7 && p)
			field[n++] = strsep(&p, ":");
		if (n >= 6 && *field[2] && strtoul(field[2], &p, 10) == uid && !*p)
			return field[5];
	}
	return NULL;
}

static const char *home_of(struct spec *s, uid_t uid)
{
	int root = sys_openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0);
	int fd = root < 0 ? root : path_open_in(root, "/etc/passwd", O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	const char *home = NULL;
	char *text = NULL;

	if (root >= 0)
		close(root);
	if (fd >= 0) {
		text = malloc(PASSWD_MAX + 1);
		if (text) {
			ssize_t n = fd_read_full(fd, text, PASSWD_MAX);

			text[n > 0 ? n : 0] = '\0';
			home = home_in(text, uid);
		}
		close(fd);
	}
	home = arena_join(&s->arena, "HOME=", home && *home ? home : "/", "");
	free(text);
	return home;
}

static bool given_again(char **in)
{
	size_t n = (size_t)(strchr(*in, '=') - *in) + 1;

	for (char **later = in + 1; *later; later++)
		if (!strncmp(*in, *later, n))
			return true;
	return false;
}

char **process_environment(struct spec *s, int listen_fds, struct err *err)
{
	char **in = s->process.env, **out;
	bool have_home = false;
	size_t n = 0;

	while (in[n])
		n++;
	out = arena_array(&s->arena, n + 5, sizeof *out);
	if (!out)
		goto nomem;
	n = 0;
	for (; *in; in++) {
		if (!strchr(*in, '=') || **in == '=') {
			err_set(err, 0, "process.env: invalid environment variable \"%.100s\": it must be NAME=VALUE", *in);
			return NULL;
		}
		if (given_again(in))
			continue;	/* a program's getenv() takes the first one, people mean the last one */
		if (!strncmp(*in, "HOME=", 5)) {
			if (!(*in)[5])
				continue;	/* empty counts as missing */
			have_home = true;
		}
		out[n++] = *in;
	}
	if (!have_home) {
		const char *home = home_of(s, s->process.uid);

		if (!home)
			goto nomem;
		memcpy(&out[n++], &home, sizeof home);
	}
	if (listen_fds > 0) {
		char number[32], *line;
		const char *names = getenv("LISTEN_FDNAMES");

		snprintf(number, sizeof number, "%d", listen_fds);
		if (!(line = arena_join(&s->arena, "LISTEN_FDS=", number, "")))
			goto nomem;
		out[n++] = line;
		if (!(line = arena_join(&s->arena, "LISTEN_PID=", "1", "")))
			goto nomem;
		out[n++] = line;
		if (names && !(out[n++] = arena_join(&s->arena, "LISTEN_FDNAMES=", names, "")))
			goto nomem;
	}
	return out;
nomem:
	err_set(err, ENOMEM, "environment");
	return NULL;
}
