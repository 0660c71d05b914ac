/* config_helper.c - what the unit tests of init/config share. */
#include "config_helper.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fd.h"
#include "path.h"

static struct run current;
static bool begun;
static struct buf problems;
static char folder[64];

void helper_end(void)
{
	if (begun)
		run_fini(&current);
	begun = false;
	buf_free(&problems);
}

struct run *helper_run(void)
{
	helper_end();
	run_init(&current);
	begun = true;
	return &current;
}

struct run *helper_current(void)
{
	return begun ? &current : helper_run();
}

struct run *helper_last_run(void)
{
	return &current;
}

const struct node *helper_yaml(const char *text)
{
	struct run *r = helper_run();
	struct source *s = ARENA_NEW(&r->arena, struct source);
	bool empty;

	*s = (struct source){ "t", text, strlen(text) };
	return yaml_read(&r->arena, &r->diags, s, &empty);
}

struct config *helper_config(const char *text)
{
	struct run *r = helper_run();

	userdata_read(&r->ctx, "t", text, strlen(text), &r->config);
	config_finish(&r->ctx, &r->config);
	return &r->config;
}

const struct compose_service *helper_service(const char *keys)
{
	static char text[8192];

	snprintf(text, sizeof(text), "#cloud-config\nvolumes: {site: {}, named: {name: other}}\nservices:\n  s:\n    image: i\n%s", keys);
	return helper_config(text)->compose.services;
}

void helper_assert_left_out(const char *keys, const char *part)
{
	const struct compose_service *s = helper_service(keys);

	helper_assert_mentions(part);
	if (!s->broken)
		fail_msg("not left out: %s", keys);
}

const char *helper_problems(void)
{
	buf_free(&problems);
	buf_init(&problems, (size_t)1 << 20);
	for (const struct diag *d = current.diags.first; d; d = d->next) {
		diag_line(d, 1, &problems);
		buf_putc(&problems, '\n');
	}
	return problems.data;
}

void helper_assert_mentions(const char *part)
{
	if (!strstr(helper_problems(), part))
		fail_msg("\"%s\" is not in:\n%s", part, helper_problems());
}

int helper_end_group(void **state)
{
	(void)state;
	helper_end();
	return 0;
}

int folder_setup(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/coracle-test.XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

int folder_teardown(void **state)
{
	(void)state;
	helper_end();
	return path_remove_tree(AT_FDCWD, folder);
}

void folder_fresh(void)
{
	assert_int_equal(path_remove_tree(AT_FDCWD, folder), 0);
	assert_int_equal(mkdir(folder, 0700), 0);
}

const char *folder_path(void)
{
	return folder;
}

const char *folder_at(const char *name)
{
	static char path[512];

	assert_true((size_t)snprintf(path, sizeof(path), "%s/%s", folder, name) < sizeof(path));
	return path;
}

void folder_put_bytes(const char *name, const void *bytes, size_t n)
{
	char path[512];
	char *slash;
	FILE *f;

	snprintf(path, sizeof(path), "%s", folder_at(name));
	slash = strrchr(path, '/');
	*slash = '\0';
	assert_int_equal(path_mkdirs(path, 0755), 0);
	*slash = '/';
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

void folder_put(const char *name, const char *text)
{
	folder_put_bytes(name, text, strlen(text));
}

const char *folder_content(const char *name)
{
	static char text[65536];
	CLEANUP_FD int fd = open(folder_at(name), O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (n < 0)
		return "(none)";
	text[n] = '\0';
	return text;
}

mode_t folder_mode(const char *name)
{
	struct stat st;

	assert_int_equal(lstat(folder_at(name), &st), 0);
	return st.st_mode;
}

void folder_target(struct target *t)
{
	assert_int_equal(target_open(t, folder, false, NULL), 0);
}

bool folder_apply(const char *user_data)
{
	struct run *r = helper_run();

	folder_target(&r->target);
	r->seed.name = "DataSourceNoCloud [seed=x]";
	r->seed.meta.instance_id = "i-1";
	r->seed.user_data = user_data;
	r->seed.user_data_len = strlen(user_data);
	run_read_seed(r);
	return apply_config(r);
}

struct places *folder_places(struct run *r)
{
	struct places *p = ARENA_NEW(&r->arena, struct places);

	*p = places_below(&r->arena, folder);
	/* without this file the machine's own devices would be looked at */
	if (access(p->devices, F_OK) != 0)
		folder_put("run/coracle/devices", "");
	return p;
}

struct run *folder_find(int expected)
{
	struct run *r = helper_run();

	assert_int_equal(datasource_find(&r->ctx, folder_places(r), &r->seed), expected);
	return r;
}
