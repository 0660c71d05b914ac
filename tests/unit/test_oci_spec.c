/* test_oci_spec.c - config.json: what is read, and that wrong values are named. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>
#include <cmocka.h>
#include "lib/sys.h"
#include "runtime/oci/spec.h"

static char file[] = "/tmp/oci-spec-XXXXXX";

static int load(struct spec *s, const char *json, struct err *err)
{
	int fd = open(file, O_WRONLY | O_TRUNC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, json, strlen(json)), strlen(json));
	close(fd);
	memset(s, 0, sizeof *s);
	err->text[0] = '\0';
	return spec_load(s, AT_FDCWD, file, err);
}

static void load_ok(struct spec *s, const char *json)
{
	struct err err = ERR_INIT;

	if (load(s, json, &err) < 0)
		fail_msg("%s", err.text);
}

static void load_bad(const char *json, const char *text)
{
	struct err err = ERR_INIT;
	struct spec s;

	assert_true(load(&s, json, &err) < 0);
	if (!strstr(err.text, text))
		fail_msg("\"%s\" has no \"%s\"", err.text, text);
	spec_free(&s);
}

#define BASE "\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"r\",\"readonly\":true}"

static void everything_is_read(void **state)
{
	struct spec s;

	(void)state;
	load_ok(&s, "{" BASE ",\"hostname\":\"h\",\"future\":{},\"annotations\":{\"a\":\"b\",\"org.coracle.seccomp\":\"default\"},"
		"\"process\":{\"args\":[\"x\",\"y\"],\"env\":null,\"cwd\":\"/w\",\"user\":{\"uid\":7,\"gid\":8,\"umask\":63,\"additionalGids\":[9]},"
		"\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"soft\":1,\"hard\":18446744073709551615}],\"noNewPrivileges\":true,\"oomScoreAdj\":-5,"
		"\"capabilities\":{\"bounding\":[\"CAP_KILL\",\"CAP_NEW\"]},\"ioPriority\":{\"class\":\"IOPRIO_CLASS_BE\",\"priority\":4}},"
		"\"mounts\":[{\"destination\":\"/p\",\"type\":\"proc\",\"source\":\"proc\",\"options\":[\"ro\"]},{\"destination\":\"q\"}],"
		"\"hooks\":{\"poststop\":[{\"path\":\"/bin/x\",\"args\":[\"x\"],\"timeout\":3}]},"
		"\"linux\":{\"namespaces\":[{\"type\":\"uts\"},{\"type\":\"network\",\"path\":\"/n\"}],\"rootfsPropagation\":\"rslave\","
		"\"cgroupsPath\":\"/a/b\",\"maskedPaths\":[\"/m\"],\"sysctl\":{\"net.x\":\"1\"},"
		"\"resources\":{\"memory\":{\"limit\":-1,\"swap\":5},\"pids\":{\"limit\":0},\"unified\":{\"memory.high\":\"1\"},"
		"\"devices\":[{\"allow\":true,\"type\":\"c\",\"major\":1,\"access\":\"rm\"}]},"
		"\"devices\":[{\"path\":\"/dev/x\",\"type\":\"b\",\"major\":8,\"minor\":1,\"fileMode\":384}]}}");
	assert_string_equal(s.version, "1.2.0");
	assert_true(s.root_readonly && s.seccomp_default && s.has_process && s.process.no_new_privs);
	assert_string_equal(s.process.args[1], "y");
	assert_null(s.process.args[2]);
	assert_null(s.process.env[0]);
	assert_int_equal(s.process.uid, 7);
	assert_int_equal(s.process.umask, 077);
	assert_int_equal(s.process.groups[0], 9);
	assert_int_equal(s.process.rlimits[0].resource, RLIMIT_NOFILE);
	assert_true(s.process.rlimits[0].hard == UINT64_MAX);
	assert_int_equal(s.process.oom_score_adj, -5);
	assert_int_equal(s.process.caps.bounding, 1 << 5);
	assert_int_equal(s.process.ioprio, 2 << 13 | 4);
	assert_int_equal(s.mounts_n, 2);
	assert_string_equal(s.mounts[0].options[0], "ro");
	assert_null(s.mounts[1].options[0]);
	assert_int_equal(s.hooks[HOOK_POSTSTOP].list[0].timeout, 3);
	assert_true(s.ns[NS_UTS].present && !s.ns[NS_UTS].path && !s.ns[NS_PID].present);
	assert_string_equal(s.ns[NS_NET].path, "/n");
	assert_int_equal(s.root_propagation, MS_SLAVE | MS_REC);
	assert_true(s.resources.has_mem_limit && s.resources.mem_limit == -1 && !s.resources.has_mem_reservation);
	assert_true(s.resources.has_pids && s.resources.pids == 0);
	assert_string_equal(s.resources.unified[0].key, "memory.high");
	assert_int_equal(s.resources.devices[0].access, 5);
	assert_int_equal(s.resources.devices[0].minor, -1);
	assert_int_equal(s.devices[0].mode, 0600);
	spec_free(&s);
}

static void wrong_values_are_named(void **state)
{
	static const struct { const char *json, *text; } CASES[] = {
		{ "{", "at byte" }, { "[]", "expected an object" }, { "{\"root\":{\"path\":\"r\"}}", "ociVersion: missing" },
		{ "{\"ociVersion\":\"2.0.0\",\"root\":{\"path\":\"r\"}}", "not a version 1.x" },
		{ "{\"ociVersion\":1}", "ociVersion: expected a string" }, { "{\"ociVersion\":\"1.0.0\"}", "root: missing" },
		{ "{\"ociVersion\":\"1.0.0\",\"root\":{}}", "root.path: missing" },
		{ "{" BASE ",\"hostname\":\"h\"}", "hostname: needs a uts namespace" },
		{ "{" BASE ",\"annotations\":{\"\":\"x\"}}", "empty key" }, { "{" BASE ",\"annotations\":{\"a\":1}}", "annotations.a: expected a string" },
		{ "{" BASE ",\"annotations\":{\"org.coracle.seccomp\":\"x\"}}", "not a built-in profile" },
		{ "{" BASE ",\"process\":{\"args\":[\"x\"],\"cwd\":\"w\"}}", "process.cwd: \"w\" is not an absolute path" },
		{ "{" BASE ",\"process\":{\"args\":[],\"cwd\":\"/\"}}", "process.args: must not be empty" },
		{ "{" BASE ",\"process\":{\"args\":[\"a\\u0000b\"],\"cwd\":\"/\"}}", "process.args[0]: expected a string without NUL" },
		{ "{" BASE ",\"process\":{\"args\":[1],\"cwd\":\"/\"}}", "process.args[0]" },
		{ "{" BASE ",\"process\":{\"cwd\":\"/\",\"oomScoreAdj\":1001}}", "process.oomScoreAdj: expected an integer from -1000 to 1000" },
		{ "{" BASE ",\"process\":{\"cwd\":\"/\",\"user\":{\"uid\":-1}}}", "process.user.uid" },
		{ "{" BASE ",\"process\":{\"cwd\":\"/\",\"rlimits\":[{\"type\":\"RLIMIT_CPU\"},{\"type\":\"RLIMIT_CPU\"}]}}", "RLIMIT_CPU is there twice" },
		{ "{" BASE ",\"mounts\":[{}]}", "mounts[].destination: missing" }, { "{" BASE ",\"mounts\":[1]}", "mounts[]: expected an object" },
		{ "{" BASE ",\"mounts\":[{\"destination\":\"/x\",\"uidMappings\":[{\"size\":1}]}]}", "must be given together" },
		{ "{" BASE ",\"hooks\":{\"prestart\":[{\"path\":\"x\"}]}}", "hooks.prestart[].path" },
		{ "{" BASE ",\"linux\":{\"namespaces\":[{\"type\":\"net\"}]}}", "unknown type \"net\"" },
		{ "{" BASE ",\"linux\":{\"namespaces\":[{\"type\":\"pid\",\"path\":\"x\"}]}}", "not absolute" },
		{ "{" BASE ",\"linux\":{\"namespaces\":[{\"type\":\"user\"}]}}", "needed by a new user namespace" },
		{ "{" BASE ",\"linux\":{\"rootfsPropagation\":\"x\"}}", "rootfsPropagation" },
		{ "{" BASE ",\"linux\":{\"devices\":[{\"path\":\"/x\",\"type\":\"cc\"}]}}", "unknown type \"cc\"" },
		{ "{" BASE ",\"linux\":{\"resources\":{\"devices\":[{\"type\":\"z\"}]}}}", "devices[].type" },
		{ "{" BASE ",\"linux\":{\"resources\":{\"devices\":[{\"access\":\"rx\"}]}}}", "unknown letter 'x'" },
		{ "{" BASE ",\"linux\":{\"resources\":{\"unified\":{\"../x.y\":\"1\"}}}}", "is not the name of a cgroup file" },
		{ "{" BASE ",\"linux\":{\"timeOffsets\":{\"boottime\":{\"secs\":1}}}}", "needs a new time namespace" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
		load_bad(CASES[i].json, CASES[i].text);
}

/* Every cut of a document is an error and never a crash. */
static void truncated_documents(void **state)
{
	static const char JSON[] = "{" BASE ",\"process\":{\"args\":[\"x\"],\"cwd\":\"/\"},\"linux\":{\"namespaces\":[{\"type\":\"pid\"}]}}";

	(void)state;
	for (size_t n = 0; n < sizeof JSON - 1; n++) {
		char part[sizeof JSON];
		struct err err = ERR_INIT;
		struct spec s;

		memcpy(part, JSON, n);
		part[n] = '\0';
		assert_true(load(&s, part, &err) < 0);
		assert_true(err.text[0]);
		spec_free(&s);
	}
}

static void a_failing_read_is_reported(void **state)
{
	(void)state;
	for (long n = 1; n < 4; n++) {
		struct err err = ERR_INIT;
		struct spec s = { 0 };
		int r;

		sys_fault_arm(n, 5);
		r = spec_load(&s, AT_FDCWD, file, &err);
		sys_fault_arm(0, 0);
		assert_true(r < 0 && err.text[0]);
		spec_free(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_is_read),
		cmocka_unit_test(wrong_values_are_named),
		cmocka_unit_test(truncated_documents),
		cmocka_unit_test(a_failing_read_is_reported),
	};
	int r, fd = mkstemp(file);

	close(fd);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	r = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(file);
	return r;
}
