/* keys.c - the keys of unit files: a table that says where each one's value goes and what it may be.
 *
 * Runs in PID 1, in tests and in the fuzzer. Pure; no heap. Names are held in the rows, not pointed to: a pointer costs 24 bytes
 * of relocation in a position-independent program. */
#include "init/units/compile.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/resource.h>

#include "cdefs.h"
#include "init/units/values.h"

enum kind {
	TEXT, PATH, USER, COMMAND, WORDS, WHEN, DEPENDENCY, SPAN, SIZE, NUMBER, PERCENT, CHOICE, FLAG, SIGNAL, MODE, TYPE, SUCCESS, LISTEN,
	FDNAME, ON_TIME,
};

/* What a span that is "infinity" means: no limit (0), or as long as can be, or it may not be. */
enum { NONE_IS_0, FOREVER, FINITE };

enum { ANY, NICE, OOM_SCORE, WEIGHT, COUNT, STORED };
static const struct { int64_t min, max; } bounds[] = {
	[ANY] = { 1, INT_MAX }, [NICE] = { -20, 19 }, [OOM_SCORE] = { -1000, 1000 }, [WEIGHT] = { 1, 10000 }, [COUNT] = { 0, 1000000 },
	[STORED] = { 0, 1024 },
};

enum { RESTARTS, OOM_POLICIES, KILL_MODES, INPUTS, ACTIONS };
static const char choices[][80] = {
	[RESTARTS] = "no\0on-success\0on-failure\0on-abnormal\0on-abort\0on-watchdog\0always\0",
	[OOM_POLICIES] = "continue\0stop\0kill\0",
	[KILL_MODES] = "mixed\0process\0",
	[INPUTS] = "null\0tty\0",
	[ACTIONS] = "none\0reboot\0",
};

#define AT(member) offsetof(struct draft, member)

static const struct key {
	char name[23];
	uint8_t section, kind, arg;
	uint16_t offset;
} keys[] = {
	{ "Description", SECTION_UNIT, TEXT, 0, AT(service.description) },
	{ "After", SECTION_UNIT, DEPENDENCY, DEP_AFTER, 0 },
	{ "Before", SECTION_UNIT, DEPENDENCY, DEP_BEFORE, 0 },
	{ "Requires", SECTION_UNIT, DEPENDENCY, DEP_NEEDS, 0 },
	{ "RequiresFinished", SECTION_UNIT, DEPENDENCY, DEP_FINISHED, 0 },
	{ "RequiresHealthy", SECTION_UNIT, DEPENDENCY, DEP_HEALTHY, 0 },
	{ "AfterTimeoutSec", SECTION_UNIT, SPAN, NONE_IS_0, AT(sup.wait_ms) },
	{ "ConditionPathExists", SECTION_UNIT, WHEN, 0, AT(service.when) },
	{ "Critical", SECTION_UNIT, FLAG, SUP_CRITICAL, AT(sup.flags) },
	{ "OnDemand", SECTION_UNIT, FLAG, SUP_ON_DEMAND, AT(sup.flags) },
	{ "RecordTimes", SECTION_UNIT, FLAG, UNIT_STAMPED, AT(service.flags) },
	{ "StartLimitBurst", SECTION_UNIT, NUMBER, COUNT, AT(sup.give_up) },
	{ "FailureAction", SECTION_UNIT, CHOICE, ACTIONS, AT(failure_action) },
	{ "FailureBurst", SECTION_UNIT, NUMBER, ANY, AT(failure_burst) },

	{ "Type", SECTION_SERVICE, TYPE, 0, 0 },
	{ "ExecStart", SECTION_SERVICE, COMMAND, 0, AT(service.argv) },
	{ "Environment", SECTION_SERVICE, WORDS, 0, AT(service.environment) },
	{ "EnvironmentFile", SECTION_SERVICE, PATH, '-', AT(service.environment_file) },
	{ "User", SECTION_SERVICE, USER, 0, AT(service.user) },
	{ "Group", SECTION_SERVICE, USER, 0, AT(service.group) },
	{ "WorkingDirectory", SECTION_SERVICE, PATH, 0, AT(service.directory) },
	{ "UMask", SECTION_SERVICE, MODE, 0, AT(service.umask) },
	{ "Nice", SECTION_SERVICE, NUMBER, NICE, AT(service.nice) },
	{ "OOMScoreAdjust", SECTION_SERVICE, NUMBER, OOM_SCORE, AT(service.oom_score_adj) },
	{ "OOMPolicy", SECTION_SERVICE, CHOICE, OOM_POLICIES, AT(service.oom) },
	{ "NoNewPrivileges", SECTION_SERVICE, FLAG, UNIT_NO_NEW_PRIVS, AT(service.flags) },
	{ "MemoryMin", SECTION_SERVICE, SIZE, 1, AT(service.memory_min) },
	{ "MemoryHigh", SECTION_SERVICE, SIZE, 2, AT(service.memory_high) },
	{ "MemoryMax", SECTION_SERVICE, SIZE, 2, AT(service.memory_max) },
	{ "TasksMax", SECTION_SERVICE, SIZE, 0, AT(service.tasks_max) },
	{ "CPUWeight", SECTION_SERVICE, NUMBER, WEIGHT, AT(service.cpu_weight) },
	{ "IOWeight", SECTION_SERVICE, NUMBER, WEIGHT, AT(service.io_weight) },
	{ "CPUQuota", SECTION_SERVICE, PERCENT, ANY, AT(service.cpu_quota) },
	{ "Restart", SECTION_SERVICE, CHOICE, RESTARTS, AT(sup.restart) },
	{ "RestartSec", SECTION_SERVICE, SPAN, FINITE, AT(sup.backoff_ms) },
	{ "RestartMaxDelaySec", SECTION_SERVICE, SPAN, FOREVER, AT(sup.backoff_max_ms) },
	{ "RestartDecaySec", SECTION_SERVICE, SPAN, NONE_IS_0, AT(sup.decay_ms) },
	{ "SuccessExitStatus", SECTION_SERVICE, SUCCESS, 0, 0 },
	{ "TimeoutStartSec", SECTION_SERVICE, SPAN, NONE_IS_0, AT(sup.start_ms) },
	{ "TimeoutStopSec", SECTION_SERVICE, SPAN, FOREVER, AT(sup.stop_ms) },
	{ "RuntimeMaxSec", SECTION_SERVICE, SPAN, NONE_IS_0, AT(sup.run_ms) },
	{ "WatchdogSec", SECTION_SERVICE, SPAN, NONE_IS_0, AT(sup.watchdog_ms) },
	{ "WatchdogSignal", SECTION_SERVICE, SIGNAL, 0, AT(sup.watchdog_signal) },
	{ "KillSignal", SECTION_SERVICE, SIGNAL, 0, AT(sup.stop_signal) },
	{ "ReloadSignal", SECTION_SERVICE, SIGNAL, 0, AT(service.reload_signal) },
	{ "KillMode", SECTION_SERVICE, CHOICE, KILL_MODES, AT(kill_mode) },
	{ "StandardInput", SECTION_SERVICE, CHOICE, INPUTS, AT(input) },
	{ "FileDescriptorStoreMax", SECTION_SERVICE, NUMBER, STORED, AT(service.fdstore_max) },

	{ "ListenStream", SECTION_SOCKET, LISTEN, UNIT_SOCKET_STREAM, 0 },
	{ "ListenDatagram", SECTION_SOCKET, LISTEN, UNIT_SOCKET_DATAGRAM, 0 },
	{ "ListenSequentialPacket", SECTION_SOCKET, LISTEN, UNIT_SOCKET_SEQPACKET, 0 },
	{ "ListenFIFO", SECTION_SOCKET, LISTEN, UNIT_SOCKET_FIFO, 0 },
	{ "FileDescriptorName", SECTION_SOCKET, FDNAME, 0, AT(socket.fdname) },
	{ "SocketMode", SECTION_SOCKET, MODE, 0, AT(socket.mode) },
	{ "SocketUser", SECTION_SOCKET, USER, 0, AT(socket.user) },
	{ "SocketGroup", SECTION_SOCKET, USER, 0, AT(socket.group) },
	{ "Backlog", SECTION_SOCKET, NUMBER, ANY, AT(socket.backlog) },

	{ "OnBootSec", SECTION_TIMER, ON_TIME, UNIT_TIMER_BOOT, 0 },
	{ "OnUnitActiveSec", SECTION_TIMER, ON_TIME, UNIT_TIMER_ACTIVE, 0 },
	{ "OnUnitInactiveSec", SECTION_TIMER, ON_TIME, UNIT_TIMER_INACTIVE, 0 },
	{ "OnCalendar", SECTION_TIMER, ON_TIME, UNIT_TIMER_CALENDAR, 0 },
};

static int wrong(struct err *err, const char *what)
{
	return err_set(err, 0, "%s", what);
}

static int set_text(unit_text *to, const char *value)
{
	*to = 0;
	return *value ? unit_text_add(value, strlen(value), to) : 0;
}

/* Users and groups are looked up at each start; here only their form is looked at. */
static int set_user(unit_text *to, const char *value, struct err *err)
{
	if (strlen(value) > 32 || value[strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.$")])
		return wrong(err, "not a name of a user or group");
	return set_text(to, value);
}

static int set_path(unit_text *to, const char *value, char optional, struct err *err)
{
	if (*value && value[*value == optional] != '/')
		return wrong(err, "not an absolute path");
	return set_text(to, value);
}

/* "$$" is "$"; what systemd would put in for a single one is not known here. */
static int undo_dollars(char *word, struct err *err)
{
	char *to = word;

	for (const char *s = word; *s; s++) {
		if (*s == '$' && s[1] == '$')
			s++;
		else if (*s == '$' && (s[1] == '{' || s[1] == '_' || (s[1] >= 'A' && s[1] <= 'Z') || (s[1] >= 'a' && s[1] <= 'z')))
			return wrong(err, "variables are not put in: write $$ for a $, or start /bin/sh -c '...$$NAME...'");
		*to++ = *s;
	}
	*to = '\0';
	return 0;
}

static int set_command(struct unit_words *to, char *value, struct err *err)
{
	char *word;
	int quoted;
	int r = 0;

	if (*value && to->n)
		return wrong(err, "there is one command only");
	*to = (struct unit_words){ 0, 0 };
	while (r == 0 && (word = value_word(&value, &quoted, err))) {
		if (to->n == 0 && *word != '/')
			return wrong(err, strchr("-@:+!|", *word) ? "prefixes of the command are not known here" : "the command is not an absolute path");
		if (!strcmp(word, ";") && !quoted)
			return wrong(err, "there is one command only");
		if (to->n == UNIT_ARGS_MAX)
			return err_set(err, 0, "more than %d words", UNIT_ARGS_MAX);
		if ((r = undo_dollars(word, err)) == 0)
			r = unit_word_add(to, word);
	}
	return r ? r : err->text[0] ? -EINVAL : 0;
}

static int is_variable(const char *s)
{
	size_t n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789");

	return n > 0 && s[n] == '=' && !(*s >= '0' && *s <= '9');
}

static int add_environment(struct unit_words *to, char *value, struct err *err)
{
	char *word;
	int r = 0;

	if (!*value)
		*to = (struct unit_words){ 0, 0 };
	while (r == 0 && (word = value_word(&value, NULL, err))) {
		if (!is_variable(word))
			return wrong(err, "not NAME=VALUE");
		if (to->n == UNIT_ARGS_MAX)
			return err_set(err, 0, "more than %d variables", UNIT_ARGS_MAX);
		r = unit_word_add(to, word);
	}
	return r ? r : err->text[0] ? -EINVAL : 0;
}

static int add_condition(struct unit_words *to, const char *value, struct err *err)
{
	if (!*value) {
		*to = (struct unit_words){ 0, 0 };
		return 0;
	}
	if (value[*value == '!'] != '/')
		return wrong(err, "not an absolute path");
	return unit_word_add(to, value);
}

static int add_dependencies(struct draft *d, enum dependency kind, char *value, struct err *err)
{
	const char *word;
	int r;

	while ((word = value_word(&value, NULL, err))) {
		struct dependency_name *n = &unit_dependencies[unit_dependencies_n];

		if (!unit_name_ok(word))
			return err_set(err, 0, "\"%s\" is not a name of a unit", word);
		if (unit_dependencies_n == UNIT_DEPENDENCIES_MAX)
			return err_set(err, 0, "more than %d dependencies in all units", UNIT_DEPENDENCIES_MAX);
		*n = (struct dependency_name){ .line = (uint16_t)d->line, .kind = (uint8_t)kind };
		if ((r = unit_text_add(word, strlen(word), &n->name)) < 0)
			return r;
		unit_dependencies_n++;
	}
	return err->text[0] ? -EINVAL : 0;
}

static int set_span(struct draft *d, int64_t *to, int arg, const char *value, struct err *err)
{
	int64_t us;

	if (value_span(value, 1000000, &us) < 0)
		return wrong(err, "not a span of time");
	if (us == VALUE_FOREVER && arg == FINITE)
		return wrong(err, "cannot be infinity");
	*to = us == VALUE_FOREVER ? arg == NONE_IS_0 ? 0 : VALUE_SPAN_MAX_MS : (us + 999) / 1000;
	if (to == &d->sup.backoff_ms && *to < 10)
		return wrong(err, "at least 10ms: the first restart is at once, this is the delay before the second");
	d->oneshot_limited |= to == &d->sup.start_ms;
	d->backoff_limited |= to == &d->sup.backoff_max_ms;
	return 0;
}

/* kind 0: a count, 1: bytes, 2: bytes, but not 0, which is how "not set" is kept */
static int set_size(int64_t *to, int kind, const char *value, struct err *err)
{
	uint64_t n;
	int64_t count = 0;

	if (kind ? value_size(value, &n) < 0 || (kind == 2 && n == 0) : strcmp(value, "infinity") && value_number(value, 1, INT_MAX, &count) < 0)
		return wrong(err, kind ? "not a size in bytes (K, M, G, T) or infinity" : "not a number or infinity");
	*to = kind ? n == UINT64_MAX ? 0 : (int64_t)n : count;
	return 0;
}

static int set_number(int *to, int bound, const char *value, struct err *err)
{
	int64_t n;

	if (value_number(value, bounds[bound].min, bounds[bound].max, &n) < 0)
		return err_set(err, 0, "not a number from %lld to %lld", (long long)bounds[bound].min, (long long)bounds[bound].max);
	*to = (int)n;
	return 0;
}

static int set_percent(int *to, char *value, struct err *err)
{
	size_t n = strlen(value);

	if (n < 2 || value[n - 1] != '%')
		return wrong(err, "not a percentage (\"50%\")");
	value[n - 1] = '\0';
	return set_number(to, ANY, value, err);
}

static int set_choice(int *to, int choice, const char *value, struct err *err)
{
	int i = value_choice(choices[choice], value);
	char list[sizeof(choices[0])];

	if (i >= 0) {
		*to = i;
		return 0;
	}
	/* "a\0b\0\0" -> "a, b" would need room: blanks do */
	memcpy(list, choices[choice], sizeof(list));
	for (size_t k = 0; k + 2 < sizeof(list) && (list[k] || list[k + 1]); k++)
		if (!list[k] && list[k + 1])
			list[k] = ' ';
	return err_set(err, 0, "not one of: %s", list);
}

static int set_flag(unsigned *to, unsigned flag, const char *value, struct err *err)
{
	int on = value_bool(value);

	if (on < 0)
		return wrong(err, "neither yes nor no");
	*to = on ? *to | flag : *to & ~flag;
	return 0;
}

static int set_signal(int *to, const char *value, struct err *err)
{
	int n = value_signal(value);

	if (n < 0)
		return wrong(err, "not a signal");
	*to = n;
	return 0;
}

static int set_mode(unsigned *to, const char *value, struct err *err)
{
	return value_octal(value, to) < 0 ? wrong(err, "not an octal mode") : 0;
}

static int set_type(struct draft *d, const char *value, struct err *err)
{
	int i = value_choice("simple\0exec\0notify\0oneshot\0target\0notify-reload\0", value);

	if (i < 0)
		return wrong(err, "not one of: simple exec notify oneshot target notify-reload");
	d->sup.type = i == 3 ? SUP_ONESHOT : i == 4 ? SUP_TARGET : SUP_DAEMON;
	d->reloads = i == 5;
	d->sup.flags = i == 2 || i == 5 ? d->sup.flags | SUP_NOTIFIES : d->sup.flags & ~(unsigned)SUP_NOTIFIES;
	return 0;
}

static int add_success(struct service *s, char *value, struct err *err)
{
	const char *word;
	int64_t n;

	if (!*value) {
		s->success_n = 0;
		s->success_signals = 0;
	}
	while ((word = value_word(&value, NULL, err))) {
		int sig = *word >= '0' && *word <= '9' ? -1 : value_signal(word);

		if (sig > 0) {
			s->success_signals |= UINT64_C(1) << (sig - 1);
			continue;
		}
		if (value_number(word, 0, 255, &n) < 0)
			return err_set(err, 0, "\"%s\" is neither a code (0 to 255) nor a signal", word);
		if (s->success_n == UNIT_SUCCESS_MAX)
			return err_set(err, 0, "more than %d codes", UNIT_SUCCESS_MAX);
		s->success[s->success_n++] = (uint8_t)n;
	}
	return err->text[0] ? -EINVAL : 0;
}

static int add_socket(struct draft *d, enum unit_socket_kind kind, const char *value, struct err *err)
{
	struct unit_socket *s = &units.sockets[units.sockets_n];
	int is_port = value[strspn(value, "0123456789")] == '\0' || (*value != '/' && *value != '@' && strchr(value, ':'));

	if (!*value) {
		units.sockets_n = d->first_socket;
		return 0;
	}
	if ((*value != '/' && *value != '@' && !is_port) || (*value != '/' && kind == UNIT_SOCKET_FIFO) ||
	    (is_port && kind == UNIT_SOCKET_SEQPACKET) || strlen(value) > 107)
		return wrong(err, "not an address of this kind of socket");
	if (units.sockets_n == UNITS_SOCKETS_MAX)
		return err_set(err, 0, "more than %d sockets in all units", UNITS_SOCKETS_MAX);
	*s = (struct unit_socket){ .kind = kind };
	units.sockets_n++;
	return set_text(&s->address, value);
}

static int add_timer(enum unit_timer_kind kind, const char *value, struct err *err)
{
	struct unit_timer *t = &units.timers[units.timers_n];
	int64_t us;

	if (units.timers_n == UNITS_TIMERS_MAX)
		return err_set(err, 0, "more than %d timers in all units", UNITS_TIMERS_MAX);
	*t = (struct unit_timer){ .kind = kind };
	if (kind == UNIT_TIMER_CALENDAR) {
		if (unit_calendar_parse(value, &t->calendar, err) < 0)
			return -EINVAL;
	} else if (value_span(value, 1000000, &us) < 0 || us == VALUE_FOREVER) {
		return wrong(err, "not a span of time");
	} else {
		t->ms = (us + 999) / 1000;
	}
	units.timers_n++;
	return 0;
}

/* In the order of the kernel's numbers: RLIMIT_CPU is 0. */
static const char limit_names[] = "CPU\0FSIZE\0DATA\0STACK\0CORE\0RSS\0NPROC\0NOFILE\0MEMLOCK\0AS\0LOCKS\0SIGPENDING\0MSGQUEUE\0NICE\0RTPRIO\0RTTIME\0";

static int limit_value(int resource, const char *s, uint64_t *out)
{
	static const unsigned in_bytes = 1u << RLIMIT_FSIZE | 1u << RLIMIT_DATA | 1u << RLIMIT_STACK | 1u << RLIMIT_CORE | 1u << RLIMIT_RSS |
					 1u << RLIMIT_MEMLOCK | 1u << RLIMIT_AS | 1u << RLIMIT_MSGQUEUE;
	int64_t n;

	*out = RLIM_INFINITY;
	if (!strcmp(s, "infinity"))
		return 0;
	if (in_bytes >> resource & 1)
		return value_size(s, out);
	if (resource == RLIMIT_CPU || resource == RLIMIT_RTTIME) {
		if (value_span(s, resource == RLIMIT_CPU ? 1000000 : 1, &n) < 0)
			return -EINVAL;
		*out = (uint64_t)(resource == RLIMIT_CPU ? (n + 999999) / 1000000 : n);
		return 0;
	}
	if (value_number(s, 0, INT64_MAX, &n) < 0)
		return -EINVAL;
	*out = (uint64_t)n;
	return 0;
}

/* "1024", "1024:4096" (soft:hard). The same resource again takes the place of what was said before. */
static int set_limit(int first, int resource, char *value, struct err *err)
{
	struct unit_limit limit = { .resource = resource };
	char *hard = strchr(value, ':');
	int i = first;

	if (hard)
		*hard++ = '\0';
	if (limit_value(resource, value, &limit.soft) < 0 || limit_value(resource, hard ? hard : value, &limit.hard) < 0)
		return wrong(err, "not a limit (SOFT:HARD, a value for both, or infinity)");
	if (limit.soft > limit.hard)
		return wrong(err, "the soft limit is above the hard one");
	while (i < units.limits_n && units.limits[i].resource != resource)
		i++;
	if (i == UNITS_LIMITS_MAX)
		return err_set(err, 0, "more than %d limits in all units", UNITS_LIMITS_MAX);
	units.limits[i] = limit;
	units.limits_n = MAX(units.limits_n, i + 1);
	return 0;
}

static int apply(struct draft *d, const struct key *k, char *value, struct err *err)
{
	void *to = (char *)d + k->offset;

	switch ((enum kind)k->kind) {
	case TEXT:
		return set_text(to, value);
	case PATH:
		return set_path(to, value, (char)k->arg, err);
	case USER:
		return set_user(to, value, err);
	case COMMAND:
		return set_command(to, value, err);
	case WORDS:
		return add_environment(to, value, err);
	case WHEN:
		return add_condition(to, value, err);
	case DEPENDENCY:
		return add_dependencies(d, k->arg, value, err);
	case SPAN:
		return set_span(d, to, k->arg, value, err);
	case SIZE:
		return set_size(to, k->arg, value, err);
	case NUMBER:
		return set_number(to, k->arg, value, err);
	case PERCENT:
		return set_percent(to, value, err);
	case CHOICE:
		return set_choice(to, k->arg, value, err);
	case FLAG:
		return set_flag(to, k->arg, value, err);
	case SIGNAL:
		return set_signal(to, value, err);
	case MODE:
		return set_mode(to, value, err);
	case TYPE:
		return set_type(d, value, err);
	case SUCCESS:
		return add_success(&d->service, value, err);
	case LISTEN:
		return add_socket(d, k->arg, value, err);
	case FDNAME:
		return unit_name_ok(value) && !strchr(value, ':') ? set_text(to, value) : wrong(err, "not a name (letters, digits and _.@-)");
	case ON_TIME:
		return add_timer(k->arg, value, err);
	}
	return -EINVAL;
}

int unit_key(struct draft *d, const char *key, char *value, struct err *err)
{
	static const char *const sections[] = { "", "Unit", "Service", "Socket", "Timer" };
	int limit;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (keys[i].section == d->section && !strncmp(keys[i].name, key, sizeof(keys[i].name)))
			return apply(d, &keys[i], value, err);
	if (d->section == SECTION_SERVICE && !strncmp(key, "Limit", 5) && (limit = value_choice(limit_names, key + 5)) >= 0)
		return set_limit(d->first_limit, limit, value, err);
	return err_set(err, 0, "unknown in section [%s]", sections[d->section]);
}
