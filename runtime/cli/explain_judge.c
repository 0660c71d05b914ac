/* explain_judge.c - what a failed boot failed of, and a screen with limits. Pure: no system call, no heap. */
#include "explain.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cdefs.h"

#define RESTARTS 3	/* so often without coming up is no accident any more */

int explain_find(const struct explain_facts *f, const char *name)
{
	for (int i = 0; i < f->n; i++)
		if (!strcmp(f->unit[i].name, name))
			return i;
	return -1;
}

bool explain_waits(const struct explain_facts *f, int i, int d)
{
	const char *name = f->unit[d].name;
	size_t n = strlen(name);

	for (const char *at = f->unit[i].after; *at; at += strcspn(at, ",")) {
		at += *at == ',';
		if (!strncmp(at, name, n) && (at[n] == ',' || at[n] == '\0'))
			return true;
	}
	return false;
}

static bool is_one_of(const char *state, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(state, list[i]))
			return true;
	return false;
}

static bool has_failed(const struct explain_unit *u)
{
	return !strcmp(u->state, "failed") || !strcmp(u->state, "stuck");
}

static bool is_settled(const struct explain_unit *u)
{
	static const char *const settled[] = { "off", "running", "reloading", "done", "failed", "skipped", "stuck", "listening" };

	return is_one_of(u->state, settled, ARRAY_SIZE(settled));
}

/* Restarted since a moment ago, or, where nothing is known of that moment, often and not up now. */
static bool is_looping(const struct explain_facts *now, const struct explain_facts *before, int i)
{
	const struct explain_unit *u = &now->unit[i];
	int old = before ? explain_find(before, u->name) : -1;

	return u->restarts >= RESTARTS && ((strcmp(u->state, "running") && strcmp(u->state, "reloading")) || (old >= 0 && before->unit[old].restarts != u->restarts));
}

static bool is_down(const struct explain_facts *now, const struct explain_facts *before, int i)
{
	return has_failed(&now->unit[i]) || is_looping(now, before, i);
}

/* What it waits for may be the one to blame, and so on. The order is not circular; the bound is for what is not init's answer. */
static int blame(const struct explain_facts *now, const struct explain_facts *before, int i)
{
	for (int round = 0; round < EXPLAIN_UNITS_MAX; round++) {
		int deeper = -1;

		for (int d = 0; d < now->n && deeper < 0; d++)
			if (d != i && explain_waits(now, i, d) && is_down(now, before, d))
				deeper = d;
		if (deeper < 0)
			break;
		i = deeper;
	}
	return i;
}

/* Its own report, or init's about it: "NAME exited with code 3". */
static int first_problem(const struct explain_facts *f, const char *name)
{
	size_t n = strlen(name);

	for (int i = 0; i < f->problems_n; i++) {
		const struct explain_problem *p = &f->problem[i];

		if (!strcmp(p->component, name) || (!strcmp(p->component, "init") && !strncmp(p->message, name, n) && p->message[n] == ' '))
			return i;
	}
	return -1;
}

/* Critical ones first, each by the time of its first problem. */
static int first_down(const struct explain_facts *now, const struct explain_facts *before, bool critical)
{
	int best = -1;
	int best_problem = EXPLAIN_PROBLEMS_MAX;

	for (int i = 0; i < now->n; i++) {
		int p = first_problem(now, now->unit[i].name);

		if (now->unit[i].critical != critical || !is_down(now, before, i))
			continue;
		if (best < 0 || (p >= 0 && p < best_problem)) {
			best = i;
			best_problem = p >= 0 ? p : EXPLAIN_PROBLEMS_MAX;
		}
	}
	return best;
}

/* What the boot waits for: the critical ones, and the stages that the image has. */
static int first_unfinished(const struct explain_facts *f)
{
	static const char *const stages[] = { "data", "config", "engine", "final" };

	for (size_t k = 0; k < ARRAY_SIZE(stages); k++) {
		int i = explain_find(f, stages[k]);

		if (i >= 0 && !is_settled(&f->unit[i]))
			return i;
	}
	for (int i = 0; i < f->n; i++)
		if (f->unit[i].critical && !is_settled(&f->unit[i]))
			return i;
	return -1;
}

/* Anything before the services: what follows from it is not to be blamed. */
static struct explain_verdict judge_stages(const struct explain_facts *f)
{
	int data = explain_find(f, "data");
	int config = explain_find(f, "config");

	if (data >= 0 && f->wants_data && !f->data_node[0] && !strcmp(f->unit[data].state, "skipped"))
		return (struct explain_verdict){ EXPLAIN_NO_DATA, data, -1 };
	if (data >= 0 && has_failed(&f->unit[data]))
		return (struct explain_verdict){ EXPLAIN_DATA, data, -1 };
	if (config >= 0 && (has_failed(&f->unit[config]) || f->config_errors))
		return (struct explain_verdict){ EXPLAIN_CONFIG, config, -1 };
	return (struct explain_verdict){ EXPLAIN_FINE, -1, -1 };
}

struct explain_verdict explain_judge(const struct explain_facts *now, const struct explain_facts *before)
{
	struct explain_verdict v = judge_stages(now);
	int i;

	if (v.kind == EXPLAIN_FINE && (i = first_down(now, before, true)) >= 0)
		v = (struct explain_verdict){ EXPLAIN_CRITICAL, blame(now, before, i), -1 };
	else if (v.kind == EXPLAIN_FINE && (i = first_unfinished(now)) >= 0)
		v = (struct explain_verdict){ EXPLAIN_UNFINISHED, i, -1 };
	else if (v.kind == EXPLAIN_FINE && (i = first_down(now, before, false)) >= 0)
		v = (struct explain_verdict){ EXPLAIN_UNIT, blame(now, before, i), -1 };
	if (v.unit >= 0)
		v.problem = first_problem(now, now->unit[v.unit].name);
	return v;
}

void explain_line(struct explain_screen *s, const char *fmt, ...)
{
	char line[1024];
	va_list ap;
	size_t n;

	if (s->lines == EXPLAIN_LINES)
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	n = MIN(strlen(line), (size_t)EXPLAIN_COLUMNS);
	/* a byte is a column: what is not ASCII has a width that nobody here knows */
	for (size_t i = 0; i < n; i++)
		s->text[s->n++] = (unsigned char)line[i] < 0x20 || (unsigned char)line[i] > 0x7e ? '?' : line[i];
	s->text[s->n++] = '\n';
	s->text[s->n] = '\0';
	s->lines++;
}

/* As much of it as fits into so many columns, up to a blank if there is one in the second half. */
static size_t one_line(const char *text, size_t columns)
{
	size_t n = strlen(text);

	if (n <= columns)
		return n;
	for (n = columns; n > columns / 2; n--)
		if (text[n] == ' ')
			return n;
	return columns;
}

void explain_text(struct explain_screen *s, int most, const char *fmt, ...)
{
	char text[1024];
	const char *at = text;
	const char *indent = "";
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	for (int i = 0; i < most && *at; i++, indent = "    ") {
		size_t n = one_line(at, EXPLAIN_COLUMNS - strlen(indent));

		explain_line(s, "%s%.*s", indent, i == most - 1 ? (int)strlen(at) : (int)n, at);
		at += n;
		at += *at == ' ';
	}
}
