#!/bin/bash
# tests/runtime/test_userns.sh: containers with a user namespace made by root, the cgroup mount in each arrangement,
# and the runtime inside a container of the runtime. Needs root.
# timeout: 300
set -uo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
source "$here/lib.sh"
begin
trap 'rt delete -f c1 >/dev/null 2>&1; rt delete -f c2 >/dev/null 2>&1; rmdir /sys/fs/cgroup/*"${CGROUP%/c1}" /sys/fs/cgroup/*/coracle-inner 2>/dev/null; rm -rf "$work"' EXIT
userns='l["namespaces"].append({"type": "user"}); maps = lambda h: [{"containerID": 0, "hostID": h, "size": 65536}]; l["uidMappings"] = maps(100000); l["gidMappings"] = maps(200000)'
in_userns() { in_container "$1" "$userns" "${@:2}"; }
m() { local IFS=,; echo "c['mounts'].append(mount('$1', '$2', '$3', *'${*:4}'.split(',')))"; }
bad() { config "${@:3}"; check "$1" fails "$2" rt create -b "$bundle" c1; rt delete -f c1 >/dev/null 2>&1; }
no_cgroupns='l["namespaces"] = [n for n in l["namespaces"] if n["type"] != "cgroup"]'
# a host's directory that a mapped root cannot enter: mktemp's are 0700
mkdir "$work/volume"; echo hello >"$work/volume/file"
# an engine gives the tree to the mapped root
mkdir "$bundle"/rootfs/{proc,dev,sys,mnt}
chown -R 100000:200000 "$bundle/rootfs"
before=$(host_state)

## linux.uidMappings, gidMappings

out=$(in_userns 'cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups; touch /data/by; readlink /proc/self/ns/user; cat /proc/self/status')
check "uidMappings, gidMappings: as written, setgroups allowed" contains "$(echo $out)" "0 100000 65536 0 200000 65536 allow"
check "uidMappings: files have the host's ids" same "100000:200000" "$(stat -c %u:%g "$bundle/rootfs/data/by")"
check "uidMappings: the namespace is new" lacks "$out" "$(readlink /proc/self/ns/user)"
check "uidMappings: capabilities and seccomp are config.json's" contains "$out" $'CapEff:\t00000000a80425fb' $'Seccomp:\t2'
check "uidMappings: several lines" same "0 100000 10 10 1000 5" "$(echo $(in_userns 'cat /proc/self/uid_map' 'l["uidMappings"] = [{"containerID": 0, "hostID": 100000, "size": 10}, {"containerID": 10, "hostID": 1000, "size": 5}]'))"
check "process.user: mapped ids, with groups" same "1000 1001 1001 27" "$(echo $(in_userns 'id -u; id -g; id -G' 'p["user"] = {"uid": 1000, "gid": 1001, "additionalGids": [27]}'))"
config "$userns" 'p["user"] = {"uid": 70000, "gid": 0}'
check "process.user: an id that is not mapped is an error" fails "70000" rt run -b "$bundle" c1
bad "uidMappings: absent with a new user namespace" "linux.uidMappings and gidMappings: needed by a new user namespace" 'l["namespaces"].append({"type": "user"})'
bad "uidMappings: without a user namespace" "there is no user namespace" 'l["uidMappings"] = l["gidMappings"] = [{"containerID": 0, "hostID": 1, "size": 1}]'
bad "uidMappings: ranges that overlap, as the kernel says" "linux.uidMappings: write uid_map: Invalid argument" "$userns" 'l["uidMappings"].append({"containerID": 5, "hostID": 900000, "size": 5})'
bad "gidMappings: ranges that overlap" "linux.gidMappings: write gid_map: Invalid argument" "$userns" 'l["gidMappings"].append({"containerID": 5, "hostID": 900000, "size": 5})'
bad "uidMappings: without 0" "must map 0" "$userns" 'l["uidMappings"][0]["containerID"] = 5'
bad "uidMappings: more lines than the kernel takes" "more than 340 lines" "$userns" 'l["uidMappings"] = [{"containerID": i, "hostID": i, "size": 1} for i in range(341)]'

## What root outside must do for root inside

check "rootfs and bind sources are out of the mapped root's reach, and mounted" same hello "$(in_userns 'cat /mnt/file' "$(m /mnt bind "$work/volume" rbind ro)")"
check "bind mounts: ro holds" contains "$(in_userns 'touch /mnt/x' "$(m /mnt bind "$work/volume" rbind ro)")" "Read-only"
check "root.readonly" contains "$(in_userns 'touch /data/x' 'c["root"]["readonly"] = True')" "Read-only"
check "mounts: nothing of the host's propagation is shared" lacks "$(in_userns 'cat /proc/self/mountinfo')" "shared:"
out=$(in_userns 'cat /proc/mounts; ls -l /dev; echo x >/dev/null && echo null; head -c1 /dev/zero | wc -c')
check "linux.devices: the host's nodes are bound" contains "$out" "/dev/null devtmpfs" $'null\n1'
check "linux.devices: links and pts" contains "$out" "ptmx -> pts/ptmx" "devpts /dev/pts"
check "linux.devices: a pipe is made" contains "$(in_userns 'ls -l /dev/pipe' 'l["devices"] = [{"path": "/dev/pipe", "type": "p"}]')" prw
bad "linux.devices: one that the host does not have" "the host has none to bind" "$userns" 'l["devices"] = [{"path": "/dev/nosuch", "type": "c", "major": 1, "minor": 3}]'
check "linux.sysctl of the container's namespaces" same 1 "$(in_userns 'cat /proc/sys/net/ipv4/ip_forward' 'l["sysctl"] = {"net.ipv4.ip_forward": "1"}')"
check "hostname" same box "$(in_userns hostname)"
check "linux.maskedPaths and readonlyPaths" same "0 0 Read-only" "$(in_userns 'echo $(cat /proc/timer_list /proc/keys 2>/dev/null | wc -c) $(ls /sys/firmware | wc -l) $( (echo 1 >/proc/sys/net/ipv4/ip_forward) 2>&1 | grep -o Read-only)')"
config "$userns" 'p["terminal"] = True; p["args"] = sh("tty; stat -c %t /dev/console; stat -c %u $(tty)")'
check "process.terminal" same "/dev/pts/0 88 0" "$(rt run -b "$bundle" c1 </dev/null 2>&1 | tr -d '\r' | xargs)"
check "--no-pivot" same "hello" "$(config "$userns" "$(m /mnt bind "$work/volume" bind)" 'p["args"] = ["cat", "/mnt/file"]'; rt run --no-pivot -b "$bundle" c1 2>&1)"
check "mounts: a gid that is not mapped is named" contains "$(in_userns true 'l["gidMappings"][0]["size"] = 3')" "gid=5 (this gid is not in linux.gidMappings)"

config "$userns" 'p["args"] = ["sleep", "1000"]'
quiet rt run -d --pid-file "$work/pid" -b "$bundle" c1
ns=$(readlink "/proc/$(cat "$work/pid")/ns/user")
check "exec joins the user namespace as its root" same "0 $ns" "$(rt exec c1 sh -c 'echo $(id -u) $(readlink /proc/self/ns/user)')"
check "exec --user" same "1000" "$(rt exec --user 1000:1000 c1 id -u)"
config "$(printf 'l["namespaces"] = [{"type": "user", "path": "/proc/%s/ns/user"}, {"type": "pid", "path": "/proc/%s/ns/pid"}, {"type": "mount"}, {"type": "network"}, {"type": "ipc"}, {"type": "uts"}]' "$(cat "$work/pid")" "$(cat "$work/pid")")" \
	'l["cgroupsPath"] = os.environ["CGROUP"] + "-2"; p["args"] = sh("readlink /proc/self/ns/user; id -u; ps -o comm | grep -c sleep; cat /mnt/file")' "$(m /mnt bind "$work/volume" bind)" 'c["mounts"] = [x for x in c["mounts"] if x["type"] != "cgroup"]'
check "linux.namespaces: a user namespace by path" same "$ns 0 1 hello" "$(rt run -b "$bundle" c2 2>&1 | xargs)"
check "kill and delete" rt delete -f c1
check "nothing is left" same "$before" "$(host_state)"

## mounts of type cgroup

cgroups='grep " /sys/fs/cgroup" /proc/self/mountinfo; cat /proc/self/cgroup; mkdir /sys/fs/cgroup/pids/mine'
writable='[x for x in c["mounts"] if x["type"] == "cgroup"][0]["options"].remove("ro")'
if [[ $(stat -fc %T /sys/fs/cgroup) != cgroup2fs ]]; then
	for who in root userns; do
		statement=pass; [[ $who == root ]] || statement=$userns
		out=$(in_container "$cgroups" "$statement")
		check "cgroup mount, v1, $who, cgroup namespace: each hierarchy, read-only" contains "$out" "/ /sys/fs/cgroup/memory ro," "/ /sys/fs/cgroup/pids ro," "Read-only"
		check "cgroup mount, v1, $who, cgroup namespace: the container's group is the root" lacks "$out" "${CGROUP#/}"
		out=$(in_container "$cgroups" "$statement" "$no_cgroupns")
		check "cgroup mount, v1, $who, host's cgroup namespace: the container's groups are bound" contains "$out" "$CGROUP /sys/fs/cgroup/memory ro," "$CGROUP /sys/fs/cgroup/pids ro," "Read-only"
	done
	check "cgroup mount, v1: without ro" lacks "$(in_container "$cgroups" "$writable")" "/sys/fs/cgroup/memory ro"
	check "cgroup mount, v1: ...the container can make groups" same made "$(in_container 'mkdir /sys/fs/cgroup/pids/x && rmdir /sys/fs/cgroup/pids/x && echo made' "$writable")"
	[[ $(stat -fc %T /sys/fs/cgroup/unified 2>/dev/null) != cgroup2fs ]] || check "cgroup mount, hybrid: unified is cgroup2" contains "$(in_container 'cat /proc/mounts')" "/sys/fs/cgroup/unified cgroup2 ro"
	# the same on the unified hierarchy alone
	as_v2() { unshare -m bash -c 'mount --make-rprivate / && mount --bind /sys/fs/cgroup/unified /sys/fs/cgroup && exec "$@"' v2 "$@"; }
else
	as_v2() { "$@"; }
fi
if [[ $(as_v2 stat -fc %T /sys/fs/cgroup) == cgroup2fs ]]; then
	v2() { SCRIPT='grep " /sys/fs/cgroup" /proc/self/mountinfo; cat /sys/fs/cgroup/cgroup.procs; mkdir /sys/fs/cgroup/x' config 'p["args"] = sh(os.environ["SCRIPT"])' "$@"; as_v2 timeout 60 "$runtime" --root "$state" run -b "$bundle" c1 2>&1; }
	check "cgroup mount, v2, root, cgroup namespace" contains "$(v2)" "/ /sys/fs/cgroup ro," "cgroup2" "Read-only"
	check "cgroup mount, v2, root, host's cgroup namespace: the container's group is what is seen" contains "$(v2 "$no_cgroupns")" "/sys/fs/cgroup ro," "cgroup2" $'\n1\n'
	check "cgroup mount, v2, userns, cgroup namespace" contains "$(v2 "$userns")" "/ /sys/fs/cgroup ro," "cgroup2" "Read-only"
	check "cgroup mount, v2, userns, host's cgroup namespace" contains "$(v2 "$userns" "$no_cgroupns")" "$CGROUP /sys/fs/cgroup ro," "cgroup2"
	check "cgroup mount, v2: type cgroup2 is the same" contains "$(v2 '[x for x in c["mounts"] if x["type"] == "cgroup"][0]["type"] = "cgroup2"')" "/ /sys/fs/cgroup ro," "cgroup2"
fi
if [[ $(stat -fc %T /sys/fs/cgroup) != cgroup2fs ]]; then
	config 'p["args"] = sh("ls /sys/fs/cgroup/memory; mkdir /sys/fs/cgroup/memory/x; echo x > /sys/fs/cgroup/memory/cgroup.procs")' 'del l["cgroupsPath"]; c["mounts"][2]["options"].remove("gid=5"); l["namespaces"] = [n for n in l["namespaces"] if n["type"] not in ("cgroup",)]' \
		'l["namespaces"].append({"type": "user"}); l["uidMappings"] = l["gidMappings"] = [{"containerID": 0, "hostID": 12345, "size": 1}]'
	cp "$runtime" "$work/coracle-runtime"; chmod 755 "$work" "$work/coracle-runtime"; mkdir "$work/theirs"; chown -R 12345:12345 "$bundle" "$work/theirs"
	check "cgroup mount, userns, no group of its own: the group that it stays in, read-only" contains \
		"$(setpriv --reuid 12345 --regid 12345 --clear-groups --inh-caps=-all "$work/coracle-runtime" --root "$work/theirs/s" run -b "$bundle" c1 2>&1)" \
		cgroup.procs "can't create directory '/sys/fs/cgroup/memory/x': Read-only" "can't create /sys/fs/cgroup/memory/cgroup.procs: Read-only"
	chown -R 0:0 "$bundle"
fi
rmdir /sys/fs/cgroup/*"$CGROUP-2" 2>/dev/null

## The runtime in a container of the runtime

# outer: privileged as `docker run --privileged` makes it; inner: a bundle in its tree
mkdir -p "$bundle/rootfs/inner"/{a,b}
cp "$runtime" "$bundle/rootfs/bin/coracle-runtime"
for b in a b; do mkdir "$bundle/rootfs/inner/$b/rootfs"; cp -a "$bundle/rootfs"/{bin,etc} "$bundle/rootfs/inner/$b/rootfs"; done
inner='l["cgroupsPath"] = "/coracle-inner/c"; p["args"] = sh("echo inner $(hostname) $(id -u) $(cut -c1-6 /proc/mounts | grep -c proc) $(cat /sys/fs/cgroup/pids/pids.max 2>/dev/null)")'
python3 "$here/config.py" "$inner" 'l["resources"]["pids"] = {"limit": 77}' >"$bundle/rootfs/inner/a/config.json"
python3 "$here/config.py" "$inner" "$userns" >"$bundle/rootfs/inner/b/config.json"
chown -R 100000:200000 "$bundle/rootfs/inner/b/rootfs"
outer='allcaps = os.environ["ALLCAPS"].split(); p["capabilities"] = {s: allcaps for s in ("bounding", "effective", "permitted")}; del c["annotations"], l["maskedPaths"], l["readonlyPaths"]; [x["options"].remove("ro") for x in c["mounts"] if "ro" in x["options"]]; l["resources"]["devices"] = [{"allow": True, "access": "rwm"}]'
ALLCAPS=$(rt features | python3 -c 'import json,sys; print(" ".join(json.load(sys.stdin)["linux"]["capabilities"]))')
export ALLCAPS
nested() { in_container "coracle-runtime run -b /inner/$1 c; coracle-runtime list -q" "$outer" "$(m /run tmpfs tmpfs)" "${@:2}" | grep -v level=warning; }
if [[ $(stat -fc %T /sys/fs/cgroup) == cgroup2fs ]]; then
	# a group with processes in it can have no limited children (cgroup v2): the outer one would have to step aside
	python3 "$here/config.py" "$inner" >"$bundle/rootfs/inner/a/config.json"
fi
check "nested: a container in a container, with its own group and limit" contains "$(nested a)" "inner box 0"
[[ $(stat -fc %T /sys/fs/cgroup) == cgroup2fs ]] || check "nested: the inner limit is the kernel's" contains "$(nested a)" " 77"
check "nested: with a user namespace inside" contains "$(nested b)" "inner box 0"
check "nested: nothing of the inner one is left" same "inner" "$(nested a | cut -d' ' -f1 | xargs)"
check "nested: inside a container with a user namespace" contains "$(chown -R 100000:200000 "$bundle/rootfs/inner/a" "$bundle/rootfs/data"; python3 "$here/config.py" "$inner" 'del l["cgroupsPath"]' >"$bundle/rootfs/inner/a/config.json"; nested a "$userns")" "inner box 0"
check "nothing is left" same "$before" "$(host_state)"

tap_end
