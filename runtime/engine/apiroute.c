/* apiroute.c - versions and routes of the API (coracle-engine). */
#include "apiroute.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apiint.h"
#include "engine.h"

#define MINOR_MIN 24
#define MINOR_MAX 47

struct route {
	const char *method, *pattern;	/* at most one '*': something without a slash, '@': anything */
	void (*handle)(struct request *r);
};

static const struct route routes[] = {
	{ "GET", "/_ping", api_ping },
	{ "GET", "/version", api_version },
	{ "GET", "/info", api_info },
	{ "GET", "/containers/json", api_containers },
	{ "GET", "/containers/*/json", api_inspect },
	{ "GET", "/containers/*/logs", api_logs },
	{ "POST", "/containers/*/start", api_start },
	{ "POST", "/containers/*/stop", api_stop },
	{ "POST", "/containers/*/restart", api_restart },
	{ "POST", "/containers/*/kill", api_kill },
	{ "POST", "/containers/*/wait", api_wait_container },
	{ "DELETE", "/containers/*", api_remove },
	{ "GET", "/images/json", api_images },
};

/* Of Docker, but not done here. */
static const char *const not_done[] = {
	"/containers/", "/images/", "/volumes", "/networks", "/events", "/exec/", "/build", "/session", "/grpc", "/auth",
	"/commit", "/system/", "/distribution/", "/plugins",
};

static const char *const swarm[] = { "/swarm", "/services", "/nodes", "/tasks", "/secrets", "/configs" };

static bool match(const char *pattern, const char *path, struct arena *mem, const char **arg)
{
	size_t head = strcspn(pattern, "*@"), n = strlen(path), tail;

	if (!pattern[head])
		return strcmp(pattern, path) == 0;
	tail = strlen(pattern + head + 1);
	if (n <= head + tail || strncmp(path, pattern, head) != 0 || strcmp(path + n - tail, pattern + head + 1) != 0)
		return false;
	if (pattern[head] == '*' && memchr(path + head, '/', n - head - tail))
		return false;
	*arg = arena_strndup(mem, path + head, n - head - tail);
	return *arg != NULL;
}

/* False: answered. */
static bool take_version(struct request *r)
{
	int major, minor, used = 0;

	if (sscanf(r->path, "/v%d.%d%n", &major, &minor, &used) != 2 || r->path[used] != '/')
		return true;
	if (major != 1 || minor < MINOR_MIN)
		api_error(r, 400, "client version %d.%d is too old. Minimum supported API version is " API_VERSION_MIN
			  ", please upgrade your client to a newer version", major, minor);
	else if (minor > MINOR_MAX)
		api_error(r, 400, "client version %d.%d is too new. Maximum supported API version is " API_VERSION, major, minor);
	r->path += used;
	return !r->response;
}

static bool begins_with_one(const char *path, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strncmp(path, list[i], strlen(list[i])) == 0)
			return true;
	return false;
}

void api_route(struct request *r)
{
	const char *method = strcmp(r->method, "HEAD") == 0 ? "GET" : r->method;

	if (!take_version(r))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(routes); i++) {
		if (strcmp(routes[i].method, method) == 0 && match(routes[i].pattern, r->path, &r->mem, &r->arg)) {
			routes[i].handle(r);
			return;
		}
	}
	if (begins_with_one(r->path, swarm, ARRAY_SIZE(swarm)))
		api_error(r, 503, "This node is not a swarm manager. Coracle does not do swarm.");
	else if (begins_with_one(r->path, not_done, ARRAY_SIZE(not_done)))
		api_error(r, 501, "Coracle does not do %s %s yet", r->method, r->path);
	else
		api_error(r, 404, "page not found");
}
