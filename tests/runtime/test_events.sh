#!/bin/bash
# tests/runtime/test_events.sh: `events`: statistics as runc prints them, missing memory, the end. Needs root.
# timeout: 180
set -uo pipefail
here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
source "$here/lib.sh"
begin
trap leave EXIT
before=$(host_state)

# json EXPRESSION: of the events on standard input (e: a list).
json() { python3 -c 'import json, sys; e = [json.loads(l) for l in sys.stdin if l.strip()]; print(eval(sys.argv[1]))' "$1"; }

config 'p["args"] = sh("i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; echo ready > /data/ready; exec sleep 1000")' 'l["resources"].update({"memory": {"limit": 67108864}, "pids": {"limit": 50}})'
rm -f "$bundle/rootfs/data/ready"
quiet rt run -d -b "$bundle" c1
until [[ -e $bundle/rootfs/data/ready ]]; do sleep 0.02; done
rt events --stats c1 >"$work/stats"
check "events --stats: one line of type stats with the id" same "1 stats c1" "$(json '"%d %s %s" % (len(e), e[0]["type"], e[0]["id"])' <"$work/stats")"
check "events --stats: cpu time has gone by" same True "$(json 'e[0]["data"]["cpu"]["usage"]["total"] > 1000000' <"$work/stats")"
if [[ -e /sys/fs/cgroup/memory || $(cat /sys/fs/cgroup/cgroup.controllers 2>/dev/null) == *memory* ]]; then
	check "events --stats: memory limit and usage" same True "$(json 'e[0]["data"]["memory"]["usage"]["limit"] == 67108864 and 0 < e[0]["data"]["memory"]["usage"]["usage"] < 67108864' <"$work/stats")"
	check "events --stats: memory.raw has the kernel's lines" same True "$(json '"pgfault" in e[0]["data"]["memory"]["raw"]' <"$work/stats")"
	check "events --stats: pids" same "{'current': 1, 'limit': 50}" "$(json 'e[0]["data"]["pids"]' <"$work/stats")"
fi
if command -v runc >/dev/null; then
	sed "s|${CGROUP}|${CGROUP}-runc|; s|\"org.coracle.seccomp\": \"default\"||" -i "$bundle/config.json"
	timeout 60 runc --root "$work/runc" run -d -b "$bundle" r1 </dev/null >/dev/null 2>"$work/runc.log"
	timeout 60 runc --root "$work/runc" events --stats r1 >"$work/runc.stats"
	timeout 60 runc --root "$work/runc" delete -f r1
	cat >"$work/shape.py" <<'END'
# every member of runc's object is in ours, with the same type
import json, sys
runc, ours = (json.load(open(p)) for p in sys.argv[1:])
bad = []
def walk(r, o, where):
    if type(r) is not type(o) and not (r is None and o is None):
        bad.append("%s: %s, %s" % (where, type(r).__name__, type(o).__name__))
    elif isinstance(r, dict):
        for k in r:
            if where.endswith(".raw") and k.startswith(("swap", "hierarchical_memsw")):
                continue
            walk(r[k], o[k], where + "." + k) if k in o else bad.append(where + "." + k + ": missing")
    elif isinstance(r, list) and r and o:
        walk(r[0], o[0], where + "[]")
walk(runc, ours, "")
print("\n".join(bad) or "same shape")
END
	check "events --stats: every member that runc prints" same "same shape" "$(python3 "$work/shape.py" "$work/runc.stats" "$work/stats")"
else
	echo "ok $((++tap_count)) - events --stats: every member that runc prints # SKIP runc is not installed"
fi

## The stream

check "events --interval 0s is refused" fails "duration interval must be greater than 0" rt events --interval 0s c1
check "events --interval of no duration" fails "duration interval" rt events --interval soon c1
check "events of no container" fails "container does not exist" rt events --stats c2
coproc stream { exec "$runtime" --root "$state" events --interval 100ms c1; }
exec {lines}<&"${stream[0]}"
stream_pid=$stream_PID
read -r -t 20 one <&$lines
read -r -t 20 two <&$lines
check "events --interval 100ms goes on" same "stats stats" "$(printf '%s\n%s\n' "$one" "$two" | json '" ".join(x["type"] for x in e)')"
rt kill c1 KILL
timeout 20 cat <&$lines >/dev/null
check "events ends when the container ends" wait "$stream_pid"
check "events of a stopped container" fails "container with id c1 is not running" rt events --stats c1
rt delete c1

## Missing memory

config 'p["args"] = sh("read x < /data/go; a=x; while :; do a=$a$a; done")' 'l["resources"].update({"memory": {"limit": 8388608, "swap": 8388608}})'
if [[ -e /sys/fs/cgroup/memory || $(cat /sys/fs/cgroup/cgroup.controllers 2>/dev/null) == *memory* ]]; then
	rm -f "$bundle/rootfs/data/go"; mkfifo "$bundle/rootfs/data/go"
	quiet rt run -d -b "$bundle" c1
	coproc stream { exec "$runtime" --root "$state" events --interval 50ms c1; }
	exec {lines}<&"${stream[0]}"
	read -r -t 20 one <&$lines	# it listens from before its first statistics
	echo go >"$bundle/rootfs/data/go"
	timeout 30 cat <&$lines >"$work/oom"
	check "events: an oom event" same True "$(json 'any(x["type"] == "oom" and x["id"] == "c1" for x in e)' <"$work/oom")"
	rt delete -f c1
fi
check "nothing is left" same "$before" "$(host_state)"

tap_end
