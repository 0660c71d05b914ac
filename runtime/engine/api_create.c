/* api_create.c - POST /containers/create (coracle-engine). createbody.c reads the request; this looks things up and makes the record. */
#include "apiint.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "createbody.h"
#include "engine.h"
#include "events.h"
#include "images.h"
#include "runtime/store/store.h"
#include "jw.h"
#include "path.h"
#include "text.h"

#define CREATE_ARENA_MAX (4u << 20)

static const char *const moods[] = {
	"able", "brave", "bright", "calm", "clever", "cool", "eager", "fair", "fast", "gentle", "glad", "happy", "keen", "kind", "lucid", "merry",
	"neat", "nimble", "patient", "proud", "quiet", "sharp", "steady", "swift", "tidy", "upbeat", "vivid", "warm", "wise", "witty", "young", "zen",
};
static const char *const people[] = {
	"babbage", "banach", "bell", "bohr", "bose", "cantor", "curie", "darwin", "dijkstra", "euclid", "euler", "faraday", "fermat", "franklin",
	"galileo", "gauss", "germain", "goodall", "hamilton", "hopper", "kepler", "knuth", "lamport", "lovelace", "maxwell", "meitner", "newton",
	"noether", "pascal", "ritchie", "turing", "wozniak",
};

static char *make_name(struct arena *mem)
{
	unsigned char r[3];

	for (;;) {
		char name[64];

		if (getrandom(r, sizeof(r), 0) != sizeof(r))
			return NULL;
		text_set(name, sizeof(name), "%s_%s%u", moods[r[0] % ARRAY_SIZE(moods)], people[r[1] % ARRAY_SIZE(people)], r[2]);
		if (!container_by_name(name))
			return arena_strdup(mem, name);
	}
}

static bool name_ok(const char *s)
{
	static const char first[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

	return strchr(first, s[0]) && s[0] && s[1] && strlen(s) <= 255 &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") == strlen(s);
}

/* False: answered. Also of rename. */
bool api_name_free(struct request *r, const char *name)
{
	const struct container *other;

	if (!name_ok(name)) {
		api_error(r, 400, "Invalid container name (%s), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed", name);
		return false;
	}
	other = container_by_name(name);
	if (!other)
		return true;
	api_error(r, 409, "Conflict. The container name \"/%s\" is already in use by container \"%s\". You have to remove (or rename) that container to "
		  "be able to reuse that name.", name, other->id);
	return false;
}

static bool take_name(struct request *r, struct create_body *x)
{
	const char *name = api_query(r, "name");

	if (name && name[0] == '/')
		name++;
	if (name && name[0] && !api_name_free(r, name))
		return false;
	x->svc.container_name = name && name[0] ? arena_strdup(x->mem, name) : make_name(x->mem);
	x->svc.name = x->svc.container_name;
	return true;
}

/* The mounts of others, where nothing of its own is. False: answered. */
static bool add_volumes_from(struct request *r, struct create_body *x)
{
	for (char **from = x->volumes_from; from && *from; from++) {
		char *colon = strchr(*from, ':');
		bool read_only = colon && strcmp(colon, ":ro") == 0, ambiguous;
		const struct container *c;
		struct service_mount *all;

		if (colon)
			*colon = '\0';
		c = container_find(*from, &ambiguous);
		if (!c) {
			api_error(r, 404, "No such container: %s", *from);
			return false;
		}
		all = arena_alloc(x->mem, (x->svc.mount_count + c->svc.mount_count + 1) * sizeof(*all));
		if (!all)
			return false;
		memcpy(all, x->svc.mounts, x->svc.mount_count * sizeof(*all));
		for (size_t i = 0, own = x->svc.mount_count; i < c->svc.mount_count; i++) {
			size_t k = 0;

			while (k < own && strcmp(all[k].target, c->svc.mounts[i].target) != 0)
				k++;
			if (k < own || c->svc.mounts[i].type == MOUNT_TMPFS)
				continue;
			all[x->svc.mount_count] = c->svc.mounts[i];
			all[x->svc.mount_count].anonymous = false;	/* it stays when this one goes */
			all[x->svc.mount_count++].read_only |= read_only;
		}
		x->svc.mounts = all;
	}
	return true;
}

static void answer(struct request *r, const struct container *c, const struct create_body *x)
{
	struct buf b;

	buf_init(&b, 65536);
	jw_open(&b, '{');
	jw_kstr(&b, "Id", c->id);
	jw_karr(&b, "Warnings");
	for (size_t i = 0; i < x->warning_count; i++)
		jw_str(&b, x->warnings[i]);
	jw_close(&b, ']');
	jw_close(&b, '}');
	api_json(r, 201, &b);
}

/* As in Docker they are there, and listed, before the container is started. */
static int make_volumes(const struct container *c, struct err *err)
{
	static const char *const attributes[] = { "driver=local", NULL };
	char path[700];

	for (size_t i = 0; i < c->svc.mount_count; i++) {
		const struct service_mount *m = &c->svc.mounts[i];
		int r = m->type == MOUNT_VOLUME ? store_volume(engine.store, m->source, path, sizeof(path), err) : 0;

		if (r < 0)
			return r;
		if (r > 0)
			event_add("volume", "create", m->source, attributes);
	}
	return 0;
}

static void create(struct request *r, struct create_body *x)
{
	struct err err = ERR_INIT;
	struct store_image *img = NULL;
	struct container *c;
	int code;

	code = images_lookup(x->svc.image, &img, &err);
	if (code < 0) {
		char familiar[IMAGE_REF_SIZE];

		if (code == -EINVAL)
			api_error(r, 400, "invalid reference format: %s", x->svc.image);
		else
			api_error(r, 404, "No such image: %s", api_familiar(x->svc.image, familiar, sizeof(familiar)));
		return;
	}
	if (!take_name(r, x) || !add_volumes_from(r, x)) {
		store_image_free(img);
		return;
	}
	if (container_create(&x->svc, img, NULL, &c, &err) < 0) {
		api_error(r, 500, "%s", err.text);
	} else if (!c->svc.entrypoint[0] && !c->svc.command[0]) {
		container_forget(c);
		api_error(r, 400, "no command specified");
	} else if (make_volumes(c, &err) < 0) {
		c->remove_volumes = true;
		container_forget(c);
		api_error(r, 500, "%s", err.text);
	} else {
		event_container(c, "create", NULL);
		answer(r, c, x);
	}
	store_image_free(img);
}

void api_create(struct request *r)
{
	struct arena mem;
	struct create_body x;
	struct err err = ERR_INIT;

	arena_init(&mem, CREATE_ARENA_MAX);
	if (create_body_parse(&mem, r->body.data, r->body.len, &x, &err) < 0)
		api_error(r, x.status, "%s", err.text);
	else
		create(r, &x);
	arena_free(&mem);
}
