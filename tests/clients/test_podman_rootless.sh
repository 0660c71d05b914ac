#!/bin/bash
# tests/clients/test_podman_rootless.sh: Debian's podman as an ordinary user, in its own user namespace, with coracle-runtime.
# timeout: 600
set -uo pipefail
# shellcheck source=tests/clients/lib.sh
. "$(dirname "$0")/lib.sh"
needs podman conmon newuidmap setpriv

# an account of the test's own: the files of accounts are changed in this mount namespace alone
uid=12345
for file in passwd group subuid subgid; do
	cp "/etc/$file" "$work/$file" 2>/dev/null || : >"$work/$file"
	[[ -e /etc/$file ]] || skip_all "this machine has no /etc/$file"
	case $file in
	passwd) echo "walker:x:$uid:$uid::$work/home:/bin/sh" ;;
	group) echo "walker:x:$uid:" ;;
	*) echo "walker:200000:65536" ;;
	esac >>"$work/$file"
	mount --bind "$work/$file" "/etc/$file"
done
# the build may lie where only root can go
cp "$runtime" "$work/coracle-runtime"
cp "$fixtures/busybox.docker.tar" "$work/"
mkdir "$work/home" "$work/run" "$work/mine"
chmod 755 "$work" "$work/coracle-runtime"
chmod 644 "$work/busybox.docker.tar"
chown $uid:$uid "$work/home" "$work/run" "$work/mine"
printf '[engine]\nruntime_supports_json = ["coracle-runtime"]\n' >"$work/containers.conf"
cd "$work/home" || exit 1

podman() {
	setpriv --reuid $uid --regid $uid --clear-groups --inh-caps=-all \
		env -i "PATH=$PATH" "HOME=$work/home" "XDG_RUNTIME_DIR=$work/run" "CONTAINERS_CONF=$work/containers.conf" TERM=xterm \
		podman --root "$work/mine/root" --runroot "$work/mine/run" --tmpdir "$work/mine/tmp" --runtime "$work/coracle-runtime" \
		--cgroup-manager cgroupfs --events-backend file --storage-driver vfs --log-level error "$@"
}
once() { podman run --rm --network none "$@" 2>&1; }
box=busybox:latest
runtime=$work/coracle-runtime

check 'load' podman load -i "$work/busybox.docker.tar"
check 'run' same hello "$(once $box echo hello)"
check 'run: the exit code' gives 7 once $box sh -c 'exit 7'
check 'run: a program that is not there is 127' gives 127 once $box nosuch
check 'run: the user namespace has the subordinate ids' contains "$(once $box cat /proc/self/uid_map)" '0      12345          1' '1     200000      65536'
check 'run -u: a subordinate id' same 1000 "$(once -u 1000 $box id -u)"
check 'run --read-only' contains "$(once --read-only $box touch /x)" 'Read-only file system'
check 'run: seccomp, no-new-privileges' contains "$(once --security-opt no-new-privileges $box cat /proc/self/status)" $'Seccomp:\t2' $'NoNewPrivs:\t1'
check 'run -v: what is written is the user'"'"'s' same "$uid" "$(once -v "$work/mine:/mnt" $box touch /mnt/file; stat -c %u "$work/mine/file")"
check 'run --userns keep-id' same "$uid" "$(once --userns keep-id $box id -u)"
check 'run -t: a terminal' contains "$(on_terminal env bash -c "$(declare -f podman once); PATH='$PATH' work=$work uid=$uid; once -t $box tty")" /dev/pts/0
podman run -d --network none --name long $box sh -c "$waits" >/dev/null 2>&1
check 'run -d: logs' eventually eval 'podman logs long | grep -q started'
check 'exec' contains "$(podman exec long id 2>&1)" 'uid=0(root)'
check 'exec: the exit code' gives 3 podman exec long sh -c 'exit 3'
check 'exec -t' contains "$(podman exec -t long tty 2>&1)" /dev/pts/
check 'top' contains "$(podman top long 2>&1)" COMMAND 'sh -c'
check 'stop' podman stop long
check 'stop: the exit code of the program' same 5 "$(podman inspect --format '{{.State.ExitCode}}' long 2>/dev/null)"
check 'rm' podman rm long
check 'nothing is left: mounts' same '' "$(mounts)"
check 'nothing is left: processes' no_processes
# podman's own process, which holds its namespaces from one command to the next
pause=$(find "$work/run" "$work/mine" -name pause.pid -exec cat {} + 2>/dev/null)
[[ -z $pause ]] || kill "$pause"
tap_end
