/* jinja_parts.h - between the files of jinja_*.c. */
#ifndef CORACLE_CONFIG_JINJA_PARTS_H
#define CORACLE_CONFIG_JINJA_PARTS_H

#include "jinja.h"

#define JINJA_MEMORY_MAX ((size_t)12 << 20)	/* of the arena, when an expression is worked out */

enum jinja_type { J_UNDEFINED, J_NONE, J_BOOL, J_INT, J_TEXT, J_NODE };

struct jinja_value {
	enum jinja_type type;
	bool deep;		/* undefined: of something that is undefined itself */
	long long number;	/* int, and bool as 0 or 1 */
	const char *text;	/* text; undefined: its name */
	size_t len;
	const struct node *node;	/* a list or a mapping */
};

struct jinja_local {
	const char *name;
	struct jinja_value value;
	struct jinja_local *next;
};

struct jinja {
	struct ctx *ctx;
	const struct source *source;
	const char *p;		/* where the parser stands */
	const char *end;
	const struct node *variables;
	struct jinja_local *locals;
	bool guess;
	bool failed;
	unsigned errors;
	unsigned mute;		/* > 0: this is only parsed, what it means does not matter */
	unsigned steps;
	unsigned depth;
	struct buf out;
	unsigned *lines;	/* of the template, for each line of out */
	unsigned n_lines, cap_lines;
	const char *line_at;	/* a place, and its line */
	unsigned line;
	bool line_open;		/* the last line has text already */
};

/* Reports at a place of the template. Sets failed. */
void jinja_error(struct jinja *j, const char *at, const char *hint, const char *text);

/* Reads one expression at j->p. False after a syntax error (reported). Skips blanks behind it. */
bool jinja_expression(struct jinja *j, struct jinja_value *out);
void jinja_skip_blanks(struct jinja *j);
/* A name at j->p: its length, 0 when there is none. */
size_t jinja_name_length(const struct jinja *j);
/* Steps over the word when it stands here. */
bool jinja_accept_word(struct jinja *j, const char *word);
/* Steps over the operator when it stands here. */
bool jinja_accept(struct jinja *j, const char *token);

/* The value where a value is needed: something undefined is reported. */
bool jinja_defined(struct jinja *j, const char *at, const struct jinja_value *v);
bool jinja_truth(const struct jinja_value *v);
bool jinja_equal(const struct jinja_value *a, const struct jinja_value *b);
/* As it is put into the text: Python's spelling. */
void jinja_print(struct jinja *j, const struct jinja_value *v, struct buf *out);
const char *jinja_text_of(struct jinja *j, const struct jinja_value *v, size_t *len);
struct jinja_value jinja_of_node(const struct node *n);
struct jinja_value jinja_of_text(const char *s, size_t n);
struct jinja_value jinja_of_int(long long n);
struct jinja_value jinja_of_bool(bool b);
struct jinja_value jinja_undefined(const char *name, bool deep);
const struct node *jinja_to_node(struct jinja *j, const struct jinja_value *v);
/* A fresh list, and adding to it. */
struct node *jinja_list(struct jinja *j);
void jinja_list_add(struct jinja *j, struct node *list, const struct node *value);
/* The member of a mapping by name, with its other spellings. */
const struct node *jinja_member(const struct node *map, const char *name, size_t n);

/* jinja_filter.c: v | name(args), v.name(args). False: reported. */
#define JINJA_ARGS_MAX 3
bool jinja_filter(struct jinja *j, const char *at, const char *name, size_t n, struct jinja_value *v, const struct jinja_value *args, size_t n_args);
bool jinja_method(struct jinja *j, const char *at, const char *name, size_t n, struct jinja_value *v, const struct jinja_value *args, size_t n_args);

#endif
