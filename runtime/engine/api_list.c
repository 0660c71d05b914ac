/* api_list.c - GET /containers/json (coracle-engine). */
#include "apiint.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api.h"
#include "api_shared.h"
#include "engine.h"
#include "fd.h"
#include "filters.h"
#include "gotime.h"
#include "jw.h"
#include "text.h"

static const char *const known_filters[] = {
	"id", "name", "label", "status", "exited", "ancestor", "network", "volume", "before", "since", "health",
	"is-task", "expose", "publish", "isolation", NULL,
};

char *api_status_text(const struct container *c, char *out, size_t size)
{
	char time[64];
	int64_t now = wall_now();

	if (c->status == CONTAINER_RUNNING)
		text_set(out, size, "Up %s", gotime_human((now - c->started_ns) / 1000000000, time, sizeof(time)));
	else if (c->status == CONTAINER_RESTARTING)
		text_set(out, size, "Restarting (%d) %s ago", c->exit_code,
			 gotime_human((now - c->finished_ns) / 1000000000, time, sizeof(time)));
	else if (c->status == CONTAINER_REMOVING)
		text_set(out, size, "Removal In Progress");
	else if (c->status == CONTAINER_DEAD)
		text_set(out, size, "Dead");
	else if (c->started_ns == 0)
		text_set(out, size, "Created");
	else if (c->finished_ns == 0)
		out[0] = '\0';
	else
		text_set(out, size, "Exited (%d) %s ago", c->exit_code,
			 gotime_human((now - c->finished_ns) / 1000000000, time, sizeof(time)));
	return out;
}

void api_networks(struct buf *b, const struct container *c)
{
	jw_kobj(b, "Networks");
	jw_kobj(b, c->svc.network_mode);
	jw_kraw(b, "IPAMConfig", "null");
	jw_kraw(b, "Links", "null");
	jw_kraw(b, "Aliases", "null");
	jw_kstr(b, "MacAddress", "");
	jw_kstr(b, "NetworkID", "");
	jw_kstr(b, "EndpointID", "");
	jw_kstr(b, "Gateway", "");
	jw_kstr(b, "IPAddress", "");
	jw_kint(b, "IPPrefixLen", 0);
	jw_kstr(b, "IPv6Gateway", "");
	jw_kstr(b, "GlobalIPv6Address", "");
	jw_kint(b, "GlobalIPv6PrefixLen", 0);
	jw_kraw(b, "DriverOpts", "null");
	jw_kraw(b, "DNSNames", "null");
	jw_close(b, '}');
	jw_close(b, '}');
}

void api_mounts(struct buf *b, const struct container *c)
{
	char path[512];

	jw_karr(b, "Mounts");
	for (size_t i = 0; i < c->svc.mount_count; i++) {
		const struct service_mount *m = &c->svc.mounts[i];

		if (m->type == MOUNT_TMPFS)
			continue;	/* those are in HostConfig.Tmpfs */
		jw_open(b, '{');
		jw_kstr(b, "Type", m->type == MOUNT_BIND ? "bind" : "volume");
		if (m->type == MOUNT_VOLUME) {
			jw_kstr(b, "Name", m->source);
			text_set(path, sizeof(path), "%s/volumes/%s/_data", engine.opt.root, m->source);
		} else {
			text_set(path, sizeof(path), "%s", m->source);
		}
		jw_kstr(b, "Source", path);
		jw_kstr(b, "Destination", m->target);
		if (m->type == MOUNT_VOLUME)
			jw_kstr(b, "Driver", "local");
		jw_kstr(b, "Mode", m->read_only ? "ro" : "");
		jw_kbool(b, "RW", !m->read_only);
		jw_kstr(b, "Propagation", m->type == MOUNT_BIND ? "rprivate" : "");
		jw_close(b, '}');
	}
	jw_close(b, ']');
}

/* Bytes of regular files in the container's upper directory. */
static int64_t tree_size(int dirfd, const char *name, int depth)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	int64_t sum = 0;

	if (!d) {
		fd_close(&fd);
		return 0;
	}
	for (struct dirent *e; depth < 64 && (e = readdir(d));) {
		struct stat st;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
		    fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (S_ISDIR(st.st_mode))
			sum += tree_size(fd, e->d_name, depth + 1);
		else if (S_ISREG(st.st_mode))
			sum += st.st_size;
	}
	closedir(d);
	return sum;
}

void api_sizes(struct buf *b, const struct container *c)
{
	struct store_image *img = NULL;
	int64_t rw, image = 0;
	char path[512];

	rw = tree_size(AT_FDCWD, engine_container_path(c->id, "upper", path, sizeof(path)), 0);
	if (c->image_id[0] && store_image_lookup(engine.store, c->image_id, &img, NULL) == 0)
		image = (int64_t)img->size;
	store_image_free(img);
	jw_kint(b, "SizeRw", rw);
	jw_kint(b, "SizeRootFs", rw + image);
}

char *api_command(const struct container *c, struct arena *mem)
{
	CLEANUP_BUF struct buf b;

	buf_init(&b, 65536);
	for (int part = 0; part < 2; part++) {
		for (char **a = part ? c->svc.command : c->svc.entrypoint; a && *a; a++) {
			const char *quote = b.len > 0 && strchr(*a, ' ') ? "'" : "";

			buf_printf(&b, "%s%s%s%s", b.len > 0 ? " " : "", quote, *a, quote);
		}
	}
	return buf_error(&b) ? arena_strdup(mem, "") : arena_strdup(mem, b.data);
}

static void add_one(struct request *r, struct buf *b, const struct container *c, bool size)
{
	char text[512];

	jw_open(b, '{');
	jw_kstr(b, "Id", c->id);
	jw_karr(b, "Names");
	text_set(text, sizeof(text), "/%s", c->svc.container_name);
	jw_str(b, text);
	jw_close(b, ']');
	jw_kstr(b, "Image", api_familiar(c->svc.image, text, sizeof(text)));
	jw_kstr(b, "ImageID", c->image_id);
	jw_kstr(b, "Command", api_command(c, &r->mem));
	jw_kint(b, "Created", c->created_ns / 1000000000);
	jw_kraw(b, "Ports", "[]");
	if (size)
		api_sizes(b, c);
	jw_kmap(b, "Labels", c->svc.labels);
	jw_kstr(b, "State", container_status_name(c->status));
	jw_kstr(b, "Status", api_status_text(c, text, sizeof(text)));
	jw_kobj(b, "HostConfig");
	jw_kstr(b, "NetworkMode", c->svc.network_mode);
	jw_close(b, '}');
	jw_kobj(b, "NetworkSettings");
	api_networks(b, c);
	jw_close(b, '}');
	api_mounts(b, c);
	jw_close(b, '}');
}

/* -- filters ------------------------------------------------------------- */

static bool match_id(const char *want, const void *arg)
{
	const struct container *c = arg;

	return strncmp(c->id, want, strlen(want)) == 0;
}

static bool match_name(const char *want, const void *arg)
{
	const struct container *c = arg;
	char slashed[300];

	text_set(slashed, sizeof(slashed), "/%s", c->svc.container_name);
	return filters_regex(want, slashed) || filters_regex(want, c->svc.container_name);
}

static bool match_label(const char *want, const void *arg)
{
	return filters_label(want, ((const struct container *)arg)->svc.labels);
}

static bool match_status(const char *want, const void *arg)
{
	return strcmp(want, container_status_name(((const struct container *)arg)->status)) == 0;
}

static bool match_exited(const char *want, const void *arg)
{
	const struct container *c = arg;

	return c->status == CONTAINER_EXITED && atoi(want) == c->exit_code;
}

static bool match_ancestor(const char *want, const void *arg)
{
	const struct container *c = arg;
	char mine[512], theirs[512];

	if (strncmp(want, "sha256:", 7) == 0)
		return strcmp(want, c->image_id) == 0;
	return strcmp(api_familiar(want, theirs, sizeof(theirs)), api_familiar(c->svc.image, mine, sizeof(mine))) == 0 ||
	       (strlen(want) >= 4 && c->image_id[0] && strncmp(c->image_id + 7, want, strlen(want)) == 0);
}

static bool match_network(const char *want, const void *arg)
{
	return strcmp(want, ((const struct container *)arg)->svc.network_mode) == 0;
}

static bool match_volume(const char *want, const void *arg)
{
	const struct container *c = arg;

	for (size_t i = 0; i < c->svc.mount_count; i++)
		if ((c->svc.mounts[i].source && strcmp(c->svc.mounts[i].source, want) == 0) ||
		    strcmp(c->svc.mounts[i].target, want) == 0)
			return true;
	return false;
}

static bool match_health(const char *want, const void *arg)
{
	(void)arg;
	return strcmp(want, "none") == 0;
}

static bool match_task(const char *want, const void *arg)
{
	(void)arg;
	return strcmp(want, "false") == 0;
}

static bool match_nothing(const char *want, const void *arg)
{
	(void)want;
	(void)arg;
	return false;
}

static bool passes(const struct filters *f, const struct container *c)
{
	return filters_any(f, "id", match_id, c) && filters_any(f, "name", match_name, c) &&
	       filters_all(f, "label", match_label, c) && filters_any(f, "status", match_status, c) &&
	       filters_any(f, "exited", match_exited, c) && filters_any(f, "ancestor", match_ancestor, c) &&
	       filters_any(f, "network", match_network, c) && filters_any(f, "volume", match_volume, c) &&
	       filters_any(f, "health", match_health, c) && filters_any(f, "is-task", match_task, c) &&
	       filters_any(f, "expose", match_nothing, c) && filters_any(f, "publish", match_nothing, c);
}

/* before and since name a container; false: answered 404. */
static bool take_edge(struct request *r, const struct filters *f, const char *key, int64_t *created)
{
	char *const *v = filters_get(f, key);
	struct container *c;
	bool ambiguous;

	if (!v || !*v)
		return true;
	c = container_find(*v, &ambiguous);
	if (c)
		*created = c->created_ns;
	else
		api_error(r, 404, "No such container: %s", *v);
	return c != NULL;
}

static bool check_status(struct request *r, const struct filters *f)
{
	for (char *const *v = filters_get(f, "status"); v && *v; v++) {
		int s = CONTAINER_CREATED;

		while (s <= (int)CONTAINER_DEAD && strcmp(*v, container_status_name((enum container_status)s)) != 0)
			s++;
		if (s > (int)CONTAINER_DEAD) {
			api_error(r, 400, "invalid filter 'status=%s'", *v);
			return false;
		}
	}
	return true;
}

/* Newest first, as dockerd lists them. */
void api_containers(struct request *r)
{
	const char *limit_text = api_query(r, "limit");
	long limit = limit_text ? strtol(limit_text, NULL, 10) : 0, shown = 0;
	int64_t before = INT64_MAX, since = 0;
	struct err err = ERR_INIT;
	size_t n = 0;
	struct filters f;
	struct container **all;
	struct buf b;
	bool everything;

	if (filters_parse(&r->mem, api_query(r, "filters"), known_filters, &f, &err) < 0) {
		api_error(r, 400, "%s", err.text);
		return;
	}
	if (!check_status(r, &f) || !take_edge(r, &f, "before", &before) || !take_edge(r, &f, "since", &since))
		return;
	everything = api_flag(r, "all") || limit > 0 || filters_get(&f, "status") || filters_get(&f, "exited");
	for (struct container *c = engine.containers; c; c = c->next)
		n++;
	all = arena_alloc(&r->mem, (n + 1) * sizeof(*all));
	if (!all)
		return;
	for (struct container *c = engine.containers; c; c = c->next)
		all[--n] = c;
	buf_init(&b, API_REPLY_MAX);
	jw_open(&b, '[');
	for (; *all && (limit <= 0 || shown < limit); all++) {
		if (!everything && (*all)->status != CONTAINER_RUNNING && (*all)->status != CONTAINER_PAUSED &&
		    (*all)->status != CONTAINER_RESTARTING)
			continue;
		if ((*all)->created_ns >= before || (*all)->created_ns <= since || !passes(&f, *all))
			continue;
		add_one(r, &b, *all, api_flag(r, "size"));
		shown++;
	}
	jw_close(&b, ']');
	api_json(r, 200, &b);
}
