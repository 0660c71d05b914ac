/* health.c - healthcheck of a service: read and checked, and carried to the engine. */
#include <errno.h>
#include <string.h>

#include "compose.h"

/* text, [CMD, word...], [CMD-SHELL, text] or [NONE] */
static int read_test(struct ctx *ctx, const struct node *value, void *out)
{
	struct strings *test = out;
	const char *first;

	if (value->type == NODE_SCALAR) {
		const char *text;

		if (value_text(ctx, value, &text) < 0)
			return -EINVAL;
		strings_add(ctx, test, "CMD-SHELL");
		strings_add(ctx, test, text);
		return 0;
	}
	if (value_strings(ctx, value, test) < 0)
		return -EINVAL;
	first = test->n ? test->v[0] : "";
	if ((!strcmp(first, "NONE") && test->n == 1) || (!strcmp(first, "CMD") && test->n > 1) || (!strcmp(first, "CMD-SHELL") && test->n == 2))
		return 0;
	return diag_at(ctx->diags, DIAG_ERROR, value, "[CMD, word...], [CMD-SHELL, text] or [NONE]", "this is not a test of a healthcheck");
}

static int read_retries(struct ctx *ctx, const struct node *value, void *out)
{
	int64_t n = 0;

	if (compose_read_count(ctx, value, &n) < 0)
		return -EINVAL;
	if (n < 0)
		return diag_at(ctx->diags, DIAG_ERROR, value, NULL, "%s is not a whole number", diag_quote(ctx->arena, value->text, value->len));
	*(uint64_t *)out = (uint64_t)n;
	return 0;
}

static const struct key health_keys[] = {
	KEY("test", NODE_SCALAR | NODE_LIST, read_test, struct compose_health, test),
	KEY("interval", NODE_SCALAR, value_duration, struct compose_health, interval_ms),
	KEY("timeout", NODE_SCALAR, value_duration, struct compose_health, timeout_ms),
	KEY("retries", NODE_SCALAR, read_retries, struct compose_health, retries),
	KEY("start_period", NODE_SCALAR, value_duration, struct compose_health, start_period_ms),
	KEY("start_interval", NODE_SCALAR, value_duration, struct compose_health, start_interval_ms),
	KEY("disable", NODE_SCALAR, value_bool, struct compose_health, disable),
};

int compose_read_health(struct ctx *ctx, const struct node *value, void *out)
{
	static const struct schema schema = {
		.what = "a healthcheck", .keys = health_keys, .n_keys = ARRAY_SIZE(health_keys), .unknown = DIAG_ERROR, .extensions = true,
	};
	struct compose_health *h = out;

	*h = (struct compose_health){ .at = value, .interval_ms = 30000, .timeout_ms = 30000, .retries = 3, .start_interval_ms = 5000 };
	if (schema_read(ctx, &schema, value, h))
		return -EINVAL;
	if (h->disable || (h->test.n && !strcmp(h->test.v[0], "NONE"))) {
		h->test = (struct strings){ NULL, 0 };
		strings_add(ctx, &h->test, "NONE");
		return 0;
	}
	diag_at(ctx->diags, DIAG_WARNING, value, NULL, "healthcheck is not supported yet by Coracle; the container runs unwatched");
	return 0;
}
