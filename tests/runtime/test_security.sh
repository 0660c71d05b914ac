#!/bin/bash
# tests/runtime/test_security.sh: the classes of attack that other runtimes have met, each with a real attacker. Needs root.
# Before each: the naive behaviour that would let it through.
# timeout: 300
set -uo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
# in a mount namespace of its own: what other tests mount meanwhile is no escape
if ((EUID == 0)) && [[ ${CORACLE_APART-} != "$$" ]]; then
	exec unshare -m bash -c 'export CORACLE_APART=$$; exec bash "$0"' "$0"
fi
source "$here/lib.sh"
((EUID == 0)) || skip_all "needs root"
attack=$build/tests/runtime/attack
[[ -x $runtime && -x $attack && -r $build/sysroot/target/busybox ]] || skip_all "coracle-runtime, attack or busybox is not built"
make_bundle
root=$bundle/rootfs
swapper=
trap '[[ $swapper ]] && kill $swapper 2>/dev/null; rt delete -f c1 >/dev/null 2>&1; rmdir /sys/fs/cgroup/*"${CGROUP%/c1}" 2>/dev/null; rm -rf "$work"' EXIT
# an executable on a writable file system, as installed by hand, and not the build's own
mkdir "$work/bin" "$work/src"
cp "$runtime" "$work/bin/coracle-runtime"
cp "$attack" "$root/bin/attack"
runtime=$work/bin/coracle-runtime
sum=$(sha256sum <"$runtime")
size=$(stat -c %s "$runtime")
echo hello >"$work/src/file"
m() { local IFS=,; echo "c['mounts'].append(mount('$1', '$2', '$3', *'${*:4}'.split(',')))"; }
everything='from os import environ; allcaps = [l.split()[1] for l in open("'$work'/caps")]; p["capabilities"] = {s: allcaps for s in ("bounding", "effective", "permitted")}; del c["annotations"]'
{ rt features | python3 -c 'import json,sys; print("\n".join("cap " + n for n in json.load(sys.stdin)["linux"]["capabilities"]))'; } >"$work/caps"
bad() { config "${@:3}"; check "$1" fails "$2" rt create -b "$bundle" c1; rt delete -f c1 >/dev/null 2>&1; }
before=$(host_state)

## CVE-2019-5736, CVE-2016-9962: the runtime's executable and descriptors, from inside

# attacked PRIVILEGE COMMAND: what an attacker in c1 got hold of while COMMAND ran (it is pid 1 there)
attacked() {
	config "$1" 'p["args"] = ["/bin/attack", "grab"]; l["maskedPaths"] = []; l["readonlyPaths"] = []' "$(m /opt bind "$work/bin" bind)"
	rt run -d -b "$bundle" c1 </dev/null >"$work/got" 2>&1
	until grep -q ready "$work/got"; do [[ $(rt state c1) == *running* ]] || { cat "$work/got"; return 1; }; sleep 0.02; done
	"$2" >/dev/null 2>&1 </dev/null
	rt kill c1 TERM
	until [[ $(rt state c1) == *stopped* ]]; do sleep 0.02; done
	rt delete c1
	cat "$work/got"
}
cp "$root/bin/busybox" "$work/bin/sleep"
# the attacker works: a program without protection is his once it has ended
control() { rt exec c1 /opt/sleep 0.3; }
check "the attacker gets what is not protected" contains "$(attacked "$everything" control)" "/opt/sleep writable"
# one with CAP_SYS_PTRACE over the host's root may look at all processes; one with the usual capabilities may not
# (the last program stays until the attacker, who may get little of a busy machine, has seen it)
execs() {
	local last
	for _ in {1..25}; do rt exec c1 true; done
	"$runtime" --root "$state" exec c1 sleep 1000 & last=$!
	until grep -q "sees .*busybox" "$work/got"; do sleep 0.02; done
	kill $last
	wait $last
}
got=$(attacked pass execs)
# naive: runtime processes stay dumpable after setns, so /proc/PID/exe and /proc/PID/fd open
check "CVE-2019-5736: exec shows its executable (or a copy in memory) to no process of the container" lacks $'\n'"$got" $'\n'"$size "
check "CVE-2016-9962: nor its descriptors" lacks "$got" "fds $size "
check "...to an attacker who sees the other processes" contains "$got" "/bin/busybox"
# the container asks for the runtime's own executable: then it is a process like any other, its executable can be opened
# naive: run from the writable file system itself, it can be overwritten once it has ended
mkdir -p "$root/st/x"; mkfifo "$root/st/x/state.json"
by_link() { timeout 20 "$runtime" --root "$state" exec c1 /proc/self/exe --root /st state x & until [[ $(rt ps -f json c1) == *,* ]]; do sleep 0.02; done; sleep 0.2; echo '{}' >"$root/st/x/state.json"; wait $!; }
got=$(attacked "$everything" by_link)
check "CVE-2019-5736: exec of /proc/self/exe: the runtime can be read so" contains $'\n'"$got" $'\n'"$size "
# unwritable SIZE-LINES: none of the runtime's size can be written
unwritable() { ! grep "^$size .* writable" <<<"$1"; }
check "CVE-2019-5736: exec of /proc/self/exe: and not be written" unwritable "$got"
printf '#!/proc/self/exe\n' >"$root/bin/script"; chmod +x "$root/bin/script"
by_script() { for _ in {1..10}; do rt exec c1 /bin/script; done; }
check "CVE-2019-5736: exec of #!/proc/self/exe" unwritable "$(attacked "$everything" by_script)"
config 'p["args"] = ["/proc/self/exe"]'
rt run -b "$bundle" c1 >/dev/null 2>&1
config 'p["args"] = ["/bin/script"]'
rt run -b "$bundle" c1 >/dev/null 2>&1
check "CVE-2019-5736: the executable is what it was" same "$sum" "$(sha256sum <"$runtime")"
check "CVE-2019-5736: run of /proc/self/exe leaves nothing" same "$before" "$(host_state)"

## CVE-2021-30465, CVE-2019-19921, CVE-2026-47766: links exchanged while mounts are made

# the container's mounts as the host's side of them, seen by a hook before pivot_root
cat >"$work/hook" <<END
#!/bin/sh
cut -d' ' -f5 /proc/self/mountinfo >$work/mounts
END
chmod +x "$work/hook"
hook="c['hooks'] = {'createContainer': [{'path': '$work/hook'}]}"
mkdir "$work/outside"
cut -d' ' -f5 /proc/self/mountinfo | sort -u >"$work/host"
start_swapping() { coproc swapping { exec "$attack" swap "$1" "$2"; }; swapper=$swapping_PID; read -r _ <&"${swapping[0]}"; }
stop_swapping() { local n; kill $swapper; read -r n <&"${swapping[0]}"; wait $swapper 2>/dev/null; swapper=; echo "$n"; }
# race N PATTERN: starts N containers; keeps what they say that is neither the pattern nor an error in words, and
# anything that is not where it may be. The exchanging goes on while the program runs: a name of the race may be
# gone for it, so what it finds is judged, not whether it finds it.
race() {
	local i out
	good=0 refused=0 odd='' escaped=''
	for ((i = 0; i < $1; i++)); do
		rm -f "$work/mounts"
		if out=$(timeout 20 "$runtime" --root "$state" run -b "$bundle" c1 2>&1); then
			good=$((good + 1))
		else
			refused=$((refused + 1))
		fi
		[[ $out =~ ^($2)$ || $out == *"level=error msg="* ]] || odd+="$out;"
		[[ ! -e $work/mounts ]] || escaped+=$(grep -v "^$root" "$work/mounts" | sort -u | grep -vxFf "$work/host")
		escaped+=$(ls -A "$work/outside")
	done
}
mkdir -p "$root/vol/dest"; ln -s "$work/outside" "$root/vol/link"
# naive: the destination is resolved first and mounted by its name afterwards: directories and mounts land on the host
SCRIPT='cat /vol/dest/made/x/file "'$work'/outside/made/x/file" 2>/dev/null' config "$hook" 'p["args"] = sh(os.environ["SCRIPT"] + " || true")' "$(m /vol/dest/made/x bind "$work/src" bind ro)" "$(m /vol/dest/shm tmpfs tmpfs rprivate tmpcopyup)" "$(m /vol/dest/f bind "$work/src/file" bind)"
start_swapping "$root/vol/dest" "$root/vol/link"
race 60 '(hello)?.?(hello)?'
n=$(stop_swapping)
check "CVE-2021-30465: destinations exchanged $n times in 60 starts: nothing outside the root" same "" "$escaped"
check "CVE-2021-30465: both sides were met" test -e "$root$work/outside/made/x" -a -e "$root/vol/dest/made/x"
check "CVE-2021-30465: the containers ran or were refused in words" same "" "$odd"
check "CVE-2021-30465: some ran" test "$good" -gt 0
rm -rf "$root/tmp" "$root/vol"; mkdir "$root/tmp"

# naive: /dev is a link to elsewhere: device nodes there, and /dev/null of the masks anything (CVE-2026-47766)
mkdir -p "$root/dev"; ln -s "$work/outside" "$root/devlink"
config "$hook" 'p["args"] = sh("stat -c %t:%T /dev/null /devlink/null 2>&1 | grep -v -e 1:3 -e such; echo up")'
start_swapping "$root/dev" "$root/devlink"
race 40 up
n=$(stop_swapping)
check "CVE-2026-47766: /dev exchanged $n times with a link in 40 starts: nothing outside the root" same "" "$escaped"
check "CVE-2026-47766: nothing where the link leads inside" test ! -e "$root$work/outside/null"
check "CVE-2026-47766: /dev is right or refused" same "" "$odd"
check "CVE-2026-47766: some ran" test "$good" -gt 0
rm "$root/devlink"; rm -rf "$root/dev"; ln -s /tmp "$root/dev"
bad "CVE-2026-47766: /dev as a link is refused" "/dev must be an ordinary directory of the rootfs, not a symbolic link"
rm "$root/dev"; mkdir "$root/dev"

## CVE-2019-16884, CVE-2023-27561: /proc somewhere else

# naive: proc is mounted where the link leads, and the masks go to a /proc of the image's choice
mkdir -p "$root/proc" "$root/fake/sys/net/ipv4"; ln -s /fake "$root/proclink"
config "$hook" 'p["args"] = sh("for p in /proc /proclink; do head -c 20 $p/timer_list; head -c 20 $p/interrupts; done 2>/dev/null; echo up")'
start_swapping "$root/proc" "$root/proclink"
race 40 up
n=$(stop_swapping)
check "CVE-2023-27561: /proc exchanged $n times with a link in 40 starts: masked or refused" same "" "$odd"
check "CVE-2023-27561: nothing outside the root" same "" "$escaped"
check "CVE-2023-27561: some ran" test "$good" -gt 0
rm "$root/proclink"; rm -rf "$root/proc"; ln -s /fake "$root/proc"
bad "CVE-2023-27561: /proc as a link is refused" "/proc must be an ordinary directory of the rootfs, not a symbolic link"
bad "CVE-2019-19921: proc by a link on the way is refused" "must be an ordinary directory" 'c["mounts"][0]["destination"] = "/a/b"' "__import__('os').makedirs('$root/fake/b', exist_ok=True); os.path.lexists('$root/a') or os.symlink('/fake', '$root/a')"
rm "$root/proc"; mkdir "$root/proc"
bad "CVE-2019-16884: a volume over /proc is refused" "only a proc file system can be mounted there" "$(m /proc bind "$work/src" bind)"
for place in /proc/self/attr /proc/sys /proc/1 /proc/self/../sys/kernel; do bad "CVE-2019-16884: a volume over $place is refused" "inside /proc" "$(m $place bind "$work/src" bind)"; done
rm -f "$root/a"

## CVE-2024-21626: descriptors and working directories of the host

# naive: the runtime's (or its caller's) directories are still open when cwd is entered, and stay so
exec 9<"$work/src"
for n in 3 4 5 6 7 8 9 10 11 12 13 14 15; do
	config 'p["args"] = sh("ls; ls ../../..")' "p['cwd'] = '/proc/self/fd/$n'"
	out=$(rt run -b "$bundle" c1 2>&1)
	[[ $out == *"process.cwd"* ]] || { check "CVE-2024-21626: cwd /proc/self/fd/$n" contains "$out" "process.cwd"; continue; }
	inside=$((${inside-0} + 1))
done
check "CVE-2024-21626: run: process.cwd=/proc/self/fd/3 to 15 is refused" same 13 "${inside-0}"
config 'p["args"] = ["sleep", "1000"]'
quiet rt run -d -b "$bundle" c1
inside=0
for n in 3 4 5 6 7 8 9 10 11 12 13 14 15; do
	out=$(rt exec --cwd /proc/self/fd/$n c1 ls 2>&1) || [[ $out != *process.cwd* ]] || inside=$((inside + 1))
done
check "CVE-2024-21626: exec: --cwd /proc/self/fd/3 to 15 is refused" same 13 $inside
ln -s /proc/self/fd/9 "$root/way"
check "CVE-2024-21626: exec: a link of the image to one" fails "process.cwd" rt exec --cwd /way c1 ls
check "CVE-2024-21626: exec: a descriptor of the caller is closed" fails "No such file" rt exec c1 ls /proc/self/fd/9/
rt delete -f c1
check "CVE-2024-21626: run: a descriptor of the caller is closed" same "0 1 2 3" "$(in_container 'ls /proc/self/fd' | xargs)"
exec 9<&-

## CVE-2025-31133: what masks with is not the image's

# naive: /dev/null of the container is bound over the masked files
nodev='c["mounts"] = [m for m in c["mounts"] if not m["destination"].startswith("/dev")]'
rm -rf "$root/dev"; mkdir "$root/dev"; ln -s /etc/passwd "$root/dev/null"
bad "CVE-2025-31133: /dev/null as a link in the image is refused" "linux.devices: /dev/null: the rootfs has something else there" "$nodev"
mkdir "$work/fakedev"; ln -s /proc/sys/kernel/core_pattern "$work/fakedev/null"
check "CVE-2025-31133: with a /dev of links, masked files are the host's null device" same "1:3 0" \
	"$(in_container 'echo $(stat -c %t:%T /proc/keys) $(cat /proc/keys | wc -c)' "$nodev" "$(m /dev bind "$work/fakedev" bind)" 2>&1)"
rm -rf "$root/dev"; mkdir "$root/dev"
# a /dev/null that changes: the volume is another container's too
mkdir "$work/shared"; mknod "$work/shared/null" c 1 3; ln -s /etc/passwd "$work/shared/other"
config "$hook" 'p["args"] = sh("stat -c %t:%T /proc/keys")' "$nodev" "$(m /dev bind "$work/shared" bind)"
start_swapping "$work/shared/null" "$work/shared/other"
race 25 1:3
n=$(stop_swapping)
check "CVE-2025-31133: /dev/null exchanged $n times in 25 starts" same "" "$odd$escaped"

## CVE-2025-52565: /dev/console and /dev/pts

terminal='p["terminal"] = True'
# naive: the slave is bound on the console by names, or ptmx opened whatever it is
ln -s /etc/passwd "$root/dev/console"
bad_run() { config "${@:3}"; check "$1" fails "$2" rt run -b "$bundle" c1; }
bad_run "CVE-2025-52565: /dev/console as a link is refused" "/dev/console is a symbolic link in the rootfs" "$terminal" 'c["mounts"] = [m for m in c["mounts"] if m["destination"] != "/dev"]'
rm -rf "$root/dev"; mkdir -p "$root/dev/pts"
for kind in 'mkfifo' 'touch' 'ln -s /etc/passwd' 'mknod -m 666 c,1,11'; do
	rm -f "$root/dev/pts/ptmx"
	if [[ $kind == mknod* ]]; then mknod "$root/dev/pts/ptmx" c 1 11; else $kind "$root/dev/pts/ptmx"; fi
	bad_run "CVE-2025-52565: ptmx of the image ($kind) is not opened" "/dev/pts is not a devpts file system" "$terminal" "$nodev"
done
rm -rf "$root/dev"; mkdir "$root/dev"
ln -s /etc "$work/fakedev/pts"
bad_run "CVE-2025-52565: /dev/pts as a link is not taken for devpts" "/dev/pts is not a devpts file system" "$terminal" "$nodev" "$(m /dev bind "$work/fakedev" bind)"
config "$terminal" 'p["args"] = sh("stat -c %t /dev/console; tty")'
check "CVE-2025-52565: a true one works" contains "$(rt run -b "$bundle" c1 </dev/null 2>&1)" 88 /dev/pts/0

## CVE-2025-52881: procfs writes

# naive: written through the container's /proc, where a file of the image takes them: no sysctl, no label
mkdir -p "$root/proc/sys/net/ipv4" "$root/proc/self/attr/apparmor" "$root/proc/thread-self/attr/apparmor"
for f in sys/net/ipv4/ip_forward self/attr/exec self/attr/apparmor/exec thread-self/attr/exec thread-self/attr/apparmor/exec; do echo untouched >"$root/proc/$f"; done
noproc='c["mounts"] = c["mounts"][1:]; l["maskedPaths"] = []; l["readonlyPaths"] = []'
config "$noproc" 'l["sysctl"] = {"net.ipv4.ip_forward": "1"}' 'p["args"] = ["sleep", "1000"]'
quiet rt run -d --pid-file "$work/pid" -b "$bundle" c1
check "CVE-2025-52881: linux.sysctl goes to the kernel, not to the image's /proc" same "1" "$(nsenter -t "$(cat "$work/pid")" -n sysctl -n net.ipv4.ip_forward)"
rt delete -f c1
config "$noproc" 'p["apparmorProfile"] = "docker-default"'
label() { rt run -b "$bundle" c1 && [[ ! -d /sys/kernel/security/apparmor ]]; }
check "CVE-2025-52881: a label that the kernel did not take is an error" fails "apparmor" label
check "CVE-2025-52881: files of the image by these names are untouched" same untouched "$(cat "$root"/proc/sys/net/ipv4/ip_forward "$root"/proc/*self/attr/exec "$root"/proc/*self/attr/apparmor/exec | sort -u)"
rm -rf "$root/proc"; mkdir "$root/proc"
bad "CVE-2025-52881: a tmpfs as /proc is refused" "only a proc file system can be mounted there" 'c["mounts"][0] = mount("/proc", "tmpfs", "tmpfs")'

## CVE-2022-0492: release_agent

find_agent='find /sys/fs/cgroup -name release_agent; ls /sys/fs/cgroup | wc -l'
writable='[m for m in c["mounts"] if m["type"] == "cgroup"][0]["options"].remove("ro")'
# naive: the hierarchies are bound whole; the file at their root names a program that the host runs as root
out=$(in_container "$find_agent" "$writable" "$everything")
check "CVE-2022-0492: a cgroup namespace, writable: no release_agent" lacks "$out" release_agent
check "CVE-2022-0492: ...in hierarchies that are there" test "$(tail -1 <<<"$out")" -gt 0
out=$(in_container "$find_agent" "$writable" "$everything" 'l["namespaces"] = [n for n in l["namespaces"] if n["type"] != "cgroup"]')
check "CVE-2022-0492: the host's cgroup namespace: no release_agent" lacks "$out" release_agent
check "CVE-2022-0492: ...in groups that are there" test "$(tail -1 <<<"$out")" -gt 0
check "CVE-2022-0492: by default the groups cannot be written" contains "$(in_container 'cd /sys/fs/cgroup; for d in . *; do echo 1 > $d/notify_on_release; mkdir $d/x; done' 'p["capabilities"]["effective"].append("CAP_DAC_OVERRIDE")')" "Read-only file system"

## Standard streams

# naive: fchown of 0-2 to the container's user, whatever they are: then the host's /dev/null is the container's
user='p["user"] = {"uid": 1000, "gid": 1000}'
mknod "$work/null" c 1 3
config "$user"
rt run -b "$bundle" c1 </dev/null >"$work/null" 2>/dev/null
check "stdio: /dev/null is never given away, nor another node of it" same "0 0" "$(stat -c %u /dev/null "$work/null" | xargs)"
rt run -b "$bundle" c1 </dev/null >"$work/stdout" 2>&1
check "stdio: a file is the container's user's" same 1000 "$(stat -c %u "$work/stdout")"
config 'p["args"] = ["sleep", "1000"]'
quiet rt run -d -b "$bundle" c1
rt exec -u 1000:1000 c1 true </dev/null >/dev/null 2>/dev/null
check "stdio: exec does not give /dev/null away" same 0 "$(stat -c %u /dev/null)"
rt delete -f c1

## The host's tree

check "nothing of the host is seen or reached by .." same "bin" "$(in_container 'cd /; cd ../../../..; ls -d bin; ls -d work etc/hostname root/.ssh 2>/dev/null')"
check "the executable was never changed" same "$sum" "$(sha256sum <"$runtime")"
check "nothing is left" same "$before" "$(host_state)"

tap_end
