/* test_config_options.c - the keys of a Compose service that limit, connect and equip it: forms, places of mistakes, the JSON. */
#include "config_helper.h"

#include <errno.h>
#include <string.h>

#include "init/config/compose/env_file.h"

/* A service with these keys stands without a word, and this is in its JSON. */
static const struct compose_service *good(const char *keys, const char *json)
{
	const struct compose_service *s = helper_service(keys);
	CLEANUP_BUF struct buf b = { 0 };
	struct compose c = { .services = (struct compose_service *)s };

	assert_string_equal(helper_problems(), "");
	assert_false(s->broken);
	buf_init(&b, 65536);
	assert_true(compose_write_json(&c, &b));
	if (!strstr(b.data, json))
		fail_msg("%s is not in %s", json, b.data);
	return s;
}

/* It stands, and says this. */
static void warned(const char *keys, const char *mentions)
{
	const struct compose_service *s = helper_service(keys);

	helper_assert_mentions(mentions);
	if (s->broken)
		fail_msg("left out: %s", helper_problems());
}

static void memory(void **state)
{
	(void)state;
	good(K("mem_limit: 64m"), "\"mem_limit\": 67108864");
	good(K("mem_limit: 1.5gb"), "\"mem_limit\": 1610612736");
	good(K("mem_limit: 10000000"), "\"mem_limit\": 10000000");
	good(K("mem_limit: 64 MiB"), "\"mem_limit\": 67108864");
	good(K("mem_limit: 64m") K("mem_reservation: 32m") K("memswap_limit: -1"), "\"mem_reservation\": 33554432,\n   \"memswap_limit\": -1");
	good(K("shm_size: 128m"), "\"shm_size\": 134217728");
	helper_assert_left_out(K("mem_limit: 64x"), "t:6:16: error: \"64x\" is not a size (such as 64m or 1.5g)");
	helper_assert_left_out(K("mem_limit: 99999999999999999999"), "is not a size");
	helper_assert_left_out(K("mem_limit: 9999999999t"), "is not a size");
	helper_assert_left_out(K("mem_limit: 1m"), "mem_limit is less than 6 MiB");
	helper_assert_left_out(K("memswap_limit: 1g"), "memswap_limit needs mem_limit");
	helper_assert_left_out(K("mem_limit: 1g") K("memswap_limit: 512m"), "it cannot be less than mem_limit");
	helper_assert_left_out(K("mem_limit: 1g") K("mem_reservation: 2g"), "mem_reservation is more than mem_limit");
	helper_assert_left_out(K("mem_limit: [1]"), "t:6:16: error: mem_limit must be text, not a list");
	warned(K("mem_swappiness: 10"), "t:6:5: warning: \"mem_swappiness\" is a limit that the kernel does not have any more");
	warned(K("oom_kill_disable: true"), "t:6:23: warning: oom_kill_disable");
}

static void processors(void **state)
{
	(void)state;
	good(K("cpus: 0.5"), "\"cpu_quota\": 50000,\n   \"cpu_period\": 100000");
	good(K("cpus: '2'"), "\"cpu_quota\": 200000");
	good(K("cpus: 1.25"), "\"cpu_quota\": 125000");
	good(K("cpu_quota: 50000") K("cpu_period: 20ms"), "\"cpu_quota\": 50000,\n   \"cpu_period\": 20000");
	good(K("cpu_shares: 512") K("cpuset: 0-1,3"), "\"cpu_shares\": 512,\n   \"cpuset\": \"0-1,3\"");
	helper_assert_left_out(K("cpus: many"), "t:6:11: error: \"many\" is not a number of processors");
	helper_assert_left_out(K("cpus: ."), "is not a number of processors");
	helper_assert_left_out(K("cpus: 0.001"), "is not enough of a processor");
	helper_assert_left_out(K("cpuset: 0-"), "t:6:13: error: \"0-\" is not a list of processors");
	helper_assert_left_out(K("cpuset: '0,'"), "is not a list of processors");
	helper_assert_left_out(K("cpu_shares: 1"), "cpu_shares is between 2 and 262144");
	helper_assert_left_out(K("cpu_period: 5"), "cpu_period is between");
}

static void processes(void **state)
{
	(void)state;
	good(K("pids_limit: 50"), "\"pids_limit\": 50");
	good(K("pids_limit: -1"), "\"pids_limit\": -1");
	good(K("oom_score_adj: -500"), "\"oom_score_adj\": -500");
	good(K("ulimits: {nproc: 65535, nofile: {soft: 20000, hard: 40000}}"), "\"ulimits\": [\"nproc=65535:65535\", \"nofile=20000:40000\"]");
	good(K("ulimits: {core: -1}"), "\"ulimits\": [\"core=-1:-1\"]");
	good(K("sysctls: {kernel.shmmax: 1000, kernel.sem: 1 2 3 4}"), "\"sysctls\": {\"kernel.shmmax\": \"1000\", \"kernel.sem\": \"1 2 3 4\"}");
	good(K("network_mode: none") K("sysctls: [net.core.somaxconn=1024]"), "\"sysctls\": {\"net.core.somaxconn\": \"1024\"}");
	helper_assert_left_out(K("pids_limit: x"), "t:6:17: error: \"x\" is not a whole number");
	helper_assert_left_out(K("oom_score_adj: 1001"), "\"1001\" is not a score (-1000 to 1000)");
	helper_assert_left_out(K("ulimits: {nofiles: 1}"), "t:6:15: error: \"nofiles\" is not a ulimit");
	helper_assert_left_out(K("ulimits: {nofile: {soft: 2, hard: 1}}"), "the soft limit of nofile is above the hard one");
	helper_assert_left_out(K("ulimits: {nofile: {soft: 2}}"), "the ulimit nofile needs soft and hard");
	helper_assert_left_out(K("ulimits: {nofile: [1]}"), "not a list");
	helper_assert_left_out(K("sysctls: [vm.swappiness=1]"), "t:6:15: error: the sysctl \"vm.swappiness\" is the whole machine's");
	helper_assert_left_out(K("sysctls: [kernel.shm=1]"), "is the whole machine's");
	helper_assert_left_out(K("sysctls: ['net/../x=1']"), "is not a sysctl");
	helper_assert_left_out(K("sysctls: [net.core.somaxconn=1]"), "the service has the machine's network");
	helper_assert_left_out(K("ipc: host") K("sysctls: [kernel.shmmax=1]"), "the service has ipc: host");
}

static void deploy(void **state)
{
	const struct compose_service *s = good(K("mem_limit: 64m") K("deploy: {resources: {limits: {memory: 32m, cpus: '0.25', pids: 9}, reservations: {memory: 8m}}}"),
					      "\"mem_limit\": 33554432,\n   \"mem_reservation\": 8388608,\n   \"cpu_quota\": 25000");

	(void)state;
	assert_int_equal(s->limits.pids_limit, 9);
	s = good(K("deploy: {replicas: 1, restart_policy: {condition: on-failure, max_attempts: 4}}") K("restart: always"), "\"policy\": \"on-failure\", \"max_retries\": 4");
	good(K("deploy: {restart_policy: {condition: any}}"), "\"policy\": \"always\"");
	good(K("scale: 1"), "\"name\": \"s\"");
	helper_assert_left_out(K("deploy: {replicas: 2}"), "t:6:24: error: Coracle runs one container of each service, not \"2\"");
	helper_assert_left_out(K("scale: 3"), "t:6:12: error: Coracle runs one container of each service");
	helper_assert_left_out(K("deploy: {resources: {limits: {memry: 1}}}"), "t:6:35: error: unknown key \"memry\" in limits (did you mean \"memory\"?)");
	helper_assert_left_out(K("deploy: {restart_policy: {condition: maybe}}"), "is not a condition of restart");
	helper_assert_left_out(K("deploy: {resources: {reservations: {devices: [x]}}}"), "\"devices\" is a Compose key that Coracle does not support yet");
	warned(K("deploy: {placement: {constraints: []}}"), "\"placement\" is a Compose key");
}

static void security(void **state)
{
	(void)state;
	good(K("security_opt: ['no-new-privileges:true', seccomp=unconfined, 'systempaths=unconfined']"),
	     "\"security_opt\": [\"no-new-privileges\", \"seccomp=unconfined\", \"systempaths=unconfined\"]");
	good(K("security_opt: [mask=/a:/b, unmask=ALL, 'apparmor:unconfined', 'label:disable', 'seccomp:builtin']"),
	     "\"security_opt\": [\"mask=/a\", \"mask=/b\", \"unmask=ALL\"]");
	helper_assert_left_out(K("security_opt: [seccomp=/p.json]"), "t:6:20: error: a seccomp profile of one's own is not supported yet");
	helper_assert_left_out(K("security_opt: [apparmor=x]"), "this kernel has neither AppArmor nor SELinux");
	helper_assert_left_out(K("security_opt: [label=type:x]"), "this kernel has neither AppArmor nor SELinux");
	helper_assert_left_out(K("security_opt: [no-privs]"), "\"no-privs\" is not a security option");
	helper_assert_left_out(K("security_opt: [mask=a]"), "is not a list of paths");
	good(K("devices: ['/dev/ttyS0:/dev/x', /dev/kvm, '/dev/snd:rw', {source: /dev/a, permissions: r}]"),
	     "\"devices\": [\"/dev/ttyS0:/dev/x:rwm\", \"/dev/kvm:/dev/kvm:rwm\", \"/dev/snd:/dev/snd:rw\", \"/dev/a:/dev/a:r\"]");
	helper_assert_left_out(K("devices: [/etc/x]"), "t:6:15: error: the path of a device begins with /dev/");
	helper_assert_left_out(K("devices: ['/dev/x:/dev/y:rx']"), "\"rx\" are not permissions of a device");
	helper_assert_left_out(K("devices: ['/dev/../etc']"), "the path of a device begins with /dev/");
	helper_assert_left_out(K("devices: [vendor.com/gpu=0]"), "CDI devices are not supported");
	good(K("device_cgroup_rules: ['c 1:3 mr', 'a 7:* rmw']"), "\"device_cgroup_rules\": [\"c 1:3 mr\", \"a 7:* rmw\"]");
	helper_assert_left_out(K("device_cgroup_rules: ['c 1:3']"), "is not a rule for devices");
	good(K("group_add: [audio, 42]"), "\"group_add\": [\"audio\", \"42\"]");
	helper_assert_left_out(K("group_add: ['a:b']"), "\"a:b\" is not a group");
	good(K("pid: host") K("ipc: host") K("uts: host") K("cgroup: host") K("userns_mode: host"), "\"pid\": \"host\",\n   \"ipc\": \"host\",\n   \"uts\": \"host\",\n   \"cgroup\": \"host\"");
	good(K("ipc: shareable") K("cgroup: private"), "\"name\"");
	helper_assert_left_out(K("pid: 'service:x'"), "sharing with another container is not supported yet");
	helper_assert_left_out(K("uts: host") K("hostname: x"), "would be the machine's");
	good(K("annotations: {a: b}"), "\"annotations\": {\"a\": \"b\"}");
	helper_assert_left_out(K("annotations: [org.coracle.seccomp=x]"), "is the system's own");
	warned(K("init: true"), "t:6:11: warning: init is not supported yet by Coracle; the container runs without it");
	good(K("init: false") K("stdin_open: yes") K("domainname: example.org"), "\"stdin_open\": true,\n   \"domainname\": \"example.org\"");
}

static void names_and_addresses(void **state)
{
	(void)state;
	good(K("dns: 1.1.1.1"), "\"dns\": [\"1.1.1.1\"]");
	good(K("dns: [1.1.1.1, '::1']") K("dns_search: a.example") K("dns_opt: ['ndots:3']"), "\"dns_search\": [\"a.example\"],\n   \"dns_opt\": [\"ndots:3\"]");
	helper_assert_left_out(K("dns: [1.1.1]"), "t:6:11: error: \"1.1.1\" is not an address");
	helper_assert_left_out(K("dns_search: [\"a\\nnameserver 1\"]"), "line breaks and control characters are not allowed");
	helper_assert_left_out(K("dns_search: ['a b']"), "is not a word for resolv.conf");
	helper_assert_left_out(K("dns: 1.1.1.1") K("network_mode: none"), "network_mode none asks no name server");
	good(K("extra_hosts: ['a=1.2.3.4', 'b:1.2.3.4', 'c:::1', 'd=[::1]', 'e=host-gateway']"),
	     "\"extra_hosts\": [\"a=1.2.3.4\", \"b=1.2.3.4\", \"c=::1\", \"d=::1\", \"e=127.0.0.1\"]");
	good(K("extra_hosts: {a: 1.2.3.4, b: ['::1', 1.2.3.4]}"), "\"extra_hosts\": [\"a=1.2.3.4\", \"b=::1\", \"b=1.2.3.4\"]");
	helper_assert_left_out(K("extra_hosts: ['a b=1.2.3.4']"), "is not NAME=ADDRESS");
	helper_assert_left_out(K("extra_hosts: [a]"), "t:6:19: error: \"a\" is not NAME=ADDRESS");
	helper_assert_left_out(K("network_mode: 'service:db'"), "the network of another container cannot be shared");
	helper_assert_left_out(K("ports: ['80-81:80-82']"), "t:6:13: error: the port \"80-81:80-82\" cannot be used: its two ranges are not of the same length");
	helper_assert_left_out(K("ports: ['1.2.3:80:80']"), "its address is not one");
	helper_assert_left_out(K("ports: ['[::1:80:80']"), "its address is not closed by ]");
	helper_assert_left_out(K("ports: ['[::1]:80:80/tcp']"), "it publishes on one address only");
	helper_assert_left_out(K("ports: [{target: 80-81, published: 80}]"), "its target is a number");
	helper_assert_left_out(K("ports: [{target: 80, published: 80, mode: x}]"), "its mode is not host or ingress");
	good(K("expose: [80, '90/udp']") K("platform: linux/amd64") K("pull_policy: if_not_present") K("logging: {driver: json-file}"), "\"pull_policy\": \"missing\"");
	helper_assert_left_out(K("platform: linux/arm64"), "\"linux/arm64\" is not the platform of this machine");
	warned(K("pull_policy: always"), "t:6:18: warning: the pull policy \"always\" is not supported yet");
	helper_assert_left_out(K("pull_policy: soon"), "is not a pull policy");
}

static void health(void **state)
{
	const struct compose_service *s = helper_service(K("healthcheck: {test: curl x, interval: 1m30s, timeout: 10s, retries: 5, start_period: 40s}"));

	(void)state;
	assert_false(s->broken);
	assert_int_equal(s->health.interval_ms, 90000);
	assert_int_equal(s->health.retries, 5);
	assert_string_equal(s->health.test.v[0], "CMD-SHELL");
	assert_string_equal(s->health.test.v[1], "curl x");
	good(K("healthcheck: {disable: true}"), "\"healthcheck\": {\"test\": [\"NONE\"]");
	good(K("healthcheck: {test: [NONE]}"), "\"healthcheck\": {\"test\": [\"NONE\"]");
	helper_assert_left_out(K("healthcheck: {test: [curl, x]}"), "t:6:25: error: this is not a test of a healthcheck");
	helper_assert_left_out(K("healthcheck: {test: x, intervall: 3s}"), "did you mean \"interval\"?");
	helper_assert_left_out(K("healthcheck: {retries: many}"), "is not a whole number");
	helper_assert_left_out(K("healthcheck: {interval: 3}"), "\"3\" is not a duration");
}

static const struct compose *document(const char *text)
{
	return &helper_config(text)->compose;
}

static void secrets(void **state)
{
	const struct compose *c = document("#cloud-config\nservices:\n  s:\n    image: i\n    secrets: [a, {source: b, target: bb, uid: '7', mode: 0400}, {source: a, target: /etc/a}]\n"
					   "    configs: [k]\nsecrets: {a: {content: 'x$$y'}, b: {content: z}}\nconfigs: {k: {file: /etc/k}}\n");
	const struct compose_mount *m = c->services->volumes;

	(void)state;
	assert_problems("");
	assert_string_equal(m->target, "/run/secrets/a");
	assert_string_equal(m->source, "/run/coracle/secrets/s.0");
	assert_true(m->read_only);
	m = m->next;
	assert_string_equal(m->target, "/run/secrets/bb");
	m = m->next;
	assert_string_equal(m->target, "/etc/a");
	m = m->next;
	assert_string_equal(m->target, "/k");
	assert_string_equal(m->source, "/etc/k");
	for (const struct compose_file *f = c->files; f; f = f->next) {
		if (!strcmp(f->path, "/run/coracle/secrets/s.1"))
			assert_true(f->mode == 0400 && !strcmp(f->uid, "7") && !strcmp(f->content, "z"));
		if (!strcmp(f->path, "/run/coracle/secrets/s.0"))
			assert_true(f->mode == 0444 && !strcmp(f->content, "x$y"));
	}
	document("#cloud-config\nservices:\n  s: {image: i, secrets: [tokn]}\nsecrets: {token: {content: x}}\n");
	helper_assert_mentions("t:3:27: error: the secret \"tokn\" is not declared (did you mean \"token\"?)");
	helper_assert_mentions("t:3:3: error: the service \"s\" is left out, because it would miss a secret or config");
	document("#cloud-config\nsecrets: {a: {external: true}, b: {environment: X}, c: {}, d: {file: /x, content: y}, e: text}\n");
	helper_assert_mentions("t:2:25: error: nothing keeps secrets outside of the document");
	helper_assert_mentions("there is no environment at boot to take a secret from");
	helper_assert_mentions("\"c\" needs content or file, and not both");
	helper_assert_mentions("\"d\" needs content or file, and not both");
	helper_assert_mentions("a secret or config is a mapping, not text");
	document("#cloud-config\nservices:\n  s: {image: i, secrets: [{source: a, mode: 9}], configs: [{source: a, target: ../x}]}\n");
	helper_assert_mentions("\"9\" are not permissions");
	helper_assert_mentions("\"../x\" cannot be its target");
}

static void networks(void **state)
{
	(void)state;
	document("#cloud-config\nservices:\n  s: {image: i, networks: {bakc: {aliases: [x], ipv4_address: 1.2}}}\n"
		 "networks:\n  back: {driver: bridge, ipam: {config: [{subnet: 10.0.0.0/8, gateway: x}, {subnet: 10.0.0.0}]}, intrnal: true}\n");
	helper_assert_mentions("t:3:28: error: the network \"bakc\" is not declared (did you mean \"back\"?)");
	helper_assert_mentions("\"1.2\" is not an address");
	helper_assert_mentions("t:5:72: error: \"x\" is not an address");
	helper_assert_mentions("\"10.0.0.0\" is not a subnet");
	helper_assert_mentions("unknown key \"intrnal\" in a network (did you mean \"internal\"?)");
	helper_assert_mentions("there are no bridge networks yet; \"s\" is left out");
	document("#cloud-config\ncontainers: {include: [x.yaml]}\n");
	helper_assert_mentions("t:2:14: error: \"include\" is not supported: there is no other file here");
}

static void onboot(void **state)
{
	const struct compose *c = document("#cloud-config\nservices:\n  late: {image: i}\n  one: {image: i, x-onboot: true}\n  two: {image: i, x-onboot: true}\n");
	const struct compose_service *s = c->services;

	(void)state;
	assert_problems("");
	assert_string_equal(s->depends_on->name, "two");
	assert_string_equal(s->depends_on->condition, "service_completed_successfully");
	assert_null(s->next->depends_on);
	assert_string_equal(s->next->next->depends_on->name, "one");
	document("#cloud-config\nservices:\n  one: {image: i, x-onboot: true, restart: always}\n");
	helper_assert_mentions("t:3:3: error: \"one\" has x-onboot, so it runs once (remove restart)");
}

static void fragments(void **state)
{
	const struct compose_service *s = helper_service(K("<<: [{mem_limit: 64m, environment: {A: 1}}, {mem_limit: 32m, tty: true}]"));

	(void)state;
	assert_problems("");
	assert_int_equal(s->limits.mem_limit, 64 << 20);
	assert_true(s->tty);
	document("#cloud-config\ncontainers:\n  x-base: &base {image: i, restart: always, nonsense: 1}\n  services:\n    a: {<<: *base}\n");
	helper_assert_mentions("t:3:45: error: unknown key \"nonsense\" in the service \"a\"");
}

static void env_file(void **state)
{
	static const char text[] = "# comment\n\nA=1\nexport B = \nB=two words # comment\nC='a # b'\nD=\"x\\ny\\\"\" # c\nE=\r\nF=a#b\n";
	struct run *r = helper_run();
	struct source source = { "f.env", text, sizeof(text) - 1 };
	struct strings out = { NULL, 0 };
	static const char *const want[] = { "A=1", "B=two words", "C=a # b", "D=x\ny\"", "E=", "F=a#b" };

	(void)state;
	assert_int_equal(env_file_read(&r->ctx, &source, false, &out), -EINVAL);
	assert_problems("f.env:4:1: error: this line does not set a variable (NAME=VALUE)\n");
	assert_int_equal(out.n, ARRAY_SIZE(want));
	for (size_t i = 0; i < out.n; i++)
		assert_string_equal(out.v[i], want[i]);
	out.n = 0;
	source = (struct source){ "f.env", "A='x\nB=${C}\nD='x' y\n=1\n", 23 };
	r = helper_run();
	assert_int_equal(env_file_read(&r->ctx, &source, false, &out), -EINVAL);
	assert_problems("f.env:1:1: error: a quote is not closed in this line\n"
			"f.env:2:1: error: variables are not replaced in an env_file (in '...' it is taken as it is)\n"
			"f.env:3:1: error: there is text after the closing quote\nf.env:4:1: error: this line does not set a variable (NAME=VALUE)\n");
	helper_assert_left_out(K("env_file: etc/x"), "t:6:15: error: the path \"etc/x\" is relative");
	helper_assert_left_out(K("env_file: [{path: /x, format: y}]"), "\"y\" is not a format of an env_file");
	helper_assert_left_out(K("env_file: [{required: false}]"), "an env_file needs a path");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory), cmocka_unit_test(processors), cmocka_unit_test(processes), cmocka_unit_test(deploy),
		cmocka_unit_test(security), cmocka_unit_test(names_and_addresses), cmocka_unit_test(health), cmocka_unit_test(secrets),
		cmocka_unit_test(networks), cmocka_unit_test(onboot), cmocka_unit_test(fragments), cmocka_unit_test(env_file),
	};

	return helper_run_tests(tests);
}
