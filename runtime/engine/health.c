/* health.c - probes of healthchecks (coracle-engine). One at a time per container; a probe that takes too long is killed. */
#include "health.h"

#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "events.h"
#include "exec.h"
#include "gotime.h"
#include "jw.h"
#include "report.h"
#include "text.h"

#define LOG_KEPT 5
#define OUTPUT_MAX 4096u

struct probe {
	int64_t start_ns, end_ns;
	int code;
	char *output;
};

struct health {
	struct container *c;
	struct arena mem;
	struct healthcheck check;
	struct health_state state;
	struct loop_timer timer;	/* the next probe, or the end of patience with this one */
	struct exec *running;		/* NULL: none */
	bool timed_out;
	int64_t probe_start_ns;
	struct buf output;
	struct probe log[LOG_KEPT];	/* oldest first */
	size_t log_count;
};

static void probe(void *arg);

static int64_t up_ms(const struct health *h)
{
	return (wall_now() - h->c->started_ns) / 1000000;
}

static void wait_for_next(struct health *h)
{
	h->timer.fire = probe;
	loop_timer_set(&h->timer, (uint64_t)healthcheck_delay(&h->check, &h->state, up_ms(h)));
}

static void remember(struct health *h, int code)
{
	struct probe *p;

	if (h->log_count == LOG_KEPT) {
		free(h->log[0].output);
		memmove(h->log, h->log + 1, (LOG_KEPT - 1) * sizeof(h->log[0]));
		h->log_count--;
	}
	p = &h->log[h->log_count++];
	*p = (struct probe){ .start_ns = h->probe_start_ns, .end_ns = wall_now(), .code = code, .output = strdup(h->output.data ? h->output.data : "") };
}

static void tell(struct health *h)
{
	char action[64];

	text_set(action, sizeof(action), "health_status: %s", healthcheck_name(h->state.status));
	event_container(h->c, action, NULL);
	if (h->state.status == HEALTH_UNHEALTHY)
		report_note("engine", "%s: unhealthy: %.300s", h->c->svc.container_name, h->log_count ? h->log[h->log_count - 1].output : "");
	container_fire(h->c, EVENT_HEALTH, h->state.status == HEALTH_HEALTHY ? 0 : 1);
}

static void finish_probe(struct health *h, int code)
{
	bool changed;

	loop_timer_cancel(&h->timer);
	remember(h, code);
	changed = healthcheck_step(&h->check, &h->state, code == 0, up_ms(h));
	wait_for_next(h);
	buf_free(&h->output);
	if (changed)
		tell(h);
}

static bool on_output(int stream, const char *data, size_t n, void *arg)
{
	struct health *h = arg;

	(void)stream;
	if (h->output.len < OUTPUT_MAX)
		buf_add(&h->output, data, MIN(n, OUTPUT_MAX - h->output.len));
	return true;
}

static void on_pull(void *arg)
{
	(void)arg;
}

static void on_ended(int code, void *arg)
{
	struct health *h = arg;

	if (h->running->failure[0]) {
		buf_reset(&h->output);
		buf_add(&h->output, h->running->failure, strlen(h->running->failure));
	}
	exec_free(h->running);
	h->running = NULL;
	if (h->timed_out) {
		buf_reset(&h->output);
		buf_printf(&h->output, "Health check exceeded timeout (%lldms)", (long long)h->check.timeout_ms);
		code = -1;
	}
	finish_probe(h, code);
}

static const struct exec_ops ops = { on_output, on_pull, on_ended };

static void on_timeout(void *arg)
{
	struct health *h = arg;

	h->timed_out = true;
	exec_kill(h->running);
}

static void probe(void *arg)
{
	struct health *h = arg;
	struct err err = ERR_INIT;
	int code = -1;

	if (h->c->status == CONTAINER_PAUSED) {
		wait_for_next(h);
		return;
	}
	h->probe_start_ns = wall_now();
	h->timed_out = false;
	buf_init(&h->output, OUTPUT_MAX + 512);
	h->running = exec_new(h->c);
	if (h->running) {
		h->running->quiet = true;
		h->running->argv = h->check.test;
		code = exec_start(h->running, &ops, h, &err);
		if (code < 0)
			exec_free(h->running);
	}
	if (code < 0) {
		h->running = NULL;
		buf_printf(&h->output, "%s", err.text);
		finish_probe(h, -1);
		return;
	}
	h->timer.fire = on_timeout;
	loop_timer_set(&h->timer, (uint64_t)h->check.timeout_ms);
}

static void free_log(struct health *h)
{
	for (size_t i = 0; i < h->log_count; i++)
		free(h->log[i].output);
	h->log_count = 0;
}

void health_begin(struct container *c)
{
	struct health *h;

	health_end(c);
	if (!c->svc.healthcheck)
		return;
	h = c->health ? c->health : calloc(1, sizeof(*h));
	if (!h)
		return;
	if (!c->health) {
		arena_init(&h->mem, SERVICE_ARENA_MAX);
		h->c = c;
		c->health = h;
		if (!healthcheck_parse(&h->mem, c->svc.healthcheck, &h->check)) {
			health_free(c);
			return;
		}
	}
	free_log(h);
	h->timer.arg = h;
	h->state = (struct health_state){ .status = HEALTH_STARTING };
	wait_for_next(h);
}

/* moby (stopHealthchecks): what does not run is not healthy; the log stays until the next start. */
void health_end(struct container *c)
{
	struct health *h = c->health;

	if (!h)
		return;
	loop_timer_cancel(&h->timer);
	if (h->running) {
		exec_kill(h->running);
		exec_abandon(h->running);
		h->running = NULL;
		buf_free(&h->output);
	}
	h->state.status = HEALTH_UNHEALTHY;
}

void health_free(struct container *c)
{
	struct health *h = c->health;

	if (!h)
		return;
	health_end(c);
	free_log(h);
	arena_free(&h->mem);
	free(h);
	c->health = NULL;
}

enum health_status health_status(const struct container *c)
{
	return c->health ? c->health->state.status : HEALTH_NONE;
}

void health_write(struct buf *b, const struct container *c)
{
	const struct health *h = c->health;
	char time[GOTIME_MAX];

	if (!h)
		return;
	jw_kobj(b, "Health");
	jw_kstr(b, "Status", healthcheck_name(h->state.status));
	jw_kint(b, "FailingStreak", h->state.streak);
	jw_karr(b, "Log");
	for (size_t i = 0; i < h->log_count; i++) {
		jw_open(b, '{');
		jw_kstr(b, "Start", gotime_format(h->log[i].start_ns, time));
		jw_kstr(b, "End", gotime_format(h->log[i].end_ns, time));
		jw_kint(b, "ExitCode", h->log[i].code);
		jw_kstr(b, "Output", h->log[i].output);
		jw_close(b, '}');
	}
	jw_close(b, ']');
	jw_close(b, '}');
}
