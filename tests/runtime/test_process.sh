#!/bin/bash
# tests/runtime/test_process.sh: the process section of config.json, property by property. Needs root.
# timeout: 300
set -uo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
source "$here/lib.sh"
begin
trap leave EXIT
before=$(host_state)
# the host's programs (chrt, python3...) in the container
tools='c["mounts"] += [mount(d, "bind", d, "rbind", "ro") for d in ("/usr", "/lib", "/lib64") if os.path.exists(d)]; del c["annotations"]'
bad() { config "${@:3}"; check "$1" fails "$2" rt create -b "$bundle" c1; }
status_of() { "${@:2}" >/dev/null 2>&1; same "$1" $?; }

## args, env, HOME

config 'p["args"] = ["nosuch"]'
check "process.args: not found, the words" fails 'exec: "nosuch": executable file not found in $PATH' rt run -b "$bundle" c1
check "process.args: not found, run ends with 1" status_of 1 rt run -b "$bundle" c1
config 'p["args"] = ["passwd"]; p["env"] = ["PATH=/nowhere:/etc"]'
check "process.args: found and not executable, other words" fails 'exec: "passwd": permission denied' rt run -b "$bundle" c1
cp "$bundle/rootfs/etc/passwd" "$bundle/rootfs/data/text"; chmod 755 "$bundle/rootfs/data/text"
config 'p["args"] = ["/data/text"]'
check "process.args: no format the kernel knows" fails 'exec format error' rt run -b "$bundle" c1
cp "$bundle/rootfs/bin/busybox" "$bundle/rootfs/data/echo"
check "process.args: by the container's PATH" same "hello" "$(config 'p["args"] = ["echo", "hello"]; p["env"] = ["PATH=/data"]'; rt run -b "$bundle" c1)"
config 'p["args"] = ["echo", "hello"]; p["env"] = ["A=b"]'
check "process.args: without PATH nothing is searched" fails "executable file not found" rt run -b "$bundle" c1
bad "process.args: empty" "process.args: must not be empty" 'p["args"] = []'
check "process.env: the last one of a name counts, once" same "two 1" "$(in_container 'echo $X $(cat /proc/1/environ | tr "\0" "\n" | grep -c ^X=)' 'p["env"] += ["X=one", "X=two"]')"
bad "process.env: without a value is an error" 'invalid environment variable "LONELY"' 'p["env"].append("LONELY")'
check "process.env: HOME from the container's /etc/passwd" same "/root" "$(in_container 'echo $HOME')"
check "process.env: an empty HOME counts as missing" same "/home/user" "$(in_container 'echo $HOME' 'p["env"].append("HOME="); p["user"] = {"uid": 1000, "gid": 1000}')"
check "process.env: HOME of an unknown user is /" same "/" "$(in_container 'echo $HOME' 'p["user"] = {"uid": 4242, "gid": 0}')"
check "process.env: a HOME that is given stays" same "/data" "$(in_container 'echo $HOME' 'p["env"].append("HOME=/data")')"

## user, cwd

check "process.user.umask: 022 without one" same 0022 "$(in_container umask)"
check "process.user.umask" same 0137 "$(in_container umask 'p["user"]["umask"] = 0o137')"
check "process.user.additionalGids" contains "$(in_container 'grep Groups /proc/self/status' 'p["user"]["additionalGids"] = [7, 77]')" "7 77"
bad "process.user.uid: out of range" "process.user.uid: expected an integer" 'p["user"]["uid"] = 1 << 32'
check "process.cwd: made when it is missing" same /new/work "$(in_container pwd 'p["cwd"] = "/new/work"')"
bad "process.cwd: relative" 'process.cwd: "x" is not an absolute path' 'p["cwd"] = "x"'
bad "process.cwd: missing" 'process.cwd: "" is not an absolute path' 'del p["cwd"]'
bad "process.cwd: a file" "chdir to process.cwd" 'p["cwd"] = "/etc/passwd"'
config 'p["cwd"] = "/proc/self/fd/3"; p["args"] = ["/bin/pwd"]'
check "process.cwd: not by a descriptor that leads out of the root" fails "is outside of the container's root" rt run --preserve-fds 1 -b "$bundle" c1 3</

## terminal (with a console socket: test_runtime.sh, test_exec.sh)

check "process.consoleSize: ignored without a terminal" same "no tty" "$(in_container 'tty >/dev/null || echo no tty' 'p["consoleSize"] = {"height": 10, "width": 20}')"
bad "process.terminal: without --console-socket" "cannot allocate tty if runc will detach without setting console socket" 'p["terminal"] = True'
config
check "process.terminal: --console-socket without a terminal" fails "cannot use console socket if runc will not detach or allocate tty" rt create -b "$bundle" --console-socket "$work/sock" c1
bad "process.consoleSize: not a number" "process.consoleSize.height: expected an integer" 'p["consoleSize"] = {"height": "x", "width": 1}'

## rlimits

check "process.rlimits" same "33 44" "$(in_container 'echo $(ulimit -Sn) $(ulimit -Hn)' 'p["rlimits"] = [{"type": "RLIMIT_NOFILE", "soft": 33, "hard": 44}]')"
# half of what this host allows: raising a limit takes a capability that root may lack
all='import resource; names = "CPU FSIZE DATA STACK CORE RSS NPROC NOFILE MEMLOCK AS LOCKS SIGPENDING MSGQUEUE NICE RTPRIO RTTIME".split()
hard = lambda i: min(h if h >= 0 else 1 << 30 for h in (resource.getrlimit(i)[1], 1 << 30))
p["rlimits"] = [{"type": "RLIMIT_" + n, "soft": hard(i) // 2, "hard": hard(i)} for i, n in enumerate(names)]'
check "process.rlimits: all sixteen types" same 16 "$(in_container 'cut -c 27-67 /proc/self/limits' "$all" | awk 'NR > 1 && int($2 / 2) == $1 { n++ } END { print n }')"
bad "process.rlimits: unknown type" 'process.rlimits: unknown type "RLIMIT_X"' 'p["rlimits"] = [{"type": "RLIMIT_X", "soft": 1, "hard": 1}]'
bad "process.rlimits: a type twice" "process.rlimits: RLIMIT_CORE is there twice" 'p["rlimits"] = [{"type": "RLIMIT_CORE", "soft": 1, "hard": 1}] * 2'
bad "process.rlimits: soft above hard" "set process.rlimits RLIMIT_CORE to soft 2, hard 1" 'p["rlimits"] = [{"type": "RLIMIT_CORE", "soft": 2, "hard": 1}]'

## capabilities, oomScoreAdj, labels, noNewPrivileges

config 'p["capabilities"]["effective"].append("CAP_FROM_THE_FUTURE")'
check "process.capabilities: an unknown one is a warning" contains "$(rt --log "$work/log" --log-format json run -b "$bundle" c1; cat "$work/log")" '"level":"warning"' 'ignoring unknown capability process.capabilities.effective: \"CAP_FROM_THE_FUTURE\"'
drop() { setpriv --bounding-set -sys_time "$runtime" --root "$state" run -b "$bundle" c1 2>&1; }
config 'p["args"] = sh("echo runs; grep CapEff /proc/self/status"); [p["capabilities"][s].append("CAP_SYS_TIME") for s in ("bounding", "effective", "permitted")]'
check "process.capabilities: one that cannot be granted is a warning" contains "$(drop)" "process.capabilities: CAP_SYS_TIME cannot be granted" $'runs\nCapEff:\t00000000a80425fb'
check "process.noNewPrivileges" contains "$(in_container 'cat /proc/self/status' 'p["noNewPrivileges"] = True')" $'NoNewPrivs:\t1'
check "process.noNewPrivileges: false" contains "$(in_container 'cat /proc/self/status' 'p["noNewPrivileges"] = False')" $'NoNewPrivs:\t0'
check "process.oomScoreAdj" same 321 "$(in_container 'cat /proc/self/oom_score_adj' 'p["oomScoreAdj"] = 321')"
inherited() { (echo 234 >/proc/self/oom_score_adj; in_container 'cat /proc/self/oom_score_adj' 'del p["oomScoreAdj"]'); }
check "process.oomScoreAdj: left alone without one" same 234 "$(inherited)"
if [[ $(cat /sys/module/apparmor/parameters/enabled 2>/dev/null) != Y ]]; then
	bad "process.apparmorProfile: an error where the kernel has no AppArmor" "apparmor: config provided but apparmor not supported" 'p["apparmorProfile"] = "docker-default"'
fi
if [[ ! -e /sys/fs/selinux/enforce ]]; then
	bad "process.selinuxLabel: an error where the kernel has no SELinux" "selinux label is specified in config, but selinux is disabled or not supported" 'p["selinuxLabel"] = "system_u:system_r:container_t:s0"'
fi

## Descriptors, keyring

config 'p["args"] = sh("cat <&3; cat <&4; ls /proc/self/fd | wc -l")'
check "--preserve-fds" same "three four 6" "$(echo $(rt run --preserve-fds 2 -b "$bundle" c1 3< <(echo three) 4< <(echo four)))"
config
check "--preserve-fds: one that is not open is an error" fails "unable to stat preserved-fd 1 (of 2)" rt run --preserve-fds 2 -b "$bundle" c1 3</dev/null 4<&-
config 'p["args"] = sh("echo $LISTEN_FDS $LISTEN_PID $LISTEN_FDNAMES; cat <&3; { cat <&4; } 2>/dev/null || echo no fourth")'
listen() { (export LISTEN_FDS=1 LISTEN_FDNAMES=web; exec 3< <(echo socket) 4< <(echo secret); exec env LISTEN_PID=$BASHPID "$runtime" --root "$state" run -b "$bundle" c1); }
check "LISTEN_FDS: passed on, and no descriptor more" same "1 1 web socket no fourth" "$(echo $(listen))"
listen_other() { (export LISTEN_FDS=1 LISTEN_PID=1; exec 3< <(echo socket); rt run -b "$bundle" c1 2>&1); }
check "LISTEN_FDS: meant for another process" lacks "$(listen_other)" socket
keyring='p["args"] = ["/usr/bin/python3", "-c", "import ctypes; b = ctypes.create_string_buffer(200); ctypes.CDLL(None).syscall(250, 6, -3, b, 200); print(b.value.decode())"]'
if [[ -x /usr/bin/python3 ]]; then
	config "$tools" "$keyring"
	check "a session keyring of the container's own" contains "$(rt run -b "$bundle" c1)" ";_ses.c1"
	check "--no-new-keyring" lacks "$(rt run --no-new-keyring -b "$bundle" c1)" ";_ses.c1"
fi
check "nothing is left" same "$before" "$(host_state)"

tap_end
