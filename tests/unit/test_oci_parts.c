/* test_oci_parts.c - the small pure parts of the runtime: command line, mount
 * options, device rules (run by an interpreter), capability names, undo list. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <linux/mount.h>
#include <cmocka.h>
#include "lib/cdefs.h"
#include "runtime/oci/args.h"
#include "runtime/oci/caps.h"
#include "runtime/oci/device_rules.h"
#include "runtime/oci/mount_options.h"
#include "runtime/oci/undo.h"

static void command_lines(void **state)
{
	char *argv[] = { "--bundle=/b", "id", "-f", "--pid-file", "/p", "-e=A=1", "-env", "B=2", "--", "--not-ours", NULL };
	const char *bundle = NULL, *pid_file = NULL;
	bool force = false;
	struct args_list env = { .n = 0 };
	const struct args_option options[] = {
		{ "bundle", 'b', ARGS_VALUE, &bundle }, { "force", 'f', ARGS_FLAG, &force },
		{ "pid-file", 0, ARGS_VALUE, &pid_file }, { "env", 'e', ARGS_LIST, &env },
	};
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(args_parse(10, argv, options, 4, false, &err), 2);
	assert_string_equal(argv[0], "id");
	assert_string_equal(argv[1], "--not-ours");
	assert_null(argv[2]);
	assert_string_equal(bundle, "/b");
	assert_string_equal(pid_file, "/p");
	assert_true(force);
	assert_int_equal(env.n, 2);
	assert_string_equal(env.item[0], "A=1");
	assert_string_equal(env.item[1], "B=2");
}

static void command_lines_that_stop_or_fail(void **state)
{
	char *exec[] = { "-f", "id", "ls", "-l", NULL };
	char *unknown[] = { "--nosuch", NULL }, *lacking[] = { "--bundle", NULL }, *number[] = { "--n", "x", NULL };
	const char *bundle = NULL;
	int n = 0;
	bool force = false;
	const struct args_option options[] = { { "bundle", 'b', ARGS_VALUE, &bundle }, { "force", 'f', ARGS_FLAG, &force }, { "n", 0, ARGS_NUMBER, &n } };
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(args_parse(4, exec, options, 3, true, &err), 3);
	assert_string_equal(exec[2], "-l");
	assert_null(exec[3]);
	assert_true(args_parse(1, unknown, options, 3, false, &err) < 0);
	assert_non_null(strstr(err.text, "--nosuch"));
	assert_true(args_parse(1, lacking, options, 3, false, &err) < 0);
	assert_true(args_parse(2, number, options, 3, false, &err) < 0);
	assert_non_null(strstr(err.text, "not a number"));
}

static void options_of_mounts(void **state)
{
	char *list[] = { "ro", "nosuid", "rbind", "size=64k", "mode=755", "rw", "rprivate", "noatime", "rro", NULL };
	static struct mount_options o;
	struct mount_attr attr;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(mount_options_parse(list, &o, &err), 0);
	assert_true(o.bind && o.recursive);
	assert_string_equal(o.data, "size=64k,mode=755");
	assert_int_equal(o.flags, MS_NOSUID | MS_NOATIME);
	assert_int_equal(o.cleared, MS_RDONLY);
	assert_int_equal(o.propagation, MS_PRIVATE | MS_REC);
	assert_int_equal(o.rec_set, MOUNT_ATTR_RDONLY);
	mount_options_attr(&o, &attr);
	assert_int_equal(attr.attr_set, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOATIME);
	assert_int_equal(attr.attr_clr, MOUNT_ATTR_RDONLY | MOUNT_ATTR__ATIME);
}

/* config.md: the options a runtime MUST know. One that is passed on as data instead would fail the mount. */
static void every_must_option_is_known(void **state)
{
	static const char *const MUST[] = {
		"async", "atime", "bind", "defaults", "dev", "diratime", "dirsync", "exec", "iversion", "lazytime", "loud", "noatime", "nodev",
		"nodiratime", "noexec", "noiversion", "nolazytime", "norelatime", "nostrictatime", "nosuid", "private", "rbind", "relatime",
		"remount", "ro", "rprivate", "rshared", "rslave", "runbindable", "rw", "shared", "silent", "slave", "strictatime", "suid", "sync",
		"unbindable", "ratime", "rdev", "rdiratime", "relatime", "rexec", "rnoatime", "rnodiratime", "rnoexec", "rnorelatime",
		"rnostrictatime", "rnosuid", "rnosymfollow", "rrelatime", "rro", "rrw", "rstrictatime", "rsuid", "rsymfollow", "nosymfollow", "symfollow",
	};
	static struct mount_options o;
	struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(MUST); i++) {
		char *list[2] = { NULL, NULL }, name[32];

		strcpy(name, MUST[i]);
		list[0] = name;
		assert_int_equal(mount_options_parse(list, &o, &err), 0);
		assert_string_equal(o.data, "");
	}
}

static void too_long_options(void **state)
{
	static char data[5000];
	char *list[] = { data, NULL };
	static struct mount_options o;
	struct err err = ERR_INIT;

	(void)state;
	memset(data, 'x', sizeof data - 1);
	assert_true(mount_options_parse(list, &o, &err) < 0);
	assert_non_null(strstr(err.text, "longer"));
}

/* The few instructions the compiler emits; r1 is the context. */
static int run_device_program(const struct bpf_insn *insn, int n, int type, int access, unsigned major, unsigned minor)
{
	uint32_t context[3] = { (uint32_t)(type | access << 16), major, minor };
	uint64_t r[11] = { 0 };

	for (int pc = 0; pc < n; pc++) {
		const struct bpf_insn *i = &insn[pc];

		switch (i->code) {
		case BPF_LDX | BPF_W | BPF_MEM: assert_int_equal(i->src_reg, 1); r[i->dst_reg] = context[i->off / 4]; break;
		case BPF_ALU64 | BPF_MOV | BPF_X: r[i->dst_reg] = r[i->src_reg]; break;
		case BPF_ALU64 | BPF_MOV | BPF_K: r[i->dst_reg] = (uint64_t)(int64_t)i->imm; break;
		case BPF_ALU | BPF_AND | BPF_K: r[i->dst_reg] = (uint32_t)r[i->dst_reg] & (uint32_t)i->imm; break;
		case BPF_ALU | BPF_RSH | BPF_K: r[i->dst_reg] = (uint32_t)r[i->dst_reg] >> i->imm; break;
		case BPF_JMP | BPF_JNE | BPF_K: if (r[i->dst_reg] != (uint64_t)(int64_t)i->imm) pc += i->off; break;
		case BPF_JMP | BPF_JEQ | BPF_K: if (r[i->dst_reg] == (uint64_t)(int64_t)i->imm) pc += i->off; break;
		case BPF_JMP | BPF_EXIT: return (int)r[0];
		default: fail_msg("unexpected instruction %#x", i->code);
		}
	}
	fail_msg("no exit");
	return -1;
}

static int device(const struct spec_device_rule *rules, size_t n, char type, int access, unsigned major, unsigned minor)
{
	static struct device_rules d;
	static struct bpf_insn insns[DEVICE_INSNS_MAX];
	struct err err = ERR_INIT;

	assert_int_equal(device_rules_reduce(&d, rules, n, &err), 0);
	return run_device_program(insns, device_rules_compile(&d, insns), type == 'c' ? BPF_DEVCG_DEV_CHAR : BPF_DEVCG_DEV_BLOCK, access, major, minor);
}

static void device_programs(void **state)
{
	enum { M = BPF_DEVCG_ACC_MKNOD, R = BPF_DEVCG_ACC_READ, W = BPF_DEVCG_ACC_WRITE };
	static const struct spec_device_rule docker[] = {
		{ false, 'a', -1, -1, 7 }, { true, 'c', 10, 200, 7 }, { true, 'b', 8, -1, 1 }, { true, 'b', 8, -1, 4 }, { false, 'c', 10, 200, 2 },
	};
	static const struct spec_device_rule privileged[] = { { true, 'a', -1, -1, 7 } };
	static const struct spec_device_rule black[] = { { true, 'a', -1, -1, 7 }, { false, 'b', 8, 0, 2 } };

	(void)state;
	/* no rules: the defaults only */
	assert_int_equal(device(NULL, 0, 'c', R | W, 1, 3), 1);
	assert_int_equal(device(NULL, 0, 'c', R | W, 136, 77), 1);
	assert_int_equal(device(NULL, 0, 'c', R, 1, 1), 0);
	assert_int_equal(device(NULL, 0, 'b', M, 8, 0), 1);
	assert_int_equal(device(NULL, 0, 'b', M | R, 8, 0), 0);
	/* in order, the later rule wins, kinds of access add up */
	assert_int_equal(device(docker, 5, 'c', R, 10, 200), 1);
	assert_int_equal(device(docker, 5, 'c', W, 10, 200), 0);
	assert_int_equal(device(docker, 5, 'c', R | W, 10, 200), 0);
	assert_int_equal(device(docker, 5, 'b', R | M, 8, 5), 1);
	assert_int_equal(device(docker, 5, 'b', W, 8, 5), 0);
	assert_int_equal(device(docker, 5, 'c', R, 8, 5), 0);
	assert_int_equal(device(privileged, 1, 'b', R | W | M, 8, 0), 1);
	assert_int_equal(device(black, 2, 'b', R, 8, 0), 1);
	assert_int_equal(device(black, 2, 'b', R | W, 8, 0), 0);
	assert_int_equal(device(black, 2, 'b', R | W, 8, 1), 1);
}

static void capability_names(void **state)
{
	(void)state;
	assert_int_equal(caps_number("CAP_CHOWN"), 0);
	assert_int_equal(caps_number("sys_admin"), 21);
	assert_int_equal(caps_number("CAP_CHECKPOINT_RESTORE"), 40);
	assert_int_equal(caps_number("CAP_"), -1);
	assert_int_equal(caps_number(""), -1);
	for (int i = 0; i < CAPS_KNOWN; i++)
		assert_int_equal(caps_number(caps_name(i)), i);
	assert_null(caps_name(CAPS_KNOWN));
}

static char order[8];

static void note(void *arg)
{
	strcat(order, arg);
}

static void undo_runs_backwards_once(void **state)
{
	struct undo u = { .n = 0 };

	(void)state;
	undo_push(&u, note, "a");
	undo_push(&u, note, "b");
	undo_push(&u, note, "c");
	undo_run(&u);
	undo_run(&u);
	assert_string_equal(order, "cba");
	undo_push(&u, note, "d");
	undo_forget(&u);
	undo_run(&u);
	assert_string_equal(order, "cba");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(command_lines),
		cmocka_unit_test(command_lines_that_stop_or_fail),
		cmocka_unit_test(options_of_mounts),
		cmocka_unit_test(every_must_option_is_known),
		cmocka_unit_test(too_long_options),
		cmocka_unit_test(device_programs),
		cmocka_unit_test(capability_names),
		cmocka_unit_test(undo_runs_backwards_once),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
