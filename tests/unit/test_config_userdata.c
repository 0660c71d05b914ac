/* test_config_userdata.c - what user-data is before it is YAML, and the keys of cloud-config. */
#include "config_helper.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void headers(void **state)
{
	static const char *const accepted[] = {
		HEAD "hostname: a\n", "#CLOUD-CONFIG\nhostname: a\n", "\n  \n  #cloud-config\nhostname: a\n", "#cloud-config for you\nhostname: a\n",
		"\xef\xbb\xbf" HEAD "hostname: a\n", "#cloud-config\r\nhostname: a\r\n", HEAD "---\nhostname: a\n...\n",
		"I2Nsb3VkLWNvbmZpZwpob3N0bmFtZTogYQo=\n", HEAD "{\"hostname\": \"a\"}",
	};
	static const struct { const char *text, *problem; } refused[] = {
		{ "hostname: a\n", "t:1:1: error: the first line \"hostname: a\" does not say what this is" },
		{ "# cloud-config\nhostname: a\n", "(write #cloud-config, without the blank)" },
		{ "\xff\xfe#\0", "t:1:1: error: this is UTF-16 (save the file as UTF-8)" },
		{ "Mime-Version: 1.0\nContent-Type: multipart/mixed\n", "t:3:1: error: this multipart message names no boundary" },
		{ "#cloud-config-archive\nx\n", "a cloud-config archive is a list, not text" },
		{ "#include\nfile:///x\n", "t:2:1: error: \"file:///x\" cannot be included" },
		{ "#cloud-boothook\nls\n", "t:2:1: error: this boothook has no #! line" },
		{ "#part-handler\n", "t:1:1: error: this is a part handler; it is Python" },
		{ "{\"ignition\": {\"version\": \"2.0.0\"}}", "t:1:26: error: the version \"2.0.0\" of Ignition is not supported by Coracle" },
		{ HEAD "- a\n", "t:2:1: error: a configuration is a mapping of keys, not a list" },
		{ HEAD "just text\n", "a configuration is a mapping of keys, not text" },
	};
	const struct config *c;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(accepted); i++) {
		c = helper_config(accepted[i]);
		if (!c->hostname)
			fail_msg("case %zu not read: %s", i, helper_problems());
		assert_string_equal(c->hostname, "a");
	}
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		c = helper_config(refused[i].text);
		helper_assert_mentions(refused[i].problem);
		assert_null(c->hostname);
	}
	helper_config("");
	assert_problems("");
	helper_config(HEAD);
	assert_problems("");
	helper_config("\n\n");
	assert_problems("");
}

static void too_large(void **state)
{
	char *text = malloc(USERDATA_MAX + 2);
	struct run *r = helper_run();

	(void)state;
	memset(text, '#', USERDATA_MAX + 1);
	text[USERDATA_MAX + 1] = '\0';
	userdata_read(&r->ctx, "t", text, USERDATA_MAX + 1, &r->config);
	assert_problems("t: error: larger than 1 MiB\n");
	free(text);
}

static void scripts(void **state)
{
	const struct config *c = helper_config("#!/bin/sh\r\necho a\r\n");

	(void)state;
	assert_string_equal(c->scripts->name, "part-001");
	assert_string_equal(c->scripts->text, "#!/bin/sh\necho a\n");
	c = helper_config("\n #!/bin/sh\necho 'a\r\n'\n");
	assert_string_equal(c->scripts->text, "#!/bin/sh\necho 'a\r\n'\n");
	assert_int_equal(c->scripts->len, strlen(c->scripts->text));
}

static void hostnames(void **state)
{
	const struct config *c = helper_config(HEAD "hostname: no\n");

	(void)state;
	assert_string_equal(c->hostname, "no");
	c = helper_config(HEAD "hostname: 1_000\nfqdn: x.example.org\nprefer_fqdn_over_hostname: yes\n");
	assert_string_equal(c->hostname, "1_000");
	assert_string_equal(c->fqdn, "x.example.org");
	assert_true(c->prefer_fqdn);
	c = helper_config(HEAD "hostname: web.example.org\n");
	assert_string_equal(c->hostname, "web.example.org");
	c = helper_config(HEAD "fqdn: db.example.org\ncreate_hostname_file: false\npreserve_hostname: true\n");
	assert_string_equal(c->fqdn, "db.example.org");
	assert_false(c->create_hostname_file);
	assert_true(c->preserve_hostname);
	assert_problems("");
	helper_config(HEAD "hostname: \"a\\n127.0.0.1 evil\"\n");
	assert_problems("t:2:11: error: line breaks and control characters are not allowed in \"a?127.0.0.1 evil\"\n");
	helper_config(HEAD "hostname: a b\n");
	helper_assert_mentions("\"a b\" is not a host name");
	helper_config(HEAD "hostname: [a]\n");
	helper_assert_mentions("t:2:11: error: hostname must be text, not a list");
	assert_false(config_hostname_ok("-a"));
	assert_false(config_hostname_ok("a..b"));
	assert_false(config_hostname_ok("a."));
	assert_false(config_hostname_ok("0123456789012345678901234567890123456789012345678901234567890123x"));
	assert_true(config_hostname_ok("0123456789012345678901234567890123456789012345678901234567890123"));
}

static void write_files(void **state)
{
	const struct config *c = helper_config(HEAD "write_files:\n- path: /a\n- {path: /b, content: !!binary aGk=, permissions: 0600, owner: 'www:adm'}\n"
		"- {path: /c, encoding: b64, content: 'aGVs\n\n bG8=', append: true, defer: yes}\n"
		"- {path: /d, encoding: gz+b64, content: H4sIAAAAAAACA8tIzcnJBwCGphA2BQAAAA==}\n- {path: /e, content: \"x\\0y\", owner: root}\n");
	const struct config_file *f = c->files;

	(void)state;
	assert_problems("");
	assert_string_equal(f->path, "/a");
	assert_int_equal(f->len, 0);
	assert_int_equal(f->mode, 0644);
	assert_string_equal(f->user, "root");
	assert_string_equal(f->group, "root");
	f = f->next;
	assert_string_equal(f->content, "hi");
	assert_int_equal(f->mode, 0600);
	assert_string_equal(f->user, "www");
	assert_string_equal(f->group, "adm");
	f = f->next;
	assert_string_equal(f->content, "hello");
	assert_true(f->append);
	assert_true(f->defer);
	f = f->next;
	assert_string_equal(f->content, "hello");
	f = f->next;
	assert_int_equal(f->len, 3);
	assert_memory_equal(f->content, "x\0y", 3);
	assert_null(f->group);
	assert_null(f->next);
}

static void write_files_refused(void **state)
{
	static const struct { const char *entry, *problem; } cases[] = {
		{ "{content: x}", "t:3:3: error: a write_files entry needs a path" },
		{ "{path: etc/x}", "the path \"etc/x\" is relative" },
		{ "{path: /a/../b}", "the path \"/a/../b\" has \"..\" in it" },
		{ "{path: /..}", "has \"..\" in it" },
		{ "{path: \"/a\\nb\"}", "control characters are not allowed" },
		{ "{path: \"/a\\0b\"}", "control characters are not allowed" },
		{ "{path: /a/}", "the path \"/a/\" is a directory's" },
		{ "{path: /}", "the path \"/\" is a directory's" },
		{ "{path: /a, permissions: .nan}", "\".nan\" are not file permissions" },
		{ "{path: /a, permissions: '10000'}", "\"10000\" are not file permissions" },
		{ "{path: /a, owner: ':x'}", "\":x\" is not USER or USER:GROUP" },
		{ "{path: /a, owner: \"a\\nb\"}", "control characters are not allowed" },
		{ "{path: /a, encoding: rot13}", "\"rot13\" is not an encoding" },
		{ "{path: /a, encoding: b64, content: '?'}", "the content of /a is not base64" },
		{ "{path: /a, encoding: gz, content: x}", "the content of /a is not gzip" },
		{ "{path: /a, encoding: gz+b64, content: H4sIAAAAAAACA8tI}", "the content of /a: the gzip data is damaged or cut short" },
		{ "{path: /a, content: [x]}", "content must be text, not a list" },
		{ "{path: /a, source: {uri: x}}", "a source's uri begins with http:// or https://" },
		{ "{path: /a, source: {uri: 'file:///etc/shadow'}}", "a source's uri begins with http:// or https://" },
		{ "{path: /a, source: {headers: {A: b}}}", "a source needs a uri" },
		{ "{path: /a, source: {uri: 'http://x/', headers: {'A b': c}}}", "\"A b\" is not the name of a header" },
		{ "{path: /a, source: {uri: 'http://x/', headers: {A: \"b\\r\\nHost: y\"}}}", "the value of the header A must be one line of text" },
		{ "{path: /a, source: http://x/}", "source must be a mapping, not text" },
		{ "text", "an entry of write_files is a mapping, not text" },
	};
	char text[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct config *c;

		snprintf(text, sizeof(text), HEAD "write_files:\n- %s\n- {path: /ok}\n", cases[i].entry);
		c = helper_config(text);
		helper_assert_mentions(cases[i].problem);
		/* the next one is written all the same */
		assert_non_null(c->files);
		assert_string_equal(c->files->path, "/ok");
		assert_null(c->files->next);
	}
	assert_int_equal(helper_config(HEAD "write_files: [{path: /a, permissions: 644}]\n")->files->mode, 0644);
	assert_problems("t:2:39: warning: \"644\" is read as octal here; cloud-init reads it as a decimal number (write \"0644\")\n");
	helper_config(HEAD "write_files: [{path: /a, permisions: '0644'}]\n");
	helper_assert_mentions("t:2:26: error: unknown key \"permisions\" in a write_files entry (did you mean \"permissions\"?)");
}

static void runcmd(void **state)
{
	const struct config *c = helper_config(HEAD "runcmd:\n- echo a\n- [echo, \"it's\", 5, true, '$x', \"l\\n2\"]\n-\n- |\n  if true; then\n  echo b; fi\n");

	(void)state;
	assert_problems("");
	assert_string_equal(c->scripts->name, "runcmd");
	assert_string_equal(c->scripts->text, "#!/bin/sh\necho a\n'echo' 'it'\\''s' '5' 'true' '$x' 'l\n2'\nif true; then\necho b; fi\n\n");
	assert_null(helper_config(HEAD "runcmd: []\n")->scripts);
	assert_null(helper_config(HEAD "runcmd:\n")->scripts);
	assert_string_equal(helper_config(HEAD "bootcmd: [a]\n")->bootcmd, "#!/bin/sh\na\n");
	assert_null(helper_config(HEAD "runcmd: ls\n")->scripts);
	helper_assert_mentions("t:2:9: error: runcmd must be a list, not text");
}

static void runcmd_colon(void **state)
{
	const struct config *c = helper_config(HEAD "runcmd:\n  - echo \xc3\xa4: b: 'c'\n  - curl -H X: y\n");

	(void)state;
	assert_null(c->scripts);
	helper_assert_mentions("YAML: mapping values are not allowed");
	c = helper_config(HEAD "runcmd:\n  - echo \xc3\xa4: b  # c\n  - \"x\"\n");
	assert_string_equal(c->scripts->text, "#!/bin/sh\necho \xc3\xa4: b  # c\nx\n");
	assert_problems("t:3:5: warning: this runcmd command has \": \" in it, which YAML takes for a mapping; it is run as it stands (quote the whole command)\n");
	/* where it is not plain what was meant, nothing is run */
	assert_null(helper_config(HEAD "runcmd:\n- a\n- echo a: b\n  c: d\n")->scripts);
	helper_assert_mentions("t:4:3: error: this runcmd command is a mapping, not text (quote the whole command)");
	helper_assert_mentions("runcmd is not run, because some of its commands cannot be read");
	assert_null(helper_config(HEAD "runcmd:\n- {a: b}\n")->scripts);
	assert_null(helper_config(HEAD "runcmd:\n- echo a:\n   b\n")->scripts);
	assert_null(helper_config(HEAD "runcmd:\n- [a, [b]]\n")->scripts);
	assert_null(helper_config(HEAD "runcmd:\n- [a, \"b\\0\"]\n")->scripts);
	helper_assert_mentions("a NUL character is not allowed here");
}

static void power_state(void **state)
{
	const struct config_power *p = &helper_config(HEAD "power_state: {mode: reboot, delay: +5, message: bye, timeout: 2, condition: true}\n")->power;

	(void)state;
	assert_problems("");
	assert_string_equal(p->mode, "reboot");
	assert_int_equal(p->delay_minutes, 5);
	assert_string_equal(p->message, "bye");
	assert_int_equal(p->timeout_s, 2);
	assert_false(p->never);
	assert_null(p->condition);
	p = &helper_config(HEAD "power_state: {mode: halt, condition: [test, -f, /x]}\n")->power;
	assert_string_equal(p->condition, "#!/bin/sh\n'test' '-f' '/x'\n");
	assert_int_equal(p->timeout_s, 30);
	assert_int_equal(p->delay_minutes, 0);
	assert_true(helper_config(HEAD "power_state: {mode: halt, condition: no}\n")->power.never);
	assert_string_equal(helper_config(HEAD "power_state: {mode: halt, delay: now, condition: test -f /x}\n")->power.condition, "#!/bin/sh\ntest -f /x\n");
	assert_null(helper_config(HEAD "power_state: {delay: now}\n")->power.mode);
	helper_assert_mentions("power_state needs a mode");
	assert_null(helper_config(HEAD "power_state: {mode: sleep}\n")->power.mode);
	helper_assert_mentions("\"sleep\" is not a power state");
	assert_null(helper_config(HEAD "power_state: {mode: halt, delay: 12:30}\n")->power.mode);
	helper_assert_mentions("\"12:30\" is not a delay (now, or +5 for five minutes)");
	assert_null(helper_config(HEAD "power_state: {mode: halt, message: \"a\\npower reboot\"}\n")->power.mode);
	assert_null(helper_config(HEAD "power_state: {mode: halt, timeout: x}\n")->power.mode);
}

static void other_keys(void **state)
{
	(void)state;
	helper_config(HEAD "ssh_import_id: [x]\npackages: [p]\nnetwork: {}\nx-mine: 1\nusers:\nmerge_how: list(append)+dict()\nversion: v1\n");
	assert_problems("t:2:1: warning: \"ssh_import_id\" is not used: Coracle fetches no keys; put them into ssh_authorized_keys\n"
			"t:3:1: warning: \"packages\" is not done: Coracle has no package manager; what a machine runs comes in containers\n"
			"t:4:1: warning: \"network\" is not read from user-data (nor by cloud-init); network-config is its place\n");
	assert_string_equal(helper_config(HEAD "hostnam: b\nhostname: a\n")->hostname, "a");
	assert_problems("t:2:1: error: unknown key \"hostnam\" in the configuration (did you mean \"hostname\"?)\n");
	assert_string_equal(helper_config(HEAD "hostname: [a]\nfqdn: b.c\n")->fqdn, "b.c");
}

static struct meta *meta(const char *text)
{
	static struct meta m;
	struct run *r = helper_run();

	m = (struct meta){ .instance_id = NULL };
	meta_read(&r->ctx, "m", text, strlen(text), &m);
	return &m;
}

static void meta_data(void **state)
{
	struct run *r;
	struct meta first = { .instance_id = "given" };

	(void)state;
	assert_string_equal(meta("instance-id: i-1\nlocal-hostname: h\npublic-keys: [a]\n")->instance_id, "i-1");
	assert_string_equal(meta("{\"instance-id\": \"a/b\", \"local-hostname\": \"h\"}")->instance_id, "a_b");
	assert_string_equal(meta("instance-id: 007\n")->instance_id, "007");
	assert_problems("");
	assert_null(meta("")->instance_id);
	assert_problems("");
	assert_null(meta("instance-id: ..\n")->instance_id);
	helper_assert_mentions("m:1:14: error: \"..\" cannot be an instance-id");
	assert_null(meta("instance-id: \"a\\nscripts yes\"\n")->instance_id);
	assert_null(meta("local-hostname: a b\n")->local_hostname);
	assert_null(meta("- a\n")->instance_id);
	helper_assert_mentions("meta-data is a mapping, not a list");
	r = helper_run();
	meta_read(&r->ctx, "m", "instance-id: later\nlocal-hostname: h\n", 37, &first);
	assert_string_equal(first.instance_id, "given");
	assert_string_equal(first.local_hostname, "h");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers), cmocka_unit_test(too_large), cmocka_unit_test(scripts), cmocka_unit_test(hostnames),
		cmocka_unit_test(write_files), cmocka_unit_test(write_files_refused), cmocka_unit_test(runcmd), cmocka_unit_test(runcmd_colon),
		cmocka_unit_test(power_state), cmocka_unit_test(other_keys), cmocka_unit_test(meta_data),
	};

	return helper_run_tests(tests);
}
