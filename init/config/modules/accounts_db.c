/* accounts_db.c - the files of accounts: read, found, changed, written. */
#include "accounts_db.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "../scalar.h"
#include "../text.h"
#include "fd.h"
#include "path.h"

#define DB_FILE_MAX ((size_t)1 << 20)

static const struct db_file files[DB_COUNT] = {
	[DB_GROUP] = { .path = "/etc/group", .fields = 4, .mode = 0644 },
	[DB_GSHADOW] = { .path = "/etc/gshadow", .fields = 4, .mode = 0640 },
	[DB_PASSWD] = { .path = "/etc/passwd", .fields = 7, .mode = 0644 },
	[DB_SHADOW] = { .path = "/etc/shadow", .fields = 9, .mode = 0600 },
	[DB_SUBUID] = { .path = "/etc/subuid", .fields = 3, .mode = 0644 },
	[DB_SUBGID] = { .path = "/etc/subgid", .fields = 3, .mode = 0644 },
};

/* A line of thousands: with no more room than its fields need. */
static struct db_line *new_line(struct db *db, struct db_file *f)
{
	struct db_line *l = arena_alloc(db->ctx->arena, sizeof(*l) + f->fields * sizeof(l->fields[0]));

	*f->tail = l;
	f->tail = &l->next;
	return l;
}

/* So that the line is found again by its name and its number. */
static void enter(struct db *db, struct db_file *f, struct db_line *l)
{
	uint32_t number;

	names_add(db->ctx->arena, &f->names, l->fields[0], l);
	if ((f == &db->file[DB_PASSWD] || f == &db->file[DB_GROUP]) && db_number(l, 2, &number) == 0)
		numbers_add(db->ctx->arena, &f->numbers, number);
}

static void add_line(struct db *db, struct db_file *f, const char *text, size_t len)
{
	struct db_line *l = new_line(db, f);
	char *copy = arena_strndup(db->ctx->arena, text, len);
	unsigned n = 0;

	l->fields[0] = copy;
	for (const char *p = copy; (p = strchr(p, ':')); p++)
		n++;
	if (n + 1 != f->fields || copy[0] == '#')
		return;
	for (char *p = copy; (p = strchr(p, ':')); p++) {
		*p = '\0';
		l->fields[++l->n] = p + 1;
	}
	l->n = f->fields;
	l->had = f->fields == 4 ? (uint32_t)strlen(l->fields[3]) : 0;
	enter(db, f, l);
}

static int read_one(struct db *db, struct db_file *f, struct err *err)
{
	CLEANUP_FD int fd = path_open_in(db->target->rootfd, f->path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	CLEANUP_FREE char *text = NULL;
	struct stat st;
	size_t len;
	int r;

	f->tail = &f->lines;
	if (fd == -ENOENT)
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(err, fd < 0 ? -fd : errno, "read %s", f->path);
	r = fd_read_whole(fd, f->path, DB_FILE_MAX, &text, &len, NULL);
	if (r < 0)
		return err_set(err, -r, "read %s", f->path);
	f->present = true;
	f->mode = st.st_mode & 07777;
	f->uid = st.st_uid;
	f->gid = st.st_gid;
	for (const char *s = text, *end; s < text + len; s = end + 1) {
		end = memchr(s, '\n', len - (size_t)(s - text));
		if (!end)
			end = text + len;
		add_line(db, f, s, (size_t)(end - s));
	}
	return 0;
}

int db_read(struct db *db, struct ctx *ctx, const struct target *t, struct err *err)
{
	*db = (struct db){ .ctx = ctx, .target = t };
	memcpy(db->file, files, sizeof(files));
	db->today = arena_printf(ctx->arena, "%lld", (long long)time(NULL) / 86400);
	db_read_rules(db);
	for (int i = 0; i < DB_COUNT; i++) {
		int r = read_one(db, &db->file[i], err);

		if (r < 0)
			return r;
	}
	/* these are kept where they are, not made */
	db->file[DB_PASSWD].present = db->file[DB_GROUP].present = db->file[DB_SHADOW].present = true;
	return 0;
}

static int write_one(struct db *db, struct db_file *f, bool *owner_failed, struct err *err)
{
	CLEANUP_BUF struct buf b = { 0 };
	struct target_file out = { .path = f->path, .mode = f->mode, .owned = true, .uid = f->uid, .gid = f->gid };
	bool failed = false;
	int r;

	buf_init(&b, DB_FILE_MAX);
	for (const struct db_line *l = f->lines; l; l = l->next) {
		for (unsigned i = 0; i < (l->n ? l->n : 1); i++) {
			buf_puts(&b, l->fields[i]);
			buf_putc(&b, i + 1 < l->n ? ':' : '\n');
		}
	}
	if (buf_error(&b))
		return err_set(err, EFBIG, "write %s", f->path);
	out.data = b.data;
	out.len = b.len;
	r = target_write(db->target, &out, db->target->machine ? NULL : &failed, err);
	*owner_failed = *owner_failed || failed;
	f->dirty = r < 0;
	return r;
}

int db_write(struct db *db, bool *owner_failed, struct err *err)
{
	struct err again = ERR_INIT;
	int result = 0;

	for (int i = 0; i < DB_COUNT; i++) {
		int r = db->file[i].dirty && db->file[i].present ? write_one(db, &db->file[i], owner_failed, result < 0 ? &again : err) : 0;

		if (r < 0 && result == 0)
			result = r;
	}
	return result;
}

struct db_line *db_find(const struct db *db, enum db_which which, const char *name)
{
	return names_find(&db->file[which].names, name);
}

int db_number(const struct db_line *line, unsigned field, uint32_t *out)
{
	uint64_t n;

	if (scalar_uint(line->fields[field], UINT32_MAX, &n) < 0)
		return -EINVAL;
	*out = (uint32_t)n;
	return 0;
}

/* The last gate: nothing that came in some other way than by the readers can make a second line or a further field. */
static const char *field_ok(struct db *db, const char *value)
{
	char *copy;

	if (text_single_line(value, strlen(value)) && !strchr(value, ':'))
		return value;
	copy = arena_strndup(db->ctx->arena, value, strlen(value));
	for (char *p = copy; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f || *p == ':')
			*p = '?';
	return copy;
}

struct db_line *db_append(struct db *db, enum db_which which, const char *const *fields)
{
	struct db_file *f = &db->file[which];
	struct db_line *l = new_line(db, f);

	for (unsigned i = 0; i < f->fields; i++)
		l->fields[i] = field_ok(db, fields[i]);
	l->n = f->fields;
	f->dirty = true;
	enter(db, f, l);
	return l;
}

void db_set_field(struct db *db, enum db_which which, struct db_line *line, unsigned field, const char *value)
{
	if (!strcmp(line->fields[field], value))
		return;
	line->fields[field] = field_ok(db, value);
	db->file[which].dirty = true;
}

void db_append_member(struct db *db, enum db_which which, struct db_line *line, const char *user)
{
	const char *name = field_ok(db, user);
	size_t n = strlen(name);
	size_t len = line->cap ? line->len : strlen(line->fields[3]);
	char *text;

	/* twice the room each time it is short: a group of thousands is copied a dozen times, not thousands */
	if (len + n + 2 > line->cap) {
		line->cap = (uint32_t)(2 * (len + n + 2));
		line->fields[3] = memcpy(arena_alloc(db->ctx->arena, line->cap), line->fields[3], len);
	}
	text = (char *)(uintptr_t)line->fields[3];
	if (len)
		text[len++] = ',';
	memcpy(text + len, name, n + 1);
	line->len = (uint32_t)(len + n);
	db->file[which].dirty = true;
}

static struct db_line *shadow_of(struct db *db, const char *user, struct err *err)
{
	struct db_line *l = db_find(db, DB_SHADOW, user);

	if (!l)
		err_set(err, 0, "the user %s has no line in /etc/shadow", user);
	return l;
}

int db_set_hash(struct db *db, const char *user, const char *hash, struct err *err)
{
	struct db_line *l = shadow_of(db, user, err);

	if (!l)
		return -EINVAL;
	db_set_field(db, DB_SHADOW, l, 1, hash);
	db_set_field(db, DB_SHADOW, l, 2, db->today);
	return 0;
}

int db_lock(struct db *db, const char *user, struct err *err)
{
	struct db_line *l = shadow_of(db, user, err);

	if (!l)
		return -EINVAL;
	if (l->fields[1][0] != '!')
		db_set_field(db, DB_SHADOW, l, 1, arena_printf(db->ctx->arena, "!%s", l->fields[1]));
	return 0;
}

int db_unlock(struct db *db, const char *user, struct err *err)
{
	struct db_line *l = shadow_of(db, user, err);

	if (!l)
		return -EINVAL;
	if (l->fields[1][0] == '!' && l->fields[1][1])
		db_set_field(db, DB_SHADOW, l, 1, l->fields[1] + 1);
	return 0;
}

int db_expire(struct db *db, const char *user, struct err *err)
{
	struct db_line *l = shadow_of(db, user, err);

	if (!l)
		return -EINVAL;
	db_set_field(db, DB_SHADOW, l, 2, "0");
	return 0;
}
