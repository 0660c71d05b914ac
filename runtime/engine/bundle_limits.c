/* bundle_limits.c - what a container may use: "resources" of memory, processors and processes, "rlimits", "sysctl"
 * (coracle-engine). Only writes text. Sources: moby daemon/oci_linux.go (WithResources), runtime-spec config-linux. */
#include "bundle.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "jw.h"
#include "text.h"

static void add_memory(struct buf *b, const struct service *s)
{
	if (!s->mem_limit && !s->mem_reservation)
		return;
	jw_kobj(b, "memory");
	if (s->mem_limit) {
		jw_kint(b, "limit", s->mem_limit);
		/* as much swap again as memory, unless it was said otherwise (docker run --memory-swap) */
		jw_kint(b, "swap", s->memswap_limit ? s->memswap_limit : s->mem_limit <= INT64_MAX / 2 ? 2 * s->mem_limit : -1);
	}
	if (s->mem_reservation)
		jw_kint(b, "reservation", s->mem_reservation);
	jw_close(b, '}');
}

static void add_cpu(struct buf *b, const struct service *s)
{
	if (!s->cpu_quota && !s->cpu_period && !s->cpu_shares && !s->cpuset)
		return;
	jw_kobj(b, "cpu");
	if (s->cpu_quota)
		jw_kint(b, "quota", s->cpu_quota);
	if (s->cpu_period)
		jw_kint(b, "period", s->cpu_period);
	if (s->cpu_shares)
		jw_kint(b, "shares", s->cpu_shares);
	if (s->cpuset)
		jw_kstr(b, "cpus", s->cpuset);
	jw_close(b, '}');
}

void bundle_add_resources(struct buf *b, const struct service *s)
{
	add_memory(b, s);
	add_cpu(b, s);
	if (s->pids_limit) {
		jw_kobj(b, "pids");
		jw_kint(b, "limit", s->pids_limit);
		jw_close(b, '}');
	}
}

static void add_rlimit(struct buf *b, const char *type, int64_t soft, int64_t hard)
{
	jw_open(b, '{');
	jw_kstr(b, "type", type);
	/* -1: RLIM_INFINITY, which is an unsigned number to the specification */
	if (soft < 0)
		jw_kraw(b, "soft", "18446744073709551615");
	else
		jw_kint(b, "soft", soft);
	if (hard < 0)
		jw_kraw(b, "hard", "18446744073709551615");
	else
		jw_kint(b, "hard", hard);
	jw_close(b, '}');
}

/* nofile=1024:2048 */
static int add_ulimit(struct buf *b, const char *text, struct err *err)
{
	const char *equals = strchr(text, '=');
	long long soft, hard;
	char type[32], *end;

	if (!equals || equals - text > 20)
		return err_set(err, 0, "ulimits: \"%.60s\" is not NAME=SOFT:HARD", text);
	text_set(type, sizeof(type), "RLIMIT_%.*s", (int)(equals - text), text);
	for (char *p = type; *p; p++)
		*p = (char)toupper((unsigned char)*p);
	soft = strtoll(equals + 1, &end, 10);
	if (*end != ':')
		return err_set(err, 0, "ulimits: \"%.60s\" is not NAME=SOFT:HARD", text);
	hard = strtoll(end + 1, &end, 10);
	if (*end)
		return err_set(err, 0, "ulimits: \"%.60s\" is not NAME=SOFT:HARD", text);
	add_rlimit(b, type, soft, hard);
	return 0;
}

/* Of open files: as systemd and Docker 29, room for servers that raise it, no trap for programs that close every
 * descriptor. On a host that gives us less, what it gives. */
int bundle_add_rlimits(struct buf *b, const struct service *s, struct err *err)
{
	struct rlimit mine;
	rlim_t hard = 524288;
	bool own = false;

	for (char **u = s->ulimits; u && *u; u++)
		own = own || strncmp(*u, "nofile=", 7) == 0;
	if (getrlimit(RLIMIT_NOFILE, &mine) == 0 && mine.rlim_max < hard)
		hard = mine.rlim_max;
	jw_karr(b, "rlimits");
	if (!own)
		add_rlimit(b, "RLIMIT_NOFILE", (int64_t)MIN(hard, 1024), (int64_t)hard);
	for (char **u = s->ulimits; u && *u; u++) {
		int r = add_ulimit(b, *u, err);

		if (r < 0)
			return r;
	}
	jw_close(b, ']');
	return 0;
}

static bool has_key(char *const *pairs, const char *key)
{
	size_t n = strlen(key);

	for (; pairs && *pairs; pairs++)
		if (strncmp(*pairs, key, n) == 0 && (*pairs)[n] == '=')
			return true;
	return false;
}

/* A network of its own: any user may take any port there, and ping, as in Docker. */
void bundle_add_sysctls(struct buf *b, const struct service *s, bool own_network)
{
	static const char *const defaults[][2] = {
		{ "net.ipv4.ip_unprivileged_port_start", "0" }, { "net.ipv4.ping_group_range", "0 2147483647" },
	};

	if (!own_network && !s->sysctls)
		return;
	jw_kobj(b, "sysctl");
	for (size_t i = 0; own_network && i < ARRAY_SIZE(defaults); i++)
		if (!has_key(s->sysctls, defaults[i][0]))
			jw_kstr(b, defaults[i][0], defaults[i][1]);
	for (char **p = s->sysctls; p && *p; p++) {
		char key[256];

		text_set(key, sizeof(key), "%.*s", (int)strcspn(*p, "="), *p);
		jw_kstr(b, key, *p + strcspn(*p, "=") + 1);
	}
	jw_close(b, '}');
}
