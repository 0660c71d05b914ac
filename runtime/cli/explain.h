/* explain.h - a boot that failed, in a screenful: the facts, what is made of them, the screen.
 *
 * explain_gather.c asks init and reads files, explain_judge.c is pure. */
#ifndef CORACLE_CLI_EXPLAIN_H
#define CORACLE_CLI_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>

#define EXPLAIN_UNITS_MAX 64
#define EXPLAIN_PROBLEMS_MAX 64		/* the first ones: what comes later follows from them */
#define EXPLAIN_LINES 23		/* of the screen; the 24th is the cursor's */
#define EXPLAIN_COLUMNS 79

struct explain_unit {
	char name[64];
	char state[16];		/* as init names it */
	char status[128];	/* STATUS=, "": none */
	char after[512];	/* names with commas, "": none */
	unsigned restarts;
	bool ready;		/* has been ready once */
	bool critical;		/* Critical=yes */
	bool local;		/* its file is the machine's */
};

struct explain_problem {
	double at;		/* seconds since the kernel's start */
	char component[24];
	char message[200];
};

struct explain_facts {
	int n;
	struct explain_unit unit[EXPLAIN_UNITS_MAX];
	int problems_n;
	struct explain_problem problem[EXPLAIN_PROBLEMS_MAX];
	double uptime;
	bool rescue;		/* coracle.rescue */
	bool wants_data;	/* coracle.data=wait */
	char data_node[64];	/* of the data file system, "": there is none */
	int config_errors;	/* that the boot configuration found in its input */
};

enum explain_kind {
	EXPLAIN_FINE,
	EXPLAIN_UNFINISHED,	/* not done yet, and nothing wrong so far */
	EXPLAIN_NO_DATA,	/* the data file system that the command line asks for is not there */
	EXPLAIN_DATA,		/* it is there, and cannot be used */
	EXPLAIN_CONFIG,		/* the boot configuration has errors, or could not be run */
	EXPLAIN_CRITICAL,	/* a critical unit is not up, or what it requires */
	EXPLAIN_UNIT,		/* another unit has failed: no failure of the boot */
};

struct explain_verdict {
	enum explain_kind kind;
	int unit;		/* that is to blame, -1: none */
	int problem;		/* the first that is about it, -1: none */
};

/* before: the facts of a moment ago, NULL: unknown. A unit that was restarted in between is not up, whatever its state is. */
struct explain_verdict explain_judge(const struct explain_facts *now, const struct explain_facts *before);
int explain_find(const struct explain_facts *f, const char *name);
/* Unit i waits for unit d, directly. */
bool explain_waits(const struct explain_facts *f, int i, int d);

/* A screen that does not grow beyond EXPLAIN_LINES and EXPLAIN_COLUMNS. */
struct explain_screen {
	int lines;
	size_t n;
	char text[EXPLAIN_LINES * (EXPLAIN_COLUMNS + 1) + 1];
};

/* One more line, cut; what no terminal should see is '?'. Nothing when the screen is full. */
void explain_line(struct explain_screen *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The same for a text of several, at most `most` of them, broken at blanks; the second and later ones are indented by four. */
void explain_text(struct explain_screen *s, int most, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

void explain_gather(struct explain_facts *f);

#endif
