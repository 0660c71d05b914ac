/* crash.h - PID 1 executes itself again: after a fault, or to be replaced by a newer one. */
#ifndef CORACLE_INIT_CRASH_H
#define CORACLE_INIT_CRASH_H

#include <stdint.h>

#include "cdefs.h"

/* The signals of faults: never blocked. */
#define CRASH_SIGNALS { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS, SIGTRAP }

/* Where the handler writes what happened, in the file RECOVER_FD; signo 0: nothing. */
#define CRASH_AT 64

struct crash {
	int32_t signo;
	int32_t code;		/* si_code */
	uint64_t at;		/* address of the instruction in the program file */
	uint64_t address;	/* that could not be reached */
};

/* Faults go to a handler on a stack of its own from now on. */
void crash_catch(void);

/* Every descriptor is kept. Returns -errno when the program cannot be executed; then all are close-on-exec again. */
int crash_execute(const char *path);

/* What is left when nothing else works: sync and reboot by a child each, and reap until then. For use after a fault, too. */
void NORETURN crash_reboot(void);

#endif
