/* ssh_fingerprints.c - the module ssh_authkey_fingerprints: which keys let whom in, as cloud-init shows it on the console. In coracle-config final.
 *
 * Fingerprints only; the keys themselves are public too, but nobody reads them there. */
#include <stdlib.h>
#include <string.h>

#include "../base64.h"
#include "accounts_apply.h"
#include "sha256.h"

#define AUTHORIZED_MAX ((size_t)1 << 20)
#define COLUMNS 4
#define ROWS_MAX 100
#define PREFIX "ci-info: "

struct table {
	const char *cell[ROWS_MAX][COLUMNS];
	size_t rows;
	size_t width[COLUMNS];
};

static void add_row(struct table *t, const char *a, const char *b, const char *c, const char *d)
{
	const char *const cells[COLUMNS] = { a, b, c, d };

	if (t->rows == ROWS_MAX)
		return;
	for (size_t i = 0; i < COLUMNS; i++) {
		t->cell[t->rows][i] = cells[i] ? cells[i] : "-";
		t->width[i] = MAX(t->width[i], strlen(t->cell[t->rows][i]));
	}
	t->rows++;
}

static void add_fill(struct buf *b, char c, size_t n)
{
	while (n-- > 0)
		buf_putc(b, c);
}

static void add_line(struct buf *b, const struct table *t)
{
	buf_puts(b, PREFIX "+");
	for (size_t i = 0; i < COLUMNS; i++) {
		add_fill(b, '-', t->width[i] + 2);
		buf_putc(b, '+');
	}
	buf_putc(b, '\n');
}

/* A cell in the middle of its column, the odd blank where Python's str.center has it. */
static void add_cells(struct buf *b, const struct table *t, size_t row)
{
	buf_puts(b, PREFIX "|");
	for (size_t i = 0; i < COLUMNS; i++) {
		size_t width = t->width[i] + 2;
		size_t space = width - strlen(t->cell[row][i]);
		size_t left = space / 2 + (space & width & 1);

		add_fill(b, ' ', left);
		buf_puts(b, t->cell[row][i]);
		add_fill(b, ' ', space - left);
		buf_putc(b, '|');
	}
	buf_putc(b, '\n');
}

static void add_table(struct buf *b, const struct table *t, const char *title)
{
	size_t width = 1;
	size_t space;

	for (size_t i = 0; i < COLUMNS; i++)
		width += t->width[i] + 3;
	space = width > strlen(title) ? width - strlen(title) : 0;
	buf_puts(b, PREFIX);
	add_fill(b, '+', space / 2);
	buf_puts(b, title);
	add_fill(b, '+', space - space / 2);
	buf_putc(b, '\n');
	add_line(b, t);
	add_cells(b, t, 0);
	add_line(b, t);
	for (size_t i = 1; i < t->rows; i++)
		add_cells(b, t, i);
	add_line(b, t);
}

static const char *fingerprint(struct run *r, const char *base64)
{
	char hex[SHA256_HEX_LEN + 1];
	char out[SHA256_HEX_LEN / 2 * 3];
	size_t len;
	const char *data = base64_decode(&r->arena, base64, strlen(base64), &len);

	if (!data)
		return "?";
	sha256_hex(data, len, hex);
	for (size_t i = 0; i < SHA256_HEX_LEN / 2; i++) {
		out[3 * i] = hex[2 * i];
		out[3 * i + 1] = hex[2 * i + 1];
		out[3 * i + 2] = ':';
	}
	return arena_strndup(&r->arena, out, sizeof(out) - 1);
}

static void show_user(struct run *r, const struct db *db, const char *user, struct buf *b)
{
	struct table *t = ARENA_NEW(&r->arena, struct table);
	CLEANUP_FREE char *text = NULL;
	struct account_place p;
	const char *path;

	if (accounts_place(db, user, &p) < 0)
		return;
	path = arena_printf(&r->arena, "%s/.ssh/authorized_keys", p.home);
	add_row(t, "Keytype", "Fingerprint (sha256)", "Options", "Comment");
	if (target_read(&r->target, path, AUTHORIZED_MAX, &text, NULL) < 0)
		text = NULL;
	for (const char *s = text ? text : "", *end; *s; s = *end ? end + 1 : end) {
		struct account_key key = { NULL, NULL, NULL, NULL, NULL, NULL };

		end = s + strcspn(s, "\n");
		if (account_key_parse(&r->ctx, arena_strndup(&r->arena, s, (size_t)(end - s)), &key) == 0)
			add_row(t, key.type, fingerprint(r, key.base64), key.options, key.comment);
	}
	if (t->rows == 1)
		buf_printf(b, PREFIX "no authorized SSH keys fingerprints found for user %s.\n", user);
	else
		add_table(b, t, arena_printf(&r->arena, "Authorized keys from %s for user %s", path, user));
}

bool ssh_fingerprints_wanted(const struct run *r)
{
	if (r->config.ssh.no_fingerprints == CHOICE_YES)
		return false;
	for (const struct account_user *u = r->config.accounts.users; u; u = u->next)
		if (u->keys)
			return true;
	/* the last stage has no meta-data any more: the server is there when somebody has a key */
	return r->config.ssh.keys || r->seed.meta.public_keys.n || (r->target.machine && target_exists(&r->target, "/run/coracle/ssh"));
}

void apply_ssh_fingerprints(struct run *r)
{
	CLEANUP_BUF struct buf b = { 0 };
	struct err err = ERR_INIT;
	struct db db;

	if (db_read(&db, &r->ctx, &r->target, &err) < 0) {
		module_failed(r, NULL, &err);
		return;
	}
	buf_init(&b, (size_t)256 << 10);
	for (const struct account_user *u = accounts_of(r)->users; u; u = u->next)
		if (u->no_create_home != CHOICE_YES && u->system != CHOICE_YES)
			show_user(r, &db, u->name, &b);
	if (b.len)
		console_write(r, b.data);
}
