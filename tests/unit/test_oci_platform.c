/* test_oci_platform.c - scheduling, memory policy, network devices and resctrl as config.json asks for them. A directory
 * with the files of a class of service stands in for resctrl: what is written where is the same, what the processor does is not tested. */
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "lib/path.h"
#include "runtime/oci/intelrdt.h"
#include "runtime/oci/spec.h"

static char dir[] = "/tmp/oci-platform-XXXXXX";
static char file[64];

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static int load(struct spec *s, const char *json, struct err *err)
{
	put(file, json);
	memset(s, 0, sizeof *s);
	err->text[0] = '\0';
	return spec_load(s, AT_FDCWD, file, err);
}

#define TOP "{\"ociVersion\":\"1.3.0\",\"root\":{\"path\":\"r\"},"
#define PROCESS(x) TOP "\"process\":{\"cwd\":\"/\"," x "}}"
#define LINUX(x) TOP "\"linux\":{\"namespaces\":[{\"type\":\"network\"}]," x "}}"

static void numbers_are_the_kernels(void **state)
{
	struct err err = ERR_INIT;
	struct spec s;

	(void)state;
	assert_int_equal(load(&s, PROCESS("\"scheduler\":{\"policy\":\"SCHED_DEADLINE\",\"runtime\":1,\"deadline\":2,\"period\":3,\"flags\":["
		"\"SCHED_FLAG_RESET_ON_FORK\",\"SCHED_FLAG_RECLAIM\",\"SCHED_FLAG_DL_OVERRUN\",\"SCHED_FLAG_KEEP_POLICY\",\"SCHED_FLAG_KEEP_PARAMS\","
		"\"SCHED_FLAG_UTIL_CLAMP_MIN\",\"SCHED_FLAG_UTIL_CLAMP_MAX\"]},\"ioPriority\":{\"class\":\"IOPRIO_CLASS_IDLE\",\"priority\":7},"
		"\"execCPUAffinity\":{\"initial\":\"0-2,65\",\"final\":\"\"}"), &err), 0);
	assert_true(s.process.scheduler.present && s.process.scheduler.policy == 6 && s.process.scheduler.flags == 0x7f);
	assert_true(s.process.scheduler.runtime == 1 && s.process.scheduler.deadline == 2 && s.process.scheduler.period == 3);
	assert_int_equal(s.process.ioprio, 3 << 13 | 7);
	assert_true(s.process.cpus_initial[0] == 7 && s.process.cpus_initial[1] == 2 && !s.process.cpus_final);
	spec_free(&s);
	assert_int_equal(load(&s, LINUX("\"memoryPolicy\":{\"mode\":\"MPOL_WEIGHTED_INTERLEAVE\",\"nodes\":\"1,3\",\"flags\":[\"MPOL_F_STATIC_NODES\"]},"
		"\"netDevices\":{\"eth9\":{\"name\":\"c%d\"},\"eth8\":{}},\"intelRdt\":{\"enableCMT\":true},\"personality\":{\"domain\":\"LINUX32\",\"flags\":[\"X\"]}"), &err), 0);
	assert_int_equal(s.memory_policy.mode, 6 | 1 << 15);
	assert_true(s.memory_policy.nodes[0] == 10);
	assert_string_equal(s.net_devices[0].value, "c%d");
	assert_string_equal(s.net_devices[1].value, "eth8");
	assert_true(s.personality32 && s.rdt.present && s.warnings_n == 2);
	spec_free(&s);
}

static void wrong_values_are_named(void **state)
{
	static const struct { const char *json, *text; } CASES[] = {
		{ PROCESS("\"scheduler\":{}"), "scheduler policy is required" },
		{ PROCESS("\"scheduler\":{\"policy\":\"SCHED_X\"}"), "process.scheduler.policy: unknown value \"SCHED_X\"" },
		{ PROCESS("\"scheduler\":{\"policy\":\"SCHED_OTHER\",\"nice\":20}"), "process.scheduler.nice" },
		{ PROCESS("\"scheduler\":{\"policy\":\"SCHED_OTHER\",\"priority\":1}"), "only be specified for SCHED_FIFO or SCHED_RR" },
		{ PROCESS("\"scheduler\":{\"policy\":\"SCHED_RR\",\"period\":1}"), "only be specified for SCHED_DEADLINE" },
		{ PROCESS("\"scheduler\":{\"policy\":\"SCHED_RR\",\"flags\":[\"F\"]}"), "process.scheduler.flags: unknown flag \"F\"" },
		{ PROCESS("\"ioPriority\":{\"class\":\"IOPRIO_CLASS_NONE\"}"), "process.ioPriority.class: unknown value" },
		{ PROCESS("\"ioPriority\":{\"class\":\"IOPRIO_CLASS_BE\",\"priority\":8}"), "process.ioPriority.priority: expected an integer from 0 to 7" },
		{ PROCESS("\"execCPUAffinity\":{\"initial\":\"3-1\"}"), "process.execCPUAffinity.initial: \"3-1\"" },
		{ PROCESS("\"execCPUAffinity\":{\"final\":\"1,\"}"), "process.execCPUAffinity.final: \"1,\"" },
		{ PROCESS("\"execCPUAffinity\":{\"final\":\"99999\"}"), "each below 8192" },
		{ LINUX("\"memoryPolicy\":{}"), "linux.memoryPolicy.mode: unknown value \"\"" },
		{ LINUX("\"memoryPolicy\":{\"mode\":\"MPOL_BIND\"}"), "MPOL_BIND needs at least one node" },
		{ LINUX("\"memoryPolicy\":{\"mode\":\"MPOL_LOCAL\",\"nodes\":\"0\"}"), "MPOL_LOCAL takes no nodes" },
		{ LINUX("\"memoryPolicy\":{\"mode\":\"MPOL_BIND\",\"nodes\":\"0\",\"flags\":[\"F\"]}"), "linux.memoryPolicy.flags: unknown flag" },
		{ LINUX("\"netDevices\":{\"a/b\":{}}"), "\"a/b\" is not the name of a network device" },
		{ LINUX("\"netDevices\":{\"eth0\":{\"name\":\"sixteen-letters-\"}}"), "is not the name of a network device" },
		{ TOP "\"linux\":{\"netDevices\":{\"eth0\":{}}}}", "without a private NET namespace" },
		{ LINUX("\"intelRdt\":{\"closID\":\"a/b\"}"), "linux.intelRdt.closID: \"a/b\"" },
		{ LINUX("\"intelRdt\":{\"closID\":\"..\"}"), "linux.intelRdt.closID: \"..\"" },
		{ LINUX("\"intelRdt\":{\"memBwSchema\":\"L3:0=1\"}"), "does not start with \"MB:\"" },
		{ LINUX("\"intelRdt\":{\"schemata\":[\"L3:0=1\\nMB:0=1\"]}"), "linux.intelRdt.schemata[]: must not hold a newline" },
		{ LINUX("\"personality\":{}"), "linux.personality.domain: unknown value" },
		{ "{\"ociVersion\":\"1.0\",\"root\":{\"path\":\"r\"}}", "ociVersion: \"1.0\" is not a version as SemVer writes it" },
		{ "{\"ociVersion\":\"1.02.0\",\"root\":{\"path\":\"r\"}}", "as SemVer writes it" },
		{ "{\"ociVersion\":\"0.9.0\",\"root\":{\"path\":\"r\"}}", "is not a version 1.x" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
		struct err err = ERR_INIT;
		struct spec s;

		assert_true(load(&s, CASES[i].json, &err) < 0);
		if (!strstr(err.text, CASES[i].text))
			fail_msg("\"%s\" has no \"%s\"", err.text, CASES[i].text);
		spec_free(&s);
	}
}

static char *at(const char *name)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	return path;
}

static void make_class(const char *name, const char *schemata)
{
	char path[256];

	mkdir(at(name), 0755);
	snprintf(path, sizeof path, "%s/tasks", name);
	put(at(path), "");
	snprintf(path, sizeof path, "%s/schemata", name);
	put(at(path), schemata);
	snprintf(path, sizeof path, "%s/mon_groups", name);
	mkdir(at(path), 0755);
}

static void holds(const char *name, const char *text)
{
	char got[256] = "";
	int fd = open(at(name), O_RDONLY);

	assert_true(fd >= 0);
	assert_true(read(fd, got, sizeof got - 1) >= 0);
	close(fd);
	if (!strstr(got, text))
		fail_msg("%s: \"%s\" has no \"%s\"", name, got, text);
}

static void a_class_that_is_there_is_used_and_kept(void **state)
{
	char *more[] = { (char[]){ "L2:0=f" }, NULL };
	struct spec_rdt c = { .present = true, .clos = "shared", .l3 = "L3:1=1F;0=7f0", .bandwidth = "MB:0=20", .schemata = more };
	struct err err = ERR_INIT;
	struct rdt r = { .group = "" };

	(void)state;
	make_class("shared", "    L3:0=0007f0;1=00001f\n    MB:0= 20\n    L2:0=f;1=f\n");
	assert_true(rdt_apply(&r, dir, &c, "id", 77, &err) < 0);
	assert_non_null(strstr(err.text, "its schemata do not have \"MB:0=20\""));
	make_class("shared", "    L3:0=0007f0;1=00001f\n    MB:0=20\n    L2:0=f;1=f\n");
	r = (struct rdt){ .group = "" };
	if (rdt_apply(&r, dir, &c, "id", 77, &err) < 0)
		fail_msg("%s", err.text);
	holds("shared/tasks", "77");
	holds("shared/schemata", "L2:0=f");
	assert_null(rdt_owned(&r, 0));
	rdt_undo(&r);
	assert_int_equal(access(at("shared"), F_OK), 0);
}

static void without_a_schema_the_class_must_be_there(void **state)
{
	struct spec_rdt c = { .present = true, .clos = "nowhere" };
	struct err err = ERR_INIT;
	struct rdt r = { .group = "" };

	(void)state;
	assert_true(rdt_apply(&r, dir, &c, "id", 77, &err) < 0);
	assert_non_null(strstr(err.text, "No such file"));
	assert_int_equal(access(at("nowhere"), F_OK), -1);
	make_class("given", "untouched");
	c.clos = "given";
	r = (struct rdt){ .group = "" };
	assert_int_equal(rdt_apply(&r, dir, &c, "id", 78, &err), 0);
	holds("given/tasks", "78");
	holds("given/schemata", "untouched");
}

static void monitoring_makes_a_group_of_its_own(void **state)
{
	struct spec_rdt c = { .present = true, .clos = "/", .monitoring = true };
	struct err err = ERR_INIT;
	struct rdt r = { .group = "" };

	(void)state;
	make_class(".", "");
	/* the kernel makes tasks with the directory; here it is missing, so this fails, and what was made goes */
	assert_true(rdt_apply(&r, dir, &c, "id", 79, &err) < 0);
	assert_true(r.made_monitor && !r.made_group);
	assert_int_equal(access(at("mon_groups/id"), F_OK), 0);
	holds("tasks", "79");
	assert_string_equal(rdt_owned(&r, 0), at("mon_groups/id"));
	assert_null(rdt_owned(&r, 1));
	rdt_undo(&r);
	assert_int_equal(access(at("mon_groups/id"), F_OK), -1);
}

static void a_class_named_by_the_id_goes_with_the_container(void **state)
{
	struct spec_rdt c = { .present = true };
	struct err err = ERR_INIT;
	struct rdt r = { .group = "" };

	(void)state;
	assert_true(rdt_apply(&r, dir, &c, "own", 80, &err) < 0);	/* no tasks, as above */
	assert_string_equal(rdt_owned(&r, 0), at("own"));
	rdt_undo(&r);
	assert_int_equal(access(at("own"), F_OK), -1);
}

static void update_writes_the_containers_class(void **state)
{
	struct spec_rdt none = { .present = false }, given = { .present = true, .clos = "gold" }, by_id = { .present = true };
	struct spec_rdt l3 = { .l3 = "L3:0=3" }, bandwidth = { .bandwidth = "MB:0=30" };
	struct err err = ERR_INIT;
	struct rdt r = { .group = "" };

	(void)state;
	make_class(".", "    L3:0=ff\n");
	make_class("gold", "----------");
	make_class("c1", "----------");
	assert_int_equal(rdt_update(&r, dir, &given, &l3, "c1", 90, &err), 0);
	holds("gold/schemata", "L3:0=3");
	holds("c1/schemata", "----------");
	assert_false(r.made_group);
	assert_int_equal(rdt_update(&r, dir, &by_id, &l3, "c1", 90, &err), 0);
	holds("c1/schemata", "L3:0=3");
	assert_true(rdt_update(&r, dir, &given, &bandwidth, "c1", 90, &err) < 0);
	assert_string_equal(err.text, "Intel RDT/MBA: memory bandwidth schema is not enabled");
	assert_true(rdt_update(&r, "", &given, &l3, "c1", 90, &err) < 0);
	assert_string_equal(err.text, "Intel RDT/CAT: l3 cache schema is not enabled");
	/* none yet: it is made; no files appear in it here, so this fails, and nothing is left */
	assert_true(rdt_update(&r, dir, &none, &l3, "c2", 90, &err) < 0);
	assert_non_null(strstr(err.text, "c2/schemata"));
	assert_int_equal(access(at("c2"), F_OK), -1);
}

static void resctrl_is_found_or_missed_clearly(void **state)
{
	char root[PATH_MAX];
	struct err err = ERR_INIT;

	(void)state;
	if (access("/sys/fs/resctrl/schemata", F_OK) == 0)
		assert_int_equal(rdt_find(root, sizeof root, &err), 0);
	else {
		assert_true(rdt_find(root, sizeof root, &err) < 0);
		assert_non_null(strstr(err.text, "no resctrl file system is mounted"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_the_kernels), cmocka_unit_test(wrong_values_are_named),
		cmocka_unit_test(a_class_that_is_there_is_used_and_kept), cmocka_unit_test(without_a_schema_the_class_must_be_there),
		cmocka_unit_test(monitoring_makes_a_group_of_its_own), cmocka_unit_test(a_class_named_by_the_id_goes_with_the_container),
		cmocka_unit_test(update_writes_the_containers_class),
		cmocka_unit_test(resctrl_is_found_or_missed_clearly),
	};
	int r;

	if (!mkdtemp(dir))
		return 1;
	snprintf(file, sizeof file, "%s/config.json", dir);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	r = cmocka_run_group_tests(tests, NULL, NULL);
	path_remove_tree(AT_FDCWD, dir);
	return r;
}
