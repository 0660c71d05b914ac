/* test_config_corpus.c - whole configurations: our own with the expected problems and containers.json beside them, and the
 * corpus of hostile and of cloud-init's inputs ($CORPUS, left out when it is not there), each within hard limits of time and memory.
 *
 * CORACLE_UPDATE=1 writes the expected files instead of comparing them: then read the difference before you commit it. */
#include "config_helper.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fd.h"
#include "path.h"

#define FOLDER "tests/fixtures/config"
#define CPU_SECONDS 1		/* for one file; RLIMIT_CPU knows no less */
#define HEAP_MAX ((rlim_t)24 << 20)

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1		/* its shadow memory makes RLIMIT_AS useless */
#else
#define SANITIZED 0
#endif

static const char *corpus(void)
{
	const char *path = getenv("CORPUS");

	return path && *path ? path : "../shared/corpus";
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names in a folder that end in suffix, sorted. Returns how many. */
static size_t list(const char *folder, const char *suffix, char **names, size_t max)
{
	DIR *d = opendir(folder);
	struct dirent *e;
	size_t n = 0;

	if (!d)
		return 0;
	while ((e = readdir(d)) && n < max) {
		size_t len = strlen(e->d_name);

		if (e->d_name[0] != '.' && len > strlen(suffix) && !strcmp(e->d_name + len - strlen(suffix), suffix))
			names[n++] = strdup(e->d_name);
	}
	closedir(d);
	qsort(names, n, sizeof(names[0]), by_name);
	return n;
}

static void compare(const char *path, const struct buf *have)
{
	CLEANUP_FREE char *want = NULL;
	size_t len = 0;

	if (getenv("CORACLE_UPDATE")) {
		if (have->len)
			assert_int_equal(fd_replace_file(AT_FDCWD, path, have->data, have->len, 0644, NULL), 0);
		else
			unlink(path);
		return;
	}
	if (fd_read_file(AT_FDCWD, path, (size_t)1 << 20, &want, &len, NULL) < 0)
		len = 0;
	if (len != have->len || memcmp(want ? want : "", have->data, len) != 0)
		fail_msg("%s differs; there is now:\n%s", path, have->data);
}

/* Reads one of our fixtures as user-data and compares what comes of it. */
static void one_fixture(const char *name)
{
	CLEANUP_FREE char *text = NULL;
	CLEANUP_BUF struct buf out = { 0 };
	struct run *r = helper_run();
	char path[300];
	size_t len;

	snprintf(path, sizeof(path), FOLDER "/%s.yaml", name);
	assert_int_equal(fd_read_file(AT_FDCWD, path, USERDATA_MAX, &text, &len, NULL), 0);
	userdata_read(&r->ctx, "user-data", text, len, &r->config);
	config_finish(&r->ctx, &r->config);
	buf_init(&out, (size_t)1 << 20);
	diags_render(&r->diags, &out);
	if (!strncmp(name, "good-", 5) && out.len)
		fail_msg("%s is good, and yet:\n%s", name, out.data);
	if (!strncmp(name, "bad-", 4) && diags_errors(&r->diags) == 0)
		fail_msg("no error in %s", name);
	snprintf(path, sizeof(path), FOLDER "/%s.problems", name);
	compare(path, &out);
	buf_reset(&out);
	if (!compose_write_json(&r->config.compose, &out))
		buf_reset(&out);
	snprintf(path, sizeof(path), FOLDER "/%s.containers.json", name);
	compare(path, &out);
	helper_end();
}

static void fixtures(void **state)
{
	char *names[100];
	size_t n = list(FOLDER, ".yaml", names, ARRAY_SIZE(names));

	(void)state;
	assert_true(n >= 10);
	for (size_t i = 0; i < n; i++) {
		names[i][strlen(names[i]) - strlen(".yaml")] = '\0';
		one_fixture(names[i]);
		free(names[i]);
	}
}

/* What section 6 of the reference wants, for what is done: the level, words of the message, and the host name that is set. */
static const struct outcome {
	const char *file;
	char level;		/* 'o' nothing to say, 'w' warnings only, 'e' errors */
	const char *mentions;	/* one of the problems */
	const char *hostname;	/* NULL: none */
} outcomes[] = {
	{ "01-bom.yaml", 'o', NULL, "a" },
	{ "02-crlf.yaml", 'o', NULL, "a" },
	{ "03-tabs.yaml", 'e', ":3:1: error: YAML: ", NULL },
	{ "04-dupkeys.yaml", 'w', ":3:1: warning: the key \"hostname\" is here twice; the value of line 2", "b" },
	{ "05-nul.yaml", 'e', "control character 0x00 (at offset 26)", NULL },
	{ "06-badutf8.yaml", 'e', "byte 0xff (at offset 25) is not UTF-8", NULL },
	{ "07-yamlbomb.yaml", 'e', "more than 10,000 values", NULL },
	{ "08-deepnest.yaml", 'e', "nested more than 64 levels deep", NULL },
	{ "09-octal-int.yaml", 'o', NULL, NULL },
	{ "10-octal-str.yaml", 'o', NULL, NULL },
	{ "11-yesno.yaml", 'o', NULL, NULL },
	{ "12-norway.yaml", 'o', NULL, "no" },
	{ "13-runcmd-map.yaml", 'w', "it is run as it stands (quote the whole command)", NULL },
	{ "14-runcmd-int.yaml", 'o', NULL, NULL },
	{ "15-noheader.yaml", 'e', ":1:1: error: the first line \"hostname: a\"", NULL },
	{ "16-header-space.yaml", 'e', "(write #cloud-config, without the blank)", NULL },
	{ "17-header-upper.yaml", 'o', NULL, "a" },
	{ "18-leading-blank.yaml", 'o', NULL, "a" },
	{ "19-header-trailing.yaml", 'o', NULL, "a" },
	{ "20-unknown-key.yaml", 'e', "unknown key \"hostnam\" in the configuration (did you mean \"hostname\"?)", NULL },
	{ "21-root-list.yaml", 'e', "not a list", NULL },
	{ "22-empty.yaml", 'o', NULL, NULL },
	{ "23-header-only.yaml", 'o', NULL, NULL },
	{ "24-gz.yaml.gz", 'o', NULL, "a" },
	{ "25-gztrunc.yaml.gz", 'e', "damaged or cut short", NULL },
	{ "26-gz-of-gz.gz", 'e', "gzip inside gzip", NULL },
	{ "27-base64.txt", 'w', "this is base64; it is decoded", "a" },
	{ "28-traversal.yaml", 'e', "has \"..\" in it", NULL },
	{ "29-pytag.yaml", 'e', "the YAML tag", NULL },
	{ "30-binary.yaml", 'o', NULL, NULL },
	{ "31-sexagesimal.yaml", 'o', NULL, "1_000" },
	{ "32-date.yaml", 'o', NULL, NULL },
	{ "33-mergekey.yaml", 'o', NULL, NULL },
	{ "34-multidoc.yaml", 'e', "a second YAML document", NULL },
	{ "35-null-list.yaml", 'o', NULL, NULL },
	{ "36-badname.yaml", 'e', "is not a user name; the user is left out", NULL },
	{ "37-hugeint.yaml", 'e', "is not a user's number", NULL },
	{ "38-nan.yaml", 'e', "\".nan\" are not file permissions", NULL },
	{ "39-mime.txt", 'w', ":19:1: warning: \"packages\" ", NULL },
	{ "40-mime-append.txt", 'w', ":15:1: warning: \"packages\" ", NULL },
	{ "41-archive.yaml", 'o', NULL, "a" },
	{ "42-mime-nested-noend.txt", 'o', NULL, "a" },
	{ "43-shell-crlf.sh", 'o', NULL, NULL },
	{ "44-anchor-cycle.yaml", 'e', "is inside what it names", NULL },
	{ "45-jinja.yaml", 'o', NULL, "localhost" },
	{ "46-ignition.json", 'o', NULL, NULL },
	{ "47-utf16.yaml", 'e', "this is UTF-16", NULL },
	{ "48-control.yaml", 'e', "control character 0x07", NULL },
	{ "49-nonstrkey.yaml", 'e', "unknown key \"1\"", "c" },
	{ "50-fold.yaml", 'o', NULL, NULL },
	{ "51-gzbomb.gz", 'e', "it decompresses to too much", NULL },
};

static void limit(int resource, rlim_t value)
{
	struct rlimit l = { value, value };

	if (setrlimit(resource, &l) < 0)
		_exit(100);
}

static int complain(const char *file, const char *why)
{
	fprintf(stderr, "# %s: %s\n%s", file, why, helper_problems());
	return 1;
}

/* In a child with its limits. Returns 0 when the outcome is the wanted one; without a wanted one any verdict will do. */
static int read_limited(const char *path, const struct outcome *want)
{
	CLEANUP_FREE char *text = NULL;
	struct run *r;
	const char *name;
	size_t len;
	char level;

	if (fd_read_file(AT_FDCWD, path, USERDATA_MAX + 1, &text, &len, NULL) < 0)
		return 99;
	limit(RLIMIT_CPU, CPU_SECONDS * (SANITIZED ? 5 : 1));
	if (!SANITIZED)
		limit(RLIMIT_AS, HEAP_MAX);
	r = helper_run();
	userdata_read(&r->ctx, "t", text, len, &r->config);
	config_finish(&r->ctx, &r->config);
	if (!want)
		return 0;
	level = diags_errors(&r->diags) ? 'e' : r->diags.first ? 'w' : 'o';
	name = r->config.hostname;
	if (level != want->level)
		return complain(path, "another verdict");
	if (want->mentions && !strstr(helper_problems(), want->mentions))
		return complain(path, want->mentions);
	if (!name != !want->hostname || (name && strcmp(name, want->hostname) != 0))
		return complain(path, "another host name");
	return 0;
}

static void in_child(const char *path, const struct outcome *want)
{
	int status = 0;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(read_limited(path, want));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status != 0)
		fail_msg("%s: status %#x", path, (unsigned)status);
}

static void hostile(void **state)
{
	char *names[200];
	char path[600];
	size_t n;

	(void)state;
	snprintf(path, sizeof(path), "%s/hostile", corpus());
	n = list(path, "", names, ARRAY_SIZE(names));
	if (n == 0)
		skip();
	for (size_t i = 0; i < n; i++) {
		const struct outcome *want = NULL;

		for (size_t k = 0; k < ARRAY_SIZE(outcomes); k++)
			if (!strcmp(outcomes[k].file, names[i]))
				want = &outcomes[k];
		if (!want)
			fail_msg("%s: what shall come of it?", names[i]);
		snprintf(path, sizeof(path), "%s/hostile/%s", corpus(), names[i]);
		in_child(path, want);
		free(names[i]);
	}
	assert_int_equal(n, ARRAY_SIZE(outcomes));
}

static unsigned walked;

static int visit(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)ftw;
	if (type == FTW_F) {
		in_child(path, NULL);
		walked++;
	}
	return 0;
}

static void cloud_config(void **state)
{
	char path[600];

	(void)state;
	snprintf(path, sizeof(path), "%s/cloud-config", corpus());
	if (access(path, R_OK) < 0)
		skip();
	assert_int_equal(nftw(path, visit, 16, FTW_PHYS), 0);
	assert_true(walked > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fixtures), cmocka_unit_test(hostile), cmocka_unit_test(cloud_config),
	};

	return helper_run_tests(tests);
}
