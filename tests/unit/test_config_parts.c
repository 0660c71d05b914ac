/* test_config_parts.c - what a blob is taken apart to: MIME, gzip, base64, archives, includes; names, types, limits. */
#include "config_helper.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIXED "Content-Type: multipart/mixed; boundary=\"B\"\nMIME-Version: 1.0\n\n"

static struct parts parts;

/* What the "network" has, and how often it was asked. */
static const char *const pages[][2] = {
	{ "http://x/config", HEAD "hostname: included\n" },
	{ "http://x/two", "#include\nhttp://x/config\n" },
	{ "http://x/three", "#include\nhttp://x/two\n" },
	{ "http://x/four", "#include\nhttp://x/three\n" },
	{ "http://x/circle", "#include\nhttp://x/circle\nhttp://x/config\n" },
	{ "http://x/mime", MIXED "--B\nContent-Type: text/cloud-config\n\n" HEAD "--B--\n" },
	{ "http://x/odd", "nothing\n" },
};
static unsigned fetched;
static unsigned fetched_once;

static int fetch(struct ctx *ctx, void *arg, const char *url, bool once, struct source *out, struct err *err)
{
	(void)ctx;
	(void)arg;
	fetched++;
	fetched_once += once;
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++)
		if (!strcmp(url, pages[i][0])) {
			out->text = pages[i][1];
			out->len = strlen(out->text);
			return 0;
		}
	return err_set(err, ENOENT, "fetch");
}

static const struct part *read_bytes(const char *text, size_t len)
{
	struct run *r = helper_run();

	fetched = fetched_once = 0;
	parts_init(&parts, fetch, NULL);
	parts_read(&r->ctx, &parts, "t", arena_strndup(&r->arena, text, len), len);
	return parts.first;
}

static const struct part *read_text(const char *text)
{
	return read_bytes(text, strlen(text));
}

/* "KIND NAME TEXT|..." of all parts */
static const char *summary(const char *text)
{
	static struct buf out;

	buf_free(&out);
	buf_init(&out, (size_t)1 << 20);
	for (const struct part *p = read_text(text); p; p = p->next)
		buf_printf(&out, "%s %s %s|", p->type, p->name, p->source->text);
	return out.data;
}

/* Compared with cloud-init 22.4.2, which fails at message/rfc822. */
static void mime(void **state)
{
	static const char *const cases[][2] = {
		{ MIXED "--B\nContent-Type: text/cloud-config\n\na\n--B\nContent-Type: text/x-shellscript-per-boot\n\nb\n\n--B--\nrest\n",
		  "text/cloud-config part-001 a|text/x-shellscript-per-boot part-002 b\n|" },
		/* no end, a preamble, CR LF, folded headers, "From ", names in any case */
		{ "From x y\nMIME-Version: 1.0\nCONTENT-TYPE: Multipart/Mixed;\n\tcharset=utf-8;\n boundary=B\n\npreamble\n--B\n"
		  "content-type: TEXT/Cloud-Config\ncontent-disposition: attachment; filename=\"a b.yaml\"\n\nx",
		  "text/cloud-config a b.yaml x|" },
		{ "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=B\r\n\r\n--B\r\nContent-Type: text/cloud-config\r\n\r\na\r\nb\r\n--B--\r\n",
		  "text/cloud-config part-001 a\r\nb|" },
		/* types that say nothing: the first line does */
		{ MIXED "--B\nContent-Type: text/plain\n\n#!/bin/sh\n--B\n\n" HEAD "--B\nContent-Type: text/x-shellscript\n\n" HEAD "--B--",
		  "text/x-shellscript part-001 #!/bin/sh|text/cloud-config part-002 #cloud-config|text/cloud-config part-003 #cloud-config|" },
		/* a message of one part */
		{ "MIME-Version: 1.0\nContent-Type: text/cloud-config\n\na\n", "text/cloud-config part-001 a\n|" },
		/* nested */
		{ MIXED "--B\nContent-Type: multipart/alternative; boundary=C\n\n--C\nContent-Type: text/cloud-config\n\na\n--C--\n--B\nContent-Type: text/cloud-config\n\nb\n--B--\n",
		  "text/cloud-config part-001 a|text/cloud-config part-002 b|" },
		{ MIXED "--B\nContent-Type: message/rfc822\n\nContent-Type: text/cloud-config\n\na\n--B--\n", "text/cloud-config part-001 a|" },
		/* transfer encodings */
		{ MIXED "--B\nContent-Type: text/cloud-config\nContent-Transfer-Encoding: Base64\n\nYTog\nMQo=\n--B--\n", "text/cloud-config part-001 a: 1\n|" },
		{ MIXED "--B\nContent-Type: text/cloud-config\nContent-Transfer-Encoding: quoted-printable\n\na=3D=C3=A4 \nlong=\nline=zz=\n\n--B--\n",
		  "text/cloud-config part-001 a=\xc3\xa4 \nlongline=zz|" },
		/* parameters */
		{ MIXED "--B\nContent-Type: text/cloud-config; name=\"x;y.yaml\"; charset=\"a\\\"b\"\n\na\n--B--\n", "text/cloud-config x;y.yaml a|" },
		{ MIXED "--B\nContent-Type: text/cloud-config\nContent-Disposition: attachment; filename*=utf-8''a%20b\n\na\n--B--\n", "text/cloud-config a b a|" },
		/* not a boundary */
		{ MIXED "--B\nContent-Type: text/cloud-config\n\n--Bx\n --B\n--B  \nContent-Type: text/cloud-config\n\nb\n--B--", "text/cloud-config part-001 --Bx\n --B|text/cloud-config part-002 b|" },
		/* an empty part has its number */
		{ MIXED "--B\nContent-Type: text/cloud-config\n\n\n--B\nContent-Type: text/cloud-config\n\nb\n--B--", "text/cloud-config part-002 b|" },
		{ MIXED "--B\nContent-Type: text/cloud-config\nno header\nb\n--B--", "text/cloud-config part-001 no header\nb|" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *have = summary(cases[i][0]);

		if (strcmp(have, cases[i][1]) != 0)
			fail_msg("case %zu gave\n%s\nand not\n%s\n%s", i, have, cases[i][1], helper_problems());
		assert_problems("");
	}
}

static void headers(void **state)
{
	const struct part *p = read_text(MIXED "--B\nContent-Type: text/cloud-config\nX-Merge-Type: x()\nMerge-Type: list(append)\n dict()\nLaunch-Index: 3\n\na\n--B--");

	(void)state;
	assert_string_equal(p->merge, "list(append) dict()");
	assert_string_equal(p->launch_index, "3");
}

static void refused(void **state)
{
	static const char *const cases[][2] = {
		{ MIXED "--B\nContent-Type: application/x-tar\n\nx\n--B--", "t:7:1: error: the content type \"application/x-tar\" is not known" },
		{ MIXED "--B\nContent-Type: text/plain\n\nx\n--B--", "t:7:1: error: the first line \"x\" does not say what this is" },
		{ MIXED "nothing\n", "t:4:1: error: the boundary \"B\" is nowhere in this message" },
		{ "MIME-Version: 1.0\nContent-Type: multipart/mixed\n\n--B\n", "this multipart message names no boundary" },
		{ MIXED "--B\nContent-Type: text/cloud-config\nContent-Transfer-Encoding: base64\n\n????\n--B--", "its base64 cannot be read" },
		{ MIXED "--B\nContent-Type: text/cloud-config\nContent-Transfer-Encoding: rot13\n\nx\n--B--", "the transfer encoding \"rot13\" is not known" },
		{ MIXED "--B\nContent-Type: application/gzip\n\n\x1f\x8b\x08\n--B--", "gzip: the gzip data is damaged or cut short" },
		{ MIXED "--B\nContent-Type: text/upstart-job\n\nx\n--B--", "upstart is gone" },
		{ MIXED "--B\nContent-Type: text/cloud-config\n\n## template: jinja\n" HEAD "--B--", "t:7:1: warning: this template is not rendered" },
		{ "\xff\xfe#\1", "this is UTF-16" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		read_text(cases[i][0]);
		helper_assert_mentions(cases[i][1]);
	}
}

static void limits(void **state)
{
	CLEANUP_BUF struct buf b = { 0 };
	const struct part *p;
	unsigned n = 0;

	(void)state;
	buf_init(&b, (size_t)1 << 20);
	buf_puts(&b, MIXED);
	for (int i = 0; i < 150; i++)
		buf_puts(&b, "--B\nContent-Type: text/cloud-config\n\na\n");
	for (p = read_text(b.data); p; p = p->next)
		n++;
	assert_int_equal(n, PARTS_MAX - 1); /* the message is one */
	helper_assert_mentions("more than 100 parts");
	buf_reset(&b);
	buf_puts(&b, "MIME-Version: 1.0\n");
	for (int i = 0; i < 7; i++)
		buf_printf(&b, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i, i);
	buf_puts(&b, "Content-Type: text/cloud-config\n\na\n");
	assert_null(read_text(b.data));
	helper_assert_mentions("t:17:1: error: MIME messages are nested more than 5 deep");
	buf_reset(&b);
	buf_puts(&b, MIXED "--B\nContent-Type: text/cloud-config\nX: ");
	for (int i = 0; i < 9000; i++)
		buf_putc(&b, 'x');
	buf_puts(&b, "\n\na\n--B\nContent-Type: text/cloud-config\n\nb\n--B--");
	p = read_text(b.data);
	helper_assert_mentions("the headers of this MIME part are larger than 8 KiB");
	assert_string_equal(p->source->text, "b");
}

static void gzip_and_base64(void **state)
{
	/* printf '#cloud-config\n' | gzip -n */
	static const char gz[] = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x53\x4e\xce\xc9\x2f\x4d\xd1\x4d\xce\xcf\x4b\xcb\x4c\xe7\x02\x00\x05\x56\xb3\xb8\x0e\x00\x00\x00";
	CLEANUP_BUF struct buf b = { 0 };
	const struct part *p = read_bytes(gz, sizeof(gz) - 1);

	(void)state;
	assert_problems("");
	assert_string_equal(p->source->text, HEAD);
	buf_init(&b, 1000);
	buf_puts(&b, MIXED "--B\nContent-Type: application/x-gzip\nContent-Disposition: attachment; filename=x\nContent-Transfer-Encoding: base64\n\n"
		     "H4sIAAAAAAACA1NOzskvTdFNzs9Ly0znAgAFVrO4DgAAAA==\n--B--");
	p = read_text(b.data);
	assert_problems("");
	assert_string_equal(p->source->text, HEAD);
	assert_string_equal(p->type, "text/cloud-config");
	assert_string_equal(p->name, "x");
	p = read_text("H4sIAAAAAAACA1NOzskvTdFNzs9Ly0znAgAFVrO4DgAAAA==\n");
	assert_string_equal(p->source->text, HEAD);
	assert_problems("t:1:1: warning: this is base64; it is decoded (cloud-init would not read it)\n");
}

static void archive(void **state)
{
	(void)state;
	assert_string_equal(summary("#cloud-config-archive\n- \"#!/bin/sh\\n\"\n- {type: text/x-shellscript-per-once, content: x, filename: f}\n- {content: 'a: 1'}\n-\n"
				    "- {content: !!binary I2Nsb3VkLWNvbmZpZwo=, Merge-Type: dict()}\n- |\n  #cloud-boothook\n  x\n"),
			    "text/x-shellscript part-001 #!/bin/sh\n|text/x-shellscript-per-once f x|text/cloud-config part-003 a: 1|"
			    "text/cloud-config part-004 #cloud-config\n|text/cloud-boothook part-005 #cloud-boothook\nx\n|");
	assert_problems("");
	assert_string_equal(parts.first->next->next->next->merge, "dict()");
	assert_string_equal(summary("#cloud-config-archive\n- {content: !!binary AAEC}\n"), "");
	helper_assert_mentions("the content type \"application/octet-stream\" is not known");
	summary("#cloud-config-archive\na: b\n");
	helper_assert_mentions("t:2:1: error: a cloud-config archive is a list, not a mapping");
	summary("#cloud-config-archive\n- |\n  #cloud-config-archive\n  - a\n");
	assert_problems("");
}

static void include(void **state)
{
	(void)state;
	assert_string_equal(summary("#include\n# comment\n\n  http://x/config  \nhttp://x/mime\n"),
			    "text/cloud-config part-001 " HEAD "hostname: included\n|text/cloud-config part-002 #cloud-config|");
	assert_problems("");
	assert_int_equal(fetched, 2);
	assert_int_equal(fetched_once, 0);
	summary("#include-once http://x/config\nhttp://x/config\n#include http://x/config\nhttp://x/config\n");
	assert_int_equal(fetched, 4);
	assert_int_equal(fetched_once, 2);
	summary("#include\nhttp://x/three\n");
	assert_problems("");
	assert_non_null(parts.first);
	summary("#include\nhttp://x/four\n");
	assert_problems("http://x/two:2:1: error: #include within #include is followed 3 deep; this one is left out\n");
	summary("#include\nhttp://x/circle\n");
	assert_int_equal(fetched, 5);
	helper_assert_mentions("followed 3 deep");
	assert_non_null(parts.first);
	summary("#include\nhttp://x/gone\nhttp://x/config\n");
	assert_problems("t:2:1: error: this is not included: fetch: No such file or directory\n");
	assert_non_null(parts.first);
	summary("#include\nhttp://user:secret@x/gone?token=secret\nfile:///etc/passwd\nftp://x/\nhttp://\nhttp://a b/\n");
	assert_null(strstr(helper_problems(), "secret"));
	helper_assert_mentions("t:3:1: error: \"file:///etc/passwd\" cannot be included");
	helper_assert_mentions("t:4:1: error");
	helper_assert_mentions("t:5:1: error");
	helper_assert_mentions("t:6:1: error");
	summary("#include\nhttp://x/odd\n");
	assert_problems("http://x/odd:1:1: error: the first line \"nothing\" does not say what this is; nothing of it is used (the first line must be #cloud-config, or #! for a script)\n");
}

static void names(void **state)
{
	static const char *const cases[][2] = {
		{ "part-001", "part-001" }, { "../../etc/x", "part.._.._etc_x" }, { "a b.sh", "ab.sh" }, { "/", "_" }, { "", "part" }, { "..", "part.." },
		{ ".hidden", "part.hidden" }, { "x\ny", "xy" }, { "(1)_a-b", "(1)_a-b" },
	};
	struct run *r = helper_run();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(part_file_name(&r->ctx, cases[i][0]), cases[i][1]);
}

static void scripts(void **state)
{
	const struct config *c = helper_config(MIXED "--B\nContent-Type: text/cloud-config\n\n" HEAD "runcmd: [x]\n--B\nContent-Type: text/x-shellscript-per-once\n"
		"Content-Disposition: attachment; filename=../o.sh\n\n#!/bin/sh\r\na\r\n--B\nContent-Type: text/cloud-boothook\n\n#cloud-boothook\n#!/bin/sh\nb\n--B\n\n#!/bin/sh\nc\n--B--\n");
	const struct config_script *s = c->scripts;

	(void)state;
	assert_problems("");
	assert_int_equal(s->kind, SCRIPT_PER_ONCE);
	assert_string_equal(s->name, "part.._o.sh");
	assert_string_equal(s->text, "#!/bin/sh\na");
	s = s->next;
	assert_int_equal(s->kind, SCRIPT_BOOTHOOK);
	assert_string_equal(s->name, "part-003");
	assert_string_equal(s->text, "#!/bin/sh\nb");
	s = s->next;
	assert_int_equal(s->kind, SCRIPT_USER);
	assert_string_equal(s->name, "part-004");
	s = s->next;
	assert_string_equal(s->name, "runcmd");
	helper_config(MIXED "--B\nContent-Type: text/part-handler\n\n#part-handler\n--B--");
	assert_problems("t:7:1: error: this is a part handler; it is Python, which Coracle does not have (use a script, or a boothook)\n");
}

static void launch_index(void **state)
{
	static const char text[] = MIXED "--B\nContent-Type: text/cloud-config\nLaunch-Index: 0\n\n" HEAD "hostname: zero\n--B\nContent-Type: text/cloud-config\n\n"
		HEAD "hostname: one\nlaunch-index: 1\n--B\nContent-Type: text/x-shellscript\nLaunch-Index: 1\n\n#!/bin/sh\n--B--\n";
	static const struct { const char *index, *hostname; bool script; } cases[] = { { "0", "zero", false }, { "1", "one", true }, { NULL, "one", true } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct run *r = helper_run();
		struct userdata u = { .layer = { { .text = text, .len = sizeof(text) - 1 } }, .launch_index = cases[i].index };

		userdata_read_layers(&r->ctx, &u, &r->config);
		assert_string_equal(r->config.hostname, cases[i].hostname);
		assert_int_equal(r->config.scripts != NULL, cases[i].script);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mime), cmocka_unit_test(headers), cmocka_unit_test(refused), cmocka_unit_test(limits), cmocka_unit_test(gzip_and_base64),
		cmocka_unit_test(archive), cmocka_unit_test(include), cmocka_unit_test(names), cmocka_unit_test(scripts), cmocka_unit_test(launch_index),
	};

	return helper_run_tests(tests);
}
