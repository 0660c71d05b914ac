/* createmounts.c - Binds, Mounts, Tmpfs, Volumes and VolumesFrom of a create body (coracle-engine). Pure. Source: moby volume/mounts/linux_parser.go. */
#include "createbody.h"

#include <errno.h>
#include <string.h>
#include <yyjson.h>

#include "path.h"
#include "service_fields.h"

#define MOUNTS_MAX 512

static struct service_mount *find(struct create_body *x, const char *target)
{
	for (size_t i = 0; i < x->svc.mount_count; i++)
		if (strcmp(x->svc.mounts[i].target, target) == 0)
			return &x->svc.mounts[i];
	return NULL;
}

/* Makes a mount on target; NULL after a refusal. */
static struct service_mount *add(struct create_body *x, enum mount_type type, const char *target, char **options)
{
	struct service_mount *m;
	char *clean;
	size_t n;

	if (!target || target[0] != '/' || strstr(target, "/../")) {
		create_refuse(x, 400, "invalid mount config: invalid mount path: '%.200s' mount path must be absolute", target ? target : "");
		return NULL;
	}
	clean = arena_strdup(x->mem, target);
	n = clean ? strlen(clean) : 0;
	while (n > 1 && clean[n - 1] == '/')
		clean[--n] = '\0';
	if (!clean || n == 1 || x->svc.mount_count >= x->mount_room || !options) {
		create_refuse(x, 400, "invalid specification: destination can't be '/'");
		return NULL;
	}
	if (find(x, clean)) {
		create_refuse(x, 400, "Duplicate mount point: %.200s", clean);
		return NULL;
	}
	m = &x->svc.mounts[x->svc.mount_count++];
	*m = (struct service_mount){ .type = type, .target = clean, .options = options };
	return m;
}

static char **split(struct create_body *x, const char *text)
{
	size_t words = 1, n = 0;
	char **out;

	for (const char *p = text; *p; p++)
		words += *p == ',';
	out = arena_strv(x->mem, words + 2);
	for (const char *p = text; out && *p;) {
		size_t len = strcspn(p, ",");

		if (len)
			out[n++] = arena_strndup(x->mem, p, len);
		p += len + (p[len] == ',');
	}
	return out;
}

static bool has(char **options, const char *word)
{
	for (; options && *options; options++)
		if (strcmp(*options, word) == 0)
			return true;
	return false;
}

static int check_mode(struct create_body *x, char **options)
{
	static const char *const known[] = { "ro", "rw", "z", "Z", "nocopy", "rprivate", "private", "rshared", "shared", "rslave", "slave",
					     "consistent", "cached", "delegated" };

	for (; *options; options++) {
		size_t k = 0;

		while (k < ARRAY_SIZE(known) && strcmp(*options, known[k]) != 0)
			k++;
		if (k == ARRAY_SIZE(known))
			return create_refuse(x, 400, "invalid mode: %.60s", *options);
	}
	return 0;
}

static bool volume_name_ok(const char *s)
{
	return path_component_ok(s) && strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") == strlen(s) && s[0] != '.' &&
	       s[0] != '-' && s[0] != '_' && s[1];
}

static int bad_volume_name(struct create_body *x, const char *name)
{
	return create_refuse(x, 400, "create %.100s: \"%.100s\" includes invalid characters for a local volume name, only \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are "
			     "allowed. If you intended to pass a host directory, use absolute path", name, name);
}

/* SOURCE:TARGET[:MODE] */
static int take_bind(struct create_body *x, const char *text)
{
	const char *colon = strchr(text, ':'), *second = colon ? strchr(colon + 1, ':') : NULL;
	char *source = colon ? arena_strndup(x->mem, text, (size_t)(colon - text)) : NULL;
	char **options = split(x, second ? second + 1 : "");
	struct service_mount *m;

	if (!colon || !source || !source[0] || !options || strchr(second ? second + 1 : "", ':'))
		return create_refuse(x, 400, "invalid volume specification: '%.200s'", text);
	if (check_mode(x, options) < 0)
		return -EINVAL;
	if (source[0] != '/' && !volume_name_ok(source))
		return bad_volume_name(x, source);
	m = add(x, source[0] == '/' ? MOUNT_BIND : MOUNT_VOLUME,
		arena_strndup(x->mem, colon + 1, second ? (size_t)(second - colon - 1) : strlen(colon + 1)), options);
	if (!m)
		return -EINVAL;
	m->source = source;
	m->read_only = has(options, "ro");
	return 0;
}

static int take_bind_options(struct create_body *x, yyjson_val *o, struct service_mount *m)
{
	const char *propagation = yyjson_get_str(yyjson_obj_get(o, "Propagation"));

	if (!m->source || m->source[0] != '/')
		return create_refuse(x, 400, "invalid mount config for type \"bind\": invalid mount path: '%.200s' mount path must be absolute",
				     m->source ? m->source : "");
	m->options = arena_strv(x->mem, 3);
	if (!m->options)
		return create_refuse(x, 400, "too many mounts");
	if (!yyjson_is_true(yyjson_obj_get(o, "CreateMountpoint")))
		m->options[0] = arena_strdup(x->mem, "nocreate");
	if (propagation && propagation[0]) {
		m->options[strv_len(m->options)] = arena_strdup(x->mem, propagation);
	}
	if (yyjson_is_true(yyjson_obj_get(o, "NonRecursive")))
		return create_refuse(x, 501, "a bind mount without what is mounted below it is not supported (BindOptions.NonRecursive)");
	if (yyjson_is_true(yyjson_obj_get(o, "ReadOnlyForceRecursive")))
		return create_refuse(x, 501, "BindOptions.ReadOnlyForceRecursive is not supported");
	return 0;
}

static int take_subpath(struct create_body *x, yyjson_val *o)
{
	return create_unset(yyjson_obj_get(o, "Subpath")) ? 0 : create_refuse(x, 501, "VolumeOptions.Subpath is not supported yet");
}

static int take_volume_options(struct create_body *x, yyjson_val *o, struct service_mount *m)
{
	yyjson_val *driver = yyjson_obj_get(o, "DriverConfig");
	const char *name = yyjson_get_str(yyjson_obj_get(driver, "Name"));

	m->options = arena_strv(x->mem, 4);
	m->anonymous = !m->source;
	if (!m->options || (m->source && !volume_name_ok(m->source)))
		return bad_volume_name(x, m->source ? m->source : "");
	if (name && name[0] && strcmp(name, "local") != 0)
		return create_refuse(x, 400, "error looking up volume plugin %.60s: plugin \"%.60s\" not found", name, name);
	if (!create_unset(yyjson_obj_get(driver, "Options")))
		return create_refuse(x, 501, "options of a volume's driver cannot be given with a mount: `docker volume create` takes them");
	if (!create_unset(yyjson_obj_get(o, "Labels")))
		create_warn(x, "Labels of a volume can be given to `docker volume create` only: those of the mount on %.100s are left away.", m->target);
	if (yyjson_is_true(yyjson_obj_get(o, "NoCopy")))
		m->options[0] = arena_strdup(x->mem, "nocopy");
	return take_subpath(x, o);
}

static int take_tmpfs_options(struct create_body *x, yyjson_val *o, struct service_mount *m)
{
	int64_t size = yyjson_get_sint(yyjson_obj_get(o, "SizeBytes")), mode = yyjson_get_sint(yyjson_obj_get(o, "Mode"));

	m->options = arena_strv(x->mem, 3);
	if (!m->options || m->source)
		return create_refuse(x, 400, "invalid mount config for type \"tmpfs\": field Source must not be specified");
	if (!create_unset(yyjson_obj_get(o, "Options")))
		return create_refuse(x, 501, "TmpfsOptions.Options is not supported");
	m->options[0] = arena_printf(x->mem, "mode=%llo", (unsigned long long)(mode > 0 ? mode : 01777));
	if (size > 0)
		m->options[1] = arena_printf(x->mem, "size=%lld", (long long)size);
	m->options[strv_len(m->options)] = arena_strdup(x->mem, "mount");	/* of HostConfig.Mounts */
	return 0;
}

static int take_mount(struct create_body *x, yyjson_val *v)
{
	static const char *const types[] = { "bind", "volume", "tmpfs", "image" };
	const char *type = yyjson_get_str(yyjson_obj_get(v, "Type"));
	struct service_mount *m;
	size_t t = 0;

	while (t < ARRAY_SIZE(types) && (!type || strcmp(type, types[t]) != 0))
		t++;
	if (t == ARRAY_SIZE(types))
		return create_refuse(x, 400, "invalid mount config: mount type unknown: \"%.40s\"", type ? type : "");
	m = add(x, (enum mount_type)t, yyjson_get_str(yyjson_obj_get(v, "Target")), arena_strv(x->mem, 2));
	if (!m)
		return -EINVAL;
	if (!create_unset(yyjson_obj_get(v, "Source")))
		m->source = service_take_str(x->mem, yyjson_obj_get(v, "Source"));
	m->read_only = yyjson_is_true(yyjson_obj_get(v, "ReadOnly"));
	switch (m->type) {
	case MOUNT_BIND:
		return take_bind_options(x, yyjson_obj_get(v, "BindOptions"), m);
	case MOUNT_VOLUME:
		return take_volume_options(x, yyjson_obj_get(v, "VolumeOptions"), m);
	case MOUNT_TMPFS:
		return take_tmpfs_options(x, yyjson_obj_get(v, "TmpfsOptions"), m);
	case MOUNT_IMAGE:
		break;
	}
	return create_refuse(x, 501, "mounts of type image are not supported yet");
}

static int take_tmpfs(struct create_body *x, yyjson_val *obj)
{
	size_t i, max;
	yyjson_val *key, *val;

	yyjson_obj_foreach(obj, i, max, key, val) {
		const char *options = yyjson_get_str(val);

		if (!add(x, MOUNT_TMPFS, yyjson_get_str(key), split(x, options ? options : "")))
			return -EINVAL;
	}
	return 0;
}

/* An anonymous volume, unless something else is there. */
static int take_anonymous(struct create_body *x, yyjson_val *obj)
{
	size_t i, max;
	yyjson_val *key, *val;

	yyjson_obj_foreach(obj, i, max, key, val) {
		struct service_mount *m;

		(void)val;
		if (find(x, yyjson_get_str(key)))
			continue;
		m = add(x, MOUNT_VOLUME, yyjson_get_str(key), arena_strv(x->mem, 0));
		if (!m)
			return -EINVAL;
		m->anonymous = true;
	}
	return 0;
}

int create_take_mounts(struct create_body *x, yyjson_val *config, yyjson_val *host)
{
	yyjson_val *binds = yyjson_obj_get(host, "Binds"), *mounts = yyjson_obj_get(host, "Mounts"), *from = yyjson_obj_get(host, "VolumesFrom");
	yyjson_val *tmpfs = yyjson_obj_get(host, "Tmpfs"), *volumes = yyjson_obj_get(config, "Volumes"), *v;
	size_t i, max, n = yyjson_arr_size(binds) + yyjson_arr_size(mounts) + yyjson_obj_size(tmpfs) + yyjson_obj_size(volumes);

	if (n > MOUNTS_MAX)
		return create_refuse(x, 400, "more than %d mounts", MOUNTS_MAX);
	x->mount_room = n;
	x->svc.mounts = arena_alloc(x->mem, (n + 1) * sizeof(*x->svc.mounts));
	x->volumes_from = create_unset(from) ? NULL : service_take_strv(x->mem, from);
	if (!x->svc.mounts || (!create_unset(from) && !x->volumes_from))
		return create_refuse(x, 400, "invalid value for VolumesFrom");
	yyjson_arr_foreach(binds, i, max, v)
		if (!yyjson_get_str(v) || take_bind(x, yyjson_get_str(v)) < 0)
			return -EINVAL;
	yyjson_arr_foreach(mounts, i, max, v)
		if (take_mount(x, v) < 0)
			return -EINVAL;
	if (take_tmpfs(x, tmpfs) < 0)
		return -EINVAL;
	return take_anonymous(x, volumes);
}
