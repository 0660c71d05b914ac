/* test_lib_files.c - lib/fd, lib/path, lib/report, with each system call failing in turn. */
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

#include "fd.h"
#include "path.h"
#include "report.h"
#include "sys.h"

static char dir[64];
static int dirfd_;

static int setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/coracle-test.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	dirfd_ = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dirfd_ < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	close(dirfd_);
	return path_remove_tree(AT_FDCWD, dir);
}

static void write_file(const char *name, const char *text)
{
	int fd = openat(dirfd_, name, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_full(fd, text, strlen(text)), 0);
	close(fd);
}

static void files_are_read_within_bounds(void **state)
{
	struct err err = ERR_INIT;
	char small[8];
	char *data;
	size_t len;

	(void)state;
	write_file("f", "1234567\n");
	assert_int_equal(fd_read_file(dirfd_, "f", 8, &data, &len, &err), 0);
	assert_int_equal(len, 8);
	assert_string_equal(data, "1234567\n");
	free(data);
	assert_int_equal(fd_read_file(dirfd_, "f", 7, &data, &len, &err), -EFBIG);
	assert_int_equal(fd_read_file(dirfd_, "none", 7, &data, &len, &err), -ENOENT);
	assert_string_equal(err.text, "open none: No such file or directory");
	assert_int_equal(fd_read_small(dirfd_, "f", small, sizeof(small)), -EFBIG);
	write_file("f", "123456\n");
	assert_int_equal(fd_read_small(dirfd_, "f", small, sizeof(small)), 6);
	assert_string_equal(small, "123456");
	assert_int_equal(fd_read_file(AT_FDCWD, "/proc/self/stat", 65536, &data, &len, &err), 0); /* st_size 0 */
	assert_true(len > 10);
	free(data);
}

/* Whatever call fails, the file is the old one or the new one, and no temporary file stays. */
static void replace_is_all_or_nothing(void **state)
{
	struct err err = ERR_INIT;
	struct stat st;
	int r = -1;

	(void)state;
	for (long n = 1; r < 0; n++) {
		char text[16];

		write_file("conf", "old");
		sys_fault_arm(n, ENOSPC);
		r = fd_replace_file(dirfd_, "conf", "new", 3, 0600, &err);
		sys_fault_arm(0, 0);
		assert_true(n < 20);
		assert_int_equal(fd_read_small(dirfd_, "conf", text, sizeof(text)), 3);
		assert_true(!strcmp(text, "old") || !strcmp(text, "new"));
		if (r < 0)
			assert_int_equal(r, -ENOSPC);
		else
			assert_string_equal(text, "new");
		assert_int_equal(fstatat(dirfd_, "conf.new", &st, 0), -1);
	}
	assert_int_equal(fstatat(dirfd_, "conf", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void paths_stay_inside_the_tree(void **state)
{
	char text[16];
	int root;
	int fd;

	(void)state;
	assert_int_equal(mkdirat(dirfd_, "root", 0755), 0);
	write_file("secret", "outside");
	root = openat(dirfd_, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(root >= 0);
	assert_int_equal(symlinkat("../secret", root, "up"), 0);
	assert_int_equal(symlinkat("/etc/passwd", root, "abs"), 0);
	assert_int_equal(symlinkat("/proc/self/root", root, "magic"), 0);
	assert_int_equal(path_open_in(root, "up", O_RDONLY, 0), -ENOENT);
	assert_int_equal(path_open_in(root, "../secret", O_RDONLY, 0), -ENOENT);
	assert_int_equal(path_open_in(root, "abs", O_RDONLY, 0), -ENOENT);
	assert_int_equal(path_open_in(root, "magic/etc", O_RDONLY, 0), -ENOENT);

	fd = path_mkdirs_in(root, "/etc/../deep//er/", 0755);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(faccessat(root, "deep/er", F_OK, 0), 0);
	fd = path_mkdirs_in(root, "../../evil", 0755);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(faccessat(root, "evil", F_OK, 0), 0);
	assert_int_equal(faccessat(dirfd_, "evil", F_OK, 0), -1);
	/* ".." behind a name that is not there yet does not lead out either */
	fd = path_mkdirs_in(root, "new/../../../above/x", 0755);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(faccessat(root, "above/x", F_OK, 0), 0);
	assert_int_equal(faccessat(dirfd_, "above", F_OK, 0), -1);
	/* what a dangling absolute link on the way names is made inside, never outside */
	assert_int_equal(symlinkat("/nowhere/deep", root, "link"), 0);
	fd = path_mkdirs_in(root, "link/x", 0755);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(faccessat(root, "nowhere/deep/x", F_OK, 0), 0);
	assert_int_equal(access("/nowhere", F_OK), -1);
	assert_int_equal(symlinkat("../../../../upper/there", root, "deep/er/link"), 0);
	fd = path_mkdirs_in(root, "deep/er/link", 0755);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(faccessat(root, "upper/there", F_OK, 0), 0);
	assert_int_equal(faccessat(dirfd_, "upper", F_OK, 0), -1);
	assert_int_equal(symlinkat("circle", root, "circle"), 0);
	assert_int_equal(path_mkdirs_in(root, "circle/x", 0755), -ELOOP);
	assert_int_equal(fd_read_small(dirfd_, "secret", text, sizeof(text)), 7);
	close(root);
}

static void parent_and_components(void **state)
{
	const char *base;
	int fd = path_open_parent_in(dirfd_, "/a/b/file", 0755, &base);

	(void)state;
	assert_true(fd >= 0);
	assert_string_equal(base, "file");
	close(fd);
	assert_int_equal(path_open_parent_in(dirfd_, "/a/b/..", 0755, &base), -EINVAL);
	assert_int_equal(path_open_parent_in(dirfd_, "/a/b/", 0755, &base), -EINVAL);
	assert_true(path_component_ok("x.y"));
	assert_false(path_component_ok(""));
	assert_false(path_component_ok(".."));
	assert_false(path_component_ok("a/b"));
	assert_false(path_component_ok("a\nb"));
}

static void remove_tree_follows_no_link(void **state)
{
	(void)state;
	write_file("keep", "x");
	assert_int_equal(mkdirat(dirfd_, "t", 0755), 0);
	assert_int_equal(mkdirat(dirfd_, "t/d", 0755), 0);
	assert_int_equal(symlinkat("..", dirfd_, "t/d/l"), 0);
	assert_int_equal(path_remove_tree(dirfd_, "t"), 0);
	assert_int_equal(faccessat(dirfd_, "keep", F_OK, 0), 0);
	assert_int_equal(faccessat(dirfd_, "t", F_OK, 0), -1);
	assert_int_equal(path_remove_tree(dirfd_, "never-there"), 0);
}

static void problems_are_json_lines(void **state)
{
	char path[80];
	char text[512];
	const char *message;
	int saved = dup(STDERR_FILENO);
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	(void)state;
	report_set_dir(dir);
	dup2(null, STDERR_FILENO);
	report_problem("engine", "image \"%s\"\nis bad", "web");
	report_stamp("ready");
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(null);
	snprintf(path, sizeof(path), "%s/problems", dir);
	assert_true(fd_read_small(AT_FDCWD, path, text, sizeof(text)) > 0);
	message = strstr(text, "\"component\"");
	assert_non_null(message);
	assert_string_equal(message, "\"component\":\"engine\",\"message\":\"image \\\"web\\\" is bad\"}");
	snprintf(path, sizeof(path), "%s/boot-times", dir);
	assert_true(fd_read_small(AT_FDCWD, path, text, sizeof(text)) > 0);
	assert_non_null(strstr(text, " ready"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_read_within_bounds),
		cmocka_unit_test(replace_is_all_or_nothing),
		cmocka_unit_test(paths_stay_inside_the_tree),
		cmocka_unit_test(parent_and_components),
		cmocka_unit_test(remove_tree_follows_no_link),
		cmocka_unit_test(problems_are_json_lines),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
