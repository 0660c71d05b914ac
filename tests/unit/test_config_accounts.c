/* test_config_accounts.c - users, groups, passwords and keys: what is read, what the files of accounts say afterwards, and that
 * nothing gets into them which should not. */
#include "config_helper.h"

#include <crypt.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init/config/modules/accounts_apply.h"
#include "init/config/modules/accounts_db.h"
#include "report.h"
#include "sys.h"

#define KEY1 "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAnn1IT3crbB+cZKNH/Q5hQyeXfK4Ohv8xsQdsmLUEyN one@home"
#define KEY2 "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIC9RxVnSmk6v9VhuMkrdH8wnlKhVmFvGBvsVtvhGsxqH two@home"

/* A folder with the files of accounts. */
static void fresh(void)
{
	folder_fresh();
	folder_put("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n# a line of nobody\ngames:x:5:60:games:/usr/games:/bin/false\n");
	folder_put("etc/group", "root:x:0:\nadm:x:4:\ndocker:x:980:\nusers:x:100:\n");
	folder_put("etc/shadow", "root:*:20000:0:99999:7:::\ngames:$6$ab$cdef:20000:0:99999:7:::\n");
	assert_int_equal(chmod(folder_at("etc/shadow"), 0600), 0);
}

static int setup(void **state)
{
	if (folder_setup(state) < 0)
		return -1;
	fresh();
	return 0;
}

/* The fields of NAME in a file, by line; "" when there is none. */
static const char *line_of(const char *file, const char *name)
{
	static char line[1024];
	const char *s = folder_content(file);
	size_t n = strlen(name);

	for (; s && *s; s = strchr(s, '\n') ? strchr(s, '\n') + 1 : NULL) {
		if (strncmp(s, name, n) != 0 || s[n] != ':')
			continue;
		snprintf(line, sizeof(line), "%.*s", (int)strcspn(s, "\n"), s);
		return line;
	}
	return "";
}

/* Field number n of NAME in shadow. */
static const char *shadow(const char *name, int n)
{
	static char field[256];
	const char *s = line_of("etc/shadow", name);

	for (; n > 0 && s; n--)
		s = strchr(s, ':') ? strchr(s, ':') + 1 : NULL;
	snprintf(field, sizeof(field), "%.*s", s ? (int)strcspn(s, ":") : 0, s ? s : "");
	return field;
}

static void assert_clean(void)
{
	if (geteuid() == 0)
		assert_problems("");
}

/* The names that a configuration makes, in their order, after merging. */
static const char *names(const char *text)
{
	static char out[1024];
	folder_apply(text);
	out[0] = '\0';
	for (const struct account_user *u = helper_last_run()->config.accounts.users; u; u = u->next)
		snprintf(out + strlen(out), sizeof(out) - strlen(out), "%s%s%s", out[0] ? " " : "", u->name, u->is_default ? "*" : "");
	return out;
}

static void who(void **state)
{
	(void)state;
	assert_string_equal(names(HEAD), "coracle*");
	assert_string_equal(names(HEAD "users: []\n"), "");
	assert_string_equal(names(HEAD "users: [bob]\n"), "bob");
	assert_string_equal(names(HEAD "users: [default, bob]\n"), "bob coracle*");
	assert_string_equal(names(HEAD "users: [[bob, amy], default]\n"), "bob amy coracle*");
	assert_string_equal(names(HEAD "users: amy,bob\n"), "amy bob");
	assert_string_equal(names(HEAD "users: {bob: true, amy: {gecos: A}, eve: no}\n"), "bob amy");
	assert_string_equal(names(HEAD "user: amy\n"), "amy*");
	assert_string_equal(names(HEAD "user: {name: amy, shell: /bin/false}\nusers: [bob]\n"), "bob amy*");
	assert_string_equal(names(HEAD "user: {gecos: Me}\n"), "coracle*");
	assert_string_equal(names(HEAD "users: [{gecos: Me}]\n"), "coracle*");
	assert_string_equal(names(HEAD "users: [default, {name: coracle, groups: [docker, own]}]\n"), "coracle*");
	assert_string_equal(names(HEAD "system_info: {default_user: {name: amy}}\n"), "amy*");
	assert_string_equal(names(HEAD "system_info: {default_user: {gecos: Amy}}\n"), "coracle*");
	/* one that is none does not cost the others */
	assert_string_equal(names(HEAD "users: [a.b, {name: 'x y'}, {name: q, uid: -1}, ~, {snapuser: a@b.c}, 7up, bob]\n"), "bob");
	assert_string_equal(names(HEAD "users: [{name: bob, gecos: a}, {name: bob, gecos: b, shell: /bin/false}]\n"), "bob");
	assert_string_equal(line_of("etc/passwd", "bob"), "bob:x:1001:1001::/home/bob:/bin/sh"); /* of the first time */
}

static void new_users(void **state)
{
	(void)state;
	folder_apply(HEAD "groups: [makers, {keepers: [games, nobody-yet]}]\n"
		     "users:\n"
		     "- {name: amy, gecos: Amy A., groups: 'users, fresh', shell: /bin/false, expiredate: 2032-09-01, inactive: '5', passwd: $6$ab$cd, lock_passwd: no}\n"
		     "- {name: bob, uid: 1500, primary_group: makers, homedir: /srv/bob}\n"
		     "- {name: sys, system: true}\n"
		     "- {name: solo, no_user_group: true, no_create_home: true}\n"
		     "- default\n");
	helper_assert_mentions("nobody-yet is not made a member of the group keepers: there is no such user yet");
	assert_string_equal(line_of("etc/passwd", "amy"), "amy:x:1000:1003:Amy A.:/home/amy:/bin/false");
	assert_string_equal(line_of("etc/passwd", "bob"), "bob:x:1500:1000::/srv/bob:/bin/sh");
	assert_string_equal(line_of("etc/passwd", "sys"), "sys:x:999:999::/home/sys:/bin/sh");
	assert_string_equal(line_of("etc/passwd", "solo"), "solo:x:1501:100::/home/solo:/bin/sh");
	assert_string_equal(line_of("etc/passwd", "coracle"), "coracle:x:1502:1502:Coracle:/home/coracle:/bin/sh");
	assert_string_equal(line_of("etc/group", "keepers"), "keepers:x:1001:games");
	assert_string_equal(line_of("etc/group", "users"), "users:x:100:amy");
	assert_string_equal(line_of("etc/group", "fresh"), "fresh:x:1002:amy");
	assert_string_equal(line_of("etc/group", "docker"), "docker:x:980:coracle");
	assert_string_equal(shadow("amy", 1), "$6$ab$cd");
	assert_string_equal(shadow("amy", 6), "5");
	assert_string_equal(shadow("amy", 7), "22889");
	assert_string_equal(shadow("bob", 1), "!");
	assert_string_equal(shadow("bob", 4), "99999");
	assert_string_equal(shadow("sys", 4), "");
	assert_non_null(strstr(folder_content("etc/passwd"), "\n# a line of nobody\n"));
	assert_int_equal(access(folder_at("home/amy"), F_OK), 0);
	assert_int_equal(access(folder_at("srv/bob"), F_OK), 0);
	assert_int_not_equal(access(folder_at("home/solo"), F_OK), 0);
	assert_int_not_equal(access(folder_at("home/sys"), F_OK), 0);
	assert_string_equal(folder_content("etc/gshadow"), "(none)");
	assert_string_equal(folder_content("etc/subuid"), "(none)");
}

static void again(void **state)
{
	static char first[4096];

	(void)state;
	folder_put("etc/subuid", "old:100000:65536\n");
	folder_put("etc/gshadow", "root:*::\nadm:*::\n");
	folder_apply(HEAD "users: [{name: amy, groups: [adm], ssh_authorized_keys: ['" KEY1 "'], sudo: 'ALL=(ALL) ALL'}, default]\nssh_authorized_keys: ['" KEY2 "']\n");
	assert_clean();
	assert_string_equal(folder_content("etc/subuid"), "old:100000:65536\namy:165536:65536\ncoracle:231072:65536\n");
	assert_string_equal(folder_content("etc/gshadow"), "root:*::\nadm:*::amy,coracle\namy:!::\ncoracle:!::\n");
	snprintf(first, sizeof(first), "%s", folder_content("etc/passwd"));
	folder_apply(HEAD "users: [{name: amy, groups: [adm], gecos: changed, uid: 7, ssh_authorized_keys: ['" KEY1 "'], sudo: 'ALL=(ALL) ALL'}, default]\n");
	assert_clean();
	assert_string_equal(folder_content("etc/passwd"), first);
	assert_string_equal(folder_content("home/amy/.ssh/authorized_keys"), KEY1 "\n");
	assert_string_equal(folder_content("etc/sudoers.d/90-cloud-init-users"), "# Created by coracle-config\n\n# User rules for amy\namy ALL=(ALL) ALL\n");
	/* keys that were there stay */
	assert_string_equal(folder_content("home/coracle/.ssh/authorized_keys"), KEY2 "\n");
}

static void existing(void **state)
{
	(void)state;
	folder_apply(HEAD "users: [{name: games, passwd: $6$no$no, shell: /bin/false, lock_passwd: true}]\n");
	helper_assert_mentions("passwd is for new users only: the password of games stays as it is");
	assert_string_equal(line_of("etc/passwd", "games"), "games:x:5:60:games:/usr/games:/bin/false");
	assert_string_equal(shadow("games", 1), "!$6$ab$cdef");
	assert_string_equal(shadow("games", 2), "20000");
	folder_apply(HEAD "users: [{name: games, lock_passwd: false}]\n");
	assert_string_equal(shadow("games", 1), "$6$ab$cdef");
	folder_apply(HEAD "users: [{name: root, hashed_passwd: $6$r$s}]\n");
	assert_string_equal(shadow("root", 1), "!$6$r$s"); /* locked is the default, as seen with cloud-init */
	folder_apply(HEAD "users: [{name: bob, lock_passwd: false}]\n");
	helper_assert_mentions("lock_passwd: false, but bob has no password: it stays locked");
	assert_string_equal(shadow("bob", 1), "!");
}

static void conflicts(void **state)
{
	(void)state;
	folder_apply(HEAD "users:\n- {name: adm}\n- {name: two, uid: 5}\n- {name: three, system: true, ssh_authorized_keys: ['" KEY1 "']}\n"
		     "- {name: four, ssh_redirect_user: true, ssh_authorized_keys: ['" KEY1 "']}\n- {name: five, groups: [nix], create_groups: false}\n"
		     "- {name: six, ssh_redirect_user: true}\n- {name: seven, uid: 4294967295}\n");
	helper_assert_mentions("the user adm: there is a group of that name already; with \"primary_group: adm\" it becomes the user's");
	helper_assert_mentions("the user two: the number 5 is another user's");
	helper_assert_mentions("the user three is not made: ssh_authorized_keys cannot be with system");
	helper_assert_mentions("the user four is not made: ssh_redirect_user cannot be with ssh_authorized_keys");
	helper_assert_mentions("the user five is not in the group nix: there is no such group");
	helper_assert_mentions("ssh_redirect_user of six is not used: there is no default user");
	helper_assert_mentions("\"4294967295\" is not a user's number");
	assert_string_equal(line_of("etc/passwd", "adm"), "");
	assert_string_equal(line_of("etc/passwd", "three"), "");
	assert_string_equal(line_of("etc/passwd", "five"), "five:x:1000:1000::/home/five:/bin/sh");
	assert_string_equal(line_of("etc/passwd", "six"), "six:x:1001:1001::/home/six:/bin/sh");
}

/* What cloud-init lets through: a line break in a name, a rule, a comment; colons; a continued line. */
static void injection(void **state)
{
	(void)state;
	folder_apply(HEAD "users:\n"
		     "- {name: \"a b:c\\nroot2:x:0:0\", sudo: \"ALL=(ALL) ALL\\nx ALL=ALL\"}\n"
		     "- {name: one, gecos: \"x\\nroot2:x:0:0::/:/bin/sh\", shell: \"/bin/sh\\nroot2:x:0:0\", homedir: \"/a:b\", passwd: \"a:b\\nroot2::0\"}\n"
		     "- {name: two, gecos: 'a:0:0', sudo: [\"ALL=(ALL) ALL\\nroot2 ALL=(ALL) NOPASSWD:ALL\", 'ALL=(ALL) \\', 'ALL=(ALL) /bin/ls']}\n"
		     "- {name: three, doas: [\"permit nopass three\\npermit nopass two\"], groups: \"adm\\nroot2\", primary_group: \"x:y\"}\n"
		     "- {name: four, doas: [permit nopass two], ssh_authorized_keys: [\"" KEY1 "\\nssh-rsa\\n\\r\"]}\n"
		     "- {name: five, doas: [permit nopass five]}\n"
		     "groups: [\"g\\nroot2:x:0:\", {h: [\"root2:x\"]}]\n"
		     "disable_root_opts: \"a\\nssh-rsa\"\nchpasswd: {list: [\"one:x\\nroot2::0\"], users: [{name: \"a:b\", type: RANDOM}]}\n");
	assert_null(strstr(folder_content("etc/passwd"), "root2"));
	assert_null(strstr(folder_content("etc/group"), "root2"));
	assert_null(strstr(folder_content("etc/shadow"), "root2"));
	assert_null(strstr(folder_content("etc/passwd"), "a:b"));
	assert_string_equal(line_of("etc/passwd", "one"), "one:x:1000:1001::/home/one:/bin/sh");
	assert_string_equal(line_of("etc/passwd", "two"), "two:x:1001:1002::/home/two:/bin/sh");
	assert_string_equal(shadow("one", 1), "!");
	assert_string_equal(folder_content("etc/sudoers.d/90-cloud-init-users"), "# Created by coracle-config\n\n# User rules for two\ntwo ALL=(ALL) /bin/ls\n");
	assert_string_equal(folder_content("etc/doas.conf"), "# Created by coracle-config\n\n# cloud-init User rules for five\npermit nopass five\n");
	assert_string_equal(folder_content("home/four/.ssh/authorized_keys"), KEY1 "\n");
}

static void secrets(void **state)
{
	CLEANUP_BUF struct buf out = { 0 };

	(void)state;
	folder_apply(HEAD "users: [{name: amy, shel: x, plain_text_passwd: \"hunter2\\n\", hashed_passwd: 'hunter2:x', passwd: hunter2}]\n"
		     "password: \"hunter2\\x07\"\nchpasswd:\n  list:\n  - hunter2\n  - 'nobody:hunter2'\n  users: [{name: amy, password: hunter2}, {name: amy, password: 'hunter2:'}]\n"
		     "ssh_authorized_keys: ['-----BEGIN OPENSSH PRIVATE KEY----- hunter2', hunter2hunter2hunter2hunter2]\nssh_keys: {rsa_private: [hunter2], what: hunter2}\n");
	assert_null(strstr(helper_problems(), "hunter2"));
	/* nor in what a terminal shows beside them */
	buf_init(&out, 65536);
	diags_render(&helper_last_run()->diags, &out);
	assert_null(strstr(out.data, "hunter2"));
	assert_non_null(strstr(out.data, "(this line is not shown: it may hold a secret)"));
	helper_assert_mentions("the password of nobody is not set: there is no such user");
	helper_assert_mentions("that is a private key");
	assert_null(strstr(folder_content("var/log/cloud-init.log"), "hunter2"));
}

static void assert_password(const char *user, const char *plain)
{
	char hash[256];

	snprintf(hash, sizeof(hash), "%s", shadow(user, 1));
	assert_int_equal(strncmp(hash, "$6$", 3), 0);
	assert_string_equal(crypt(plain, hash), hash);
}

static void passwords(void **state)
{
	char random[256];

	(void)state;
	folder_apply(HEAD "password: no\nchpasswd: {expire: false}\n");
	assert_clean();
	assert_password("coracle", "no");
	assert_string_not_equal(shadow("coracle", 2), "0");
	folder_apply(HEAD "users: [amy, bob, eve, ivy]\npassword: ignored\nchpasswd:\n  users: [{name: amy, password: '12:30', type: text}, {name: bob, password: $6$x$y}]\n"
		     "  list: |\n    eve:RANDOM\n    ivy:$1$salt$hash\n");
	helper_assert_mentions("chpasswd.list is deprecated");
	assert_password("amy", "12:30");
	assert_string_equal(shadow("amy", 2), "0");
	assert_string_equal(shadow("bob", 1), "$6$x$y");
	assert_string_equal(shadow("bob", 2), "0");
	assert_string_equal(shadow("ivy", 1), "$1$salt$hash");
	snprintf(random, sizeof(random), "%s", shadow("eve", 1));
	assert_int_equal(strncmp(random, "$6$", 3), 0);
	/* the same instance keeps its random password */
	folder_apply(HEAD "users: [eve]\nchpasswd: {users: [{name: eve, type: RANDOM}]}\n");
	assert_string_equal(shadow("eve", 1), random);
	folder_apply(HEAD "users: []\npassword: x\n");
	helper_assert_mentions("the password is nobody's: there is no default user");
	folder_apply(HEAD "users: [{name: tom, plain_text_passwd: 0644}]\n");
	assert_int_equal(shadow("tom", 1)[0], '!');
	folder_apply(HEAD "users: [{name: tom, plain_text_passwd: 0644, lock_passwd: off}]\n");
	assert_password("tom", "0644");
}

static void keys(void **state)
{
	struct run *r;

	(void)state;
	assert_int_equal(mkdir(folder_at("root"), 0700), 0);
	assert_int_equal(mkdir(folder_at("root/.ssh"), 0700), 0);
	folder_put("root/.ssh/authorized_keys", "# mine\nssh-rsa OLD old\n" KEY1 " before\nbroken\n");
	folder_apply(HEAD "ssh_authorized_keys: ['" KEY1 "', 'from=\"10.0.0.0/8\" " KEY2 "', '" KEY1 "']\n");
	assert_clean();
	assert_string_equal(folder_content("home/coracle/.ssh/authorized_keys"), KEY1 "\nfrom=\"10.0.0.0/8\" " KEY2 "\n");
	assert_string_equal(folder_content("root/.ssh/authorized_keys"),
			    "# mine\nssh-rsa OLD old\n"
			    "no-port-forwarding,no-agent-forwarding,no-X11-forwarding,command=\"echo 'Please login as the user \\\"coracle\\\" rather than the user \\\"root\\\".';echo;sleep 10;exit 142\" " KEY1 "\n"
			    "broken\n"
			    "no-port-forwarding,no-agent-forwarding,no-X11-forwarding,command=\"echo 'Please login as the user \\\"coracle\\\" rather than the user \\\"root\\\".';echo;sleep 10;exit 142\" " KEY2 "\n");
	folder_apply(HEAD "users: []\nssh_authorized_keys: '" KEY1 "'\ndisable_root_opts: no-pty\n");
	helper_assert_mentions("these ssh keys let nobody in");
	assert_non_null(strstr(folder_content("root/.ssh/authorized_keys"), "no-pty " KEY1 "\n"));
	folder_apply(HEAD "disable_root: false\nssh_authorized_keys: ['" KEY1 "', 'no-pty " KEY2 "']\n");
	assert_non_null(strstr(folder_content("root/.ssh/authorized_keys"), "\n" KEY1 "\n"));
	assert_non_null(strstr(folder_content("root/.ssh/authorized_keys"), "\nno-pty " KEY2 "\n"));
	/* the meta-data's, unless they are not wanted */
	r = helper_run();
	folder_target(&r->target);
	strings_add(&r->ctx, &r->seed.meta.public_keys, KEY2);
	r->seed.user_data = HEAD "users: [default, {name: amy, ssh_redirect_user: true}]\nuser: {name: eve}\n";
	r->seed.user_data_len = strlen(r->seed.user_data);
	run_read_seed(r);
	apply_config(r);
	assert_string_equal(folder_content("home/eve/.ssh/authorized_keys"), KEY2 "\n");
	assert_non_null(strstr(folder_content("home/amy/.ssh/authorized_keys"), "Please login as the user \\\"eve\\\" rather than the user \\\"amy\\\""));
	folder_apply(HEAD "users: [{name: ivy, ssh-authorized-keys: '" KEY1 "'}]\nssh_authorized_keys: [ssh-rsa, AAAAB3Nz x, ssh-foo AAAA x, \"\"]\n");
	helper_assert_mentions("\"ssh-authorized-keys\" is deprecated by cloud-init (write ssh_authorized_keys)");
	helper_assert_mentions("this is no ssh public key; it is left out");
	helper_assert_mentions("it begins with \"ssh-foo\", which is no type of key");
	helper_assert_mentions("the type is missing in front of it");
	assert_string_equal(folder_content("home/ivy/.ssh/authorized_keys"), KEY1 "\n");
}

/* A user may leave links where root will write. */
static void hostile_home(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(mkdir(folder_at("home"), 0755), 0);
	assert_int_equal(mkdir(folder_at("home/amy"), 0755), 0);
	assert_int_equal(mkdir(folder_at("root"), 0700), 0);
	assert_int_equal(mkdir(folder_at("root/.ssh"), 0700), 0);
	folder_put("root/.ssh/authorized_keys", "ssh-rsa ROOT r\n");
	assert_int_equal(symlink("/root/.ssh", folder_at("home/amy/.ssh")), 0);
	folder_apply(HEAD "users: [{name: amy, ssh_authorized_keys: ['" KEY1 "']}]\n");
	helper_assert_mentions("the ssh keys of amy are not written: /home/amy/.ssh is no directory");
	assert_string_equal(folder_content("root/.ssh/authorized_keys"), "ssh-rsa ROOT r\n");
	assert_int_equal(unlink(folder_at("home/amy/.ssh")), 0);
	assert_int_equal(mkdir(folder_at("home/amy/.ssh"), 0700), 0);
	assert_int_equal(symlink("../../../root/.ssh/authorized_keys", folder_at("home/amy/.ssh/authorized_keys")), 0);
	folder_apply(HEAD "users: [{name: amy, ssh_authorized_keys: ['" KEY1 "']}]\n");
	assert_string_equal(folder_content("root/.ssh/authorized_keys"), "ssh-rsa ROOT r\n");
	assert_string_equal(folder_content("home/amy/.ssh/authorized_keys"), KEY1 "\n");
	assert_int_equal(lstat(folder_at("home/amy/.ssh/authorized_keys"), &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
}

static void server(void **state)
{
	(void)state;
	folder_put("etc/ssh/ssh_host_rsa_key", "everybody's");
	folder_put("etc/ssh/sshd_config", "# x\nInclude /etc/ssh/sshd_config.d/*.conf\nPasswordAuthentication no\n");
	folder_apply(HEAD "ssh_pwauth: yes\nssh_keys: {ed25519_private: \"a\\n\", ed25519_public: b, dsa_private: c, rsa_priv: d}\nssh_genkeytypes: [dsa, ed25519, x]\n");
	helper_assert_mentions("\"rsa_priv\" is no host key of ssh_keys");
	helper_assert_mentions("\"x\" is no type of host key");
	assert_string_equal(folder_content("etc/ssh/ssh_host_rsa_key"), "(none)");
	assert_string_equal(folder_content("etc/ssh/ssh_host_ed25519_key"), "a\n");
	assert_string_equal(folder_content("etc/ssh/ssh_host_ed25519_key.pub"), "b");
	assert_string_equal(folder_content("etc/ssh/sshd_config.d/50-cloud-init.conf"), "PasswordAuthentication yes\n");
	folder_put("etc/ssh/sshd_config", "# x\n#PasswordAuthentication yes\nPort 22\n");
	folder_apply(HEAD "ssh_pwauth: false\nssh_deletekeys: false\n");
	assert_string_equal(folder_content("etc/ssh/sshd_config"), "# x\n#PasswordAuthentication yes\nPort 22\nPasswordAuthentication no\n");
	assert_string_equal(folder_content("etc/ssh/ssh_host_ed25519_key"), "a\n");
	folder_apply(HEAD "ssh_pwauth: unchanged\n");
	assert_clean();
	folder_apply(HEAD "ssh_pwauth: maybe\n");
	helper_assert_mentions("\"maybe\" is no value of ssh_pwauth");
}

/* Each system call fails in turn: each file of accounts is the old one or the new one. */
static void faults(void **state)
{
	struct run *r = helper_run();
	const struct db_user amy = { .name = "amy" };
	struct err err = ERR_INIT;
	struct db db;
	bool owner_failed = false;
	long calls = 0;

	(void)state;
	sys_fault_arm(0, 0);
	for (long n = 0;; n++) {
		int result;

		fresh();
		folder_target(&r->target);
		assert_int_equal(db_read(&db, &r->ctx, &r->target, &err), 0);
		assert_int_equal(db_add_user(&db, &amy, &err), 0);
		sys_fault_arm(n, ENOSPC);
		result = db_write(&db, &owner_failed, &err);
		calls = n ? calls : sys_fault_count;
		sys_fault_arm(0, 0);
		for (int i = 0; i < 3; i++) {
			const char *text = folder_content((const char *[]){ "etc/passwd", "etc/group", "etc/shadow" }[i]);

			assert_non_null(strstr(text, "root:"));
			assert_int_equal(text[strlen(text) - 1], '\n');
			if (result == 0)
				assert_non_null(strstr(text, "amy:"));
		}
		target_close(&r->target);
		if (n > calls)
			break;
	}
	assert_true(calls > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(who, setup, folder_teardown), cmocka_unit_test_setup_teardown(new_users, setup, folder_teardown),
		cmocka_unit_test_setup_teardown(again, setup, folder_teardown), cmocka_unit_test_setup_teardown(existing, setup, folder_teardown),
		cmocka_unit_test_setup_teardown(conflicts, setup, folder_teardown), cmocka_unit_test_setup_teardown(injection, setup, folder_teardown),
		cmocka_unit_test_setup_teardown(secrets, setup, folder_teardown), cmocka_unit_test_setup_teardown(passwords, setup, folder_teardown),
		cmocka_unit_test_setup_teardown(keys, setup, folder_teardown), cmocka_unit_test_setup_teardown(hostile_home, setup, folder_teardown),
		cmocka_unit_test_setup_teardown(server, setup, folder_teardown), cmocka_unit_test_setup_teardown(faults, setup, folder_teardown),
	};

	report_set_dir("");
	return helper_run_tests(tests);
}
