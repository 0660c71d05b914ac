/* edit.c - names given and taken, images taken out. Runs in the engine and in its children.
 *
 * Only index.json changes here, by one rename; what is not needed any more lies there until a sweep (sweep.c). */
#include "runtime/store/storeint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/fd.h"
#include "runtime/image/say.h"

/* Under the lock: the names as they are now, in an array with room for two more. */
static int begin(struct store *s, struct store_entry **out, struct err *err)
{
	CLEANUP_FD int lock = store_lock_names(s, err);
	int r = lock < 0 ? lock : store_index_load(s, err);

	if (r < 0)
		return r;
	*out = calloc(s->entries + 3, sizeof(**out));
	if (!*out)
		return err_set(err, ENOMEM, "change the names");
	if (s->entries)
		memcpy(*out, s->entry, s->entries * sizeof(**out));
	return fd_take(&lock);
}

/* A failure after the rename leaves the new names on the disk: memory has what the disk has. */
static int finish(struct store *s, struct store_entry *entry, size_t n, struct err *err)
{
	int r = store_index_save(s, entry, n, err);

	if (r < 0) {
		free(entry);
		store_index_load(s, NULL);
	}
	return r;
}

static int full_name(const char *text, char full[IMAGE_REF_SIZE], struct err *err)
{
	struct image_ref ref;
	int r = image_ref_parse(text, &ref, err);

	if (r < 0)
		return r;
	if (ref.digest[0])
		return image_say(err, EINVAL, "refusing to create a tag with a digest reference");
	image_ref_full(&ref, full);
	return 0;
}

int store_tag(struct store *s, const char *what, const char *name, struct err *err)
{
	struct store_entry *entry = NULL, new_entry;
	struct store_image *image = NULL;
	char full[IMAGE_REF_SIZE];
	size_t n, at = 0;
	int r = full_name(name, full, err);
	CLEANUP_FD int lock = r < 0 ? -1 : begin(s, &entry, err);

	if (r < 0 || lock < 0)
		return r < 0 ? r : lock;
	r = store_image_lookup(s, what, &image, err);
	if (r < 0) {
		free(entry);
		return r;
	}
	n = s->entries;
	while (at < n && strcmp(entry[at].digest, image->manifest_digest) != 0)
		at++;
	new_entry = entry[at];
	memcpy(new_entry.id, image->id, sizeof(new_entry.id));
	memcpy(new_entry.name, full, strlen(full) + 1);
	store_image_free(image);
	n = store_entry_set(s, entry, n, &new_entry);
	return finish(s, entry, n, err);
}

static int same_image(struct store *s, struct store_entry *e, const char *id)
{
	const char *have = store_entry_id(s, e);

	return have && !strcmp(have, id);
}

int store_untag(struct store *s, const char *name, struct err *err)
{
	struct store_entry *entry = NULL;
	CLEANUP_FD int lock = begin(s, &entry, err);
	size_t n = s->entries, at = 0, others = 0;
	const char *id;

	if (lock < 0)
		return lock;
	while (at < n && strcmp(entry[at].name, name) != 0)
		at++;
	if (at == n || !name[0]) {
		free(entry);
		return image_say(err, ENOENT, "image %s is not in the store", name);
	}
	id = store_entry_id(s, &entry[at]);
	for (size_t i = 0; id && i < n; i++)
		others += i != at && same_image(s, &entry[i], id);
	if (others)
		memmove(&entry[at], &entry[at + 1], (--n - at) * sizeof(*entry));
	else
		entry[at].name[0] = '\0';
	return finish(s, entry, n, err);
}

int store_image_remove(struct store *s, const char *id, struct err *err)
{
	struct store_entry *entry = NULL;
	CLEANUP_FD int lock = begin(s, &entry, err);
	size_t n = 0;

	if (lock < 0)
		return lock;
	for (size_t i = 0; i < s->entries; i++)
		if (!same_image(s, &entry[i], id))
			entry[n++] = entry[i];
	if (n == s->entries) {
		free(entry);
		return image_say(err, ENOENT, "image %s is not in the store", id);
	}
	return finish(s, entry, n, err);
}

int store_config_read(struct store *s, const struct store_image *image, char **out, size_t *n, struct err *err)
{
	return store_blob_read(s, image->id, IMAGE_JSON_MAX, out, n, err);
}

int64_t store_image_arrived(struct store *s, const struct store_image *image)
{
	struct stat st;
	char path[128];

	store_blob_path(image->manifest_digest, path);
	return fstatat(s->rootfd, path, &st, AT_SYMLINK_NOFOLLOW) < 0 ? 0 : st.st_mtim.tv_sec;
}
