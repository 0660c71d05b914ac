/* console.c - a console that takes no text must not hold up PID 1.
 *
 * Runs in PID 1. Who writes to the kernel's log may have to write the log to the console, other people's lines too; a serial line that nobody
 * drains is waited for with the processor, up to 10 ms for each few characters. When one record has cost more than a second, the console level is
 * lowered for a while, which ends the waiting for everybody; the log itself, /run/coracle/problems, and a panic are not touched. */
#include "init/pid1/init.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "fd.h"
#include "init/pid1/recover.h"
#include "report.h"

#define LEVEL "/proc/sys/kernel/printk"
#define SLOW_MS 1000
#define OFF_MS 60000

static struct {
	int64_t until;		/* when the console is tried again, 0: it is on */
	int level;		/* that it had */
} off;

const struct state_section console_state[] = { STATE_ONE("cons", off), STATE_END };

static void set_level(int level)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", level);
	fd_write_small(AT_FDCWD, LEVEL, text);
}

int64_t console_turn(int64_t now)
{
	char text[64];

	if (off.until && off.until <= now) {
		off.until = 0;
		set_level(off.level);
	}
	if (report_take_longest() > SLOW_MS && !off.until && fd_read_small(AT_FDCWD, LEVEL, text, sizeof(text)) > 0) {
		off.level = atoi(text);
		off.until = now + OFF_MS;
		set_level(1);
		report_problem("init", "the console takes no text; it gets none for %d s", OFF_MS / 1000);
	}
	return off.until ? off.until : SUP_NEVER;
}
