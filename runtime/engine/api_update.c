/* api_update.c - POST /containers/ID/update: limits of a running container, restart policy (coracle-engine). */
#include "apiint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture.h"
#include "createbody.h"
#include "engine.h"
#include "events.h"
#include "jw.h"
#include "text.h"

struct update {
	struct request *r;
	char id[CONTAINER_ID_LEN + 1];
};

static void answer(struct request *r)
{
	struct buf b;

	buf_init(&b, 1024);
	jw_open(&b, '{');
	jw_kraw(&b, "Warnings", "null");
	jw_close(&b, '}');
	api_json(r, 200, &b);
}

static void forget(struct request *r)
{
	((struct update *)r->state)->r = NULL;
}

static void on_done(struct capture *cap, int status, const char *out, const char *errors)
{
	struct update *u = cap->arg;
	struct request *r = u->r;

	(void)out;
	free(u);
	if (!r)
		return;
	r->state = NULL;
	r->state_free = NULL;
	if (status == 0)
		answer(r);
	else
		api_error(r, 500, "Cannot update container %s: %.300s", r->arg, errors);
	api_resume(r);
}

static void apply(struct request *r, const struct container *c)
{
	const struct service *s = &c->svc;
	const struct { const char *option; int64_t value; } numbers[] = {
		{ "--memory", s->mem_limit }, { "--memory-reservation", s->mem_reservation },
		{ "--memory-swap", s->memswap_limit ? s->memswap_limit : s->mem_limit * 2 }, { "--cpu-quota", s->cpu_quota },
		{ "--cpu-period", s->cpu_period }, { "--cpu-share", s->cpu_shares }, { "--pids-limit", s->pids_limit }, { "--blkio-weight", s->blkio_weight },
	};
	char *argv[CAPTURE_ARGS_MAX];
	struct err err = ERR_INIT;
	struct update *u = calloc(1, sizeof(*u));
	size_t n = 0;

	if (!u)
		return;
	u->r = r;
	argv[n++] = (char *)(uintptr_t)"update";
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		if (!numbers[i].value)
			continue;
		argv[n++] = (char *)(uintptr_t)numbers[i].option;
		argv[n++] = arena_printf(&r->mem, "%lld", (long long)numbers[i].value);
	}
	if (s->cpuset) {
		argv[n++] = (char *)(uintptr_t)"--cpuset-cpus";
		argv[n++] = s->cpuset;
	}
	if (s->cpuset_mems) {
		argv[n++] = (char *)(uintptr_t)"--cpuset-mems";
		argv[n++] = s->cpuset_mems;
	}
	argv[n++] = (char *)(uintptr_t)c->id;
	argv[n] = NULL;
	if (n == 2 || capture_runtime(argv, on_done, u, &err) < 0) {
		free(u);
		if (n == 2)
			answer(r);
		else
			api_error(r, 500, "%s", err.text);
		return;
	}
	r->state = u;
	r->state_free = forget;
	api_suspend(r);
}

void api_update(struct request *r)
{
	struct container *c = api_container(r);
	struct service before;
	struct err err = ERR_INIT;
	unsigned status;

	if (!c)
		return;
	before = c->svc;
	if (create_update(&c->mem, r->body.data, r->body.len, &c->svc, &status, &err) < 0) {
		c->svc = before;
		api_error(r, status, "%s", err.text);
		return;
	}
	if (container_save_config(c, &err) < 0) {
		c->svc = before;
		api_error(r, 500, "%s", err.text);
		return;
	}
	event_container(c, "update", NULL);
	if (c->phase == PHASE_UP)
		apply(r, c);
	else
		answer(r);
}
