#!/bin/bash
# tests/runtime/test_sdnotify.sh: NOTIFY_SOCKET: what a container's program says to the host's service manager. Needs root.
# timeout: 120
set -uo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
source "$here/lib.sh"
begin
trap leave EXIT
unset NOTIFY_SOCKET
before=$(host_state)

# the program: python3 of the host's; says the words that it is given, then waits for a file
tools='c["mounts"] += [mount(d, "bind", d, "rbind", "ro") for d in ("/usr", "/lib", "/lib64") if os.path.exists(d)]; del c["annotations"]'
cat >"$bundle/rootfs/bin/say" <<'PY'
import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.connect(os.environ["NOTIFY_SOCKET"])
for word in sys.argv[1:]:
    s.send(word.encode().decode("unicode_escape").encode())
print("said", flush=True)
PY
says() { # SCRIPT-END WORD...
	local end=$1
	shift
	SCRIPT="$(printf 'python3 /bin/say'; printf " '%s'" "$@"); $end" config 'p["args"] = sh(os.environ["SCRIPT"])' "$tools"
}
# the manager: prints what it is told, answers a barrier, ends after it
cat >"$work/manager.py" <<'PY'
import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
os.chmod(sys.argv[1].replace("\0", ""), 0o666) if sys.argv[1][0] != "\0" else None
print("listening", flush=True)
while True:
    data, fds, flags, who = socket.recv_fds(s, 4096, 4)
    print(data.decode().strip(), len(fds), flush=True)
    for fd in fds:
        os.close(fd)
    if data.startswith(b"BARRIER"):
        break
PY
manage() { # COMMAND...: what the manager heard
	rm -f "$work/manager.sock"
	coproc manager { exec python3 "$work/manager.py" "$work/manager.sock"; }
	local pid=$manager_PID out=${manager[0]}
	exec 9<&"$out"
	read -r _ <&9
	NOTIFY_SOCKET=$work/manager.sock "$@" </dev/null >"$work/out" 2>&1
	echo $? >"$work/status"
	[[ -n ${SILENT-} ]] && kill "$pid"
	heard=$(cat <&9 | paste -sd' ')
	exec 9<&-
	wait "$pid" 2>/dev/null
}

says 'sleep 1000' STATUS=warm 'READY=1'
quiet env "NOTIFY_SOCKET=$work/manager.sock" "$runtime" --root "$state" create --pid-file "$work/pid" -b "$bundle" c1
check "NOTIFY_SOCKET: create makes no socket yet" same "" "$(ls "$state/c1/notify")"
manage rt start c1
check "NOTIFY_SOCKET, start: READY, the program's pid, and a barrier" same "READY=1 0 MAINPID=$(cat "$work/pid") 0 BARRIER=1 1" "$heard"
check "NOTIFY_SOCKET, start: succeeds when it is ready" same 0 "$(cat "$work/status")"
check "NOTIFY_SOCKET: in the container it is read-only, and ours" contains "$(rt exec c1 sh -c 'touch /run/notify/x; ls /run/notify' 2>&1)" Read-only notify.sock
check "NOTIFY_SOCKET: exec has none" same "" "$(rt exec c1 sh -c 'echo $NOTIFY_SOCKET')"
check "NOTIFY_SOCKET: delete" rt delete -f c1
check "NOTIFY_SOCKET: nothing is left" same "$before" "$(host_state)"

says 'sleep 1000' 'MAINPID=1\nREADY=1\nSTATUS=x'
manage rt run -d --pid-file "$work/pid" -b "$bundle" c1
check "NOTIFY_SOCKET, run --detach: READY among other lines, which are not passed on" same "READY=1 0 MAINPID=$(cat "$work/pid") 0 BARRIER=1 1" "$heard"
rt delete -f c1
says 'exit 7' 'READY=1'
runs() { "$runtime" --root "$state" run -b "$bundle" c1 & echo $! >"$work/runtime.pid"; wait $!; }
manage runs
check "NOTIFY_SOCKET, run: the pid is that of run, which is the service" same "READY=1 0 MAINPID=$(cat "$work/runtime.pid") 0 BARRIER=1 1" "$heard"
check "NOTIFY_SOCKET, run: the program's status" same 7 "$(cat "$work/status")"

says 'exit 0' 'READY=nonsense' 'MAINPID=1'
quiet env "NOTIFY_SOCKET=$work/manager.sock" "$runtime" --root "$state" create -b "$bundle" c1
SILENT=1 manage rt start c1
check "NOTIFY_SOCKET: a program that ends without READY ends start too, and nothing is passed on" same "0 " "$(cat "$work/status") $heard"
rt delete -f c1

config 'p["args"] = ["sleep", "1000"]'
quiet rt create -b "$bundle" c1
SILENT=1 manage rt start c1
check "NOTIFY_SOCKET: not set at create, start says that it is without effect" contains "$(cat "$work/out")" level=warning "NOTIFY_SOCKET: was not set when the container was created"
rt delete -f c1
says 'sleep 1000' 'READY=1'
NOTIFY_SOCKET=$work/nobody quiet rt run -d -b "$bundle" c1
check "NOTIFY_SOCKET: a manager that is not there is a warning" contains "$(cat "$work/out")" "NOTIFY_SOCKET $work/nobody: No such file or directory"
rt delete -f c1
user='l["namespaces"].append({"type": "user"}); l["uidMappings"] = l["gidMappings"] = [{"containerID": 0, "hostID": 100000, "size": 65536}]; p["user"] = {"uid": 1000, "gid": 1000}'
SCRIPT="python3 /bin/say READY=1; exec sleep 1000" config 'p["args"] = sh(os.environ["SCRIPT"])' "$tools" "$user"
manage rt run -d --pid-file "$work/pid" -b "$bundle" c1
check "NOTIFY_SOCKET: a user of a user namespace can write to it" same "READY=1 0 MAINPID=$(cat "$work/pid") 0 BARRIER=1 1" "$heard"
rt delete -f c1
config 'l["namespaces"] = [n for n in l["namespaces"] if n["type"] != "mount"]' 'c["mounts"] = []; l["maskedPaths"] = l["readonlyPaths"] = []'
check "NOTIFY_SOCKET: without a mount namespace a warning" contains "$(NOTIFY_SOCKET=$work/nobody rt run -b "$bundle" c1 2>&1)" "NOTIFY_SOCKET: needs a mount namespace"
check "nothing is left" same "$before" "$(host_state)"
tap_end
