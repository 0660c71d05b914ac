/* recovery.h - what the scenarios of recovery.c are made of. */
#ifndef TESTS_INIT_RECOVERY_H
#define TESTS_INIT_RECOVERY_H

#include <sys/types.h>

/* The connection to init that ask() and receive() use. */
extern int control;

/* "probe: TEXT" in the kernel's log. */
__attribute__((format(printf, 1, 2))) void say(const char *fmt, ...);
/* "ok NAME", or "FAILED NAME: detail". */
__attribute__((format(printf, 3, 4))) void result(int good, const char *detail, const char *fmt, ...);
__attribute__((format(printf, 3, 4))) void same(const char *got, const char *want, const char *fmt, ...);
int connect_control(void);
/* The next packet from init, or "(nothing)" and the like. Static, until the next one. */
const char *receive_within(int ms);
const char *receive(void);
__attribute__((format(printf, 1, 2))) const char *ask(const char *fmt, ...);
/* The row of a service: "STATE PID RESTARTS". */
const char *row_of(const char *name);
/* A notification, with a descriptor when that is not negative. */
void notify(const char *text, int stored);
/* READY=1; returns when init knows it. */
void ready(void);
void enter_cgroup(const char *name);
/* A process as `coracle-runtime create` leaves it: PID 1's child, in a cgroup of containers. */
pid_t make_container(void);
/* The injector waits for init to come back from these system calls (NULL: none); without a fault it is init's next child that has one. */
void arm(const char *at, const char *fault);
/* Until it has been made. */
void wait_fault(const char *fault);
void inject(const char *fault);
/* What outlives this process. */
void save_number(const char *name, long n);
long load_number(const char *name);
int descriptors_of_init(void);
/* Until there are so many, for ten seconds at most: init may be at work on something that it opens and closes, and what it lost or left stays so.
 * Returns how many there were at last. */
int descriptors_settle(int want);

#endif
