#!/bin/bash
# tests/runtime/test_mounts.sh: root, mounts, devices and masks of config.json, each property by its name. Needs root.
# timeout: 300
set -uo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
if [[ ${CORACLE_MOUNTS-} == "" && $EUID == 0 ]]; then
	# a mount namespace of our own, shared like a host's under systemd: propagation shows here, and stays here
	export CORACLE_MOUNTS=1
	exec unshare -m bash -c 'mount --make-rshared / && exec bash "$0"' "${BASH_SOURCE[0]}"
fi
source "$here/lib.sh"
begin
trap 'rt delete -f c1 >/dev/null 2>&1; rmdir /sys/fs/cgroup/*"${CGROUP%/c1}" 2>/dev/null; umount -R "$work/vol" 2>/dev/null; rm -rf "$work"' EXIT
mkdir -p "$work/vol" "$work/dir/sub"
mount -t tmpfs vol "$work/vol"
mkdir "$work/vol/sub" "$work/vol/plain"
mount -t tmpfs sub "$work/vol/sub"
echo hello >"$work/vol/file"
echo deep >"$work/vol/sub/file"
before=$(host_state)

# m DESTINATION TYPE SOURCE [OPTION]...: a statement that adds a mount
m() {
	local IFS=,
	echo "c['mounts'].append(mount('$1', '$2', '$3', *'${*:4}'.split(',')))"
}
# mounted DESTINATION SCRIPT-OUTPUT: its line of mountinfo
line_of() { grep " $1 " <<<"$2" | tail -1; }
info='cat /proc/self/mountinfo'
bad() { config "${@:3}"; check "$1" fails "$2" rt create -b "$bundle" c1; rt delete -f c1 >/dev/null 2>&1; }

## root

bad "root.path: missing on the host" "root.path: open the rootfs $bundle/nowhere: No such file or directory" 'c["root"]["path"] = "nowhere"'
bad "root.path: a file" "root.path: open the rootfs $bundle/config.json: Not a directory" 'c["root"]["path"] = "config.json"'
ln -s rootfs "$bundle/link"
bad "root.path: a symbolic link (refused as by runc)" "it is a symbolic link or behind one" 'c["root"]["path"] = "link"'
ln -s bundle "$work/linked"
bad "root.path: behind a symbolic link" "it is a symbolic link or behind one" "c['root']['path'] = '$work/linked/rootfs'"
one_line() { [[ $(rt create -b "$bundle" c1 2>&1 | wc -l) == 1 ]]; }
check "root.path: the error is one line" one_line
check "root.path: absolute" same fine "$(in_container 'echo fine' "c['root']['path'] = '$bundle/rootfs'")"
check "root.path: with . and .. in it" same fine "$(in_container 'echo fine' 'c["root"]["path"] = "./../bundle/rootfs/"')"
bad "root.path: empty" "root.path: missing" 'c["root"]["path"] = ""'
check "root.readonly: the root is, mounts are not" same "Read-only fine" "$(in_container 'touch /x 2>&1 | grep -o Read-only; touch /dev/shm/x && echo fine' 'c["root"]["readonly"] = True' | xargs)"
check "root.readonly: false" same fine "$(in_container 'touch /x && rm /x && echo fine' 'c["root"]["readonly"] = False')"

## mounts: destination, source, order

bind_at() { in_container "$2" "$(m "$1" bind "$work/vol" bind)"; }
check "mounts.destination: relative counts from /" same hello "$(bind_at new/rel 'cat /new/rel/file')"
check "mounts.destination: missing directories are made" same hello "$(bind_at /made/for/it 'cat /made/for/it/file')"
check "mounts.destination: . and .. are taken out" same hello "$(bind_at /made/./x/../for//it/ 'cat /made/for/it/file')"
check "mounts.destination: .. does not climb out" same hello "$(bind_at /../../../../climb 'cat /climb/file')"
check "mounts.destination: a file for a file" same hello "$(in_container 'cat /etc/made/conf' "$(m /etc/made/conf bind "$work/vol/file" bind)")"
ln -s /far/away "$bundle/rootfs/dangling"
check "mounts.destination: a dangling link, for a directory: what it names is made inside" same "hello hello" "$(bind_at /dangling 'cat /dangling/file /far/away/file' | xargs)"
ln -s ../not/there "$bundle/rootfs/etc/dangling"
check "mounts.destination: below a dangling link" same hello "$(bind_at /etc/dangling/x 'cat /not/there/x/file')"
ln -s /far/file "$bundle/rootfs/etc/danglingfile"
check "mounts.destination: a dangling link, for a file" same hello "$(in_container 'cat /far/file' "$(m /etc/danglingfile bind "$work/vol/file" bind)")"
ln -s "$work/outside" "$bundle/rootfs/absolute"
check "mounts.destination: a link to the host's path" same hello "$(bind_at /absolute/x "cat $work/outside/x/file")"
check "mounts.destination: ...made nothing on the host" test ! -e "$work/outside"
ln -s loop2 "$bundle/rootfs/loop1"; ln -s loop1 "$bundle/rootfs/loop2"
bad "mounts.destination: links in a circle" "mount /loop1/x: " "$(m /loop1/x bind "$work/vol" bind)"
check "mounts: in the order of config.json, later ones on earlier ones" same "deep" "$(in_container 'cat /mnt/over/file' "$(m /mnt tmpfs tmpfs)" "$(m /mnt/over bind "$work/vol/sub" bind)")"
bad "mounts: a file on a directory" "is a directory, the other is not" "$(m /etc bind "$work/vol/file" bind)"
bad "mounts.source: missing on the host" "mount /x: open the source $work/none: No such file or directory" "$(m /x bind "$work/none" bind)"
bad "mounts.source: absent" "a bind mount needs a source" 'c["mounts"].append({"destination": "/x", "type": "bind", "options": ["bind"]})'
bad "mounts.type: unknown" "mount /x: mount nosuchfs: No such device" "$(m /x nosuchfs x)"
bad "mounts.type: absent" "mount /x: type: missing" 'c["mounts"].append({"destination": "/x", "source": "x"})'
check "mounts.source: relative is the bundle's" same "root:x" "$(in_container 'head -c6 /mnt/passwd' "$(m /mnt bind ./rootfs/etc bind)")"

## mount options, a bind and a file system of one's own for each

# option NAME TEXT[|TEXT]...: on a bind the line of mountinfo has TEXT
option() {
	local out
	out=$(in_container "$info" "$(m /mnt bind "$work/vol" rbind "$@")")
	line_of /mnt "$out"
}
tmpfs_option() { line_of /mnt "$(in_container "$info" "$(m /mnt tmpfs tmpfs "$@")")"; }
for o in ro nosuid nodev noexec noatime nodiratime nosymfollow; do
	check "option $o: bind" contains " $(option $o | cut -d' ' -f6 | tr , ' ') " " $o "
	check "option $o: tmpfs" contains " $(tmpfs_option $o | cut -d' ' -f6 | tr , ' ') " " $o "
done
mount -o remount,bind,ro,nosuid,nodev,noexec,noatime,nodiratime "$work/vol"
for pair in rw:ro suid:nosuid dev:nodev exec:noexec atime:noatime diratime:nodiratime; do
	check "option ${pair%:*}: takes ${pair#*:} of the source away" lacks " $(option ${pair%:*} | cut -d' ' -f6 | tr , ' ') " " ${pair#*:} "
done
check "option relatime: in place of noatime" contains "$(option relatime)" relatime
check "option bind: without an option the source's flags stay" contains "$(option defaults)" "ro,nosuid,nodev,noexec,noatime,nodiratime"
mount -o remount,bind,rw,suid,dev,exec,atime,relatime,diratime "$work/vol"
check "option strictatime: bind" lacks "$(option strictatime | cut -d' ' -f6)" relatime
check "option strictatime: tmpfs" lacks "$(tmpfs_option strictatime | cut -d' ' -f6)" relatime
for o in sync dirsync lazytime mand; do
	check "option $o: of the file system" contains "$(tmpfs_option $o | sed 's/.* - //')" $o
	check "option $o: with a propagation too" contains "$(tmpfs_option $o private | sed 's/.* - //')" $o
done
for o in async nolazytime nomand loud silent iversion noiversion norelatime nostrictatime symfollow defaults rw; do
	check "option $o: accepted" contains "$(tmpfs_option $o)" tmpfs
done
check "options: the last of two wins" lacks "$(tmpfs_option ro rw | cut -d' ' -f6)" ro
check "options: unknown ones are the file system's data" contains "$(tmpfs_option size=1m mode=700 nr_inodes=77)" size=1024k mode=700 nr_inodes=77
check "options: data with a propagation too" contains "$(tmpfs_option size=1m mode=700 rslave)" size=1024k mode=700
bad "options: data that the file system refuses, by name" "mount tmpfs with nosuchoption=1: Invalid argument" "$(m /x tmpfs tmpfs nosuchoption=1)"
bad "options: data on a bind (refused as by runc)" "bind mounts cannot have any filesystem-specific options applied" "$(m /x bind "$work/vol" bind size=1m)"
check "option bind: without what is mounted below" same "" "$(in_container 'cat /mnt/sub/file 2>/dev/null' "$(m /mnt bind "$work/vol" bind)")"
check "option rbind: with what is mounted below" same deep "$(in_container 'cat /mnt/sub/file' "$(m /mnt bind "$work/vol" rbind)")"
check "type bind without the option is a bind" same hello "$(in_container 'cat /mnt/file' "$(m /mnt bind "$work/vol")")"
check "option bind with another type is a bind" same hello "$(in_container 'cat /mnt/file' "$(m /mnt none "$work/vol" bind)")"
check "option remount: of a bind" contains "$(line_of /mnt "$(in_container "$info" "$(m /mnt bind "$work/vol" bind nosuid)" "$(m /mnt bind none bind remount ro)")")" "ro,nosuid"
check "option remount: of a file system, with data" contains "$(line_of /mnt "$(in_container "$info" "$(m /mnt tmpfs tmpfs size=1m)" "$(m /mnt tmpfs tmpfs remount ro size=2m)")")" "ro," size=2048k

# below one's own mount the host's stays: only the recursive forms reach it
both() { in_container "$info" "$(m /mnt bind "$work/vol" rbind "$@")" | grep ' /mnt' | cut -d' ' -f6 | tr '\n' ' '; }
check "option ro: the mount below stays writable" same "ro,relatime rw,relatime " "$(both ro)"
check "option rro: the mounts below too" same "ro,relatime ro,relatime " "$(both rro)"
check "option rnosuid" same "rw,nosuid,relatime rw,nosuid,relatime " "$(both rnosuid)"
check "option rnodev" same "rw,nodev,relatime rw,nodev,relatime " "$(both rnodev)"
check "option rnoexec" same "rw,noexec,relatime rw,noexec,relatime " "$(both rnoexec)"
check "option rnoatime" same "rw,noatime rw,noatime " "$(both rnoatime)"
check "option rnodiratime" same "rw,nodiratime,relatime rw,nodiratime,relatime " "$(both rnodiratime)"
check "option rnosymfollow" same "rw,relatime,nosymfollow rw,relatime,nosymfollow " "$(both rnosymfollow)"
check "option rstrictatime" same "rw rw " "$(both rstrictatime)"
for o in rnorelatime rnostrictatime ratime rrelatime; do check "option $o" same "rw,relatime rw,relatime " "$(both $o)"; done
set_all() { local t; for t in "$work/vol" "$work/vol/sub"; do mount -o "remount,bind,$1" "$t"; done; }
set_all ro,nosuid,nodev,noexec,nodiratime,noatime
for pair in rrw:ro rsuid:nosuid rdev:nodev rexec:noexec rdiratime:nodiratime rrelatime:noatime ratime:noatime; do
	check "option ${pair%:*}: takes ${pair#*:} away everywhere" lacks " $(both ${pair%:*} | tr , ' ')" " ${pair#*:} "
done
set_all rw,suid,dev,exec,diratime,atime,relatime
check "option rsymfollow: with rnosymfollow before it" same "rw,relatime rw,relatime " "$(both rnosymfollow rsymfollow)"
check "recursive options on a file system of its own" contains "$(tmpfs_option rro rnosuid)" "ro,nosuid"

## propagation

tags() { cut -d' ' -f7- <<<"$1" | sed 's/^- .*//; s/ - .*//; s/:[0-9]*//g' | xargs; }
check "option private" same "" "$(tags "$(option private)")"
check "option shared: the host's group" contains "$(tags "$(option shared)")" shared
check "option slave" contains "$(tags "$(option slave)")" master
check "option unbindable" same unbindable "$(tags "$(option unbindable)")"
all_tags() { in_container "$info" "$(m /mnt bind "$work/vol" rbind "$1")" | grep ' /mnt' | while read -r l; do tags "$l" | sed 's/ propagate_from//'; done | xargs; }
check "option rprivate: below too" same "" "$(all_tags rprivate)"
check "option rslave: below too" same "master master" "$(all_tags rslave)"
check "option rshared: below too" contains "$(all_tags rshared)" "shared"
check "option runbindable: below too" same "unbindable unbindable" "$(all_tags runbindable)"
check "a propagation on a tmpfs" same unbindable "$(tags "$(tmpfs_option unbindable)")"
config "$(m /mnt bind "$work/vol" rbind rslave)" 'p["args"] = ["sleep", "1000"]'
quiet rt run -d -b "$bundle" c1
mount -t tmpfs later "$work/vol/plain"; echo later >"$work/vol/plain/file"
check "option rslave: what the host mounts later arrives" same later "$(rt exec c1 cat /mnt/plain/file)"
umount "$work/vol/plain"
check "option rslave: and goes" fails "No such file" rt exec c1 cat /mnt/plain/file
rt delete -f c1
root_tags() { tags "$(in_container "$info" "l['rootfsPropagation'] = '$1'" | awk '$5 == "/"')"; }
check "rootfsPropagation: absent" lacks "$(tags "$(in_container "$info" | awk '$5 == "/"')")" shared
for how in shared rshared; do check "rootfsPropagation: $how" contains "$(root_tags $how)" shared; done
for how in slave rslave; do check "rootfsPropagation: $how" lacks "$(root_tags $how)" shared unbindable; done
for how in private rprivate; do check "rootfsPropagation: $how" same "" "$(root_tags $how)"; done
for how in unbindable runbindable; do check "rootfsPropagation: $how" same unbindable "$(root_tags $how)"; done
proc_tags() { tags "$(in_container "$info" "l['rootfsPropagation'] = '$1'" | awk '$5 == "/proc"')"; }
check "rootfsPropagation: unbindable is for / alone" lacks "$(proc_tags unbindable)" unbindable
check "rootfsPropagation: runbindable is for all below" same unbindable "$(proc_tags runbindable)"
bad "rootfsPropagation: unknown" 'linux.rootfsPropagation: unknown value "sharedish"' 'l["rootfsPropagation"] = "sharedish"'
out=$(in_container 'mount -t tmpfs inner /mnt/plain && echo inside > /mnt/plain/file; echo done' 'l["rootfsPropagation"] = "rshared"; del c["annotations"]' "$(m /mnt bind "$work/vol" rbind rshared)" \
	'for s in ("bounding", "effective", "permitted"): p["capabilities"][s].append("CAP_SYS_ADMIN")')
check "rootfsPropagation: rshared, and a shared volume: what the container mounts arrives on the host" same "done inside" "$(echo $out $(cat "$work/vol/plain/file"))"
umount "$work/vol/plain"
check "rootfsPropagation: nothing of the container's own mounts came to the host" same "$before" "$(host_state)"

## tmpcopyup

mkdir -p "$bundle/rootfs/full/dir"; echo in >"$bundle/rootfs/full/dir/file"; ln -s dir/file "$bundle/rootfs/full/link"; chmod 1750 "$bundle/rootfs/full/dir"; chown 7:8 "$bundle/rootfs/full/dir"
mkfifo "$bundle/rootfs/full/pipe"
check "option tmpcopyup: files, links, modes, owners; no pipes" same "in in 1750 7 8" "$(in_container 'echo $(cat /full/dir/file /full/link; stat -c "%a %u %g" /full/dir; ls /full | grep pipe)' "$(m /full tmpfs tmpfs tmpcopyup)")"
check "option tmpcopyup: what is written stays in the tmpfs" same "in new" "$(in_container 'echo new > /full/dir/file; rm /full/link' "$(m /full tmpfs tmpfs tmpcopyup)"; echo $(cat "$bundle/rootfs/full/link") new)"
check "option tmpcopyup: with ro" contains "$(in_container 'cat /full/link; touch /full/x' "$(m /full tmpfs tmpfs tmpcopyup ro)")" in "Read-only"

## idmap

chown 1000:1000 "$work/vol/file"; chown 1001:1001 "$work/vol/sub/file"
maps='c["mounts"][-1].update({"uidMappings": [{"containerID": 1000, "hostID": 5000, "size": 10}], "gidMappings": [{"containerID": 1000, "hostID": 6000, "size": 10}]})'
ids() { in_container 'echo $(stat -c %u:%g /mnt/file /mnt/sub/file)' "$@"; }
check "option idmap: the mount's mappings, not below" same "5000:6000 1001:1001" "$(ids "$(m /mnt bind "$work/vol" rbind idmap)" "$maps")"
check "option ridmap: below too" same "5000:6000 5001:6001" "$(ids "$(m /mnt bind "$work/vol" rbind ridmap)" "$maps")"
check "mounts.uidMappings without the option: as idmap (runc)" same "5000:6000 1001:1001" "$(ids "$(m /mnt bind "$work/vol" rbind)" "$maps")"
check "option idmap: two mounts with mappings of their own" same "5000 7000" "$(in_container 'echo $(stat -c %u /mnt/file /srv/file)' "$(m /mnt bind "$work/vol" bind idmap)" "$maps" "$(m /srv bind "$work/vol" bind idmap)" "${maps//5000/7000}")"
userns='l["namespaces"].append({"type": "user"}); l["uidMappings"] = [{"containerID": 0, "hostID": 100000, "size": 65536}]; l["gidMappings"] = l["uidMappings"]'
check "option idmap: without mappings the container's user namespace" same "1000:1000" "$(in_container 'stat -c %u:%g /mnt/file' "$userns" "$(m /mnt bind "$work/vol" bind idmap)")"
check "option idmap: ...which is nobody without it" same "65534:65534" "$(in_container 'stat -c %u:%g /mnt/file' "$userns" "$(m /mnt bind "$work/vol" bind)")"
check "option idmap: what the container writes has the host's ids" same "0:0" "$(in_container 'touch /mnt/plain/by' "$userns" "$(m /mnt bind "$work/vol" bind idmap)"; stat -c %u:%g "$work/vol/plain/by")"
bad "option idmap: without mappings and without a user namespace" "needs uidMappings and gidMappings of the mount, or a user namespace" "$(m /mnt bind "$work/vol" bind idmap)"
bad "option idmap: uidMappings alone" "uidMappings and gidMappings must be given together" "$(m /mnt bind "$work/vol" bind idmap)" 'c["mounts"][-1]["uidMappings"] = [{"containerID": 0, "hostID": 1, "size": 1}]'
bad "option idmap: not a bind (runc's words)" "id-mapped mounts are only supported for bind-mounts" "$(m /mnt tmpfs tmpfs idmap)"
bad "option idmap: a file system that has none" "may not support idmapped mounts" "$(m /mnt bind /proc/sys bind idmap)" "$maps"

## linux.mountLabel

label='l["mountLabel"] = "system_u:object_r:container_file_t:s0:c1,c2"'
if [[ -d /sys/fs/selinux && -n $(ls /sys/fs/selinux) ]]; then
	check "linux.mountLabel: on tmpfs" contains "$(in_container 'cat /proc/mounts' "$label")" 'context="system_u:object_r:container_file_t:s0:c1,c2"'
else
	bad "linux.mountLabel: without SELinux the mount fails (as with runc) and says why" 'context="system_u:object_r:container_file_t:s0:c1,c2" (linux.mountLabel needs a kernel with SELinux): Invalid argument' "$label"
fi
check "linux.mountLabel: empty is none" same fine "$(in_container 'echo fine' 'l["mountLabel"] = ""')"
check "linux.mountLabel: proc, sysfs and mqueue get none (as runc)" same fine "$(in_container 'echo fine' "$label" 'c["mounts"] = [m for m in c["mounts"] if m["type"] in ("proc", "sysfs", "mqueue")]; l["devices"] = []')"

## linux.devices

mknod "$bundle/rootfs/data/there" c 1 3
dev() { echo "l['devices'] = [$1]"; }
out=$(in_container 'ls -ln /dev/c1 /dev/u1 /dev/b1 /dev/p1 /dev/sub/deep /elsewhere' "$(dev "{'path': '/dev/c1', 'type': 'c', 'major': 1, 'minor': 5, 'fileMode': 0o640, 'uid': 7, 'gid': 8},
	{'path': '/dev/u1', 'type': 'u', 'major': 1, 'minor': 3}, {'path': '/dev/b1', 'type': 'b', 'major': 7, 'minor': 200},
	{'path': '/dev/p1', 'type': 'p', 'fileMode': 0o600}, {'path': '/dev/sub/deep', 'type': 'c', 'major': 1, 'minor': 7}, {'path': '/elsewhere', 'type': 'c', 'major': 1, 'minor': 9}")")
rm -f "$bundle/rootfs/elsewhere"
row() { grep " $1\$" <<<"$out" | tr -s ' ' | cut -d' ' -f1,3-6; }
check "linux.devices: type c, fileMode, uid, gid" same "crw-r----- 7 8 1, 5" "$(row /dev/c1)"
check "linux.devices: type u is a character device; fileMode absent is 0666" same "crw-rw-rw- 0 0 1, 3" "$(row /dev/u1)"
check "linux.devices: type b" same "brw-rw-rw- 0 0 7, 200" "$(row /dev/b1)"
check "linux.devices: type p" contains "$(row /dev/p1)" "prw------- 0 0"
check "linux.devices: in a directory that is made" contains "$(row /dev/sub/deep)" "1, 7"
check "linux.devices: outside /dev" contains "$(row /elsewhere)" "1, 9"
bad "linux.devices: unknown type" 'unknown type "x"' "$(dev "{'path': '/dev/x', 'type': 'x', 'major': 1, 'minor': 1}")"
bad "linux.devices: relative path" "is not an absolute path" "$(dev "{'path': 'dev/x', 'type': 'c', 'major': 1, 'minor': 1}")"
there() { dev "{'path': '/data/$1', 'type': '$2', 'major': $3, 'minor': $4}"; }
check "linux.devices: the node is there already" same fine "$(in_container 'echo fine' "$(there there c 1 3)")"
bad "linux.devices: a node with another number is an error" "has something else there" "$(there there c 1 5)"
bad "linux.devices: a node of another kind is an error" "has something else there" "$(there there b 1 3)"
touch "$bundle/rootfs/data/regular"
bad "linux.devices: a file in its place is an error" "has something else there" "$(there regular c 1 3)"
ln -s /etc/passwd "$bundle/rootfs/data/alink"
bad "linux.devices: a link in its place is an error, not followed" "has something else there" "$(there alink c 1 3)"
check "default devices: kind, number, mode, owner" same "null:1:3:666:0:0 zero:1:5:666:0:0 full:1:7:666:0:0 random:1:8:666:0:0 urandom:1:9:666:0:0 tty:5:0:666:0:0" \
	"$(in_container 'cd /dev; for d in null zero full random urandom tty; do stat -c "%n:%t:%T:%a:%u:%g" $d; done' | xargs)"
check "default devices: replaced by config.json's of that name" same "600" "$(in_container 'stat -c %a /dev/null' "$(dev "{'path': '/dev/null', 'type': 'c', 'major': 1, 'minor': 3, 'fileMode': 0o600}")")"
check "default links: fd stdin stdout stderr ptmx" same "/proc/self/fd /proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 pts/ptmx" "$(in_container 'cd /dev; for l in fd stdin stdout stderr ptmx; do readlink $l; done' | xargs)"
core() { [[ -e /proc/kcore ]] && echo /proc/kcore; }
check "default links: core where the kernel has it" same "$(core)" "$(in_container 'readlink /dev/core')"
check "no /dev in mounts: the devices are made in the rootfs" contains "$(in_container 'ls -l /dev' 'c["mounts"] = [m for m in c["mounts"] if not m["destination"].startswith("/dev")]')" null zero
rm -rf "$bundle/rootfs/dev"
check "a bind on /dev is left as it is" same "hello 0" "$(in_container 'cat /dev/file; ls /dev | grep -c null' 'c["mounts"] = [m for m in c["mounts"] if not m["destination"].startswith("/dev")]' "$(m /dev bind "$work/vol" bind)" | xargs)"
check "mount /dev: ro, with its nodes in it" same "null Read-only" "$(in_container 'echo x > /dev/null && echo null; touch /dev/x 2>&1 | grep -o Read-only' 'c["mounts"][1]["options"].append("ro")' | xargs)"

## linux.maskedPaths, readonlyPaths

check "linux.maskedPaths: a file, a directory, what is not there" same "0 0" "$(in_container 'echo $(cat /etc/passwd | wc -c) $(ls /data | wc -l)' 'l["maskedPaths"] = ["/etc/passwd", "/data", "/not/there", "/etc/passwd/x"]')"
check "linux.maskedPaths: by a link of the image, what it names" same 0 "$(ln -s /etc/group "$bundle/rootfs/glink"; echo secret >"$bundle/rootfs/etc/group"; in_container 'cat /etc/group | wc -c' 'l["maskedPaths"] = ["/glink"]')"
check "linux.readonlyPaths: with what is mounted below" same "Read-only Read-only" "$(in_container 'touch /mnt/x 2>&1 | grep -o Read-only; touch /mnt/sub/x 2>&1 | grep -o Read-only' "$(m /mnt bind "$work/vol" rbind)" 'l["readonlyPaths"] = ["/mnt", "/not/there"]' | xargs)"
check "linux.readonlyPaths: the flags that were there stay" contains "$(in_container "$info" | grep ' /proc/sys ' | tail -1)" "ro,nosuid,nodev,noexec"

## proc safety

bad "mount on /proc: only proc" "only a proc file system can be mounted there" "$(m /proc tmpfs tmpfs)"
bad "mount on /proc: by another spelling" "only a proc file system can be mounted there" "$(m //proc/./ tmpfs tmpfs)"
bad "mount below /proc" "cannot be mounted because it is inside /proc" "$(m /proc/sys bind "$work/vol" bind)"
bad "mount below /proc before proc is there" "cannot be mounted because it is inside /proc" 'c["mounts"].insert(0, mount("/proc/self", "tmpfs", "tmpfs"))'
ln -s proc "$bundle/rootfs/alias"
bad "mount below /proc by a link" "cannot be mounted because it is inside /proc" "$(m /alias/sys bind "$work/vol" bind)"
check "mount on /proc/uptime and the like is allowed (lxcfs)" same "hello hello" "$(in_container 'cat /proc/uptime /proc/sys/kernel/ns_last_pid' "$(m /proc/uptime bind "$work/vol/file" bind)" "$(m /proc/sys/kernel/ns_last_pid bind "$work/vol/file" bind)" | xargs)"
check "mount on /proc: the host's proc by bind" contains "$(in_container 'readlink /proc/self; cat /proc/mounts' 'c["mounts"][0] = mount("/proc", "bind", "/proc", "rbind"); l["namespaces"] = [n for n in l["namespaces"] if n["type"] != "pid"]')" "proc /proc proc"
check "default filesystems: proc, sysfs, devpts, shm" contains "$(in_container 'cat /proc/mounts')" "proc /proc proc" "sysfs /sys sysfs" "devpts /dev/pts devpts" "/dev/shm tmpfs"
check "nothing is left" same "$before" "$(host_state)"

tap_end
