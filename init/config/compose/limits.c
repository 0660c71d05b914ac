/* limits.c - what a service may use: memory, processors, processes, ulimits, sysctls, and the same again under deploy. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "../scalar.h"
#include "compose.h"

static int bad(struct ctx *ctx, const struct node *value, const char *hint, const char *what)
{
	return diag_at(ctx->diags, DIAG_ERROR, value, hint, "%s is not %s", diag_quote(ctx->arena, value->text, value->len), what);
}

/* go-units RAMInBytes: a number, perhaps a fraction, and k m g t p with or without i and b; each step is 1024. */
int compose_bytes(const char *text, int64_t *out)
{
	size_t whole = strspn(text, "0123456789");
	const char *p = text + whole;
	uint64_t value = 0, fraction = 0, scale = 1;
	static const char units[] = "kmgtp";
	unsigned shift = 0;

	if (whole == 0 || whole > 18)
		return -EINVAL;
	for (size_t i = 0; i < whole; i++)
		value = value * 10 + (uint64_t)(text[i] - '0');
	if (*p == '.') {
		for (p++; *p >= '0' && *p <= '9'; p++)
			if (scale < 1000000) {
				fraction = fraction * 10 + (uint64_t)(*p - '0');
				scale *= 10;
			}
	}
	p += *p == ' ';
	for (size_t i = 0; *p && i < 5; i++)
		if ((*p | 32) == units[i])
			shift = (unsigned)(i + 1) * 10;
	p += shift > 0;
	p += shift > 0 && (*p | 32) == 'i';
	p += (*p | 32) == 'b';
	if (*p || value > (uint64_t)INT64_MAX >> shift)
		return -EINVAL;
	/* in two steps: the fraction times 2^50 is more than 64 bits hold */
	*out = (int64_t)((value << shift) + (shift >= 20 ? ((fraction << 20) / scale) << (shift - 20) : (fraction << shift) / scale));
	return 0;
}

int compose_read_bytes(struct ctx *ctx, const struct node *value, void *out)
{
	if (!strcmp(value->text, "-1")) {
		*(int64_t *)out = -1;
		return 0;
	}
	if (compose_bytes(value->text, out) < 0)
		return bad(ctx, value, "such as 64m or 1.5g", "a size");
	return 0;
}

int compose_read_count(struct ctx *ctx, const struct node *value, void *out)
{
	uint64_t n;

	if (!strcmp(value->text, "-1")) {
		*(int64_t *)out = -1;
		return 0;
	}
	if (scalar_uint(value->text, INT32_MAX, &n) < 0)
		return bad(ctx, value, NULL, "a whole number");
	*(int64_t *)out = (int64_t)n;
	return 0;
}

/* A number of them, or a duration such as 50ms. */
int compose_read_microseconds(struct ctx *ctx, const struct node *value, void *out)
{
	uint64_t n;

	if (scalar_uint(value->text, INT32_MAX, &n) < 0) {
		if (scalar_duration(value->text, &n) < 0 || n > 1000000)
			return bad(ctx, value, "such as 50000", "a number of microseconds");
		n *= 1000;
	}
	*(int64_t *)out = (int64_t)n;
	return 0;
}

/* 0.5 processors are 50 ms of each 100 ms, as in Docker. */
int compose_read_cpus(struct ctx *ctx, const struct node *value, void *out)
{
	struct compose_limits *l = out;
	size_t whole = strspn(value->text, "0123456789");
	const char *p = value->text + whole;
	int64_t n = 0, step = 100000;

	for (size_t i = 0; i < whole && i < 5; i++)
		n = n * 10 + (value->text[i] - '0');
	n *= step;
	if (*p == '.')
		for (p++; *p >= '0' && *p <= '9'; p++)
			n += (*p - '0') * (step /= 10);
	if (*p || whole > 5 || p == value->text || (whole == 0 && p == value->text + 1))
		return bad(ctx, value, "such as 0.5", "a number of processors");
	if (n > 0 && n < 1000)
		return bad(ctx, value, "at least 0.01", "enough of a processor for the kernel");
	l->cpu_quota = n;
	l->cpu_period = n ? 100000 : 0;
	return 0;
}

/* 0-3,5 */
int compose_read_cpuset(struct ctx *ctx, const struct node *value, void *out)
{
	const char *p = value->text;

	do {
		size_t n = strspn(p, "0123456789");

		if (n == 0 || n > 5)
			return bad(ctx, value, "such as 0-3,5", "a list of processors");
		p += n;
		if (*p == '-') {
			n = strspn(++p, "0123456789");
			if (n == 0 || n > 5)
				return bad(ctx, value, "such as 0-3,5", "a list of processors");
			p += n;
		}
	} while (*p == ',' && *++p);
	if (*p || p == value->text || p[-1] == ',')
		return bad(ctx, value, "such as 0-3,5", "a list of processors");
	*(const char **)out = value->text;
	return 0;
}

int compose_read_oom_score(struct ctx *ctx, const struct node *value, void *out)
{
	bool minus = value->text[0] == '-';
	uint64_t n;

	if (scalar_uint(value->text + minus, 1000, &n) < 0)
		return bad(ctx, value, "-1000 to 1000", "a score");
	*(int64_t *)out = minus ? -(int64_t)n : (int64_t)n;
	return 0;
}

/* -1: no limit */
static int read_limit(struct ctx *ctx, const struct node *value, void *out)
{
	uint64_t n = 0;

	if (strcmp(value->text, "-1") != 0 && scalar_uint(value->text, INT64_MAX, &n) < 0)
		return bad(ctx, value, NULL, "a limit");
	*(const char **)out = value->text;
	return 0;
}

struct ulimit {
	const char *soft;
	const char *hard;
};

static const struct key ulimit_keys[] = {
	KEY("soft", NODE_SCALAR, read_limit, struct ulimit, soft),
	KEY("hard", NODE_SCALAR, read_limit, struct ulimit, hard),
};

static const struct schema ulimit_schema = {
	.what = "a ulimit", .keys = ulimit_keys, .n_keys = ARRAY_SIZE(ulimit_keys), .unknown = DIAG_ERROR, .extensions = true,
};

static bool more(const char *a, const char *b)
{
	uint64_t x = UINT64_MAX, y = UINT64_MAX;

	scalar_uint(a, INT64_MAX, &x);
	scalar_uint(b, INT64_MAX, &y);
	return x > y;
}

static int read_ulimit(struct ctx *ctx, const struct item *i, struct strings *out)
{
	static const char *const names[] = {
		"as", "core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc", "rss", "rtprio", "rttime",
		"sigpending", "stack",
	};
	struct ulimit u = { NULL, NULL };
	size_t n = 0;

	while (n < ARRAY_SIZE(names) && strcmp(names[n], i->key->text) != 0)
		n++;
	if (n == ARRAY_SIZE(names))
		return bad(ctx, i->key, "such as nofile, nproc or memlock", "a ulimit");
	if (i->value->type == NODE_LIST)
		return diag_at(ctx->diags, DIAG_ERROR, i->value, "{soft: 1024, hard: 4096}", "a ulimit is a number or a mapping, not a list");
	if (i->value->type == NODE_SCALAR) {
		if (read_limit(ctx, i->value, &u.soft) < 0)
			return -EINVAL;
		u.hard = u.soft;
	} else if (schema_read(ctx, &ulimit_schema, i->value, &u)) {
		return -EINVAL;
	}
	if (!u.soft || !u.hard)
		return diag_at(ctx->diags, DIAG_ERROR, i->value, "{soft: 1024, hard: 4096}", "the ulimit %s needs soft and hard", names[n]);
	if (more(u.soft, u.hard))
		return diag_at(ctx->diags, DIAG_ERROR, i->value, NULL, "the soft limit of %s is above the hard one", names[n]);
	strings_add(ctx, out, arena_printf(ctx->arena, "%s=%s:%s", names[n], u.soft, u.hard));
	return 0;
}

int compose_read_ulimits(struct ctx *ctx, const struct node *value, void *out)
{
	int r = 0;

	for (const struct item *i = value->items; i; i = i->next)
		if (read_ulimit(ctx, i, out) < 0)
			r = -EINVAL;
	return r;
}

/* Only those that belong to a container's own namespaces; any other would be the machine's. */
static bool is_namespaced(const char *name)
{
	static const char *const own[] = {
		"net.", "fs.mqueue.", "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall", "kernel.shmmax",
		"kernel.shmmni", "kernel.shm_rmid_forced",
	};

	for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
		size_t n = strlen(own[i]);

		if (!strncmp(name, own[i], n) && (own[i][n - 1] == '.' ? name[n] != '\0' : !name[n]))
			return true;
	}
	return false;
}

int compose_read_sysctls(struct ctx *ctx, const struct node *value, void *out)
{
	struct strings pairs = { NULL, 0 };
	const struct item *item = value->items;
	int r = compose_read_labels(ctx, value, &pairs);

	for (size_t i = 0; r == 0 && i < pairs.n; i += 2, item = item ? item->next : NULL) {
		const char *name = pairs.v[i];
		const struct node *at = !item ? value : item->key ? item->key : item->value;

		if (strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./") != strlen(name) || strstr(name, ".."))
			r = bad(ctx, at, "such as net.core.somaxconn", "a sysctl");
		else if (!is_namespaced(name))
			r = diag_at(ctx->diags, DIAG_ERROR, at, "net.*, fs.mqueue.*, kernel.msg*, kernel.sem and kernel.shm* can be set",
				    "the sysctl %s is the whole machine's, not a container's", diag_quote(ctx->arena, name, strlen(name)));
		else if (strpbrk(pairs.v[i + 1], "\r\n"))
			r = diag_at(ctx->diags, DIAG_ERROR, at, NULL, "line breaks are not allowed in a sysctl");
		strings_add(ctx, out, name);
		strings_add(ctx, out, pairs.v[i + 1]);
	}
	return r;
}

int compose_read_scale(struct ctx *ctx, const struct node *value, void *out)
{
	(void)out;
	if (strcmp(value->text, "1") != 0)
		return diag_at(ctx->diags, DIAG_ERROR, value, "1; write the service down several times", "Coracle runs one container of each service, not %s",
			       diag_quote(ctx->arena, value->text, value->len));
	return 0;
}

/* The kernel refuses these when the container starts; here they have a place. */
unsigned compose_check_limits(struct ctx *ctx, struct compose_service *s)
{
	struct compose_limits *l = &s->limits;
	const char *why = NULL;

	if (l->mem_limit > 0 && l->mem_limit < 6 << 20)
		why = "mem_limit is less than 6 MiB: no container starts in that";
	else if (l->memswap_limit > 0 && l->mem_limit <= 0)
		why = "memswap_limit needs mem_limit";
	else if (l->memswap_limit > 0 && l->memswap_limit < l->mem_limit)
		why = "memswap_limit counts memory too: it cannot be less than mem_limit";
	else if (l->mem_reservation > 0 && l->mem_limit > 0 && l->mem_reservation > l->mem_limit)
		why = "mem_reservation is more than mem_limit";
	else if (l->cpu_period && (l->cpu_period < 1000 || l->cpu_period > 1000000))
		why = "cpu_period is between 1000 and 1000000 microseconds";
	else if (l->cpu_quota && l->cpu_quota < 1000)
		why = "cpu_quota is at least 1000 microseconds";
	else if (l->cpu_shares && (l->cpu_shares < 2 || l->cpu_shares > 262144))
		why = "cpu_shares is between 2 and 262144";
	else if (l->shm_size < 0 || l->mem_reservation < 0)
		why = "only memswap_limit and mem_limit can be -1";
	if (!why)
		return 0;
	diag_at(ctx->diags, DIAG_ERROR, s->at, NULL, "%s", why);
	return 1;
}
