/* verdict.h - why the last boot ended: the record that it left, and what hardware and kernel tell, weighed. Pure; no heap.
 *
 * A record is a text of lines KEY=VALUE, in /var/lib/coracle/boot: `current` for this boot, `end` as init writes it on the way down (both say whose they are by the
 * kernel's boot id), `last` for the boot before this one. */
#ifndef CORACLE_CLI_VERDICT_H
#define CORACLE_CLI_VERDICT_H

#include <stddef.h>
#include <stdint.h>

#define VERDICT_TEXT_MAX 200
#define VERDICT_RECORD_MAX 1024	/* a record as text */

struct verdict_boot {
	unsigned number;	/* boots of this data disk so far */
	char id[40];		/* the kernel's boot id */
	int64_t began;		/* seconds since 1970 by the machine's clock, which may be wrong */
	int64_t ended;		/* 0: unknown */
	int64_t uptime;		/* seconds, 0: unknown */
	char kernel[64];
	char start[16];		/* firmware, kexec */
	char state[16];		/* running (none: the same), ending (it has been decided), ended (in order, up to the unmounting of /var) */
	char kind[16];		/* see verdict_judge() */
	char text[VERDICT_TEXT_MAX];
	char crash[64];		/* file with the kernel's last words, below /var/lib/coracle; "": none */
};

enum verdict_dump { VERDICT_NO_DUMP, VERDICT_SHUTDOWN, VERDICT_EMERGENCY, VERDICT_PANIC };

struct verdict_evidence {
	int watchdog;			/* the hardware says that it was the watchdog */
	int by_kexec;			/* this kernel was started by another one */
	enum verdict_dump dump;		/* what the kernel kept in pstore when it ended; the gravest */
	char line[VERDICT_TEXT_MAX];	/* its telling line */
};

/* Adds what the text says to out: unknown keys are skipped, missing ones stay. */
void verdict_parse(const char *text, struct verdict_boot *out);
/* Returns the length; size is at least VERDICT_RECORD_MAX. */
size_t verdict_format(const struct verdict_boot *b, char *out, size_t size);

/* One record of pstore: its first line says what it is of. */
void verdict_add_dump(struct verdict_evidence *e, const char *text);

/* Fills kind and text of the boot that ended. last->number 0: there is no record of one. Kinds: clean, service (one kept failing), watchdog,
 * panic, init-crash, power-loss, reset (SysRq), kexec, first. */
void verdict_judge(struct verdict_boot *last, const struct verdict_evidence *e);

#endif
