/* changes.c - one Dockerfile line changes a configuration. Runs in the engine's children; pure functions. */
#include "runtime/image/changes.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/cdefs.h"
#include "runtime/image/say.h"

struct line {
	yyjson_mut_doc *doc;
	yyjson_mut_val *config;
	const char *word;	/* as the person wrote it */
	char *rest;		/* what follows, without blanks around it */
	struct err *err;
};

static void set(struct line *l, const char *key, yyjson_mut_val *value)
{
	yyjson_mut_obj_remove_key(l->config, key);
	yyjson_mut_obj_add_val(l->doc, l->config, key, value);
}

static int needs_argument(struct line *l)
{
	return image_say(l->err, EINVAL, "%s requires at least one argument", l->word);
}

/* ["a","b"]: the exec form; NULL: it is not. */
static yyjson_mut_val *exec_form(struct line *l)
{
	yyjson_doc *doc = l->rest[0] == '[' ? yyjson_read(l->rest, strlen(l->rest), 0) : NULL;
	yyjson_val *list = yyjson_doc_get_root(doc), *v;
	yyjson_mut_val *out = NULL;
	size_t i, max;

	if (yyjson_is_arr(list)) {
		out = yyjson_val_mut_copy(l->doc, list);
		yyjson_arr_foreach(list, i, max, v) {
			if (!yyjson_is_str(v) || strlen(yyjson_get_str(v)) != yyjson_get_len(v))
				out = NULL;
		}
	}
	yyjson_doc_free(doc);
	return out;
}

static yyjson_mut_val *shell_form(struct line *l)
{
	yyjson_mut_val *out = yyjson_mut_arr(l->doc);

	yyjson_mut_arr_add_str(l->doc, out, "/bin/sh");
	yyjson_mut_arr_add_str(l->doc, out, "-c");
	yyjson_mut_arr_add_strcpy(l->doc, out, l->rest);
	return out;
}

static int change_command(struct line *l)
{
	yyjson_mut_val *list = exec_form(l);

	set(l, "Cmd", list ? list : shell_form(l));
	return 0;
}

static int change_entrypoint(struct line *l)
{
	yyjson_mut_val *list = exec_form(l);

	/* the image's command was for the image's entrypoint */
	yyjson_mut_obj_remove_key(l->config, "Cmd");
	set(l, "Entrypoint", list ? list : shell_form(l));
	return 0;
}

/* The object or list of that name, made when missing. */
static yyjson_mut_val *container(struct line *l, const char *key, int list)
{
	yyjson_mut_val *v = yyjson_mut_obj_get(l->config, key);

	if (list ? yyjson_mut_is_arr(v) : yyjson_mut_is_obj(v))
		return v;
	yyjson_mut_obj_remove_key(l->config, key);
	return list ? yyjson_mut_obj_add_arr(l->doc, l->config, key) : yyjson_mut_obj_add_obj(l->doc, l->config, key);
}

/* The next word, quotes and backslashes removed in place; NULL: no more. *bad: a quote is not closed. */
static char *next_word(char **rest, int *bad)
{
	char *in = *rest + strspn(*rest, " \t"), *out = in, *word = in, quote = 0;

	if (!*in)
		return NULL;
	for (; *in && (quote || (*in != ' ' && *in != '\t')); in++) {
		if (quote ? *in == quote : *in == '"' || *in == '\'') {
			quote = quote ? 0 : *in;
			continue;
		}
		if (*in == '\\' && quote != '\'' && in[1])
			in++;
		*out++ = *in;
	}
	*bad |= quote != 0;
	*rest = *in ? in + 1 : in;
	*out = '\0';
	return word;
}

static void put_variable(struct line *l, const char *pair)
{
	yyjson_mut_val *list = container(l, "Env", 1), *v;
	size_t n = strcspn(pair, "="), i, max;

	yyjson_mut_arr_foreach(list, i, max, v) {
		const char *have = yyjson_mut_get_str(v);

		if (have && strncmp(have, pair, n) == 0 && have[n] == '=') {
			yyjson_mut_arr_replace(list, i, yyjson_mut_strcpy(l->doc, pair));
			return;
		}
	}
	yyjson_mut_arr_add_strcpy(l->doc, list, pair);
}

static void put_label(struct line *l, char *pair)
{
	yyjson_mut_val *object = container(l, "Labels", 0);
	char *value = strchr(pair, '=');

	*value++ = '\0';
	yyjson_mut_obj_remove_key(object, pair);
	yyjson_mut_obj_add(object, yyjson_mut_strcpy(l->doc, pair), yyjson_mut_strcpy(l->doc, value));
}

/* K=V K2="V 2", or the old form K V. */
static int change_pairs(struct line *l)
{
	int label = !strcasecmp(l->word, "LABEL"), bad = 0;
	char *rest = l->rest, *blank = rest + strcspn(rest, " \t="), *word;

	if (*blank != '=') {
		if (!*blank)
			return image_say(l->err, EINVAL, "%s must have two arguments", l->word);
		*blank = '=';
		memmove(blank + 1, blank + 1 + strspn(blank + 1, " \t"), strlen(blank + 1 + strspn(blank + 1, " \t")) + 1);
		if (blank == rest)
			return image_say(l->err, EINVAL, "%s names can not be blank", l->word);
		label ? put_label(l, rest) : put_variable(l, rest);
		return 0;
	}
	while ((word = next_word(&rest, &bad))) {
		if (bad || !strchr(word, '='))
			return image_say(l->err, EINVAL, "Syntax error - can't find = in \"%.80s\". Must be of the form: name=value", word);
		if (*word == '=')
			return image_say(l->err, EINVAL, "%s names can not be blank", l->word);
		label ? put_label(l, word) : put_variable(l, word);
	}
	return 0;
}

#define PORTS_MAX 1024	/* of one range: each is looked for among the others */

static int port_ok(const char *s)
{
	char *end;
	long n = strtol(s, &end, 10);

	if (end == s || n < 1 || n > 65535)
		return 0;
	if (*end == '-') {
		long last = strtol(end + 1, &end, 10);

		if (last < n || last > 65535 || last - n >= PORTS_MAX)
			return 0;
	}
	return !*end || !strcmp(end, "/tcp") || !strcmp(end, "/udp") || !strcmp(end, "/sctp");
}

static int change_expose(struct line *l)
{
	yyjson_mut_val *ports = container(l, "ExposedPorts", 0);
	char *rest = l->rest, *word, name[64];
	int bad = 0;

	while ((word = next_word(&rest, &bad))) {
		long from, to;
		char *end;

		if (bad || !port_ok(word))
			return image_say(l->err, EINVAL, "invalid containerPort: %.80s", word);
		from = to = strtol(word, &end, 10);
		if (*end == '-')
			to = strtol(end + 1, &end, 10);
		for (; from <= to; from++) {
			snprintf(name, sizeof(name), "%ld%s", from, *end ? end : "/tcp");
			yyjson_mut_obj_remove_key(ports, name);
			yyjson_mut_obj_add(ports, yyjson_mut_strcpy(l->doc, name), yyjson_mut_obj(l->doc));
		}
	}
	return 0;
}

static int change_volume(struct line *l)
{
	yyjson_mut_val *volumes = container(l, "Volumes", 0), *list = exec_form(l), *v;
	char *rest = l->rest, *word;
	size_t i, max;
	int bad = 0;

	if (list) {
		yyjson_mut_arr_foreach(list, i, max, v) {
			yyjson_mut_obj_remove_key(volumes, yyjson_mut_get_str(v));
			yyjson_mut_obj_add(volumes, yyjson_mut_strcpy(l->doc, yyjson_mut_get_str(v)), yyjson_mut_obj(l->doc));
		}
		return 0;
	}
	while ((word = next_word(&rest, &bad))) {
		if (bad || !*word)
			return image_say(l->err, EINVAL, "VOLUME specified can not be an empty string");
		yyjson_mut_obj_remove_key(volumes, word);
		yyjson_mut_obj_add(volumes, yyjson_mut_strcpy(l->doc, word), yyjson_mut_obj(l->doc));
	}
	return 0;
}

static int change_text(struct line *l)
{
	set(l, !strcasecmp(l->word, "USER") ? "User" : "StopSignal", yyjson_mut_strcpy(l->doc, l->rest));
	return 0;
}

static int change_directory(struct line *l)
{
	const char *before = yyjson_mut_get_str(yyjson_mut_obj_get(l->config, "WorkingDir"));
	char path[4096];

	if (l->rest[0] == '/')
		snprintf(path, sizeof(path), "%s", l->rest);
	else
		snprintf(path, sizeof(path), "%s%s%s", before && *before ? before : "/", before && before[0] && before[1] ? "/" : "", l->rest);
	set(l, "WorkingDir", yyjson_mut_strcpy(l->doc, path));
	return 0;
}

static int change_onbuild(struct line *l)
{
	yyjson_mut_arr_add_strcpy(l->doc, container(l, "OnBuild", 1), l->rest);
	return 0;
}

/* "30s", "1m30s", "500ms": nanoseconds, -1: not one. */
static int64_t duration(const char *s)
{
	static const struct {
		const char *unit;
		double ns;
	} units[] = { { "ms", 1e6 }, { "us", 1e3 }, { "ns", 1 }, { "h", 3600e9 }, { "m", 60e9 }, { "s", 1e9 } };
	double sum = 0;

	while (*s) {
		char *end;
		double v = strtod(s, &end);
		size_t i = 0;

		while (i < ARRAY_SIZE(units) && strncmp(end, units[i].unit, strlen(units[i].unit)) != 0)
			i++;
		if (end == s || !(v >= 0) || i == ARRAY_SIZE(units))
			return -1;
		sum += v * units[i].ns;
		s = end + strlen(units[i].unit);
	}
	return sum < 9e18 ? (int64_t)sum : -1;
}

static int health_option(struct line *l, yyjson_mut_val *health, char *option)
{
	static const char *const keys[][2] = {
		{ "--interval=", "Interval" }, { "--timeout=", "Timeout" }, { "--start-period=", "StartPeriod" },
		{ "--start-interval=", "StartInterval" },
	};
	char *end;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (!strncmp(option, keys[i][0], strlen(keys[i][0]))) {
			int64_t ns = duration(option + strlen(keys[i][0]));

			if (ns < 0)
				return image_say(l->err, EINVAL, "HEALTHCHECK: %.80s is not a duration", option);
			yyjson_mut_obj_add_sint(l->doc, health, keys[i][1], ns);
			return 0;
		}
	if (!strncmp(option, "--retries=", 10)) {
		long n = strtol(option + 10, &end, 10);

		if (end == option + 10 || *end || n < 0 || n > 1000000)
			return image_say(l->err, EINVAL, "HEALTHCHECK: %.80s is not a number", option);
		yyjson_mut_obj_add_sint(l->doc, health, "Retries", n);
		return 0;
	}
	return image_say(l->err, EINVAL, "Unknown flag: %.80s", option);
}

static int change_health(struct line *l)
{
	yyjson_mut_val *health = yyjson_mut_obj(l->doc), *test = yyjson_mut_arr(l->doc), *list, *v;
	size_t i, max;
	int r = 0;

	while (!r && !strncmp(l->rest, "--", 2)) {
		char *end = l->rest + strcspn(l->rest, " \t"), *next = end + strspn(end, " \t");

		*end = '\0';
		r = health_option(l, health, l->rest);
		l->rest = next;
	}
	if (r)
		return r;
	if (!strcasecmp(l->rest, "NONE")) {
		yyjson_mut_arr_add_str(l->doc, test, "NONE");
	} else if (!strncasecmp(l->rest, "CMD", 3) && (l->rest[3] == ' ' || l->rest[3] == '\t')) {
		l->rest += 3 + strspn(l->rest + 3, " \t");
		list = exec_form(l);
		yyjson_mut_arr_add_str(l->doc, test, list ? "CMD" : "CMD-SHELL");
		if (list) {
			yyjson_mut_arr_foreach(list, i, max, v) {
				yyjson_mut_arr_add_strcpy(l->doc, test, yyjson_mut_get_str(v));
			}
		} else {
			yyjson_mut_arr_add_strcpy(l->doc, test, l->rest);
		}
	} else {
		return image_say(l->err, EINVAL, "Unknown type \"%.40s\" in HEALTHCHECK (try CMD)", l->rest);
	}
	yyjson_mut_obj_add_val(l->doc, health, "Test", test);
	set(l, "Healthcheck", health);
	return 0;
}

int image_change(yyjson_mut_doc *doc, yyjson_mut_val *config, const char *text, struct err *err)
{
	static const struct {
		const char *word;
		int (*apply)(struct line *l);
	} known[] = {
		{ "CMD", change_command }, { "ENTRYPOINT", change_entrypoint }, { "ENV", change_pairs }, { "LABEL", change_pairs },
		{ "EXPOSE", change_expose }, { "VOLUME", change_volume }, { "USER", change_text }, { "STOPSIGNAL", change_text },
		{ "WORKDIR", change_directory }, { "ONBUILD", change_onbuild }, { "HEALTHCHECK", change_health },
	};
	CLEANUP_FREE char *copy = strdup(text);
	struct line l = { .doc = doc, .config = config, .word = copy, .err = err };
	size_t n;

	if (!copy)
		return err_set(err, ENOMEM, "change the configuration");
	if (strlen(copy) > CHANGE_LINE_MAX)
		return image_say(err, EINVAL, "a change is longer than %d bytes", CHANGE_LINE_MAX);
	for (n = strlen(copy); n > 0 && isspace((unsigned char)copy[n - 1]); n--)
		copy[n - 1] = '\0';
	l.word = copy + strspn(copy, " \t");
	n = strcspn(l.word, " \t");
	l.rest = copy + (l.word - copy) + n;
	if (*l.rest)
		*l.rest++ = '\0';
	l.rest += strspn(l.rest, " \t");
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (!strcasecmp(l.word, known[i].word))
			return *l.rest ? known[i].apply(&l) : needs_argument(&l);
	return image_say(err, EINVAL, "%.40s is not a valid change command", l.word);
}
