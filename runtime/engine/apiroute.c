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
	{ "POST", "/containers/create", api_create },
	{ "POST", "/containers/*/attach", api_attach },
	{ "POST", "/containers/*/resize", api_resize },
	{ "GET", "/events", api_events },
	{ "POST", "/containers/*/exec", api_exec_create },
	{ "POST", "/exec/*/start", api_exec_start },
	{ "POST", "/exec/*/resize", api_exec_resize },
	{ "GET", "/exec/*/json", api_exec_inspect },
	{ "GET", "/containers/*/top", api_top },
	{ "POST", "/containers/*/rename", api_rename },
	{ "POST", "/containers/*/pause", api_pause },
	{ "POST", "/containers/*/unpause", api_unpause },
	{ "POST", "/containers/*/update", api_update },
	{ "GET", "/containers/*/stats", api_stats },
	{ "POST", "/containers/prune", api_prune_containers },
	{ "GET", "/networks", api_network_list },
	{ "POST", "/networks/create", api_network_create },
	{ "POST", "/networks/prune", api_network_prune },
	{ "POST", "/networks/*/connect", api_network_connect },
	{ "POST", "/networks/*/disconnect", api_network_disconnect },
	{ "GET", "/networks/*", api_network_inspect },
	{ "DELETE", "/networks/*", api_network_remove },
	{ "GET", "/volumes", api_volumes },
	{ "POST", "/volumes/create", api_volume_create },
	{ "POST", "/volumes/prune", api_volume_prune },
	{ "GET", "/volumes/*", api_volume_inspect },
	{ "DELETE", "/volumes/*", api_volume_remove },
	{ "GET", "/images/json", api_images },
	{ "GET", "/images/get", api_save },
	{ "GET", "/images/@/get", api_save_one },
	{ "GET", "/images/@/json", api_image_inspect },
	{ "GET", "/images/@/history", api_image_history },
	{ "POST", "/images/load", api_load },
	{ "POST", "/images/create", api_images_create },
	{ "POST", "/images/prune", api_images_prune },
	{ "POST", "/images/@/tag", api_image_tag },
	{ "DELETE", "/images/@", api_image_remove },
	{ "GET", "/containers/*/export", api_export },
	{ "POST", "/commit", api_commit },
	{ "POST", "/build/prune", api_build_prune },
	{ "GET", "/system/df", api_system_df },
};

/* Those whose body is taken as it comes, before the request is dispatched. */
static const struct route bodies[] = {
	{ "POST", "/images/load", api_load_body },
	{ "POST", "/images/create", api_import_body },
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

	r->minor = MINOR_MAX;
	if (sscanf(r->path, "/v%d.%d%n", &major, &minor, &used) != 2 || r->path[used] != '/')
		return true;
	if (major != 1 || minor < MINOR_MIN)
		api_error(r, 400, "client version %d.%d is too old. Minimum supported API version is " API_VERSION_MIN
			  ", please upgrade your client to a newer version", major, minor);
	else if (minor > MINOR_MAX)
		api_error(r, 400, "client version %d.%d is too new. Maximum supported API version is " API_VERSION, major, minor);
	r->minor = minor;
	r->path += used;
	return !r->response;
}

static void cut_version(struct request *r)
{
	int major, minor, used = 0;

	if (sscanf(r->path, "/v%d.%d%n", &major, &minor, &used) == 2 && r->path[used] == '/')
		r->path += used;
}

void api_route_body(struct request *r)
{
	char *path = r->path;

	cut_version(r);
	for (size_t i = 0; i < ARRAY_SIZE(bodies); i++)
		if (strcmp(bodies[i].method, r->method) == 0 && match(bodies[i].pattern, r->path, &r->mem, &r->arg))
			bodies[i].handle(r);
	r->path = path;
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
