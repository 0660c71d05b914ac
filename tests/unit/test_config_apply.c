/* test_config_apply.c - applying to a directory: files stay inside and appear complete, whatever call fails; status files. */
#include "config_helper.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init/config/final.h"
#include "init/config/modules/module.h"
#include "report.h"
#include "sys.h"

static void files(void **state)
{
	struct target t;
	struct stat before;
	struct stat after;
	bool owner_failed = false;
	struct target_file f = { .path = "/a/b/c", .data = "one", .len = 3, .mode = 0640, .owned = true, .uid = geteuid(), .gid = getegid() };

	(void)state;
	folder_target(&t);
	assert_int_equal(target_write(&t, &f, &owner_failed, NULL), 0);
	assert_string_equal(folder_content("a/b/c"), "one");
	assert_int_equal(folder_mode("a/b/c"), S_IFREG | 0640);
	assert_int_equal(folder_mode("a/b"), S_IFDIR | 0755);
	assert_int_equal(stat(folder_at("a/b/c"), &before), 0);
	/* the same again is not written: the inode stays */
	assert_int_equal(target_write(&t, &f, &owner_failed, NULL), 0);
	assert_int_equal(stat(folder_at("a/b/c"), &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	f.mode = 04755;
	assert_int_equal(target_write(&t, &f, &owner_failed, NULL), 0);
	assert_int_equal(folder_mode("a/b/c"), S_IFREG | 04755);
	assert_false(owner_failed);
	target_close(&t);
}

static void appending(void **state)
{
	struct target t;
	struct target_file f = { .path = "/log", .data = "two\n", .len = 4, .mode = 0644, .append = true };

	(void)state;
	folder_target(&t);
	folder_put("log", "one\n");
	assert_int_equal(target_write(&t, &f, NULL, NULL), 0);
	assert_string_equal(folder_content("log"), "one\ntwo\n");
	/* the next boot adds nothing */
	assert_int_equal(target_write(&t, &f, NULL, NULL), 0);
	assert_string_equal(folder_content("log"), "one\ntwo\n");
	f.path = "/new";
	assert_int_equal(target_write(&t, &f, NULL, NULL), 0);
	assert_string_equal(folder_content("new"), "two\n");
	target_close(&t);
}

static void stays_inside(void **state)
{
	struct target t;
	struct target_file f = { .path = "/etc/x", .data = "in", .len = 2, .mode = 0644 };

	(void)state;
	folder_target(&t);
	assert_int_equal(mkdir(folder_at("sub"), 0755), 0);
	assert_int_equal(mkdir(folder_at("tmp"), 0755), 0);
	assert_int_equal(symlink("/tmp", folder_at("etc")), 0);
	assert_int_equal(target_write(&t, &f, NULL, NULL), 0);
	assert_string_equal(folder_content("tmp/x"), "in");
	assert_int_equal(symlink("../../../../../../tmp", folder_at("sub/up")), 0);
	f.path = "/sub/up/y";
	assert_int_equal(target_write(&t, &f, NULL, NULL), 0);
	assert_string_equal(folder_content("tmp/y"), "in");
	assert_int_not_equal(access("/tmp/y", F_OK), 0);
	/* a link in the last place is replaced, what it points to stays */
	folder_put("victim", "old");
	assert_int_equal(symlink("victim", folder_at("link")), 0);
	f.path = "/link";
	assert_int_equal(target_write(&t, &f, NULL, NULL), 0);
	assert_string_equal(folder_content("victim"), "old");
	assert_int_equal(folder_mode("link"), S_IFREG | 0644);
	f.path = "/sub";
	assert_true(target_write(&t, &f, NULL, NULL) < 0);
	f.path = "/victim/x";
	assert_true(target_write(&t, &f, NULL, NULL) < 0);
	target_close(&t);
}

static int count_entries(const char *name)
{
	char command[600];
	int n = -1;
	FILE *p;

	snprintf(command, sizeof(command), "ls -A %s | wc -l", folder_at(name));
	p = popen(command, "r");
	assert_non_null(p);
	assert_int_equal(fscanf(p, "%d", &n), 1);
	pclose(p);
	return n;
}

/* Each system call fails in turn: the file is the old one or the new one, and nothing lies beside it. It may be the new one and not yet on the
 * disk: that is said. */
static void faults(void **state)
{
	struct target t;
	struct target_file f = { .path = "/d/f", .data = "new", .len = 3, .mode = 0644, .sync = true };
	struct err err = ERR_INIT;
	long calls;
	int failures = 0;

	(void)state;
	folder_target(&t);
	folder_put("d/f", "old");
	sys_fault_arm(0, 0);
	assert_int_equal(target_write(&t, &f, NULL, NULL), 0);
	calls = sys_fault_count;
	assert_true(calls > 5);
	for (long n = 1; n <= calls; n++) {
		int r;

		folder_put("d/f", "old");
		sys_fault_arm(n, ENOSPC);
		r = target_write(&t, &f, NULL, &err);
		sys_fault_arm(0, 0);
		failures += r < 0;
		assert_string_equal(folder_content("d/f"), r < 0 && !strstr(err.text, "sync the directory of /d/f") ? "old" : "new");
		assert_int_equal(count_entries("d"), 1);
	}
	assert_true(failures >= 4);
	assert_non_null(strstr(err.text, "No space left"));
	target_close(&t);
}

static void owners(void **state)
{
	struct target t;
	struct err err = ERR_INIT;
	uid_t uid = 7;
	gid_t gid = 7;

	(void)state;
	folder_target(&t);
	folder_put("etc/passwd", "root:x:0:0::/:/bin/sh\nwww:x:33:34::/:/bin/sh\nbad:x:99999999999:1::/:/x\nshort:x\n");
	folder_put("etc/group", "root:x:0:\nwww:x:35:\nadm:x:4:www\n");
	assert_int_equal(target_owner(&t, "www", NULL, &uid, &gid, &err), 0);
	assert_int_equal(uid, 33);
	assert_int_equal(gid, 34);
	assert_int_equal(target_owner(&t, "www", "adm", &uid, &gid, &err), 0);
	assert_int_equal(gid, 4);
	assert_int_equal(target_owner(&t, "1000", "1001", &uid, &gid, &err), 0);
	assert_int_equal(uid, 1000);
	assert_int_equal(gid, 1001);
	assert_int_equal(target_owner(&t, "root", "root", &uid, &gid, &err), 0);
	assert_int_equal(uid, 0);
	assert_true(target_owner(&t, "ww", NULL, &uid, &gid, &err) < 0);
	assert_string_equal(err.text, "there is no user \"ww\" here");
	assert_true(target_owner(&t, "www", "nobody", &uid, &gid, &err) < 0);
	assert_string_equal(err.text, "there is no group \"nobody\" here");
	assert_true(target_owner(&t, "bad", NULL, &uid, &gid, &err) < 0);
	assert_true(target_owner(&t, "short", NULL, &uid, &gid, &err) < 0);
	assert_true(target_owner(&t, "4294967295", "0", &uid, &gid, &err) < 0);
	target_close(&t);
}

static void whole(void **state)
{
	(void)state;
	assert_true(folder_apply("#cloud-config\nhostname: h.x\nwrite_files:\n- {path: /b/c, content: late, defer: true, owner: '0:0'}\n- {path: /b/c, content: early, owner: '0:0'}\n"
			  "runcmd: [ls]\nbootcmd: [ps]\npower_state: {mode: poweroff, message: bye, condition: 'true '}\nservices: {s: {image: i}}\n"));
	if (geteuid() == 0)
		assert_problems("");
	assert_string_equal(folder_content("etc/hostname"), "h\n");
	assert_string_equal(folder_content("b/c"), "late");
	assert_string_equal(folder_content("var/lib/cloud/instance/scripts/runcmd"), "#!/bin/sh\nls\n");
	assert_int_equal(folder_mode("var/lib/cloud/instance/scripts/runcmd"), S_IFREG | 0700);
	assert_string_equal(folder_content("var/lib/cloud/data/instance-id"), "i-1\n");
	assert_string_equal(folder_content("run/coracle/bootcmd"), "#!/bin/sh\nps\n");
	assert_string_equal(folder_content("run/coracle/final"), "{\"instance_id\": \"i-1\",\n\"config\": {\"hostname\": \"h.x\",\n"
							  "\"power_state\": {\"mode\": \"poweroff\", \"message\": \"bye\", \"condition\": \"true \"}}}\n");
	assert_int_equal(folder_mode("run/coracle/final"), S_IFREG | 0600);
	assert_int_equal(folder_mode("run/coracle/containers.json"), S_IFREG | 0600);
	assert_non_null(strstr(folder_content("run/coracle/containers.json"), "\"docker.io/library/i:latest\""));
	/* the marks of the instance: done once is done */
	assert_int_equal(folder_mode("var/lib/cloud/instances/i-1/sem") & S_IFMT, S_IFDIR);
	folder_put("var/lib/cloud/instances/i-1/sem/config_scripts_user", "");
	assert_true(folder_apply("#cloud-config\nruncmd: [ls]\npower_state: {mode: halt}\n"));
	assert_string_equal(folder_content("run/coracle/final"), "{\"instance_id\": \"i-1\",\n\"config\": {\"power_state\": {\"mode\": \"halt\"}}}\n");
	assert_string_equal(folder_content("run/coracle/containers.json"), "(none)");
	folder_put("var/lib/cloud/instances/i-1/sem/config_power_state_change", "");
	assert_false(folder_apply("#cloud-config\nruncmd: [ls]\npower_state: {mode: halt}\n"));
	assert_string_equal(folder_content("run/coracle/final"), "(none)");
}

/* What the last stage reads is what the first one left; what it was told of once is not told again. */
static void final_round(void **state)
{
	struct run *r;

	(void)state;
	assert_true(folder_apply("#cloud-config\nhostname: h\nhostnam: x\nruncmd: [ls]\npower_state: {mode: reboot, delay: +2, timeout: 7, message: !!str no}\nfinal: ~\n"));
	r = helper_run();
	folder_target(&r->target);
	assert_int_equal(final_read(r), 0);
	assert_problems("");
	assert_string_equal(r->instance_id, "i-1");
	assert_string_equal(r->config.power.mode, "reboot");
	assert_int_equal(r->config.power.delay_minutes, 2);
	assert_int_equal(r->config.power.timeout_s, 7);
	assert_string_equal(r->config.power.message, "no");
	assert_true(scripts_user_wanted(r));
	assert_null(r->config.scripts);
	folder_put("run/coracle/final", "{\"instance_id\": \"../x\"}");
	assert_int_equal(final_read(r), -EBADMSG);
	folder_put("run/coracle/final", "[");
	assert_int_equal(final_read(r), -EBADMSG);
	assert_int_equal(target_unlink(&r->target, "/run/coracle/final"), 0);
	assert_int_equal(final_read(r), -ENOENT);
}

static void hostname_choices(void **state)
{
	struct run *r = helper_run();

	(void)state;
	folder_apply("#cloud-config\nfqdn: a.b\nhostname: c\nprefer_fqdn_over_hostname: true\n");
	assert_string_equal(folder_content("etc/hostname"), "a.b\n");
	folder_apply("#cloud-config\nhostname: d\npreserve_hostname: true\n");
	assert_string_equal(folder_content("etc/hostname"), "a.b\n");
	/* a file that is there is not made: it follows */
	folder_apply("#cloud-config\nhostname: d\ncreate_hostname_file: false\n");
	assert_string_equal(folder_content("etc/hostname"), "d\n");
	assert_string_equal(folder_content("var/lib/cloud/data/previous-hostname"), "d\n");
	/* what somebody wrote there stays, as long as it is this instance */
	folder_put("etc/hostname", "# mine\nby-hand\n");
	folder_apply("#cloud-config\nhostname: e\n");
	assert_string_equal(folder_content("etc/hostname"), "# mine\nby-hand\n");
	assert_int_equal(unlink(folder_at("etc/hostname")), 0);
	folder_apply("#cloud-config\nhostname: f\ncreate_hostname_file: false\n");
	assert_string_equal(folder_content("etc/hostname"), "(none)");
	folder_apply("#cloud-config\nhostname: no\n");
	assert_string_equal(folder_content("etc/hostname"), "no\n");
	folder_apply("#cloud-config\nhostname: \"x\\n127.0.0.1 evil\"\nmanage_etc_hosts: true\n");
	helper_assert_mentions("line breaks and control characters are not allowed");
	assert_string_equal(folder_content("etc/hostname"), "no\n");
	assert_string_equal(folder_content("etc/hosts"), "(none)");
	r = helper_run();
	folder_target(&r->target);
	r->seed.meta.local_hostname = "from-meta";
	apply_config(r);
	assert_string_equal(folder_content("etc/hostname"), "from-meta\n");
}

static void hosts(void **state)
{
	(void)state;
	folder_apply("#cloud-config\nhostname: web.example.org\nmanage_etc_hosts: true\n");
	assert_non_null(strstr(folder_content("etc/hosts"), "\n127.0.1.1 web.example.org web\n127.0.0.1 localhost\n"));
	folder_put("etc/hosts", "127.0.0.1  localhost # here\n\n# x\n 127.0.1.1 old.name old\n::1 localhost\n127.0.1.10 other\n");
	folder_apply("#cloud-config\nfqdn: web.example.org\nmanage_etc_hosts: localhost\n");
	assert_string_equal(folder_content("etc/hosts"), "127.0.0.1\tlocalhost# here\n\n# x\n::1\tlocalhost\n127.0.1.10\tother\n127.0.1.1\told.name\told\n"
						  "127.0.1.1\tweb.example.org\tweb\n\n");
	folder_apply("#cloud-config\nfqdn: web.example.org\nmanage_etc_hosts: localhost\n");
	assert_int_equal(strlen(folder_content("etc/hosts")), 116);
	folder_apply("#cloud-config\nfqdn: x.y\nmanage_etc_hosts: no\n");
	assert_int_equal(strlen(folder_content("etc/hosts")), 116);
	folder_apply("#cloud-config\nmanage_etc_hosts: true\n");
	helper_assert_mentions("no host name is known");
	folder_apply("#cloud-config\nmanage_etc_hosts: maybe\n");
	helper_assert_mentions("\"maybe\" is no value of manage_etc_hosts");
	/* a tree's own template */
	folder_put("etc/cloud/templates/hosts.debian.tmpl", "## template:jinja\n{# a\n-#}\n#\n{# b -#}\n127.0.1.1 {{fqdn}} {{ hostname }}\n");
	folder_apply("#cloud-config\nhostname: h\nfqdn: h.i\nmanage_etc_hosts: template\n");
	helper_assert_mentions("manage_etc_hosts: template is deprecated");
	assert_string_equal(folder_content("etc/hosts"), "#\n127.0.1.1 h.i h\n");
}

static void files_that_fail(void **state)
{
	(void)state;
	folder_put("file", "x");
	folder_apply("#cloud-config\nwrite_files:\n- {path: /file/x, content: a}\n- {path: /y, content: b, owner: nobody-here}\n- {path: /z, content: c, owner: '0:0'}\n");
	helper_assert_mentions("user-data:3:3: error: ");
	helper_assert_mentions("/file/x");
	helper_assert_mentions("user-data:4:3: error: write /y: there is no user \"nobody-here\" here");
	assert_string_equal(folder_content("y"), "(none)");
	assert_string_equal(folder_content("z"), "c");
}

static void status_round(void **state)
{
	CLEANUP_BUF struct buf out = { 0 };
	struct run *r = helper_run();
	struct status s;

	(void)state;
	folder_target(&r->target);
	assert_int_equal(status_read(&r->ctx, &r->target, &s), -ENOENT);
	r->status.datasource = "DataSourceNoCloud [seed=/dev/vdb]";
	r->status.running = STAGE_FINAL;
	r->status.stage[STAGE_INIT].start = 1700000000123456;
	r->status.stage[STAGE_INIT].finished = 1700000001000001;
	diag_add(&r->diags, DIAG_UNKNOWN, NULL, 0, 0, NULL, "unknown \"x\"");
	diag_add(&r->diags, DIAG_WARNING, NULL, 0, 0, "do", "a: b");
	status_add_diags(&r->ctx, &r->status);
	assert_int_equal(status_write(&r->target, &r->status, NULL), 0);
	assert_string_equal(folder_content("run/cloud-init/result.json"), "(none)");
	assert_int_equal(status_read(&r->ctx, &r->target, &s), 0);
	assert_string_equal(s.datasource, r->status.datasource);
	assert_int_equal(s.running, STAGE_FINAL);
	assert_true(s.stage[STAGE_INIT].start == 1700000000123456);
	assert_true(s.stage[STAGE_INIT].finished == 1700000001000001);
	assert_int_equal(s.stage[STAGE_INIT].recovered.n, 1);
	assert_string_equal(s.stage[STAGE_INIT].recovered.v[0], "unknown \"x\"");
	assert_string_equal(s.stage[STAGE_INIT].warnings.v[0], "a: b (do)");
	assert_string_equal(status_word(&s), "running");
	assert_int_equal(status_exit(&s), 2);
	s.stage[STAGE_FINAL].finished = 1700000002000000;
	strings_add(&r->ctx, &s.stage[STAGE_FINAL].errors, "bad");
	s.running = -1;
	assert_int_equal(status_write(&r->target, &s, NULL), 0);
	assert_string_equal(folder_content("run/cloud-init/result.json"), "{\n \"v1\": {\n  \"datasource\": \"DataSourceNoCloud [seed=/dev/vdb]\",\n  \"errors\": [\"bad\"]\n }\n}\n");
	assert_int_equal(status_exit(&s), 1);
	buf_init(&out, 65536);
	status_print(&s, true, STATUS_TABULAR, &out);
	assert_string_equal(out.data, "status: error\nextended_status: error - done\nboot_status_code: enabled-by-generator\n"
				      "last_update: Tue, 14 Nov 2023 22:13:22 +0000\ndetail: DataSourceNoCloud [seed=/dev/vdb]\nerrors:\n\t- bad\n"
				      "recoverable_errors:\nERROR:\n\t- unknown \"x\"\nWARNING:\n\t- a: b (do)\n");
	buf_reset(&out);
	status_print(NULL, false, STATUS_TABULAR, &out);
	assert_string_equal(out.data, "status: not started\n");
}

static void status_of_others(void **state)
{
	struct run *r = helper_run();

	(void)state;
	folder_target(&r->target);
	folder_put("run/coracle/problems", "{\"time_ms\":1,\"component\":\"config\",\"message\":\"ours\"}\nnot json: [\n"
				    "{\"time_ms\":2,\"component\":\"engine\",\"message\":\"image \\\"x\\\": missing\"}\n");
	status_add_problems(&r->ctx, &r->target, &r->status);
	assert_int_equal(r->status.stage[STAGE_FINAL].recovered.n, 1);
	assert_string_equal(r->status.stage[STAGE_FINAL].recovered.v[0], "engine: image \"x\": missing");
	assert_int_equal(status_exit(&r->status), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		folder_test(files), folder_test(appending),
		folder_test(stays_inside), folder_test(faults),
		folder_test(owners), folder_test(whole),
		folder_test(final_round),
		folder_test(hostname_choices), folder_test(hosts), folder_test(files_that_fail),
		folder_test(status_round), folder_test(status_of_others),
	};

	report_set_dir("");
	return helper_run_tests(tests);
}
