/* test_engine_service.c - strict reading of containers.json, merging with an image, capabilities. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yyjson.h>

#include "runtime/engine/bundle.h"
#include "runtime/engine/merge.h"
#include "runtime/engine/service.h"
#include "runtime/store/store.h"

static const char good[] =
	"{\"version\":1,\"project\":\"coracle\",\"services\":[{\"name\":\"web\",\"container_name\":\"web\","
	"\"image\":\"docker.io/library/nginx:1.27\",\"command\":null,\"entrypoint\":null,\"environment\":[\"A=b\",\"PATH=/x\"],"
	"\"working_dir\":null,\"user\":null,\"hostname\":null,\"volumes\":[{\"type\":\"volume\",\"source\":\"site\","
	"\"target\":\"/srv\",\"read_only\":true,\"options\":[]}],\"tmpfs\":[{\"target\":\"/tmp\",\"options\":[\"size=64m\"]}],"
	"\"read_only\":false,\"restart\":{\"policy\":\"on-failure\",\"max_retries\":3},\"depends_on\":[{\"name\":\"db\","
	"\"condition\":\"service_healthy\",\"required\":false}],\"network_mode\":\"host\",\"privileged\":false,\"cap_add\":[],"
	"\"cap_drop\":[],\"labels\":{\"k\":\"v\"},\"stop_signal\":null,\"stop_grace_period_ms\":10000,\"tty\":false,\"line\":12}],"
	"\"volumes\":[{\"name\":\"site\"}]}";

static int parse(const char *text, struct service_list *l, struct err *err)
{
	*err = (struct err)ERR_INIT;
	return service_list_parse(text, strlen(text), l, err);
}

/* The good text with one piece replaced must be refused with a message that holds want. */
static void refused(const char *from, const char *to, const char *want)
{
	const char *at = strstr(good, from);
	struct service_list l;
	struct err err;
	char text[4096];

	assert_non_null(at);
	snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - good), good, to, at + strlen(from));
	assert_true(parse(text, &l, &err) < 0);
	if (!strstr(err.text, want))
		print_error("%s -> %s: %s\n", from, to, err.text);
	assert_non_null(strstr(err.text, want));
	service_list_free(&l);
}

static void reads_all(void **state)
{
	struct service_list l;
	struct err err;

	(void)state;
	assert_int_equal(parse(good, &l, &err), 0);
	assert_int_equal(l.count, 1);
	assert_string_equal(l.v[0].image, "docker.io/library/nginx:1.27");
	assert_null(l.v[0].command);
	assert_int_equal(l.v[0].mount_count, 2);
	assert_true(l.v[0].mounts[0].read_only);
	assert_int_equal(l.v[0].mounts[1].type, MOUNT_TMPFS);
	assert_int_equal(l.v[0].restart.policy, RESTART_ON_FAILURE);
	assert_int_equal(l.v[0].restart.max_retries, 3);
	assert_int_equal(l.v[0].depends[0].condition, DEPEND_HEALTHY);
	assert_int_equal(l.v[0].stop_grace_ms, 10000);
	assert_int_equal(l.v[0].line, 12);
	assert_string_equal(l.v[0].labels[0], "k=v");
	assert_string_equal(l.volumes[0], "site");
	service_list_free(&l);
}

static void refuses_all_else(void **state)
{
	(void)state;
	refused("\"tty\":false,", "", "\"tty\" is missing");
	refused("\"tty\":false,", "\"tty\":1,", "\"tty\"");
	refused("\"tty\":false,", "\"tty\":false,\"extra\":1,", "unknown key \"extra\"");
	refused("\"project\"", "\"projekt\"", "unknown key \"projekt\"");
	refused("\"version\":1", "\"version\":2", "version");
	refused("\"policy\":\"on-failure\"", "\"policy\":\"maybe\"", "policy");
	refused("\"max_retries\":3", "\"max_retries\":-1", "max_retries");
	refused("service_healthy", "service_happy", "condition");
	refused("\"network_mode\":\"host\"", "\"network_mode\":\"bridge\"", "network_mode");
	refused("\"container_name\":\"web\"", "\"container_name\":\"a/b\"", "container_name");
	refused("\"target\":\"/srv\"", "\"target\":\"srv\"", "target");
	refused("\"source\":\"site\"", "\"source\":\"../site\"", "site");
	refused("\"type\":\"volume\"", "\"type\":\"bind\"", "absolute path");
	refused("\"A=b\"", "\"Ab\"", "environment");
	refused("\"labels\":{\"k\":\"v\"}", "\"labels\":[]", "labels");
	refused("\"stop_grace_period_ms\":10000", "\"stop_grace_period_ms\":\"10s\"", "stop_grace_period_ms");
	refused("}]}", "}]", "byte");
}

static void written_back_is_the_same(void **state)
{
	struct service_list l;
	struct service again;
	struct err err;
	CLEANUP_BUF struct buf a = { 0 }, b = { 0 };
	yyjson_doc *doc;

	(void)state;
	buf_init(&a, 65536);
	buf_init(&b, 65536);
	assert_int_equal(parse(good, &l, &err), 0);
	service_write(&a, &l.v[0], true);
	doc = yyjson_read(a.data, a.len, 0);
	assert_int_equal(service_parse(&l.mem, yyjson_doc_get_root(doc), &again, &err), 0);
	service_write(&b, &again, true);
	assert_string_equal(a.data, b.data);
	yyjson_doc_free(doc);
	service_list_free(&l);
}

static void image_fills_in(void **state)
{
	static const char config[] =
		"{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{\"Env\":[\"PATH=/bin\",\"LANG=C\"],\"Entrypoint\":[\"/ep\"],"
		"\"Cmd\":[\"serve\"],\"User\":\"web\",\"WorkingDir\":\"/app\",\"StopSignal\":\"SIGQUIT\",\"Labels\":{\"k\":\"image\",\"i\":\"1\"},"
		"\"Volumes\":{\"/data\":{},\"/srv\":{}},\"ExposedPorts\":{\"80/tcp\":{}}},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}";
	struct store_image *img = calloc(1, sizeof(*img));
	static char entry[] = "/mine";
	char *entrypoint[] = { entry, NULL };
	struct service_list l;
	struct service s;
	char **exposed;
	struct err err;

	(void)state;
	assert_int_equal(parse(good, &l, &err), 0);
	assert_int_equal(image_config_parse(config, sizeof(config) - 1, &img->config, &err), 0);
	assert_int_equal(merge_service(&l.mem, &l.v[0], img, &s, &exposed, &err), 0);
	assert_string_equal(s.entrypoint[0], "/ep");
	assert_string_equal(s.command[0], "serve");
	assert_string_equal(s.user, "web");
	assert_string_equal(s.working_dir, "/app");
	assert_string_equal(s.stop_signal, "SIGQUIT");
	assert_int_equal(strv_len(s.environment), 3);
	assert_string_equal(s.environment[0], "LANG=C");
	assert_string_equal(s.environment[2], "PATH=/x");
	assert_int_equal(strv_len(s.labels), 2);
	assert_string_equal(exposed[0], "80/tcp");
	assert_int_equal(s.mount_count, 3);	/* /srv is mounted already */
	assert_string_equal(s.mounts[2].target, "/data");
	assert_true(s.mounts[2].anonymous);
	l.v[0].entrypoint = entrypoint;
	assert_int_equal(merge_service(&l.mem, &l.v[0], img, &s, &exposed, &err), 0);
	assert_string_equal(s.entrypoint[0], "/mine");
	assert_int_equal(strv_len(s.command), 0);	/* an entrypoint clears the image's command */
	image_config_free(&img->config);
	free(img);
	service_list_free(&l);
}

static uint64_t caps(const char *add, const char *drop)
{
	char *a[] = { (char *)(uintptr_t)add, NULL }, *d[] = { (char *)(uintptr_t)drop, NULL };
	struct err err = ERR_INIT;
	uint64_t mask = 0;

	assert_int_equal(bundle_caps(a, d, &mask, &err), 0);
	return mask;
}

static void capabilities(void **state)
{
	static char nonsense[] = "CAP_NONSENSE";
	char *bad[] = { nonsense, NULL };
	struct err err = ERR_INIT;
	uint64_t mask;

	(void)state;
	assert_int_equal(caps(NULL, NULL), 0xa80425fb);	/* Docker's default */
	assert_int_equal(caps("SYS_ADMIN", NULL), 0xa80425fb | 1 << 21);
	assert_int_equal(caps(NULL, "cap_chown"), 0xa80425fa);
	assert_int_equal(caps("CHOWN", "ALL"), 1);
	assert_int_equal(caps("ALL", NULL), 0x1ffffffffff);
	assert_int_equal(caps("ALL", "CHOWN"), 0x1fffffffffe);
	assert_int_equal(bundle_caps(bad, NULL, &mask, &err), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_all), cmocka_unit_test(refuses_all_else), cmocka_unit_test(written_back_is_the_same),
		cmocka_unit_test(image_fills_in), cmocka_unit_test(capabilities),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
