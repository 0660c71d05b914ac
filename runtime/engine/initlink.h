/* initlink.h - the engine's connection to init.sock (docs/design/interfaces.md, "init <-> services").
 *
 * Never blocks. When init has gone (it re-executes itself after a crash) the link comes back by itself, and
 * every pid is watched again. */
#ifndef CORACLE_ENGINE_INITLINK_H
#define CORACLE_ENGINE_INITLINK_H

#include <stdbool.h>
#include <sys/types.h>
#include "err.h"

/* exited: an `exit PID STATUS` came. back: connected again, watch your pids. */
int initlink_open(const char *path, void (*exited)(pid_t pid, int status), void (*back)(void), struct err *err);
bool initlink_present(void);

/* answered is called once from the loop: ok tells whether init watches the pid now. */
void initlink_watch(pid_t pid, void (*answered)(bool ok, void *arg), void *arg);
/* Nobody wants the answer any more. */
void initlink_cancel(void *arg);
void initlink_forget(pid_t pid);
void initlink_exit_code(int code);

#endif
