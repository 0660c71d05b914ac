/* status.c - writes status.json and result.json (cloud-init, reference "status.json", cloudinit/cmd/main.py). */
#include "status.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define STATUS_MAX ((size_t)1 << 20)
#define PROBLEMS_MAX ((size_t)256 << 10)

static const char *const stage_names[STAGE_COUNT] = { "init-local", "init", "modules-config", "modules-final" };

const char *status_stage_name(enum status_stage stage)
{
	return stage_names[stage];
}

uint64_t status_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

void status_add_diags(struct ctx *ctx, struct status *s)
{
	for (const struct diag *d = ctx->diags->first; d; d = d->next) {
		struct status_times *t = &s->stage[d->stage];
		CLEANUP_BUF struct buf line = { 0 };

		buf_init(&line, 2048);
		diag_line(d, 0, &line);
		strings_add(ctx, d->level == DIAG_ERROR ? &t->errors : d->level == DIAG_UNKNOWN ? &t->recovered : &t->warnings,
			    arena_strndup(ctx->arena, line.data, line.len));
	}
}

static void add_list(struct buf *b, const struct strings *s)
{
	buf_putc(b, '[');
	for (size_t i = 0; i < s->n; i++) {
		buf_puts(b, i ? ", " : "");
		buf_json_string(b, s->v[i], strlen(s->v[i]));
	}
	buf_putc(b, ']');
}

static void add_recoverable(struct buf *b, const struct strings *errors, const struct strings *warnings)
{
	buf_putc(b, '{');
	if (errors->n) {
		buf_puts(b, "\"ERROR\": ");
		add_list(b, errors);
	}
	if (warnings->n) {
		buf_puts(b, errors->n ? ", \"WARNING\": " : "\"WARNING\": ");
		add_list(b, warnings);
	}
	buf_putc(b, '}');
}

/* Seconds with six places, as Python prints them; musl's %f would take most of the run's instructions. */
static void add_time(struct buf *b, uint64_t t)
{
	if (t > 0)
		buf_printf(b, "%" PRIu64 ".%06u", t / 1000000, (unsigned)(t % 1000000));
	else
		buf_puts(b, "null");
}

void status_add_stages(struct buf *b, const struct status *s, bool json)
{
	for (int i = 0; i < STAGE_COUNT; i++) {
		buf_printf(b, json ? "  \"%s\": {\"errors\": " : "%s: {\"errors\": ", stage_names[i]);
		add_list(b, &s->stage[i].errors);
		buf_puts(b, ", \"finished\": ");
		add_time(b, s->stage[i].finished);
		buf_puts(b, ", \"recoverable_errors\": ");
		add_recoverable(b, &s->stage[i].recovered, &s->stage[i].warnings);
		buf_puts(b, ", \"start\": ");
		add_time(b, s->stage[i].start);
		buf_puts(b, json ? "},\n" : "}\n");
	}
}

static void all_errors(const struct status *s, struct buf *b)
{
	bool first = true;

	buf_putc(b, '[');
	for (int i = 0; i < STAGE_COUNT; i++)
		for (size_t k = 0; k < s->stage[i].errors.n; k++) {
			buf_puts(b, first ? "" : ", ");
			buf_json_string(b, s->stage[i].errors.v[k], strlen(s->stage[i].errors.v[k]));
			first = false;
		}
	buf_putc(b, ']');
}

static int put(const struct target *t, const char *path, struct buf *b, struct err *err)
{
	if (buf_error(b))
		return err_set(err, -buf_error(b), "%s", path);
	return target_put(t, path, b->data, 0644, err);
}

int status_write(const struct target *t, const struct status *s, struct err *err)
{
	CLEANUP_BUF struct buf b = { 0 };
	int r;

	buf_init(&b, STATUS_MAX);
	buf_puts(&b, "{\n \"v1\": {\n  \"datasource\": ");
	buf_json_string(&b, s->datasource, strlen(s->datasource));
	buf_puts(&b, ",\n");
	status_add_stages(&b, s, true);
	if (s->running >= 0)
		buf_printf(&b, "  \"stage\": \"%s\"\n }\n}\n", stage_names[s->running]);
	else
		buf_puts(&b, "  \"stage\": null\n }\n}\n");
	r = put(t, "/run/cloud-init/status.json", &b, err);
	if (r < 0 || s->stage[STAGE_FINAL].finished == 0)
		return r;
	buf_reset(&b);
	buf_puts(&b, "{\n \"v1\": {\n  \"datasource\": ");
	buf_json_string(&b, s->datasource, strlen(s->datasource));
	buf_puts(&b, ",\n  \"errors\": ");
	all_errors(s, &b);
	buf_puts(&b, "\n }\n}\n");
	return put(t, "/run/cloud-init/result.json", &b, err);
}

/* JSON is YAML: our own reader serves. A file that is not ours to the letter reads as empty. */
static const struct node *read_json(struct ctx *ctx, const char *name, const char *text, size_t len)
{
	struct source *source = ARENA_NEW(ctx->arena, struct source);
	struct diags quiet;
	bool empty;

	diags_init(&quiet, ctx->arena);
	*source = (struct source){ name, arena_strndup(ctx->arena, text, len), len };
	return yaml_read(ctx->arena, &quiet, source, &empty);
}

static void read_list(struct ctx *ctx, const struct node *map, const char *key, struct strings *out)
{
	const struct node *list = map ? node_get(map, key) : NULL;

	for (const struct item *i = list && list->type == NODE_LIST ? list->items : NULL; i; i = i->next)
		if (i->value->type == NODE_SCALAR)
			strings_add(ctx, out, i->value->text);
}

static uint64_t read_time(const struct node *map, const char *key)
{
	const struct node *n = node_get(map, key);

	const char *dot = n && n->type == NODE_SCALAR ? strchr(n->text, '.') : NULL;

	if (!dot || strlen(dot) != 7)
		return 0;
	return strtoull(n->text, NULL, 10) * 1000000 + strtoull(dot + 1, NULL, 10);
}

int status_read(struct ctx *ctx, const struct target *t, struct status *s)
{
	CLEANUP_FREE char *text = NULL;
	const struct node *root;
	const struct node *n;
	size_t len;
	int r = target_read(t, "/run/cloud-init/status.json", STATUS_MAX, &text, &len);

	*s = (struct status){ .datasource = "", .running = -1 };
	if (r < 0)
		return r;
	root = read_json(ctx, "status.json", text, len);
	root = root ? node_get(root, "v1") : NULL;
	if (!root)
		return -EINVAL;
	n = node_get(root, "datasource");
	if (n && n->type == NODE_SCALAR)
		s->datasource = n->text;
	n = node_get(root, "stage");
	for (int i = 0; i < STAGE_COUNT; i++) {
		const struct node *stage = node_get(root, stage_names[i]);
		const struct node *recoverable = stage ? node_get(stage, "recoverable_errors") : NULL;

		if (n && n->type == NODE_SCALAR && !strcmp(n->text, stage_names[i]))
			s->running = i;
		if (!stage)
			continue;
		s->stage[i].start = read_time(stage, "start");
		s->stage[i].finished = read_time(stage, "finished");
		read_list(ctx, stage, "errors", &s->stage[i].errors);
		read_list(ctx, recoverable, "WARNING", &s->stage[i].warnings);
		read_list(ctx, recoverable, "ERROR", &s->stage[i].recovered);
	}
	return 0;
}

void status_add_problems(struct ctx *ctx, const struct target *t, struct status *s)
{
	CLEANUP_FREE char *text = NULL;
	char *save = NULL;

	if (target_read(t, "/run/coracle/problems", PROBLEMS_MAX, &text, NULL) < 0)
		return;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		const struct node *entry = read_json(ctx, "problems", line, strlen(line));
		const struct node *who = entry ? node_get(entry, "component") : NULL;
		const struct node *what = entry ? node_get(entry, "message") : NULL;

		/* our own are in status.json */
		if (!who || !what || who->type != NODE_SCALAR || what->type != NODE_SCALAR || !strcmp(who->text, "config"))
			continue;
		strings_add(ctx, &s->stage[STAGE_FINAL].recovered, arena_printf(ctx->arena, "%s: %s", who->text, what->text));
	}
}
