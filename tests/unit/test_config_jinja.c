/* test_config_jinja.c - templates: what they render to (as Jinja2 with trim_blocks does), what is refused, where problems are told. */
#include "config_helper.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "init/config/formats/jinja.h"

static const char data[] =
	"v1: {instance_id: i-1, local_hostname: web-1, region: eu-west, count: 3, empty: '', 'cloud-name': aws, tags: [k1, k2]}\n"
	"ds: {meta_data: {'a-b': dash, 'user.key': point, list: [x, \"it's\", 5, null, true], map: {one: 1, two: 2}, number: 7, flag: true}}\n"
	"'top-key': t\n";

static const char *render(const char *template)
{
	struct run *r = helper_run();
	struct source *s = ARENA_NEW(&r->arena, struct source);
	struct source *d = ARENA_NEW(&r->arena, struct source);
	const struct source *out;
	bool empty;

	*d = (struct source){ "data", data, strlen(data) };
	*s = (struct source){ "t", arena_printf(&r->arena, "## template: jinja\n%s", template), 0 };
	s->len = strlen(s->text);
	out = jinja_render(&r->ctx, s, yaml_read(&r->arena, &r->diags, d, &empty), false);
	return out ? out->text : NULL;
}

/* Expected texts: made with Jinja2 3.1. */
static void rendered(void **state)
{
	static const char *const cases[][2] = {
		{ "plain\ntext\n", "plain\ntext\n" },
		{ "a {{ v1.local_hostname }} b", "a web-1 b" },
		{ "{{ local_hostname }}{{instance_id}}", "web-1i-1" },
		{ "{{ v1['region'] }}|{{ v1[\"region\"] }}", "eu-west|eu-west" },
		{ "{{ ds.meta_data.a_b }} {{ ds.meta_data.user_key }} {{ ds['meta_data']['a-b'] }} {{ top_key }} {{ v1.cloud_name }}", "dash point dash t aws" },
		{ "{{ ds.meta_data.list[0] }}{{ ds.meta_data.list[-1] }}{{ ds.meta_data.list[2] }}", "xTrue5" },
		{ "{{ ds.meta_data.list }}", "['x', \"it's\", 5, None, True]" },
		{ "{{ ds.meta_data.map }}", "{'one': 1, 'two': 2}" },
		{ "{{ ds.meta_data.flag }} {{ ds.meta_data.number }} {{ none }} {{ 'x' }} {{ 12 }}", "True 7 None x 12" },
		{ "{{ nothing | default('d') }} {{ v1.nothing | default(5) }} {{ v1.empty | default('e', true) }} {{ v1.empty | d('e') }}", "d 5 e " },
		{ "{{ v1.region | upper | replace('-', '_') }} {{ 'AbC' | lower }} {{ '  x ' | trim }}|", "EU_WEST abc x|" },
		{ "{{ v1.tags | join(', ') }} {{ v1.tags | first }} {{ v1.tags | last }} {{ v1.tags | length }} {{ '42' | int + 1 }}", "k1, k2 k1 k2 2 43" },
		{ "{{ v1.local_hostname.split('-')[0] }} {{ v1.local_hostname.startswith('web') }} {{ v1.region.endswith('x') }}", "web True False" },
		{ "{{ v1.local_hostname.upper() }} {{ ds.meta_data.map.get('one') }} {{ ds.meta_data.map.get('x', 'y') }}", "WEB-1 1 y" },
		{ "{{ 'a' ~ 1 ~ none }} {{ 'a' + 'b' }} {{ 1 + 2 - 4 }}", "a1None ab -1" },
		{ "{{ 'a' if v1.count == 3 else 'b' }} {{ 'a' if v1.nope.x is defined and false else 'b' }}", NULL },
		{ "{{ 'a' if v1.count > 3 else 'b' }}{{ 'x' if 1 else y.z }}{{ y.z if 0 else 'x' }}", "bxx" },
		{ "{{ 1 == 1 }} {{ 1 != 1 }} {{ 'a' in 'cat' }} {{ 'x' in ds.meta_data.list }} {{ 'q' not in v1 }} {{ not 1 }}", "True False True True True False" },
		{ "{{ 1 < 2 and 'b' >= 'a' }} {{ 0 or 'z' }} {{ 1 and 2 }} {{ (1 or x.y) }} {{ not 0 and 1 }}", "True z 2 1 1" },
		{ "{{ x is defined }} {{ v1 is defined }} {{ v1.nope is not defined }} {{ none is none }} {{ 'x' is string }} {{ v1 is mapping }}", "False True True True True True" },
		{ "{% if v1.region == 'eu-west' %}\nyes\n{% else %}\nno\n{% endif %}\nend\n", "yes\nend\n" },
		{ "{% if 0 %}a{% elif 1 %}b{% elif x.y %}c{% else %}d{% endif %}", "b" },
		{ "{% if nope %}a{% else %}b{% endif %}", "b" },
		{ "{% if not v1.empty and (v1.count == 2 or v1.count == 3) %}ok{% endif %}", "ok" },
		{ "{% for k in v1.tags %}\n- {{ k }}\n{% endfor %}\n", "- k1\n- k2\n\n" },
		{ "{% for k in [] %}a{% else %}none{% endfor %}", "none" },
		{ "{% for k, v in ds.meta_data.map.items() %}{{ k }}={{ v }};{% endfor %}", "one=1;two=2;" },
		{ "{% for k in ['a','b'] %}{{ loop.index }}{{ k }}{% if not loop.last %},{% endif %}{% endfor %}", "1a,2b" },
		{ "{% for a in [1,2] %}{% for b in 'xy'.split('z') %}{{ a }}{{ b }} {% endfor %}{% endfor %}", "1xy 2xy " },
		{ "{% set n = v1.region ~ '!' %}\n{{ n }}\n", "eu-west!\n" },
		{ "a\n  {%- if 1 %} b {%- endif %}\nc", "a bc" },
		{ "a {{- ' b ' -}} c", "a b c" },
		{ "{# gone #}\nx{# a\nb #}y", "xy" },
		{ "a\n{%- set x = 1 -%}\n\n b", "ab" },
		{ "{% raw %}{{ x }}{% endraw %}\ny", "{{ x }}y" },
		{ "{%- raw -%} {{ x }} {%- endraw -%} y", "{{ x }}y" },
		{ "a {%+ if 1 %}b{% endif +%}\nc", "a b\nc" },
		{ "{{ \"a\\\"b\\n\" }}|{{ 'it\\'s' }}", "a\"b\n|it's" },
		{ "{{ '}}' }} { x } $ {", "}} { x } $ {" },
		{ "\xc3\xa4 {{ 'ö' }}\n", "\xc3\xa4 ö\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *have = render(cases[i][0]);

		if (!cases[i][1])
			continue;
		if (!have || strcmp(have, cases[i][1]) != 0)
			fail_msg("%s\ngave\n%s\nand not\n%s\n%s", cases[i][0], have ? have : "(nothing)", cases[i][1], helper_problems());
		assert_problems("");
	}
}

static void refused(void **state)
{
	static const char *const cases[][2] = {
		{ "\n  {{ nope }}", "t:3:6: error: template: the variable \"nope\" is not defined" },
		{ "{{ v1.nope }}", "the variable \"v1.nope\" is not defined" },
		{ "{{ v1.nope.deep | default('x') }}", "the variable \"v1.nope\" is not defined" },
		{ "{% if v1.nope.deep %}{% endif %}", "the variable \"v1.nope\" is not defined" },
		{ "{{ nope | upper }}", "the variable \"nope\" is not defined" },
		{ "{{ 'a' if false }}", "is not defined" },
		{ "{{ v1.local-hostname }}", "is not defined" },
		{ "{{ v1.region | sort }}", "the filter \"sort\" is not supported" },
		{ "{{ v1.region.center(5) }}", "the method \"center\" is not supported" },
		{ "{{ v1.region | replace('a') }}", "replace takes 2 to 2 arguments" },
		{ "{% include 'x' %}", "the tag \"include\" is not supported" },
		{ "{% macro x() %}{% endmacro %}", "the tag \"macro\" is not supported" },
		{ "{% do x %}", "the tag \"do\" is not supported" },
		{ "{{ range(3) }}", "functions are not supported" },
		{ "{{ v1.tags[0:1] }}", "slices are not supported" },
		{ "{{ 2 * 3 }}", "* / % are not supported" },
		{ "{{ 1.5 }}", "only whole numbers" },
		{ "{{ {'a': 1} }}", "a value is missing here" },
		{ "{{ }}", "a value is missing here" },
		{ "{{ 'a }}", "a text is not closed" },
		{ "{{ v1.region", "}} is expected here" },
		{ "{{ v1.region %}", "}} is expected here" },
		{ "{{ v1.region junk }}", "}} is expected here" },
		{ "{% if 1 %}x", "this if is never closed" },
		{ "{% for x in v1.tags %}x", "this for is never closed" },
		{ "{% raw %}x", "this raw is never closed" },
		{ "{# x", "this comment is never closed" },
		{ "{% endif %}", "belongs to no if or for" },
		{ "{% if 1 %}{% endfor %}", "an endif is expected before this" },
		{ "{% for x in v1.tags %}{% endif %}", "an endfor is expected before this" },
		{ "{% if 1 %}{% else %}{% else %}{% endif %}", "an endif is expected before this" },
		{ "{% for x in v1.region %}{% endfor %}", "this is no list" },
		{ "{% for a, b in v1.tags %}{% endfor %}", "two names need pairs" },
		{ "{% for x v1.tags %}{% endfor %}", "`in` is expected here" },
		{ "{% set x %}", "set NAME = VALUE" },
		{ "{{ 'a' + 1 }}", "cannot be used with +" },
		{ "{{ 'a' < 1 }}", "cannot be ordered" },
		{ "{% if 0 %}{{ v1.region | nofilter }}{% endif %}", "the filter \"nofilter\" is not supported" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (render(cases[i][0]))
			fail_msg("%s was rendered", cases[i][0]);
		helper_assert_mentions(cases[i][1]);
	}
	/* all of them, each once */
	render("{{ a }}\n{{ b }}\n{% for x in [1, 2, 3] %}{{ c }}{% endfor %}\n{{ d | e }}\n");
	assert_problems("t:2:4: error: template: the variable \"a\" is not defined (give it a value for that case: | default('...'))\n"
			"t:3:4: error: template: the variable \"b\" is not defined (give it a value for that case: | default('...'))\n"
			"t:4:28: error: template: the variable \"c\" is not defined (give it a value for that case: | default('...'))\n"
			"t:5:8: error: template: the filter \"e\" is not supported (docs/boot-configuration.md has the list)\n");
}

/* Templates that would take for ever, or all memory. */
static void hostile(void **state)
{
	char *text = malloc(400000);
	size_t n = 0;

	(void)state;
	render("{% for a in v1.tags %}{% for b in v1.tags %}{% for c in v1.tags %}{% for d in v1.tags %}{% for e in v1.tags %}{% for f in v1.tags %}"
	       "{% for g in v1.tags %}{% for h in v1.tags %}{% for i in v1.tags %}{% for j in v1.tags %}{% for k in v1.tags %}{% for l in v1.tags %}"
	       "{% for m in v1.tags %}{% for n in v1.tags %}{% for o in v1.tags %}{% for p in v1.tags %}{% for q in v1.tags %}x"
	       "{% endfor %}{% endfor %}{% endfor %}{% endfor %}{% endfor %}{% endfor %}{% endfor %}{% endfor %}{% endfor %}{% endfor %}{% endfor %}"
	       "{% endfor %}{% endfor %}{% endfor %}{% endfor %}{% endfor %}{% endfor %}");
	helper_assert_mentions("than is allowed");
	render("{% set a = 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' %}{% for i in [1,2,3,4,5,6,7,8,9,10] %}{% set a = a ~ a ~ a ~ a ~ a ~ a ~ a ~ a %}"
	       "{% endfor %}{{ a ~ a ~ a ~ a ~ a ~ a ~ a ~ a }}");
	for (unsigned i = 0; i < 50; i++)
		n += (size_t)sprintf(text + n, "{%% set a = [%s, %s] %%}", i ? "a" : "1", i ? "a" : "1");
	sprintf(text + n, "{{ a == a }}{{ a }}");
	assert_null(render(text));
	helper_assert_mentions("this list is too large");
	for (n = 0; n < 100000;)
		n += (size_t)sprintf(text + n, "(");
	memcpy(text, "{{", 2);
	assert_null(render(text));
	helper_assert_mentions("nested too deep");
	for (n = 0; n < 200000;)
		n += (size_t)sprintf(text + n, "{%% if 1 %%}");
	assert_null(render(text));
	helper_assert_mentions("nested more than 32 deep");
	for (n = 0; n < 300000;)
		n += (size_t)sprintf(text + n, "{{a}}");
	assert_null(render(text));
	memset(text, 'x', 200000);
	memcpy(text, "{% for a in v1.tags %}{% for b in v1.tags %}{% for c in v1.tags %}", 66);
	strcpy(text + 200000, "{% endfor %}{% endfor %}{% endfor %}");
	assert_null(render(text));
	helper_assert_mentions("than is allowed");
	free(text);
}

static const char *find(const char *path)
{
	struct run *r = helper_run();
	struct source *d = ARENA_NEW(&r->arena, struct source);
	const struct node *n;
	bool empty;

	*d = (struct source){ "data", data, strlen(data) };
	n = jinja_find(yaml_read(&r->arena, &r->diags, d, &empty), path);
	return n ? n->type == NODE_SCALAR ? n->text : "(tree)" : NULL;
}

static void paths(void **state)
{
	(void)state;
	assert_string_equal(find("v1.region"), "eu-west");
	assert_string_equal(find("region"), "eu-west");
	assert_string_equal(find("ds.meta_data.a_b"), "dash");
	assert_string_equal(find("ds.meta_data.a-b"), "dash");
	assert_string_equal(find("ds.meta_data.list.2"), "5");
	assert_string_equal(find("ds"), "(tree)");
	assert_null(find("v1.nope"));
	assert_null(find("v1.region.x"));
	assert_null(find("ds.meta_data.list.9"));
	assert_null(find(""));
	assert_null(find("."));
}

/* In user-data: what a template becomes, and where its problems are told. */
static void whole(void **state)
{
	const struct config *c = helper_config("## template: jinja\n#cloud-config\nhostname: {{ v1.local_hostname }}\nfqdn: {{ ds.meta_data.anything }}\n");

	(void)state;
	assert_problems("");
	assert_string_equal(c->hostname, "localhost");
	c = helper_config("## template: jinja\n#!/bin/sh\necho {{ v1.instance_id }}\n");
	assert_string_equal(c->scripts->text, "#!/bin/sh\necho i-0\n");
	helper_config("## template: jinja\n#include\nhttp://x/\n");
	helper_assert_mentions("t:2:1: error: a template of this kind (text/x-include-url) is not supported");
	helper_config("## template: jinja\nhostname: x\n");
	helper_assert_mentions("t:2:1: error: the first line \"hostname: x\" does not say what this is");
	helper_config("## template: jinja\n");
	assert_problems("");
	helper_config("## template: jinja\n#cloud-config\n{% for x in ['a', 'b'] %}\n# {{ x }}\n{% endfor %}\n\nhostnam: b\n  fqdn: [\n");
	helper_assert_mentions("t:8:");
	helper_config("## template: jinja\n#cloud-config\n{# one\ntwo #}\nhostname: [a]\n");
	assert_problems("t:5:11: error: hostname must be text, not a list\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rendered), cmocka_unit_test(refused), cmocka_unit_test(hostile), cmocka_unit_test(paths), cmocka_unit_test(whole),
	};

	return helper_run_tests(tests);
}
