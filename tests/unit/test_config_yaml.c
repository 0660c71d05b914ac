/* test_config_yaml.c - YAML trees: places, text of scalars, merge keys, and every limit. */
#include "config_helper.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void places_and_text(void **state)
{
	const struct node *root = helper_yaml("a: no\nb:\n  - 0644\n  - {c: \"1.10\"}\n  - |\n    x\n    y\n");
	const struct item *i;

	(void)state;
	assert_non_null(root);
	assert_problems("");
	assert_int_equal(root->type, NODE_MAP);
	assert_int_equal(root->count, 2);
	assert_string_equal(node_get(root, "a")->text, "no");
	assert_int_equal(node_get(root, "a")->column, 4);
	i = node_get(root, "b")->items;
	assert_string_equal(i->value->text, "0644");
	assert_int_equal(i->value->line, 3);
	assert_int_equal(i->value->column, 5);
	assert_true(i->value->plain);
	i = i->next;
	assert_true(i->value->flow);
	assert_string_equal(node_get(i->value, "c")->text, "1.10");
	assert_false(node_get(i->value, "c")->plain);
	assert_string_equal(i->next->value->text, "x\ny\n");
}

static void nothing_and_null(void **state)
{
	const struct node *root;

	(void)state;
	assert_null(helper_yaml(""));
	assert_problems("");
	assert_null(helper_yaml("# only this\n"));
	assert_problems("");
	assert_null(helper_yaml("--- ~\n"));
	assert_problems("");
	root = helper_yaml("a:\nb: ~\nc: null\nd: \"\"\ne: 'null'\n");

	assert_true(node_is_null(node_get(root, "a")));
	assert_true(node_is_null(node_get(root, "b")));
	assert_true(node_is_null(node_get(root, "c")));
	assert_false(node_is_null(node_get(root, "d")));
	assert_false(node_is_null(node_get(root, "e")));
	assert_null(node_get(root, "f"));
}

static void duplicate_keys(void **state)
{
	const struct node *root = helper_yaml("a: 1\nb: 2\na: 3\na: 4\n");

	(void)state;
	assert_string_equal(node_get(root, "a")->text, "4");
	assert_int_equal(root->count, 2);
	assert_problems("t:3:1: warning: the key \"a\" is here twice; the value of line 1 is not used\n"
			"t:4:1: warning: the key \"a\" is here twice; the value of line 3 is not used\n");
}

static void many_keys(void **state)
{
	CLEANUP_BUF struct buf b = { 0 };
	const struct node *root;

	(void)state;
	buf_init(&b, (size_t)1 << 20);
	for (int i = 0; i < 4000; i++)
		buf_printf(&b, "k%d: %d\n", i % 3999, i);
	root = helper_yaml(b.data);
	assert_non_null(root);
	assert_int_equal(root->count, 3999);
	assert_string_equal(node_get(root, "k0")->text, "3999");
	assert_problems("t:4000:1: warning: the key \"k0\" is here twice; the value of line 1 is not used\n");
}

static void merge_keys(void **state)
{
	const struct node *root = helper_yaml("base: &b {x: 1, y: 2}\nmore: &m {y: 3, z: 4}\none: {<<: *b, y: own}\ntwo:\n  <<: [*b, *m]\n");
	const struct node *one;
	const struct node *two;

	(void)state;
	assert_non_null(root);
	one = node_get(root, "one");
	two = node_get(root, "two");
	assert_string_equal(node_get(one, "x")->text, "1");
	assert_string_equal(node_get(one, "y")->text, "own");
	assert_null(node_get(one, "<<"));
	assert_int_equal(one->count, 2);
	assert_string_equal(node_get(two, "y")->text, "2");
	assert_string_equal(node_get(two, "z")->text, "4");
	assert_problems("");
	helper_yaml("a: {<<: text}\n");
	helper_assert_mentions("t:1:9: error: a merge key needs a mapping");
}

static void aliases(void **state)
{
	CLEANUP_BUF struct buf b = { 0 };

	(void)state;
	assert_string_equal(node_get(helper_yaml("a: &x hello\nb: *x\n"), "b")->text, "hello");
	assert_null(helper_yaml("b: *x\n"));
	assert_problems("t:1:4: error: the alias *x names no anchor above it\n");
	assert_null(helper_yaml("a: &a [1, *a]\n"));
	assert_problems("t:1:11: error: the alias *a is inside what it names\n");
	assert_null(helper_yaml("a: &a {k: [{l: *a}]}\n"));
	helper_assert_mentions("is inside what it names");
	/* a key may be an anchor of its own pair's value: no cycle */
	assert_non_null(helper_yaml("&k a: *k\n"));
	buf_init(&b, 8192);
	buf_puts(&b, "a: &a 1\nb: [");
	for (int i = 0; i < 100; i++)
		buf_puts(&b, "*a, ");
	buf_puts(&b, "0]\n");
	assert_non_null(helper_yaml(b.data));
	buf_puts(&b, "c: *a\n");
	assert_null(helper_yaml(b.data));
	assert_problems("t:3:4: error: more than 100 aliases\n");
}

static void alias_bomb(void **state)
{
	(void)state;
	assert_null(helper_yaml("a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
				"c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"));
	helper_assert_mentions("t:4:");
	helper_assert_mentions("more than 10,000 values");
}

/* n lists in each other. */
static const struct node *nested(int n)
{
	static char text[4096];
	int at = 0;

	for (int i = 0; i < n; i++)
		text[at++] = '[';
	for (int i = 0; i < n; i++)
		text[at++] = ']';
	text[at] = '\0';
	return helper_yaml(text);
}

static void depth(void **state)
{
	(void)state;
	assert_non_null(nested(YAML_DEPTH_MAX - 1));
	assert_null(nested(YAML_DEPTH_MAX));
	helper_assert_mentions("nested more than 64 levels deep");
	/* through an alias */
	assert_null(helper_yaml("a: &a [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n"
				"b: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[*a]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n"));
	helper_assert_mentions("t:2:38: error: nested more than 64 levels deep");
}

static void node_count(void **state)
{
	CLEANUP_BUF struct buf b = { 0 };

	(void)state;
	buf_init(&b, (size_t)1 << 20);
	for (int i = 0; i < YAML_NODES_MAX - 1; i++)
		buf_puts(&b, "- a\n");
	assert_non_null(helper_yaml(b.data));
	buf_puts(&b, "- a\n");
	assert_null(helper_yaml(b.data));
	helper_assert_mentions("t:10000:3: error: more than 10,000 values");
}

static void size_limit(void **state)
{
	char *text = malloc(YAML_TEXT_MAX + 2);

	(void)state;
	memset(text, '#', YAML_TEXT_MAX + 1);
	text[YAML_TEXT_MAX + 1] = '\0';
	helper_yaml(text);
	assert_problems("t: error: larger than 1 MiB\n");
	text[YAML_TEXT_MAX] = '\0';
	helper_yaml(text);
	assert_problems("");
	free(text);
}

static void bad_bytes(void **state)
{
	struct run *r = helper_run();
	struct source s = { "t", "a: \xff\nb: \x01 \x02\n\xed\xa0\x80 \xc0\x80\0", 19 };
	bool empty;

	(void)state;
	assert_null(yaml_read(&r->arena, &r->diags, &s, &empty));
	assert_int_equal(r->diags.count[DIAG_ERROR], 9);
	helper_assert_mentions("t:1:4: error: byte 0xff (at offset 3) is not UTF-8");
	helper_assert_mentions("t:2:4: error: control character 0x01 (at offset 8)");
	helper_assert_mentions("t:2:6: error: control character 0x02");
	helper_assert_mentions("t:3:1: error: byte 0xed");
	helper_assert_mentions("control character 0x00");
	/* what is allowed: tab, umlauts, NEL's neighbours, four bytes */
	assert_non_null(helper_yaml("a: \"\tä \xc2\xa0 \xf0\x9f\x9b\xb6\"\n"));
	assert_problems("");
}

static void tags(void **state)
{
	const struct node *root = helper_yaml("a: !!str 12\nb: !!binary aGk=\nc: ! x\nd: !!int \"3\"\n");

	(void)state;
	assert_non_null(root);
	assert_string_equal(node_get(root, "a")->text, "12");
	assert_int_equal(node_get(root, "b")->tag, NODE_TAG_BINARY);
	assert_null(helper_yaml("a: !!python/object/apply:os.system [\"id\"]\n"));
	assert_problems("t:1:4: error: the YAML tag \"python/object/apply:os.system\" is not allowed\n");
	assert_null(helper_yaml("a: !reset null\n"));
	helper_assert_mentions("the YAML tag \"!reset\" is not allowed");
}

static void syntax_errors(void **state)
{
	static const struct { const char *text, *place, *hint; } cases[] = {
		{ "a:\n\tb: 1\n", "t:2:1: error: YAML: ", "this line has a tab" },
		{ "a: b: c\n", "t:1:5: error: YAML: ", "must be quoted" },
		{ "a: \"x\n", "t:2:1: error: YAML: ", "is not closed" },
		{ "a: [1, 2\n", "t:2:1: error: YAML: ", "" },
		{ "a: @x\n", "t:1:4: error: YAML: ", "must be quoted" },
		{ "a: 1\n b: 2\n", "t:2:3: error: YAML: ", "" },
		{ "a: 1\n---\nb: 2\n", "t:2:1: error: a second YAML document begins here", "" },
		{ "{[a]: 1}\n", "t:1:2: error: a key must be text", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_null(helper_yaml(cases[i].text));
		helper_assert_mentions(cases[i].place);
		helper_assert_mentions(cases[i].hint);
	}
}

static void many_problems(void **state)
{
	CLEANUP_BUF struct buf b = { 0 };
	CLEANUP_BUF struct buf out = { 0 };
	struct run *r;

	(void)state;
	buf_init(&b, (size_t)1 << 20);
	buf_puts(&b, "#cloud-config\n");
	for (int i = 0; i < 1000; i++)
		buf_printf(&b, "zz%d: 1\n", i);
	helper_config(b.data);
	r = helper_run();
	userdata_read(&r->ctx, "t", b.data, b.len, &r->config);
	assert_int_equal(r->diags.count[DIAG_UNKNOWN], 1000);
	assert_int_equal(r->diags.kept, DIAG_MAX);
	buf_init(&out, (size_t)1 << 20);
	diags_render(&r->diags, &out);
	assert_non_null(strstr(out.data, "800 more problems are not shown"));
}

static void rendering(void **state)
{
	CLEANUP_BUF struct buf out = { 0 };
	struct run *r;

	(void)state;
	r = helper_run();
	userdata_read(&r->ctx, "f.yaml", "#cloud-config\nhostnam: x\n", 25, &r->config);
	buf_init(&out, 4096);
	diags_render(&r->diags, &out);
	assert_string_equal(out.data, "f.yaml:2:1: error: unknown key \"hostnam\" in the configuration (did you mean \"hostname\"?)\n"
				      "    hostnam: x\n    ^\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places_and_text), cmocka_unit_test(nothing_and_null), cmocka_unit_test(duplicate_keys),
		cmocka_unit_test(many_keys), cmocka_unit_test(merge_keys), cmocka_unit_test(aliases), cmocka_unit_test(alias_bomb),
		cmocka_unit_test(depth), cmocka_unit_test(node_count), cmocka_unit_test(size_limit), cmocka_unit_test(bad_bytes),
		cmocka_unit_test(tags), cmocka_unit_test(syntax_errors), cmocka_unit_test(many_problems), cmocka_unit_test(rendering),
	};

	return helper_run_tests(tests);
}
