/* final.h - what coracle-config boot leaves for coracle-config final: who the instance is, and the configuration.
 *
 * /run/coracle/final is a JSON object {instance_id, local_hostname, config}, readable by root only: the merged configuration
 * without the keys that are done by then. It is there when the last stage has something to do, and goes when that is done. */
#ifndef CORACLE_CONFIG_FINAL_H
#define CORACLE_CONFIG_FINAL_H

#include "run.h"

#define FINAL_PATH "/run/coracle/final"

/* Writes it when a module of the last stage is wanted. Returns true when it was. */
bool final_leave(struct run *r);
/* Reads it into r. Returns 0, or -errno (-ENOENT: there is nothing to do). */
int final_read(struct run *r);

#endif
