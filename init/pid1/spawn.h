/* spawn.h - what the two halves of starting a service share: the preparation in PID 1, and the child until its exec. */
#ifndef CORACLE_INIT_SPAWN_H
#define CORACLE_INIT_SPAWN_H

#include "init/pid1/init.h"
#include "init/units/accounts.h"

#define SPAWN_FDS_MAX (INIT_STORED_MAX + UNITS_SOCKETS_MAX)
#define SPAWN_ENVIRONMENT_MAX (16 + 2 * UNIT_ARGS_MAX)

enum spawn_step {
	SPAWN_NONE, SPAWN_USER, SPAWN_GROUP, SPAWN_ENVIRONMENT, SPAWN_PROCESS, SPAWN_CONSOLE, SPAWN_LIMIT, SPAWN_NICE, SPAWN_IDENTITY,
	SPAWN_DIRECTORY, SPAWN_EXEC,
};

struct spawn_failure {
	enum spawn_step step;
	int error;			/* positive errno */
};

extern struct child {
	const struct service *service;
	struct spawn_failure *failure;	/* written by the child when a step fails */
	int out;			/* log pipe, -1: none */
	int move_to;			/* cgroup that it has to enter itself, -1: it is there */
	int changes_identity;
	int alone;			/* shares no memory, and PID 1 does not wait for its exec */
	struct account account;
	char *argv[UNIT_ARGS_MAX + 1];
	int environment_n;
	char *environment[SPAWN_ENVIRONMENT_MAX + 1];
	char listen_pid[32];
	char listen_fds[32];
	char watchdog_pid[32];
	char watchdog_usec[40];
	char home[112], user[48], logname[48], shell[64];
	int groups_n;
	int fds_n;			/* descriptors to pass from 3 on */
	gid_t groups[ACCOUNT_GROUPS_MAX];
	int fds[SPAWN_FDS_MAX];
	char listen_names[32 + SPAWN_FDS_MAX * FDNAME_MAX];
} child;

/* prepare.c: fills in command, identity, environment and descriptors. Returns 0, or -errno and the step that failed. */
int spawn_prepare(int unit, enum spawn_step *step);
/* In the child: adds what EnvironmentFile= says; it stays in the scratch buffer until the exec. Returns 0 or -errno. */
int spawn_read_environment(void);

#endif
