/* config_helper.c - what the unit tests of init/config share. */
#include "config_helper.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct run current;
static bool begun;
static struct buf problems;

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
