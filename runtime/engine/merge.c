/* merge.c - service + image configuration (coracle-engine). Pure. */
#include "merge.h"

#include <errno.h>
#include <string.h>
#include <yyjson.h>

#include "runtime/store/store.h"

/* A deep copy, by way of its text. */
static int copy_service(struct arena *mem, const struct service *svc, struct service *out, struct err *err)
{
	CLEANUP_BUF struct buf b;
	yyjson_doc *doc;
	int r;

	buf_init(&b, SERVICE_ARENA_MAX);
	service_write(&b, svc, true);
	doc = buf_error(&b) ? NULL : yyjson_read(b.data, b.len, 0);
	if (!doc)
		return err_set(err, ENOMEM, "copy service %s", svc->name);
	r = service_parse(mem, yyjson_doc_get_root(doc), out, err);
	yyjson_doc_free(doc);
	return r;
}

static bool same_key(const char *a, const char *b)
{
	size_t n = strcspn(a, "=");

	return strncmp(a, b, n) == 0 && (b[n] == '=' || b[n] == '\0');
}

char **merge_pairs(struct arena *mem, const char *const *base, char *const *over)
{
	char **out = arena_strv(mem, strv_len((char *const *)(uintptr_t)base) + strv_len(over));
	size_t n = 0, own;

	if (!out)
		return NULL;
	for (; base && *base; base++) {
		size_t k = 0;

		while (over && over[k] && !same_key(*base, over[k]))
			k++;
		if (over && over[k])
			continue;
		out[n] = arena_strdup(mem, *base);
		if (!out[n++])
			return NULL;
	}
	own = n;
	for (; over && *over; over++) {
		size_t k = own;

		while (k < n && !same_key(*over, out[k]))
			k++;
		out[k] = arena_strdup(mem, *over);
		if (!out[k])
			return NULL;
		n += k == n;
	}
	return out;
}

static char **copy_strings(struct arena *mem, const struct image_strings *s)
{
	char **out = arena_strv(mem, s->n);

	for (size_t i = 0; out && i < s->n; i++) {
		out[i] = arena_strdup(mem, s->v[i]);
		if (!out[i])
			return NULL;
	}
	return out;
}

static int merge_labels(struct arena *mem, const struct image_config *cfg, struct service *out)
{
	char **base = arena_strv(mem, cfg->label_count);

	for (size_t i = 0; base && i < cfg->label_count; i++) {
		base[i] = arena_printf(mem, "%s=%s", cfg->label[i].key, cfg->label[i].value);
		if (!base[i])
			return -ENOMEM;
	}
	out->labels = base ? merge_pairs(mem, (const char *const *)base, out->labels) : NULL;
	return out->labels ? 0 : -ENOMEM;
}

static bool is_mounted(const struct service *s, const char *target)
{
	for (size_t i = 0; i < s->mount_count; i++)
		if (strcmp(s->mounts[i].target, target) == 0)
			return true;
	return false;
}

static int merge_volumes(struct arena *mem, const struct image_config *cfg, struct service *out)
{
	struct service_mount *all = arena_alloc(mem, (out->mount_count + cfg->volumes.n + 1) * sizeof(*all));

	if (!all)
		return -ENOMEM;
	memcpy(all, out->mounts, out->mount_count * sizeof(*all));
	out->mounts = all;
	for (size_t i = 0; i < cfg->volumes.n; i++) {
		const char *target = cfg->volumes.v[i];
		struct service_mount *m = &all[out->mount_count];

		if (target[0] != '/' || is_mounted(out, target))
			continue;
		m->type = MOUNT_VOLUME;
		m->anonymous = true;
		m->target = arena_strdup(mem, target);
		m->options = arena_strv(mem, 0);
		if (!m->target || !m->options)
			return -ENOMEM;
		out->mount_count++;
	}
	return 0;
}

static int take_text(struct arena *mem, const char *from, char **to)
{
	if (*to || !from[0])
		return 0;
	*to = arena_strdup(mem, from);
	return *to ? 0 : -ENOMEM;
}

static int fill_in(struct arena *mem, const struct image_config *cfg, struct service *out, char ***exposed)
{
	int r = 0;

	if (!out->entrypoint) {
		if (!out->command)
			out->command = copy_strings(mem, &cfg->cmd);
		out->entrypoint = copy_strings(mem, &cfg->entrypoint);
		if (!out->command || !out->entrypoint)
			return -ENOMEM;
	}
	out->environment = merge_pairs(mem, cfg->env.v, out->environment);
	if (!out->environment)
		return -ENOMEM;
	r = r ? r : take_text(mem, cfg->working_dir, &out->working_dir);
	r = r ? r : take_text(mem, cfg->user, &out->user);
	r = r ? r : take_text(mem, cfg->stop_signal, &out->stop_signal);
	r = r ? r : merge_labels(mem, cfg, out);
	r = r ? r : merge_volumes(mem, cfg, out);
	*exposed = copy_strings(mem, &cfg->exposed_ports);
	return *exposed ? r : -ENOMEM;
}

int merge_service(struct arena *mem, const struct service *svc, const struct store_image *img,
	struct service *out, char ***exposed, struct err *err)
{
	int r = copy_service(mem, svc, out, err);

	if (r < 0)
		return r;
	*exposed = arena_strv(mem, 0);
	if (!*exposed)
		return err_set(err, ENOMEM, "service %s", svc->name);
	r = img ? fill_in(mem, &img->config, out, exposed) : 0;
	return r < 0 ? err_set(err, -r, "configuration of image %s", svc->image) : 0;
}
