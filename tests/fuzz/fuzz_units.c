/* fuzz_units.c - unit files as a table: a line "@@ NAME" begins each file. What is in the table afterwards must be whole. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "init/units/accounts.h"
#include "init/units/compile.h"

int fuzz_units(const uint8_t *data, size_t size);

#define SURE(x) do { if (!(x)) abort(); } while (0)

static void sure_text(unit_text t)
{
	SURE(t < units.text_n && memchr(units.text + t, '\0', units.text_n - t));
}

static void sure_words(const struct unit_words *w)
{
	unsigned at = w->first;

	for (int i = 0; i < w->n; i++, at += (unsigned)strlen(units.text + at) + 1)
		SURE(at < units.text_n && memchr(units.text + at, '\0', units.text_n - at));
}

static void sure_service(const struct service *s)
{
	const unit_text texts[] = { s->name, s->description, s->source, s->environment_file, s->directory, s->user, s->group };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		sure_text(texts[i]);
	sure_words(&s->argv);
	sure_words(&s->environment);
	sure_words(&s->when);
	SURE(unit_name_ok(unit_string(s->name)) && s->argv.n <= UNIT_ARGS_MAX && s->environment.n <= UNIT_ARGS_MAX);
	SURE(s->success_n >= 0 && s->success_n <= UNIT_SUCCESS_MAX);
}

static void sure_sup(const struct sup_unit *u)
{
	SURE(u->start_ms >= 0 && u->stop_ms >= 0 && u->run_ms >= 0 && u->wait_ms >= 0 && u->watchdog_ms >= 0 && u->decay_ms >= 0);
	SURE(u->backoff_ms >= 10 && u->backoff_max_ms >= u->backoff_ms && u->stop_ms < INT64_MAX / 4 && u->backoff_max_ms < INT64_MAX / 4);
	SURE(u->stop_signal > 0 && u->stop_signal < 65 && u->watchdog_signal > 0 && u->watchdog_signal < 65 && u->give_up >= 0 && u->escalate >= 0);
	SURE(u->type == SUP_TARGET || units.service[u - units.sup].argv.n > 0);
}

static void sure_table(void)
{
	SURE(units.n >= 0 && units.n <= SUP_UNITS_MAX && units.text_n <= UNITS_TEXT_MAX);
	for (int i = 0; i < units.n; i++) {
		sure_service(&units.service[i]);
		sure_sup(&units.sup[i]);
		SURE(unit_find(unit_name(i)) == i);
	}
	for (int i = 0; i < units.sockets_n; i++) {
		sure_text(units.sockets[i].address);
		sure_text(units.sockets[i].fdname);
		SURE(units.sockets[i].unit >= 0 && units.sockets[i].unit < units.n && units.sup[units.sockets[i].unit].flags & SUP_LISTENS);
	}
	for (int i = 0; i < units.limits_n; i++)
		SURE(units.limits[i].unit >= 0 && units.limits[i].unit < units.n && units.limits[i].soft <= units.limits[i].hard);
	for (int i = 0; i < units.timers_n; i++) {
		const struct unit_timer *t = &units.timers[i];

		SURE(t->unit >= 0 && t->unit < units.n && t->ms >= 0);
		if (t->kind == UNIT_TIMER_CALENDAR) {
			int64_t next = unit_calendar_next(&t->calendar, 1772000000);

			SURE(next == -1 || (next > 1772000000 && unit_calendar_next(&t->calendar, next - 1) == next));
		}
	}
}

/* Leaves out what does not fit, as services.c does by reading again; here the names of the dependencies go. */
static void resolve(void)
{
	struct err err = ERR_INIT;
	int bad = -1;
	uint64_t all = 0;

	if (units_resolve(&bad, &err) < 0) {
		SURE(bad >= 0 && bad < units.n && err.text[0]);
		return;
	}
	for (int i = 0; i < units.n; i++)
		all |= units.sup[i].after | units.sup[i].needs | units.sup[i].finished | units.sup[i].healthy;
	SURE(units.n == 64 || !(all >> units.n));
}

static void compile(char *file, char *end)
{
	char name[80] = "";
	char *text = memchr(file, '\n', (size_t)(end - file));
	struct err err = ERR_INIT;
	int n = units.n;
	unsigned text_n = units.text_n;
	int r;

	if (!text)
		return;
	*text++ = '\0';
	strncat(name, file, sizeof(name) - 1);
	r = unit_compile(name, "/etc/coracle/units/x.unit", text, (size_t)(end - text), &err);
	SURE(r < units.n);
	if (r < 0)
		SURE(units.n == n && units.text_n == text_n && (r == -EEXIST || (r == -EINVAL && err.text[0])));
}

static void one_load(const uint8_t *data, size_t size, const struct units *old)
{
	char *copy = malloc(size + 1);
	char *end = copy + size;
	char *at;

	memcpy(copy, data, size);
	*end = '\0';
	units_begin(old);
	for (at = copy; at + 3 <= end && !memcmp(at, "@@ ", 3);) {
		char *next = at;

		do
			next = memchr(next + 1, '@', (size_t)(end - next - 1));
		while (next && (next[-1] != '\n' || end - next < 3 || memcmp(next, "@@ ", 3)));
		compile(at + 3, next ? next : end);
		at = next ? next : end;
	}
	if (!old)
		sure_table();
	resolve();
	free(copy);
}

/* The same bytes as the other files that are read at a start. */
static void accounts(const uint8_t *data, size_t size)
{
	char *copy = malloc(size + 1);
	char *at = copy;
	char *entry;
	struct account a;
	gid_t groups[ACCOUNT_GROUPS_MAX];

	memcpy(copy, data, size);
	copy[size] = '\0';
	if (account_user(copy, "web", &a) == 0)
		SURE(a.name[0] && strlen(a.home) < sizeof(a.home));
	SURE(account_groups(copy, "web", 1, groups, ACCOUNT_GROUPS_MAX) >= 1);
	while (environment_next(&at, &entry) > 0)
		SURE(entry >= copy && entry + strlen(entry) <= copy + size && strchr(entry, '=') && at <= copy + size);
	free(copy);
}

int fuzz_units(const uint8_t *data, size_t size)
{
	static struct units old;
	int n;

	accounts(data, size);
	one_load(data, size, NULL);
	old = units;
	n = units.n;
	/* a second load keeps every index; half of the files are gone */
	one_load(data, size / 2, &old);
	SURE(units.n >= n);
	for (int i = 0; i < n; i++)
		SURE(!strcmp(unit_name(i), old.text + old.service[i].name));
	return 0;
}
