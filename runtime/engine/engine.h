/* engine.h - what all parts of coracle-engine share: options, the store, the list of containers.
 *
 * One process, one thread, so there is one of it. Only main.c fills the options. */
#ifndef CORACLE_ENGINE_H
#define CORACLE_ENGINE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "container.h"
#include "err.h"

#define API_VERSION "1.47"
#define API_VERSION_MIN "1.24"

struct engine_options {
	const char *root;		/* /var/lib/coracle */
	const char *run;		/* /run/coracle */
	const char *socket;		/* /run/docker.sock */
	const char *config;		/* containers.json */
	const char *media;		/* directory of media/N */
	const char *init_socket;	/* init.sock; NULL: no init here, the engine reaps by itself */
	const char *runtime;		/* coracle-runtime */
	const char *fetch;		/* coracle-fetch; NULL: as the store finds it */
	const char *console;		/* where container output is shown; NULL: nowhere */
	const char *boot_id;		/* identifies this boot; NULL: the kernel's */
	int64_t log_max_size;		/* bytes of one log file */
	int log_max_files;
};

struct engine {
	struct engine_options opt;
	struct store *store;
	struct container *containers;	/* in order of creation */
	char boot_id[64];
	int64_t started_ns;		/* wall clock */
	bool debug_exit;		/* coracle.exit=debug */
	int last_failed_code;		/* of the last one-shot that failed */
	bool stopping;
};

extern struct engine engine;

/* ROOT/containers/ID/NAME (name may be "") into out; returns out. */
char *engine_container_path(const char *id, const char *name, char *out, size_t size);

#endif
