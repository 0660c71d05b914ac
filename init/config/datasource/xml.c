/* xml.c - reads a subset of XML 1.0. */
#include "xml.h"

#include <string.h>

#include "buf.h"
#include "utf8.h"

struct reader {
	struct arena *arena;
	const char *s;
	const char *end;
	const char *why;
	unsigned nodes;
};

static struct xml *fail(struct reader *r, const char *why)
{
	if (!r->why)
		r->why = why;
	return NULL;
}

static int is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static int starts(const struct reader *r, const char *what)
{
	size_t n = strlen(what);

	return (size_t)(r->end - r->s) >= n && !memcmp(r->s, what, n);
}

/* Goes behind the next `what`. Returns 0 when there is none. */
static int skip_past(struct reader *r, const char *what)
{
	const char *at = memmem(r->s, (size_t)(r->end - r->s), what, strlen(what));

	if (!at)
		return 0;
	r->s = at + strlen(what);
	return 1;
}

/* &#10; or &#xa;, behind the #. Returns 0 when it is no character. */
static unsigned number(const char *s, size_t n)
{
	unsigned base = n > 1 && s[0] == 'x' ? 16 : 10;
	unsigned v = 0;

	for (size_t i = base == 16; i < n; i++) {
		int c = s[i] | 32;
		unsigned digit = c >= '0' && c <= '9' ? (unsigned)(c - '0') : base == 16 && c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10) : 99;

		if (digit >= base || v > 0x10ffff)
			return 0;
		v = v * base + digit;
	}
	return v > 0x10ffff || (v >= 0xd800 && v < 0xe000) ? 0 : v;
}

static int read_entity(struct reader *r, struct buf *b)
{
	static const struct { const char *name; char c; } known[] = { { "lt", '<' }, { "gt", '>' }, { "amp", '&' }, { "quot", '"' }, { "apos", '\'' } };
	const char *semicolon = memchr(r->s, ';', (size_t)(r->end - r->s));
	size_t n = semicolon ? (size_t)(semicolon - r->s - 1) : 0;
	const char *name = r->s + 1;

	if (!semicolon || n == 0 || n > 10)
		return 0;
	r->s = semicolon + 1;
	if (name[0] == '#') {
		unsigned c = number(name + 1, n - 1);

		if (c)
			utf8_add(b, c);
		return c != 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strlen(known[i].name) == n && !memcmp(known[i].name, name, n)) {
			buf_putc(b, known[i].c);
			return 1;
		}
	return 0;
}

/* Comments and processing instructions. Returns 1 when one was passed over, 0 when there was none, -1. */
static int skip_other(struct reader *r)
{
	if (starts(r, "<!--"))
		return skip_past(r, "-->") ? 1 : -1;
	if (starts(r, "<?"))
		return skip_past(r, "?>") ? 1 : -1;
	return 0;
}

static const char *read_name(struct reader *r, size_t *len)
{
	const char *begin = r->s;

	while (r->s < r->end && !is_blank(*r->s) && *r->s != '>' && *r->s != '/' && *r->s != '=' && *r->s != '<') {
		r->s++;
		if (r->s[-1] == ':')
			begin = r->s;
	}
	*len = (size_t)(r->s - begin);
	return begin;
}

/* To the end of a start tag, over its attributes. Returns 1, 0 for an element without content, -1. */
static int finish_tag(struct reader *r)
{
	char quote = 0;

	for (; r->s < r->end; r->s++) {
		if (quote) {
			quote = *r->s == quote ? 0 : quote;
		} else if (*r->s == '"' || *r->s == '\'') {
			quote = *r->s;
		} else if (*r->s == '>') {
			r->s++;
			return r->s[-2] != '/';
		} else if (*r->s == '<') {
			return -1;
		}
	}
	return -1;
}

static struct xml *read_element(struct reader *r, unsigned depth);

/* One piece between the tags. Returns 0 at the end tag, 1 when there is more, -1. */
static int read_content(struct reader *r, struct xml ***end, struct buf *text, unsigned depth)
{
	int other;

	if (r->s >= r->end)
		return -1;
	if (*r->s == '&')
		return read_entity(r, text) ? 1 : -1;
	if (*r->s != '<') {
		buf_putc(text, *r->s++);
		return 1;
	}
	if (starts(r, "</"))
		return 0;
	if (starts(r, "<![CDATA[")) {
		const char *begin = r->s + 9;

		if (!skip_past(r, "]]>"))
			return -1;
		buf_add(text, begin, (size_t)(r->s - 3 - begin));
		return 1;
	}
	if ((other = skip_other(r)) != 0)
		return other;
	**end = read_element(r, depth + 1);
	if (!**end)
		return -1;
	*end = &(**end)->next;
	return 1;
}

static void take_text(struct reader *r, struct xml *x, const struct buf *b)
{
	const char *s = b->data;
	size_t n = b->len;

	for (; n > 0 && is_blank(*s); n--)
		s++;
	while (n > 0 && is_blank(s[n - 1]))
		n--;
	x->text = arena_strndup(r->arena, s, n);
	x->len = n;
}

static int read_end_tag(struct reader *r, const char *name)
{
	const char *closing;
	size_t n;

	r->s += 2;
	closing = read_name(r, &n);
	return strlen(name) == n && !memcmp(closing, name, n) && finish_tag(r) == 1;
}

/* At a '<'. */
static struct xml *read_element(struct reader *r, unsigned depth)
{
	struct xml *x = ARENA_NEW(r->arena, struct xml);
	CLEANUP_BUF struct buf text = { 0 };
	struct xml **end = &x->first;
	const char *name;
	size_t n;
	int more;

	if (depth > XML_DEPTH_MAX || r->nodes++ >= XML_NODES_MAX)
		return fail(r, depth > XML_DEPTH_MAX ? "elements are nested more than 32 deep" : "more than 4000 elements");
	r->s++;
	name = read_name(r, &n);
	if (n == 0 || *name == '!')
		return fail(r, n ? "a document type is not allowed" : "an element has no name");
	x->name = arena_strndup(r->arena, name, n);
	x->text = "";
	more = finish_tag(r);
	if (more < 0)
		return fail(r, "a tag does not end");
	if (!more)
		return x;
	buf_init(&text, XML_TEXT_MAX);
	while ((more = read_content(r, &end, &text, depth)) > 0)
		;
	if (more < 0)
		return fail(r, "an element does not end, or has an unknown entity in it");
	if (!read_end_tag(r, x->name))
		return fail(r, "an end tag does not fit");
	if (buf_error(&text))
		return fail(r, "an element has more than 2 MiB of text");
	take_text(r, x, &text);
	return x;
}

struct xml *xml_read(struct arena *a, const char *text, size_t len, const char **why)
{
	struct reader r = { .arena = a, .s = text, .end = text + len };
	struct xml *root = NULL;
	int other;

	if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3))
		r.s += 3;
	do {
		while (r.s < r.end && is_blank(*r.s))
			r.s++;
	} while ((other = skip_other(&r)) > 0);
	if (memchr(text, '\0', len))
		fail(&r, "there is a NUL in it");
	else if (other < 0 || r.s == r.end || *r.s != '<')
		fail(&r, "it does not begin with an element");
	else
		root = read_element(&r, 1);
	*why = r.why;
	return root;
}

const struct xml *xml_child(const struct xml *x, const char *name)
{
	for (x = x ? x->first : NULL; x; x = x->next)
		if (!strcmp(x->name, name))
			return x;
	return NULL;
}

const struct xml *xml_at(const struct xml *x, const char *path)
{
	while (x && *path) {
		char name[64];
		size_t n = strcspn(path, "/");

		if (n >= sizeof(name))
			return NULL;
		memcpy(name, path, n);
		name[n] = '\0';
		x = xml_child(x, name);
		path += n + (path[n] == '/');
	}
	return x;
}

const char *xml_text(const struct xml *x, const char *path)
{
	x = xml_at(x, path);
	return x && x->len ? x->text : NULL;
}
