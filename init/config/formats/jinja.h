/* jinja.h - the part of Jinja2 that people use in user-data: a subset, and everything outside of it is an error with its line.
 *
 *	{{ expression }}  {% if %} {% elif %} {% else %} {% endif %}  {% for x in list %} {% else %} {% endfor %}  {% set x = expression %}
 *	{% raw %} {% endraw %}  {# comment #}  `-` for white space; a line break behind a block or comment goes, as cloud-init has it (trim_blocks)
 * Expressions: names, a.b, a['b'], a[0], text, numbers, lists, true false none, `x if y else z`, or and not, == != < <= > >=, in, is, + - ~,
 * filters and methods of the tables in jinja_filter.c. There is no way to change anything or to reach outside of the variables.
 *
 * A name that is not defined is an error where it is used, which `default`, `is defined` and `if` do not count as (cloud-init drops the
 * whole part for some and puts CI_MISSING_JINJA_VAR/name for others). Used by coracle-config only. */
#ifndef CORACLE_CONFIG_JINJA_H
#define CORACLE_CONFIG_JINJA_H

#include "../schema.h"

#define JINJA_OUTPUT_MAX ((size_t)1 << 20)
#define JINJA_STEPS_MAX 100000		/* tags carried out */
#define JINJA_NESTED_MAX 32

/* Renders a template whose first line is "## template: jinja". variables: a mapping; its member v1 is looked at too, and a name finds
 * a key with '-' or '.' where it has '_'. guess: variables below `ds` that are not there are taken for some text, for looking at a
 * configuration on another machine. Returns the text, whose problems will be told at the template's lines, or NULL (reported). */
const struct source *jinja_render(struct ctx *ctx, const struct source *template, const struct node *variables, bool guess);

/* A member of a tree by a path such as v1.local_hostname, with the same freedom. NULL: there is none. */
const struct node *jinja_find(const struct node *variables, const char *path);

/* True when the first line says that this is a template. */
bool jinja_has_header(const char *text, size_t len);

#endif
