#!/bin/bash
# tests/runtime/test_exec.sh: exec with each of its options, and `features`. Needs root.
# timeout: 180
set -uo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
source "$here/lib.sh"
begin
trap leave EXIT
before=$(host_state)
status_of() { "${@:2}" >/dev/null 2>&1; same "$1" $?; }

config 'p["args"] = sh("sleep 1000")' 'p["env"].append("FROM=config")' 'p["cwd"] = "/home"' 'p["rlimits"] = [{"type": "RLIMIT_NOFILE", "soft": 99, "hard": 99}]'
quiet rt run -d --pid-file "$work/pid" -b "$bundle" c1
first=$(cat "$work/pid")

check "exec: the container's process's env, cwd, rlimits" same "config /home 99" "$(rt exec c1 sh -c 'echo $FROM $(pwd) $(ulimit -n)')"
check "exec: all the container's namespaces" same "$(for n in pid net mnt ipc uts cgroup; do readlink "/proc/$first/ns/$n"; done)" "$(rt exec c1 sh -c 'for n in pid net mnt ipc uts cgroup; do readlink /proc/self/ns/$n; done')"
check "exec --env, the last one of a name" same "two flag" "$(rt exec --env FROM=one -e FROM=two --env=X=flag c1 sh -c 'echo $FROM $X')"
check "exec --cwd" same /tmp "$(rt exec --cwd /tmp c1 pwd)"
check "exec --cwd: relative" fails '--cwd: "tmp" is not an absolute path' rt exec --cwd tmp c1 pwd
check "exec --cwd: missing is an error, as runc" fails "chdir to process.cwd" rt exec --cwd /not/there c1 pwd
check "exec --user UID" same "1000 0 /home/user" "$(rt exec --user 1000 c1 sh -c 'echo $(id -u) $(id -g) $HOME')"
check "exec -u UID:GID" same "1000 1001" "$(rt exec -u 1000:1001 c1 sh -c 'echo $(id -u) $(id -g)')"
for user in name 1: :1 4294967295 1:x -1; do check "exec --user=$user is refused" fails "is not UID[:GID]" rt exec --user="$user" c1 true; done
check "exec --additional-gids" contains "$(rt exec --additional-gids 7 -g 8 c1 grep Groups /proc/self/status)" "7 8"
check "exec --additional-gids: no number" fails '--additional-gids: "x" is not a group' rt exec -g x c1 true
check "exec --cap" contains "$(rt exec --cap CAP_SYS_ADMIN -c net_admin c1 grep CapEff /proc/self/status)" 00000000a82435fb
check "exec --cap: unknown" fails '--cap: unknown capability "CAP_X"' rt exec --cap CAP_X c1 true
check "exec: no_new_privs is the container's" contains "$(rt exec c1 grep NoNewPrivs /proc/self/status)" $'\t0'
check "exec --no-new-privs" contains "$(rt exec --no-new-privs c1 grep NoNewPrivs /proc/self/status)" $'\t1'
if [[ $(cat /sys/module/apparmor/parameters/enabled 2>/dev/null) != Y ]]; then
	check "exec --apparmor: an error where the kernel has none" fails "apparmor: config provided but apparmor not supported" rt exec --apparmor x c1 true
fi
if [[ ! -e /sys/fs/selinux/enforce ]]; then
	check "exec --process-label: an error where the kernel has none" fails "selinux is disabled or not supported" rt exec --process-label x c1 true
fi
check "exec: seccomp is the container's" contains "$(rt exec c1 grep Seccomp: /proc/self/status)" $'\t2'
check "exec: its status" status_of 42 rt exec c1 sh -c 'exit 42'
check "exec: 128 and the signal" status_of 143 rt exec c1 sh -c 'kill -TERM $$'
check "exec: not found" fails 'exec: "nosuch": executable file not found in $PATH' rt exec c1 nosuch
check "exec: not found ends with 255, as runc" status_of 255 rt exec c1 nosuch
check "exec: not executable" fails 'exec: "/etc/passwd": permission denied' rt exec c1 /etc/passwd
check "exec: options end at the id" same "-u" "$(rt exec c1 echo -u)"
check "exec: -- after the id is the program's" fails 'exec: "--"' rt exec c1 -- echo
check "exec: standard input" same "passed on" "$(echo passed on | rt exec c1 cat)"
quiet rt exec -d --pid-file "$work/exec.pid" c1 sleep 1000
check "exec --detach --pid-file" same sleep "$(cat "/proc/$(cat "$work/exec.pid")/comm")"
check "exec: in the container's group" contains "$(rt ps -f json c1)" "$(cat "$work/exec.pid")"
kill -9 "$(cat "$work/exec.pid")"
check "exec --preserve-fds" same "three 4" "$(echo $(rt exec --preserve-fds 1 c1 sh -c 'cat <&3; ls /proc/self/fd | wc -l' 3< <(echo three)) | sed s/5/4/)"
check "exec --preserve-fds: one that is not open" fails "unable to stat preserved-fd 0 (of 1)" rt exec --preserve-fds 1 c1 true 3<&-
check "exec --tty without a console socket, detached" fails "without setting console socket" rt exec -d -t c1 true
check "exec --tty: a terminal, relayed" contains "$(rt exec -t c1 tty </dev/null)" /dev/pts/
cat >"$work/receive.py" <<'END'
import array, os, socket, sys
s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(); print("ready", flush=True)
c, _ = s.accept(); text, anc, _, _ = c.recvmsg(100, 100); fd = array.array("i", anc[0][2][:4])[0]
print(text.decode())
if "ptmx" in text.decode():
    try:
        while got := os.read(fd, 1000): sys.stdout.write(got.decode())
    except OSError: pass
else: print([l.split()[1] for l in open("/proc/self/fdinfo/%d" % fd) if l.startswith("Pid:")][0])
END
receive() {
	local in
	coproc receiver { exec python3 "$work/receive.py" "$1"; }
	exec {in}<&"${receiver[0]}" # bash forgets that one as soon as the process has ended
	read -r _ <&"$in"
	"${@:2}" </dev/null >/dev/null 2>"$work/err" || cat "$work/err"
	timeout 20 cat <&"$in"
	exec {in}<&-
	wait
}
check "exec --console-socket, detached" contains "$(receive "$work/tty.sock" "$runtime" --root "$state" exec -d -t --console-socket "$work/tty.sock" c1 sh -c 'tty; echo done')" /dev/ptmx /dev/pts/ "done"
out=$(receive "$work/p.sock" "$runtime" --root "$state" exec -d --pid-file "$work/exec.pid" --pidfd-socket "$work/p.sock" c1 sleep 1000)
check "exec --pidfd-socket: a descriptor of the process" same "setns $(cat "$work/exec.pid")" "$(echo $out)"
kill -9 "$(cat "$work/exec.pid")"
process() { echo "$1" >"$work/p.json"; rt exec --process "$work/p.json" "${@:2}" c1 2>&1; }
check "exec --process FILE" same "/tmp file 1000 0777" "$(process '{"cwd": "/tmp", "args": ["sh", "-c", "echo $(pwd) $X $(id -u) $(umask)"], "env": ["PATH=/bin", "X=file"], "user": {"uid": 1000, "gid": 1000, "umask": 511}}')"
check "exec -p=FILE with an oom score" same 77 "$(process '{"cwd": "/", "args": ["/bin/cat", "/proc/self/oom_score_adj"], "oomScoreAdj": 77}')"
check "exec --process: with a scheduler" contains "$(process '{"cwd": "/", "args": ["/bin/cut", "-d ", "-f19", "/proc/self/stat"], "scheduler": {"policy": "SCHED_BATCH", "nice": 11}}')" 11
check "exec --process: no args" contains "$(process '{"cwd": "/"}')" "process.args: must not be empty"
check "exec --process: an unknown capability is a warning" contains "$(process '{"cwd": "/", "args": ["/bin/echo", "runs"], "capabilities": {"bounding": ["CAP_X"]}}')" 'ignoring unknown capability' runs
check "exec --process: no such file" fails "open $work/none: No such file" rt exec --process "$work/none" c1
check "exec: without a program" fails "usage: coracle-runtime exec" rt exec c1
rt pause c1
check "exec in a paused container" fails "cannot exec in a paused container (use --ignore-paused to override)" rt exec c1 true
rt resume c1
check "exec --ignore-paused" rt exec --ignore-paused c1 true
rt delete -f c1

## features

features() { "$runtime" features | python3 -c 'import json,sys; f = json.load(sys.stdin); l = f["linux"]; print(eval(sys.argv[1]))' "$1"; }
check "features: ociVersionMin, ociVersionMax" same "1.0.0 1.3.0" "$(features 'f["ociVersionMin"] + " " + f["ociVersionMax"]')"
check "features: hooks" same "prestart createRuntime createContainer startContainer poststart poststop" "$(features '" ".join(f["hooks"])')"
check "features: mountOptions" same True "$(features 'set("ro rro idmap ridmap tmpcopyup nosymfollow rrelatime bind rprivate".split()) <= set(f["mountOptions"])')"
check "features: potentiallyUnsafeConfigAnnotations" same True "$(features '{"org.coracle.seccomp", "org.systemd.property."} == set(f["potentiallyUnsafeConfigAnnotations"])')"
check "features: annotations" same "false" "$(features 'f["annotations"]["org.opencontainers.runc.checkpoint.enabled"]')"
check "features: linux.namespaces" same "cgroup ipc mount network pid time user uts" "$(features '" ".join(l["namespaces"])')"
check "features: linux.capabilities" same 41 "$(features 'len(set(l["capabilities"]))')"
check "features: linux.cgroup" same "rdma systemd systemdUser v1 v2" "$(features '" ".join(sorted(l["cgroup"]))')"
check "features: linux.seccomp" same "True actions archs enabled knownFlags operators supportedFlags" "$(features 'str(l["seccomp"]["enabled"]) + " " + " ".join(sorted(l["seccomp"]))')"
check "features: linux.seccomp actions, operators, archs, flags" same "9 7 23 4 4" "$(features '" ".join(str(len(set(l["seccomp"][k]))) for k in ("actions", "operators", "archs", "knownFlags", "supportedFlags"))')"
check "features: linux.apparmor, selinux" same "True True" "$(features '"%s %s" % (l["apparmor"]["enabled"], l["selinux"]["enabled"])')"
check "features: linux.memoryPolicy" same "7 3" "$(features '"%d %d" % (len(set(l["memoryPolicy"]["modes"])), len(set(l["memoryPolicy"]["flags"])))')"
check "features: linux.intelRdt" same "True True True" "$(features '"%s %s %s" % tuple(l["intelRdt"][k] for k in ("enabled", "schemata", "monitoring"))')"
check "features: linux.mountExtensions.idmap, netDevices" same "True True" "$(features '"%s %s" % (l["mountExtensions"]["idmap"]["enabled"], l["netDevices"]["enabled"])')"
check "features: takes no arguments" fails "usage: coracle-runtime features" "$runtime" features x
check "nothing is left" same "$before" "$(host_state)"

tap_end
