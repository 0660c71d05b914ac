/* api_prune.c - prune of images, and what takes how much disk (coracle-engine). Trees are measured in children. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api_image.h"
#include "api_shared.h"
#include "engine.h"
#include "fd.h"
#include "filters.h"
#include "gotime.h"
#include "imagegc.h"
#include "imagejob.h"
#include "jw.h"
#include "text.h"

static const char *const image_filters[] = { "dangling", "until", "label", "label!", NULL };

/* -- filters ------------------------------------------------------------- */

/* "24h", "1h30m" or a time: what was made before it may go. Returns 0 or -EINVAL. */
static int parse_until(const char *s, int64_t *ns)
{
	int64_t sum = 0;
	const char *p = s;

	if (gotime_parse(s, ns) == 0)
		return 0;
	while (*p) {
		char *end;
		long long n = strtoll(p, &end, 10);
		int64_t unit = *end == 'h' ? 3600 : *end == 'm' ? 60 : *end == 's' ? 1 : 0;

		if (end == p || n < 0 || n > 1000000 || unit == 0)
			return -EINVAL;
		sum += n * unit;
		p = end + 1;
	}
	*ns = wall_now() - sum * 1000000000;
	return p == s ? -EINVAL : 0;
}

struct rules {
	struct filters f;
	int64_t until;		/* INT64_MAX: any */
};

/* False: answered 400. */
static bool take_rules(struct request *r, const char *const *known, struct rules *out)
{
	struct err err = ERR_INIT;
	char *const *until;

	out->until = INT64_MAX;
	if (filters_parse(&r->mem, api_query(r, "filters"), known, &out->f, &err) < 0) {
		api_error(r, 400, "%s", err.text);
		return false;
	}
	until = filters_get(&out->f, "until");
	if (until && *until && parse_until(*until, &out->until) < 0) {
		api_error(r, 400, "invalid filter 'until=%s'", *until);
		return false;
	}
	return true;
}

static bool has_label(const char *want, const void *arg)
{
	return filters_label(want, (char *const *)(uintptr_t)arg);
}

static bool labels_pass(const struct rules *rules, char *const *labels)
{
	char *const *not = filters_get(&rules->f, "label!");

	for (; not && *not; not++)
		if (filters_label(*not, labels))
			return false;
	return filters_all(&rules->f, "label", has_label, labels);
}

/* -- images -------------------------------------------------------------- */

struct pruned {
	struct buf records;	/* without the closing bracket */
	size_t n;
};

static void sweep(const struct imagejob_io *io, void *arg)
{
	struct pruned *p = arg;
	struct store_swept swept = { 0, 0, 0 };
	struct err err = ERR_INIT;
	int e = store_sweep(engine.store, &swept, &err);
	CLEANUP_BUF struct buf b;

	if (e < 0 && e != -EBUSY) {
		imagejob_fail(io, 500, "%s", err.text);
		return;
	}
	buf_init(&b, API_REPLY_MAX + 256);
	jw_open(&b, '{');
	jw_kraw(&b, "ImagesDeleted", p->n ? p->records.data : "null");
	jw_kint(&b, "SpaceReclaimed", (int64_t)swept.bytes);
	jw_close(&b, '}');
	imagejob_answer(io, b.data, b.len);
}

static char **image_labels(struct arena *mem, const struct store_image *img)
{
	char **v = arena_strv(mem, img->config.label_count);

	for (size_t i = 0; v && i < img->config.label_count; i++)
		v[i] = arena_printf(mem, "%s=%s", img->config.label[i].key, img->config.label[i].value);
	return v;
}

static bool prunable(struct request *r, const struct rules *rules, const struct store_image *img, bool all)
{
	const struct container *user;
	int64_t created = 0;
	char **labels;
	bool runs;

	if (image_users(img, &user, &runs) > 0 || imagegc_is_wanted(img) || (!all && img->name_count > 0))
		return false;
	if (rules->until != INT64_MAX && (gotime_parse(img->config.created, &created) < 0 || created > rules->until))
		return false;
	labels = image_labels(&r->mem, img);
	return labels && labels_pass(rules, labels);
}

static void free_pruned(struct pruned *p)
{
	buf_free(&p->records);
}

void api_images_prune(struct request *r)
{
	struct pruned *p = arena_alloc(&r->mem, sizeof(*p));
	struct store_image **all = NULL;
	struct err err = ERR_INIT;
	struct rules rules;
	char *const *dangling;
	bool every;

	if (!p || !take_rules(r, image_filters, &rules))
		return;
	dangling = filters_get(&rules.f, "dangling");
	every = dangling && *dangling && (strcmp(*dangling, "false") == 0 || strcmp(*dangling, "0") == 0);
	if (store_images(engine.store, &all, &err) < 0) {
		api_error(r, 500, "%s", err.text);
		return;
	}
	imagegc_sweep_later();
	buf_init(&p->records, API_REPLY_MAX);
	jw_open(&p->records, '[');
	for (struct store_image **i = all; *i; i++)
		if (prunable(r, &rules, *i, every) && image_drop(&p->records, *i, &err) == 0)
			p->n++;
	store_images_free(all);
	jw_close(&p->records, ']');
	if (buf_error(&p->records))
		api_error(r, 500, "the reply is too large");
	else
		imagejob_start(r, "application/json", false, sweep, p);
	free_pruned(p);
}

/* -- sizes of trees ------------------------------------------------------ */

/* Bytes of regular files below name. */
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
			sum += (int64_t)st.st_blocks * 512;
	}
	closedir(d);
	return sum;
}

/* There is no builder, and nothing it could have kept. */
void api_build_prune(struct request *r)
{
	struct buf b;

	buf_init(&b, 256);
	buf_puts(&b, "{\"CachesDeleted\":null,\"SpaceReclaimed\":0}");
	api_json(r, 200, &b);
}

/* -- df ------------------------------------------------------------------ */

struct df {
	struct request *r;
	bool images, containers, volumes, build;
};

/* What other images have of it, too. */
static int64_t shared_size(struct store_image *const *all, const struct store_image *img)
{
	int64_t sum = 0;

	for (size_t i = 0; i < img->config.layer_count; i++)
		for (struct store_image *const *o = all; *o; o++)
			if (*o != img && (*o)->config.layer_count > i && strcmp((*o)->chain_id[i], img->chain_id[i]) == 0) {
				sum += (int64_t)store_layer_size(engine.store, img->chain_id[i]);
				break;
			}
	return sum;
}

static void df_images(struct buf *b)
{
	struct store_image **all = NULL;
	uint64_t layers = 0, blobs = 0;
	const struct container *user;
	bool runs;

	store_usage(engine.store, &layers, &blobs, NULL);
	jw_kint(b, "LayersSize", (int64_t)(layers + blobs));
	jw_karr(b, "Images");
	if (store_images(engine.store, &all, NULL) >= 0)
		for (struct store_image **i = all; *i; i++)
			api_image_summary(b, *i, shared_size(all, *i), (int64_t)image_users(*i, &user, &runs));
	store_images_free(all);
	jw_close(b, ']');
}

static bool uses_volume(const struct container *c, const char *name)
{
	for (size_t i = 0; i < c->svc.mount_count; i++)
		if (c->svc.mounts[i].type == MOUNT_VOLUME && c->svc.mounts[i].source && strcmp(c->svc.mounts[i].source, name) == 0)
			return true;
	return false;
}

static void df_volume(struct buf *b, int dir, const char *name)
{
	char path[512], when[GOTIME_MAX];
	int64_t users = 0;
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode))
		return;
	for (const struct container *c = engine.containers; c; c = c->next)
		users += uses_volume(c, name);
	text_set(path, sizeof(path), "%s/_data", name);
	jw_open(b, '{');
	jw_kstr(b, "CreatedAt", gotime_format(st.st_mtim.tv_sec * 1000000000ll, when));
	jw_kstr(b, "Driver", "local");
	jw_kraw(b, "Labels", "null");
	jw_kstr(b, "Name", name);
	jw_kraw(b, "Options", "null");
	jw_kstr(b, "Scope", "local");
	jw_kobj(b, "UsageData");
	jw_kint(b, "RefCount", users);
	jw_kint(b, "Size", tree_size(dir, path, 0));
	jw_close(b, '}');
	text_set(path, sizeof(path), "%s/volumes/%s/_data", store_root(engine.store), name);
	jw_kstr(b, "Mountpoint", path);
	jw_close(b, '}');
}

static void df_volumes(struct buf *b)
{
	char path[512];
	DIR *d;

	text_set(path, sizeof(path), "%s/volumes", store_root(engine.store));
	d = opendir(path);
	jw_karr(b, "Volumes");
	for (struct dirent *e; d && (e = readdir(d));)
		if (e->d_name[0] != '.')
			df_volume(b, dirfd(d), e->d_name);
	if (d)
		closedir(d);
	jw_close(b, ']');
}

static void df(const struct imagejob_io *io, void *arg)
{
	const struct df *o = arg;
	CLEANUP_BUF struct buf b;

	buf_init(&b, API_REPLY_MAX);
	jw_open(&b, '{');
	if (o->images)
		df_images(&b);
	if (o->containers) {
		jw_karr(&b, "Containers");
		for (const struct container *c = engine.containers; c; c = c->next)
			api_container_summary(o->r, &b, c, true);
		jw_close(&b, ']');
	}
	if (o->volumes)
		df_volumes(&b);
	if (o->build)
		jw_kraw(&b, "BuildCache", "[]");
	jw_close(&b, '}');
	if (buf_error(&b))
		imagejob_fail(io, 500, "the reply is too large");
	else
		imagejob_answer(io, b.data, b.len);
}

void api_system_df(struct request *r)
{
	struct df *o = arena_alloc(&r->mem, sizeof(*o));
	size_t n;
	char **types = api_queries(r, "type", 8, &n);

	if (!o || !types)
		return;
	*o = (struct df){ .r = r, .images = n == 0, .containers = n == 0, .volumes = n == 0, .build = n == 0 };
	for (size_t i = 0; i < n; i++) {
		o->images |= strcmp(types[i], "image") == 0;
		o->containers |= strcmp(types[i], "container") == 0;
		o->volumes |= strcmp(types[i], "volume") == 0;
		o->build |= strcmp(types[i], "build-cache") == 0;
	}
	imagejob_start(r, "application/json", false, df, o);
}
