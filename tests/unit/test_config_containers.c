/* test_config_containers.c - containers in other forms than Compose: Quadlet, Ignition, Pod, GCE, RancherOS, files of /etc/compose.d. What each
 * becomes, and the place of each mistake. */
#include "config_helper.h"

#include <string.h>

#include "init/config/containers/containers.h"
#include "init/config/containers/ignition.h"
#include "init/config/containers/pod.h"
#include "init/config/containers/unit.h"

static struct config *config;

/* Files that write_files would write. */
static void written(const char *const *pairs)
{
	struct run *r = helper_run();

	config_init(&r->config);
	for (struct config_file **tail = &r->config.files; *pairs; pairs += 2, tail = &(*tail)->next) {
		*tail = ARENA_NEW(&r->arena, struct config_file);
		**tail = (struct config_file){ .path = pairs[0], .content = pairs[1], .len = strlen(pairs[1]), .user = "root" };
	}
	config_finish(&r->ctx, &r->config);
	config = &r->config;
}

static void one_file(const char *path, const char *text)
{
	written((const char *const[]){ path, text, NULL });
}

typedef int reader(struct ctx *ctx, const struct source *source, struct config *c);

static int document(reader *read, const char *text)
{
	struct run *r = helper_run();
	struct source *s = ARENA_NEW(&r->arena, struct source);
	int result;

	config_init(&r->config);
	*s = (struct source){ "t", text, strlen(text) };
	result = read(&r->ctx, s, &r->config);
	config_finish(&r->ctx, &r->config);
	config = &r->config;
	return result;
}

static const struct compose_service *service(const char *name)
{
	for (const struct compose_service *s = config->compose.services; s; s = s->next)
		if (!strcmp(s->name, name))
			return s;
	fail_msg("no service %s: %s", name, helper_problems());
	return NULL;
}

static void assert_json(const char *name, const char *part)
{
	CLEANUP_BUF struct buf b = { 0 };
	struct compose_service copy = *service(name);
	struct compose c = { .services = &copy };

	copy.next = NULL;
	buf_init(&b, 65536);
	compose_write_json(&c, &b);
	if (!strstr(b.data, part))
		fail_msg("%s is not in %s\n%s", part, b.data, helper_problems());
}

#define QUADLET "/etc/containers/systemd/web.container"

static void quadlet(void **state)
{
	(void)state;
	written((const char *const[]){
		QUADLET, "# a comment\n[Unit]\nRequires=db.service\nAfter=network-online.target db.service\n\n[Container]\nImage=nginx:1.27\nExec=serve \"a b\" \\\n  %%x\n"
			 "Environment=TZ=UTC \"X=a b\"\nEnvironment=Y=%p\nPublishPort=80:80\nVolume=site.volume:/srv:ro\nVolume=plain:/plain\nMount=type=tmpfs,dst=/t,tmpfs-size=1m\n"
			 "User=7\nGroup=8\nAddCapability=NET_ADMIN SYS_TIME\nDropCapability=all\nLabel=a=b\nUlimit=nofile=10:20\nSysctl=kernel.shmmax=1\nReadOnly=true\n"
			 "NoNewPrivileges=true\nMask=/a:/b\nPidsLimit=5\nShmSize=1m\nStopTimeout=5\nNetwork=host\nAddHost=db:10.0.0.1\nHostName=h\n"
			 "[Service]\nRestart=on-failure\nTimeoutStopSec=1min 5s\n[Install]\nWantedBy=default.target\n",
		"/etc/containers/systemd/db.container", "[Container]\nImage=redis\nContainerName=db\nEntrypoint=[\"/r\", \"x\"]\n[Install]\nWantedBy=multi-user.target\n",
		"/etc/containers/systemd/site.volume", "[Volume]\nVolumeName=stuff\n", NULL });
	assert_problems("");
	assert_json("web", "\"container_name\": \"systemd-web\"");
	assert_json("web", "\"command\": [\"serve\", \"a b\", \"%x\"]");
	assert_json("web", "\"environment\": [\"TZ=UTC\", \"X=a b\", \"Y=web\"]");
	assert_json("web", "\"user\": \"7:8\"");
	assert_json("web", "\"source\": \"stuff\", \"target\": \"/srv\", \"read_only\": true");
	assert_json("web", "\"source\": \"plain\"");
	assert_json("web", "\"options\": [\"size=1m\"]");
	assert_json("web", "\"cap_add\": [\"NET_ADMIN\", \"SYS_TIME\"],\n   \"cap_drop\": [\"ALL\"]");
	assert_json("web", "\"ulimits\": [\"nofile=10:20\"]");
	assert_json("web", "{\"target\": \"/var/tmp\", \"options\": []}");
	assert_json("web", "\"security_opt\": [\"no-new-privileges\", \"mask=/a\", \"mask=/b\"]");
	assert_json("web", "\"policy\": \"on-failure\"");
	assert_json("web", "\"stop_grace_period_ms\": 65000");
	assert_json("web", "{\"name\": \"db\", \"condition\": \"service_started\", \"required\": true}");
	assert_json("db", "\"container_name\": \"db\"");
	assert_json("db", "\"entrypoint\": [\"/r\", \"x\"]");
}

static void quadlet_mistakes(void **state)
{
	static const struct { const char *text, *mentions; } cases[] = {
		{ "[Container]\nImgae=x\n", QUADLET ":2:7: error: unknown key \"Imgae\" in [Container] (did you mean Image?)" },
		{ "[Container]\n  PodmanArgs = --x\n", QUADLET ":2:16: error: PodmanArgs= is not supported by Coracle" },
		{ "[Container]\nImage=x\nUserNS=auto\n", QUADLET ":3:8: error: UserNS= is not supported" },
		{ "[Container]\nImage=x\nPublishPort=8080:80\n", QUADLET ":3:13: error: the port \"8080:80\" cannot be used: it changes the port" },
		{ "[Container]\nImage=x\nEnvironment=\"A=b\n", QUADLET ":3:13: error: a quote is not closed" },
		{ "[Container]\nImage=x\nExec=a\\q\n", QUADLET ":3:6: error: a backslash is followed by what is no escape" },
		{ "[Container]\nImage=x\nVolume=%h/a:/b\n", QUADLET ":3:8: error: the specifier %h is not supported" },
		{ "[Container]\nImage=x.image\n", "units for images are not supported" },
		{ "[Container]\nImage=x\nNetwork=my.network\n", QUADLET ":3:9: error: the network_mode \"my.network\" is not supported yet" },
		{ "[Container]\nImage=x\nSecret=tok\n", QUADLET ":3:8: error: the secret \"tok\" is not declared" },
		{ "[Container]\nImage=x\nMount=type=glob,src=/a\n", "\"glob\" is not a type of volume" },
		{ "[Container]\nImage=x\nAddDevice=-/dev/x\n", "a device that may be missing" },
		{ "[Container]\nImage=x\n[Servce]\nA=b\n", QUADLET ":4:3: error: the section [Servce] does not belong here" },
		{ "[Container]\nImage=x\n[Service]\nRestart=maybe\n", QUADLET ":4:9: error: Restart=\"maybe\" is not supported" },
		{ "[Container]\nImage=x\n[Service]\nExecStartPre=/bin/x\n", QUADLET ":4:14: error: ExecStartPre= in [Service] is not supported" },
		{ "[Unit]\nConditionPathExists=/x\n[Container]\nImage=x\n", QUADLET ":2:21: error: ConditionPathExists= in [Unit] is not supported" },
		{ "[Unit]\nRequires=nosuch.service\n[Container]\nImage=x\n", QUADLET ":2:10: error: Requires=\"nosuch.service\": there is no such container" },
		{ "Image=x\n", QUADLET ":1:1: error: a section must come first" },
		{ "[Container\nImage=x\n", QUADLET ":1:1: error: this is not the name of a section" },
		{ "[Container]\nnonsense\n", QUADLET ":2:1: error: \"nonsense\" does not set a key" },
		{ "[Unit]\nDescription=x\n", "there is no section [Container]" },
		{ "[Container]\nExec=x\n", "the service \"web\" has no image" },
		{ "", "web.container is empty" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		one_file(QUADLET, cases[i].text);
		helper_assert_mentions(cases[i].mentions);
		for (const struct compose_service *s = config->compose.services; s; s = s->next)
			if (!s->broken)
				fail_msg("not left out: %s", cases[i].text);
	}
	one_file(QUADLET, "[Container]\nImage=x\nNotify=healthy\nAutoUpdate=registry\n");
	helper_assert_mentions(QUADLET ":3:8: warning: Notify= is not supported yet");
	helper_assert_mentions(QUADLET ":4:12: warning: AutoUpdate= is not supported");
	helper_assert_mentions("web.container has no [Install]");
	assert_false(service("web")->broken);
	one_file("/etc/containers/systemd/x.pod", "[Pod]\n");
	helper_assert_mentions("x.pod: of Quadlet files, Coracle reads .container and .volume");
	one_file("/etc/containers/systemd/x@.container", "[Container]\n");
	helper_assert_mentions("templates are not supported");
	one_file("/etc/containers/systemd/web.container.d/10-more.conf", "[Container]\nImage=i\n");
	helper_assert_mentions("10-more.conf is a drop-in, which is not read");
	one_file("/etc/containers/systemd/x.network", "[Network]\n");
	helper_assert_mentions("there are no bridge networks yet");
	one_file("/etc/containers/systemd/sub/x.container", "[Container]\n");
	assert_problems("");
}

static void compose_files(void **state)
{
	(void)state;
	written((const char *const[]){ "/etc/compose.d/a.yaml", "services: {a: {image: i, depends_on: [b]}}\n", "/etc/compose.d/b.yml", "services:\n  b: {image: i}\n",
				       "/etc/compose.d/readme.txt", "nothing", NULL });
	assert_problems("");
	assert_string_equal(service("a")->depends_on->name, "b");
	one_file("/etc/compose.d/a.yaml", "services:\n  a: {image: i, comand: x}\n");
	helper_assert_mentions("/etc/compose.d/a.yaml:2:17: error: unknown key \"comand\"");
	one_file("/etc/compose.d/a.yaml", "- a\n");
	helper_assert_mentions("a Compose document is a mapping, not a list");
}

#define POD "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n"

static void pod(void **state)
{
	(void)state;
	assert_int_equal(document(pod_read, POD "  restartPolicy: OnFailure\n  hostNetwork: true\n  volumes: [{name: h, hostPath: {path: /etc/web, type: Directory}}, {name: e, emptyDir: {}}, {name: m, emptyDir: {medium: Memory}}]\n"
		"  securityContext: {runAsUser: 5, supplementalGroups: [7]}\n  hostAliases: [{ip: 10.0.0.1, hostnames: [db]}]\n"
		"  initContainers: [{name: first, image: busybox}]\n  containers:\n  - name: web\n    image: nginx\n    command: [a, $(TZ), $(NO), $$(TZ)]\n    args: [b]\n"
		"    env: [{name: TZ, value: UTC}, {name: E}]\n    ports: [{containerPort: 80, hostPort: 80}, {containerPort: 9}]\n    workingDir: /w\n"
		"    volumeMounts: [{name: h, mountPath: /a, readOnly: true}, {name: e, mountPath: /e}, {name: m, mountPath: /m}]\n"
		"    resources: {limits: {cpu: 250m, memory: 64Mi}, requests: {memory: 1M}}\n"
		"    securityContext: {privileged: false, runAsGroup: 6, readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: {add: [NET_ADMIN], drop: [ALL]}}\n"
		"    tty: true\n    stdin: true\n  - {name: side, image: redis}\n"), 0);
	assert_problems("");
	assert_json("web", "\"command\": [\"b\"],\n   \"entrypoint\": [\"a\", \"UTC\", \"$(NO)\", \"$(TZ)\"]");
	assert_json("web", "\"environment\": [\"TZ=UTC\", \"E=\"]");
	assert_json("web", "\"user\": \"5:6\"");
	assert_json("web", "\"source\": \"/etc/web\", \"target\": \"/a\", \"read_only\": true, \"options\": [\"nocreate\"]");
	assert_json("web", "{\"type\": \"volume\", \"source\": \"web-e\", \"target\": \"/e\", \"read_only\": false, \"options\": [\"nocopy\"]}");
	assert_json("web", "\"source\": \"/run/coracle/empty/web-m\"");
	assert_json("web", "\"policy\": \"on-failure\"");
	assert_json("web", "\"mem_limit\": 67108864,\n   \"mem_reservation\": 1000000,\n   \"cpu_quota\": 25000");
	assert_json("web", "\"group_add\": [\"7\"]");
	assert_json("web", "\"extra_hosts\": [\"db=10.0.0.1\"]");
	assert_json("web", "{\"name\": \"web-first\", \"condition\": \"service_completed_successfully\", \"required\": true}");
	assert_json("web", "\"read_only\": true");
	assert_json("web", "\"stop_grace_period_ms\": 30000");
	assert_json("web-side", "\"user\": \"5\"");
	assert_json("web-first", "\"policy\": \"no\"");
}

static void pod_mistakes(void **state)
{
	static const struct { const char *text, *mentions; } cases[] = {
		{ POD "  containers: [{name: a, image: x, lifecycle: {postStart: {}}}]\n", "t:5:36: error: \"lifecycle\" in a container is not supported" },
		{ POD "  containrs: []\n", "t:5:3: error: \"containrs\" in the spec of a pod is not supported by Coracle (did you mean \"containers\"?)" },
		{ POD "  containers: [{name: a, image: x, ports: [{containerPort: 80, hostPort: 8080}]}]\n", "t:5:74: error: the port \"8080:80/tcp\" cannot be used: it changes the port" },
		{ POD "  containers: [{name: a, image: x, volumeMounts: [{name: q, mountPath: /x}]}]\n", "t:5:58: error: the pod has no volume \"q\"" },
		{ POD "  containers: [{name: a, image: x, env: [{name: A, valueFrom: {x: y}}]}]\n", "valueFrom is not supported" },
		{ POD "  containers: [{name: a, image: x, resources: {limits: {memory: lots}}}]\n", "t:5:65: error: this is not a quantity" },
		{ POD "  containers: [{name: a, image: x, securityContext: {runAsNonRoot: true}}]\n", "\"runAsNonRoot\" in securityContext is not supported" },
		{ POD "  containers: [{image: x}]\n", "a container needs a name" },
		{ POD "  containers: [{name: a, image: x}]\n  restartPolicy: Sometimes\n", "t:6:18: error: \"Sometimes\" is not a restartPolicy" },
		{ POD "  containers: [{name: a, image: x, volumeMounts: [{name: q, mountPath: /x}]}]\n  volumes: [{name: q, nfs: {}}]\n", "the kind of the volume \"q\" is not supported" },
		{ "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\nspec: {}\n", "t:2:7: error: of Kubernetes' kinds, Coracle runs a Pod only" },
		{ "apiVersion: v1\nkind: Pod\nspec: {containers: [{name: a, image: x}]}\n", "a pod needs metadata" },
		{ POD "  containers: []\n", "a pod needs containers" },
		{ "apiVersion: v1\nkind: Pod\nmetadata: {name: w}\n", "a pod needs a mapping spec" },
		{ "[a]", "a pod is a mapping, not a list" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		document(pod_read, cases[i].text);
		helper_assert_mentions(cases[i].mentions);
		for (const struct compose_service *s = config->compose.services; s; s = s->next)
			if (!s->broken)
				fail_msg("not left out: %s", cases[i].text);
	}
}

static void quantities(void **state)
{
	static const struct { const char *text; int64_t milli; } good[] = {
		{ "1", 1000 }, { "500m", 500 }, { "0.5", 500 }, { "1.5", 1500 }, { "128Mi", (int64_t)128 << 20 }, { "1G", 1000000000 }, { "1k", 1000 },
	};
	static const char *const bad[] = { "", "x", "1x", "1 Gi", "-1", "1e3x", "9999999999999999", "999999999999Ti" };
	int64_t n;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(pod_quantity(good[i].text, &n), 0);
		assert_int_equal(n, i < 4 ? good[i].milli : good[i].milli * 1000);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_true(pod_quantity(bad[i], &n) < 0);
}

static void gce(void **state)
{
	(void)state;
	assert_int_equal(document(gce_declaration_read, "spec:\n  containers:\n  - name: app\n    image: gcr.io/a/b:1\n    command: [/x]\n    args: [y]\n    env: [{name: A, value: b}]\n"
		"    securityContext: {privileged: true}\n    stdin: false\n    tty: true\n    volumeMounts: [{name: v, mountPath: /v, readOnly: false}]\n"
		"  volumes: [{name: v, hostPath: {path: /srv/v}}]\n  restartPolicy: Always\n"), 0);
	assert_problems("");
	assert_json("app", "\"image\": \"gcr.io/a/b:1\"");
	assert_json("app", "\"privileged\": true");
	assert_json("app", "\"policy\": \"always\"");
	assert_json("app", "\"source\": \"/srv/v\"");
	document(gce_declaration_read, "spec: {containers: [{image: a}, {image: b}]}\n");
	helper_assert_mentions("t:1:20: error: a declaration has exactly one container, not 2");
	document(gce_declaration_read, "spec: {containers: [{name: a, image: a, volumeMounts: [{name: d, mountPath: /d}]}], volumes: [{name: d, gcePersistentDisk: {}}]}\n");
	helper_assert_mentions("the kind of the volume \"d\" is not supported by Coracle (hostPath or emptyDir)");
}

#define IGNITION "{\"ignition\": {\"version\": \"3.4.0\"}, "

static void ignition(void **state)
{
	const struct config_file *f;

	(void)state;
	assert_int_equal(document(ignition_read, IGNITION "\"storage\": {\"directories\": [{\"path\": \"/d\", \"mode\": 448}],\n"
		"\"files\": [{\"path\": \"/a\", \"mode\": 384, \"user\": {\"name\": \"core\"}, \"group\": {\"id\": 5}, \"contents\": {\"source\": \"data:,a%20b%0A\"}},\n"
		"{\"path\": \"/b\", \"contents\": {\"source\": \"data:text/plain;charset=utf-8;base64,aGVsbG8K\"}, \"append\": [{\"source\": \"data:,x\"}]},\n"
		"{\"path\": \"/c\", \"contents\": {\"source\": \"https://example.org/c\"}}],\n"
		"\"links\": [{\"path\": \"/l\", \"target\": \"a\"}]},\n\"systemd\": {\"units\": [\n"
		"{\"name\": \"web.service\", \"enabled\": true, \"contents\": \"[Unit]\\nAfter=docker.service\\n[Service]\\nEnvironment=TAG=1.27\\n"
		"ExecStartPre=-/usr/bin/docker rm -f web\\nExecStart=/usr/bin/docker run --rm -d --name web -p 80:80 -e TZ=UTC -m 64m --ulimit nofile=5:6 -it -v data:/data nginx:${TAG} $TAG 'a $B $$c ${TAG'\\n"
		"Restart=always\\n[Install]\\nWantedBy=multi-user.target\\n\"}]}}\n"), 0);
	assert_problems("");
	f = config->files;
	assert_true(!strcmp(f->path, "/a") && f->mode == 0600 && !strcmp(f->user, "core") && !strcmp(f->group, "5") && f->len == 4 && !memcmp(f->content, "a b\n", 4));
	f = f->next;
	assert_true(!strcmp(f->content, "hello\n") && !f->append && f->mode == 0644);
	f = f->next;
	assert_true(!strcmp(f->path, "/b") && f->append && !strcmp(f->content, "x"));
	assert_string_equal(f->next->url, "https://example.org/c");
	assert_true(config->tree.directories->mode == 0700 && !strcmp(config->tree.links->target, "a"));
	assert_json("web", "\"image\": \"docker.io/library/nginx:1.27\",\n   \"command\": [\"1.27\", \"a $B $c ${TAG\"]");
	assert_json("web", "\"tty\": true,\n   \"stdin_open\": true,\n   \"mem_limit\": 67108864");
	assert_json("web", "\"ulimits\": [\"nofile=5:6\"]");
	assert_json("web", "\"source\": \"data\"");
	document(ignition_read, IGNITION "\"passwd\": {\"users\": [{\"name\": \"core\", \"groups\": [\"wheel\"], \"passwordHash\": \"$6$abc$def\"}]}}");
	assert_string_equal(config->accounts.users->name, "core");
	assert_string_equal(config->accounts.users->groups.v[0], "wheel");
}

static void ignition_mistakes(void **state)
{
	static const struct { const char *text, *mentions; } cases[] = {
		{ "{\"ignition\": {\"version\": \"2.2.0\"}}", "t:1:26: error: the version \"2.2.0\" of Ignition is not supported" },
		{ "{\"ignition\": {}}", "an Ignition configuration says its version" },
		{ IGNITION "\"kernelArguments\": {\"shouldExist\": [\"x\"]}}", "t:1:36: error: \"kernelArguments\" in an Ignition configuration is not supported" },
		{ "{\"ignition\": {\"version\": \"3.0.0\", \"config\": {\"merge\": [{\"source\": \"http://x\"}]}}}", "\"config\" in ignition is not supported" },
		{ IGNITION "\"storage\": {\"filesystems\": [{}]}}", "\"filesystems\" in storage is not supported" },
		{ IGNITION "\"storage\": {\"files\": [{\"path\": \"a\"}]}}", "the path \"a\" is relative" },
		{ IGNITION "\"storage\": {\"files\": [{\"path\": \"/../a\"}]}}", "has \"..\" in it" },
		{ IGNITION "\"storage\": {\"files\": [{\"mode\": 1}]}}", "a file needs a path" },
		{ IGNITION "\"storage\": {\"files\": [{\"path\": \"/a\", \"mode\": \"0644x\"}]}}", "this is not a mode" },
		{ IGNITION "\"storage\": {\"files\": [{\"path\": \"/a\", \"mode\": 644}]}}", "warning: the mode 644 is decimal: it means 1204" },
		{ IGNITION "\"storage\": {\"files\": [{\"path\": \"/a\", \"contents\": {\"source\": \"s3://x\"}}]}}", "this kind of source is not supported" },
		{ IGNITION "\"storage\": {\"files\": [{\"path\": \"/a\", \"contents\": {\"source\": \"data:,%4\"}}]}}", "two hexadecimal digits follow %" },
		{ IGNITION "\"storage\": {\"files\": [{\"path\": \"/a\", \"contents\": {\"source\": \"data:;base64,?\"}}]}}", "the data: URL is not base64" },
		{ IGNITION "\"storage\": {\"files\": [{\"path\": \"/a\", \"contents\": {\"source\": \"data:x\"}}]}}", "has a comma before its text" },
		{ IGNITION "\"storage\": {\"files\": [{\"path\": \"/a\", \"contents\": {\"source\": \"data:,x\", \"compression\": \"gzip\"}}]}}", "the content of /a" },
		{ IGNITION "\"storage\": {\"files\": [{\"path\": \"/a\", \"contents\": {\"source\": \"data:,x\", \"verification\": {\"hash\": \"sha256-00\"}}}]}}", "the content has another hash" },
		{ IGNITION "\"storage\": {\"links\": [{\"path\": \"/a\", \"target\": \"b\", \"hard\": true}]}}", "hard links are not supported" },
		{ IGNITION "\"systemd\": {\"units\": [{\"name\": \"x.timer\", \"enabled\": true, \"contents\": \"[Timer]\"}]}}", "\"x.timer\": there is no systemd" },
		{ IGNITION "\"systemd\": {\"units\": [{\"name\": \"x.service\", \"enabled\": true, \"contents\": \"[Service]\\nExecStart=/bin/foo\\n\"}]}}",
		  "x.service:2:11: error: x.service: there is no systemd: ExecStart=\"/bin/foo\" is not supported" },
		{ IGNITION "\"systemd\": {\"units\": [{\"name\": \"x.service\", \"enabled\": true, \"contents\": \"[Service]\\nExecStart=docker run --memoyr 5m a\\n\"}]}}",
		  "x.service:2:11: error: the option \"--memoyr\" is not known to Coracle (did you mean --memory?)" },
		{ IGNITION "\"systemd\": {\"units\": [{\"name\": \"x.service\", \"enabled\": true, \"contents\": \"[Service]\\nExecStart=docker run -p\\n\"}]}}", "there is no value for \"-p\"" },
		{ IGNITION "\"systemd\": {\"units\": [{\"name\": \"x.service\", \"enabled\": true, \"contents\": \"[Service]\\nExecStart=docker run -d\\n\"}]}}", "the command names no image" },
		{ IGNITION "\"systemd\": {\"units\": [{\"name\": \"x.service\", \"enabled\": true, \"contents\": \"[Service]\\nExecStart=docker run ${X}\\n\"}]}}", "no value is known for ${X}" },
		{ IGNITION "\"systemd\": {\"units\": [{\"name\": \"x.service\", \"contents\": \"[Service]\\nExecStart=docker run x\\n\"}]}}", "warning: x.service is not enabled" },
		{ IGNITION "\"passwd\": {\"users\": [{\"name\": \"a\", \"shouldExist\": false}]}}", "removing a user is not supported" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		document(ignition_read, cases[i].text);
		helper_assert_mentions(cases[i].mentions);
		assert_null(config->compose.services);
	}
}

static void rancher(void **state)
{
	(void)state;
	config = helper_config("#cloud-config\nrancher:\n  services:\n    web:\n      image: nginx\n      net: host\n      ports: ['80:80']\n      volumes: ['data:/data', '/a:/b']\n"
			       "      restart: always\n      labels: {io.rancher.os.scope: system, io.rancher.os.after: 'db, network'}\n"
			       "    db: {image: redis, mem_limit: 64m, labels: [io.rancher.os.detach=false]}\n    pre: {image: busybox, labels: {io.rancher.os.before: web}}\n");
	assert_problems("");
	assert_json("web", "\"network_mode\": \"host\"");
	assert_json("web", "{\"name\": \"db\", \"condition\": \"service_completed_successfully\", \"required\": true}");
	assert_json("web", "{\"name\": \"pre\", \"condition\": \"service_started\", \"required\": true}");
	assert_json("db", "\"mem_limit\": 67108864");
	config = helper_config("#cloud-config\nrancher: {services: {a: {image: i, iamge: x}, b: text, c: {image: i, labels: {io.rancher.os.createonly: true}}}, docker: {x: y}, services_include: {z: true}}\n");
	helper_assert_mentions("t:2:36: error: unknown key \"iamge\" in the service \"a\" (did you mean \"image\"?)");
	helper_assert_mentions("the service \"b\" is a mapping, not text");
	helper_assert_mentions("c is not made: createonly");
	helper_assert_mentions("warning: \"docker\" in rancher is not supported");
	helper_assert_mentions("error: \"services_include\" in rancher is not supported");
}

static void kinds(void **state)
{
	static const char ign[] = " {\"ignition\": {}}", pod_text[] = "# my pod\napiVersion: v1\nkind: Pod\n", other[] = "#cloud-config\napiVersion: kind: Pod\n";

	(void)state;
	assert_true(ignition_detect(ign, sizeof(ign) - 1));
	assert_false(ignition_detect(pod_text, sizeof(pod_text) - 1));
	assert_true(pod_detect(pod_text, sizeof(pod_text) - 1));
	assert_false(pod_detect(other, sizeof(other) - 1));
	assert_false(pod_detect("", 0));
}

static void durations(void **state)
{
	uint64_t ms = 0;

	(void)state;
	assert_true(unit_duration("90", &ms) == 0 && ms == 90000);
	assert_true(unit_duration("1min 20s", &ms) == 0 && ms == 80000);
	assert_true(unit_duration("1h30min", &ms) == 0 && ms == 5400000);
	assert_true(unit_duration("500ms", &ms) == 0 && ms == 500);
	assert_true(unit_duration("infinity", &ms) < 0);
	assert_true(unit_duration("", &ms) < 0);
	assert_true(unit_duration("1 fortnight", &ms) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quadlet), cmocka_unit_test(quadlet_mistakes), cmocka_unit_test(compose_files), cmocka_unit_test(pod),
		cmocka_unit_test(pod_mistakes), cmocka_unit_test(quantities), cmocka_unit_test(gce), cmocka_unit_test(ignition),
		cmocka_unit_test(ignition_mistakes), cmocka_unit_test(rancher), cmocka_unit_test(kinds), cmocka_unit_test(durations),
	};

	return helper_run_tests(tests);
}
