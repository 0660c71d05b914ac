/* test_engine_create.c - bodies of create, detach keys, the rules of healthchecks; drives tests/fuzz/fuzz_create.c over its seeds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "fuzz_helper.h"
#include "runtime/engine/createbody.h"
#include "runtime/engine/detach.h"
#include "runtime/engine/healthcheck.h"

static struct arena mem;
static struct err err;

static int parse(struct create_body *x, const char *text)
{
	err = (struct err)ERR_INIT;
	return create_body_parse(&mem, text, strlen(text), x, &err);
}

static void refused(const char *host, unsigned status, const char *want)
{
	struct create_body x;
	char text[1024];

	snprintf(text, sizeof(text), "{\"Image\":\"i\",\"HostConfig\":{%s}}", host);
	assert_true(parse(&x, text) < 0);
	if (!strstr(err.text, want))
		print_error("%s: %s\n", host, err.text);
	assert_non_null(strstr(err.text, want));
	assert_int_equal(x.status, status);
}

static void takes_a_body(void **state)
{
	struct create_body x;

	(void)state;
	assert_int_equal(parse(&x, "{\"Image\":\"i\",\"Cmd\":[\"a\"],\"Entrypoint\":[\"\"],\"Volumes\":{\"/v\":{},\"/d\":{}},\"HostConfig\":{\"NetworkMode\":\"host\","
				   "\"NanoCpus\":500000000,\"Binds\":[\"data:/d/:ro,nocopy\"],\"ExtraHosts\":[\"a:2001:db8::1\"]}}"), 0);
	assert_non_null(x.svc.entrypoint);
	assert_null(x.svc.entrypoint[0]);
	assert_int_equal(x.svc.cpu_quota, 50000);
	assert_int_equal(x.svc.mount_count, 2);	/* the bind is where the volume would be */
	assert_string_equal(x.svc.mounts[0].target, "/d");
	assert_true(x.svc.mounts[0].read_only);
	assert_true(x.svc.mounts[1].anonymous);
	assert_string_equal(x.svc.extra_hosts[0], "a=2001:db8::1");
	assert_int_equal(x.svc.stop_grace_ms, 10000);
}

static void refuses_by_name(void **state)
{
	(void)state;
	refused("\"Memory\":1000", 400, "Minimum memory limit allowed is 6MB");
	refused("\"CgroupParent\":\"/x\"", 501, "CgroupParent");
	refused("\"Binds\":[\"/a:/b\",\"/c:/b\"]", 400, "Duplicate mount point: /b");
	refused("\"Binds\":[\"a b:/b\"]", 400, "includes invalid characters");
	refused("\"Binds\":[\"/a:/b:x\"]", 400, "invalid mode: x");
	refused("\"Binds\":[\"/a:/\"]", 400, "destination can't be '/'");
	refused("\"RestartPolicy\":{\"Name\":\"always\",\"MaximumRetryCount\":2}", 400, "maximum retry count");
	refused("\"SecurityOpt\":[\"seccomp={}\"]", 501, "seccomp");
	refused("\"LogConfig\":{\"Type\":\"syslog\"}", 501, "no log driver named 'syslog'");
	refused("\"Mounts\":[{\"Type\":\"bind\",\"Source\":\"x\",\"Target\":\"/t\"}]", 400, "mount path must be absolute");
}

static void detaches(void **state)
{
	struct detach d;
	size_t use;

	(void)state;
	assert_true(detach_parse(&d, NULL));
	assert_false(detach_scan(&d, "abc\x10", 4, &use));
	assert_int_equal(use, 4);
	assert_true(detach_scan(&d, "\x11", 1, &use));	/* the second key in another packet */
	assert_int_equal(use, 0);
	assert_false(detach_scan(&d, "\x10x\x11", 3, &use));
	assert_true(detach_scan(&d, "\x10\x10\x11", 3, &use));
	assert_true(detach_parse(&d, "a,ctrl-["));
	assert_false(detach_parse(&d, "ctrl-1"));
	assert_false(detach_parse(&d, "a,"));
}

static void healthcheck_rules(void **state)
{
	struct healthcheck h;
	struct health_state s = { .status = HEALTH_STARTING };

	(void)state;
	assert_true(healthcheck_parse(&mem, "{\"test\":[\"CMD\",\"true\"],\"start_period_ms\":1000,\"retries\":2}", &h));
	assert_string_equal(h.test[0], "true");
	assert_int_equal(healthcheck_delay(&h, &s, 500), 5000);		/* start interval */
	assert_int_equal(healthcheck_delay(&h, &s, 1500), 30000);
	assert_false(healthcheck_step(&h, &s, false, 500));		/* in the start period: does not count */
	assert_int_equal(s.streak, 0);
	assert_false(healthcheck_step(&h, &s, false, 1500));
	assert_true(healthcheck_step(&h, &s, false, 1600));
	assert_int_equal(s.status, HEALTH_UNHEALTHY);
	assert_true(healthcheck_step(&h, &s, true, 1700));
	assert_int_equal(s.status, HEALTH_HEALTHY);
	assert_false(healthcheck_step(&h, &s, false, 500));		/* once healthy, the start period is over */
	assert_int_equal(s.streak, 1);
	assert_false(healthcheck_parse(&mem, "{\"test\":[\"NONE\"]}", &h));
	assert_false(healthcheck_parse(&mem, NULL, &h));
}

static void seeds(void **state)
{
	(void)state;
	fuzz_seeds(&(struct fuzz_plan){
		.target = LLVMFuzzerTestOneInput, .folder = "tests/fuzz/corpus/create", .least = 4, .copies = 300, .beginnings = 60, .damage = fuzz_damage_text,
	});
}

static int set_up(void **state)
{
	(void)state;
	arena_init(&mem, 16u << 20);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_free(&mem);
	return 0;
}

int main(int argc, char **argv)
{
	static fuzz_target *const all[] = { LLVMFuzzerTestOneInput };
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_a_body), cmocka_unit_test(refuses_by_name), cmocka_unit_test(detaches), cmocka_unit_test(healthcheck_rules),
		cmocka_unit_test(seeds),
	};

	return argc == 1 ? cmocka_run_group_tests(tests, set_up, tear_down) : fuzz_files(argc, argv, all, 1);
}
