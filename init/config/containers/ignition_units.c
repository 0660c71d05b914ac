/* ignition_units.c - systemd: of an Ignition configuration. There is no systemd here: a unit whose only work is to run a
 * container becomes that container, and any other is named, with its line. */
#include <errno.h>
#include <string.h>

#include "build.h"
#include "dockerrun.h"
#include "ignition.h"

#define UNITS_MAX 256

struct unit {
	struct ignition *g;
	const char *name;		/* web.service */
	const struct node *at;
	struct unit_entry *entries;
	bool broken;
};

static void fail(struct unit *u, const struct node *at, const char *hint, const char *text)
{
	u->broken = true;
	diag_at(u->g->ctx->diags, DIAG_ERROR, at, hint, "%s: %s", u->name, text);
}

/* Of the unit's own Environment=. */
static const char *variable(struct unit *u, const char *name, size_t n)
{
	for (const struct unit_entry *e = u->entries; e; e = e->next) {
		struct strings words = { NULL, 0 };

		if (strcmp(e->section, "Service") != 0 || strcmp(e->key, "Environment") != 0 || unit_words(u->g->ctx, e, &words) < 0)
			continue;
		for (size_t i = 0; i < words.n; i++)
			if (!strncmp(words.v[i], name, n) && words.v[i][n] == '=')
				return words.v[i] + n + 1;
	}
	return NULL;
}

/* ${NAME} anywhere, $NAME where it is the whole word, as in systemd: a shell's own variables within quotes stay. */
static const char *replace_variables(struct unit *u, const struct unit_entry *e, const char *word)
{
	const char *start = word;
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
	CLEANUP_BUF struct buf b = { 0 };

	if (!strchr(word, '$'))
		return word;
	buf_init(&b, UNIT_TEXT_MAX);
	while (*word) {
		bool braces = word[0] == '$' && word[1] == '{';
		size_t n = word[0] == '$' ? strspn(word + 1 + braces, letters) : 0;
		const char *value;

		if (!strncmp(word, "$$", 2)) {
			buf_putc(&b, '$');
			word += 2;
		} else if (n > 0 && (braces ? word[2 + n] == '}' : word == start && !word[1 + n])) {
			value = variable(u, word + 1 + braces, n);
			if (!value)
				fail(u, e->at, "set it with Environment=", arena_printf(u->g->ctx->arena, "no value is known for %.40s", word));
			else
				buf_puts(&b, value);
			word += 1 + (braces ? 2u : 0u) + n;
		} else {
			buf_putc(&b, *word++);
		}
	}
	return arena_strndup(u->g->ctx->arena, b.data, b.len);
}

/* The words of an Exec line, without systemd's own marks before the first. */
static bool exec_words(struct unit *u, const struct unit_entry *e, struct strings *out)
{
	struct strings words = { NULL, 0 };

	if (unit_words(u->g->ctx, e, &words) < 0 || words.n == 0) {
		u->broken = true;
		return false;
	}
	words.v[0] += strspn(words.v[0], "-@:+!");
	for (size_t i = 0; i < words.n; i++)
		strings_add(u->g->ctx, out, replace_variables(u, e, words.v[i]));
	return !u->broken;
}

/* What tidies up before and after: there is nothing to tidy here. */
static bool is_tidying(const struct strings *w)
{
	static const char *const verbs[] = { "rm", "kill", "stop", "pull", "container", "wait" };

	if (w->n < 2 || !dockerrun_is_client(w->v[0]))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (!strcmp(w->v[1], verbs[i]))
			return true;
	return false;
}

static void read_exec(struct unit *u, const struct unit_entry *e, struct node *service, unsigned *runs)
{
	struct strings words = { NULL, 0 };
	bool start = !strcmp(e->key, "ExecStart");

	if (!exec_words(u, e, &words))
		return;
	if (!start && is_tidying(&words))
		return;
	if (!start || words.n < 2 || !dockerrun_is_client(words.v[0]) || strcmp(words.v[1], "run") != 0) {
		fail(u, e->at, "only a unit whose ExecStart is docker run or podman run can be run here",
		     arena_printf(u->g->ctx->arena, "there is no systemd: %s=%s is not supported by Coracle", e->key, diag_quote(u->g->ctx->arena, words.v[0], strlen(words.v[0]))));
		return;
	}
	if (++*runs > 1)
		fail(u, e->at, NULL, "only one ExecStart can be run");
	else if (dockerrun_read(&u->g->units, e->at, &words, service) < 0)
		u->broken = true;
}

static void read_contents(struct unit *u, const char *text, size_t len)
{
	struct source *source = ARENA_NEW(u->g->ctx->arena, struct source);
	const char *bare = arena_strndup(u->g->ctx->arena, u->name, strlen(u->name) - 8);
	struct node *service;
	bool installed = false, bad = false;
	unsigned runs = 0;

	*source = (struct source){ u->name, text, len };
	u->entries = unit_parse(u->g->ctx, source, &bad);
	u->broken |= bad;
	if (!u->entries) {
		fail(u, u->at, NULL, "the unit is empty");
		return;
	}
	if (unit_specifiers(u->g->ctx, u->entries, u->name) < 0)
		u->broken = true;
	service = build_map(u->g->ctx, u->entries->at);
	if (quadlet_read_unit(&u->g->units, u->entries, service, &installed) < 0)
		u->broken = true;
	for (const struct unit_entry *e = u->entries; e; e = e->next) {
		if (!strcmp(e->section, "Service") && !strncmp(e->key, "Exec", 4))
			read_exec(u, e, service, &runs);
		else if (strcmp(e->section, "Unit") != 0 && strcmp(e->section, "Service") != 0 && strcmp(e->section, "Install") != 0 && strncmp(e->section, "X-", 2) != 0)
			fail(u, e->at, NULL, arena_printf(u->g->ctx->arena, "the section [%.40s] is not supported by Coracle", e->section));
	}
	if (runs == 0 && !u->broken)
		fail(u, u->entries->at, NULL, "there is no ExecStart=");
	if (!u->broken)
		build_put(u->g->ctx, quadlet_section(&u->g->units, "services", u->entries->at), bare, service);
	else
		diag_at(u->g->ctx->diags, DIAG_ERROR, u->at, NULL, "the unit %s is left out, because of the errors in it", u->name);
}

static bool is_service(const char *name)
{
	size_t n = strlen(name);

	return n > 8 && !strcmp(name + n - 8, ".service") && !strchr(name, '@') && !strchr(name, '/');
}

static int read_unit(struct ignition *g, const struct node *value)
{
	static const char *const known[] = { "name", "enabled", "mask", "contents", NULL };
	struct unit u = { .g = g, .at = value };
	const struct node *contents;
	bool bad = false, enabled = false, mask = false;

	if (value->type != NODE_MAP)
		return diag_at(g->ctx->diags, DIAG_ERROR, value, NULL, "a unit is a mapping, not %s", node_describe(value));
	u.name = ignition_text(g, value, "name", &bad);
	if (!u.name || bad)
		return diag_at(g->ctx->diags, DIAG_ERROR, value, NULL, "a unit needs a name");
	if (ignition_check_keys(g, value, "a unit", known) < 0)
		return -EINVAL;
	if (node_get(value, "enabled") && !node_is_null(node_get(value, "enabled")))
		bad |= value_bool(g->ctx, node_get(value, "enabled"), &enabled) < 0;
	if (node_get(value, "mask") && !node_is_null(node_get(value, "mask")))
		bad |= value_bool(g->ctx, node_get(value, "mask"), &mask) < 0;
	contents = node_get(value, "contents");
	if (bad || (contents && contents->type != NODE_SCALAR))
		return -EINVAL;
	if (mask || ((!contents || !contents->len) && !enabled)) {
		diag_at(g->ctx->diags, DIAG_WARNING, value, NULL, "%s: there is no systemd; nothing is masked or switched off", diag_quote(g->ctx->arena, u.name, strlen(u.name)));
		return 0;
	}
	if (!is_service(u.name) || !contents || !contents->len)
		return diag_at(g->ctx->diags, DIAG_ERROR, value, "a unit NAME.service that runs a container can be run here",
			       "%s: there is no systemd, so this unit is not supported by Coracle", diag_quote(g->ctx->arena, u.name, strlen(u.name)));
	if (!enabled) {
		diag_at(g->ctx->diags, DIAG_WARNING, value, "\"enabled\": true", "%s is not enabled, so it is not started", u.name);
		return 0;
	}
	read_contents(&u, contents->text, contents->len);
	return u.broken ? -EINVAL : 0;
}

int ignition_systemd(struct ignition *g, const struct node *systemd)
{
	static const char *const known[] = { "units", NULL };
	const struct node *list = node_get(systemd, "units");
	unsigned n = 0;
	int r = ignition_check_keys(g, systemd, "systemd", known);

	if (!list || node_is_null(list))
		return r;
	if (list->type != NODE_LIST)
		return diag_at(g->ctx->diags, DIAG_ERROR, list, NULL, "units must be a list, not %s", node_describe(list));
	for (const struct item *i = list->items; i; i = i->next) {
		const struct node *name = node_get(i->value, "name");

		if (name && name->type == NODE_SCALAR && is_service(name->text))
			strings_add(g->ctx, &g->units.units, arena_strndup(g->ctx->arena, name->text, name->len - 8));
	}
	for (const struct item *i = list->items; i; i = i->next) {
		if (++n > UNITS_MAX)
			return diag_at(g->ctx->diags, DIAG_ERROR, i->value, NULL, "more than %d units; the rest is left out", UNITS_MAX);
		if (read_unit(g, i->value) < 0)
			r = -EINVAL;
	}
	return r;
}
