/* explain_gather.c - coracle explain: reads what init, the kernel and the boot configuration say. What cannot be read is as if it said nothing. */
#include "explain.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli.h"
#include "fd.h"

#define PROBLEMS_MAX (2u << 20)
#define STATUS_MAX (1u << 20)
#define DATA_LABEL " ext4 CORACLE-DATA\n"

/* "NAME STATE STARTED READY AFTER" */
static void on_times(const char *text, void *arg)
{
	struct explain_facts *f = arg;
	struct explain_unit *u = &f->unit[f->n];
	unsigned long long started, ready;

	if (f->n == EXPLAIN_UNITS_MAX)
		return;
	memset(u, 0, sizeof(*u));
	if (sscanf(text, "%63s %15s %llu %llu %511s", u->name, u->state, &started, &ready, u->after) < 4)
		return;
	if (!strcmp(u->after, "-"))
		u->after[0] = '\0';
	u->ready = ready > 0;
	f->n++;
}

/* "NAME STATE PID RESTARTS STATUS": the state may be another one by now, and then this one counts. */
static void on_service(const char *text, void *arg)
{
	struct explain_facts *f = arg;
	char name[64] = "", state[16] = "", status[128] = "";
	unsigned restarts = 0;
	int i;

	if (sscanf(text, "%63s %15s %*s %u %127[^\n]", name, state, &restarts, status) < 3 || (i = explain_find(f, name)) < 0)
		return;
	memcpy(f->unit[i].state, state, sizeof(state));
	memcpy(f->unit[i].status, status, sizeof(status));
	f->unit[i].restarts = restarts;
}

static bool is_yes(const char *v)
{
	static const char *const yes[] = { "yes\n", "true\n", "1\n", "on\n", "y\n", "t\n" };

	for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
		if (!strncmp(v, yes[i], strlen(yes[i])))
			return true;
	return false;
}

static void read_unit_file(struct explain_unit *u)
{
	CLEANUP_FREE char *text = cli_unit_file(u->name, &u->local);

	for (const char *at = text; at && (at = strstr(at, "\nCritical=")); at++)
		u->critical = is_yes(at + strlen("\nCritical="));
}

static void read_problems(struct explain_facts *f)
{
	CLEANUP_FREE char *text = NULL;
	char path[512], *save = NULL;

	snprintf(path, sizeof(path), "%s/problems", cli.run);
	if (fd_read_file(AT_FDCWD, path, PROBLEMS_MAX, &text, NULL, NULL) < 0)
		return;
	for (char *line = strtok_r(text, "\n", &save); line && f->problems_n < EXPLAIN_PROBLEMS_MAX; line = strtok_r(NULL, "\n", &save)) {
		yyjson_doc *doc = yyjson_read(line, strlen(line), 0);
		yyjson_val *o = yyjson_doc_get_root(doc);
		const char *who = yyjson_get_str(yyjson_obj_get(o, "component"));
		const char *message = yyjson_get_str(yyjson_obj_get(o, "message"));
		struct explain_problem *p = &f->problem[f->problems_n];

		if (who && message) {
			p->at = (double)yyjson_get_uint(yyjson_obj_get(o, "time_ms")) / 1000;
			snprintf(p->component, sizeof(p->component), "%s", who);
			snprintf(p->message, sizeof(p->message), "%s", message);
			f->problems_n++;
		}
		yyjson_doc_free(doc);
	}
}

/* The first three stages of coracle-config; the last is `final`, whose commands are not the boot. */
static int count_config_errors(void)
{
	CLEANUP_FREE char *text = NULL;
	size_t n = 0;
	yyjson_doc *doc;
	yyjson_obj_iter it;
	yyjson_val *key;
	int count = 0;

	if (fd_read_file(AT_FDCWD, "/run/cloud-init/status.json", STATUS_MAX, &text, &n, NULL) < 0)
		return 0;
	doc = yyjson_read(text, n, 0);
	it = yyjson_obj_iter_with(yyjson_obj_get(yyjson_doc_get_root(doc), "v1"));
	while ((key = yyjson_obj_iter_next(&it)))
		if (strcmp(yyjson_get_str(key), "modules-final"))
			count += (int)yyjson_arr_size(yyjson_obj_get(yyjson_obj_iter_get_val(key), "errors"));
	yyjson_doc_free(doc);
	return count;
}

static void read_data_node(struct explain_facts *f)
{
	char path[512], text[8192];
	char *label;

	snprintf(path, sizeof(path), "%s/devices", cli.run);
	if (fd_read_small(AT_FDCWD, path, text, sizeof(text)) <= 0 || !(label = strstr(text, DATA_LABEL)))
		return;
	*label = '\0';
	label = strrchr(text, '\n');
	snprintf(f->data_node, sizeof(f->data_node), "%.63s", label ? label + 1 : text);
}

static void read_command_line(struct explain_facts *f)
{
	char text[4096], *save = NULL;

	if (fd_read_small(AT_FDCWD, "/proc/cmdline", text, sizeof(text)) <= 0)
		return;
	for (const char *w = strtok_r(text, " \n", &save); w; w = strtok_r(NULL, " \n", &save)) {
		f->rescue |= !strcmp(w, "coracle.rescue");
		f->wants_data |= !strcmp(w, "coracle.data=wait");
	}
}

void explain_gather(struct explain_facts *f)
{
	struct err err = ERR_INIT;
	struct timespec ts = { 0, 0 };

	memset(f, 0, sizeof(*f));
	clock_gettime(CLOCK_MONOTONIC, &ts);
	f->uptime = (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
	cli_init("boot-times", on_times, f, &err);
	cli_init("services", on_service, f, &err);
	for (int i = 0; i < f->n; i++)
		read_unit_file(&f->unit[i]);
	read_problems(f);
	read_command_line(f);
	read_data_node(f);
	f->config_errors = count_config_errors();
}
