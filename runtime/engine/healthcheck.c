/* healthcheck.c - Docker's rules of healthchecks (coracle-engine). Pure. */
#include "healthcheck.h"

#include <string.h>
#include <yyjson.h>

#include "service_fields.h"

#define DEFAULT_INTERVAL_MS 30000
#define DEFAULT_TIMEOUT_MS 30000
#define DEFAULT_START_INTERVAL_MS 5000
#define DEFAULT_RETRIES 3

static int64_t number(yyjson_val *root, const char *key, int64_t otherwise)
{
	int64_t v = yyjson_get_sint(yyjson_obj_get(root, key));

	return v > 0 ? v : otherwise;
}

static char **command(struct arena *mem, char **test)
{
	char **out;

	if (!test || !test[0] || strcmp(test[0], "NONE") == 0 || !test[1])
		return NULL;
	if (strcmp(test[0], "CMD") == 0)
		return test + 1;
	out = arena_strv(mem, 3);
	if (!out || strcmp(test[0], "CMD-SHELL") != 0)
		return NULL;
	out[0] = arena_strdup(mem, "/bin/sh");
	out[1] = arena_strdup(mem, "-c");
	out[2] = test[1];
	return out[0] && out[1] ? out : NULL;
}

bool healthcheck_parse(struct arena *mem, const char *json, struct healthcheck *out)
{
	yyjson_doc *doc = json ? yyjson_read(json, strlen(json), 0) : NULL;
	yyjson_val *root = yyjson_doc_get_root(doc);

	*out = (struct healthcheck){
		.test = command(mem, service_take_strv(mem, yyjson_obj_get(root, "test"))),
		.interval_ms = number(root, "interval_ms", DEFAULT_INTERVAL_MS), .timeout_ms = number(root, "timeout_ms", DEFAULT_TIMEOUT_MS),
		.start_period_ms = number(root, "start_period_ms", 0),
		.start_interval_ms = number(root, "start_interval_ms", DEFAULT_START_INTERVAL_MS),
		.retries = (int)number(root, "retries", DEFAULT_RETRIES),
	};
	yyjson_doc_free(doc);
	return out->test != NULL;
}

bool healthcheck_step(const struct healthcheck *h, struct health_state *s, bool success, int64_t up_ms)
{
	enum health_status before = s->status;

	if (success) {
		s->streak = 0;
		s->status = HEALTH_HEALTHY;
	} else if (s->status != HEALTH_STARTING || up_ms >= h->start_period_ms) {
		/* while it starts, and its start period lasts, failures do not count */
		s->streak++;
		if (s->streak >= h->retries)
			s->status = HEALTH_UNHEALTHY;
	}
	return s->status != before;
}

int64_t healthcheck_delay(const struct healthcheck *h, const struct health_state *s, int64_t up_ms)
{
	/* 0 is "not asked for" to moby too; the shorter of the two then makes no sense */
	if (s->status == HEALTH_STARTING && up_ms < h->start_period_ms)
		return h->start_interval_ms;
	return h->interval_ms;
}

const char *healthcheck_name(enum health_status s)
{
	static const char *const names[] = { "none", "starting", "healthy", "unhealthy" };

	return names[s];
}
