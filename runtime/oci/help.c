/* help.c - COMMAND --help: the options of each command. */
#include <stdio.h>
#include <string.h>
#include "lib/cdefs.h"
#include "runtime/oci/verbs.h"

#define CREATE \
	"  --bundle, -b DIR       the bundle, with config.json (default: the working directory)\n" \
	"  --console-socket FILE  where the terminal goes (process.terminal)\n" \
	"  --pid-file FILE        gets the number of the first process\n" \
	"  --pidfd-socket FILE    gets a descriptor of it\n" \
	"  --preserve-fds N       keep descriptors 3 to 2+N, which must be open\n" \
	"  --no-pivot             MS_MOVE and chroot in place of pivot_root (a root in initramfs)\n" \
	"  --no-new-keyring       stay in the caller's session keyring\n"

static const struct { const char *verb, *text; } TEXTS[] = {
	{ "create", "create [OPTION]... ID\n" CREATE },
	{ "run", "run [OPTION]... ID\n" CREATE
		"  --detach, -d           do not wait for the program\n"
		"  --keep                 do not remove the container when it has ended\n"
		"  --no-subreaper         no effect: this runtime never becomes a subreaper\n" },
	{ "start", "start ID\n" },
	{ "exec", "exec [OPTION]... ID PROGRAM [ARG]...\nexec [OPTION]... --process FILE ID\n"
		"  --process, -p FILE     a process object of the specification in place of the options below\n"
		"  --detach, -d           do not wait for the program\n"
		"  --tty, -t              a terminal\n"
		"  --console-socket FILE  where it goes\n"
		"  --pid-file FILE        gets the number of the process\n"
		"  --pidfd-socket FILE    gets a descriptor of it\n"
		"  --preserve-fds N       keep descriptors 3 to 2+N, which must be open\n"
		"  --ignore-paused        also in a paused container: waits until it is resumed\n"
		"  --cgroup [CTRL,..:]DIR a group below the container's\n"
		"  --cwd DIR, --env, -e NAME=VALUE, --user, -u UID[:GID], --additional-gids, -g GID, --cap, -c CAP,\n"
		"  --apparmor PROFILE, --process-label LABEL, --no-new-privs\n" },
	{ "state", "state ID\n" },
	{ "kill", "kill [--all] ID [SIGNAL]\n"
		"  --all, -a              all processes of the container\n"
		"  SIGNAL                 a name or a number; else the annotation org.opencontainers.image.stopSignal, else SIGTERM\n" },
	{ "delete", "delete [--force] ID\n  --force, -f            kill it first; no error when there is none\n" },
	{ "list", "list [--quiet] [--format table|json]\n  --quiet, -q            only the names\n" },
	{ "ps", "ps [--format table|json] ID [OPTION-OF-PS]...\n" },
	{ "pause", "pause ID\n" },
	{ "resume", "resume ID\n" },
	{ "update", "update [OPTION]... ID\n"
		"  --resources, -r FILE   linux.resources of the specification; - is standard input\n"
		"  --memory, --memory-reservation, --memory-swap BYTES, --pids-limit N, --blkio-weight N, --cpu-share N,\n"
		"  --cpu-period, --cpu-quota, --cpu-burst, --cpu-rt-period, --cpu-rt-runtime USEC, --cpu-idle 0|1,\n"
		"  --cpuset-cpus, --cpuset-mems LIST\n" },
	{ "events", "events [--stats] [--interval DURATION] ID\n  --stats                once\n" },
	{ "spec", "spec [--bundle DIR] [--rootless]\n  --rootless             for a user without root's rights\n" },
	{ "features", "features\n" },
};

bool verb_help(const char *verb)
{
	for (size_t i = 0; i < ARRAY_SIZE(TEXTS); i++)
		if (!strcmp(TEXTS[i].verb, verb)) {
			printf("usage: coracle-runtime [OPTION]... %s", TEXTS[i].text);
			return true;
		}
	return false;
}
