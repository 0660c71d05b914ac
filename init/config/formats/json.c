/* json.c - writes JSON. */
#include "json.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "scalar_type.h"

#define MEMBERS_MAX 2000	/* that are sorted; of more the order stays */

/* cloud-init's sensitive_metadata_keys, and what is secret by its name (cloudinit/sources) */
static bool is_secret(const struct node *key)
{
	static const char *const words[] = {
		"security-credentials", "user-data", "user_data", "userdata", "vendor-data", "vendor_data", "vendordata", "merged_cfg",
		"password", "passwd", "secret", "private", "token", "random_seed", "credential",
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcasestr(key->text, words[i]))
			return true;
	return false;
}

static int by_key(const void *a, const void *b)
{
	return strcmp((*(const struct item *const *)a)->key->text, (*(const struct item *const *)b)->key->text);
}

static void write_scalar(const struct node *n, struct buf *out)
{
	switch (scalar_type(n)) {
	case SCALAR_NULL:
		buf_puts(out, "null");
		break;
	case SCALAR_BOOL:
		buf_puts(out, scalar_is_true(n) ? "true" : "false");
		break;
	case SCALAR_INT:
	case SCALAR_FLOAT:
		/* 007, 0x7, 1_000 and 12:30 are no numbers to JSON: they stay as they are written */
		if (scalar_is_json_number(n->text)) {
			buf_puts(out, n->text);
			break;
		}
		/* fall through */
	default:
		buf_json_string(out, n->text, n->len);
	}
}

static void write_node(const struct node *n, bool redact, unsigned depth, struct buf *out);

static void new_line(unsigned depth, struct buf *out)
{
	buf_printf(out, "\n%*s", (int)depth, "");
}

static void write_map(const struct node *n, bool redact, unsigned depth, struct buf *out)
{
	const struct item **sorted = n->count <= MEMBERS_MAX ? malloc((n->count + 1) * sizeof(struct item *)) : NULL;
	size_t k = 0;

	for (const struct item *i = n->items; sorted && i; i = i->next)
		sorted[k++] = i;
	if (sorted)
		qsort(sorted, k, sizeof(*sorted), by_key);
	buf_putc(out, '{');
	k = 0;
	for (const struct item *i = n->items; i; i = i->next, k++) {
		const struct item *member = sorted ? sorted[k] : i;

		buf_puts(out, k ? "," : "");
		new_line(depth + 1, out);
		buf_json_string(out, member->key->text, member->key->len);
		buf_puts(out, ": ");
		if (redact && is_secret(member->key))
			buf_puts(out, "\"" JSON_REDACTED "\"");
		else
			write_node(member->value, redact, depth + 1, out);
	}
	new_line(depth, out);
	buf_putc(out, '}');
	free(sorted);
}

static void write_node(const struct node *n, bool redact, unsigned depth, struct buf *out)
{
	if (n->type == NODE_SCALAR) {
		write_scalar(n, out);
		return;
	}
	if (n->count == 0) {
		buf_puts(out, n->type == NODE_MAP ? "{}" : "[]");
		return;
	}
	if (n->type == NODE_MAP) {
		write_map(n, redact, depth, out);
		return;
	}
	buf_putc(out, '[');
	for (const struct item *i = n->items; i; i = i->next) {
		buf_puts(out, i == n->items ? "" : ",");
		new_line(depth + 1, out);
		write_node(i->value, redact, depth + 1, out);
	}
	new_line(depth, out);
	buf_putc(out, ']');
}

void json_write(const struct node *n, bool redact, struct buf *out)
{
	write_node(n, redact, 0, out);
}
