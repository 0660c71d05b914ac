/* services.c - the table of what runs on this machine.
 *
 * Runs in PID 1, filled once before the first start. Each row is data: the supervisor gets the
 * sup_unit part, spawn.c the rest. */
#include "init/pid1/init.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cdefs.h"
#include "init/pid1/recover.h"

#define LIB "/usr/lib/coracle/"
#define ETHERNET_MAX 16
#define BIT(i) (UINT64_C(1) << (i))

const struct state_section services_state[] = {
	STATE_TABLE("usup", units.sup, &units.n), STATE_TABLE("usrv", units.service, &units.n), STATE_TABLE("usoc", units.sockets, &units.sockets_n),
	STATE_TABLE("utim", units.timers, &units.timers_n), STATE_TABLE("utxt", units.text, (int *)&units.text_n), STATE_END,
};

static void words(struct unit_words *w, const char *const *list)
{
	unit_text at;

	for (; *list; list++) {
		if (unit_text_add(*list, strlen(*list), &at) < 0)
			return;
		if (w->n++ == 0)
			w->first = at;
	}
}

static int add(const char *name, const struct sup_unit *unit, const char *const *argv)
{
	int i = units.n;

	unit_text_add(name, strlen(name), &units.service[i].name);
	words(&units.service[i].argv, argv);
	units.service[i].umask = 022;
	units.sup[i] = *unit;
	return units.n++;
}

/* A check of a large data disk may take long; killing it half-way would be worse than waiting. */
static uint64_t add_data(void)
{
	const struct sup_unit unit = { .type = SUP_ONESHOT, .start_ms = 1800000, .stop_ms = 5000, .stop_signal = SIGTERM };
	int i = add("data", &unit, (const char *const[]){ LIB "coracle-data", NULL });

	units.service[i].flags = UNIT_STAMPED;
	return BIT(i);
}

static uint64_t add_config(uint64_t after)
{
	const struct sup_unit unit = { .type = SUP_ONESHOT, .after = after,
				       .start_ms = 30000, .stop_ms = 2000, .stop_signal = SIGTERM };
	int i = add("config", &unit, (const char *const[]){ LIB "coracle-config", "boot", NULL });

	units.service[i].flags = UNIT_STAMPED;
	return BIT(i);
}

/* Critical: started again for ever. Its stop takes as long as its containers may take. */
static uint64_t add_engine(uint64_t after)
{
	const struct sup_unit unit = { .type = SUP_DAEMON, .restart = SUP_RESTART_ALWAYS, .flags = SUP_NOTIFIES | SUP_CRITICAL,
				       .after = after, .stop_ms = 90000, .stop_signal = SIGTERM,
				       .backoff_ms = 100, .backoff_max_ms = 10000, .decay_ms = 30000 };
	int i = add("engine", &unit, (const char *const[]){ LIB "coracle-engine", NULL });

	units.service[i].flags = UNIT_STAMPED;
	units.service[i].oom_score_adj = -900;
	units.service[i].fdstore_max = INIT_STORED_MAX;
	return BIT(i);
}

static void add_final(uint64_t after)
{
	const struct sup_unit unit = { .type = SUP_ONESHOT, .after = after, .wait_ms = 60000,
				       .stop_ms = 5000, .stop_signal = SIGTERM };
	int i = add("final", &unit, (const char *const[]){ LIB "coracle-config", "final", NULL });

	words(&units.service[i].when, (const char *const[]){ INIT_RUN "/final", NULL });
	units.service[i].flags = UNIT_STAMPED;
}

/* The script LIB/dhcp sets the address. -t and -T: three questions a second apart, then -A: again after five seconds, for ever. */
static void add_dhcp(uint64_t after)
{
	char interfaces[ETHERNET_MAX][16];
	int n = net_find_ethernet(interfaces, ETHERNET_MAX);

	for (int i = 0; i < n; i++) {
		const struct sup_unit unit = { .type = SUP_DAEMON, .restart = SUP_RESTART_ALWAYS, .after = after,
					       .stop_ms = 2000, .stop_signal = SIGTERM,
					       .backoff_ms = 100, .backoff_max_ms = 30000, .decay_ms = 30000 };
		char name[24];
		int u;

		snprintf(name, sizeof(name), "dhcp@%.15s", interfaces[i]);
		u = add(name, &unit, (const char *const[]){ "/bin/busybox", "udhcpc", "-f", "-i", interfaces[i], "-s", LIB "dhcp",
							    "-t", "3", "-T", "1", "-A", "5", NULL });
		words(&units.service[u].when, (const char *const[]){ "!" INIT_RUN "/network", NULL });
	}
}

/* An interactive shell ignores SIGTERM; SIGHUP is what a lost terminal sends. */
static void add_rescue(void)
{
	const struct sup_unit unit = { .type = SUP_DAEMON, .restart = SUP_RESTART_ALWAYS,
				       .stop_ms = 1000, .stop_signal = SIGHUP,
				       .backoff_ms = 100, .backoff_max_ms = 5000, .decay_ms = 5000 };
	int i = add("rescue", &unit, (const char *const[]){ "/bin/sh", "-l", NULL });

	units.service[i].flags = UNIT_CONSOLE;
}

void services_fill(const struct options *o, int have_data)
{
	uint64_t before = 0;

	units.n = 0;
	if (o->rescue)
		add_rescue();
	if (have_data)
		before |= add_data();
	before |= add_config(before);
	if (o->small) {
		add_final(before);
		return;
	}
	/* the engine first: the first container is what people wait for */
	add_final(before | add_engine(before));
	add_dhcp(before);
}

int services_condition_holds(int unit)
{
	const struct unit_words *w = &units.service[unit].when;
	const char *at = unit_string(w->first);

	for (int i = 0; i < w->n; i++, at += strlen(at) + 1)
		if (*at == '!' ? access(at + 1, F_OK) == 0 : access(at, F_OK) != 0)
			return 0;
	return 1;
}

int services_is_data(int unit)
{
	return !strcmp(unit_name(unit), "data");
}
