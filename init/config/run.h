/* run.h - one run of coracle-config: what its commands share. */
#ifndef CORACLE_CONFIG_RUN_H
#define CORACLE_CONFIG_RUN_H

#include "config.h"
#include "datasource/datasource.h"
#include "status.h"
#include "target.h"

struct network_plan;
struct db;

#define RUN_MEMORY_MAX ((size_t)32 << 20)

struct run {
	struct arena arena;
	struct diags diags;
	struct ctx ctx;
	struct target target;
	struct seed seed;
	struct userdata userdata;	/* what the seed's user-data and vendor-data are made of */
	const struct node *variables;	/* instance data, for templates and `query` */
	struct config config;
	struct status status;
	struct network_plan *network;	/* network/boot.h; NULL: DHCP on every Ethernet device */
	struct db *accounts;		/* modules/accounts_apply.h; NULL: not read yet, or not as it is on disk */
	const char *cmdline_path;	/* of the kernel command line that is looked at; NULL: the machine's own, on the machine */
	const char *instance_id;	/* set when it is applied */
	bool change_power;		/* last stage: power_state's condition holds */
};

void run_init(struct run *r);
void run_fini(struct run *r);

/* Reads what the seed holds into r->config. */
void run_read_seed(struct run *r);

/* apply.c: carries r->config out; problems go to r->diags. Returns true when
 * the final stage has something to do (final.h). */
bool apply_config(struct run *r);

/* final.c: the last stage. Returns the exit status. */
int final_run(struct run *r);

/* script.c: runs a script with the output appended to /var/log/cloud-init-output.log. interpreter NULL: its #! line decides.
 * timeout_s 0: none. Returns its wait status, or -errno. */
int script_run(const struct run *r, const char *interpreter, const char *path, unsigned timeout_s);
/* The same with words before the path, the first of which is the program (looked for in PATH). */
int script_run_prefixed(const struct run *r, const struct strings *prefix, const char *path);

/* Runs a program by its path, with its words; variable: "NAME=VALUE" for its environment, or NULL. Output, timeout and result as script_run. */
int program_run(const struct run *r, const char *const *argv, const char *variable, unsigned timeout_s);

/* init_ask.c: one command for init ("poweroff", "reload"). Returns 0 when the answer is "ok", else -errno and a text. */
int init_ask(const char *what, struct err *err);

/* Adds the problems to the log file and, on the machine, to the console. */
void run_report(struct run *r);

/* commands */
int command_boot(int argc, char **argv);
int command_final(int argc, char **argv);
int command_apply(int argc, char **argv);
int command_schema(int argc, char **argv);
int command_status(int argc, char **argv);
int command_query(int argc, char **argv);
int command_clean(int argc, char **argv);	/* commands_tools.c */
int command_analyze(int argc, char **argv);
int command_absent(int argc, char **argv);	/* says why this one of cloud-init's commands does nothing here */
int command_network(int argc, char **argv);	/* network/command.c */

#endif
