/* unit.h - what the unit files say, compiled into fixed tables (coracle.unit(5)).
 *
 * Unit i is described by table.sup[i] for the supervisor and table.service[i] for everything else; sockets, timers and limits lie in tables of their
 * own. There are no pointers: texts are offsets into table.text, so the whole can be carried through a re-execution of PID 1, and is checked
 * by its owner when it comes back. Pure; no heap. */
#ifndef CORACLE_INIT_UNIT_H
#define CORACLE_INIT_UNIT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "cdefs.h"
#include "err.h"
#include "init/supervise/supervise.h"

#define UNITS_DIR "/usr/lib/coracle/units"	/* of the image */
#define UNITS_DIR_LOCAL "/etc/coracle/units"	/* of the machine: a file of the same name takes the place of the image's */
#define UNITS_TEXT_MAX 32768	/* all texts of all units */
#define UNITS_FILE_MAX 16384	/* one unit file */
#define UNITS_SOCKETS_MAX 64
#define UNITS_TIMERS_MAX 64
#define UNITS_LIMITS_MAX 128	/* of all units */
#define UNIT_SUCCESS_MAX 8
#define UNIT_ARGS_MAX 64	/* words of a command, lines of an environment */

typedef uint16_t unit_text;	/* offset into units.text, 0: none (there the empty string is) */

struct unit_words {
	unit_text first;	/* n strings, one behind the other, each with its NUL */
	uint16_t n;
};

struct unit_limit {
	int unit;
	int resource;		/* RLIMIT_... */
	uint64_t soft, hard;	/* RLIM_INFINITY: none */
};

enum unit_oom { UNIT_OOM_CONTINUE, UNIT_OOM_STOP, UNIT_OOM_KILL };	/* OOMPolicy= */

enum {
	UNIT_CONSOLE = 1 << 0,		/* standard input, output and error are the console */
	UNIT_NO_NEW_PRIVS = 1 << 1,
	UNIT_STAMPED = 1 << 2,		/* its first start and readiness are kept in /run/coracle/boot-times */
	UNIT_KILL_PROCESS = 1 << 3,	/* KillMode=process: its other processes outlive it (the default kills the cgroup) */
};

struct service {
	unit_text name;			/* without ".unit" */
	unit_text description;
	unit_text source;		/* path of the file */
	struct unit_words argv;
	struct unit_words environment;	/* NAME=VALUE */
	unit_text environment_file;	/* may be absent when it begins with "-" */
	unit_text directory;
	unit_text user, group;		/* names or numbers; looked up in /etc/passwd and /etc/group at each start */
	struct unit_words when;		/* started only when all hold: "PATH" exists, "!PATH" does not */
	enum unit_oom oom;
	int oom_score_adj;
	int nice;
	mode_t umask;
	unsigned flags;			/* UNIT_... */
	int fdstore_max;		/* FileDescriptorStoreMax= */
	int success_n;
	uint8_t success[UNIT_SUCCESS_MAX];	/* SuccessExitStatus=: codes beside 0 */
	uint64_t success_signals;	/* and signals: bit N-1 is signal N */
	int64_t memory_min, memory_high, memory_max;	/* bytes, 0: not set */
	int64_t tasks_max;		/* 0: not set */
	int cpu_weight, io_weight;	/* 1..10000, 0: not set */
	int cpu_quota;			/* percent of one processor, 0: not set */
	int reload_signal;		/* Type=notify-reload: ReloadSignal=; 0: it cannot */
};

enum unit_socket_kind { UNIT_SOCKET_STREAM, UNIT_SOCKET_DATAGRAM, UNIT_SOCKET_SEQPACKET, UNIT_SOCKET_FIFO };

struct unit_socket {
	int unit;
	enum unit_socket_kind kind;
	unit_text address;		/* as written: "/path", "@abstract", "PORT", "A.B.C.D:PORT", "[IPv6]:PORT" */
	unit_text fdname;		/* FileDescriptorName= */
	unit_text user, group;		/* SocketUser=, SocketGroup=: of a path */
	mode_t mode;			/* SocketMode= */
	int backlog;
};

/* A calendar event as systemd.time(7) writes it, one bit for each value that matches. */
struct unit_calendar {
	uint64_t seconds, minutes;	/* bits 0..59 */
	uint32_t hours;			/* 0..23 */
	uint32_t days;			/* 1..31 */
	uint16_t months;		/* 1..12 */
	uint8_t weekdays;		/* 0 (Sunday) .. 6 */
	int16_t year_first, year_last;	/* 0: any */
};

enum unit_timer_kind { UNIT_TIMER_BOOT, UNIT_TIMER_ACTIVE, UNIT_TIMER_INACTIVE, UNIT_TIMER_CALENDAR };

struct unit_timer {
	int unit;
	enum unit_timer_kind kind;
	int64_t ms;			/* after boot, after its last start, after its last end */
	struct unit_calendar calendar;	/* UTC */
};

extern struct units {
	int n, sockets_n, timers_n, limits_n;
	unsigned text_n;		/* bytes of text in use */
	struct sup_unit sup[SUP_UNITS_MAX];
	struct service service[SUP_UNITS_MAX];
	struct unit_socket sockets[UNITS_SOCKETS_MAX];
	struct unit_timer timers[UNITS_TIMERS_MAX];
	struct unit_limit limits[UNITS_LIMITS_MAX];
	char text[UNITS_TEXT_MAX];
} units;

/* The string at an offset; never NULL. */
const char *unit_string(unit_text t);
const char *unit_name(int unit);
/* Index of the unit or -1. */
int unit_find(const char *name);
/* A copy of n bytes and a NUL in the arena. Returns 0; -ENOSPC when it is full. */
COLD int unit_text_add(const char *text, size_t n, unit_text *out);

/* Empties the table. old, a copy of it as it was (NULL: none): its units keep their indices and names, and what is needed to stop what runs of
 * them; one that no file describes any more stays as that and cannot be started. */
COLD void units_begin(const struct units *old);

/* Compiles one file (n bytes of text, which are changed). name: of the unit, without ".unit". Returns its index; -EEXIST when a file has described it
 * since units_begin(); -EINVAL with err ("SOURCE:LINE: KEY=VALUE: what is wrong"), and then nothing of it is in the table. */
COLD int unit_compile(const char *name, const char *source, char *text, size_t n, struct err *err);

/* Looks up the names of dependencies when all files have been read. Returns 0; -EINVAL or -ELOOP with err, and *bad is the unit that has to be left out:
 * its file names a unit that is not there, or it closes a circle. */
COLD int units_resolve(int *bad, struct err *err);

/* calendar.c: parses "Mon..Fri *-*-* 06:00", "hourly", "*:0/15"... Returns 0; -EINVAL with err. */
COLD int unit_calendar_parse(const char *text, struct unit_calendar *out, struct err *err);
/* The first second after `after` (seconds since 1970, UTC) that matches; -1: there is none. */
int64_t unit_calendar_next(const struct unit_calendar *c, int64_t after);

#endif
