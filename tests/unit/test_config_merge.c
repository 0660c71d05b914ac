/* test_config_merge.c - merging: cloud-init's own vectors ($CORPUS/cloud-config/merge), mergers one by one, layers. */
#include "config_helper.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fd.h"
#include "init/config/formats/merge.h"
#include "init/config/formats/patch.h"
#include "init/config/formats/yaml_write.h"
#include "init/config/node_json.h"

static const struct node *parse(struct run *r, const char *name, const char *text)
{
	struct source *s = ARENA_NEW(&r->arena, struct source);
	bool empty;

	*s = (struct source){ name, arena_strndup(&r->arena, text, strlen(text)), strlen(text) };
	return yaml_read(&r->arena, &r->diags, s, &empty);
}

/* Merges one part more into root. */
static const struct node *merge_in(struct run *r, const struct node *root, const struct node *part, const char *header)
{
	struct mergers m;
	const struct node *body;

	if (mergers_of_part(&r->ctx, part, header, &m, &body) < 0)
		return root;
	return merge_part(&r->ctx, &m, root, body);
}

static bool same(const struct node *a, const struct node *b)
{
	if (a->type != b->type || a->count != b->count)
		return false;
	if (a->type == NODE_SCALAR)
		return node_is_null(a) || node_is_null(b) ? node_is_null(a) && node_is_null(b) : a->len == b->len && !memcmp(a->text, b->text, a->len);
	for (const struct item *i = a->items, *k = b->items; i; i = i->next, k = k->next) {
		const struct node *other = a->type == NODE_MAP ? node_get(b, i->key->text) : k->value;

		if (!other || !same(i->value, other))
			return false;
	}
	return true;
}

static char *read_corpus(const char *name)
{
	const char *corpus = getenv("CORPUS");
	char path[600];
	char *text = NULL;

	snprintf(path, sizeof(path), "%s/cloud-config/merge/%s", corpus && *corpus ? corpus : "../shared/corpus", name);
	return fd_read_file(AT_FDCWD, path, (size_t)1 << 20, &text, NULL, NULL) < 0 ? NULL : text;
}

static void assert_same(const struct node *have, const struct node *want, const char *what)
{
	CLEANUP_BUF struct buf a = { 0 }, b = { 0 };

	buf_init(&a, (size_t)1 << 20);
	buf_init(&b, (size_t)1 << 20);
	node_write_json(want, &b);
	if (have)
		node_write_json(have, &a);
	if (!have || !same(have, want))
		fail_msg("%s: there is\n%s\nand not\n%s\n%s", what, a.data, b.data, helper_problems());
}

static void vectors(void **state)
{
	unsigned done = 0;

	(void)state;
	for (int i = 1; i < 100; i++) {
		struct run *r = helper_run();
		const struct node *root = NULL;
		char name[64];
		CLEANUP_FREE char *want = NULL;

		snprintf(name, sizeof(name), "expected%d.yaml", i);
		want = read_corpus(name);
		if (!want)
			break;
		for (int k = 1; k < 10; k++) {
			char part[64];
			CLEANUP_FREE char *text = NULL;

			snprintf(part, sizeof(part), "source%d-%d.yaml", i, k);
			text = read_corpus(part);
			if (!text)
				break;
			root = merge_in(r, root, parse(r, part, text), NULL);
		}
		assert_same(root, parse(r, "expected", want), name);
		assert_problems("");
		done++;
	}
	if (done == 0)
		skip();
	assert_int_equal(done, 12);
}

/* {how, earlier, later, expected}; how is the header of the later part. Expected values as cloud-init 22.4.2 and 25.1 gave them. */
static void mergers(void **state)
{
	static const char *const cases[][4] = {
		{ NULL, "{a: [1], b: {c: 1}}", "{a: [2], b: {d: 2}}", "{a: [2], b: {d: 2}}" },
		{ "dict()", "{a: [1], b: {c: 1}}", "{a: [2], b: {d: 2}}", "{a: [1], b: {c: 1, d: 2}}" },
		{ "dict(replace)", "{a: 1, b: 2}", "{a: 3}", "{a: 3, b: 2}" },
		{ "dict(no_replace)", "{a: 1, b: 2}", "{a: 3, c: 4}", "{a: 1, b: 2, c: 4}" },
		{ "list(append)+dict(recurse_array)+str()", "{a: [1]}", "{a: [2]}", "{a: [1, 2]}" },
		{ "list(prepend)+dict(recurse_list)+str()", "{a: [1]}", "{a: [2]}", "{a: [2, 1]}" },
		{ "list()+dict(recurse_list)", "{a: [1, 2]}", "{a: [3]}", "{a: [3, 2]}" },
		{ "list()+dict(recurse_list)", "{a: [1]}", "{a: [3, 4]}", "{a: [3]}" },
		{ "list(no_replace)+dict(recurse_list)", "{a: [1, 2]}", "{a: [3]}", "{a: [1, 2]}" },
		{ "list(append)+dict()", "{a: [1]}", "{a: [2]}", "{a: [1]}" },
		{ "list(recurse_dict)+dict(recurse_list)", "{a: [{b: 1}]}", "{a: [{b: 2, c: 3}]}", "{a: [{b: 1, c: 3}]}" },
		{ "list(recurse_list)+dict(recurse_list)", "{a: [[1, 2], 3]}", "{a: [[4], 5]}", "{a: [[4, 2], 5]}" },
		{ "list(recurse_str)+dict(recurse_list)+str(append)", "{a: [x, 1]}", "{a: [y, z]}", "{a: [xy, 1]}" },
		{ "dict(recurse_str)+str(append)", "{a: x, b: 1}", "{a: y, b: z}", "{a: xy, b: 1}" },
		{ "dict(recurse_str)+str()", "{a: x}", "{a: y}", "{a: y}" },
		{ "dict(recurse_str)", "{a: x}", "{a: y}", "{a: x}" },
		{ "dict(recurse_str)+str(append)", "{a: x}", "{a: 5}", "{a: x}" },
		{ "dict(allow_delete)", "{a: 1, b: 2}", "{a: null}", "{b: 2}" },
		{ "dict(replace)", "{a: 1, b: 2}", "{a: null}", "{a: null, b: 2}" },
		{ "dict(recurse_list)+list()", "{a: [1]}", "{a: {b: 1}}", "{a: {b: 1}}" },
		{ " List ( append )+ DICT (Recurse-Array) ", "{a: [1]}", "{a: [2]}", NULL },
		{ "List( append )+ DICT(Recurse-Array) + m_str()", "{a: [1]}", "{a: [2]}", "{a: [1, 2]}" },
		{ NULL, "{a: [1]}", "{a: [2], merge_how: [{name: list, settings: [append]}, {name: dict, settings: [recurse_list]}]}", "{a: [1, 2]}" },
		{ NULL, "{a: [1]}", "{a: [2], merge_type: [[list, prepend], [dict, recurse_list]]}", "{a: [2, 1]}" },
		/* what is written comes before the header, and the first merger of a kind counts */
		{ "list(append)", "{a: [1]}", "{a: [2], merge_how: 'dict(recurse_list)+list(prepend)'}", "{a: [2, 1]}" },
		{ "list(append)", "{a: [1]}", "{a: [2], merge_how: 'dict(recurse_list)'}", "{a: [1, 2]}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct run *r = helper_run();
		const struct node *root = merge_in(r, NULL, parse(r, "one", cases[i][1]), NULL);
		char name[32];

		root = merge_in(r, root, parse(r, "two", cases[i][2]), cases[i][0]);
		snprintf(name, sizeof(name), "case %zu", i);
		if (cases[i][3])
			assert_same(root, parse(r, "expected", cases[i][3]), name);
		else
			helper_assert_mentions("is not a merger");
	}
}

static void problems(void **state)
{
	static const char *const cases[][3] = {
		{ "{a: [1]}", "{a: x, merge_how: 'dict(recurse_str)+list(append)+str()'}", "text cannot be merged into the list of line 1" },
		{ "{a: x}", "{a: {b: 1}, merge_how: 'dict(recurse_str)+str(append)'}", "a mapping cannot be appended to the text of line 1" },
		{ "{a: 1}", "{a: 2, merge_how: 'list(append)'}", "merge_how has no dict(...)" },
		{ "{a: 1}", "{a: 2, merge_how: 'dict'}", "\"dict\" is not a merger" },
		{ "{a: 1}", "{a: 2, merge_how: 'set()'}", "\"set\" is not a merger" },
		{ "{a: 1}", "{a: 2, merge_how: {dict: replace}}", "it is text or a list, not a mapping" },
		{ "{a: 1}", "{a: 2, merge_how: ['dict(replace)']}", "an entry of merge_how is a name and its settings" },
		{ "{a: 1}", "{a: 2, merge_how: 'dict(replaces)'}", "warning: \"replaces\" is no option of a merger" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct run *r = helper_run();

		merge_in(r, merge_in(r, NULL, parse(r, "one", cases[i][0]), NULL), parse(r, "two", cases[i][1]), NULL);
		helper_assert_mentions(cases[i][2]);
	}
}

/* Every value keeps its own place. */
static void places(void **state)
{
	struct run *r = helper_run();
	const struct node *root = merge_in(r, NULL, parse(r, "one", "a: [1]\nb: x\n"), NULL);
	const struct node *a;

	(void)state;
	root = merge_in(r, root, parse(r, "two", "\na: [2]\nc: y\n"), "list(append)+dict(recurse_list)");
	a = node_get(root, "a");
	assert_string_equal(a->items->value->source->name, "one");
	assert_string_equal(a->items->next->value->source->name, "two");
	assert_int_equal(a->items->next->value->line, 2);
	assert_string_equal(node_get(root, "b")->source->name, "one");
	assert_string_equal(node_get(root, "c")->source->name, "two");
}

static void layers(void **state)
{
	static const char *const cases[][3] = {
		{ "{a: 1}", "{a: 2, b: 3}", "{a: 1, b: 3}" },
		{ "{runcmd: [a]}", "{runcmd: [b]}", "{runcmd: [a]}" },
		{ "{ntp: {servers: [a]}}", "{ntp: {enabled: true, servers: [b]}}", "{ntp: {servers: [a], enabled: true}}" },
		{ "{a: null}", "{a: 1}", "{a: null}" },
		{ "{a: x}", "{a: y}", "{a: x}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct run *r = helper_run();

		assert_same(merge_layers(&r->ctx, parse(r, "high", cases[i][0]), parse(r, "low", cases[i][1])), parse(r, "e", cases[i][2]), cases[i][2]);
		assert_problems("");
	}
}

static struct config *read_all(const char *user, const char *vendor2, const char *vendor, const char *cmdline)
{
	static struct userdata u;
	struct run *r = helper_run();
	const char *const text[] = { user, vendor2, vendor };

	u = (struct userdata){ .cmdline = cmdline };
	for (size_t i = 0; i < LAYER_COUNT; i++)
		u.layer[i] = (struct userdata_layer){ .text = text[i], .len = text[i] ? strlen(text[i]) : 0 };
	userdata_read_layers(&r->ctx, &u, &r->config);
	config_finish(&r->ctx, &r->config);
	return &r->config;
}

/* {before, operations, after or NULL, problem} (RFC 6902, appendix A). */
static void patches(void **state)
{
	static const char *const cases[][4] = {
		{ "{foo: bar}", "[{op: add, path: /baz, value: qux}]", "{foo: bar, baz: qux}" },
		{ "{foo: [bar, baz]}", "[{op: add, path: /foo/1, value: qux}]", "{foo: [bar, qux, baz]}" },
		{ "{foo: [bar]}", "[{op: add, path: /foo/-, value: [a]}]", "{foo: [bar, [a]]}" },
		{ "{foo: 1, baz: 2}", "[{op: remove, path: /baz}]", "{foo: 1}" },
		{ "{foo: [a, b, c]}", "[{op: remove, path: /foo/1}]", "{foo: [a, c]}" },
		{ "{foo: 1}", "[{op: replace, path: /foo, value: {a: b}}]", "{foo: {a: b}}" },
		{ "{foo: {bar: 1, waldo: 2}, qux: {}}", "[{op: move, from: /foo/waldo, path: /qux/thud}]", "{foo: {bar: 1}, qux: {thud: 2}}" },
		{ "{foo: [a, b, c, d]}", "[{op: move, from: /foo/1, path: /foo/3}]", "{foo: [a, c, d, b]}" },
		{ "{foo: {a: 1}}", "[{op: copy, from: /foo, path: /bar}, {op: add, path: /bar/b, value: 2}]", "{foo: {a: 1}, bar: {a: 1, b: 2}}" },
		{ "{foo: [a, {b: c}]}", "[{op: test, path: /foo, value: [a, {b: c}]}]", "{foo: [a, {b: c}]}" },
		{ "{a/b: 1, m~n: 2}", "[{op: remove, path: /a~1b}, {op: replace, path: /m~0n, value: 3}]", "{m~n: 3}" },
		{ "{foo: 1}", "[{op: add, path: '', value: {bar: 2}}]", "{bar: 2}" },
		{ NULL, "[{op: add, path: /a, value: 1}]", "{a: 1}" },
		{ "{foo: 1}", "[{op: remove, path: /foo}, {op: test, path: /foo, value: 1}]", NULL, "\"foo\" is not there" },
		{ "{foo: 1}", "[{op: test, path: /foo, value: 2}]", NULL, "the test of this patch does not hold" },
		{ "{foo: 1}", "[{op: replace, path: /bar, value: 2}]", NULL, "\"bar\" is not there" },
		{ "{foo: 1}", "[{op: add, path: /a/b, value: 2}]", NULL, "\"a\" is not there" },
		{ "{foo: [a]}", "[{op: add, path: /foo/2, value: 2}]", NULL, "\"2\" is no place in this list of 1" },
		{ "{foo: [a]}", "[{op: remove, path: /foo/1}]", NULL, "\"1\" is not there" },
		{ "{foo: [a]}", "[{op: add, path: foo, value: 2}]", NULL, "a path begins with /" },
		{ "{foo: 1}", "[{op: add, path: /foo/a, value: 2}]", NULL, "the path leads into a text" },
		{ "{foo: 1}", "[{op: spin, path: /foo}]", NULL, "\"spin\" is not an operation" },
		{ "{foo: 1}", "[{op: add, path: /foo}]", NULL, "this operation needs a \"value\"" },
		{ "{foo: 1}", "[{op: copy, path: /bar}]", NULL, "an operation needs a \"from\"" },
		{ "{foo: 1}", "[{op: remove, path: ''}]", NULL, "the whole configuration cannot be removed" },
		{ "{foo: 1}", "{op: remove}", NULL, "a JSON patch is a list of operations" },
		{ "{foo: 1}", "[remove]", NULL, "an operation is a mapping" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct run *r = helper_run();
		const struct node *root = cases[i][0] ? parse(r, "one", cases[i][0]) : NULL;
		const char *text = arena_printf(&r->arena, "#cloud-config-jsonp\n%s", cases[i][1]);
		struct source *source = ARENA_NEW(&r->arena, struct source);
		const struct node *after;

		*source = (struct source){ "patch", text, strlen(text) };
		after = patch_apply(&r->ctx, source, root);
		if (cases[i][2]) {
			assert_same(after, parse(r, "expected", cases[i][2]), cases[i][1]);
			assert_problems("");
		} else {
			/* all of it or nothing */
			assert_ptr_equal(after, root);
			helper_assert_mentions(cases[i][3]);
			helper_assert_mentions("patch:2:");
		}
		if (root && cases[i][0])
			assert_same(root, parse(r, "before", cases[i][0]), "the tree that came in");
	}
}

/* What is written is read as the same by everybody: types stay what they were. */
static void written(void **state)
{
	static const char *const texts[] = {
		"{a: b, c: [1, two, [3, {d: e}], {}, []], f: {g: null, h: ~}}",
		"a: 'no'\nb: no\nc: \"x\\ny\"\nd: |\n  text\n\n  more\ne: 'it''s: #1'\n'k: y': [x]\n",
		"a: one\n  two\nb: 12:30\nc: 0644\nd: !!binary aGk=\ne: ''\nf:\n",
		"- [a, [b]]\n- {c: [d]}\n- e\n",
		"just text\n",
		"[-, {a: -}, ---x, a:b]\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct run *r = helper_run();
		const struct node *first = parse(r, "one", texts[i]);
		CLEANUP_BUF struct buf out = { 0 };
		const struct node *second;

		buf_init(&out, 10000);
		yaml_write(first, &out);
		second = parse(r, "written", out.data);
		assert_problems("");
		assert_same(second, first, out.data);
	}
}

static void vendor(void **state)
{
	const struct config *c = read_all(HEAD "hostname: u\n", HEAD "fqdn: v2.x\nhostname: v2\n", HEAD "fqdn: v.x\nruncmd: [v]\n", NULL);

	(void)state;
	assert_problems("");
	assert_string_equal(c->hostname, "u");
	assert_string_equal(c->fqdn, "v2.x");
	assert_string_equal(c->runcmd, "#!/bin/sh\nv\n");
	c = read_all(HEAD "runcmd: [u]\n", NULL, HEAD "runcmd: [v]\n", NULL);
	assert_string_equal(c->runcmd, "#!/bin/sh\nu\n");
	c = read_all(HEAD "vendor_data: {enabled: false}\n", HEAD "hostname: v2\n", HEAD "hostname: v\n", NULL);
	assert_string_equal(c->hostname, "v2");
	c = read_all(HEAD "vendor_data: {enabled: false}\nvendor_data2: {enabled: 'no'}\n", HEAD "hostname: v2\n", HEAD "hostname: v\n", NULL);
	assert_null(c->hostname);
	assert_problems("");
	c = read_all(HEAD "vendor_data: {prefix: [echo, x]}\n", NULL, "#!/bin/sh\nls\n", NULL);
	assert_int_equal(c->vendor.prefix.n, 2);
	assert_int_equal(c->scripts->kind, SCRIPT_VENDOR);
	c = read_all(HEAD "vendor_data: {disabled_handlers: [text/x-shellscript]}\n", NULL, "#!/bin/sh\nls\n", NULL);
	assert_null(c->scripts);
	c = read_all(NULL, NULL, HEAD "hostname: v\n", NULL);
	assert_string_equal(c->hostname, "v");
	c = read_all(HEAD "vendor_data: no\n", NULL, HEAD "hostname: v\n", NULL);
	assert_null(c->hostname);
	helper_assert_mentions("user-data:2:14: error: vendor_data is a mapping, not text");
	/* problems name the layer */
	read_all(HEAD "hostname: u\n", NULL, HEAD "hostnam: v\n", NULL);
	assert_problems("vendor-data:2:1: error: unknown key \"hostnam\" in the configuration (did you mean \"hostname\"?)\n");
}

static void command_line(void **state)
{
	const struct config *c = read_all(HEAD "runcmd: [u]\n", NULL, HEAD "fqdn: v.x\n", "root=/dev/sda cc:hostname: k\\nfqdn: k.x end_cc quiet\n");

	(void)state;
	assert_problems("");
	assert_string_equal(c->hostname, "k");
	assert_string_equal(c->fqdn, "v.x");
	c = read_all(NULL, NULL, NULL, "cc: hostname: k\n");
	assert_string_equal(c->hostname, "k");
	c = read_all(NULL, NULL, NULL, "cc:runcmd: %5B %5B ls, -l %5D %5D end_cc x cc:hostname: a end_cc root=/dev/sda1");
	assert_string_equal(c->hostname, "a");
	assert_string_equal(c->runcmd, "#!/bin/sh\n'ls' '-l'\n");
	c = read_all(NULL, NULL, NULL, "ds=nocloud;s=http://acc:80/ quiet");
	assert_null(c->hostname);
	assert_problems("");
	read_all(NULL, NULL, NULL, "cc:hostname end_cc");
	assert_problems("kernel command line:1:1: error: a configuration is a mapping of keys, not text\n");
	c = read_all(NULL, NULL, NULL, "cc:vendor_data: {enabled: false} end_cc");
	assert_false(c->vendor.enabled);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors), cmocka_unit_test(mergers), cmocka_unit_test(problems), cmocka_unit_test(places),
		cmocka_unit_test(layers), cmocka_unit_test(patches), cmocka_unit_test(written), cmocka_unit_test(vendor), cmocka_unit_test(command_line),
	};

	return helper_run_tests(tests);
}
