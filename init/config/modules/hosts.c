/* hosts.c - the module update_etc_hosts: /etc/hosts, on each boot. As cc_update_etc_hosts with Debian's template, where 127.0.1.1 is the machine's own name. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../scalar.h"
#include "hostname.h"

#define HOSTS_FILE "/etc/hosts"
#define TEMPLATE_FILE "/etc/cloud/templates/hosts.debian.tmpl"
#define HOSTS_MAX ((size_t)256 << 10)
#define OWN_ADDRESS "127.0.1.1"

static const char own_template[] =
	"# manage_etc_hosts is true: this file is written anew on each boot.\n"
	OWN_ADDRESS " {{fqdn}} {{hostname}}\n"
	"127.0.0.1 localhost\n"
	"\n"
	"# The following lines are desirable for IPv6 capable hosts\n"
	"::1 localhost ip6-localhost ip6-loopback\n"
	"ff02::1 ip6-allnodes\n"
	"ff02::2 ip6-allrouters\n"
	"\n";

int read_manage_etc_hosts(struct ctx *ctx, const struct node *value, void *out)
{
	bool truth;

	if (!strcmp(value->text, "template")) {
		diag_at(ctx->diags, DIAG_WARNING, value, "write true", "manage_etc_hosts: template is deprecated by cloud-init");
		*(int *)out = HOSTS_TEMPLATE;
	} else if (!strcmp(value->text, "localhost")) {
		*(int *)out = HOSTS_LOCALHOST;
	} else if (scalar_bool(value->text, &truth) == 0) {
		*(int *)out = truth ? HOSTS_TEMPLATE : 0;
	} else {
		return diag_at(ctx->diags, DIAG_ERROR, value, "true, false or localhost", "%s is no value of manage_etc_hosts",
			       diag_quote(ctx->arena, value->text, value->len));
	}
	return 0;
}

/* A tree's own template: only comments and the two names, which is what distributions have in it. */
static void render(const char *s, const struct hostname *h, struct buf *b)
{
	if (!strncmp(s, "## template:jinja\n", 18))
		s += 18;
	while (*s) {
		const char *end;
		const char *name;

		if (!strncmp(s, "{#", 2) && (end = strstr(s, "#}"))) {
			bool eat = end[-1] == '-';

			s = end + 2;
			if (eat)
				s += strspn(s, " \t\r\n");
		} else if (!strncmp(s, "{{", 2) && (end = strstr(s, "}}"))) {
			name = s + 2 + strspn(s + 2, " ");
			buf_puts(b, !strncmp(name, "fqdn", 4) ? h->fqdn : !strncmp(name, "hostname", 8) ? h->host : "");
			s = end + 2;
		} else {
			buf_putc(b, *s++);
		}
	}
}

static void write_hosts(struct run *r, const struct buf *b)
{
	if (buf_error(b))
		diag_at(&r->diags, DIAG_ERROR, NULL, NULL, "/etc/hosts is not written: it is too large");
	else
		module_put(r, HOSTS_FILE, b->data, 0644);
}

/* True when the n bytes are a line of the machine's own address; words are put into b with tabs between them, and its comment. */
static bool put_entry(const char *s, size_t n, struct buf *b)
{
	size_t len = 0;
	size_t used = 0;

	while (len < n && s[len] != '#')
		len++;
	for (size_t i = 0; i < len;) {
		size_t word;

		i += strspn(s + i, " \t\r");
		word = strcspn(s + i, " \t\r\n#");
		if (i >= len || word == 0)
			break;
		buf_printf(b, "%s%.*s", used ? "\t" : "", (int)word, s + i);
		used = i + word;
		i += word;
	}
	if (used)
		buf_printf(b, "%.*s\n", (int)(n - len), s + len);
	else
		buf_printf(b, "%.*s\n", (int)n, s);
	return used && !strncmp(s + strspn(s, " \t"), OWN_ADDRESS, strlen(OWN_ADDRESS)) && strchr(" \t", s[strspn(s, " \t") + strlen(OWN_ADDRESS)]);
}

/* True when the line that put_entry() made is this very name's. */
static bool is_ours(const char *line, const struct hostname *h)
{
	const char *s = line + strlen(OWN_ADDRESS) + 1;
	size_t n = strlen(h->fqdn);

	if (strncmp(s, h->fqdn, n) != 0 || s[n] != '\t')
		return false;
	for (s += n; *s == '\t'; s += strcspn(s, "\t\n#")) {
		s++;
		if (strcspn(s, "\t\n#") == strlen(h->host) && !strncmp(s, h->host, strlen(h->host)))
			return true;
	}
	return false;
}

/* Only the lines of the machine's own address: they stay, this name is added when none of them is it (distros/__init__.py, update_etc_hosts). */
static void update_localhost(struct run *r, const struct hostname *h, struct buf *b)
{
	CLEANUP_FREE char *old = NULL;
	CLEANUP_BUF struct buf own = { 0 };
	bool found = false;

	buf_init(&own, HOSTS_MAX);
	if (target_read(&r->target, HOSTS_FILE, HOSTS_MAX, &old, NULL) < 0)
		buf_puts(b, "# Added by coracle-config\n");
	for (const char *s = old ? old : "", *end; *s; s = *end ? end + 1 : end) {
		CLEANUP_BUF struct buf line = { 0 };
		bool mine;

		end = s + strcspn(s, "\n");
		buf_init(&line, HOSTS_MAX);
		mine = put_entry(s, (size_t)(end - s), &line);
		found = found || (mine && is_ours(line.data, h));
		buf_puts(mine ? &own : b, line.data);
	}
	if (found)
		return;
	buf_puts(b, own.data);
	buf_printf(b, OWN_ADDRESS "\t%s\t%s\n\n", h->fqdn, h->host);
	write_hosts(r, b);
}

bool hosts_wanted(const struct run *r)
{
	return r->config.manage_hosts != 0;
}

void apply_hosts(struct run *r)
{
	CLEANUP_FREE char *template = NULL;
	CLEANUP_BUF struct buf b = { 0 };
	struct hostname h;

	hostname_choose(r, &h);
	if (!h.host) {
		diag_at(&r->diags, DIAG_WARNING, NULL, "hostname: NAME", "manage_etc_hosts is set, but no host name is known: /etc/hosts stays as it is");
		return;
	}
	buf_init(&b, HOSTS_MAX);
	if (r->config.manage_hosts == HOSTS_LOCALHOST) {
		update_localhost(r, &h, &b);
		return;
	}
	target_read(&r->target, TEMPLATE_FILE, HOSTS_MAX, &template, NULL);
	render(template ? template : own_template, &h, &b);
	write_hosts(r, &b);
}
