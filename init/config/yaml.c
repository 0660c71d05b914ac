/* yaml.c - libyaml events -> a tree of nodes, with limits on everything.
 *
 * One pass, no recursion: the open collections are on a fixed stack. The limits
 * are counted as the events come, so that an alias bomb ends after a few hundred
 * nodes and not when it is expanded. */
#include <string.h>

#include <yaml.h>

#include "map.h"
#include "node.h"
#include "text.h"

struct anchor {
	const char *name;
	struct node *node;
	struct anchor *next;
};

struct open_node {
	struct node *node;
	struct item **tail;
	struct node *key;	/* map: read, its value comes next */
};

struct loader {
	struct arena *arena;
	struct diags *diags;
	const struct source *source;
	yaml_parser_t parser;
	struct open_node stack[YAML_DEPTH_MAX];
	unsigned depth;
	struct anchor *anchors;
	unsigned aliases;
	unsigned total;		/* nodes, aliases expanded */
	struct node *root;
	unsigned documents;
	bool failed;
};

static void fail(struct loader *l, const yaml_mark_t *mark, const char *hint, const char *text)
{
	l->failed = true;
	diag_add(l->diags, DIAG_ERROR, l->source, (unsigned)mark->line + 1, (unsigned)mark->column + 1, hint, "%s", text);
}

/* libyaml's words for the usual mistakes, with what to do about them. */
static const char *syntax_hint(struct loader *l)
{
	const char *problem = l->parser.problem ? l->parser.problem : "";
	const char *line = text_line(l->source->text, l->source->len, (unsigned)l->parser.problem_mark.line + 1);

	if (line && strcspn(line, "\t") < strcspn(line, "\n") && strspn(line, " \t") > strcspn(line, "\t"))
		return "YAML is indented with blanks; this line has a tab";
	if (strstr(problem, "mapping values are not allowed"))
		return "text that has \": \" in it must be quoted";
	if (strstr(problem, "cannot start any token"))
		return "text that begins with one of @ ` % or a tab must be quoted";
	if (l->parser.context && (strstr(problem, "unexpected end of stream") || strstr(problem, "did not find expected ',' or")))
		return arena_printf(l->arena, "what began in line %zu, column %zu is not closed", l->parser.context_mark.line + 1,
				    l->parser.context_mark.column + 1);
	if (strstr(problem, "did not find expected key") || strstr(problem, "could not find expected ':'"))
		return "look at the indentation here and in the lines above";
	return NULL;
}

static void syntax_error(struct loader *l)
{
	const char *problem = l->parser.problem ? l->parser.problem : "syntax error";
	const char *context = l->parser.context;

	if (l->parser.error == YAML_MEMORY_ERROR)
		problem = "out of memory";
	fail(l, &l->parser.problem_mark, syntax_hint(l),
	     arena_printf(l->arena, "YAML: %s%s%s", problem, context ? " " : "", context ? context : ""));
}

static bool count_nodes(struct loader *l, unsigned n, const yaml_mark_t *mark)
{
	l->total += n;
	if (l->total <= YAML_NODES_MAX)
		return true;
	fail(l, mark, NULL, "more than 10,000 values (aliases are counted each time they are used)");
	return false;
}

/* Puts a complete node, or an alias of one, where the parser stands. */
static void attach(struct loader *l, struct node *node)
{
	struct open_node *top = l->depth ? &l->stack[l->depth - 1] : NULL;
	struct item *item;

	if (!top) {
		l->root = node;
		return;
	}
	if (top->node->type == NODE_MAP && !top->key) {
		if (node->type != NODE_SCALAR) {
			l->failed = true;
			diag_at(l->diags, DIAG_ERROR, node, "quote it, if text was meant", "a key must be text");
			return;
		}
		top->key = node;
		return;
	}
	item = ARENA_NEW(l->arena, struct item);
	item->key = top->key;
	item->value = node;
	*top->tail = item;
	top->tail = &item->next;
	top->node->count++;
	top->key = NULL;
}

static struct node *new_node(struct loader *l, enum node_type type, const yaml_event_t *e)
{
	struct node *n = ARENA_NEW(l->arena, struct node);

	n->source = l->source;
	n->line = (unsigned)e->start_mark.line + 1;
	n->column = (unsigned)e->start_mark.column + 1;
	n->type = type;
	n->expanded = 1;
	n->height = 1;
	return n;
}

static void add_anchor(struct loader *l, const yaml_char_t *name, struct node *node)
{
	struct anchor *a;

	if (!name)
		return;
	a = ARENA_NEW(l->arena, struct anchor);
	a->name = arena_strndup(l->arena, (const char *)name, strlen((const char *)name));
	a->node = node;
	a->next = l->anchors;
	l->anchors = a;
}

static void set_tag(struct loader *l, struct node *n, const yaml_char_t *tag, const yaml_mark_t *mark)
{
	static const char *const same[] = { "str", "int", "float", "bool", "null", "map", "seq", "timestamp", "omap" };
	static const char prefix[] = "tag:yaml.org,2002:";
	const char *name = (const char *)tag;

	if (!name || !strcmp(name, "!"))
		return;
	if (!strncmp(name, prefix, sizeof(prefix) - 1)) {
		name += sizeof(prefix) - 1;
		if (!strcmp(name, "binary")) {
			n->tag = NODE_TAG_BINARY;
			return;
		}
		for (size_t i = 0; i < ARRAY_SIZE(same); i++)
			if (!strcmp(name, same[i]))
				return;
	}
	fail(l, mark, NULL, arena_printf(l->arena, "the YAML tag %s is not allowed", diag_quote(l->arena, name, strlen(name))));
}

static void on_scalar(struct loader *l, const yaml_event_t *e)
{
	struct node *n = new_node(l, NODE_SCALAR, e);

	if (!count_nodes(l, 1, &e->start_mark))
		return;
	n->text = arena_strndup(l->arena, (const char *)e->data.scalar.value, e->data.scalar.length);
	n->len = e->data.scalar.length;
	n->plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	n->end_line = n->line;
	set_tag(l, n, e->data.scalar.tag, &e->start_mark);
	add_anchor(l, e->data.scalar.anchor, n);
	attach(l, n);
}

static void on_alias(struct loader *l, const yaml_event_t *e)
{
	const char *name = (const char *)e->data.alias.anchor;
	struct anchor *a = l->anchors;

	while (a && strcmp(a->name, name) != 0)
		a = a->next;
	if (!a) {
		fail(l, &e->start_mark, NULL, arena_printf(l->arena, "the alias *%.40s names no anchor above it", name));
		return;
	}
	for (unsigned i = 0; i < l->depth; i++)
		if (l->stack[i].node == a->node) {
			fail(l, &e->start_mark, NULL, arena_printf(l->arena, "the alias *%.40s is inside what it names", name));
			return;
		}
	if (++l->aliases > YAML_ALIASES_MAX) {
		fail(l, &e->start_mark, NULL, "more than 100 aliases");
		return;
	}
	if (l->depth + a->node->height > YAML_DEPTH_MAX) {
		fail(l, &e->start_mark, NULL, "nested more than 64 levels deep");
		return;
	}
	if (count_nodes(l, a->node->expanded, &e->start_mark))
		attach(l, a->node);
}

static void on_open(struct loader *l, enum node_type type, const yaml_event_t *e)
{
	bool list = type == NODE_LIST;
	struct node *n = new_node(l, type, e);
	struct open_node *top;

	if (!count_nodes(l, 1, &e->start_mark))
		return;
	if (l->depth == YAML_DEPTH_MAX - 1) {
		fail(l, &e->start_mark, NULL, "nested more than 64 levels deep");
		return;
	}
	n->flow = list ? e->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE :
			 e->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE;
	set_tag(l, n, list ? e->data.sequence_start.tag : e->data.mapping_start.tag, &e->start_mark);
	add_anchor(l, list ? e->data.sequence_start.anchor : e->data.mapping_start.anchor, n);
	top = &l->stack[l->depth++];
	*top = (struct open_node){ .node = n, .tail = &n->items };
}

static void on_close(struct loader *l, const yaml_event_t *e)
{
	struct node *n = l->stack[--l->depth].node;

	n->end_line = (unsigned)e->end_mark.line + 1;
	if (n->type == NODE_MAP) {
		map_drop_duplicates(l->arena, l->diags, n);
		map_apply_merges(l->arena, l->diags, n);
	}
	for (const struct item *i = n->items; i; i = i->next) {
		n->expanded += i->value->expanded + (i->key ? 1 : 0);
		n->height = MAX(n->height, i->value->height + 1);
	}
	attach(l, n);
}

/* Returns false at the end of the stream. */
static bool on_event(struct loader *l, const yaml_event_t *e)
{
	switch (e->type) {
	case YAML_STREAM_END_EVENT:
		return false;
	case YAML_DOCUMENT_START_EVENT:
		if (++l->documents > 1)
			fail(l, &e->start_mark, "only one document is read; remove the line ---", "a second YAML document begins here");
		break;
	case YAML_SCALAR_EVENT:
		on_scalar(l, e);
		break;
	case YAML_ALIAS_EVENT:
		on_alias(l, e);
		break;
	case YAML_SEQUENCE_START_EVENT:
		on_open(l, NODE_LIST, e);
		break;
	case YAML_MAPPING_START_EVENT:
		on_open(l, NODE_MAP, e);
		break;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		on_close(l, e);
		break;
	default:
		break;
	}
	return !l->failed;
}

static void run_parser(struct loader *l)
{
	bool more = true;

	if (!yaml_parser_initialize(&l->parser)) {
		diag_add(l->diags, DIAG_ERROR, l->source, 0, 0, NULL, "out of memory");
		l->failed = true;
		return;
	}
	yaml_parser_set_encoding(&l->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&l->parser, (const unsigned char *)l->source->text, l->source->len);
	while (more) {
		yaml_event_t event;

		if (!yaml_parser_parse(&l->parser, &event)) {
			syntax_error(l);
			break;
		}
		more = on_event(l, &event);
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&l->parser);
}

struct node *yaml_read(struct arena *arena, struct diags *diags, const struct source *source, bool *empty)
{
	struct loader *l = ARENA_NEW(arena, struct loader);

	*empty = false;
	l->arena = arena;
	l->diags = diags;
	l->source = source;
	if (source->len > YAML_TEXT_MAX) {
		diag_add(diags, DIAG_ERROR, source, 0, 0, NULL, "larger than 1 MiB");
		return NULL;
	}
	if (text_check(diags, source) < 0)
		return NULL;
	run_parser(l);
	if (l->failed)
		return NULL;
	/* a document of one empty scalar says nothing */
	if (l->root && l->root->type == NODE_SCALAR && node_is_null(l->root))
		l->root = NULL;
	*empty = !l->root;
	return l->root;
}

bool node_is_null(const struct node *n)
{
	static const char *const words[] = { "", "~", "null", "Null", "NULL" };

	if (n->type != NODE_SCALAR || !n->plain)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcmp(n->text, words[i]))
			return true;
	return false;
}

struct node *node_get(const struct node *map, const char *key)
{
	size_t len = strlen(key);

	for (const struct item *i = map->type == NODE_MAP ? map->items : NULL; i; i = i->next)
		if (i->key->len == len && !memcmp(i->key->text, key, len))
			return i->value;
	return NULL;
}

const char *node_describe(const struct node *n)
{
	if (node_is_null(n))
		return "nothing";
	return n->type == NODE_LIST ? "a list" : n->type == NODE_MAP ? "a mapping" : "text";
}
