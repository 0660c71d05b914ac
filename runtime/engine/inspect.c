/* inspect.c - HostConfig and Config as create takes them (coracle-engine). Pure. */
#include "inspect.h"

#include <stdlib.h>
#include <string.h>
#include <yyjson.h>

#include "jw.h"
#include "text.h"

static bool has(const struct service_mount *m, const char *word)
{
	for (char **o = m->options; o && *o; o++)
		if (strcmp(*o, word) == 0)
			return true;
	return false;
}

/* It came by --mount, as -v cannot say it. */
static bool is_mount(const struct service_mount *m)
{
	return m->type == MOUNT_IMAGE || has(m, m->type == MOUNT_TMPFS ? "mount" : "nocreate");
}

static char *join(struct arena *mem, const struct service_mount *m, bool read_only)
{
	CLEANUP_BUF struct buf b = { 0 };

	buf_init(&b, 4096);
	for (char **o = m->options; o && *o; o++)
		if (strcmp(*o, "ro") != 0)
			buf_printf(&b, "%s%s", b.len ? "," : "", *o);
	if (read_only)
		buf_printf(&b, "%sro", b.len ? "," : "");
	return arena_strdup(mem, b.data);
}

static void add_binds(struct buf *b, struct arena *mem, const struct service *s)
{
	bool any = false;

	for (size_t i = 0; i < s->mount_count; i++) {
		const struct service_mount *m = &s->mounts[i];
		const char *mode;

		if (m->type == MOUNT_TMPFS || m->anonymous || is_mount(m))
			continue;
		if (!any)
			jw_karr(b, "Binds");
		any = true;
		mode = join(mem, m, m->read_only);
		jw_str(b, arena_printf(mem, "%s:%s%s%s", m->source, m->target, mode && mode[0] ? ":" : "", mode ? mode : ""));
	}
	if (any)
		jw_close(b, ']');
	else
		jw_kraw(b, "Binds", "null");
}

static void add_tmpfs(struct buf *b, struct arena *mem, const struct service *s)
{
	bool any = false;

	for (size_t i = 0; i < s->mount_count; i++) {
		if (s->mounts[i].type != MOUNT_TMPFS || is_mount(&s->mounts[i]))
			continue;
		if (!any)
			jw_kobj(b, "Tmpfs");
		any = true;
		jw_kstr(b, s->mounts[i].target, join(mem, &s->mounts[i], s->mounts[i].read_only));
	}
	if (any)
		jw_close(b, '}');
}

static void add_tmpfs_options(struct buf *b, const struct service_mount *m)
{
	jw_kobj(b, "TmpfsOptions");
	for (char **o = m->options; o && *o; o++) {
		if (strncmp(*o, "size=", 5) == 0)
			jw_kint(b, "SizeBytes", strtoll(*o + 5, NULL, 10));
		else if (strncmp(*o, "mode=", 5) == 0)
			jw_kint(b, "Mode", strtoll(*o + 5, NULL, 8));
	}
	jw_close(b, '}');
}

static void add_one_mount(struct buf *b, const struct service_mount *m)
{
	jw_open(b, '{');
	jw_kstr(b, "Type", m->type == MOUNT_BIND ? "bind" : m->type == MOUNT_TMPFS ? "tmpfs" : m->type == MOUNT_IMAGE ? "image" : "volume");
	if (m->source)
		jw_kstr(b, "Source", m->source);
	jw_kstr(b, "Target", m->target);
	if (m->read_only)
		jw_kbool(b, "ReadOnly", true);
	if (m->type == MOUNT_TMPFS) {
		add_tmpfs_options(b, m);
	} else if (m->type == MOUNT_BIND) {
		for (char **o = m->options; o && *o; o++) {
			if (strcmp(*o, "nocreate") == 0)
				continue;
			jw_kobj(b, "BindOptions");
			jw_kstr(b, "Propagation", *o);
			jw_close(b, '}');
			break;
		}
	}
	jw_close(b, '}');
}

void inspect_mounts(struct buf *b, struct arena *mem, const struct service *s)
{
	bool any = false;

	add_binds(b, mem, s);
	add_tmpfs(b, mem, s);
	for (size_t i = 0; i < s->mount_count; i++) {
		if (!is_mount(&s->mounts[i]))
			continue;
		if (!any)
			jw_karr(b, "Mounts");
		any = true;
		add_one_mount(b, &s->mounts[i]);
	}
	if (any)
		jw_close(b, ']');
}

static void add_json(struct buf *b, yyjson_val *obj, const char *key, const char *otherwise)
{
	yyjson_val *v = yyjson_obj_get(obj, key);
	char *text = v ? yyjson_val_write(v, 0, NULL) : NULL;

	jw_kraw(b, key, text ? text : otherwise);
	free(text);
}

void inspect_networking(struct buf *b, const struct service *s)
{
	yyjson_doc *doc = s->networking ? yyjson_read(s->networking, strlen(s->networking), 0) : NULL;
	yyjson_val *root = yyjson_doc_get_root(doc);

	if (strcmp(s->network_mode, "none") != 0)
		jw_kstr(b, "NetworkMode", s->network_mode);
	else
		add_json(b, root, "NetworkMode", "\"none\"");
	add_json(b, root, "PortBindings", "{}");
	add_json(b, root, "PublishAllPorts", "false");
	add_json(b, root, "Links", "null");
	yyjson_doc_free(doc);
}

void inspect_blkio(struct buf *b, const struct service *s)
{
	static const char *const keys[] = { "BlkioWeightDevice", "BlkioDeviceReadBps", "BlkioDeviceWriteBps", "BlkioDeviceReadIOps", "BlkioDeviceWriteIOps" };
	yyjson_doc *doc = s->blkio ? yyjson_read(s->blkio, strlen(s->blkio), 0) : NULL;

	jw_kint(b, "BlkioWeight", s->blkio_weight);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		add_json(b, yyjson_doc_get_root(doc), keys[i], "[]");
	yyjson_doc_free(doc);
}

void inspect_healthcheck(struct buf *b, const struct service *s)
{
	static const char *const times[][2] = {
		{ "interval_ms", "Interval" }, { "timeout_ms", "Timeout" }, { "start_period_ms", "StartPeriod" }, { "start_interval_ms", "StartInterval" },
	};
	yyjson_doc *doc = s->healthcheck ? yyjson_read(s->healthcheck, strlen(s->healthcheck), 0) : NULL;
	yyjson_val *root = yyjson_doc_get_root(doc), *test = yyjson_obj_get(root, "test");

	if (doc) {
		char *text = test ? yyjson_val_write(test, 0, NULL) : NULL;

		jw_kobj(b, "Healthcheck");
		if (text && yyjson_is_arr(test))
			jw_kraw(b, "Test", text);
		free(text);
		for (size_t i = 0; i < ARRAY_SIZE(times); i++)
			if (yyjson_get_sint(yyjson_obj_get(root, times[i][0])))
				jw_kint(b, times[i][1], yyjson_get_sint(yyjson_obj_get(root, times[i][0])) * 1000000);
		if (yyjson_get_sint(yyjson_obj_get(root, "retries")))
			jw_kint(b, "Retries", yyjson_get_sint(yyjson_obj_get(root, "retries")));
		jw_close(b, '}');
	}
	yyjson_doc_free(doc);
}

void inspect_extra_hosts(struct buf *b, const struct service *s)
{
	if (!s->extra_hosts) {
		jw_kraw(b, "ExtraHosts", "null");
		return;
	}
	jw_karr(b, "ExtraHosts");
	for (char **e = s->extra_hosts; *e; e++) {
		size_t n = strcspn(*e, "=");
		char text[512];

		text_set(text, sizeof(text), "%.*s:%s", (int)n, *e, (*e)[n] ? *e + n + 1 : "");
		jw_str(b, text);
	}
	jw_close(b, ']');
}
