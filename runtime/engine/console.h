/* console.h - container output on the machine's console as "NAME | line".
 *
 * The console may be a slow serial line or be stopped with Ctrl-S: output waits in a ring of
 * 64 KiB and what does not fit is dropped and counted; nobody ever waits for it. */
#ifndef CORACLE_ENGINE_CONSOLE_H
#define CORACLE_ENGINE_CONSOLE_H

#include <stddef.h>

/* path: /dev/console or any file. Failure means no output there, and a note. */
void console_open(const char *path);

/* One line without its end; control characters but tab and escape sequences' ESC become '?'. Nothing happens when no console is open. */
void console_line(const char *name, const char *text, size_t n);

/* Writes what is waiting, at most for ms milliseconds (before the engine exits). */
void console_flush(int ms);

#endif
