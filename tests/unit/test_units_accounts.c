/* test_units_accounts.c - users, groups and environment files (rule 13: PID 1 reads them itself and asks nobody). */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "init/units/accounts.h"

static const char passwd[] =
	"root:x:0:0:root:/root:/bin/sh\n"
	"\n"
	"broken\n"
	"halfway:x:12\n"
	"letters:x:abc:1:::\n"
	"negative:x:-1:1:::\n"
	"nobody4:x:4294967295:1:::\n"
	"web:x:1000:1001:Web, the server:/var/lib/web:/bin/false\n"
	"1005:x:77:77::/seven:\n"
	"last:x:1002:1002::/home/last:/bin/sh";

static const char group[] = "root:x:0:\nweb:x:1001:\nlog:x:4:syslog,web\nvideo:x:44:web\nwebx:x:45:webx,xweb\nbad:x:y:web\nlast:x:50:a,last,b";

static void users(void **state)
{
	struct account a;

	(void)state;
	assert_int_equal(account_user(passwd, "web", &a), 0);
	assert_int_equal(a.uid, 1000);
	assert_int_equal(a.gid, 1001);
	assert_string_equal(a.home, "/var/lib/web");
	assert_string_equal(a.shell, "/bin/false");
	assert_int_equal(account_user(passwd, "1002", &a), 0);
	assert_string_equal(a.name, "last");
	/* a name goes before a number */
	assert_int_equal(account_user(passwd, "1005", &a), 0);
	assert_int_equal(a.uid, 77);
	assert_int_equal(account_user(passwd, "root", &a), 0);
	assert_int_equal(a.uid, 0);
	for (size_t i = 0; i < 8; i++) {
		static const char *const names[] = { "broken", "halfway", "letters", "negative", "nobody4", "", "we", "4000" };

		assert_int_equal(account_user(passwd, names[i], &a), -ENOENT);
	}
	assert_int_equal(account_user("", "root", &a), -ENOENT);
}

static void groups(void **state)
{
	gid_t list[ACCOUNT_GROUPS_MAX];
	gid_t gid;

	(void)state;
	assert_int_equal(account_group(group, "video", &gid), 0);
	assert_int_equal(gid, 44);
	assert_int_equal(account_group(group, "4711", &gid), 0);
	assert_int_equal(gid, 4711);
	assert_int_equal(account_group(group, "bad", &gid), -ENOENT);
	assert_int_equal(account_group(group, "none", &gid), -ENOENT);
	assert_int_equal(account_groups(group, "web", 1001, list, ACCOUNT_GROUPS_MAX), 3);
	assert_true(list[0] == 1001 && list[1] == 4 && list[2] == 44);
	assert_int_equal(account_groups(group, "web", 44, list, ACCOUNT_GROUPS_MAX), 2);
	assert_int_equal(account_groups(group, "web", 1001, list, 2), 2);
	assert_int_equal(account_groups(group, "last", 1, list, ACCOUNT_GROUPS_MAX), 2);
	assert_true(list[1] == 50);
	assert_int_equal(account_groups("", "web", 7, list, ACCOUNT_GROUPS_MAX), 1);
}

static void file(const char *text, const char *const *want)
{
	char copy[1024];
	char *at = copy;
	char *entry;

	snprintf(copy, sizeof(copy), "%s", text);
	for (; *want; want++) {
		assert_int_equal(environment_next(&at, &entry), 1);
		assert_string_equal(entry, *want);
	}
	assert_int_equal(environment_next(&at, &entry), 0);
}

static void wrong_file(const char *text)
{
	char copy[256];
	char *at = copy;
	char *entry;

	snprintf(copy, sizeof(copy), "%s", text);
	assert_int_equal(environment_next(&at, &entry), -EINVAL);
}

static void environment_files(void **state)
{
	(void)state;
	file("", (const char *const[]){ NULL });
	file("\n# A=b\n ; C\n", (const char *const[]){ NULL });
	file("A=b", (const char *const[]){ "A=b", NULL });
	wrong_file("B = x");
}

static void environment_values(void **state)
{
	(void)state;
	file("A=b\nC= d e  \n\nexport F='g h'\nI=\"j 'k' \\\"l\\\" \\n\"\nM='n \\n'\nO=a\\ b\\\nc\nP=\nQ=\"two\nlines\"\nR=\"x\"y'z'  \nS=$T",
	     (const char *const[]){ "A=b", "C=d e", "F=g h", "I=j 'k' \"l\" \\n", "M=n \\n", "O=a bc", "P=", "Q=two\nlines", "R=xyz", "S=$T", NULL });
	wrong_file("A");
	wrong_file("=b");
	wrong_file("1A=b");
	wrong_file("A-B=c");
	wrong_file("A=\"b");
	wrong_file("A='b\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(users), cmocka_unit_test(groups), cmocka_unit_test(environment_files), cmocka_unit_test(environment_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
