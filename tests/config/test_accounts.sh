#!/bin/bash
# test_accounts.sh: the files of accounts that coracle-config writes, held against what useradd, groupadd and usermod of this machine write into the
# same tree; and what hostile configurations leave there. TAP output. As root, for homes are given away.
set -euo pipefail

# shellcheck source=tests/config/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
hostile=${CORPUS:-$top/../shared/corpus}/hostile
# the build's: useradd takes it for today
unset SOURCE_DATE_EPOCH

newroot() {
	rm -rf "${work:?}/$1"
	mkdir -p "$work/$1/etc/skel/.config" "$work/$1/etc/default" "$work/$1/home" "$work/$1/root"
	printf 'UID_MIN 1000\nUID_MAX 60000\nGID_MIN 1000\nGID_MAX 60000\nUMASK 022\nHOME_MODE 0750\nPASS_MAX_DAYS 99999\nPASS_MIN_DAYS 0\nPASS_WARN_AGE 7\nUSERGROUPS_ENAB yes\nSUB_UID_COUNT 65536\n' >"$work/$1/etc/login.defs"
	printf 'SHELL=/bin/sh\n' >"$work/$1/etc/default/useradd"
	printf 'root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n_apt:x:100:65534::/nonexistent:/usr/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n' >"$work/$1/etc/passwd"
	printf 'root:x:0:\ndaemon:x:1:\nadm:x:4:\nsudo:x:27:\nusers:x:100:\nnogroup:x:65534:\n' >"$work/$1/etc/group"
	sed 's/:x:[0-9]*:/:*::/' "$work/$1/etc/group" >"$work/$1/etc/gshadow"
	printf 'root:*:19000:0:99999:7:::\ndaemon:*:19000:0:99999:7:::\n' >"$work/$1/etc/shadow"
	: >"$work/$1/etc/subuid"
	: >"$work/$1/etc/subgid"
	echo 'alias ll=ls' >"$work/$1/etc/skel/.profile"
	chmod 0600 "$work/$1/etc/skel/.profile"
	echo x >"$work/$1/etc/skel/.config/x"
	ln -s .profile "$work/$1/etc/skel/.login"
}
apply() { rm -rf "$work/seed"; mkdir "$work/seed"; cat >"$work/seed/user-data"; echo 'instance-id: i-1' >"$work/seed/meta-data"; "$config" apply --root "$work/ours" --seed "$work/seed"; }
skip() { tap_count=$((tap_count + 1)); echo "ok $tap_count - $1 # SKIP $2"; }
same_file() { diff "$work/ours/etc/$1" "$work/theirs/etc/$1"; }
# Kind, mode, owner and size of everything below a home.
tree() { (cd "$work/$1" && find home root -printf '%y %m %U %G %p %l\n' | grep -v '\.ssh' | LC_ALL=C sort -k5); }

((EUID == 0)) || skip_all 'not root: homes cannot be given away'

newroot ours
apply >"$work/out" 2>&1 <<'USERS' || true
#cloud-config
groups: [makers, {keepers: [daemon]}]
users:
- {name: amy, gecos: "Amy A.", groups: "users, fresh", expiredate: 2032-09-01, inactive: "5", passwd: $6$salt$hash, lock_passwd: false}
- {name: bob, primary_group: makers, groups: [adm]}
- {name: sys, system: true}
- {name: other, system: true, no_user_group: true}
- {name: five, uid: 5000}
- {name: six}
- {name: solo, no_user_group: true, no_create_home: true, shell: /bin/bash, homedir: /srv/solo}
USERS
if command -v useradd >/dev/null; then
	newroot theirs
	p=(--prefix "$work/theirs")
	{
		groupadd "${p[@]}" makers; groupadd "${p[@]}" keepers; usermod "${p[@]}" -a -G keepers daemon
		groupadd "${p[@]}" fresh
		useradd "${p[@]}" amy --comment 'Amy A.' --expiredate 2032-09-01 --groups users,fresh --inactive 5 --password "\$6\$salt\$hash" -m -k "$work/theirs/etc/skel"
		useradd "${p[@]}" bob --gid makers --groups adm -m -k "$work/theirs/etc/skel"
		useradd "${p[@]}" sys --system -M
		useradd "${p[@]}" other --system --no-user-group -M
		useradd "${p[@]}" five --uid 5000 -m -k "$work/theirs/etc/skel"
		useradd "${p[@]}" six -m -k "$work/theirs/etc/skel"
		useradd "${p[@]}" solo --no-user-group --shell /bin/bash --home /srv/solo -M
	} >"$work/useradd" 2>&1 || cat "$work/useradd"
	for file in passwd group gshadow shadow subuid subgid; do
		check "/etc/$file as useradd makes it" same_file "$file"
	done
	check 'homes, with what is in /etc/skel' same "$(tree ours)" "$(tree theirs)"
else
	skip 'accounts as useradd makes them' 'there is no useradd here'
fi

newroot ours
apply >"$work/out" 2>&1 <<'INJECTION' || true
#cloud-config
hostname: "x\n127.0.0.1 evil"
manage_etc_hosts: true
users:
- {name: bob, sudo: "ALL=(ALL) ALL\nevil ALL=(ALL) NOPASSWD:ALL", ssh_authorized_keys: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAnn1IT3crbB+cZKNH/Q5hQyeXfK4Ohv8xsQdsmLUEyN one]}
mounts: [[/dev/vdb, /data, ext4, "defaults\n/dev/evil / ext4 defaults"]]
INJECTION
check 'a line break in a host name, a rule, a mount makes no line anywhere' eval "! grep -rn evil '$work/ours/etc'"
check 'each of them is told' eval "grep -q 'user-data:2:11: error' '$work/out' && grep -q 'user-data:5:21: error' '$work/out'"
check 'and the user gets in' grep -q 'AAAAC3' "$work/ours/home/bob/.ssh/authorized_keys"

if [[ -d $hostile ]]; then
	newroot ours
	apply <"$hostile/12-norway.yaml" >"$work/out" 2>&1 || true
	check 'hostile 12: a host may be called no' same "$(<"$work/ours/etc/hostname")" no
	for file in 36-badname 37-hugeint; do
		newroot ours
		before=$(<"$work/ours/etc/passwd")
		apply <"$hostile/$file.yaml" >"$work/out" 2>&1 || true
		check "hostile $file: an error with its line" grep -q '^user-data:3:.*: error' "$work/out"
		check "hostile $file: nobody is made" same "$(<"$work/ours/etc/passwd")" "$before"
		check "hostile $file: no rule is written" test ! -e "$work/ours/etc/sudoers.d"
	done
else
	skip 'hostile names and numbers' 'the corpus is not here'
fi
tap_end
