/* test_image_tree.c - coracle-fetch's writer of layers, in a directory of its own. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/cdefs.h"
#include "lib/path.h"
#include "runtime/image/fetch/layer.h"
#include "runtime/image/fetch/tree.h"

static char marks[4096];

static void on_mark(enum tree_mark mark, const char *path)
{
	size_t n = strlen(marks);

	snprintf(marks + n, sizeof(marks) - n, "%c:%s ", mark == TREE_OPAQUE ? 'o' : 'i', path);
}

struct place {
	char name[64];
	int root, outside;
	struct tree t;
};

static int setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	snprintf(p->name, sizeof(p->name), "/tmp/test-image-tree-XXXXXX");
	if (!mkdtemp(p->name))
		return -1;
	p->outside = open(p->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	mkdirat(p->outside, "layer", 0755);
	p->root = openat(p->outside, "layer", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	umask(0);
	marks[0] = '\0';
	tree_init(&p->t, p->root, geteuid() == 0, on_mark);
	*state = p;
	return tree_begin(&p->t, NULL);
}

static int teardown(void **state)
{
	struct place *p = *state;

	tree_free(&p->t);
	close(p->root);
	close(p->outside);
	path_remove_tree(AT_FDCWD, p->name);
	free(p);
	return 0;
}

static const struct tree_meta file_meta = { .mode = S_IFREG | 0644, .mtime = { 1000, 5 } };
static const struct tree_meta dir_meta = { .mode = S_IFDIR | 0750, .mtime = { 2000, 7 } };

static int make_file(struct place *p, const char *path)
{
	int fd = tree_file(&p->t, path, &file_meta, NULL), r;

	if (fd < 0)
		return fd;
	r = tree_file_done(&p->t, fd, &file_meta, NULL);
	close(fd);
	return r;
}

static void names_are_normalised(void **state)
{
	static const char *const good[][2] = {
		{ "a", "a" }, { "./a/b", "a/b" }, { "a//b/", "a/b" }, { "a/./b", "a/b" }, { ".", "" }, { "./", "" }, { "/", "" },
		{ "..a/b..", "..a/b.." }, { "a/...", "a/..." },
	};
	static const char *const bad[] = { "", "..", "../a", "a/..", "a/../b", "a/../../b", "./../x", "/etc/passwd", "//x" };
	char out[PATH_MAX], longer[PATH_MAX + 10];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(tree_normalise(good[i][0], out, NULL), 0);
		assert_string_equal(out, good[i][1]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (tree_normalise(bad[i], out, NULL) != -EBADMSG)
			fail_msg("taken: %s", bad[i]);
	memset(longer, 'a', sizeof(longer));
	longer[256] = '\0';
	assert_int_equal(tree_normalise(longer, out, NULL), -EBADMSG);
	longer[255] = '\0';
	assert_int_equal(tree_normalise(longer, out, NULL), 0);
	for (size_t i = 0; i < sizeof(longer) - 1; i++)
		longer[i] = i % 2 ? '/' : 'a';
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(tree_normalise(longer, out, NULL), -EBADMSG);
}

static void links_do_not_lead_out(void **state)
{
	struct place *p = *state;
	struct err err = ERR_INIT;
	struct stat st;

	assert_int_equal(tree_symlink(&p->t, "up", "..", &file_meta, NULL), 0);
	assert_int_equal(tree_symlink(&p->t, "abs", p->name, &file_meta, NULL), 0);
	assert_int_equal(tree_symlink(&p->t, "loop", "loop", &file_meta, NULL), 0);
	assert_int_equal(tree_symlink(&p->t, "void", "nothing", &file_meta, NULL), 0);
	assert_int_equal(make_file(p, "up/escaped"), -EBADMSG);
	assert_int_equal(make_file(p, "abs/escaped"), -EBADMSG);
	assert_int_equal(make_file(p, "abs/a/b/escaped"), -EBADMSG);
	assert_int_equal(make_file(p, "loop/escaped"), -EBADMSG);
	assert_int_equal(make_file(p, "void/escaped"), -EBADMSG);
	assert_int_equal(tree_directory(&p->t, "up/escaped", &dir_meta, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "symbolic link"));
	assert_int_equal(tree_whiteout(&p->t, "up/.wh.layer", NULL), -EBADMSG);
	assert_int_equal(tree_link(&p->t, "up/escaped", "up", NULL), -EBADMSG);
	assert_int_equal(tree_node(&p->t, "abs/escaped", &(struct tree_meta){ .mode = S_IFIFO | 0644 }, NULL), -EBADMSG);
	assert_int_equal(fstatat(p->outside, "escaped", &st, AT_SYMLINK_NOFOLLOW), -1);
	/* what stays inside is followed, as other unpackers do */
	assert_int_equal(tree_directory(&p->t, "usr/lib", &dir_meta, NULL), 0);
	assert_int_equal(tree_symlink(&p->t, "lib", "usr/lib", &file_meta, NULL), 0);
	assert_int_equal(make_file(p, "lib/x"), 0);
	assert_int_equal(fstatat(p->root, "usr/lib/x", &st, AT_SYMLINK_NOFOLLOW), 0);
}

static void a_cached_directory_that_becomes_a_link_is_not_used(void **state)
{
	struct place *p = *state;
	struct stat st;

	assert_int_equal(make_file(p, "a/b/one"), 0);
	assert_int_equal(tree_symlink(&p->t, "a", "..", &file_meta, NULL), 0);
	assert_int_equal(make_file(p, "a/b/two"), -EBADMSG);
	assert_int_equal(make_file(p, "a/two"), -EBADMSG);
	assert_int_equal(fstatat(p->outside, "two", &st, AT_SYMLINK_NOFOLLOW), -1);
}

static void hard_links_stay_in_the_layer(void **state)
{
	struct place *p = *state;
	struct err err = ERR_INIT;
	struct stat a, b;
	int fd = openat(p->outside, "secret", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	close(fd);
	assert_int_equal(make_file(p, "d/file"), 0);
	assert_int_equal(tree_link(&p->t, "other", "d/file", NULL), 0);
	fstatat(p->root, "d/file", &a, 0);
	fstatat(p->root, "other", &b, 0);
	assert_true(a.st_ino == b.st_ino);
	assert_int_equal(tree_link(&p->t, "bad", "missing", &err), -EBADMSG);
	assert_non_null(strstr(err.text, "not in this layer") ? err.text : strstr(err.text, "not a file of this layer"));
	assert_int_equal(tree_link(&p->t, "bad", "d", NULL), -EBADMSG);
	assert_int_equal(tree_symlink(&p->t, "up", "..", &file_meta, NULL), 0);
	assert_int_equal(tree_link(&p->t, "bad", "up/secret", NULL), -EBADMSG);
	assert_int_equal(tree_symlink(&p->t, "e", "d", &file_meta, NULL), 0);
	assert_int_equal(tree_link(&p->t, "bad", "e/file", &err), -EBADMSG);
	assert_non_null(strstr(err.text, "through a symbolic link"));
	/* of a link itself: a second name for the link, not for its target */
	assert_int_equal(tree_symlink(&p->t, "s", "../secret", &file_meta, NULL), 0);
	assert_int_equal(tree_link(&p->t, "s2", "s", NULL), 0);
	assert_int_equal(fstatat(p->root, "s2", &b, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISLNK(b.st_mode));
	/* onto itself */
	assert_int_equal(tree_link(&p->t, "other", "other", NULL), 0);
	assert_int_equal(fstatat(p->root, "other", &b, 0), 0);
}

static void later_entries_replace_earlier_ones(void **state)
{
	struct place *p = *state;
	struct stat st;

	assert_int_equal(make_file(p, "x"), 0);
	assert_int_equal(tree_directory(&p->t, "x", &dir_meta, NULL), 0);
	assert_int_equal(make_file(p, "x/y/z"), 0);
	assert_int_equal(make_file(p, "x"), 0);
	fstatat(p->root, "x", &st, 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(tree_symlink(&p->t, "x", "t", &file_meta, NULL), 0);
	assert_int_equal(tree_directory(&p->t, "x", &dir_meta, NULL), 0);
	fstatat(p->root, "x", &st, AT_SYMLINK_NOFOLLOW);
	assert_true(S_ISDIR(st.st_mode));
	assert_int_equal(make_file(p, ""), -EBADMSG);
	assert_int_equal(tree_symlink(&p->t, "", "x", &file_meta, NULL), -EBADMSG);
	assert_int_equal(make_file(p, "f"), 0);
	assert_int_equal(make_file(p, "f/g"), -EBADMSG);
}

static int is_whiteout(struct place *p, const char *path)
{
	struct stat st;

	return fstatat(p->root, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == 0;
}

static void whiteouts(void **state)
{
	struct place *p = *state;
	struct stat st;

	assert_int_equal(tree_directory(&p->t, "d", &dir_meta, NULL), 0);
	assert_int_equal(tree_whiteout(&p->t, "d/.wh.gone", NULL), 0);
	assert_true(is_whiteout(p, "d/gone"));
	/* the layer's own entries are not meant, in either order */
	assert_int_equal(make_file(p, "d/kept"), 0);
	assert_int_equal(tree_whiteout(&p->t, "d/.wh.kept", NULL), 0);
	assert_false(is_whiteout(p, "d/kept"));
	assert_int_equal(make_file(p, "d/gone"), 0);
	assert_false(is_whiteout(p, "d/gone"));
	assert_string_equal(marks, "");
	/* a directory that replaces one of a lower layer hides its content */
	assert_int_equal(tree_whiteout(&p->t, ".wh.e", NULL), 0);
	assert_int_equal(tree_directory(&p->t, "e", &dir_meta, NULL), 0);
	assert_int_equal(tree_whiteout(&p->t, ".wh.d", NULL), 0);
	assert_int_equal(tree_whiteout(&p->t, "e/.wh..wh..opq", NULL), 0);
	assert_int_equal(tree_whiteout(&p->t, ".wh..wh..opq", NULL), 0);
	assert_string_equal(marks, "o:e o:d o:e o: ");
	assert_int_equal(tree_whiteout(&p->t, ".wh..wh.plnk", NULL), 0);
	assert_int_equal(fstatat(p->root, ".wh..wh.plnk", &st, AT_SYMLINK_NOFOLLOW), -1);
	assert_int_equal(tree_whiteout(&p->t, ".wh.", NULL), -EBADMSG);
	assert_int_equal(tree_whiteout(&p->t, "d/.wh...", NULL), -EBADMSG);
	assert_int_equal(tree_whiteout(&p->t, "d/.wh..", NULL), -EBADMSG);
}

static void directories_get_their_attributes_at_the_end(void **state)
{
	struct place *p = *state;
	struct tree_meta sticky = dir_meta;
	struct stat st;

	sticky.mode = S_IFDIR | 01777;
	assert_int_equal(make_file(p, "imp/licit/file"), 0);
	assert_int_equal(tree_directory(&p->t, "tmp", &sticky, NULL), 0);
	assert_int_equal(make_file(p, "tmp/file"), 0);
	assert_int_equal(make_file(p, "late/file"), 0);
	assert_int_equal(tree_directory(&p->t, "late", &dir_meta, NULL), 0);
	assert_int_equal(make_file(p, "late/file2"), 0);
	assert_int_equal(tree_finish(&p->t, NULL), 0);
	assert_string_equal(marks, "i: i:imp i:imp/licit ");
	fstatat(p->root, "tmp", &st, 0);
	assert_int_equal(st.st_mode & 07777, 01777);
	assert_int_equal(st.st_mtim.tv_sec, 2000);
	assert_int_equal(st.st_mtim.tv_nsec, 7);
	fstatat(p->root, "late", &st, 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	assert_int_equal(st.st_mtim.tv_sec, 2000);
	fstatat(p->root, "imp/licit", &st, 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	fstatat(p->root, "imp/licit/file", &st, 0);
	assert_int_equal(st.st_mtim.tv_sec, 1000);
	assert_int_equal(st.st_mtim.tv_nsec, 5);
}

static void attributes_are_chosen(void **state)
{
	(void)state;
	assert_int_equal(layer_xattr_wanted("security.capability"), 1);
	assert_int_equal(layer_xattr_wanted("user.mime"), 1);
	assert_int_equal(layer_xattr_wanted("system.posix_acl_access"), 1);
	assert_int_equal(layer_xattr_wanted("user.overlay.opaque"), 0);
	assert_int_equal(layer_xattr_wanted("trusted.overlay.opaque"), 0);
	assert_int_equal(layer_xattr_wanted("trusted.x"), 0);
	assert_int_equal(layer_xattr_wanted("user."), 0);
	assert_int_equal(layer_xattr_wanted("security.ima"), 0);
	assert_int_equal(layer_xattr_wanted("security.selinux"), -1);
}

#define IN_PLACE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_normalised),
		IN_PLACE(links_do_not_lead_out),
		IN_PLACE(a_cached_directory_that_becomes_a_link_is_not_used),
		IN_PLACE(hard_links_stay_in_the_layer),
		IN_PLACE(later_entries_replace_earlier_ones),
		IN_PLACE(whiteouts),
		IN_PLACE(directories_get_their_attributes_at_the_end),
		cmocka_unit_test(attributes_are_chosen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
