/* parse.c - one unit file: lines, sections, specifiers, and the unit that comes out of it.
 *
 * Runs in PID 1, in tests and in the fuzzer. Pure; no heap, no recursion. The syntax is that of systemd.syntax(7). */
#include "init/units/compile.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cdefs.h"
#include "init/units/values.h"

struct lines {
	char *next, *end;
	int number;		/* of the line that was read last, where it began */
	int following;		/* lines that it went on over */
};

int unit_name_ok(const char *name)
{
	size_t n = strlen(name);

	return n > 0 && n < 64 &&
	       n == strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.@:-") && name[0] != '.';
}

static int is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static char *trim(char *s)
{
	size_t n = strlen(s);

	while (n > 0 && is_blank(s[n - 1]))
		s[--n] = '\0';
	return s + strspn(s, " \t");
}

/* One line without its newline; NULL at the end. */
static char *raw_line(struct lines *l)
{
	char *line = l->next;
	char *end;

	if (line == l->end)
		return NULL;
	end = memchr(line, '\n', (size_t)(l->end - line));
	l->next = end ? end + 1 : l->end;
	*(end ? end : l->end) = '\0';
	return line;
}

/* The next line that says something. One that ends with a backslash goes on with the next one; comments between the two
 * are left out. It is put together in place. */
static char *next_line(struct lines *l)
{
	char *line = NULL;
	char *tail = NULL;
	char *s;

	l->number += l->following;
	l->following = 0;
	while ((s = raw_line(l))) {
		size_t n = strlen(s);
		char first = s[strspn(s, " \t")];
		int goes_on;

		if (tail)
			l->following++;
		else
			l->number++;
		if (first == '#' || first == ';' || (!tail && !first))
			continue;
		goes_on = n > 0 && s[n - 1] == '\\';
		if (goes_on)
			s[n - 1] = ' ';
		if (tail)
			memmove(tail, s, n + 1);
		else
			line = tail = s;
		tail += n;
		if (!goes_on)
			break;
	}
	return line ? trim(line) : NULL;
}

/* %n is the unit's name, %i what stands behind its @, %% a percent sign. */
static int expand(const struct draft *d, const char *s, char out[UNIT_LINE_MAX], struct err *err)
{
	size_t n = 0;

	for (; *s; s++) {
		const char *text = s;
		size_t len = 1;

		if (*s == '%') {
			s++;
			text = *s == 'n' ? d->name : *s == 'i' ? d->instance : "%";
			if (!*s || !strchr("ni%", *s))
				return err_set(err, 0, "unknown specifier \"%%%.1s\" (%%%% is a percent sign)", s);
			len = strlen(text);
		}
		if (len >= UNIT_LINE_MAX - n)
			return err_set(err, 0, "longer than %d bytes", UNIT_LINE_MAX - 1);
		memcpy(out + n, text, len);
		n += len;
	}
	out[n] = '\0';
	return 0;
}

static int read_section(struct draft *d, const char *line, struct err *err)
{
	int i = value_choice("[Unit]\0[Service]\0[Socket]\0[Timer]\0", line);

	if (i < 0)
		return err_set(err, 0, "unknown section %.40s", line);
	d->section = SECTION_UNIT + (enum section)i;
	return 0;
}

/* "KEY=VALUE". What a percentage ends with is no specifier. */
static int read_assignment(struct draft *d, char *line, struct err *err)
{
	char expanded[UNIT_LINE_MAX];
	char shown[48];
	char *value = strchr(line, '=');
	char *key;
	int r = 0;

	if (!value)
		return err_set(err, 0, "\"%.40s\" is neither a [Section] nor KEY=VALUE", line);
	*value++ = '\0';
	key = trim(line);
	value = trim(value);
	snprintf(shown, sizeof(shown), "%s", value);
	if (d->section == SECTION_NONE)
		return err_set(err, 0, "%.40s= stands before the first [Section]", key);
	if (strchr(value, '%') && strcmp(key, "CPUQuota")) {
		r = expand(d, value, expanded, err);
		value = expanded;
	}
	if (r == 0)
		r = unit_key(d, key, value, err);
	if (r == -ENOSPC)
		err_set(err, 0, "the texts of all units together are longer than %d bytes", UNITS_TEXT_MAX);
	return r < 0 ? err_wrap(err, r, "%.40s=%s%s", key, shown, strlen(shown) == sizeof(shown) - 1 ? "..." : "") : 0;
}

static void set_defaults(struct draft *d, const char *name)
{
	const char *at = strchr(name, '@');

	memset(d, 0, sizeof(*d));
	d->name = name;
	d->instance = at ? at + 1 : "";
	d->sup = (struct sup_unit){ .start_ms = 90000, .stop_ms = 90000, .stop_signal = SIGTERM, .watchdog_signal = SIGABRT,
				    .backoff_ms = 100, .backoff_max_ms = 30000, .decay_ms = 30000 };
	d->service.umask = 022;
	d->service.oom = UNIT_OOM_STOP;
	d->service.reload_signal = SIGHUP;
	d->socket = (struct unit_socket){ .mode = 0666, .backlog = 4096 };
	d->first_socket = units.sockets_n;
	d->first_timer = units.timers_n;
	d->first_limit = units.limits_n;
	d->first_dependency = unit_dependencies_n;
}

/* What only shows when the whole file has been read. */
static int check(struct draft *d, struct err *err)
{
	struct sup_unit *u = &d->sup;

	if (u->type != SUP_TARGET && d->service.argv.n == 0)
		return err_set(err, 0, "no ExecStart= in [Service]");
	if (u->type == SUP_TARGET && (d->service.argv.n || units.sockets_n > d->first_socket || units.timers_n > d->first_timer))
		return err_set(err, 0, "Type=target has no process: ExecStart=, sockets and timers have no meaning");
	if (u->type == SUP_ONESHOT && (u->restart == SUP_RESTART_ALWAYS || u->restart == SUP_RESTART_ON_SUCCESS))
		return err_set(err, 0, "Type=oneshot would run for ever with Restart=always and on-success");
	if (!d->reloads)
		d->service.reload_signal = 0; /* has no meaning then, as in systemd */
	if (u->type == SUP_ONESHOT && !d->oneshot_limited)
		u->start_ms = 0;
	if (d->backoff_limited && u->backoff_max_ms < u->backoff_ms)
		return err_set(err, 0, "RestartMaxDelaySec= is below RestartSec=");
	u->backoff_max_ms = MAX(u->backoff_max_ms, u->backoff_ms);
	if (d->failure_action)
		u->escalate = d->failure_burst ? d->failure_burst : 5;
	else if (d->failure_burst)
		return err_set(err, 0, "FailureBurst= without FailureAction=");
	d->service.flags |= (d->kill_mode ? UNIT_KILL_PROCESS : 0u) | (d->input ? UNIT_CONSOLE : 0u);
	if (units.timers_n > d->first_timer)
		u->flags |= SUP_ON_DEMAND;
	if (units.sockets_n > d->first_socket)
		u->flags |= SUP_LISTENS;
	return 0;
}

static int read_lines(struct draft *d, struct lines *l, struct err *err)
{
	char *line;

	while ((line = next_line(l))) {
		int r;

		err->text[0] = '\0';
		d->line = l->number;
		r = *line == '[' ? read_section(d, line, err) : read_assignment(d, line, err);
		if (r < 0)
			return r;
	}
	d->line = 0;
	return check(d, err);
}

/* The unit is right: it goes into the table, as the index that its name has had before or at the end. */
static int commit(struct draft *d, const char *source, int index)
{
	int r;

	if ((r = unit_text_add(source, strlen(source), &d->service.source)) < 0 ||
	    (r = unit_text_add(d->name, strlen(d->name), &d->service.name)) < 0)
		return r;
	units.service[index] = d->service;
	units.sup[index] = d->sup;
	units.n = MAX(units.n, index + 1);
	for (int i = d->first_timer; i < units.timers_n; i++)
		units.timers[i].unit = index;
	for (int i = d->first_limit; i < units.limits_n; i++)
		units.limits[i].unit = index;
	for (int i = d->first_dependency; i < unit_dependencies_n; i++)
		unit_dependencies[i].unit = (uint8_t)index;
	for (int i = d->first_socket; i < units.sockets_n; i++) {
		struct unit_socket *s = &units.sockets[i];

		d->socket.address = s->address;
		d->socket.kind = s->kind;
		d->socket.unit = index;
		*s = d->socket;
		if (!s->fdname)
			s->fdname = d->service.name;
	}
	return index;
}

static int control_character(const char *text, size_t n)
{
	int line = 1;

	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)text[i];

		line += c == '\n';
		if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f)
			return line;
	}
	return 0;
}

int unit_compile(const char *name, const char *source, char *text, size_t n, struct err *err)
{
	struct draft d;
	struct lines l = { text, text + n, 0, 0 };
	unsigned text_n = units.text_n;
	int index = unit_find(name);
	int r;

	if (index >= 0 && units.service[index].source)
		return -EEXIST;
	set_defaults(&d, name);
	err->text[0] = '\0';
	if (!unit_name_ok(name))
		r = err_set(err, 0, "not a name of a unit (letters, digits and _.@:-, at most 63)");
	else if (index < 0 && units.n == SUP_UNITS_MAX)
		r = err_set(err, 0, "more than %d units", SUP_UNITS_MAX);
	else if ((d.line = control_character(text, n)) != 0)
		r = err_set(err, 0, "a control character");
	else
		r = read_lines(&d, &l, err);
	if (r == 0 && (r = commit(&d, source, index < 0 ? units.n : index)) == -ENOSPC)
		err_set(err, 0, "the texts of all units together are longer than %d bytes", UNITS_TEXT_MAX);
	if (r >= 0)
		return r;
	units.text_n = text_n;
	units.sockets_n = d.first_socket;
	units.timers_n = d.first_timer;
	units.limits_n = d.first_limit;
	unit_dependencies_n = d.first_dependency;
	return d.line ? err_wrap(err, -EINVAL, "%s:%d", source, d.line) : err_wrap(err, -EINVAL, "%s", source);
}
