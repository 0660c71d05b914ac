/* random.c - random_seed: bytes for the kernel's pool, or for a file, and a command that gets more.
 *
 * Runs in coracle-config, once for each instance, before anything that needs randomness. The bytes are mixed in and not counted as entropy (no
 * RNDADDENTROPY): whoever served the configuration knows them. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "../base64.h"
#include "fd.h"
#include "module.h"
#include "sys.h"

#define SEED_MAX ((size_t)1 << 20)
#define COMMAND_WORDS_MAX 64
#define COMMAND_SECONDS 10	/* access to the machine comes after it */

struct entry {
	struct system_random random;
	const struct node *data;
	const char *encoding;
};

static int read_data(struct ctx *ctx, const struct node *value, void *out)
{
	(void)ctx;
	*(const struct node **)out = value;
	return 0;
}

static const struct key random_keys[] = {
	KEY("file", NODE_SCALAR, value_path, struct entry, random.file),
	KEY("data", NODE_SCALAR, read_data, struct entry, data),
	KEY("encoding", NODE_SCALAR, value_line, struct entry, encoding),
	KEY("command", NODE_SCALAR | NODE_LIST, value_strings, struct entry, random.command),
	KEY("command_required", NODE_SCALAR, value_bool, struct entry, random.required),
};

static const struct schema random_schema = {
	.what = "random_seed",
	.keys = random_keys,
	.n_keys = ARRAY_SIZE(random_keys),
	.unknown = DIAG_UNKNOWN,
};

/* The seed is a secret: no message shows it. */
static int decode(struct ctx *ctx, struct entry *e)
{
	const char *encoding = e->encoding ? e->encoding : "raw";
	struct system_random *r = &e->random;
	const char *why;

	r->data = e->data->text;
	r->len = e->data->len;
	if (e->data->tag == NODE_TAG_BINARY || !strcmp(encoding, "base64") || !strcmp(encoding, "b64")) {
		r->data = base64_decode(ctx->arena, r->data, r->len, &r->len);
		if (!r->data)
			return diag_at(ctx->diags, DIAG_ERROR, e->data, NULL, "the data of random_seed is not base64");
	}
	if (!strcmp(encoding, "gzip") || !strcmp(encoding, "gz")) {
		r->data = gunzip(ctx->arena, r->data, r->len, SEED_MAX, &r->len, &why);
		if (!r->data)
			return diag_at(ctx->diags, DIAG_ERROR, e->data, NULL, "the data of random_seed: %s", why);
	} else if (strcmp(encoding, "raw") != 0 && strcmp(encoding, "base64") != 0 && strcmp(encoding, "b64") != 0) {
		return diag_at(ctx->diags, DIAG_ERROR, e->data, "raw, base64 or gzip", "%s is not an encoding",
			       diag_quote(ctx->arena, encoding, strlen(encoding)));
	}
	return 0;
}

int read_random_seed(struct ctx *ctx, const struct node *value, void *out)
{
	struct entry e = { .random = { .at = value } };

	if (schema_read(ctx, &random_schema, value, &e) > 0 || (e.data && decode(ctx, &e) < 0))
		return -EINVAL;
	if (e.random.command.n > COMMAND_WORDS_MAX)
		return diag_at(ctx->diags, DIAG_ERROR, value, NULL, "the command of random_seed has more than %d words", COMMAND_WORDS_MAX);
	if (e.random.required && e.random.command.n == 0)
		return diag_at(ctx->diags, DIAG_ERROR, value, NULL, "command_required is true, and there is no command");
	*(struct system_random *)out = e.random;
	return 0;
}

/* OpenStack's meta-data brings a seed, in base64; NULL: there is none. */
static const struct node *meta_seed(const struct run *r)
{
	const struct node *n = r->seed.meta.tree && r->seed.meta.tree->type == NODE_MAP ? node_get(r->seed.meta.tree, "random_seed") : NULL;

	return n && n->type == NODE_SCALAR && n->len > 0 ? n : NULL;
}

bool random_wanted(const struct run *r)
{
	return r->config.system.random.at || meta_seed(r);
}

static bool is_device(const char *file)
{
	return !file || !strncmp(file, "/dev/", 5);
}

static void mix(struct run *r, const struct system_random *s, const char *data, size_t len)
{
	const char *file = s->file ? s->file : "/dev/urandom";
	struct target_file f = { .path = file, .data = data, .len = len, .mode = 0644, .append = true };
	struct err err = ERR_INIT;
	int e;

	if (!is_device(s->file)) {
		if (target_write(&r->target, &f, NULL, &err) < 0)
			module_failed(r, s->at, &err);
		return;
	}
	if (!r->target.machine)
		return;
	{
		CLEANUP_FD int fd = sys_openat(AT_FDCWD, file, O_WRONLY | O_NOCTTY | O_NONBLOCK, 0);

		e = fd < 0 ? fd : fd_write_full(fd, data, len);
	}
	if (e < 0)
		diag_at(&r->diags, DIAG_ERROR, s->at, NULL, "write the random seed to %s: %s", file, err_name(-e));
}

static void run_command(struct run *r, const struct system_random *s)
{
	const char *argv[COMMAND_WORDS_MAX + 5] = { "/bin/sh", "-c", "exec \"$@\"", "random_seed" };
	const char *variable = arena_printf(&r->arena, "RANDOM_SEED_FILE=%s", s->file ? s->file : "/dev/urandom");
	int status;

	for (size_t i = 0; i < s->command.n; i++)
		argv[4 + i] = s->command.v[i];
	status = program_run(r, argv, variable, COMMAND_SECONDS);
	if (status == 127 << 8 && !s->required) /* the shell did not find it */
		diag_at(&r->diags, DIAG_WARNING, s->at, "no command_required: the boot goes on", "the command of random_seed, %s, is not there",
			diag_quote(&r->arena, s->command.v[0], strlen(s->command.v[0])));
	else
		module_script_ended(r, "the command of random_seed", status);
}

void apply_random(struct run *r)
{
	const struct system_random *s = &r->config.system.random;

	const struct node *meta = meta_seed(r);
	size_t len;
	const char *bytes = meta ? base64_decode(&r->arena, meta->text, meta->len, &len) : NULL;

	if (s->len)
		mix(r, s, s->data, s->len);
	if (bytes && len)
		mix(r, s, bytes, len);
	if (s->command.n && r->target.machine)
		run_command(r, s);
}
