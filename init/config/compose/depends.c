/* depends.c - depends_on: reading, unknown names, cycles, and who goes with a service that is left out. */
#include <errno.h>
#include <string.h>

#include "../text.h"
#include "compose.h"

struct long_depend {
	const char *condition;
	bool required;
	bool restart;
};

static int read_condition(struct ctx *ctx, const struct node *value, void *out)
{
	static const char *const known[] = { "service_started", "service_completed_successfully", "service_healthy" };

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (!strcmp(value->text, known[i])) {
			*(const char **)out = known[i];
			return 0;
		}
	return diag_at(ctx->diags, DIAG_ERROR, value, "service_started, service_healthy or service_completed_successfully", "%s is not a condition",
		       diag_quote(ctx->arena, value->text, value->len));
}

static const struct key depend_keys[] = {
	KEY("condition", NODE_SCALAR, read_condition, struct long_depend, condition),
	KEY("required", NODE_SCALAR, value_bool, struct long_depend, required),
	KEY("restart", NODE_SCALAR, value_bool, struct long_depend, restart),
};

static const struct schema depend_schema = {
	.what = "depends_on",
	.keys = depend_keys,
	.n_keys = ARRAY_SIZE(depend_keys),
	.unknown = DIAG_ERROR,
	.extensions = true,
};

static int read_one(struct ctx *ctx, const struct item *i, struct compose_depend *d)
{
	struct long_depend f = { .condition = "service_started", .required = true };

	d->at = i->key ? i->key : i->value;
	if (value_line(ctx, d->at, &d->name) < 0)
		return -EINVAL;
	if (i->key && !node_is_null(i->value)) {
		if (i->value->type != NODE_MAP)
			return diag_at(ctx->diags, DIAG_ERROR, i->value, "{condition: service_started}", "depends_on has a mapping for each service");
		if (schema_read(ctx, &depend_schema, i->value, &f))
			return -EINVAL;
	}
	if (f.restart)
		diag_at(ctx->diags, DIAG_WARNING, d->at, NULL, "restart in depends_on is not supported yet by Coracle");
	if (!strcmp(f.condition, "service_healthy"))
		diag_at(ctx->diags, DIAG_WARNING, d->at, NULL, "service_healthy is not supported yet by Coracle: nothing runs health checks, so the start of %s is waited for",
			diag_quote(ctx->arena, d->name, strlen(d->name)));
	d->condition = f.condition;
	d->required = f.required;
	return 0;
}

int compose_read_depends(struct ctx *ctx, const struct node *value, void *out)
{
	struct compose_depend **tail = out;
	int r = 0;

	for (const struct item *i = value->items; i; i = i->next) {
		struct compose_depend *d = ARENA_NEW(ctx->arena, struct compose_depend);

		if (read_one(ctx, i, d) < 0) {
			r = -EINVAL;
			continue;
		}
		*tail = d;
		tail = &d->next;
	}
	return r;
}

static struct compose_service *find_service(const struct compose *c, const char *name)
{
	for (struct compose_service *s = c->services; s; s = s->next)
		if (!strcmp(s->name, name))
			return s;
	return NULL;
}

struct names {
	const struct compose *c;
};

static const char *service_name(size_t i, const void *arg)
{
	const struct compose_service *s = ((const struct names *)arg)->c->services;

	while (s && i-- > 0)
		s = s->next;
	return s ? s->name : NULL;
}

static void check_names(struct ctx *ctx, struct compose *c)
{
	struct names names = { c };

	for (struct compose_service *s = c->services; s; s = s->next) {
		for (struct compose_depend *d = s->depends_on; d; d = d->next) {
			const char *near;

			if (find_service(c, d->name))
				continue;
			near = text_nearest(d->name, strlen(d->name), service_name, &names);
			d->dropped = !d->required;
			s->broken |= d->required;
			diag_at(ctx->diags, d->required ? DIAG_ERROR : DIAG_WARNING, d->at,
				near ? arena_printf(ctx->arena, "did you mean \"%s\"?", near) : NULL, "\"%s\" depends on %s, which is no service",
				s->name, diag_quote(ctx->arena, d->name, strlen(d->name)));
		}
	}
}

enum color { WHITE, GRAY, BLACK };

struct visit {
	struct compose_service *service;
	const struct compose_depend *next;
};

/* Says a -> b -> a and leaves out everyone on the way. path[from] is where it closes. */
static void report_cycle(struct ctx *ctx, struct visit *path, size_t from, size_t depth, const struct compose_depend *last)
{
	const char *text = path[from].service->name;

	for (size_t i = from; i < depth; i++) {
		path[i].service->broken = true;
		if (i > from)
			text = arena_printf(ctx->arena, "%.300s -> %s", text, path[i].service->name);
	}
	diag_at(ctx->diags, DIAG_ERROR, last->at, NULL, "the services depend on each other in a circle: %.300s -> %s; they are left out",
		text, last->name);
}

static size_t service_index(const struct compose *c, const struct compose_service *wanted)
{
	size_t i = 0;

	for (const struct compose_service *s = c->services; s != wanted; s = s->next)
		i++;
	return i;
}

static void walk(struct ctx *ctx, const struct compose *c, struct compose_service *start, unsigned char *colors, struct visit *path)
{
	size_t depth = 0;

	path[depth++] = (struct visit){ .service = start, .next = start->depends_on };
	colors[service_index(c, start)] = GRAY;
	while (depth > 0) {
		struct visit *top = &path[depth - 1];
		const struct compose_depend *d = top->next;
		struct compose_service *to;
		size_t i;

		if (!d) {
			colors[service_index(c, top->service)] = BLACK;
			depth--;
			continue;
		}
		top->next = d->next;
		to = find_service(c, d->name);
		if (!to)
			continue;
		i = service_index(c, to);
		if (colors[i] == WHITE) {
			colors[i] = GRAY;
			path[depth++] = (struct visit){ .service = to, .next = to->depends_on };
		} else if (colors[i] == GRAY) {
			size_t from = 0;

			while (path[from].service != to)
				from++;
			report_cycle(ctx, path, from, depth, d);
		}
	}
}

/* A service whose required dependency is left out would wait for ever: it is left out too. */
void compose_spread_broken(struct ctx *ctx, struct compose *c)
{
	bool changed = true;

	while (changed) {
		changed = false;
		for (struct compose_service *s = c->services; s; s = s->next) {
			for (struct compose_depend *d = s->depends_on; d; d = d->next) {
				const struct compose_service *to = find_service(c, d->name);

				if (s->broken || d->dropped || !to || !to->broken)
					continue;
				changed = true;
				d->dropped = !d->required;
				s->broken |= d->required;
				diag_at(ctx->diags, d->required ? DIAG_ERROR : DIAG_WARNING, d->at, NULL, "\"%s\" %s \"%s\" (line %u), which is left out",
					s->name, d->required ? "is left out: it depends on" : "starts without", to->name, to->at->line);
			}
		}
	}
}

void compose_check_depends(struct ctx *ctx, struct compose *c)
{
	unsigned char *colors;
	struct visit *path;
	size_t n = 0;

	check_names(ctx, c);
	for (const struct compose_service *s = c->services; s; s = s->next)
		n++;
	colors = arena_alloc(ctx->arena, n);
	path = arena_alloc(ctx->arena, n * sizeof(*path));
	for (struct compose_service *s = c->services; s; s = s->next)
		if (colors[service_index(c, s)] == WHITE)
			walk(ctx, c, s, colors, path);
	compose_spread_broken(ctx, c);
}

static void add_depend(struct ctx *ctx, struct compose_service *s, const struct compose_service *on)
{
	struct compose_depend **tail = &s->depends_on;

	for (; *tail; tail = &(*tail)->next)
		if (!strcmp((*tail)->name, on->name)) {
			(*tail)->condition = "service_completed_successfully";
			return;
		}
	*tail = ARENA_NEW(ctx->arena, struct compose_depend);
	**tail = (struct compose_depend){ .at = s->at, .name = on->name, .condition = "service_completed_successfully", .required = true };
}

void compose_order_onboot(struct ctx *ctx, struct compose *c)
{
	struct compose_service *last = NULL;

	for (struct compose_service *s = c->services; s; s = s->next) {
		if (!s->onboot)
			continue;
		if (strcmp(s->restart, "no") != 0) {
			diag_at(ctx->diags, DIAG_ERROR, s->at, "remove restart", "\"%s\" has x-onboot, so it runs once", s->name);
			s->broken = true;
		}
		if (last)
			add_depend(ctx, s, last);
		last = s;
	}
	for (struct compose_service *s = c->services; s && last; s = s->next)
		if (!s->onboot)
			add_depend(ctx, s, last);
}
