/* cpio.c - the initramfs archive: a handful of files, the same bytes each time.
 *
 * libarchive writes the format (newc, which is what Linux reads:
 * Documentation/driver-api/early-userspace/buffer-format.rst). */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cdefs.h"
#include "image.h"

#define FILE_MAX ((size_t)256 << 20)
#define NAME_LEN_MAX 256

struct cpio {
	struct archive *a;
	unsigned ino;			/* numbers in order: the kernel takes equal ones for hard links */
	char made[32][NAME_LEN_MAX];	/* directories already in the archive */
	size_t made_count;
};

static int add(struct cpio *c, const char *name, mode_t mode, const void *data, size_t len, struct err *err)
{
	struct archive_entry *e = archive_entry_new();
	int ok;

	if (!e)
		return err_set(err, ENOMEM, "%s", name);
	archive_entry_set_pathname(e, name);
	archive_entry_set_mode(e, mode);
	archive_entry_set_ino(e, ++c->ino);
	archive_entry_set_nlink(e, S_ISDIR(mode) ? 2 : 1);
	archive_entry_set_size(e, (la_int64_t)len);
	archive_entry_set_mtime(e, 0, 0);
	archive_entry_set_uid(e, 0);
	archive_entry_set_gid(e, 0);
	ok = archive_write_header(c->a, e) == ARCHIVE_OK && (len == 0 || archive_write_data(c->a, data, len) == (la_ssize_t)len);
	archive_entry_free(e);
	return ok ? 0 : err_set(err, archive_errno(c->a), "%s", name);
}

static int add_parents(struct cpio *c, const char *name, struct err *err)
{
	for (const char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
		char dir[NAME_LEN_MAX];
		size_t n = (size_t)(slash - name);
		size_t i;
		int r;

		if (n == 0 || n >= sizeof(dir))
			return err_set(err, EINVAL, "name '%s'", name);
		memcpy(dir, name, n);
		dir[n] = '\0';
		for (i = 0; i < c->made_count && strcmp(c->made[i], dir) != 0; i++)
			;
		if (i < c->made_count)
			continue;
		if (c->made_count == ARRAY_SIZE(c->made))
			return err_set(err, E2BIG, "more than %zu directories", ARRAY_SIZE(c->made));
		memcpy(c->made[c->made_count++], dir, n + 1);
		r = add(c, dir, S_IFDIR | 0755, NULL, 0, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* NAME=FILE[,MODE] */
static int add_argument(struct cpio *c, char *arg, struct err *err)
{
	CLEANUP_FREE unsigned char *data = NULL;
	char *file = strchr(arg, '=');
	char *comma;
	unsigned long mode = 0644;
	size_t len;
	int r;

	if (!file || file == arg)
		return err_set(err, 0, "'%s' is not NAME=FILE[,MODE]", arg);
	*file++ = '\0';
	comma = strrchr(file, ',');
	if (comma) {
		char *end;

		*comma++ = '\0';
		mode = strtoul(comma, &end, 8);
		if (*end || end == comma || mode > 07777)
			return err_set(err, 0, "mode '%s' is not octal", comma);
	}
	r = image_read(file, FILE_MAX, &data, &len, err);
	if (r == 0)
		r = add_parents(c, arg, err);
	return r < 0 ? r : add(c, arg, S_IFREG | (mode_t)mode, data, len, err);
}

int image_cpio(int argc, char **argv, struct err *err)
{
	struct cpio *c;
	int r = 0;

	if (argc < 2)
		return err_set(err, 0, "needs OUT and at least one NAME=FILE");
	c = calloc(1, sizeof(*c));
	if (!c || !(c->a = archive_write_new())) {
		free(c);
		return err_set(err, ENOMEM, "%s", argv[0]);
	}
	/* whole 512-byte blocks: the kernel finds a second archive behind it at any 4-byte boundary */
	archive_write_set_bytes_in_last_block(c->a, 512);
	if (archive_write_set_format_cpio_newc(c->a) != ARCHIVE_OK || archive_write_open_filename(c->a, argv[0]) != ARCHIVE_OK)
		r = err_set(err, archive_errno(c->a), "create %s", argv[0]);
	for (int i = 1; i < argc && r == 0; i++)
		r = add_argument(c, argv[i], err);
	if (r == 0 && archive_write_close(c->a) != ARCHIVE_OK)
		r = err_set(err, archive_errno(c->a), "write %s", argv[0]);
	archive_write_free(c->a);
	free(c);
	return r;
}
