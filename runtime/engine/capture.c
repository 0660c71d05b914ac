/* capture.c - output of coracle-runtime, into memory files (coracle-engine). */
#include "capture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cdefs.h"
#include "engine.h"
#include "fd.h"
#include "sys.h"
#include "text.h"

static char *take(int fd)
{
	char *text = NULL;

	if (lseek(fd, 0, SEEK_SET) < 0 || fd_read_whole(fd, "output", CAPTURE_MAX, &text, NULL, NULL) < 0)
		return NULL;
	return text;
}

static void on_done(int status, void *arg)
{
	struct capture *c = arg;
	char *out = take(c->out), *errors = take(c->err);

	c->done(c, status, out ? out : "", errors ? errors : "");
	free(out);
	free(errors);
	fd_close(&c->out);
	fd_close(&c->err);
	free(c);
}

int capture_runtime(char *const *args, void (*done)(struct capture *c, int status, const char *out, const char *errors), void *arg, struct err *err)
{
	struct capture *c = calloc(1, sizeof(*c));
	char root[512], *argv[CAPTURE_ARGS_MAX + 4];
	size_t n = 0;
	int r;

	if (!c)
		return err_set(err, ENOMEM, "coracle-runtime");
	text_set(root, sizeof(root), "%s/runtime", engine.opt.run);
	argv[n++] = (char *)(uintptr_t)engine.opt.runtime;
	argv[n++] = (char *)(uintptr_t)"--root";
	argv[n++] = root;
	for (size_t i = 0; args[i] && i < CAPTURE_ARGS_MAX; i++)
		argv[n++] = args[i];
	argv[n] = NULL;
	c->done = done;
	c->arg = arg;
	c->out = sys_memfd_create("out", 1);
	c->err = sys_memfd_create("err", 1);
	r = c->out < 0 || c->err < 0 ? err_set(err, ENOMEM, "coracle-runtime") : child_spawn(argv, c->out, c->err, on_done, c, NULL, err);
	if (r < 0) {
		fd_close(&c->out);
		fd_close(&c->err);
		free(c);
	}
	return r;
}
