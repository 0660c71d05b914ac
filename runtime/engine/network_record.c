/* network_record.c - networks: their records on disk, making and removing them (coracle-engine). The kernel is network_link.c's. */
#include "network.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>
#include <yyjson.h>

#include "engine.h"
#include "fd.h"
#include "jw.h"
#include "network_int.h"
#include "path.h"
#include "report.h"
#include "sha256.h"
#include "text.h"

struct network *networks;

static const char *const driver_names[] = { "bridge", "host", "null", "macvlan", "ipvlan" };

const char *network_driver_name(enum network_driver d)
{
	return driver_names[d];
}

struct network *network_by_name(const char *name)
{
	struct network *n = networks;

	while (n && strcmp(n->name, name) != 0)
		n = n->next;
	return n;
}

struct network *network_find(const char *what, bool *ambiguous)
{
	struct network *found = network_by_name(what);

	*ambiguous = false;
	for (struct network *n = networks; !found && n; n = n->next)
		if (strcmp(n->id, what) == 0)
			found = n;
	if (found || strlen(what) == 0)
		return found;
	for (struct network *n = networks; n; n = n->next) {
		if (strncmp(n->id, what, strlen(what)) != 0)
			continue;
		*ambiguous = found != NULL;
		if (found)
			return NULL;
		found = n;
	}
	return found;
}

const char *network_option(const struct network *n, const char *key)
{
	size_t len = strlen(key);

	for (char **o = n->options; o && *o; o++)
		if (strncmp(*o, key, len) == 0 && (*o)[len] == '=')
			return *o + len + 1;
	return NULL;
}

bool network_option_is(const struct network *n, const char *key, bool otherwise)
{
	const char *v = network_option(n, key);

	return v ? strcmp(v, "true") == 0 || strcmp(v, "1") == 0 : otherwise;
}

struct network *network_new(void)
{
	struct network *n = calloc(1, sizeof(*n));

	if (n)
		arena_init(&n->mem, NETWORK_ARENA_MAX);
	return n;
}

void network_free(struct network *n)
{
	arena_free(&n->mem);
	free(n);
}

void network_enlist(struct network *n)
{
	struct network **p = &networks;

	while (*p && ((*p)->predefined || (*p)->created_ns <= n->created_ns))
		p = &(*p)->next;
	n->next = *p;
	*p = n;
}

void network_random_id(char out[CONTAINER_ID_LEN + 1])
{
	unsigned char r[CONTAINER_ID_LEN / 2];

	if (getrandom(r, sizeof(r), 0) != sizeof(r))
		abort();	/* cannot happen once the pool is ready; an id must not repeat */
	for (size_t i = 0; i < sizeof(r); i++) {
		out[2 * i] = "0123456789abcdef"[r[i] >> 4];
		out[2 * i + 1] = "0123456789abcdef"[r[i] & 15];
	}
	out[CONTAINER_ID_LEN] = '\0';
}

/* -- the record ------------------------------------------------------------ */

static void add_prefix(struct buf *b, const char *key, const struct net_prefix *p)
{
	char text[NET_ADDR_TEXT];

	if (p->addr.family)
		jw_kstr(b, key, net_prefix_text(p, text));
}

static void add_address(struct buf *b, const char *key, const struct net_addr *a)
{
	char text[NET_ADDR_TEXT];

	if (a->family)
		jw_kstr(b, key, net_addr_text(a, text));
}

static char *record_path(const char *id, char *out, size_t size)
{
	text_set(out, size, "%s/networks/%s.json", engine.opt.root, id);
	return out;
}

int network_save(const struct network *n, struct err *err)
{
	CLEANUP_BUF struct buf b;
	char path[512];
	int r;

	buf_init(&b, NETWORK_RECORD_MAX);
	jw_open(&b, '{');
	jw_kint(&b, "version", 1);
	jw_kstr(&b, "name", n->name);
	jw_kstr(&b, "driver", network_driver_name(n->driver));
	jw_kint(&b, "created_ns", n->created_ns);
	jw_kbool(&b, "ipv6", n->ipv6);
	jw_kbool(&b, "internal", n->internal);
	jw_kbool(&b, "attachable", n->attachable);
	jw_kbool(&b, "predefined", n->predefined);
	jw_kbool(&b, "from_boot", n->from_boot);
	add_prefix(&b, "subnet4", &n->subnet4);
	add_prefix(&b, "subnet6", &n->subnet6);
	add_prefix(&b, "range4", &n->range4);
	add_prefix(&b, "range6", &n->range6);
	add_address(&b, "gateway4", &n->gateway4);
	add_address(&b, "gateway6", &n->gateway6);
	jw_kstr(&b, "bridge", n->bridge);
	jw_kmap(&b, "options", n->options);
	jw_kmap(&b, "labels", n->labels);
	jw_close(&b, '}');
	if (buf_error(&b))
		return err_set(err, -buf_error(&b), "record of network %s", n->name);
	text_set(path, sizeof(path), "%s/networks", engine.opt.root);
	r = path_mkdirs(path, 0711);
	if (r < 0)
		return err_set(err, -r, "make %s", path);
	return fd_replace_file(AT_FDCWD, record_path(n->id, path, sizeof(path)), b.data, b.len, 0600, err);
}

void network_unlink(const struct network *n)
{
	char path[512];

	if (unlink(record_path(n->id, path, sizeof(path))) < 0 && errno != ENOENT)
		report_problem("engine", "remove %s: %s", path, err_name(errno));
	text_set(path, sizeof(path), "%s/networks", engine.opt.root);
	{
		CLEANUP_FD int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (fd >= 0)
			(void)!fsync(fd);
	}
}

static int take_record(struct network *n, yyjson_val *o, struct err *err)
{
	const char *name = yyjson_get_str(yyjson_obj_get(o, "name"));
	const char *driver = yyjson_get_str(yyjson_obj_get(o, "driver"));
	const char *bridge = yyjson_get_str(yyjson_obj_get(o, "bridge"));
	size_t d = 0;

	while (d < ARRAY_SIZE(driver_names) && (!driver || strcmp(driver, driver_names[d]) != 0))
		d++;
	if (yyjson_get_int(yyjson_obj_get(o, "version")) != 1 || !name || d == ARRAY_SIZE(driver_names) || !bridge || strlen(bridge) >= IFNAMSIZ)
		return err_set(err, 0, "it is not a record of version 1");
	n->driver = (enum network_driver)d;
	n->name = arena_strdup(&n->mem, name);
	text_set(n->bridge, sizeof(n->bridge), "%s", bridge);
	n->created_ns = yyjson_get_sint(yyjson_obj_get(o, "created_ns"));
	n->ipv6 = yyjson_get_bool(yyjson_obj_get(o, "ipv6"));
	n->internal = yyjson_get_bool(yyjson_obj_get(o, "internal"));
	n->attachable = yyjson_get_bool(yyjson_obj_get(o, "attachable"));
	n->predefined = yyjson_get_bool(yyjson_obj_get(o, "predefined"));
	n->from_boot = yyjson_get_bool(yyjson_obj_get(o, "from_boot"));
	n->options = network_take_map(&n->mem, yyjson_obj_get(o, "options"));
	n->labels = network_take_map(&n->mem, yyjson_obj_get(o, "labels"));
	if (!n->name || !n->options || !n->labels)
		return err_set(err, ENOMEM, "network");
	if (network_take_prefix(o, "subnet4", true, &n->subnet4, err) < 0 || network_take_prefix(o, "subnet6", true, &n->subnet6, err) < 0 ||
	    network_take_prefix(o, "range4", true, &n->range4, err) < 0 || network_take_prefix(o, "range6", true, &n->range6, err) < 0 ||
	    network_take_address(o, "gateway4", &n->gateway4, err) < 0 || network_take_address(o, "gateway6", &n->gateway6, err) < 0)
		return -EINVAL;
	return 0;
}

static int load_one(int dirfd, const char *file, struct err *err)
{
	CLEANUP_FREE char *text = NULL;
	struct network *n, *same;
	yyjson_doc *doc;
	size_t len = 0;
	int r = fd_read_file(dirfd, file, NETWORK_RECORD_MAX, &text, &len, err);

	if (r < 0)
		return r;
	n = network_new();
	if (!n)
		return err_set(err, ENOMEM, "network");
	text_set(n->id, sizeof(n->id), "%.64s", file);
	doc = yyjson_read(text, len, 0);
	r = doc ? take_record(n, yyjson_doc_get_root(doc), err) : err_set(err, 0, "not JSON");
	yyjson_doc_free(doc);
	same = r == 0 ? network_by_name(n->name) : NULL;
	if (same && same->predefined && n->predefined) {
		same->subnet4 = n->subnet4;
		same->gateway4 = n->gateway4;
		network_free(n);
		return 0;
	}
	if (same)
		r = err_set(err, 0, "its name %s is another network's", n->name);
	if (r < 0) {
		network_free(n);
		return r;
	}
	network_enlist(n);
	return 0;
}

static int add_predefined(const char *name, enum network_driver driver)
{
	struct network *n = network_new();
	char seed[64], hex[SHA256_HEX_LEN + 1];

	if (!n)
		return -ENOMEM;
	text_set(seed, sizeof(seed), "coracle network %s", name);
	sha256_hex(seed, strlen(seed), hex);
	text_set(n->id, sizeof(n->id), "%s", hex);
	n->name = arena_strdup(&n->mem, name);
	n->options = arena_strv(&n->mem, 0);
	n->labels = arena_strv(&n->mem, 0);
	n->driver = driver;
	n->predefined = true;
	n->created_ns = engine.started_ns;
	if (driver == NETWORK_BRIDGE)
		text_set(n->bridge, sizeof(n->bridge), "coracle0");
	network_enlist(n);
	return n->name && n->options && n->labels ? 0 : -ENOMEM;
}

static bool is_record(const char *s)
{
	return strlen(s) == CONTAINER_ID_LEN + 5 && strspn(s, "0123456789abcdef") == CONTAINER_ID_LEN && strcmp(s + CONTAINER_ID_LEN, ".json") == 0;
}

int network_open(struct err *err)
{
	char path[512];
	DIR *d;

	if (add_predefined("bridge", NETWORK_BRIDGE) < 0 || add_predefined("host", NETWORK_HOST) < 0 || add_predefined("none", NETWORK_NONE) < 0)
		return err_set(err, ENOMEM, "networks");
	text_set(path, sizeof(path), "%s/networks", engine.opt.root);
	d = opendir(path);
	for (struct dirent *e; d && (e = readdir(d));) {
		struct err why = ERR_INIT;

		if (is_record(e->d_name) && load_one(dirfd(d), e->d_name, &why) < 0)
			report_problem("engine", "network %.12s is left alone: %s", e->d_name, why.text);
	}
	if (d)
		closedir(d);
	for (struct container *c = engine.containers; c; c = c->next) {
		struct err why = ERR_INIT;

		if (network_is_own(c) && network_load_container(c, &why) < 0)
			report_problem("engine", "%s: %s", c->svc.container_name, why.text);
	}
	return 0;
}
