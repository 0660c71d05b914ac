/* test_config_compose.c - services of a Compose document: each key's forms, what is refused, dependencies, the JSON. */
#include "config_helper.h"

#include <stdio.h>
#include <string.h>

/* A service with these keys stands, without a word. */
static const struct compose_service *good(const char *keys)
{
	const struct compose_service *s = helper_service(keys);

	assert_problems("");
	assert_non_null(s);
	assert_false(s->broken);
	return s;
}

static void assert_words(const struct strings *s, const char *joined)
{
	CLEANUP_BUF struct buf b = { 0 };

	buf_init(&b, 4096);
	for (size_t i = 0; i < s->n; i++)
		buf_printf(&b, "%s%s", i ? "|" : "", s->v[i]);
	assert_string_equal(b.data, joined);
}

static void defaults(void **state)
{
	const struct compose_service *s = good("");

	(void)state;
	assert_string_equal(s->name, "s");
	assert_string_equal(s->container_name, "s");
	assert_string_equal(s->image, "docker.io/library/i:latest");
	assert_string_equal(s->restart, "no");
	assert_string_equal(s->network_mode, "host");
	assert_int_equal(s->stop_grace_ms, 10000);
	assert_false(s->command.given);
	assert_false(s->entrypoint.given);
	assert_int_equal(s->at->line, 4);
}

static void words(void **state)
{
	(void)state;
	assert_words(&good(K("command: sh -c 'a b'"))->command.words, "sh|-c|a b");
	assert_words(&good(K("command: [a, 1, true, 0644]"))->command.words, "a|1|true|0644");
	assert_true(good(K("entrypoint: []"))->entrypoint.given);
	assert_int_equal(good(K("entrypoint: ''"))->entrypoint.words.n, 0);
	assert_false(good(K("command: ~"))->command.given);
	helper_assert_left_out(K("command: 'a \"b'"), "t:6:14: error: the command cannot be split into words: a \" is not closed");
	helper_assert_left_out(K("command: {a: b}"), "t:6:14: error: command must be text or a list, not a mapping");
	helper_assert_left_out(K("command: [[a]]"), "text is wanted here, not a list");
}

static void environment(void **state)
{
	(void)state;
	assert_words(&good(K("environment: {A: 1, B: no, V: 1.10, E: ''}"))->environment, "A=1|B=no|V=1.10|E=");
	assert_words(&good(K("environment: [A=1, 'B=x=y', 'C='] "))->environment, "A=1|B=x=y|C=");
	assert_words(&good(K("environment: [A=1, B=2, A=3]"))->environment, "A=3|B=2");
	assert_words(&helper_service(K("environment: {A: , B: x}"))->environment, "A=|B=x");
	assert_problems("t:6:19: warning: \"A\" has no value: it is set to nothing (Compose would take it from its own environment; there is none at boot)\n");
	assert_words(&helper_service(K("environment: [A]"))->environment, "A=");
	helper_assert_left_out(K("environment: {'': x}"), "is not a name for a variable");
	helper_assert_left_out(K("environment: {A: [x]}"), "text is wanted here, not a list");
	helper_assert_left_out(K("environment: {A: \"x\\0y\"}"), "a NUL character is not allowed here");
}

static void volumes(void **state)
{
	const struct compose_mount *m = good(K("volumes: ['site:/a:ro', /etc/web:/b, '/c', 'named:/d:nocopy,rw', '/x:/y:rshared,z']"))->volumes;

	(void)state;
	assert_int_equal(m->type, COMPOSE_VOLUME);
	assert_string_equal(m->source, "site");
	assert_string_equal(m->target, "/a");
	assert_true(m->read_only);
	m = m->next;
	assert_int_equal(m->type, COMPOSE_BIND);
	assert_string_equal(m->source, "/etc/web");
	assert_false(m->read_only);
	m = m->next;
	assert_int_equal(m->type, COMPOSE_VOLUME);
	assert_null(m->source);
	assert_string_equal(m->target, "/c");
	m = m->next;
	assert_string_equal(m->source, "other");
	assert_words(&m->options, "nocopy");
	m = m->next;
	assert_words(&m->options, "rshared");
	assert_null(m->next);
	helper_assert_left_out(K("volumes: ['./web:/b']"), "t:6:15: error: the path \"./web\" is relative");
	helper_assert_left_out(K("volumes: ['~/web:/b']"), "the path \"~/web\" is relative");
	helper_assert_left_out(K("volumes: ['a/b:/b']"), "the path \"a/b\" is relative");
	helper_assert_left_out(K("volumes: ['/../etc:/b']"), "the path \"/../etc\" has \"..\" in it");
	helper_assert_left_out(K("volumes: ['site:/b/../c']"), "the target \"/b/../c\" has \"..\" in it");
	helper_assert_left_out(K("volumes: ['site:b']"), "the target \"b\" is not an absolute path");
	helper_assert_left_out(K("volumes: ['site:/']"), "cannot be mounted over the container's root");
	helper_assert_left_out(K("volumes: ['site:/b:rx']"), "\"rx\" is not an option of a volume");
	helper_assert_left_out(K("volumes: ['sita:/b']"), "\"s\" uses the volume \"sita\", which is not declared (did you mean \"site\"?)");
	helper_assert_left_out(K("volumes: ['zzz:/b']"), "which is not declared (add it under volumes: {zzz: {}})");
	helper_assert_left_out(K("volumes: ['site:/b', '/x:/b']"), "\"/b\" is mounted twice");
	helper_assert_left_out(K("volumes: [[a]]"), "a volume is text or a mapping, not a list");
	helper_assert_left_out(K("volumes: [\"/a:/b\\nc\"]"), "line breaks and control characters are not allowed");
	helper_assert_left_out(K("volumes: {a: b}"), "volumes must be a list, not a mapping");
}

static void long_volumes(void **state)
{
	const struct compose_mount *m = good(K("volumes:") K("- {type: bind, source: /a, target: /b, read_only: yes, bind: {propagation: rslave}}")
					     K("- {type: volume, source: named, target: /c, volume: {nocopy: true}}")
					     K("- {type: tmpfs, target: /d, tmpfs: {size: 64mb, mode: 01777}}") K("- {type: volume, target: /e}"))->volumes;

	(void)state;
	assert_int_equal(m->type, COMPOSE_BIND);
	assert_true(m->read_only);
	assert_words(&m->options, "rslave");
	m = m->next;
	assert_string_equal(m->source, "other");
	assert_words(&m->options, "nocopy");
	m = m->next;
	assert_int_equal(m->type, COMPOSE_TMPFS);
	assert_words(&m->options, "size=64m|mode=1777");
	m = m->next;
	assert_null(m->source);
	helper_assert_left_out(K("volumes: [{source: /a, target: /b}]"), "nothing is not a type of volume");
	helper_assert_left_out(K("volumes: [{type: npipe, target: /b}]"), "\"npipe\" is not a type of volume that Coracle knows");
	helper_assert_left_out(K("volumes: [{type: bind, source: a, target: /b}]"), "the path \"a\" is relative");
	helper_assert_left_out(K("volumes: [{type: bind, target: /b}]"), "the path \"\" is relative");
	helper_assert_left_out(K("volumes: [{type: bind, source: /a}]"), "the target \"\" is not an absolute path");
	helper_assert_left_out(K("volumes: [{type: tmpfs, source: /a, target: /b}]"), "a tmpfs has no source");
	helper_assert_left_out(K("volumes: [{type: tmpfs, target: /b, tmpfs: {size: many}}]"), "\"many\" is not a size");
	assert_words(&good(K("volumes: [{type: bind, source: /a, target: /b, bind: {create_host_path: false}}]"))->volumes->options, "nocreate");
	helper_assert_left_out(K("volumes: [{type: volume, source: site, target: /b, volume: {subpath: x}}]"), "\"subpath\" is a Compose key that Coracle does not support yet");
	helper_assert_left_out(K("volumes: [{type: bind, source: /a, targt: /b}]"), "unknown key \"targt\" in a volume (did you mean \"target\"?)");
}

static void tmpfs(void **state)
{
	const struct compose_tmpfs *t = good(K("tmpfs: /run"))->tmpfs;

	(void)state;
	assert_string_equal(t->target, "/run");
	assert_int_equal(t->options.n, 0);
	t = good(K("tmpfs: [/run, '/tmp:size=64m,mode=1777']"))->tmpfs->next;
	assert_string_equal(t->target, "/tmp");
	assert_words(&t->options, "size=64m|mode=1777");
	helper_assert_left_out(K("tmpfs: tmp"), "is not an absolute path");
}

static void restart(void **state)
{
	static const struct { const char *text, *policy; unsigned retries; } cases[] = {
		{ K("restart: 'no'"), "no", 0 }, { K("restart: no"), "no", 0 }, { K("restart: false"), "no", 0 }, { K("restart: always"), "always", 0 },
		{ K("restart: on-failure"), "on-failure", 0 }, { K("restart: on-failure:5"), "on-failure", 5 },
		{ K("restart: \"on-failure:0\""), "on-failure", 0 }, { K("restart: unless-stopped"), "unless-stopped", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct compose_service *s = good(cases[i].text);

		assert_string_equal(s->restart, cases[i].policy);
		assert_int_equal(s->max_retries, cases[i].retries);
	}
	helper_assert_left_out(K("restart: 'false'"), "\"false\" is not a restart policy");
	helper_assert_left_out(K("restart: true"), "\"true\" is not a restart policy");
	helper_assert_left_out(K("restart: on-failure:x"), "the number of retries is not a number");
	helper_assert_left_out(K("restart: alway"), "\"alway\" is not a restart policy (\"no\", always, on-failure[:N] or unless-stopped)");
}

static void ports(void **state)
{
	static const char *const same[] = {
		"ports: ['80:80']", "ports: [80:80]", "ports: [22:22]", "ports: ['0.0.0.0:80:80/tcp']", "ports: ['[::]:80:80']", "ports: ['53:53/udp']",
		"ports: ['8000-8010:8000-8010']", "ports: [{target: 80, published: 80}]", "ports: [{target: 80, published: '80', protocol: udp}]", "ports: []",
	};
	static const struct { const char *text, *why; } other[] = {
		{ "ports: ['8080:80']", "it changes the port (there are no bridge networks yet" },
		{ "ports: [80]", "it publishes on a random port of the machine (there are no bridge networks yet" },
		{ "ports: ['127.0.0.1:80:80']", "it publishes on one address only" },
		{ "ports: ['::80']", "it publishes on a random port" },
		{ "ports: ['80:80/sctp']", "its protocol is not tcp or udp" },
		{ "ports: ['65536:65536']", "a port is a number from 1 to 65535" },
		{ "ports: ['0:0']", "a port is a number from 1 to 65535" },
		{ "ports: ['http:http']", "a port is a number from 1 to 65535" },
		{ "ports: ['9-8:9-8']", "a port is a number from 1 to 65535" },
		{ "ports: [{target: 80, published: 8080}]", "it changes the port" },
		{ "ports: [{target: 80, publish: 80}]", "unknown key \"publish\" in a port (did you mean \"published\"?)" },
	};
	char line[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
		snprintf(line, sizeof(line), "    %s\n", same[i]);
		good(line);
	}
	for (size_t i = 0; i < ARRAY_SIZE(other); i++) {
		snprintf(line, sizeof(line), "    %s\n", other[i].text);
		helper_assert_left_out(line, other[i].why);
	}
	helper_assert_left_out(K("ports: ['80:80']") K("network_mode: none"), "t:6:12: error: a service with network_mode none has no ports");
}

static void small_keys(void **state)
{
	const struct compose_service *s = good(K("user: 1000:1000") K("working_dir: /srv") K("hostname: h-1") K("container_name: c_1") K("read_only: on")
		K("privileged: true") K("tty: no") K("cap_add: [net_admin, CAP_SYS_TIME, ALL]") K("cap_drop: [MKNOD]") K("stop_signal: sigquit")
		K("stop_grace_period: 1m30s") K("labels: {a.b: c, d: 1}") K("network_mode: none") K("x-mine: {any: thing}") K("init: false"));

	(void)state;
	assert_string_equal(s->user, "1000:1000");
	assert_string_equal(s->working_dir, "/srv");
	assert_string_equal(s->hostname, "h-1");
	assert_string_equal(s->container_name, "c_1");
	assert_true(s->read_only);
	assert_true(s->privileged);
	assert_words(&s->cap_add, "NET_ADMIN|SYS_TIME|ALL");
	assert_words(&s->cap_drop, "MKNOD");
	assert_string_equal(s->stop_signal, "SIGQUIT");
	assert_int_equal(s->stop_grace_ms, 90000);
	assert_words(&s->labels, "a.b|c|d|1");
	assert_string_equal(s->network_mode, "none");
	assert_words(&good(K("labels: [a=b, c]"))->labels, "a|b|c|");
	assert_string_equal(good(K("stop_signal: 15"))->stop_signal, "SIGTERM");
	helper_assert_left_out(K("user: 'a b'"), "\"a b\" is not USER or USER:GROUP");
	helper_assert_left_out(K("user: 'a:b:c'"), "is not USER or USER:GROUP");
	helper_assert_left_out(K("working_dir: srv"), "the path \"srv\" is relative");
	helper_assert_left_out(K("container_name: a/b"), "\"a/b\" is not a name for a container");
	helper_assert_left_out(K("hostname: 'a b'"), "is not a host name");
	helper_assert_left_out(K("cap_add: [FLY]"), "\"FLY\" is not a capability");
	helper_assert_left_out(K("stop_signal: SIGFOO"), "\"SIGFOO\" is not a signal");
	helper_assert_left_out(K("stop_grace_period: 10"), "\"10\" is not a duration (such as 10s or 1m30s)");
	helper_assert_left_out(K("read_only: maybe"), "\"maybe\" is not true or false");
	helper_assert_left_out(K("network_mode: bridge"), "\"bridge\" is not supported yet by Coracle");
	helper_assert_left_out(K("image: 'A B'"), "is not the name of an image");
}

static void known_and_unknown_keys(void **state)
{
	(void)state;
	assert_true(compose_known_service_count >= 20);
	assert_false(helper_service(K("healthcheck: {test: x}") K("blkio_config: {weight: 1}") K("logging: {driver: x}"))->broken);
	helper_assert_mentions("t:6:18: warning: healthcheck is not supported yet by Coracle; the container runs unwatched");
	helper_assert_mentions("t:7:5: warning: \"blkio_config\" is a Compose key that Coracle does not support yet; the container runs without that limit");
	helper_assert_mentions("t:8:23: warning: this log driver is not supported by Coracle");
	good(K("healthcheck: ~"));
	helper_assert_left_out(K("links: [x]"), "t:6:5: error: \"links\" is not supported yet by Coracle: there are no bridge networks yet");
	helper_assert_left_out(K("profiles: [x]"), "t:6:5: error: \"profiles\" is not supported: nobody chooses a profile at boot");
	helper_assert_left_out(K("networks: [a]"), "there are no bridge networks yet");
	helper_assert_left_out(K("comand: x"), "t:6:5: error: unknown key \"comand\" in the service \"s\" (did you mean \"command\"?)");
	helper_assert_left_out(K("comand: x"), "t:4:3: error: the service \"s\" is left out, because of 1 error in it");
	helper_config("#cloud-config\nservices: {a: {build: .}}\n");
	helper_assert_mentions("the service \"a\" has no image (Coracle does not build images)");
	helper_config("#cloud-config\nservices: {a: {image: }}\n");
	helper_assert_mentions("the service \"a\" has no image");
	helper_config("#cloud-config\nservices: {a: text}\n");
	helper_assert_mentions("the service \"a\" is a mapping, not text");
	helper_config("#cloud-config\nservices: {'a b': {image: x}}\n");
	helper_assert_mentions("\"a b\" is not a name for a service");
	helper_config("#cloud-config\nservices: [a]\n");
	helper_assert_mentions("services must be a mapping, not a list");
	helper_config("#cloud-config\ncontainers: {servces: {}}\n");
	helper_assert_mentions("t:2:14: error: unknown key \"servces\" in containers (a Compose document) (did you mean \"services\"?)");
}

static void variables(void **state)
{
	(void)state;
	assert_words(&good(K("command: [sh, -c, 'echo $$HOME $(date) $1 $']"))->command.words, "sh|-c|echo $HOME $(date) $1 $");
	assert_words(&good(K("environment: {A: '${X:-d}', B: '${X-}', C: 'x${Y:+z}y', D: '$${Z}'}"))->environment, "A=d|B=|C=xy|D=${Z}");
	helper_assert_left_out(K("command: echo $HOME"), "t:6:14: error: no value is known for the variable here (for a $ that the container shall see, write $$)");
	helper_assert_left_out(K("hostname: '${NAME}'"), "no value is known for \"${NAME\"");
	helper_assert_left_out(K("hostname: '${X:?must be set}'"), "no value is known for \"${X\"");
	helper_assert_left_out(K("hostname: '${X:-${Y}}'"), "no value is known");
	helper_assert_left_out(K("hostname: '${X'"), "no value is known");
	/* what may be a secret stays out of the message */
	helper_assert_left_out(K("environment: {P: 'se$cretword'}"), "no value is known for the variable here");
	assert_null(strstr(helper_problems(), "cretword"));
}

static struct compose *document(const char *text)
{
	return &helper_config(text)->compose;
}

static bool left_out(const struct compose *c, const char *name)
{
	for (const struct compose_service *s = c->services; s; s = s->next)
		if (!strcmp(s->name, name))
			return s->broken;
	fail_msg("no service %s", name);
	return false;
}

static void dependencies(void **state)
{
	const struct compose *c = document("#cloud-config\nservices:\n  a: {image: i, depends_on: [b]}\n  b: {image: i, depends_on: {d: {condition: "
					   "service_completed_successfully}, e: {required: false}}}\n  d: {image: i}\n  e: {image: i, oops: 1}\n");
	const struct compose_depend *d;

	(void)state;
	assert_false(left_out(c, "a"));
	assert_false(left_out(c, "b"));
	assert_true(left_out(c, "e"));
	d = c->services->next->depends_on;
	assert_string_equal(d->condition, "service_completed_successfully");
	assert_true(d->required);
	assert_true(d->next->dropped);
	helper_assert_mentions("t:4:78: warning: \"b\" starts without \"e\" (line 6), which is left out");
	c = document("#cloud-config\nservices:\n  web: {image: i, depends_on: [dp]}\n  db: {image: i}\n  top: {image: i, depends_on: [web]}\n");
	helper_assert_mentions("t:3:32: error: \"web\" depends on \"dp\", which is no service (did you mean \"db\"?)");
	helper_assert_mentions("t:5:32: error: \"top\" is left out: it depends on \"web\" (line 3), which is left out");
	assert_true(left_out(c, "web"));
	assert_true(left_out(c, "top"));
	assert_false(left_out(c, "db"));
	helper_assert_left_out(K("depends_on: {s2: {condition: service_healthy}}"), "service_healthy is not supported yet");
	helper_assert_left_out(K("depends_on: {s2: {condition: ready}}"), "\"ready\" is not a condition");
	helper_assert_left_out(K("depends_on: {s2: [x]}"), "depends_on has a mapping for each service");
}

static void cycles(void **state)
{
	const struct compose *c = document("#cloud-config\nservices:\n  a: {image: i, depends_on: [b]}\n  b: {image: i, depends_on: [c]}\n"
					   "  c: {image: i, depends_on: [a]}\n  d: {image: i, depends_on: [c]}\n  e: {image: i}\n");

	(void)state;
	helper_assert_mentions("t:5:30: error: the services depend on each other in a circle: a -> b -> c -> a; they are left out");
	assert_true(left_out(c, "a"));
	assert_true(left_out(c, "b"));
	assert_true(left_out(c, "c"));
	assert_true(left_out(c, "d"));
	assert_false(left_out(c, "e"));
	document("#cloud-config\nservices: {a: {image: i, depends_on: [a]}}\n");
	helper_assert_mentions("in a circle: a -> a");
}

static void names_and_documents(void **state)
{
	const struct compose *c = document("#cloud-config\ncontainers:\n  name: shop\n  version: '3'\n  x-a: &a {image: i}\n  services:\n    one: *a\n"
					   "    two: {<<: *a, container_name: one}\nservices:\n  one: {image: j}\n  three: {image: i}\nvolumes: {v: {driver: nfs}, w: }\n");

	(void)state;
	assert_string_equal(c->project, "shop");
	helper_assert_mentions("t:8:5: error: the container name \"one\" is taken by the service \"one\" (line 7)");
	helper_assert_mentions("t:10:3: error: the service \"one\" is in line 7 already; this one is left out");
	helper_assert_mentions("the volume driver \"nfs\" is not there");
	assert_string_equal(c->volumes->key, "w");
	assert_null(c->volumes->next);
	assert_false(left_out(c, "three"));
	assert_string_equal(c->services->image, "docker.io/library/i:latest");
	document("#cloud-config\nnetworks: {a: {}}\nsecrets: {b: {file: x}}\n");
	helper_assert_mentions("warning: \"networks\" is not supported yet by Coracle");
	helper_assert_mentions("t:3:21: error: the path \"x\" is relative");
}

static void too_many_services(void **state)
{
	CLEANUP_BUF struct buf b = { 0 };
	const struct compose *c;
	unsigned n = 0;

	(void)state;
	buf_init(&b, (size_t)1 << 20);
	buf_puts(&b, "#cloud-config\nservices:\n");
	/* the longest chain, in the order that takes most passes */
	for (int i = 0; i < 300; i++)
		buf_printf(&b, "  s%d: {image: i, depends_on: [s%d]}\n", i, i + 1);
	c = document(b.data);
	helper_assert_mentions("more than 256 services; the rest is left out");
	for (const struct compose_service *s = c->services; s; s = s->next, n++)
		assert_true(s->broken);
	assert_int_equal(n, 256);
}

static void json(void **state)
{
	CLEANUP_BUF struct buf b = { 0 };
	const struct compose *c = document("#cloud-config\nservices:\n  a: {image: i, environment: {Q: \"say \\\"x\\\"\\n\"}, command: [\"\\x01\"], oops: 1}\n"
					   "  b: {image: i, environment: {Q: \"say \\\"x\\\"\\n\"}, command: [\"\\x01\"]}\nvolumes: {v: }\n");

	(void)state;
	buf_init(&b, 65536);
	assert_true(compose_write_json(c, &b));
	assert_null(strstr(b.data, "\"name\": \"a\""));
	assert_non_null(strstr(b.data, "\"environment\": [\"Q=say \\\"x\\\"\\n\"]"));
	assert_non_null(strstr(b.data, "\"command\": [\"\\u0001\"]"));
	assert_non_null(strstr(b.data, "\"volumes\": [{\"name\": \"v\"}]}"));
	buf_reset(&b);
	assert_false(compose_write_json(document("#cloud-config\nservices: {a: {}}\n"), &b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults), cmocka_unit_test(words), cmocka_unit_test(environment), cmocka_unit_test(volumes),
		cmocka_unit_test(long_volumes), cmocka_unit_test(tmpfs), cmocka_unit_test(restart), cmocka_unit_test(ports),
		cmocka_unit_test(small_keys), cmocka_unit_test(known_and_unknown_keys), cmocka_unit_test(variables),
		cmocka_unit_test(dependencies), cmocka_unit_test(cycles), cmocka_unit_test(names_and_documents),
		cmocka_unit_test(too_many_services), cmocka_unit_test(json),
	};

	return helper_run_tests(tests);
}
