/* logpipe.c - what services print goes to the kernel log, line by line, with their name in front.
 *
 * Runs in PID 1, which keeps both ends of each pipe, so that nothing is lost when a service ends and no write of the
 * next one breaks. Lines above the rate are counted and dropped: a babbling service must not push everything else out of the log. */
#include "init/pid1/init.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "cdefs.h"
#include "init/pid1/recover.h"
#include "report.h"

#define LINE_MAX_LEN 400
#define WINDOW_MS 5000
#define LINES_PER_WINDOW 100
#define READS_PER_TURN 4

static struct logpipe {
	int open;
	int r, w;
	int lines;		/* in this window */
	int dropped;
	int64_t window;		/* when it began */
	size_t len;		/* of the line that is not complete yet */
} pipes[SUP_UNITS_MAX];
static int pipes_n;		/* one above the highest unit that has one */

/* Only for lines that are not complete: there is seldom one. */
SPARSE static struct partial {
	int unit;
	char line[LINE_MAX_LEN];
} partials[SUP_UNITS_MAX];
static int partials_n;

const struct state_section logpipe_state[] = { STATE_TABLE("logs", pipes, &pipes_n), STATE_TABLE("logl", partials, &partials_n), STATE_END };

void logpipe_restored(void)
{
	for (int i = 0; i < pipes_n; i++) {
		struct logpipe *p = &pipes[i];

		if (p->open && p->len < LINE_MAX_LEN && recover_keep(p->r) && recover_keep(p->w))
			loop_add(p->r, WATCH_LOG, i, EPOLLIN);
		else
			p->open = 0;
	}
}

int logpipe_open(int unit)
{
	struct logpipe *p = &pipes[unit];
	int fds[2];

	if (p->open)
		return p->w;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	/* Only our end does not block: a service may rely on write(2) taking everything. */
	fcntl(fds[0], F_SETFL, O_RDONLY | O_NONBLOCK);
	if (loop_add(fds[0], WATCH_LOG, unit, EPOLLIN) < 0) {
		close(fds[0]);
		close(fds[1]);
		return -ENOMEM;
	}
	p->r = fds[0];
	p->w = fds[1];
	p->open = 1;
	pipes_n = MAX(pipes_n, unit + 1);
	return p->w;
}

/* daemon.info; the kernel log's own time stamps serve. */
static void log_line(const char *name, const char *text, size_t n)
{
	char record[LINE_MAX_LEN + 96];
	int len = snprintf(record, sizeof(record), "<30>%.63s: %.*s\n", name, (int)n, text);

	report_kernel(record, (size_t)len);
}

static void emit(int unit, struct logpipe *p, const char *line)
{
	int64_t now = loop_now();

	if (now - p->window >= WINDOW_MS) {
		char text[64];
		int n = snprintf(text, sizeof(text), "(%d lines dropped here)", p->dropped);

		if (p->dropped)
			log_line(unit_name(unit), text, (size_t)n);
		p->window = now;
		p->lines = 0;
		p->dropped = 0;
	}
	if (p->lines++ < LINES_PER_WINDOW)
		log_line(unit_name(unit), line, p->len);
	else
		p->dropped++;
	p->len = 0;
}

static struct partial *partial_of(int unit)
{
	int i = 0;

	while (i < partials_n && partials[i].unit != unit)
		i++;
	if (i == partials_n)
		partials[partials_n++].unit = unit;
	return &partials[i];
}

void logpipe_on_readable(int unit)
{
	struct logpipe *p = &pipes[unit];
	struct partial *l = partial_of(unit);
	char buf[1024];
	int was_read = 0;

	for (int turn = 0; turn < READS_PER_TURN; turn++) {
		ssize_t n = read(p->r, buf, sizeof(buf));

		if (n <= 0)
			break;
		was_read = 1;
		for (ssize_t i = 0; i < n; i++) {
			if (buf[i] != '\n')
				l->line[p->len++] = (unsigned char)buf[i] < 0x20 ? ' ' : buf[i];
			if (p->len == sizeof(l->line) || (buf[i] == '\n' && p->len > 0))
				emit(unit, p, l->line);
		}
	}
	if (p->len == 0)
		*l = partials[--partials_n];
	/* The line that is not complete yet is nowhere but here. */
	if (was_read)
		recover_commit();
}
