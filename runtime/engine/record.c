/* record.c - containers' records on disk: config.json and state.json (coracle-engine). Starts and stops nothing. */
#include "container.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>
#include <yyjson.h>

#include "engine.h"
#include "fd.h"
#include "jw.h"
#include "merge.h"
#include "path.h"
#include "report.h"
#include "runtime/store/store.h"
#include "sys.h"
#include "text.h"

#define RECORD_MAX (2u << 20)
#define STATE_MAX 8192u
#define REMOVED ".removed"

char *engine_container_path(const char *id, const char *name, char *out, size_t size)
{
	text_set(out, size, "%s/containers/%s%s%s", engine.opt.root, id, name[0] ? "/" : "", name);
	return out;
}

void container_config_hash(const struct service *svc, char out[SHA256_HEX_LEN + 1])
{
	CLEANUP_BUF struct buf b;

	buf_init(&b, SERVICE_ARENA_MAX * 2);
	service_write(&b, svc, false);
	sha256_hex(b.data, b.len, out);
}

static void random_hex(char *out, size_t digits)
{
	unsigned char r[32];

	for (size_t i = 0; i < digits; i++) {
		if (i % 64 == 0 && getrandom(r, sizeof(r), 0) != sizeof(r))
			abort();	/* cannot happen once the pool is ready; an id must not repeat */
		out[i] = "0123456789abcdef"[r[i % 64 / 2] >> (i % 2 * 4) & 15];
	}
	out[digits] = '\0';
}

static struct container *new_container(void)
{
	struct container *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	arena_init(&c->mem, SERVICE_ARENA_MAX);
	c->pidfd.fd = -1;
	c->status = CONTAINER_CREATED;
	return c;
}

static void free_container(struct container *c)
{
	loop_timer_cancel(&c->timer);
	loop_timer_cancel(&c->save);
	loop_remove(&c->pidfd);
	fd_close(&c->pidfd.fd);
	log_free(c->log);
	arena_free(&c->mem);
	free(c);
}

static int add_log(struct container *c)
{
	char name[128], path[512];

	text_set(name, sizeof(name), "%s-json.log", c->id);
	c->log = log_new(engine_container_path(c->id, name, path, sizeof(path)), c->id, c->svc.container_name,
			 engine.opt.log_max_size, engine.opt.log_max_files);
	return c->log ? 0 : -ENOMEM;
}

static void enlist(struct container *c)
{
	struct container **p = &engine.containers;

	while (*p && (*p)->created_ns <= c->created_ns)
		p = &(*p)->next;
	c->next = *p;
	*p = c;
}

static int write_config(const struct container *c, struct err *err)
{
	CLEANUP_BUF struct buf b;
	char path[512];

	buf_init(&b, RECORD_MAX);
	jw_open(&b, '{');
	jw_kint(&b, "version", 1);
	jw_kstr(&b, "id", c->id);
	jw_kint(&b, "created_ns", c->created_ns);
	jw_kstr(&b, "image_id", c->image_id);
	jw_kstr(&b, "config_hash", c->config_hash);
	jw_kbool(&b, "from_boot", c->from_boot);
	jw_kstrv(&b, "exposed", c->exposed);
	jw_karr(&b, "anonymous");
	for (size_t i = 0; i < c->svc.mount_count; i++)
		if (c->svc.mounts[i].anonymous)
			jw_str(&b, c->svc.mounts[i].source);
	jw_close(&b, ']');
	jw_key(&b, "service");
	service_write(&b, &c->svc, true);
	jw_close(&b, '}');
	if (buf_error(&b))
		return err_set(err, -buf_error(&b), "record of %s", c->svc.container_name);
	return fd_replace_file(AT_FDCWD, engine_container_path(c->id, "config.json", path, sizeof(path)), b.data, b.len, 0600, err);
}

int container_create(const struct service *svc, const struct store_image *img, const char *config_hash,
	struct container **out, struct err *err)
{
	struct container *c = new_container();
	char path[512];
	int r;

	if (!c)
		return err_set(err, ENOMEM, "create %s", svc->container_name);
	random_hex(c->id, CONTAINER_ID_LEN);
	c->created_ns = wall_now();
	c->from_boot = true;
	c->this_boot = true;
	text_set(c->config_hash, sizeof(c->config_hash), "%s", config_hash);
	r = merge_service(&c->mem, svc, img, &c->svc, &c->exposed, err);
	for (size_t i = 0; r == 0 && i < c->svc.mount_count; i++) {
		struct service_mount *m = &c->svc.mounts[i];
		char name[65];

		if (!m->anonymous)
			continue;
		random_hex(name, 64);
		m->source = arena_strdup(&c->mem, name);
		r = m->source ? 0 : err_set(err, ENOMEM, "volume");
	}
	if (r == 0 && img)
		text_set(c->image_id, sizeof(c->image_id), "%s", img->id);
	if (r == 0) {
		r = path_mkdirs(engine_container_path(c->id, "", path, sizeof(path)), 0710);
		if (r < 0)
			err_set(err, -r, "make %s", path);
	}
	if (r == 0)
		r = write_config(c, err);
	if (r == 0)
		r = add_log(c);
	if (r < 0) {
		free_container(c);
		return err_wrap(err, r, "create container %s", svc->container_name);
	}
	enlist(c);
	*out = c;
	return 0;
}

/* Not synced: who reads it after a power cut finds the old or the new. */
static int replace_state(const struct container *c, const char *path, const struct buf *b, struct err *err)
{
	char tmp[512];
	CLEANUP_FD int fd = open(engine_container_path(c->id, "state.json.new", tmp, sizeof(tmp)),
				 O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	int r = fd < 0 ? -errno : fd_write_full(fd, b->data, b->len);

	if (r >= 0 && rename(tmp, path) == 0)
		return 0;
	r = r < 0 ? r : -errno;
	unlink(tmp);
	return err_set(err, -r, "write %s", path);
}

/* Whether it runs, what its pid is: after a power cut that is another boot's. Whether somebody stopped it is not: that is synced when it changes. A
 * restart stops a container too, but not to stay stopped. */
void container_save_state(struct container *c)
{
	bool by_hand = c->restart.stopped_by_hand && !c->start_again;
	struct err err = ERR_INIT;
	CLEANUP_BUF struct buf b;
	char path[512];
	int r;

	buf_init(&b, STATE_MAX);
	jw_open(&b, '{');
	jw_kstr(&b, "status", container_status_name(c->status));
	jw_kint(&b, "pid", c->pid);
	jw_kint(&b, "pid_ticks", (int64_t)c->pid_ticks);
	jw_kstr(&b, "boot_id", engine.boot_id);
	jw_kint(&b, "exit_code", c->exit_code);
	jw_kstr(&b, "error", c->error);
	jw_kint(&b, "started_ns", c->started_ns);
	jw_kint(&b, "finished_ns", c->finished_ns);
	jw_kint(&b, "restart_delay", c->restart.delay);
	jw_kint(&b, "restart_tries", c->restart.count);
	jw_kint(&b, "restart_count", c->restart_count);
	jw_kbool(&b, "stopped_by_hand", by_hand);
	jw_kbool(&b, "ever_started", c->ever_started);
	jw_kbool(&b, "starting", c->phase == PHASE_STARTING);
	jw_close(&b, '}');
	engine_container_path(c->id, "state.json", path, sizeof(path));
	r = by_hand == c->kept_by_hand ? replace_state(c, path, &b, &err) : fd_replace_file(AT_FDCWD, path, b.data, b.len, 0600, &err);
	if (r == 0) {
		c->kept_by_hand = by_hand;
		return;
	}
	if (!c->announced)
		report_problem("engine", "%s: %s", c->svc.container_name, err.text);
	c->announced = true;
}

static int64_t get_int(yyjson_val *obj, const char *key)
{
	return yyjson_get_sint(yyjson_obj_get(obj, key));
}

static void get_text(yyjson_val *obj, const char *key, char *out, size_t size)
{
	const char *s = yyjson_get_str(yyjson_obj_get(obj, key));

	text_set(out, size, "%s", s ? s : "");
}

/* A state that cannot be read is that of a container that never ran. */
static void load_state(struct container *c)
{
	CLEANUP_FREE char *text = NULL;
	char path[512], word[64];
	yyjson_doc *doc;
	yyjson_val *o;
	size_t n;

	engine_container_path(c->id, "state.json", path, sizeof(path));
	if (fd_read_file(AT_FDCWD, path, STATE_MAX, &text, &n, NULL) < 0)
		return;
	doc = yyjson_read(text, n, 0);
	o = doc ? yyjson_doc_get_root(doc) : NULL;
	get_text(o, "status", word, sizeof(word));
	for (int s = CONTAINER_CREATED; s <= (int)CONTAINER_DEAD; s++)
		if (strcmp(word, container_status_name((enum container_status)s)) == 0)
			c->status = (enum container_status)s;
	get_text(o, "boot_id", word, sizeof(word));
	c->this_boot = strcmp(word, engine.boot_id) == 0;
	get_text(o, "error", c->error, sizeof(c->error));
	c->pid = (pid_t)get_int(o, "pid");
	c->pid_ticks = (uint64_t)get_int(o, "pid_ticks");
	c->exit_code = (int)get_int(o, "exit_code");
	c->started_ns = get_int(o, "started_ns");
	c->finished_ns = get_int(o, "finished_ns");
	c->restart.delay = (uint32_t)get_int(o, "restart_delay");
	c->restart.count = (int)get_int(o, "restart_tries");
	c->restart_count = (int)get_int(o, "restart_count");
	c->restart.stopped_by_hand = yyjson_get_bool(yyjson_obj_get(o, "stopped_by_hand"));
	c->kept_by_hand = c->restart.stopped_by_hand;
	c->ever_started = yyjson_get_bool(yyjson_obj_get(o, "ever_started"));
	c->starting = yyjson_get_bool(yyjson_obj_get(o, "starting"));
	yyjson_doc_free(doc);
}

static void mark_anonymous(struct container *c, yyjson_val *list)
{
	size_t i, max;
	yyjson_val *v;

	yyjson_arr_foreach(list, i, max, v)
		for (size_t k = 0; k < c->svc.mount_count; k++)
			if (c->svc.mounts[k].source && yyjson_equals_str(v, c->svc.mounts[k].source))
				c->svc.mounts[k].anonymous = true;
}

static int load_config(struct container *c, yyjson_val *o, struct err *err)
{
	yyjson_val *exposed = yyjson_obj_get(o, "exposed"), *v;
	size_t i, max;
	int r;

	if (get_int(o, "version") != 1)
		return err_set(err, 0, "version is not 1");
	get_text(o, "image_id", c->image_id, sizeof(c->image_id));
	get_text(o, "config_hash", c->config_hash, sizeof(c->config_hash));
	c->created_ns = get_int(o, "created_ns");
	c->from_boot = yyjson_get_bool(yyjson_obj_get(o, "from_boot"));
	r = service_parse(&c->mem, yyjson_obj_get(o, "service"), &c->svc, err);
	if (r < 0)
		return r;
	mark_anonymous(c, yyjson_obj_get(o, "anonymous"));
	c->exposed = arena_strv(&c->mem, yyjson_arr_size(exposed));
	yyjson_arr_foreach(exposed, i, max, v)
		if (c->exposed && yyjson_is_str(v))
			c->exposed[i] = arena_strdup(&c->mem, yyjson_get_str(v));
	return c->exposed ? 0 : err_set(err, ENOMEM, "exposed ports");
}

static int load_one(const char *id, struct err *err)
{
	struct container *c = new_container();
	CLEANUP_FREE char *text = NULL;
	yyjson_doc *doc = NULL;
	char path[512];
	size_t n = 0;
	int r;

	if (!c)
		return err_set(err, ENOMEM, "container");
	text_set(c->id, sizeof(c->id), "%s", id);
	r = fd_read_file(AT_FDCWD, engine_container_path(id, "config.json", path, sizeof(path)), RECORD_MAX, &text, &n, err);
	if (r >= 0) {
		doc = yyjson_read(text, n, 0);
		r = doc ? load_config(c, yyjson_doc_get_root(doc), err) : err_set(err, 0, "not JSON");
		yyjson_doc_free(doc);
	}
	if (r >= 0 && container_by_name(c->svc.container_name))
		r = err_set(err, 0, "its name %s is another container's", c->svc.container_name);
	if (r >= 0)
		r = add_log(c);
	if (r < 0) {
		free_container(c);
		return r;
	}
	load_state(c);
	enlist(c);
	return 0;
}

static bool is_id(const char *s)
{
	return strlen(s) == CONTAINER_ID_LEN && strspn(s, "0123456789abcdef") == CONTAINER_ID_LEN;
}

/* The power failed while it was made: nothing is there but the half of its record. What has more than that is somebody's. */
static bool was_not_made(int containers, const char *id)
{
	char path[128];

	text_set(path, sizeof(path), "%s/config.json", id);
	if (faccessat(containers, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT)
		return false;
	text_set(path, sizeof(path), "%s/config.json.new", id);
	unlinkat(containers, path, 0);
	return unlinkat(containers, id, AT_REMOVEDIR) == 0;
}

int container_load_all(struct err *err)
{
	char path[512];
	DIR *d;
	int r;

	text_set(path, sizeof(path), "%s/containers", engine.opt.root);
	r = path_mkdirs(path, 0711);
	if (r < 0)
		return err_set(err, -r, "make %s", path);
	d = opendir(path);
	if (!d)
		return err_set(err, errno, "open %s", path);
	for (struct dirent *e; (e = readdir(d));) {
		struct err why = ERR_INIT;

		if (strlen(e->d_name) > CONTAINER_ID_LEN && strcmp(e->d_name + CONTAINER_ID_LEN, REMOVED) == 0)
			path_remove_tree(dirfd(d), e->d_name);
		else if (is_id(e->d_name) && !was_not_made(dirfd(d), e->d_name) && load_one(e->d_name, &why) < 0)
			report_problem("engine", "container %.12s is left alone: %s", e->d_name, why.text);
	}
	closedir(d);
	return 0;
}

void container_forget(struct container *c)
{
	struct container **p = &engine.containers;
	char path[512], removed[CONTAINER_ID_LEN + sizeof(REMOVED)];
	int dirfd, r;

	container_fire(c, EVENT_REMOVED, 0);
	while (*p && *p != c)
		p = &(*p)->next;
	if (*p)
		*p = c->next;
	text_set(path, sizeof(path), "%s/containers", engine.opt.root);
	dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* Under this name it is no container, whatever happens next; container_load_all() removes the rest then. */
	text_set(removed, sizeof(removed), "%s" REMOVED, c->id);
	r = dirfd < 0 ? -errno : sys_renameat2(dirfd, c->id, dirfd, removed, 0);
	if (r == 0)
		(void)!sys_fsync(dirfd);
	r = r < 0 ? r : path_remove_tree(dirfd, removed);
	if (r < 0 && r != -ENOENT)
		report_problem("engine", "remove container %s: %s", c->svc.container_name, err_name(-r));
	fd_close(&dirfd);
	free_container(c);
}
