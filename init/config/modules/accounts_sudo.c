/* accounts_sudo.c - rules of sudo and doas: read, checked, written.
 *
 * A rule is one line, whatever is in it: a line break or a backslash at its end would make a second one of it (sudoers(5)). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../scalar.h"
#include "../text.h"
#include "fd.h"
#include "path.h"
#include "accounts_apply.h"

#define SUDOERS "/etc/sudoers"
#define SUDOERS_DIR "/etc/sudoers.d"
#define SUDO_FILE SUDOERS_DIR "/90-cloud-init-users"
#define DOAS_FILE "/etc/doas.conf"
#define FILE_MAX ((size_t)1 << 20)
#define HEADER "# Created by coracle-config\n"

static int read_rule(struct ctx *ctx, const struct node *value, const char *what, struct strings *out)
{
	const char *rule;

	if (value_line(ctx, value, &rule) < 0)
		return -EINVAL;
	if (value->len > 4096 || (value->len && rule[value->len - 1] == '\\'))
		return diag_at(ctx->diags, DIAG_ERROR, value, NULL, "a rule of %s is one line, and has no \\ at its end; it is left out", what);
	if (rule[strspn(rule, " \t")])
		strings_add(ctx, out, rule);
	return 0;
}

static int read_rules(struct ctx *ctx, const struct node *value, const char *what, struct strings *out)
{
	int r = 0;

	if (value->type == NODE_SCALAR)
		return read_rule(ctx, value, what, out);
	for (const struct item *i = value->items; i; i = i->next)
		if (!node_is_null(i->value) && read_rule(ctx, i->value, what, out) < 0)
			r = -EINVAL;
	return r;
}

int read_sudo(struct ctx *ctx, const struct node *value, void *out)
{
	bool truth;

	if (value->type == NODE_SCALAR && value->plain && scalar_bool(value->text, &truth) == 0) {
		if (truth)
			return diag_at(ctx->diags, DIAG_ERROR, value, "such as \"ALL=(ALL) NOPASSWD:ALL\"", "sudo is a rule; it is left out");
		diag_at(ctx->diags, DIAG_WARNING, value, "leave sudo out", "sudo: false is deprecated by cloud-init");
		return 0;
	}
	return read_rules(ctx, value, "sudo", out);
}

int read_doas(struct ctx *ctx, const struct node *value, void *out)
{
	return read_rules(ctx, value, "doas", out);
}

static size_t word(const char **s)
{
	*s += strspn(*s, " \t");
	return strcspn(*s, " \t{");
}

static bool is_word(const char *s, size_t n, const char *want)
{
	return strlen(want) == n && !memcmp(s, want, n);
}

/* permit|deny [options] USER [as TARGET] [cmd COMMAND [args ...]] for this very user (doas.conf(5)). */
static bool doas_rule_ok(const char *s, const char *user)
{
	static const char *const options[] = { "nolog", "nopass", "persist", "keepenv" };
	size_t n = word(&s);

	if (!is_word(s, n, "permit") && !is_word(s, n, "deny"))
		return false;
	for (;;) {
		size_t i = 0;

		s += n;
		n = word(&s);
		while (i < ARRAY_SIZE(options) && !is_word(s, n, options[i]))
			i++;
		if (i < ARRAY_SIZE(options))
			continue;
		if (!is_word(s, n, "setenv"))
			break;
		s += n + strspn(s + n, " \t");
		if (*s != '{' || !strchr(s, '}'))
			return false;
		n = (size_t)(strchr(s, '}') - s) + 1;
	}
	if (!is_word(s, n, user))
		return false;
	s += n;
	n = word(&s);
	if (is_word(s, n, "as")) {
		s += n;
		n = word(&s);
		if (n == 0)
			return false;
		s += n;
		n = word(&s);
	}
	if (n == 0)
		return *s == '\0';
	s += n;
	return is_word(s - n, n, "cmd") && word(&s) > 0;
}

void accounts_check_doas(struct ctx *ctx, struct account_user *u)
{
	for (size_t i = 0; i < u->doas.n; i++) {
		/* the default user's name is not known yet */
		if (strcmp(u->name, "default") == 0 || doas_rule_ok(u->doas.v[i], u->name))
			continue;
		diag_at(ctx->diags, DIAG_ERROR, u->at, arena_printf(ctx->arena, "such as \"permit nopass %s\"", u->name),
			"%s is no rule of doas for %s; none of this user's rules is written",
			diag_quote(ctx->arena, u->doas.v[i], strlen(u->doas.v[i])), u->name);
		u->doas.n = 0;
	}
}

/* One user's rules, unless they are in the file already. */
static void user_rules(const char *old, const char *user, bool doas, const struct strings *rules, struct buf *out)
{
	size_t start = out->len;

	buf_printf(out, doas ? "\n# cloud-init User rules for %s\n" : "\n# User rules for %s\n", user);
	for (size_t i = 0; i < rules->n; i++)
		buf_printf(out, "%s%s%s\n", doas ? "" : user, doas ? "" : " ", rules->v[i]);
	if (!buf_error(out) && old && strstr(old, out->data + start)) {
		out->len = start;
		out->data[start] = '\0';
	}
}

/* Adds the rules of all to a file, 0440. at: the first whose they are. */
static void add_rules(struct run *r, const struct node *at, const char *path, bool doas, const struct account_user *users)
{
	CLEANUP_FREE char *old = NULL;
	CLEANUP_BUF struct buf b = { 0 };
	struct target_file f = { .path = path, .mode = 0440 };
	struct err err = ERR_INIT;
	int e = target_read(&r->target, path, FILE_MAX, &old, NULL);
	size_t had;

	if (e < 0 && e != -ENOENT) {
		diag_at(&r->diags, DIAG_ERROR, at, NULL, "read %s: %s", path, err_name(-e));
		return;
	}
	buf_init(&b, FILE_MAX);
	buf_puts(&b, old ? old : HEADER);
	had = b.len;
	for (const struct account_user *u = users; u; u = u->next)
		if (!u->left_out && (doas ? u->doas.n : u->sudo.n))
			user_rules(old, u->name, doas, doas ? &u->doas : &u->sudo, &b);
	if (buf_error(&b)) {
		diag_at(&r->diags, DIAG_ERROR, at, NULL, "the rules are more than %s can hold (%zu bytes); none is added", path, FILE_MAX);
		return;
	}
	if (b.len == had)
		return;
	f.data = b.data;
	f.len = b.len;
	if (target_write(&r->target, &f, NULL, &err) < 0)
		module_failed(r, at, &err);
}

/* /etc/sudoers reads the directory, or is made to. */
static void include_sudoers(struct run *r, const struct node *at)
{
	CLEANUP_FREE char *old = NULL;
	struct target_file f = { .path = SUDOERS, .mode = 0440 };
	struct err err = ERR_INIT;
	int e = target_read(&r->target, SUDOERS, FILE_MAX, &old, NULL);

	for (const char *s = old; s && *s; s = strchr(s, '\n') ? strchr(s, '\n') + 1 : NULL) {
		s += strspn(s, " \t");
		if ((*s == '#' || *s == '@') && !strncmp(s + 1, "includedir", 10) && !strncmp(s + 11 + strspn(s + 11, " \t"), SUDOERS_DIR, strlen(SUDOERS_DIR)))
			return;
	}
	if (e < 0 && e != -ENOENT)
		return; /* add_rules() comes to the same place, and says so */
	f.data = arena_printf(&r->arena, "%s\n# Added by coracle-config\n#includedir " SUDOERS_DIR "\n\n", old ? old : "# See sudoers(5) for more information on \"#include\" directives:\n");
	f.len = strlen(f.data);
	if (target_write(&r->target, &f, NULL, &err) < 0)
		module_failed(r, at, &err);
}

void accounts_apply_rules(struct run *r, const struct account_user *users)
{
	const struct account_user *sudo = users;
	const struct account_user *doas = users;

	while (sudo && (sudo->left_out || !sudo->sudo.n))
		sudo = sudo->next;
	while (doas && (doas->left_out || !doas->doas.n))
		doas = doas->next;
	if (sudo) {
		CLEANUP_FD int dir = path_mkdirs_in(r->target.rootfd, SUDOERS_DIR, 0750);

		include_sudoers(r, sudo->at);
		add_rules(r, sudo->at, SUDO_FILE, false, sudo);
	}
	if (doas)
		add_rules(r, doas->at, DOAS_FILE, true, doas);
}

void accounts_warn_of_sudo(struct run *r)
{
	const struct node *sudo = NULL;
	const struct node *doas = NULL;

	for (const struct account_user *u = r->config.accounts.users; u; u = u->next) {
		if (u->sudo.n && !sudo)
			sudo = u->at;
		if (u->doas.n && !doas)
			doas = u->at;
	}
	/* a tree may get the program later */
	if (!r->target.machine)
		return;
	if (sudo && !target_exists(&r->target, "/usr/bin/sudo"))
		diag_at(&r->diags, DIAG_WARNING, sudo, "disable_root: false lets root in by ssh; members of docker need no sudo for containers",
			"there is no sudo on this system: its rules are written and not used");
	if (doas && !target_exists(&r->target, "/usr/bin/doas"))
		diag_at(&r->diags, DIAG_WARNING, doas, NULL, "there is no doas on this system: its rules are written and not used");
}
