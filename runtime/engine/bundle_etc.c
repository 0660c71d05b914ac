/* bundle_etc.c - hosts, hostname and resolv.conf of a container (coracle-engine). Writes below ROOT/containers/ID only. */
#include "bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine.h"
#include "fd.h"
#include "text.h"

#define SMALL_FILE_MAX 65536u
#define FILE_MAX 131072u

static const char default_hosts[] =
	"127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::\tip6-localnet\n"
	"ff00::\tip6-mcastprefix\nff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n";

static bool host_network(const struct container *c)
{
	return strcmp(c->svc.network_mode, "host") == 0;
}

void bundle_hostname(const struct container *c, char *out, size_t size)
{
	if (c->svc.hostname) {
		text_set(out, size, "%s", c->svc.hostname);
	} else if (host_network(c) || c->svc.uts) {
		if (gethostname(out, size) < 0)
			out[0] = '\0';
		out[size - 1] = '\0';
	} else {
		text_set(out, size, "%.12s", c->id);
	}
}

/* In place: a container may have the file bound already. */
int bundle_write_file(const char *path, const char *text, size_t n, struct err *err)
{
	CLEANUP_FD int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);

	if (fd < 0 || fd_write_full(fd, text, n) < 0)
		return err_set(err, errno, "write %s", path);
	return 0;
}

/* The machine's file, or text when there is none. */
static void add_file(struct buf *b, const char *from, const char *text)
{
	CLEANUP_FREE char *data = NULL;
	size_t n = 0;

	if (fd_read_file(AT_FDCWD, from, SMALL_FILE_MAX, &data, &n, NULL) < 0)
		buf_puts(b, text);
	else
		buf_add(b, data, n);
	if (b->len && b->data[b->len - 1] != '\n')
		buf_putc(b, '\n');
}

static int write_buf(const struct container *c, const char *name, const struct buf *b, struct err *err)
{
	char path[512];

	if (buf_error(b))
		return err_set(err, -buf_error(b), "%s of %s", name, c->svc.container_name);
	return bundle_write_file(engine_container_path(c->id, name, path, sizeof(path)), b->data, b->len, err);
}

/* NAME=ADDRESS, as ADDRESS<tab>NAME; coracle-config has checked both. */
static int write_hosts(const struct container *c, struct err *err)
{
	CLEANUP_BUF struct buf b = { 0 };

	buf_init(&b, FILE_MAX);
	if (host_network(c))
		add_file(&b, "/etc/hosts", default_hosts);
	else
		buf_puts(&b, default_hosts);
	for (char **e = c->svc.extra_hosts; e && *e; e++) {
		const char *equals = strchr(*e, '=');

		if (!equals || strpbrk(*e, " \t\r\n#"))
			return err_set(err, 0, "extra_hosts: \"%.100s\" is not NAME=ADDRESS", *e);
		buf_printf(&b, "%s\t%.*s\n", equals + 1, (int)(equals - *e), *e);
	}
	return write_buf(c, "hosts", &b, err);
}

static bool is_line_of(const char *line, const char *word)
{
	size_t n = strlen(word);

	return strncmp(line, word, n) == 0 && (line[n] == ' ' || line[n] == '\t');
}

static void add_words(struct buf *b, const char *word, char *const *v, bool each)
{
	for (char *const *w = v; w && *w; w++)
		buf_printf(b, "%s%s %s", w == v ? "" : each ? "\n" : "", w == v || each ? word : "", *w);
	if (v && *v)
		buf_putc(b, '\n');
}

/* The machine's, but for the kinds of lines that the service has its own of (as Docker with --dns). */
static void build_resolv(struct buf *b, const struct service *s)
{
	CLEANUP_BUF struct buf machine = { 0 };
	char *save = NULL;

	buf_init(&machine, FILE_MAX);
	add_file(&machine, "/etc/resolv.conf", "");
	if (!s->dns && !s->dns_search && !s->dns_opt) {
		buf_add(b, machine.data, machine.len);
		return;
	}
	for (char *line = strtok_r(machine.data, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (!(s->dns && is_line_of(line, "nameserver")) && !(s->dns_opt && is_line_of(line, "options")) &&
		    !(s->dns_search && (is_line_of(line, "search") || is_line_of(line, "domain"))))
			buf_printf(b, "%s\n", line);
	add_words(b, "nameserver", s->dns, true);
	add_words(b, "search", s->dns_search, false);
	add_words(b, "options", s->dns_opt, false);
}

static int write_resolv(const struct container *c, struct err *err)
{
	CLEANUP_BUF struct buf b = { 0 };

	buf_init(&b, FILE_MAX);
	if (host_network(c))
		build_resolv(&b, &c->svc);
	return write_buf(c, "resolv.conf", &b, err);
}

void bundle_refresh_resolv(const struct container *c)
{
	if (host_network(c))
		write_resolv(c, NULL);
}

int bundle_write_etc(const struct container *c, const char *hostname, struct err *err)
{
	CLEANUP_BUF struct buf b = { 0 };
	int r = write_hosts(c, err);

	buf_init(&b, 4096);
	buf_printf(&b, "%s\n", hostname);
	r = r < 0 ? r : write_buf(c, "hostname", &b, err);
	return r < 0 ? r : write_resolv(c, err);
}
