/* test_store.c - runtime/store in a directory of its own: import, lookup, container roots, removal, and every system
 * call failing in turn. Images are written here; build/bin/coracle-fetch unpacks them. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/buf.h"
#include "lib/cdefs.h"
#include "lib/fd.h"
#include "lib/sys.h"
#include "runtime/store/store.h"

struct place {
	char dir[64], root[96], archive[96];
	struct store_options opt;
	char fetch[512];
	struct store *s;
};

/* -- images ------------------------------------------------------------- */

static void tar_member(struct buf *b, const char *name, char type, const char *data, size_t n)
{
	char h[512];
	unsigned sum = 0;

	memset(h, 0, sizeof(h));
	snprintf(h, 100, "%s", name);
	memcpy(h + 100, type == '5' ? "0000755" : "0000644", 8);
	memcpy(h + 108, "0000000", 8);
	memcpy(h + 116, "0000000", 8);
	snprintf(h + 124, 12, "%011o", (unsigned)n);
	memcpy(h + 136, "14735650600", 12);
	memset(h + 148, ' ', 8);
	h[156] = type;
	memcpy(h + 257, "ustar\00000", 8);
	for (size_t i = 0; i < sizeof(h); i++)
		sum += (unsigned char)h[i];
	snprintf(h + 148, 8, "%06o", sum);
	buf_add(b, h, sizeof(h));
	buf_add(b, data, n);
	memset(h, 0, sizeof(h));
	buf_add(b, h, (512 - n % 512) % 512);
}

static void add_blob(struct buf *archive, const char *data, size_t n, char digest[IMAGE_DIGEST_SIZE])
{
	char name[100];

	image_digest_of(data, n, digest);
	snprintf(name, sizeof(name), "blobs/sha256/%s", image_digest_hex(digest));
	tar_member(archive, name, '0', data, n);
}

/* An archive of one image called NAME with layers layers; layer N holds the file "layerN", the file "same" that
 * says N, and what salt makes different between images. */
static void write_image(struct place *p, const char *name, int layers, const char *salt)
{
	CLEANUP_BUF struct buf archive, layer, manifest, config;
	char digest[IMAGE_DIGEST_SIZE], zeros[1024] = "";

	buf_init(&archive, 8 << 20);
	buf_init(&layer, 1 << 20);
	buf_init(&manifest, 1 << 20);
	buf_init(&config, 1 << 20);
	buf_puts(&config, "{\"os\":\"linux\",\"architecture\":\"amd64\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[");
	for (int i = 0; i < layers; i++) {
		char file[32], text[32];

		buf_reset(&layer);
		snprintf(file, sizeof(file), "layer%d", i);
		snprintf(text, sizeof(text), "%d", i);
		tar_member(&layer, file, '0', salt, strlen(salt));
		tar_member(&layer, "same", '0', text, strlen(text));
		buf_add(&layer, zeros, sizeof(zeros));
		add_blob(&archive, layer.data, layer.len, digest);
		buf_printf(&config, "%s\"%s\"", i ? "," : "", digest);
		buf_printf(&manifest, "%s{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar\",\"digest\":\"%s\",\"size\":%zu}",
			i ? "," : "", digest, layer.len);
	}
	buf_puts(&config, "]}}");
	add_blob(&archive, config.data, config.len, digest);
	buf_reset(&layer);
	buf_printf(&layer, "{\"schemaVersion\":2,\"config\":{\"digest\":\"%s\",\"size\":%zu},\"layers\":[%s]}", digest, config.len,
		manifest.data);
	add_blob(&archive, layer.data, layer.len, digest);
	buf_reset(&config);
	buf_printf(&config, "{\"schemaVersion\":2,\"manifests\":[{\"digest\":\"%s\",\"size\":%zu,\"annotations\":{"
		"\"org.opencontainers.image.ref.name\":\"%s\"}}]}", digest, layer.len, name);
	tar_member(&archive, "index.json", '0', config.data, config.len);
	buf_add(&archive, zeros, sizeof(zeros));
	assert_int_equal(buf_error(&archive), 0);
	assert_int_equal(fd_replace_file(AT_FDCWD, p->archive, archive.data, archive.len, 0644, NULL), 0);
}

static int setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));
	const char *build = getenv("CORACLE_BUILD");

	/* in memory where there is such a place: hundreds of imports, each of which syncs its file system */
	snprintf(p->dir, sizeof(p->dir), "/dev/shm/test-store-XXXXXX");
	if (!mkdtemp(p->dir)) {
		snprintf(p->dir, sizeof(p->dir), "/tmp/test-store-XXXXXX");
		if (!mkdtemp(p->dir))
			return -1;
	}
	p->opt.keep_blobs = 1;
	snprintf(p->root, sizeof(p->root), "%s/store", p->dir);
	snprintf(p->archive, sizeof(p->archive), "%s/image.tar", p->dir);
	snprintf(p->fetch, sizeof(p->fetch), "%s/bin/coracle-fetch", build ? build : "build");
	p->opt.fetch = p->fetch;
	*state = p;
	return store_open(&p->s, p->root, &p->opt, NULL);
}

static int teardown(void **state)
{
	struct place *p = *state;

	sys_fault_arm(0, 0);
	store_close(p->s);
	store_tree_remove(AT_FDCWD, p->dir);
	free(p);
	return 0;
}

static void import(struct place *p)
{
	struct err err = ERR_INIT;

	if (store_import(p->s, p->archive, NULL, NULL, &err) < 0)
		fail_msg("%s", err.text);
}

/* -- tests -------------------------------------------------------------- */

static void images_are_found_by_every_name(void **state)
{
	struct place *p = *state;
	struct store_image *image, **all;
	char id[IMAGE_DIGEST_SIZE], text[IMAGE_REF_SIZE];

	write_image(p, "example.org/app:1", 2, "one");
	import(p);
	write_image(p, "docker.io/library/app:latest", 1, "two");
	import(p);
	assert_int_equal(store_images(p->s, &all, NULL), 2);
	assert_string_equal(all[0]->name[0], "example.org/app:1");
	store_images_free(all);

	assert_int_equal(store_image_lookup(p->s, "app", &image, NULL), 0);
	assert_int_equal(image->config.layer_count, 1);
	store_image_free(image);
	assert_int_equal(store_image_lookup(p->s, "example.org/app:1", &image, NULL), 0);
	assert_int_equal(image->config.layer_count, 2);
	assert_true(image->size > 4000);
	memcpy(id, image->id, sizeof(id));
	snprintf(text, sizeof(text), "example.org/app@%s", image->manifest_digest);
	store_image_free(image);

	assert_int_equal(store_image_lookup(p->s, text, &image, NULL), 0);
	assert_string_equal(image->id, id);
	store_image_free(image);
	assert_int_equal(store_image_lookup(p->s, id, &image, NULL), 0);
	store_image_free(image);
	snprintf(text, sizeof(text), "%.12s", image_digest_hex(id));
	assert_int_equal(store_image_lookup(p->s, text, &image, NULL), 0);
	assert_string_equal(image->id, id);
	store_image_free(image);
	assert_int_equal(store_image_lookup(p->s, "example.org/app:2", &image, NULL), -ENOENT);
	assert_int_equal(store_image_lookup(p->s, "Not A Name", &image, NULL), -EINVAL);
	assert_int_equal(store_image_lookup(p->s, "../../etc", &image, NULL), -EINVAL);
}

static void a_second_process_does_not_get_in(void **state)
{
	struct place *p = *state;
	struct store *other = NULL;

	assert_int_equal(store_open(&other, p->root, &p->opt, NULL), -EBUSY);
	store_close(p->s);
	assert_int_equal(store_open(&p->s, p->root, &p->opt, NULL), 0);
}

static void a_known_archive_is_not_read(void **state)
{
	struct place *p = *state;
	struct store_import_result result;

	write_image(p, "app:1", 1, "x");
	import(p);
	assert_int_equal(store_import(p->s, p->archive, NULL, &result, NULL), 0);
	assert_int_equal(result.count, 1);
	assert_true(result.image[0].known);
	free(result.image);
	/* another content under the same name is another archive */
	write_image(p, "app:1", 1, "changed");
	assert_int_equal(store_import(p->s, p->archive, NULL, &result, NULL), 0);
	assert_false(result.image[0].known);
	free(result.image);
}

static int count(struct place *p, const char *what)
{
	char command[256], text[32] = "";
	FILE *f;

	snprintf(command, sizeof(command), "find %s/%s -mindepth 1 -maxdepth 1 | wc -l", p->root, what);
	f = popen(command, "r");
	assert_non_null(f);
	assert_non_null(fgets(text, sizeof(text), f));
	pclose(f);
	return atoi(text);
}

/* The store with the image first:1, as new. */
static void start_again(struct place *p, const char *first)
{
	struct err err = ERR_INIT;

	store_close(p->s);
	p->s = NULL;
	assert_int_equal(store_tree_remove(AT_FDCWD, p->root), 0);
	if (store_open(&p->s, p->root, &p->opt, &err) < 0 || store_import(p->s, first, NULL, NULL, &err) < 0)
		fail_msg("%s", err.text);
}

/* After an import of second:1 that ended with r: as the next start finds it. */
static void check_whole(struct place *p, int r, long call)
{
	struct store_image *image;
	struct err err = ERR_INIT;

	assert_int_equal(count(p, "layers"), r < 0 ? 1 : 3);
	assert_int_equal(store_image_lookup(p->s, "second:1", &image, NULL), r < 0 ? -ENOENT : 0);
	store_image_free(image);
	store_close(p->s);
	p->s = NULL;
	if (store_open(&p->s, p->root, &p->opt, &err) < 0)
		fail_msg("call %ld: %s", call, err.text);
	assert_int_equal(count(p, "tmp"), 0);
	assert_int_equal(store_image_lookup(p->s, "first:1", &image, NULL), 0);
	store_image_free(image);
	assert_int_equal(store_image_lookup(p->s, "second:1", &image, NULL), r < 0 ? -ENOENT : 0);
	store_image_free(image);
}

static void every_call_failing_leaves_the_store_whole(void **state)
{
	struct place *p = *state;
	char first[128];
	long call = 0, failures = 0, made;

	write_image(p, "first:1", 1, "first");
	snprintf(first, sizeof(first), "%s.first", p->archive);
	assert_int_equal(rename(p->archive, first), 0);
	write_image(p, "second:1", 2, "second");
	start_again(p, first);
	do {
		struct err err = ERR_INIT;
		int r;

		sys_fault_arm(++call, ENOSPC);
		r = store_import(p->s, p->archive, NULL, NULL, &err);
		made = sys_fault_count;
		sys_fault_arm(0, 0);
		failures += r < 0;
		if (r < 0)
			assert_true(err.text[0]);
		check_whole(p, r, call);
		if (r == 0)
			start_again(p, first);
		assert_true(call < 500);
	} while (made >= call);
	assert_true(failures > 20);
}

static void deep_trees_are_removed(void **state)
{
	struct place *p = *state;
	int at = open(p->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), start = at;

	/* ten thousand levels: more than any path or recursion could name */
	for (int i = 0; i < 10000; i++) {
		int next;

		assert_int_equal(mkdirat(at, "d", 0700), 0);
		next = openat(at, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (i % 1000 == 0)
			assert_int_equal(symlinkat("/", next, "link"), 0);
		if (at != start)
			close(at);
		at = next;
	}
	close(at);
	assert_int_equal(store_tree_remove(start, "d"), 0);
	assert_int_equal(faccessat(start, "d", F_OK, 0), -1);
	assert_int_equal(store_tree_remove(start, "d"), 0);
	close(start);
}

/* A mount namespace of its own, before the first descriptor is opened; where that is not allowed there is nothing to test. */
static int may_mount;

static void enter_namespace(void)
{
	may_mount = geteuid() == 0 && unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

static void roots_of_many_layers(void **state)
{
	struct place *p = *state;
	struct err err = ERR_INIT;
	struct store_image *image;
	char path[256], text[32];

	if (!may_mount)
		skip();
	write_image(p, "many:1", IMAGE_LAYERS_MAX, "x");
	import(p);
	assert_int_equal(store_image_lookup(p->s, "many:1", &image, NULL), 0);
	if (store_rootfs_mount(p->s, image, "c1", &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(store_rootfs_mount(p->s, image, "c1", NULL), -EBUSY);
	store_rootfs_path(p->s, "c1", path, sizeof(path));
	strcat(path, "/same");
	assert_true(fd_read_small(AT_FDCWD, path, text, sizeof(text)) > 0);
	assert_string_equal(text, "126");
	store_rootfs_path(p->s, "c1", path, sizeof(path));
	strcat(path, "/layer0");
	assert_int_equal(access(path, R_OK), 0);
	strcat(path, ".new");
	assert_int_equal(fd_replace_file(AT_FDCWD, path, "w", 1, 0644, NULL), 0);
	assert_int_equal(store_rootfs_unmount(p->s, "c1", NULL), 0);
	assert_int_equal(store_rootfs_unmount(p->s, "c1", NULL), 0);
	assert_int_equal(access(path, F_OK), -1);
	/* what the container wrote is kept for its next start */
	assert_int_equal(store_rootfs_mount(p->s, image, "c1", NULL), 0);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(store_rootfs_unmount(p->s, "c1", NULL), 0);
	assert_int_equal(store_rootfs_mount(p->s, image, "../c1", NULL), -EINVAL);
	store_image_free(image);
}

static void roots_of_one_layer_have_the_images_attributes(void **state)
{
	struct place *p = *state;
	struct store_image *image;
	struct stat st;
	char path[256];

	if (!may_mount)
		skip();
	write_image(p, "one:1", 1, "x");
	import(p);
	assert_int_equal(store_image_lookup(p->s, "one:1", &image, NULL), 0);
	assert_int_equal(store_rootfs_mount(p->s, image, "c2", NULL), 0);
	assert_int_equal(stat(store_rootfs_path(p->s, "c2", path, sizeof(path)), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(store_rootfs_unmount(p->s, "c2", NULL), 0);
	store_image_free(image);
}

static void volumes_are_made_once(void **state)
{
	struct place *p = *state;
	char path[256];

	assert_int_equal(store_volume(p->s, "site", path, sizeof(path), NULL), 1);
	assert_int_equal(store_volume(p->s, "site", path, sizeof(path), NULL), 0);
	assert_int_equal(access(path, W_OK), 0);
	assert_int_equal(store_volume(p->s, "../site", path, sizeof(path), NULL), -EINVAL);
	assert_int_equal(store_volume(p->s, "site", path, 10, NULL), -ENAMETOOLONG);
}

#define IN_PLACE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_PLACE(images_are_found_by_every_name),
		IN_PLACE(a_second_process_does_not_get_in),
		IN_PLACE(a_known_archive_is_not_read),
		IN_PLACE(every_call_failing_leaves_the_store_whole),
		IN_PLACE(deep_trees_are_removed),
		IN_PLACE(roots_of_many_layers),
		IN_PLACE(roots_of_one_layer_have_the_images_attributes),
		IN_PLACE(volumes_are_made_once),
	};

	enter_namespace();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
