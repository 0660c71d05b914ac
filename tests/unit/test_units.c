/* test_units.c - unit files: each key with what it makes of its value, each mistake with the message that a person reads. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <cmocka.h>

#include "init/units/compile.h"
#include "init/units/values.h"

static struct err err;

static int compile(const char *name, const char *text)
{
	char copy[UNITS_FILE_MAX + 1];
	char path[128];

	snprintf(copy, sizeof(copy), "%s", text);
	snprintf(path, sizeof(path), UNITS_DIR "/%s.unit", name);
	return unit_compile(name, path, copy, strlen(copy), &err);
}

/* A service with these lines; what is looked at is unit 0. */
static void service(const char *lines)
{
	char text[8192];

	units_begin(NULL);
	snprintf(text, sizeof(text), "[Service]\nExecStart=/bin/x\n%s\n", lines);
	if (compile("x", text) != 0)
		fail_msg("%s", err.text);
}

static void wrong(const char *text, const char *message)
{
	units_begin(NULL);
	if (compile("x", text) != -EINVAL)
		fail_msg("accepted: %s", text);
	assert_string_equal(err.text, message);
	assert_int_equal(units.n, 0);
	assert_int_equal(units.text_n, 1);
	assert_int_equal(units.sockets_n + units.timers_n + units.limits_n + unit_dependencies_n, 0);
}

/* The message for one line of a section, behind "FILE:LINE: LINE: ". */
static void wrong_line(const char *section, const char *line, const char *reason)
{
	char text[6000];
	char message[6000];

	snprintf(text, sizeof(text), "[Service]\nExecStart=/bin/x\n[%s]\n%s\n", section, line);
	snprintf(message, sizeof(message), UNITS_DIR "/x.unit:4: %s: %s", line, reason);
	wrong(text, message);
}

static const char *word(const struct unit_words *w, int i)
{
	const char *s = unit_string(w->first);

	assert_true(i < w->n);
	while (i-- > 0)
		s += strlen(s) + 1;
	return s;
}

#define S (units.service[0])
#define U (units.sup[0])

static void defaults(void **state)
{
	(void)state;
	service("");
	assert_int_equal(U.type, SUP_DAEMON);
	assert_int_equal(U.restart, SUP_RESTART_NO);
	assert_int_equal(U.flags, 0);
	assert_int_equal(U.start_ms, 90000);
	assert_int_equal(U.stop_ms, 90000);
	assert_int_equal(U.stop_signal, SIGTERM);
	assert_int_equal(U.watchdog_signal, SIGABRT);
	assert_int_equal(U.backoff_ms, 100);
	assert_int_equal(U.backoff_max_ms, 30000);
	assert_int_equal(U.decay_ms, 30000);
	assert_int_equal(U.run_ms + U.wait_ms + U.watchdog_ms + U.give_up + U.escalate, 0);
	assert_int_equal(S.umask, 022);
	assert_int_equal(S.oom, UNIT_OOM_STOP);
	assert_int_equal(S.flags, 0);
	assert_string_equal(unit_name(0), "x");
	assert_string_equal(unit_string(S.source), UNITS_DIR "/x.unit");
	assert_string_equal(unit_string(S.user), "");
	service("Type=oneshot");
	assert_int_equal(U.start_ms, 0);
	service("Type=oneshot\nTimeoutStartSec=3");
	assert_int_equal(U.start_ms, 3000);
}

static void types(void **state)
{
	(void)state;
	service("Type=simple");
	assert_int_equal(U.type, SUP_DAEMON);
	service("Type=exec");
	assert_int_equal(U.type, SUP_DAEMON);
	service("Type=notify");
	assert_int_equal(U.type, SUP_DAEMON);
	assert_int_equal(U.flags, SUP_NOTIFIES);
	service("Type=notify-reload");
	assert_int_equal(U.flags, SUP_NOTIFIES);
	assert_int_equal(S.reload_signal, SIGHUP);
	service("ReloadSignal=SIGUSR2\nType=notify-reload");
	assert_int_equal(S.reload_signal, SIGUSR2);
	/* of no meaning there */
	service("Type=notify-reload\nReloadSignal=SIGUSR2\nType=notify");
	assert_int_equal(S.reload_signal, 0);
	service("Type=notify\nType=oneshot");
	assert_int_equal(U.type, SUP_ONESHOT);
	assert_int_equal(U.flags, 0);
	units_begin(NULL);
	assert_int_equal(compile("network", "[Service]\nType=target\n"), 0);
	assert_int_equal(U.type, SUP_TARGET);
}

static void numbers(void **state)
{
	(void)state;
	service("Nice=-20\nOOMScoreAdjust=-1000\nCPUWeight=1\nIOWeight=10000\nCPUQuota=250%\nTasksMax=7\nFileDescriptorStoreMax=1024\nUMask=0077");
	assert_int_equal(S.nice, -20);
	assert_int_equal(S.oom_score_adj, -1000);
	assert_int_equal(S.cpu_weight, 1);
	assert_int_equal(S.io_weight, 10000);
	assert_int_equal(S.cpu_quota, 250);
	assert_int_equal(S.tasks_max, 7);
	assert_int_equal(S.fdstore_max, 1024);
	assert_int_equal(S.umask, 077);
	service("MemoryMin=4096\nMemoryHigh=1K\nMemoryMax=2G");
	assert_int_equal(S.memory_min, 4096);
	assert_int_equal(S.memory_high, 1024);
	assert_int_equal(S.memory_max, INT64_C(2) << 30);
	service("MemoryMax=1G\nMemoryMax=infinity\nTasksMax=3\nTasksMax=infinity");
	assert_int_equal(S.memory_max + S.tasks_max, 0);
}

static void times(void **state)
{
	(void)state;
	service("TimeoutStartSec=1min 30s\nTimeoutStopSec=500ms\nRuntimeMaxSec=2h\nWatchdogSec=1.5\nRestartSec=20ms\nRestartMaxDelaySec=1 min\nRestartDecaySec=1d");
	assert_int_equal(U.start_ms, 90000);
	assert_int_equal(U.stop_ms, 500);
	assert_int_equal(U.run_ms, 7200000);
	assert_int_equal(U.watchdog_ms, 1500);
	assert_int_equal(U.backoff_ms, 20);
	assert_int_equal(U.backoff_max_ms, 60000);
	assert_int_equal(U.decay_ms, 86400000);
	service("TimeoutStartSec=infinity\nTimeoutStopSec=infinity\nRuntimeMaxSec=infinity\nWatchdogSec=infinity\nRestartMaxDelaySec=infinity\nRestartDecaySec=infinity");
	assert_int_equal(U.start_ms + U.run_ms + U.watchdog_ms + U.decay_ms, 0);
	assert_int_equal(U.stop_ms, VALUE_SPAN_MAX_MS);
	assert_int_equal(U.backoff_max_ms, VALUE_SPAN_MAX_MS);
	/* a delay above the default ceiling raises it */
	service("RestartSec=1min");
	assert_int_equal(U.backoff_max_ms, 60000);
}

static void choices(void **state)
{
	static const char *const restarts[] = { "no", "on-success", "on-failure", "on-abnormal", "on-abort", "on-watchdog", "always" };
	char line[64];

	(void)state;
	for (int i = 0; i < 7; i++) {
		snprintf(line, sizeof(line), "Restart=%s", restarts[i]);
		service(line);
		assert_int_equal((int)U.restart, i);
	}
	service("OOMPolicy=continue");
	assert_int_equal(S.oom, UNIT_OOM_CONTINUE);
	service("OOMPolicy=kill");
	assert_int_equal(S.oom, UNIT_OOM_KILL);
	service("KillMode=process\nStandardInput=tty\nNoNewPrivileges=yes\nKillSignal=SIGINT\nWatchdogSignal=9");
	assert_int_equal(S.flags, UNIT_KILL_PROCESS | UNIT_CONSOLE | UNIT_NO_NEW_PRIVS);
	assert_int_equal(U.stop_signal, SIGINT);
	assert_int_equal(U.watchdog_signal, SIGKILL);
	service("KillMode=process\nKillMode=mixed\nStandardInput=tty\nStandardInput=null\nNoNewPrivileges=yes\nNoNewPrivileges=no");
	assert_int_equal(S.flags, 0);
	service("SuccessExitStatus=3 250 SIGUSR1\nSuccessExitStatus=TERM");
	assert_int_equal(S.success_n, 2);
	assert_int_equal(S.success[1], 250);
	assert_true(S.success_signals == (UINT64_C(1) << (SIGUSR1 - 1) | UINT64_C(1) << (SIGTERM - 1)));
	service("SuccessExitStatus=3 USR1\nSuccessExitStatus=");
	assert_int_equal(S.success_n, 0);
	assert_true(S.success_signals == 0);
}

static void limits(void **state)
{
	static const char *const names[] = { "CPU", "FSIZE", "DATA", "STACK", "CORE", "RSS", "NPROC", "NOFILE", "MEMLOCK", "AS", "LOCKS", "SIGPENDING",
					     "MSGQUEUE", "NICE", "RTPRIO", "RTTIME" };
	static const int numbers_of[] = { RLIMIT_CPU, RLIMIT_FSIZE, RLIMIT_DATA, RLIMIT_STACK, RLIMIT_CORE, RLIMIT_RSS, RLIMIT_NPROC, RLIMIT_NOFILE,
					  RLIMIT_MEMLOCK, RLIMIT_AS, RLIMIT_LOCKS, RLIMIT_SIGPENDING, RLIMIT_MSGQUEUE, RLIMIT_NICE, RLIMIT_RTPRIO, RLIMIT_RTTIME };
	char line[64];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(line, sizeof(line), "Limit%s=5:infinity", names[i]);
		service(line);
		assert_int_equal(units.limits_n, 1);
		assert_int_equal(units.limits[0].resource, numbers_of[i]);
		assert_true(units.limits[0].soft == 5 && units.limits[0].hard == RLIM_INFINITY);
	}
	service("LimitNOFILE=100\nLimitCORE=1M:2M\nLimitNOFILE=200:300\nLimitCPU=1min\nLimitRTTIME=1ms");
	assert_int_equal(units.limits_n, 4);
	assert_true(units.limits[0].resource == RLIMIT_NOFILE && units.limits[0].soft == 200 && units.limits[0].hard == 300);
	assert_true(units.limits[1].soft == 1 << 20 && units.limits[1].hard == 2 << 20);
	assert_true(units.limits[2].soft == 60 && units.limits[3].soft == 1000);
}

/* The examples of systemd.service(5), "COMMAND LINES", and more. */
static void commands(void **state)
{
	(void)state;
	units_begin(NULL);
	assert_int_equal(compile("a@b", "[Service]\nExecStart=/bin/echo \"a  b\" 'c\"d' e\\sf \\x41\\102\\t \"\" x\"y z\"w $$HOME 5$ %i %n %% \\;  \\\n  # no\n  end\n"), 0);
	assert_int_equal(S.argv.n, 14);
	assert_string_equal(word(&S.argv, 0), "/bin/echo");
	assert_string_equal(word(&S.argv, 1), "a  b");
	assert_string_equal(word(&S.argv, 2), "c\"d");
	assert_string_equal(word(&S.argv, 3), "e f");
	assert_string_equal(word(&S.argv, 4), "AB\t");
	assert_string_equal(word(&S.argv, 5), "");
	assert_string_equal(word(&S.argv, 6), "xy zw");
	assert_string_equal(word(&S.argv, 7), "$HOME");
	assert_string_equal(word(&S.argv, 8), "5$");
	assert_string_equal(word(&S.argv, 9), "b");
	assert_string_equal(word(&S.argv, 10), "a@b");
	assert_string_equal(word(&S.argv, 11), "%");
	assert_string_equal(word(&S.argv, 12), ";");
	assert_string_equal(word(&S.argv, 13), "end");
}

static void environments(void **state)
{
	(void)state;
	service("Environment=\"ONE=word1 word2\" TWO=word3 \"THREE=$word 5 6\"\nNice=1\nUser=u\nEnvironment=FOUR=\nEnvironmentFile=-/etc/x.env\n"
		"WorkingDirectory=/tmp\nGroup=12");
	assert_int_equal(S.environment.n, 4);
	assert_string_equal(word(&S.environment, 0), "ONE=word1 word2");
	assert_string_equal(word(&S.environment, 2), "THREE=$word 5 6");
	assert_string_equal(word(&S.environment, 3), "FOUR=");
	assert_string_equal(unit_string(S.environment_file), "-/etc/x.env");
	assert_string_equal(unit_string(S.user), "u");
	assert_string_equal(unit_string(S.group), "12");
	assert_string_equal(unit_string(S.directory), "/tmp");
	service("Environment=A=b\nEnvironment=\nEnvironment=C=d");
	assert_int_equal(S.environment.n, 1);
	assert_string_equal(word(&S.environment, 0), "C=d");
}

static void unit_section(void **state)
{
	(void)state;
	service("[Unit]\nDescription=the  %n = \"100%%\"\nAfterTimeoutSec=60\nConditionPathExists=/a b\nCritical=yes\nConditionPathExists=!/c\n"
		"OnDemand=1\nRecordTimes=true\nStartLimitBurst=3\nFailureAction=reboot");
	assert_string_equal(unit_string(S.description), "the  x = \"100%\"");
	assert_int_equal(U.wait_ms, 60000);
	assert_int_equal(S.when.n, 2);
	assert_string_equal(word(&S.when, 0), "/a b");
	assert_string_equal(word(&S.when, 1), "!/c");
	assert_int_equal(U.flags, SUP_CRITICAL | SUP_ON_DEMAND);
	assert_int_equal(S.flags, UNIT_STAMPED);
	assert_int_equal(U.give_up, 3);
	assert_int_equal(U.escalate, 5);
	service("[Unit]\nFailureBurst=20\nFailureAction=reboot");
	assert_int_equal(U.escalate, 20);
}

static void sockets_and_timers(void **state)
{
	(void)state;
	service("[Socket]\nListenStream=/run/x\nListenDatagram=53\nListenSequentialPacket=@x\nListenFIFO=/run/f\nSocketMode=0600\nSocketUser=u\n"
		"SocketGroup=g\nBacklog=5\nListenStream=[::1]:80");
	assert_int_equal(units.sockets_n, 5);
	assert_int_equal(U.flags, SUP_LISTENS);
	for (int i = 0; i < 5; i++) {
		const struct unit_socket *s = &units.sockets[i];

		assert_int_equal(s->unit, 0);
		assert_int_equal(s->mode, 0600);
		assert_int_equal(s->backlog, 5);
		assert_string_equal(unit_string(s->user), "u");
		assert_string_equal(unit_string(s->group), "g");
		assert_string_equal(unit_string(s->fdname), "x");
		assert_int_equal((int)s->kind, i % 4);
	}
	assert_string_equal(unit_string(units.sockets[4].address), "[::1]:80");
	service("[Socket]\nListenStream=1\nFileDescriptorName=http\n[Timer]\nOnBootSec=1min\nOnUnitActiveSec=2\nOnUnitInactiveSec=3\nOnCalendar=daily");
	assert_string_equal(unit_string(units.sockets[0].fdname), "http");
	assert_int_equal(units.sockets[0].mode, 0666);
	assert_int_equal(units.timers_n, 4);
	assert_int_equal(U.flags, SUP_LISTENS | SUP_ON_DEMAND);
	assert_int_equal(units.timers[0].ms, 60000);
	for (int i = 0; i < 4; i++)
		assert_int_equal((int)units.timers[i].kind, i);
}

static void wrong_files(void **state)
{
	(void)state;
	wrong("", UNITS_DIR "/x.unit: no ExecStart= in [Service]");
	wrong("[Unit]\nDescription=x\n", UNITS_DIR "/x.unit: no ExecStart= in [Service]");
	wrong("\n# c\nKey=1\n", UNITS_DIR "/x.unit:3: Key= stands before the first [Section]");
	wrong("[Service]\nExecStart=/bin/x \\\n# c\n  a\n\n[Install]\n", UNITS_DIR "/x.unit:6: unknown section [Install]");
	wrong("[Service]\nnonsense\n", UNITS_DIR "/x.unit:2: \"nonsense\" is neither a [Section] nor KEY=VALUE");
	wrong("[Service]\nUser=a\x01" "b\n", UNITS_DIR "/x.unit:2: a control character");
	wrong("[Service]\r\n", UNITS_DIR "/x.unit:1: a control character");
	wrong("[Service]\nType=target\nExecStart=/bin/x\n",
	      UNITS_DIR "/x.unit: Type=target has no process: ExecStart=, sockets and timers have no meaning");
	wrong("[Service]\nType=oneshot\nRestart=always\nExecStart=/bin/x\n",
	      UNITS_DIR "/x.unit: Type=oneshot would run for ever with Restart=always and on-success");
	wrong("[Service]\nRestartSec=5\nRestartMaxDelaySec=1\nExecStart=/bin/x\n", UNITS_DIR "/x.unit: RestartMaxDelaySec= is below RestartSec=");
	wrong("[Unit]\nFailureBurst=5\n[Service]\nExecStart=/bin/x\n", UNITS_DIR "/x.unit: FailureBurst= without FailureAction=");
	units_begin(NULL);
	assert_int_equal(compile("a b", "[Service]\nExecStart=/x\n"), -EINVAL);
	assert_string_equal(err.text, UNITS_DIR "/a b.unit: not a name of a unit (letters, digits and _.@:-, at most 63)");
}

static void wrong_values(void **state)
{
	static const char *const cases[][3] = {
		{ "Service", "Foo=bar", "unknown in section [Service]" },
		{ "Unit", "ExecStart=/x", "unknown in section [Unit]" },
		{ "Service", "Limit=5", "unknown in section [Service]" },
		{ "Service", "ExecStart=/bin/y", "there is one command only" },
		{ "Service", "Type=forking", "not one of: simple exec notify oneshot target notify-reload" },
		{ "Service", "Restart=sometimes", "not one of: no on-success on-failure on-abnormal on-abort on-watchdog always" },
		{ "Service", "OOMPolicy=", "not one of: continue stop kill" },
		{ "Service", "KillMode=control-group", "not one of: mixed process" },
		{ "Service", "StandardInput=file", "not one of: null tty" },
		{ "Unit", "FailureAction=exit", "not one of: none reboot" },
		{ "Service", "Nice=20", "not a number from -20 to 19" },
		{ "Service", "Nice=", "not a number from -20 to 19" },
		{ "Service", "OOMScoreAdjust=1001", "not a number from -1000 to 1000" },
		{ "Service", "CPUWeight=0", "not a number from 1 to 10000" },
		{ "Service", "IOWeight=10001", "not a number from 1 to 10000" },
		{ "Service", "CPUQuota=50", "not a percentage (\"50%\")" },
		{ "Service", "CPUQuota=0%", "not a number from 1 to 2147483647" },
		{ "Service", "TasksMax=10%%", "not a number or infinity" },
		{ "Service", "MemoryMax=64m", "not a size in bytes (K, M, G, T) or infinity" },
		{ "Service", "MemoryHigh=99999999999G", "not a size in bytes (K, M, G, T) or infinity" },
		{ "Service", "MemoryMin=", "not a size in bytes (K, M, G, T) or infinity" },
		{ "Service", "MemoryMax=0", "not a size in bytes (K, M, G, T) or infinity" },
		{ "Service", "FileDescriptorStoreMax=1025", "not a number from 0 to 1024" },
		{ "Service", "UMask=8", "not an octal mode" },
		{ "Service", "UMask=10000", "not an octal mode" },
		{ "Service", "NoNewPrivileges=maybe", "neither yes nor no" },
		{ "Unit", "Critical=", "neither yes nor no" },
		{ "Service", "RestartSec=soon", "not a span of time" },
		{ "Service", "RestartSec=infinity", "cannot be infinity" },
		{ "Service", "RestartSec=0", "at least 10ms: the first restart is at once, this is the delay before the second" },
		{ "Service", "TimeoutStartSec=5 parsecs", "not a span of time" },
		{ "Service", "TimeoutStopSec=-1", "not a span of time" },
		{ "Service", "WatchdogSec=", "not a span of time" },
		{ "Service", "RuntimeMaxSec=101y", "not a span of time" },
		{ "Service", "KillSignal=SIGFOO", "not a signal" },
		{ "Service", "WatchdogSignal=65", "not a signal" },
		{ "Service", "KillSignal=0", "not a signal" },
		{ "Service", "SuccessExitStatus=1 TEMPFAIL", "\"TEMPFAIL\" is neither a code (0 to 255) nor a signal" },
		{ "Service", "SuccessExitStatus=256", "\"256\" is neither a code (0 to 255) nor a signal" },
		{ "Service", "SuccessExitStatus=1 2 3 4 5 6 7 8 9", "more than 8 codes" },
		{ "Service", "LimitNOFILE=5:4", "the soft limit is above the hard one" },
		{ "Service", "LimitCORE=x", "not a limit (SOFT:HARD, a value for both, or infinity)" },
		{ "Service", "LimitNPROC=1:", "not a limit (SOFT:HARD, a value for both, or infinity)" },
		{ "Service", "User=a:b", "not a name of a user or group" },
		{ "Service", "WorkingDirectory=tmp", "not an absolute path" },
		{ "Service", "EnvironmentFile=-etc", "not an absolute path" },
		{ "Service", "Environment=A", "not NAME=VALUE" },
		{ "Service", "Environment=1A=2", "not NAME=VALUE" },
		{ "Service", "Environment=\"A=b", "a quote (\") that is not closed" },
		{ "Service", "Environment=A=\\q", "unknown escape \"\\q\"" },
		{ "Service", "Environment=A=\\x00", "unknown escape \"\\x\"" },
		{ "Service", "Environment=A=%h", "unknown specifier \"%h\" (%% is a percent sign)" },
		{ "Service", "Environment=A=%", "unknown specifier \"%\" (%% is a percent sign)" },
		{ "Unit", "ConditionPathExists=!a", "not an absolute path" },
		{ "Unit", "After=a/b", "\"a/b\" is not a name of a unit" },
		{ "Unit", "Requires=a \"b", "a quote (\") that is not closed" },
		{ "Unit", "StartLimitBurst=-1", "not a number from 0 to 1000000" },
		{ "Socket", "ListenStream=http", "not an address of this kind of socket" },
		{ "Socket", "ListenFIFO=@a", "not an address of this kind of socket" },
		{ "Socket", "ListenSequentialPacket=80", "not an address of this kind of socket" },
		{ "Socket", "SocketMode=rw", "not an octal mode" },
		{ "Socket", "SocketUser=\"a\"", "not a name of a user or group" },
		{ "Socket", "FileDescriptorName=a:b", "not a name (letters, digits and _.@-)" },
		{ "Socket", "Backlog=0", "not a number from 1 to 2147483647" },
		{ "Timer", "OnBootSec=infinity", "not a span of time" },
		{ "Timer", "OnCalendar=often", "not a calendar event (\"Mon..Fri *-*-* 06:00\", \"*:0/15\", \"daily\")" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		wrong_line(cases[i][0], cases[i][1], cases[i][2]);
	wrong("[Service]\nExecStart=bin/x\n", UNITS_DIR "/x.unit:2: ExecStart=bin/x: the command is not an absolute path");
	wrong("[Service]\nExecStart=-/bin/x\n", UNITS_DIR "/x.unit:2: ExecStart=-/bin/x: prefixes of the command are not known here");
	wrong("[Service]\nExecStart=/bin/x ; /bin/y\n", UNITS_DIR "/x.unit:2: ExecStart=/bin/x ; /bin/y: there is one command only");
	wrong("[Service]\nExecStart=/bin/x ${A}\n",
	      UNITS_DIR "/x.unit:2: ExecStart=/bin/x ${A}: variables are not put in: write $$ for a $, or start /bin/sh -c '...$$NAME...'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults), cmocka_unit_test(types), cmocka_unit_test(numbers), cmocka_unit_test(times), cmocka_unit_test(choices),
		cmocka_unit_test(limits), cmocka_unit_test(commands), cmocka_unit_test(environments), cmocka_unit_test(unit_section),
		cmocka_unit_test(sockets_and_timers), cmocka_unit_test(wrong_files), cmocka_unit_test(wrong_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
