/* apply.c - carries a configuration out: host name, files, scripts, containers, what is left for the final stage.
 *
 * Everything was read and checked before; one step that fails is reported and the next ones go on. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run.h"

#define JSON_MAX ((size_t)8 << 20)
#define FINAL_PATH "/run/coracle/final"
#define CONDITION_PATH "/run/coracle/final-condition"
#define CONTAINERS_PATH "/run/coracle/containers.json"

static void failed(struct run *r, const struct node *at, const struct err *err)
{
	diag_at(&r->diags, DIAG_ERROR, at, NULL, "%s", err->text);
}

static void put(struct run *r, const char *path, const char *text, mode_t mode)
{
	struct err err = ERR_INIT;

	if (target_put(&r->target, path, text, mode, &err) < 0)
		failed(r, NULL, &err);
}

static void apply_hostname(struct run *r)
{
	const struct config *c = &r->config;
	const char *name = c->prefer_fqdn && c->fqdn ? c->fqdn : c->hostname;

	if (!name)
		name = r->seed.meta.local_hostname;
	if (!name || c->preserve_hostname)
		return;
	if (r->target.machine && sethostname(name, strlen(name)) < 0)
		diag_at(&r->diags, DIAG_ERROR, NULL, NULL, "set the host name %s: %s", name, err_name(errno));
	if (!c->no_hostname_file)
		put(r, "/etc/hostname", arena_printf(&r->arena, "%s\n", name), 0644);
}

static void apply_file(struct run *r, const struct config_file *f)
{
	struct target_file file = {
		.path = f->path, .data = f->content, .len = f->len, .mode = f->mode, .owned = true, .append = f->append, .sync = true,
	};
	struct err err = ERR_INIT;
	bool owner_failed = false;

	if (target_owner(&r->target, f->user, f->group, &file.uid, &file.gid, &err) < 0) {
		err_wrap(&err, -EINVAL, "write %s", f->path);
		failed(r, f->at, &err);
		return;
	}
	if (target_write(&r->target, &file, r->target.machine ? NULL : &owner_failed, &err) < 0)
		failed(r, f->at, &err);
	if (owner_failed)
		diag_at(&r->diags, DIAG_WARNING, f->at, "only root may do that", "%s is written, but not given to %s", f->path, f->user);
}

static void apply_files(struct run *r, bool deferred)
{
	for (const struct config_file *f = r->config.files; f; f = f->next)
		if (f->defer == deferred)
			apply_file(r, f);
}

static void apply_bootcmd(struct run *r, const char *id)
{
	int status;

	if (!r->config.bootcmd)
		return;
	put(r, "/run/coracle/bootcmd", r->config.bootcmd, 0700);
	if (!r->target.machine)
		return;
	status = script_run(r, "/bin/sh", "/run/coracle/bootcmd", id, 0);
	if (status < 0)
		diag_at(&r->diags, DIAG_ERROR, NULL, NULL, "bootcmd cannot be run: %s", err_name(-status));
	else if (status != 0)
		diag_at(&r->diags, DIAG_ERROR, NULL, "see /var/log/cloud-init-output.log", "bootcmd failed with status %d",
			WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

/* /var/lib/cloud as cloud-init keeps it: instance -> instances/ID, data/. */
static void apply_instance(struct run *r, const char *id)
{
	struct err err = ERR_INIT;

	put(r, "/var/lib/cloud/data/instance-id", arena_printf(&r->arena, "%s\n", id), 0644);
	put(r, "/run/cloud-init/.instance-id", arena_printf(&r->arena, "%s\n", id), 0644);
	if (target_symlink(&r->target, arena_printf(&r->arena, "instances/%s", id), "/var/lib/cloud/instance", &err) < 0)
		failed(r, NULL, &err);
}

static bool apply_scripts(struct run *r, const char *id)
{
	const struct config_script *s = r->config.scripts;

	for (; s; s = s->next) {
		struct target_file f = {
			.path = arena_printf(&r->arena, "/var/lib/cloud/instances/%s/scripts/%s", id, s->name),
			.data = s->text, .len = s->len, .mode = 0700,
		};
		struct err err = ERR_INIT;

		if (target_write(&r->target, &f, NULL, &err) < 0)
			failed(r, NULL, &err);
	}
	return r->config.scripts != NULL;
}

static void apply_containers(struct run *r)
{
	CLEANUP_BUF struct buf json = { 0 };

	if (!r->config.compose.services)
		return;
	buf_init(&json, JSON_MAX);
	if (!compose_write_json(&r->config.compose, &json))
		return;
	if (buf_error(&json))
		diag_at(&r->diags, DIAG_ERROR, NULL, NULL, "the containers are left out: they are more than 8 MiB");
	else
		put(r, CONTAINERS_PATH, json.data, 0600); /* environments hold secrets */
}

static bool done_for_instance(struct run *r, const char *id, const char *module)
{
	return target_exists(&r->target, arena_printf(&r->arena, "/var/lib/cloud/instances/%s/sem/config_%s", id, module));
}

/* What the final stage needs to know, one `NAME VALUE` per line; read by final.c. */
static bool apply_final(struct run *r, const char *id, bool scripts)
{
	const struct config_power *p = &r->config.power;
	bool power = p->mode && !p->never && !done_for_instance(r, id, "power_state_change");
	CLEANUP_BUF struct buf b = { 0 };

	scripts = scripts && !done_for_instance(r, id, "scripts_user");
	if (!scripts && !power)
		return false;
	buf_init(&b, 8192);
	buf_printf(&b, "instance-id %s\n", id);
	if (scripts)
		buf_puts(&b, "scripts yes\n");
	if (power) {
		buf_printf(&b, "power %s\ndelay %u\ntimeout %llu\n", p->mode, p->delay_minutes, (unsigned long long)p->timeout_s);
		if (p->message)
			buf_printf(&b, "message %.1000s\n", p->message);
		if (p->condition) {
			put(r, CONDITION_PATH, p->condition, 0700);
			buf_puts(&b, "condition " CONDITION_PATH "\n");
		}
	}
	put(r, FINAL_PATH, b.data, 0600);
	return true;
}

bool apply_config(struct run *r)
{
	const char *id = r->seed.meta.instance_id ? r->seed.meta.instance_id : "nocloud";
	bool scripts;

	/* of an earlier run in this boot */
	target_unlink(&r->target, CONTAINERS_PATH);
	target_unlink(&r->target, FINAL_PATH);
	apply_hostname(r);
	apply_instance(r, id);
	apply_bootcmd(r, id);
	apply_files(r, false);
	scripts = apply_scripts(r, id);
	apply_containers(r);
	apply_files(r, true);
	return apply_final(r, id, scripts);
}
