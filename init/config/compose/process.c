/* process.c - command, entrypoint, environment, labels, capabilities of a service. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "compose.h"
#include "shlex.h"

#define ENVIRONMENT_MAX 2000

int compose_read_words(struct ctx *ctx, const struct node *value, void *out)
{
	struct compose_words *w = out;
	const char *text;
	const char *wrong;

	*w = (struct compose_words){ .given = true };
	if (value->type == NODE_LIST)
		return value_strings(ctx, value, &w->words);
	if (value_text(ctx, value, &text) < 0)
		return -EINVAL;
	wrong = shlex_split(ctx, text, &w->words);
	if (wrong)
		return diag_at(ctx->diags, DIAG_ERROR, value, "a list of words needs no quoting", "the command cannot be split into words: %s",
			       wrong);
	return 0;
}

/* The value of a name, as text; nothing becomes the empty text and a warning. */
static int read_value(struct ctx *ctx, const struct node *key, const struct node *value, const char **text)
{
	if (value && !node_is_null(value))
		return value_text(ctx, value, text);
	*text = "";
	diag_at(ctx->diags, DIAG_WARNING, key, "Compose would take it from its own environment; there is none at boot",
		"%s has no value: it is set to nothing", diag_quote(ctx->arena, key->text, key->len));
	return 0;
}

static int add_variable(struct ctx *ctx, struct strings *s, const struct node *at, const char *name, size_t n, const char *value)
{
	const char *pair;

	if (n == 0 || memchr(name, '=', n) || strlen(name) < n)
		return diag_at(ctx->diags, DIAG_ERROR, at, NULL, "%s is not a name for a variable", diag_quote(ctx->arena, name, n));
	if (s->n >= ENVIRONMENT_MAX)
		return diag_at(ctx->diags, DIAG_ERROR, at, NULL, "more than %d variables", ENVIRONMENT_MAX);
	pair = arena_printf(ctx->arena, "%.*s=%s", (int)n, name, value);
	/* the later one wins, in the earlier one's place, as in Docker */
	for (size_t i = 0; i < s->n; i++)
		if (!strncmp(s->v[i], pair, n + 1)) {
			s->v[i] = pair;
			return 0;
		}
	strings_add(ctx, s, pair);
	return 0;
}

static int read_variable(struct ctx *ctx, const struct item *i, struct strings *s)
{
	const struct node *at = i->key ? i->key : i->value;
	const char *text;
	const char *equals;

	if (i->key) {
		if (read_value(ctx, i->key, i->value, &text) < 0)
			return -EINVAL;
		return add_variable(ctx, s, at, i->key->text, i->key->len, text);
	}
	if (value_text(ctx, i->value, &text) < 0)
		return -EINVAL;
	equals = strchr(text, '=');
	if (!equals && read_value(ctx, i->value, NULL, &equals) == 0)
		return add_variable(ctx, s, at, text, strlen(text), "");
	return add_variable(ctx, s, at, text, (size_t)(equals - text), equals + 1);
}

int compose_read_environment(struct ctx *ctx, const struct node *value, void *out)
{
	int r = 0;

	for (const struct item *i = value->items; i; i = i->next)
		if (read_variable(ctx, i, out) < 0)
			r = -EINVAL;
	return r;
}

int compose_read_labels(struct ctx *ctx, const struct node *value, void *out)
{
	struct strings pairs = { NULL, 0 };
	struct strings *labels = out;
	int r = 0;

	for (const struct item *i = value->items; i; i = i->next) {
		const char *text = "";

		if (i->key ? !node_is_null(i->value) && value_text(ctx, i->value, &text) < 0 : value_text(ctx, i->value, &text) < 0) {
			r = -EINVAL;
			continue;
		}
		if (i->key)
			r |= add_variable(ctx, &pairs, i->key, i->key->text, i->key->len, text);
		else
			r |= add_variable(ctx, &pairs, i->value, text, strcspn(text, "="), strchr(text, '=') ? strchr(text, '=') + 1 : "");
	}
	for (size_t i = 0; i < pairs.n; i++) {
		const char *equals = strchr(pairs.v[i], '=');

		strings_add(ctx, labels, arena_strndup(ctx->arena, pairs.v[i], (size_t)(equals - pairs.v[i])));
		strings_add(ctx, labels, equals + 1);
	}
	return r < 0 ? -EINVAL : 0;
}

static const char *const capabilities[] = {
	"CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP", "LINUX_IMMUTABLE",
	"NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER", "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT",
	"SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE", "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE",
	"AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP", "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ",
	"PERFMON", "BPF", "CHECKPOINT_RESTORE", "ALL",
};

int compose_read_capabilities(struct ctx *ctx, const struct node *value, void *out)
{
	struct strings given = { NULL, 0 };
	const struct item *item = value->items;
	int r = value_strings(ctx, value, &given);

	for (size_t i = 0; r == 0 && i < given.n; i++, item = item->next) {
		const char *name = given.v[i];
		size_t c = 0;

		if (!strncasecmp(name, "CAP_", 4))
			name += 4;
		while (c < ARRAY_SIZE(capabilities) && strcasecmp(name, capabilities[c]) != 0)
			c++;
		if (c == ARRAY_SIZE(capabilities))
			r = diag_at(ctx->diags, DIAG_ERROR, item->value, "such as NET_ADMIN, or ALL", "%s is not a capability",
				    diag_quote(ctx->arena, given.v[i], strlen(given.v[i])));
		else
			strings_add(ctx, out, capabilities[c]);
	}
	return r;
}
