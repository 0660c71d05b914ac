/* test_image_changes.c - Dockerfile lines in a configuration, and headers of tar entries. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/cdefs.h"
#include "runtime/image/changes.h"
#include "runtime/image/tarhead.h"

static void expect(const char *before, const char *line, const char *after)
{
	yyjson_doc *read = yyjson_read(before, strlen(before), 0);
	yyjson_mut_doc *doc = yyjson_doc_mut_copy(read, NULL);
	struct err err = ERR_INIT;
	int r = image_change(doc, yyjson_mut_doc_get_root(doc), line, &err);
	char *text = yyjson_mut_write(doc, 0, NULL);

	if (after) {
		if (r < 0)
			fail_msg("%s: %s", line, err.text);
		assert_string_equal(text, after);
	} else {
		assert_int_equal(r, -EINVAL);
		assert_true(err.text[0]);
	}
	free(text);
	yyjson_mut_doc_free(doc);
	yyjson_doc_free(read);
}

static void lines_change_what_they_name(void **state)
{
	(void)state;
	expect("{}", "CMD [\"a\",\"b c\"]", "{\"Cmd\":[\"a\",\"b c\"]}");
	expect("{}", "cmd echo hi", "{\"Cmd\":[\"/bin/sh\",\"-c\",\"echo hi\"]}");
	expect("{\"Cmd\":[\"x\"]}", "ENTRYPOINT [\"/e\"]", "{\"Entrypoint\":[\"/e\"]}");
	expect("{\"Env\":[\"A=1\",\"B=2\"]}", "ENV A=3 C=\"x y\"", "{\"Env\":[\"A=3\",\"B=2\",\"C=x y\"]}");
	expect("{}", "ENV A some words", "{\"Env\":[\"A=some words\"]}");
	expect("{\"Labels\":{\"k\":\"v\"}}", "LABEL k=w other='q \"'", "{\"Labels\":{\"k\":\"w\",\"other\":\"q \\\"\"}}");
	expect("{}", "EXPOSE 80 53/udp", "{\"ExposedPorts\":{\"80/tcp\":{},\"53/udp\":{}}}");
	expect("{}", "EXPOSE 8000-8001", "{\"ExposedPorts\":{\"8000/tcp\":{},\"8001/tcp\":{}}}");
	expect("{}", "VOLUME [\"/a\",\"/b\"]", "{\"Volumes\":{\"/a\":{},\"/b\":{}}}");
	expect("{}", "VOLUME /a /b", "{\"Volumes\":{\"/a\":{},\"/b\":{}}}");
	expect("{}", "USER 1000:1000", "{\"User\":\"1000:1000\"}");
	expect("{}", "STOPSIGNAL SIGQUIT", "{\"StopSignal\":\"SIGQUIT\"}");
	expect("{\"WorkingDir\":\"/a\"}", "WORKDIR b", "{\"WorkingDir\":\"/a/b\"}");
	expect("{}", "WORKDIR b", "{\"WorkingDir\":\"/b\"}");
	expect("{}", "ONBUILD RUN x", "{\"OnBuild\":[\"RUN x\"]}");
	expect("{}", "HEALTHCHECK NONE", "{\"Healthcheck\":{\"Test\":[\"NONE\"]}}");
	expect("{}", "HEALTHCHECK --interval=1m30s --retries=3 CMD true",
		"{\"Healthcheck\":{\"Interval\":90000000000,\"Retries\":3,\"Test\":[\"CMD-SHELL\",\"true\"]}}");
}

static void bad_lines_are_refused(void **state)
{
	static const char *const lines[] = {
		"", "FROM x", "CMD", "ENV", "ENV A", "ENV A=1 B", "ENV =x", "LABEL k=\"x y", "EXPOSE 0", "EXPOSE 70000", "EXPOSE 5-1", "EXPOSE x",
		"HEALTHCHECK --interval=x CMD true", "HEALTHCHECK --foo=1 CMD x", "HEALTHCHECK RUN x", "RUN rm -rf /",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		expect("{}", lines[i], NULL);
}

static void records_count_their_own_length(void **state)
{
	CLEANUP_BUF struct buf b;
	char value[100];

	(void)state;
	buf_init(&b, 4096);
	memset(value, 'v', sizeof(value));
	/* 2 + 1 + 1 + 1 + n + 1: the length that needs one digit more by itself */
	for (size_t n = 0; n < sizeof(value); n++) {
		buf_reset(&b);
		tar_record(&b, "k", value, n);
		assert_int_equal(strtoul(b.data, NULL, 10), b.len);
		assert_int_equal(b.data[b.len - 1], '\n');
	}
}

static void headers_are_blocks_with_their_sum(void **state)
{
	char longname[300];
	struct tar_entry e = { .name = longname, .type = TAR_FILE, .mode = 04755, .uid = 3000000, .size = 1ull << 40, .mtime = -5 };
	CLEANUP_BUF struct buf b;
	unsigned sum = 0;
	const unsigned char *h;

	(void)state;
	memset(longname, 'n', sizeof(longname) - 1);
	longname[sizeof(longname) - 1] = '\0';
	buf_init(&b, 65536);
	tar_header(&b, &e, NULL);
	assert_int_equal(buf_error(&b), 0);
	assert_int_equal(b.len % TAR_BLOCK, 0);
	assert_int_equal(b.data[156], 'x');
	for (const char *want = "path\0uid\0size\0mtime\0"; *want; want += strlen(want) + 1)
		assert_non_null(memmem(b.data + TAR_BLOCK, b.len - TAR_BLOCK, want, strlen(want)));
	h = (const unsigned char *)b.data + b.len - TAR_BLOCK;
	for (int i = 0; i < TAR_BLOCK; i++)
		sum += i >= 148 && i < 156 ? ' ' : h[i];
	assert_int_equal(strtoul((const char *)h + 148, NULL, 8), sum);
	assert_int_equal(tar_padding(0), 0);
	assert_int_equal(tar_padding(1), 511);
	assert_int_equal(tar_padding(512), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_change_what_they_name),
		cmocka_unit_test(bad_lines_are_refused),
		cmocka_unit_test(records_count_their_own_length),
		cmocka_unit_test(headers_are_blocks_with_their_sum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
