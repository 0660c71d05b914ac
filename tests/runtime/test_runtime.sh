#!/bin/bash
# tests/runtime/test_runtime.sh: real containers on this host by coracle-runtime. Needs root.
# timeout: 900
set -uo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
source "$here/lib.sh"
begin
trap leave EXIT
before=$(host_state)

## What a Docker-default container sees

out=$(in_container 'for n in pid net mnt ipc uts cgroup; do readlink /proc/self/ns/$n; done')
fresh() { local ns; for ns in pid net mnt ipc uts cgroup; do contains "$out" "$ns:[" && lacks "$out" "$(readlink /proc/self/ns/$ns)" || return 1; done; }
check "pid, network, mount, ipc, uts and cgroup namespaces are new" fresh
out=$(in_container 'echo pid $$; hostname; ls /; cat /proc/mounts; ls -l /dev; cat /proc/self/cgroup; ls /proc/self/fd | wc -l; echo $HOME $HOSTNAME; pwd; ps -o pid,comm')
check "the first process has pid 1" contains "$out" "pid 1"
check "hostname" contains "$out" $'\nbox\n'
check "the root is the bundle's, without the host's tree" lacks "$out" "$work"
check "proc" contains "$out" "proc /proc proc rw,nosuid,nodev,noexec,relatime"
check "devpts with its data options" contains "$out" "devpts /dev/pts devpts rw,nosuid,noexec,relatime,gid=5,mode=620,ptmxmode=666"
check "sysfs is read-only" contains "$out" "sysfs /sys sysfs ro,nosuid,nodev,noexec"
check "mqueue and shm" contains "$out" "mqueue /dev/mqueue mqueue" "shm /dev/shm tmpfs rw,nosuid,nodev,noexec"
check "default devices and links" contains "$out" null zero full random urandom tty "ptmx -> pts/ptmx" "fd -> /proc/self/fd" "stdin -> /proc/self/fd/0"
check "the cgroup namespace hides the host's path" lacks "$out" "${CGROUP#/}"
check "only descriptors 0 to 2 (and ls's own)" contains "$out" $'\n4\n'
check "HOME from /etc/passwd" contains "$out" "/root box"
check "masked files are empty, masked directories too" same "0 0" "$(in_container 'echo $(cat /proc/timer_list /proc/keys 2>/dev/null | wc -c) $(ls /sys/firmware | wc -l)')"
check "a masked directory cannot be written" contains "$(in_container 'touch /sys/firmware/x')" "Read-only file system"
check "read-only paths" contains "$(in_container 'echo 1 > /proc/sys/net/ipv4/ip_forward')" "Read-only file system"
check "root.readonly" contains "$(in_container 'touch /x; touch /dev/shm/y && echo fine' 'c["root"]["readonly"] = True')" "Read-only file system" fine
check "a writable root keeps what is written" same "new" "$(in_container 'echo new > /data/x; cat /data/x')"

## Restrictions

status=$(in_container 'cat /proc/self/status' 'p["noNewPrivileges"] = True')
check "capabilities: the four sets" contains "$status" $'CapInh:\t0000000000000000' $'CapPrm:\t00000000a80425fb' $'CapEff:\t00000000a80425fb' $'CapBnd:\t00000000a80425fb'
check "no_new_privs and one seccomp filter" contains "$status" $'NoNewPrivs:\t1' $'Seccomp:\t2' $'Seccomp_filters:\t1'
check "without process.capabilities there are none" contains "$(in_container 'cat /proc/self/status' 'del p["capabilities"]')" $'CapEff:\t0000000000000000' $'CapBnd:\t0000000000000000'
check "ambient capabilities reach a user's process" contains \
	"$(in_container 'cat /proc/self/status' 'p["user"] = {"uid": 1000, "gid": 1000}' 'for s in ("inheritable", "ambient"): p["capabilities"][s] = ["CAP_NET_BIND_SERVICE"]')" \
	$'CapEff:\t0000000000000400' $'CapAmb:\t0000000000000400'
check "unknown capabilities are no error" contains "$(in_container 'echo yes' 'p["capabilities"]["bounding"].append("CAP_FROM_THE_FUTURE")')" $'\nyes'
check "user, group, additional groups, umask" same "uid=1000(user) gid=1001 groups=27,33 0077" \
	"$(in_container 'echo $(id | sed "s/([^u][^)]*)//g") $(umask)' 'p["user"] = {"uid": 1000, "gid": 1001, "additionalGids": [27, 33], "umask": 63}')"
check "HOME of a user" same "/home/user" "$(in_container 'echo $HOME' 'p["user"] = {"uid": 1000, "gid": 1000}')"
check "seccomp: mount is refused though the profile names no error" contains \
	"$(in_container 'mount -t tmpfs x /tmp; unshare -m true; echo done' 'p["capabilities"]["effective"].append("CAP_SYS_ADMIN")')" "Operation not permitted" done
check "seccomp: an explicit profile with its errno" contains \
	"$(in_container 'mkdir /tmp/x' 'del c["annotations"]' 'l["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"], "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28}]}')" "No space left on device"
check "seccomp: argument conditions" same "0022 refused" \
	"$(in_container 'echo $(umask) $(chmod 0640 /bin/busybox 2>/dev/null || echo refused)' 'del c["annotations"]' 'l["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["chmod", "fchmodat"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 1, "value": 416, "op": "SCMP_CMP_EQ"}]}, {"names": ["fchmodat", "fchmodat2"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 2, "value": 416, "op": "SCMP_CMP_EQ"}]}]}')"
check "rlimits" same "64 100" "$(in_container 'echo $(ulimit -Sn) $(ulimit -Hn)' 'p["rlimits"] = [{"type": "RLIMIT_NOFILE", "soft": 64, "hard": 100}]')"
check "oomScoreAdj" same 500 "$(in_container 'cat /proc/self/oom_score_adj' 'p["oomScoreAdj"] = 500')"
check "sysctl of the network namespace" same 1 "$(in_container 'cat /proc/sys/net/ipv4/ip_forward' 'l["sysctl"] = {"net.ipv4.ip_forward": "1"}')"
check "a device that is not allowed cannot be opened, /dev/null can" contains \
	"$(in_container 'mknod /tmp/kmsg c 1 11; (: < /tmp/kmsg) && echo opened; echo x > /dev/null && echo null' "$syslog"; rm -f "$bundle"/rootfs/tmp/kmsg)" "Operation not permitted" null
check "linux.devices with mode and owner" contains "$(in_container 'ls -ln /dev/mine' 'l["devices"] = [{"path": "/dev/mine", "type": "c", "major": 1, "minor": 3, "fileMode": 0o640, "uid": 7, "gid": 8}]')" "crw-r-----" " 7 " " 8 " "1,   3"

## Limits in v1 hierarchies

v1() {
	if [[ $(stat -fc %T /sys/fs/cgroup/memory 2>/dev/null) == cgroupfs ]]; then
		check "$@"
	else
		echo "ok $((++tap_count)) - $1 # SKIP no cgroup v1 on this host"
	fi
}
out=$(in_container 'cd /sys/fs/cgroup; cat memory/memory.limit_in_bytes cpu/cpu.shares cpu/cpu.cfs_quota_us pids/pids.max; touch memory/x; cat devices/devices.list' \
	'l["resources"].update({"memory": {"limit": 67108864}, "cpu": {"shares": 512, "quota": 20000, "period": 50000}, "pids": {"limit": 100}})')
v1 "memory, cpu and pids limits are the kernel's" contains "$out" $'67108864\n512\n20000\n100'
v1 "the container cannot change them" contains "$out" "Read-only file system"
v1 "the device list" contains "$out" "c 1:3 rwm" "c *:* m"
v1 "without a cgroup namespace its own groups are bound" same "100" "$(in_container 'cat /sys/fs/cgroup/pids/pids.max' 'l["resources"]["pids"] = {"limit": 100}' 'l["namespaces"] = [n for n in l["namespaces"] if n["type"] != "cgroup"]')"
config 'l["resources"]["unified"] = {"memory.high": "1"}'
v1 "unified files are refused where there are none" fails "linux.resources.unified" rt create -b "$bundle" c1

## Mounts

mkdir -p "$work/volume"
echo hello >"$work/volume/file"
check "bind mount, read-only" contains "$(in_container 'cat /new/place/file; touch /new/place/x' "c['mounts'].append(mount('/new/place', 'bind', '$work/volume', 'rbind', 'ro', 'rprivate'))")" hello "Read-only file system"
check "bind mount of a file, destination made" same hello "$(in_container 'cat /etc/conf/x' "c['mounts'].append(mount('/etc/conf/x', 'bind', '$work/volume/file', 'bind', 'rprivate'))")"
check "a relative source is the bundle's" same "root:x" "$(in_container 'head -c6 /mnt/passwd' "c['mounts'].append(mount('/mnt', 'bind', 'rootfs/etc', 'bind'))")"
check "nosuid, nodev, noexec, noatime on a bind" contains "$(in_container 'grep /mnt /proc/mounts' "c['mounts'].append(mount('/mnt', 'bind', '$work/volume', 'bind', 'nosuid', 'nodev', 'noexec', 'noatime'))")" nosuid nodev noexec noatime
check "tmpcopyup" same "passwd root:x" "$(in_container 'echo $(cd /etc && echo pass*) $(head -c6 /etc/passwd)' "c['mounts'].append(mount('/etc', 'tmpfs', 'tmpfs', 'tmpcopyup', 'ro'))")"
ln -sfn /tmp/../../../../../../tmp "$bundle/rootfs/escape"
check "a destination through links stays inside the rootfs" same "hello" "$(in_container 'cat /tmp/in/file' "c['mounts'].append(mount('/escape/in', 'bind', '$work/volume', 'bind'))")"
check "nothing was made outside" test ! -e /tmp/in
rm -f "$bundle/rootfs/escape"
config "c['mounts'].append(mount('/proc/self/attr', 'bind', '$work/volume', 'bind'))"
check "mounts inside /proc are refused" fails "inside /proc" rt run -b "$bundle" c1
mv "$bundle/rootfs/proc" "$work/proc.real"; ln -s /tmp "$bundle/rootfs/proc"
config
check "/proc as a symbolic link is refused" fails "not a symbolic link" rt run -b "$bundle" c1
rm "$bundle/rootfs/proc"; mv "$work/proc.real" "$bundle/rootfs/proc"
check "rootfsPropagation" contains "$(in_container 'cat /proc/self/mountinfo' 'l["rootfsPropagation"] = "shared"')" "shared:"
check "the host's mounts are as before" same "$before" "$(host_state)"

## Namespaces in other ways

check "host network namespace by leaving it out" same "$(readlink /proc/self/ns/net)" "$(in_container 'readlink /proc/self/ns/net' 'l["namespaces"] = [n for n in l["namespaces"] if n["type"] != "network"]')"
unshare -n sleep 1000 & holder=$!
until [[ $(readlink /proc/$holder/ns/net) != "$(readlink /proc/self/ns/net)" ]]; do sleep 0.01; done
check "a namespace joined by path" same "$(readlink /proc/$holder/ns/net)" "$(in_container 'readlink /proc/self/ns/net' "l['namespaces'] = [n for n in l['namespaces'] if n['type'] != 'network'] + [{'type': 'network', 'path': '/proc/$holder/ns/net'}]")"
config "l['namespaces'][2] = {'type': 'uts', 'path': '/proc/$holder/ns/net'}"
check "a path of another kind is refused" fails "not a uts namespace" rt run -b "$bundle" c1
kill $holder; wait $holder 2>/dev/null
check "time namespace with offsets" same "later" "$(in_container 'u=$(cut -d. -f1 /proc/uptime); [ $u -gt 100000000 ] && echo later' 'l["namespaces"].append({"type": "time"})' 'l["timeOffsets"] = {"boottime": {"secs": 100000000, "nanosecs": 0}}')"
user='l["namespaces"].append({"type": "user"}); l["uidMappings"] = l["gidMappings"] = [{"containerID": 0, "hostID": 100000, "size": 65536}]'
chmod 755 "$work"
mkdir -p "$bundle/rootfs/data/volume"
out=$(in_container 'cat /proc/self/uid_map; id -u; ls -ln /dev/null; echo x > /dev/null && echo null; cat /data/volume/file; grep Cap /proc/self/status' "$user" "c['mounts'].append(mount('/data/volume', 'bind', '$work/volume', 'bind'))")
check "user namespace: mapped, devices bound, binds reachable" contains "$out" "100000      65536" "null" hello $'CapEff:\t00000000a80425fb'
chmod 700 "$work/volume"
check "user namespace: a source only root reaches" contains "$(in_container 'ls -d /data/volume && echo there' "$user" "c['mounts'].append(mount('/data/volume', 'bind', '$work/volume', 'bind'))")" there
chmod 755 "$work/volume"

## Lifecycle

config 'p["args"] = sh("trap \"exit 7\" TERM; echo up; while :; do sleep 0.05; done")' 'c["annotations"]["a"] = "b"'
check "create" quiet rt create --bundle "$bundle" --pid-file "$work/pid" c1
state_of() { rt state c1 | python3 -c 'import json,sys; s = json.load(sys.stdin); print(s[sys.argv[1]])' "$1"; }
check "state: created, before the program runs" same created "$(state_of status)"
check "state: bundle, annotations, pid as in the pid file" same "$bundle b $(cat "$work/pid")" "$(state_of bundle) $(rt state c1 | python3 -c 'import json,sys; print(json.load(sys.stdin)["annotations"]["a"])') $(state_of pid)"
check "a second container with the id is refused" fails "container with given ID already exists" rt create -b "$bundle" c1
check "the waiting process shows neither its executable nor its descriptors" \
	lacks "$(rt exec c1 sh -c 'ls -l /proc/1/exe; ls /proc/1/fd; head -c1 /proc/1/exe' 2>&1)" coracle-runtime "ELF"
check "...because the kernel refuses it" contains "$(rt exec c1 ls -l /proc/1/exe 2>&1)" "Permission denied"
check "start" rt start c1
check "state: running" same running "$(state_of status)"
check "start again is refused" fails "cannot start an already running container" rt start c1
check "delete of a running container is refused" fails "cannot delete container c1 that is not stopped: running" rt delete c1
check "list" contains "$(rt list)" "c1" "running" "$bundle"
check "list -q" same c1 "$(rt list -q)"
check "ps -f json names the process" contains "$(rt ps -f json c1)" "$(cat "$work/pid")"
check "pause" rt pause c1
check "state: paused" same paused "$(state_of status)"
check "exec into a paused container is refused" fails "cannot exec in a paused container" rt exec c1 true
check "resume" rt resume c1
check "exec: output and exit status" same "in 5" "$(echo $(rt exec c1 sh -c 'echo in; exit 5'; echo $?))"
exec_ns() { [[ $(rt exec c1 readlink "/proc/self/ns/$1") == "$(readlink "/proc/$(cat "$work/pid")/ns/$1")" ]]; }
for ns in pid net mnt ipc uts cgroup; do check "exec joins the $ns namespace" exec_ns $ns; done
check "exec: capabilities and seccomp as the container has them" contains "$(rt exec c1 cat /proc/self/status)" $'CapEff:\t00000000a80425fb' $'Seccomp:\t2'
check "exec: --env --cwd --user" same "v /tmp 1000 1001" "$(rt exec --env K=v --cwd /tmp --user 1000:1001 c1 sh -c 'echo $K $(pwd) $(id -u) $(id -g)')"
check "exec: --process" same "from a file" "$(echo '{"args": ["echo", "from a file"], "cwd": "/", "env": ["PATH=/bin"]}' >"$work/p.json"; rt exec --process "$work/p.json" c1)"
check "exec -d with a pid file" quiet rt exec -d --pid-file "$work/pid2" c1 sleep 1000
check "exec: the process is in the container's cgroup" contains "$(cat "/proc/$(cat "$work/pid2")/cgroup")" ${CGROUP#/}
check "exec of what is not there: runc's words" fails 'exec: "nosuch": executable file not found in $PATH' rt exec c1 nosuch
check "exec -t has a terminal" contains "$(rt exec -t c1 tty </dev/null)" /dev/pts/
check "kill TERM reaches the program" rt kill c1 TERM
until [[ $(state_of status) == stopped ]]; do sleep 0.02; done
check "state: stopped, pid 0" same "stopped 0" "$(state_of status) $(state_of pid)"
check "kill of a stopped container: runc's words" fails "container not running" rt kill c1
check "start of a stopped container is refused" fails "cannot start a container that has stopped" rt start c1
check "delete" rt delete c1
check "state after delete: runc's words" fails "container does not exist" rt state c1
check "delete -f of nothing is fine" rt delete -f c1
check "delete of nothing is not" fails "container does not exist" rt delete c1
config 'p["args"] = ["sleep", "1000"]'
quiet rt create -b "$bundle" c1
check "delete of a created container (as runc)" rt delete c1
quiet rt run -d -b "$bundle" c1
check "delete -f of a running container" rt delete -f c1
config 'p["args"] = sh("kill -9 $$; exit 9")'
check "run: the program's exit status" same 9 "$(rt run -b "$bundle" c1 2>/dev/null; echo $?)"
config 'p["args"] = sh("exit 42")'
check "run: exit status 42" same 42 "$(rt run -b "$bundle" c1; echo $?)"
check "nothing is left" same "$before" "$(host_state)"

## Terminal

config 'p["terminal"] = True; p["consoleSize"] = {"height": 33, "width": 99}' 'p["args"] = sh("tty; stty size; echo x > /dev/console")'
cat >"$work/console.py" <<'END'
import os, socket, sys, array
s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(); print("ready", flush=True)
c, _ = s.accept(); fds = array.array("i"); _, anc, _, _ = c.recvmsg(100, 100)
fds.frombytes(anc[0][2][:4]); out = b""
while True:
    try: got = os.read(fds[0], 1000)
    except OSError: break
    if not got: break
    out += got
sys.stdout.write(out.decode())
END
coproc console { python3 "$work/console.py" "$work/console.sock"; }
read -r _ <&"${console[0]}"
quiet rt create -b "$bundle" --console-socket "$work/console.sock" c1 && rt start c1
out=$(timeout 20 cat <&"${console[0]}")
check "console socket: the terminal, its size, /dev/console" contains "$out" /dev/pts/0 "33 99" x
rt delete -f c1
check "terminal without a console socket is refused at create" fails "without setting console socket" rt create -b "$bundle" c1

## Hooks

hook='import json; h = lambda n: [{"path": "/bin/sh", "args": ["sh", "-c", "cat >> '$work'/hooks; echo \" %s\" >> '$work'/hooks" % n]}]'
config "$hook" 'c["hooks"] = {n: h(n) for n in ("prestart", "createRuntime", "createContainer", "poststart", "poststop")}'
rt run -b "$bundle" c1
check "hooks run in order with the state" same "prestart:creating createRuntime:creating createContainer:creating poststart:running poststop:stopped" \
	"$(python3 -c 'import json,sys; print(" ".join(w + ":" + json.loads(s)["status"] for s, w in (x.rsplit(" ", 1) for x in open(sys.argv[1]).read().split("\n") if x)))' "$work/hooks")"
config 'c["hooks"] = {"createRuntime": [{"path": "/bin/false"}]}'
check "a failing hook fails create" fails "error running createRuntime hook #0: /bin/false: exit status 1" rt create -b "$bundle" c1
config 'c["hooks"] = {"prestart": [{"path": "/bin/sleep", "args": ["sleep", "100"], "timeout": 1}]}'
check "a hook beyond its timeout is killed" fails "timed out" rt create -b "$bundle" c1
config 'c["hooks"] = {"startContainer": [{"path": "/bin/false"}]}'
quiet rt create -b "$bundle" c1
check "a failing startContainer hook fails start and says so" fails "startContainer hook" rt start c1
rt delete -f c1
check "nothing is left" same "$before" "$(host_state)"

## Errors, in runc's words where engines read them

bad() { config "${@:3}"; check "$1" fails "$2" rt create -b "$bundle" c1; }
bad "program not in PATH" 'exec: "nosuch": executable file not found in $PATH' 'p["args"] = ["nosuch"]'
bad "program not there" 'exec: "/no/such": stat /no/such: no such file or directory' 'p["args"] = ["/no/such"]'
bad "program not executable" 'exec: "/etc/passwd": permission denied' 'p["args"] = ["/etc/passwd"]'
bad "program is a directory" 'is a directory' 'p["args"] = ["/etc"]'
bad "no rootfs" "open the rootfs" 'c["root"]["path"] = "nowhere"'
bad "rootfs is a file" "Not a directory" 'c["root"]["path"] = "config.json"'
bad "bind source missing" "No such file or directory" 'c["mounts"].append(mount("/x", "bind", "/no/such/source", "bind"))'
bad "unknown file system" "mount /x" 'c["mounts"].append(mount("/x", "nosuchfs", "x"))'
bad "wrong type" "process.user.uid: expected an integer" 'p["user"]["uid"] = "root"'
bad "unknown namespace" 'unknown type "nspace"' 'l["namespaces"].append({"type": "nspace"})'
bad "namespace twice" "there twice" 'l["namespaces"].append({"type": "pid"})'
bad "unknown rlimit" 'unknown type "RLIMIT_X"' 'p["rlimits"] = [{"type": "RLIMIT_X", "soft": 1, "hard": 1}]'
bad "old version" "is not a version 1.x" 'c["ociVersion"] = "0.9.0"'
bad "relative cwd" "is not an absolute path" 'p["cwd"] = "tmp"'
bad "sysctl of the host" "not in a separate kernel namespace" 'l["sysctl"] = {"kernel.panic": "1"}'
bad "unknown seccomp action" 'unknown action "SCMP_ACT_X"' 'del c["annotations"]; l["seccomp"] = {"defaultAction": "SCMP_ACT_X"}'
bad "cgroup path that climbs" "leaves its hierarchy" 'l["cgroupsPath"] = "/coracle-test/../../x"'
config 'c["ociVersion"] = "1.99.0"; c["fromTheFuture"] = {"x": 1}; l["alsoNew"] = 5'
check "newer minor versions and unknown properties are accepted" rt run -b "$bundle" c1
echo '{"ociVersion": ' >"$bundle/config.json"
check "truncated JSON" fails "config.json" rt create -b "$bundle" c1
check "no bundle" fails "enter the bundle" rt create -b "$work/none" c1
check "bad id" fails "invalid container ID format" rt create -b "$bundle" ../x
config
check "--log in JSON, as engines parse it" contains "$(config 'p["args"] = ["nosuch"]'; rt --log "$work/log" --log-format json create -b "$bundle" c1 2>/dev/null; cat "$work/log")" '"level":"error"' '"msg":"coracle-runtime create failed' '"time":"'
check "--version" contains "$(rt --version)" "coracle-runtime version" "spec: 1."
check "spec writes a bundle that runs" contains "$(cd "$work/volume" && rm -f config.json && rt spec && python3 -m json.tool config.json)" ociVersion
check "features is JSON" python3 -c 'import json,subprocess,sys; f = json.loads(subprocess.check_output([sys.argv[1], "features"])); assert "time" in f["linux"]["namespaces"]' "$runtime"
check "nothing is left after all these failures" same "$before" "$(host_state)"

tap_end
