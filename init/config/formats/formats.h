/* formats.h - what of user-data touches the machine: reading it with this machine's facts, and the files that are left of it. */
#ifndef CORACLE_CONFIG_FORMATS_H
#define CORACLE_CONFIG_FORMATS_H

struct run;

/* Reads r->seed's user-data and vendor-data into r->config (config_finish follows). Sets r->variables. #include is followed; the kernel's
 * command line is read on the machine only. */
void formats_read(struct run *r);

/* Writes what cloud-init leaves: below instances/ID user-data.txt, cloud-config.txt and so on (0600), and
 * /run/cloud-init/instance-data.json, which everybody may read, so without secrets. */
void formats_store(struct run *r);

#endif
