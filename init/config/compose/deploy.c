/* deploy.c - deploy: of a service: its limits and its restart policy are done; what is about many machines is named. */
#include <errno.h>
#include <string.h>

#include "../scalar.h"
#include "compose.h"

struct restart_policy {
	const char *condition;
	int64_t max_attempts;
	uint64_t ignored;
};

static int read_condition(struct ctx *ctx, const struct node *value, void *out)
{
	static const char *const conditions[] = { "none", "on-failure", "any" };
	static const char *const policies[] = { "no", "on-failure", "always" };

	for (size_t i = 0; i < ARRAY_SIZE(conditions); i++)
		if (!strcmp(value->text, conditions[i])) {
			*(const char **)out = policies[i];
			return 0;
		}
	return diag_at(ctx->diags, DIAG_ERROR, value, "none, on-failure or any", "%s is not a condition of restart",
		       diag_quote(ctx->arena, value->text, value->len));
}

static const struct key restart_keys[] = {
	KEY("condition", NODE_SCALAR, read_condition, struct restart_policy, condition),
	KEY("max_attempts", NODE_SCALAR, compose_read_count, struct restart_policy, max_attempts),
};
static const struct known_key restart_known[] = { { "delay", DIAG_WARNING, NULL }, { "window", DIAG_WARNING, NULL } };

#define DEPLOY_SCHEMA(label, table, known_table) { \
	.what = label, .keys = table, .n_keys = ARRAY_SIZE(table), .known = known_table, .n_known = ARRAY_SIZE(known_table), \
	.known_why = "is a Compose key that Coracle does not support yet", .unknown = DIAG_ERROR, .extensions = true }

static int read_restart_policy(struct ctx *ctx, const struct node *value, void *out)
{
	static const struct schema schema = DEPLOY_SCHEMA("restart_policy", restart_keys, restart_known);
	struct restart_policy p = { .condition = "always" };
	struct compose_service *s = out;

	if (schema_read(ctx, &schema, value, &p))
		return -EINVAL;
	s->restart = p.condition;
	s->max_retries = !strcmp(p.condition, "on-failure") && p.max_attempts > 0 ? (unsigned)p.max_attempts : 0;
	return 0;
}

static const struct key limit_keys[] = {
	KEY("cpus", NODE_SCALAR, compose_read_cpus, struct compose_service, limits),
	KEY("memory", NODE_SCALAR, compose_read_bytes, struct compose_service, limits.mem_limit),
	KEY("pids", NODE_SCALAR, compose_read_count, struct compose_service, limits.pids_limit),
};
static const struct known_key limit_known[] = { { "devices", DIAG_ERROR, NULL }, { "generic_resources", DIAG_ERROR, NULL } };

static const struct key reservation_keys[] = {
	KEY("memory", NODE_SCALAR, compose_read_bytes, struct compose_service, limits.mem_reservation),
};
static const struct known_key reservation_known[] = {
	{ "cpus", DIAG_WARNING, NULL }, { "pids", DIAG_WARNING, NULL }, { "devices", DIAG_ERROR, NULL }, { "generic_resources", DIAG_ERROR, NULL },
};

static int read_limits(struct ctx *ctx, const struct node *value, void *out)
{
	static const struct schema schema = DEPLOY_SCHEMA("limits", limit_keys, limit_known);

	return schema_read(ctx, &schema, value, out) ? -EINVAL : 0;
}

static int read_reservations(struct ctx *ctx, const struct node *value, void *out)
{
	static const struct schema schema = DEPLOY_SCHEMA("reservations", reservation_keys, reservation_known);

	return schema_read(ctx, &schema, value, out) ? -EINVAL : 0;
}

static const struct key resource_keys[] = {
	{ "limits", NODE_MAP, read_limits, 0 },
	{ "reservations", NODE_MAP, read_reservations, 0 },
};

static int read_resources(struct ctx *ctx, const struct node *value, void *out)
{
	static const struct schema schema = {
		.what = "resources", .keys = resource_keys, .n_keys = ARRAY_SIZE(resource_keys), .unknown = DIAG_ERROR, .extensions = true,
	};

	return schema_read(ctx, &schema, value, out) ? -EINVAL : 0;
}

static int read_mode(struct ctx *ctx, const struct node *value, void *out)
{
	(void)out;
	if (!strcmp(value->text, "replicated") || !strcmp(value->text, "global"))
		return 0;
	return diag_at(ctx->diags, DIAG_ERROR, value, "replicated", "the mode %s is not supported by Coracle",
		       diag_quote(ctx->arena, value->text, value->len));
}

static const struct key deploy_keys[] = {
	{ "resources", NODE_MAP, read_resources, 0 },
	{ "restart_policy", NODE_MAP, read_restart_policy, 0 },
	{ "replicas", NODE_SCALAR, compose_read_scale, 0 },
	{ "mode", NODE_SCALAR, read_mode, 0 },
};
static const struct known_key deploy_known[] = {
	{ "labels", DIAG_WARNING, NULL }, { "endpoint_mode", DIAG_WARNING, NULL }, { "update_config", DIAG_WARNING, NULL },
	{ "rollback_config", DIAG_WARNING, NULL }, { "placement", DIAG_WARNING, NULL },
};

int compose_read_deploy(struct ctx *ctx, const struct node *value, void *out)
{
	static const struct schema schema = DEPLOY_SCHEMA("deploy", deploy_keys, deploy_known);

	return schema_read(ctx, &schema, value, out) ? -EINVAL : 0;
}
