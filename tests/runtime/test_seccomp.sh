#!/bin/bash
# tests/runtime/test_seccomp.sh: linux.seccomp with real programs and a real agent. What filters decide is compared with libseccomp in
# tests/unit/test_oci_seccomp_peer.c. Needs root.
# timeout: 600
set -uo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
source "$here/lib.sh"
begin
agent=
trap '[[ -n $agent ]] && kill $agent; rt delete -f c1 >/dev/null 2>&1; rmdir /sys/fs/cgroup/*"${CGROUP%/c1}" 2>/dev/null; rm -rf "$work"' EXIT
before=$(host_state)

# profile JSON: the statement that makes it linux.seccomp
profile() { echo "c.pop('annotations', None); true, false, null = True, False, None; l['seccomp'] = $1"; }
allow() { profile '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "'"$1"'"'"${2-}"'}]}'; }
# status SCRIPT [STATEMENT]...: how the container ended
status() { in_container "$@" >"$work/out" 2>&1; echo $?; }

check "linux.seccomp.syscalls[].action: SCMP_ACT_ERRNO gives EPERM" contains "$(in_container 'mkdir /tmp/x' "$(allow SCMP_ACT_ERRNO)")" "Operation not permitted"
check "linux.seccomp.syscalls[].errnoRet: another errno" contains "$(in_container 'mkdir /tmp/x' "$(allow SCMP_ACT_ERRNO ', "errnoRet": 28')")" "No space left on device"
check "SCMP_ACT_KILL_PROCESS ends the program by SIGSYS" same 159 "$(status 'exec mkdir /tmp/x' "$(allow SCMP_ACT_KILL_PROCESS)")"
check "SCMP_ACT_KILL and SCMP_ACT_KILL_THREAD end the thread by SIGSYS" same "159 159" "$(status 'exec mkdir /tmp/x' "$(allow SCMP_ACT_KILL)") $(status 'exec mkdir /tmp/x' "$(allow SCMP_ACT_KILL_THREAD)")"
check "SCMP_ACT_TRAP sends SIGSYS" same 159 "$(status 'exec mkdir /tmp/x' "$(allow SCMP_ACT_TRAP)")"
check "SCMP_ACT_TRACE without a tracer gives ENOSYS" contains "$(in_container 'mkdir /tmp/x' "$(allow SCMP_ACT_TRACE)")" "Function not implemented"
check "SCMP_ACT_LOG and SCMP_ACT_ALLOW let it pass" same "made" "$(in_container 'mkdir /tmp/x && rmdir /tmp/x && echo made' "$(allow SCMP_ACT_LOG)")"
check "linux.seccomp.defaultErrnoRet" contains "$(in_container 'echo there; mkdir /tmp/x' "$(profile '{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 75,
	"syscalls": [{"names": [n for n in open("'"$here"'/../../runtime/oci/seccomp_default.c").read().replace(chr(34), " ").split() if n.isidentifier() and n not in ("mkdir", "mkdirat")], "action": "SCMP_ACT_ALLOW"}]}')")" there "Value too large"
everyday='"execve", "exit_group", "brk", "mmap", "munmap", "mprotect", "arch_prctl", "set_tid_address", "capset", "prctl"'
check "an allow list of what a program needs is enough to start it" same 0 "$(status '' 'p["args"] = ["/bin/true"]' "$(profile '{"defaultAction": "SCMP_ACT_KILL_PROCESS", "syscalls": [{"names": ['"$everyday"'], "action": "SCMP_ACT_ALLOW"}]}')")"
check "...with noNewPrivileges" same 0 "$(status '' 'p["args"] = ["/bin/true"]; p["noNewPrivileges"] = True' "$(profile '{"defaultAction": "SCMP_ACT_KILL_PROCESS", "syscalls": [{"names": ['"$everyday"'], "action": "SCMP_ACT_ALLOW"}]}')")"
check "...and without what it needs it is killed" same 159 "$(status '' 'p["args"] = ["/bin/true"]' "$(profile '{"defaultAction": "SCMP_ACT_KILL_PROCESS", "syscalls": [{"names": ["execve", "capset", "prctl"], "action": "SCMP_ACT_ALLOW"}, {"names": ["statx"], "action": "SCMP_ACT_ERRNO"}]}')")"
check "linux.seccomp.flags: all four, and the kernel takes them" same 0 "$(status true "$(profile '{"defaultAction": "SCMP_ACT_ALLOW", "flags": ["SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"], "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO"}]}')")"
spec_store() { grep Speculation_Store_Bypass; }
usual=$(in_container 'cat /proc/self/status' "$(profile '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO"}]}')" | spec_store)
check "without flags speculation is left alone (as runc)" same "$(grep Speculation_Store_Bypass /proc/self/status)" "$usual"

## SCMP_ACT_NOTIFY

start_agent() {
	rm -f "$work/agent.sock" "$work/agent.log"
	coproc agent_io { exec python3 "$here/seccomp_agent.py" "$work/agent.sock" "$work/agent.log"; }
	agent=$agent_io_PID
	read -r _ <&"${agent_io[0]}"
}
notify() { profile '{"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "'"$work"'/agent.sock", "listenerMetadata": "meta \"data\""'"${2-}"', "syscalls": [{"names": ['"$1"'], "action": "SCMP_ACT_NOTIFY"}]}'; }
# field EXPRESSION: of the last state that the agent got, which is complete when its connection has ended
field() {
	until [[ -s $work/agent.log ]]; do sleep 0.01; done
	python3 -c 'import json,sys; s = json.loads(open(sys.argv[1]).read().strip().split("\n")[-1]); print(eval(sys.argv[2]))' "$work/agent.log" "$1"
}
start_agent
check "SCMP_ACT_NOTIFY, run: the agent decides" contains "$(in_container 'mkdir /tmp/x; ls /proc/self/fd | wc -l' "$(notify '"mkdir", "mkdirat"')")" "No medium found" $'\n4'
check "containerProcessState: fds, metadata, one descriptor, the connection is closed" same "['seccompFd'] meta \"data\" 1 anon_inode:seccomp notify" "$(field '"%s %s %s %s" % (s["fds"], s["metadata"], s["fds_received"], s["link"])')"
check "containerProcessState: ociVersion, pid and state" same "True c1 creating True $bundle" "$(field '"%s %s %s %s %s" % (s["ociVersion"].startswith("1."), s["state"]["id"], s["state"]["status"], s["state"]["pid"] == s["pid"] > 1, s["state"]["bundle"])')"
rm -f "$work/agent.log"
SCRIPT='mkdir /tmp/x; sleep 1000' config 'p["args"] = sh(os.environ["SCRIPT"])' "$(notify '"mkdir", "mkdirat"')"
quiet rt create -b "$bundle" --pid-file "$work/pid" c1
check "create tells no agent yet" test ! -s "$work/agent.log"
check "SCMP_ACT_NOTIFY, start" rt start c1
check "start: pid of the container" same "$(cat "$work/pid")" "$(field 's["pid"]')"
rm -f "$work/agent.log"
check "SCMP_ACT_NOTIFY, exec" contains "$(rt exec --pid-file "$work/pid2" c1 sh -c 'mkdir /tmp/y' 2>&1)" "No medium found"
check "exec: its own pid, the container's state" same "$(cat "$work/pid2") running $(cat "$work/pid")" "$(field '"%s %s %s" % (s["pid"], s["state"]["status"], s["state"]["pid"])')"
rt delete -f c1
for calls in '"execve", "close", "read", "capset"' '"sendmsg", "sendto", "recvfrom", "connect"'; do
	check "SCMP_ACT_NOTIFY for $calls: the runtime's own calls get through" same ok "$(in_container 'echo ok' "$(notify "$calls" ', "flags": ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]')")"
done
check "...with noNewPrivileges" same ok "$(in_container 'echo ok' 'p["noNewPrivileges"] = True' "$(notify '"execve", "read"')")"
chmod 755 "$work"
user='l["namespaces"].append({"type": "user"}); l["uidMappings"] = l["gidMappings"] = [{"containerID": 0, "hostID": 100000, "size": 65536}]'
check "SCMP_ACT_NOTIFY in a user namespace" contains "$(in_container 'mkdir /tmp/x' "$user" "$(notify '"mkdir", "mkdirat"')")" "No medium found"
long='c["annotations"] = {"a%d" % i: "x" * 1000 for i in range(100)}'
rm -f "$work/agent.log"
check "a state of 100 KiB arrives whole" same "ok 100" "$(in_container 'echo ok' "$(notify '"mkdir"')" "$long") $(field 'len(s["state"]["annotations"])')"
kill $agent; wait $agent 2>/dev/null; agent=
config 'p["args"] = ["/bin/true"]' "$(notify '"mkdir"')"
check "SCMP_ACT_NOTIFY without an agent fails and names the path" fails "linux.seccomp.listenerPath \"$work/agent.sock\": failed to connect with seccomp agent" rt run -b "$bundle" c1
quiet rt create -b "$bundle" c1
check "...at start" fails "failed to connect with seccomp agent" rt start c1
until [[ $(rt state c1) == *stopped* ]]; do sleep 0.01; done
check "...and the container has stopped" rt delete c1
config 'p["args"] = ["/bin/true"]' "$(notify '"write"')"
check "SCMP_ACT_NOTIFY for write is refused (as runc)" fails "SCMP_ACT_NOTIFY cannot be used for the write syscall" rt create -b "$bundle" c1
config "$(profile '{"defaultAction": "SCMP_ACT_NOTIFY", "listenerPath": "/x"}')"
check "SCMP_ACT_NOTIFY as defaultAction is refused (as runc)" fails "SCMP_ACT_NOTIFY cannot be used as default action" rt create -b "$bundle" c1
check "linux.seccomp.listenerPath is ignored without SCMP_ACT_NOTIFY" same ok "$(in_container 'echo ok' "$(profile '{"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/no/such"}')")"
check "nothing is left" same "$before" "$(host_state)"

tap_end
