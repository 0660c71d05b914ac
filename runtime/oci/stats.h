/* stats.h - what a container has used, as `events` prints it (runc's JSON).
 *
 * One object; members that runc leaves out when they are zero are left out, so
 * that what reads runc's events reads ours. A value that a host cannot tell is zero. */
#ifndef CORACLE_OCI_STATS_H
#define CORACLE_OCI_STATS_H

#include <stdbool.h>
#include <stdint.h>
#include "lib/buf.h"
#include "runtime/oci/cgroup.h"

#define STATS_TEXT_MAX 16384	/* memory.stat and io.stat of a large machine */

/* Adds the whole "data" object. All of the container's groups must be open. */
void stats_json(const struct cgroup *c, struct buf *out);

/* The two halves of it, for stats.c. */
void stats_v1(const struct cgroup *c, struct buf *out);
void stats_v2(int dir, struct buf *out);

/* JSON with the commas where they belong. */
void stats_key(struct buf *b, const char *name);
void stats_open(struct buf *b, const char *name);	/* "name":{ */
void stats_close(struct buf *b);			/* } */
void stats_number(struct buf *b, const char *name, uint64_t value);
void stats_some(struct buf *b, const char *name, uint64_t value);	/* nothing when 0 */
/* A file of "key value" lines; text: STATS_TEXT_MAX bytes, holds it afterwards. 0 when the key is not there. */
uint64_t stats_line(const char *text, const char *key);
/* "" when it cannot be read. */
const char *stats_read(int dir, const char *file, char text[STATS_TEXT_MAX]);
/* A file with one number; "max" is the largest. 0 when it cannot be read. */
uint64_t stats_value(int dir, const char *file);
/* "raw": every line of a file of "key value" lines. */
void stats_raw(struct buf *b, const char *text);
/* "hugetlb": the files of each page size. v2: their names differ. */
void stats_hugetlb(struct buf *b, int dir, bool v2);
/* "cpuset" with what v1 says (dir -1: zeros). */
void stats_cpuset(struct buf *b, int dir);
/* One entry of a list of "blkio"; the first opens the list, and whoever called closes it when *open. */
void stats_block(struct buf *b, bool *open, const char *name, unsigned major, unsigned minor, const char *op, uint64_t value);
void stats_memory_entry(struct buf *b, const char *name, uint64_t limit, uint64_t usage, uint64_t max, uint64_t failures);

#endif
