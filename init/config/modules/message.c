/* message.c - final_message and boot-finished: the last words of a boot, and the templates that they and phone_home have.
 *
 * Runs in coracle-config, in the last stage, or at the end of the first run where there is no last stage. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "fd.h"
#include "module.h"
#include "path.h"
#include "report.h"
#include "sys.h"

#define MESSAGE_MAX 16384
#define OUTPUT_LOG "/var/log/cloud-init-output.log"
#define DEFAULT_MESSAGE "Cloud-init v. $version finished at $timestamp. Datasource $datasource.  Up $uptime seconds"

static const char *value_of(const char *name, size_t len, const struct fill *names, size_t n)
{
	if (len > 3 && !strncmp(name, "v1.", 3))
		name += 3, len -= 3;
	for (size_t i = 0; i < n; i++)
		if (strlen(names[i].name) == len && !strncasecmp(name, names[i].name, len))
			return names[i].value;
	return NULL;
}

/* The name in what begins at p, its length, and how long the whole is; 0 when nothing begins there. */
static size_t find_name(const char *p, const char **name, size_t *len)
{
	static const char word[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
	const char *start = p;
	bool jinja = p[0] == '{' && p[1] == '{';
	bool braces = p[0] == '$' && p[1] == '{';

	if (!jinja && p[0] != '$')
		return 0;
	p += jinja || braces ? 2 : 1;
	if (jinja)
		p += strspn(p, " ");
	*name = p;
	*len = strspn(p, word);
	if (jinja && p[*len] == '.')
		*len += 1 + strspn(p + *len + 1, word);
	p += *len;
	if (jinja) {
		p += strspn(p, " ");
		return *len && p[0] == '}' && p[1] == '}' ? (size_t)(p + 2 - start) : 0;
	}
	if (braces)
		return *len && *p == '}' ? (size_t)(p + 1 - start) : 0;
	return *len ? (size_t)(p - start) : 0;
}

const char *system_fill(struct ctx *ctx, const char *text, const struct fill *names, size_t n, const char **unknown)
{
	CLEANUP_BUF struct buf b = { 0 };

	*unknown = NULL;
	buf_init(&b, 4 * MESSAGE_MAX);
	while (*text) {
		const char *name;
		const char *value;
		size_t len;
		size_t whole = find_name(text, &name, &len);

		if (whole == 0) {
			buf_putc(&b, *text++);
			continue;
		}
		value = value_of(name, len, names, n);
		if (value)
			buf_puts(&b, value);
		else
			buf_add(&b, text, whole);
		if (!value && !*unknown)
			*unknown = arena_strndup(ctx->arena, name, len);
		text += whole;
	}
	return buf_error(&b) ? "" : arena_strndup(ctx->arena, b.data, b.len);
}

int read_final_message(struct ctx *ctx, const struct node *value, void *out)
{
	if (value_text(ctx, value, out) < 0)
		return -EINVAL;
	if (value->len > MESSAGE_MAX)
		return diag_at(ctx->diags, DIAG_ERROR, value, NULL, "final_message is more than %d bytes", MESSAGE_MAX);
	return 0;
}

/* The first line of a template, which only says that it is one. */
static const char *without_header(const char *s)
{
	const char *newline = strchr(s, '\n');

	return !strncmp(s, "## template:", 12) ? newline ? newline + 1 : "" : s;
}

static void append(const struct run *r, const char *path, const char *text)
{
	const char *base;
	CLEANUP_FD int dirfd = path_open_parent_in(r->target.rootfd, path, 0755, &base);
	CLEANUP_FD int fd = dirfd < 0 ? -1 : sys_openat(dirfd, base, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NOCTTY, 0640);

	if (fd >= 0)
		(void)!fd_write_full(fd, text, strlen(text)); /* a full /var must not stop the boot */
}

/* "Fri, 27 Nov 2026 18:00:00 +0000", as cloud-init's time_rfc2822. */
static const char *stamp(struct run *r)
{
	char text[64];
	struct tm tm;
	time_t now = time(NULL);

	gmtime_r(&now, &tm);
	strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S +0000", &tm);
	return arena_strndup(&r->arena, text, strlen(text));
}

static const char *uptime(struct run *r)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return arena_printf(&r->arena, "%lld.%02ld", (long long)t.tv_sec, t.tv_nsec / 10000000);
}

void apply_final_message(struct run *r)
{
	const char *wanted = r->config.system.final_message;
	const struct fill names[] = {
		{ "uptime", uptime(r) }, { "timestamp", stamp(r) }, { "version", CORACLE_VERSION },
		{ "datasource", r->seed.name ? r->seed.name : r->status.datasource },
	};
	const char *unknown;
	const char *text = system_fill(&r->ctx, without_header(wanted && *wanted ? wanted : DEFAULT_MESSAGE), names, ARRAY_SIZE(names), &unknown);
	size_t len = strlen(text);

	if (unknown)
		diag_at(&r->diags, DIAG_WARNING, NULL, "$version, $timestamp, $datasource, $uptime", "final_message has the unknown name \"%s\"", unknown);
	while (len && (text[len - 1] == '\n' || text[len - 1] == ' '))
		len--;
	append(r, OUTPUT_LOG, arena_printf(&r->arena, "%.*s\n", (int)len, text));
	if (r->target.machine)
		report_note("config", "%.*s", (int)len, text);
	module_put(r, module_instance_path(r, "boot-finished"), arena_printf(&r->arena, "%s - %s - v. %s\n", names[0].value, names[1].value, CORACLE_VERSION), 0644);
}
