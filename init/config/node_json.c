/* node_json.c - a tree as JSON. In coracle-config; touches nothing. */
#include "node_json.h"

void node_write_json(const struct node *n, struct buf *out)
{
	const char *separator = "";

	if (n->type == NODE_SCALAR) {
		if (node_is_null(n)) {
			buf_puts(out, "null");
			return;
		}
		if (n->tag == NODE_TAG_BINARY)
			buf_puts(out, "!!binary ");
		buf_json_string(out, n->text, n->len);
		return;
	}
	buf_putc(out, n->type == NODE_MAP ? '{' : '[');
	for (const struct item *i = n->items; i; i = i->next) {
		buf_puts(out, separator);
		if (i->key) {
			buf_json_string(out, i->key->text, i->key->len);
			buf_puts(out, ": ");
		}
		node_write_json(i->value, out);
		separator = ", ";
	}
	buf_putc(out, n->type == NODE_MAP ? '}' : ']');
}
