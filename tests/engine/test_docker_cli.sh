#!/bin/bash
# test_docker_cli.sh: Debian's docker command line against coracle-engine on this host. TAP output.
# timeout: 300
set -euo pipefail
# shellcheck source=tests/engine/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
command -v docker >/dev/null || skip_all 'needs the docker command line (apt-get install docker.io)'

cp "$fixtures/busybox.oci.tar" "$work/run/media/0/"
want "$(service web 'echo out1; echo err1 >&2; echo out2; exec sleep 1000' 'labels={"x":"y"}' 'restart={"policy":"always","max_retries":0}')" \
	"$(service once 'echo bye; exit 7')" \
	"$(service missing 'true' 'image="docker.io/library/nosuch:1"')" \
	"$(service badcmd 'true' 'command=["/nonexistent"]')" \
	"$(service term 'echo on a terminal; tty; exec sleep 1000' 'tty=true')"
engine_start
for line in out2 err1 /dev/pts/0; do eventually grep -q "$line" "$work"/root/containers/*/*-json.log; done

check 'version: server is Coracle' contains "$(docker version)" 'Server: Coracle' 'API version:      1.47'
check 'info: counts and driver' contains "$(docker info)" 'Containers: 5' 'Running: 2' 'Images: 1' 'Logging Driver: json-file'
check 'ps shows what runs' contains "$(docker ps)" web 'Up ' term
check 'ps does not show what does not run' lacks "$(docker ps)" once
check 'ps -a shows all' contains "$(docker ps -a)" web once missing badcmd 'Exited (7)' Created
check 'ps -a --filter status' same once "$(docker ps -a --filter status=exited --format '{{.Names}}')"
check 'ps --filter label' same web "$(docker ps --filter label=x=y --format '{{.Names}}')"
check 'ps --filter label, another value' same '' "$(docker ps --filter label=x=z --format '{{.Names}}')"
check 'ps --filter name is a regular expression' same web "$(docker ps -a --filter 'name=^/w.b$' --format '{{.Names}}')"
check 'ps -s has sizes' contains "$(docker ps -s)" virtual
check 'ps -n 1 shows the newest' same 1 "$(docker ps -n 1 -q | wc -l)"
id=$(docker ps -q --no-trunc --filter name=web)
check 'an id has 64 digits' same 64 "${#id}"
check 'a unique prefix of an id is enough' same /web "$(field "${id:0:8}" '{{.Name}}')"
check 'images' contains "$(docker images)" busybox latest
check 'logs: standard output' same $'out1\nout2' "$(docker logs web 2>/dev/null)"
check 'logs: standard error' same err1 "$(docker logs web 2>&1 >/dev/null)"
# Of the terminal: between the two pipes of the other there is no order, so that its last line may be either's.
check 'logs --tail' same $'/dev/pts/0\r' "$(docker logs --tail 1 term 2>/dev/null)"
check 'logs -t has times' grep -Eq '^20[0-9-]+T[0-9:]+\.[0-9]{9}Z out1$' <(docker logs -t web 2>/dev/null)
check 'logs --since the future is empty' same '' "$(docker logs --since 2100-01-01T00:00:00Z web 2>&1)"
check 'logs --until the past is empty' same '' "$(docker logs --until 2001-01-01T00:00:00Z web 2>&1)"
check 'logs of a terminal are raw' contains "$(docker logs term)" 'on a terminal' /dev/pts/0
check 'logs of an unknown container' contains "$(docker logs nosuch 2>&1 || true)" 'No such container: nosuch'
check 'inspect: state' same 'running true 0' "$(field web '{{.State.Status}} {{.State.Running}} {{.State.ExitCode}}')"
check 'inspect: command' same 'sh [-c true]' "$(field missing '{{.Path}} {{.Args}}')"
check 'inspect: restart policy' same always "$(field web '{{.HostConfig.RestartPolicy.Name}}')"
check 'inspect: image as people write it' same busybox:latest "$(field web '{{.Config.Image}}')"
check 'a missing image is said in the record' contains "$(field missing '{{.State.Error}}')" 'No such image'
check 'a missing command gives 127' same 'created 127' "$(field badcmd '{{.State.Status}} {{.State.ExitCode}}')"
check 'start of a missing command says so' contains "$(docker start badcmd 2>&1 || true)" 'o such file or directory'
check 'stop' same web "$(docker stop -t 1 web)"
check 'stopped: killed after its grace' same 'exited 137' "$(field web '{{.State.Status}} {{.State.ExitCode}}')"
check 'stop again is no error' same web "$(docker stop web)"
check 'kill of a stopped container is an error' contains "$(docker kill web 2>&1 || true)" 'is not running'
check 'start' same web "$(docker start web)"
check 'runs again' same running "$(field web '{{.State.Status}}')"
pid=$(field web '{{.State.Pid}}')
check 'restart' same web "$(docker restart -t 0 web)"
check 'another process after restart' lacks "$(field web '{{.State.Pid}}')x" "${pid}x"
docker wait web >"$work/waited" &
waiter=$!
check 'kill' same web "$(docker kill web)"
wait "$waiter"
check 'wait says the code' same 137 "$(cat "$work/waited")"
check 'kill cancels restarts' same exited "$(field web '{{.State.Status}}')"
check 'wait of a container that is down' same 7 "$(docker wait once)"
docker start web >/dev/null
timeout 60 docker logs -f --tail 1 web >"$work/follow" 2>&1 &
follower=$!
eventually test -s "$work/follow"
docker restart -t 0 web >/dev/null
check 'logs -f ends with the run' wait "$follower"
check 'start of a one-shot runs it again' same once "$(docker start once)"
eventually same exited "$(field once '{{.State.Status}}')"
check 'one more line in its log' eventually bash -c '[[ $(docker logs once | wc -l) == 2 ]]'
check 'rm of a running container is refused' contains "$(docker rm web 2>&1 || true)" 'container is running'
check 'rm -f' same web "$(docker rm -f web)"
check 'gone' lacks "$(docker ps -a)" web
check 'rm of an unknown container' contains "$(docker rm nosuch 2>&1 || true)" 'No such container: nosuch'
check 'what is not done is said' contains "$(docker volume ls 2>&1 || true)" 'does not do'
check 'swarm is refused' contains "$(docker node ls 2>&1 || true)" 'not a swarm manager'
raw() { curl -s --unix-socket "$work/docker.sock" "$@"; }
check 'HEAD /_ping' contains "$(raw -I http://localhost/_ping)" 'Api-Version: 1.47' '200 OK'
check 'GET /_ping' same OK "$(raw http://localhost/_ping)"
check 'no prefix' contains "$(raw http://localhost/containers/json)" '['
check 'the oldest prefix' contains "$(raw http://localhost/v1.24/containers/json)" '['
check 'too old' contains "$(raw http://localhost/v1.23/version)" 'client version 1.23 is too old'
check 'too new' contains "$(raw http://localhost/v1.99/version)" 'client version 1.99 is too new'
check 'unknown' same '{"message":"page not found"}' "$(raw http://localhost/nosuch)"
check 'filters of older clients' contains "$(raw -G --data-urlencode 'filters={"name":["term"]}' http://localhost/v1.47/containers/json)" '/term'
check 'a bad filter' contains "$(raw -G --data-urlencode 'filters={"nosuch":["x"]}' http://localhost/v1.47/containers/json)" 'invalid filter'
check 'the socket is for root and its group' same 660 "$(stat -c %a "$work/docker.sock")"
rss=$(awk '/VmRSS/ { print $2 }' "/proc/$(cat "$work/run/engine.pid")/status")
check "resident: $rss KiB, at most 6144" test "$rss" -le 6144
tap_end
