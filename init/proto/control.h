/* control.h - messages of init's control socket (docs/design/interfaces.md).
 *
 * One text message per packet, at most CONTROL_TEXT_MAX bytes, no newline. Pure; no heap. */
#ifndef CORACLE_INIT_CONTROL_H
#define CORACLE_INIT_CONTROL_H

#include <stddef.h>
#include <sys/types.h>

#define CONTROL_SOCKET "/run/coracle/init.sock"
#define CONTROL_TEXT_MAX 4096
#define CONTROL_NAME_MAX 64	/* unit names, with the NUL */
#define CONTROL_PATH_MAX 256	/* with the NUL */
#define CONTROL_REPLY_MAX 256

enum control_verb {
	CONTROL_WATCH, CONTROL_FORGET,				/* pid */
	CONTROL_SERVICES, CONTROL_BOOT_TIMES,
	CONTROL_START, CONTROL_STOP, CONTROL_RESTART,		/* name */
	CONTROL_POWEROFF, CONTROL_REBOOT, CONTROL_HALT,
	CONTROL_EXIT_CODE,					/* number: 0..255 */
	CONTROL_RELOAD,						/* name, "" when none was given */
	CONTROL_RELOAD_INIT,					/* path, "" when none was given */
};

struct control_request {
	enum control_verb verb;
	pid_t pid;
	int number;
	char name[CONTROL_NAME_MAX];	/* [A-Za-z0-9_.@:-] */
	char path[CONTROL_PATH_MAX];	/* absolute, no control characters */
};

/* Parses one packet (n bytes). Returns 0; -EINVAL when it is not a legal request. */
int control_parse(const char *text, size_t n, struct control_request *out);

/* The packet that the client verb of sbin (poweroff, reboot, halt) sends; NULL for another name. */
const char *control_verb_of_program(const char *program);

#endif
