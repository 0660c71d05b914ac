/* yaml_write.c - writes YAML. Text in quotes is written as JSON, which YAML has within it. */
#include "yaml_write.h"

#include <string.h>

/* What may stand without quotes within [] is not always plain in a block: "-", "? x", "a: b", "a:". */
static bool is_plain_here(const struct node *n)
{
	const char *s = n->text;

	if (!n->plain || n->tag == NODE_TAG_BINARY || strlen(s) != n->len || strpbrk(s, "\n\r\t") || strstr(s, ": ") || strstr(s, " #"))
		return false;
	if (*s && strchr("-?:", *s) && (s[1] == '\0' || s[1] == ' '))
		return false;
	return strncmp(s, "---", 3) != 0 && strncmp(s, "...", 3) != 0 && (n->len == 0 || s[n->len - 1] != ':');
}

static void write_scalar(const struct node *n, struct buf *out)
{
	bool binary = n->tag == NODE_TAG_BINARY;

	if (binary)
		buf_puts(out, "!!binary ");
	if (is_plain_here(n))
		buf_puts(out, n->len ? n->text : "null");
	else
		buf_json_string(out, n->text, n->len);
}

static void write_node(const struct node *n, unsigned depth, bool in_list, struct buf *out)
{
	bool first = in_list; /* stands behind "- " */

	for (const struct item *i = n->items; i; i = i->next, first = false) {
		if (!first)
			buf_printf(out, "%*s", (int)(2 * depth), "");
		if (i->key) {
			if (i->key->len)
				write_scalar(i->key, out);
			else
				buf_puts(out, "\"\"");
			buf_putc(out, ':');
		} else {
			buf_putc(out, '-');
		}
		if (i->value->type == NODE_SCALAR) {
			buf_putc(out, ' ');
			write_scalar(i->value, out);
			buf_putc(out, '\n');
		} else if (i->value->count == 0) {
			buf_puts(out, i->value->type == NODE_MAP ? " {}\n" : " []\n");
		} else if (i->key) {
			buf_putc(out, '\n');
			write_node(i->value, depth + 1, false, out);
		} else {
			buf_putc(out, ' ');
			write_node(i->value, depth + 1, true, out);
		}
	}
}

void yaml_write(const struct node *n, struct buf *out)
{
	if (n->type == NODE_SCALAR) {
		write_scalar(n, out);
		buf_putc(out, '\n');
	} else if (n->count == 0) {
		buf_puts(out, n->type == NODE_MAP ? "{}\n" : "[]\n");
	} else {
		write_node(n, 0, false, out);
	}
}
