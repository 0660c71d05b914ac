/* services.c - the table of what runs on this machine.
 *
 * Runs in PID 1, filled once before the first start. Each row is data: the supervisor gets the
 * sup_unit part, spawn.c the rest. */
#include "init/pid1/init.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cdefs.h"

#define LIB "/usr/lib/coracle/"
#define ETHERNET_MAX 16
#define BIT(i) (UINT64_C(1) << (i))

struct sup_unit init_units[SUP_UNITS_MAX];
struct service init_services[SUP_UNITS_MAX];
int init_units_n;

static int data_unit = -1;
static char interfaces[ETHERNET_MAX][16];
static char dhcp_names[ETHERNET_MAX][24];

static int add(const struct sup_unit *unit, const struct service *service)
{
	init_units[init_units_n] = *unit;
	init_services[init_units_n] = *service;
	return init_units_n++;
}

/* A check of a large data disk may take long; killing it half-way would be worse than waiting. */
static uint64_t add_data(void)
{
	const struct sup_unit unit = { .name = "data", .type = SUP_ONESHOT, .start_ms = 1800000, .stop_ms = 5000, .stop_signal = SIGTERM };
	const struct service service = { .argv = { LIB "coracle-data" }, .stamp_ready = "data" };

	data_unit = add(&unit, &service);
	return BIT(data_unit);
}

static uint64_t add_config(uint64_t after)
{
	const struct sup_unit unit = { .name = "config", .type = SUP_ONESHOT, .after = after,
				       .start_ms = 30000, .stop_ms = 2000, .stop_signal = SIGTERM };
	const struct service service = { .argv = { LIB "coracle-config", "boot" }, .stamp_ready = "config" };

	return BIT(add(&unit, &service));
}

/* Critical: started again for ever. Its stop takes as long as its containers may take. */
static uint64_t add_engine(uint64_t after)
{
	const struct sup_unit unit = { .name = "engine", .type = SUP_DAEMON, .restart = SUP_RESTART_ALWAYS, .notifies = 1, .after = after,
				       .stop_ms = 90000, .stop_signal = SIGTERM,
				       .backoff_ms = 100, .backoff_max_ms = 10000, .decay_ms = 30000 };
	const struct service service = { .argv = { LIB "coracle-engine" }, .oom_score_adj = -900, .flags = SERVICE_STORES,
					 .stamp_started = "engine-started", .stamp_ready = "engine-ready" };

	return BIT(add(&unit, &service));
}

static void add_final(uint64_t after)
{
	const struct sup_unit unit = { .name = "final", .type = SUP_ONESHOT, .after = after, .wait_ms = 60000,
				       .stop_ms = 5000, .stop_signal = SIGTERM };
	const struct service service = { .argv = { LIB "coracle-config", "final" }, .when_exists = INIT_RUN "/final", .stamp_ready = "final" };

	add(&unit, &service);
}

/* The script LIB/dhcp sets the address. -t and -T: three questions a second apart, then -A: again after five seconds, for ever. */
static void add_dhcp(uint64_t after)
{
	int n = net_find_ethernet(interfaces, ETHERNET_MAX);

	for (int i = 0; i < n; i++) {
		const struct sup_unit unit = { .name = dhcp_names[i], .type = SUP_DAEMON, .restart = SUP_RESTART_ALWAYS, .after = after,
					       .stop_ms = 2000, .stop_signal = SIGTERM,
					       .backoff_ms = 100, .backoff_max_ms = 30000, .decay_ms = 30000 };
		const struct service service = { .argv = { "/bin/busybox", "udhcpc", "-f", "-i", interfaces[i], "-s", LIB "dhcp",
							   "-t", "3", "-T", "1", "-A", "5" },
						 .unless_exists = INIT_RUN "/network" };

		snprintf(dhcp_names[i], sizeof(dhcp_names[i]), "dhcp-%.15s", interfaces[i]);
		add(&unit, &service);
	}
}

/* An interactive shell ignores SIGTERM; SIGHUP is what a lost terminal sends. */
static void add_rescue(void)
{
	const struct sup_unit unit = { .name = "rescue", .type = SUP_DAEMON, .restart = SUP_RESTART_ALWAYS,
				       .stop_ms = 1000, .stop_signal = SIGHUP,
				       .backoff_ms = 100, .backoff_max_ms = 5000, .decay_ms = 5000 };
	const struct service service = { .argv = { "/bin/sh", "-l" }, .flags = SERVICE_CONSOLE };

	add(&unit, &service);
}

void services_fill(const struct options *o, int have_data)
{
	uint64_t before = 0;

	init_units_n = 0;
	data_unit = -1;
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

int services_find(const char *name)
{
	for (int i = 0; i < init_units_n; i++)
		if (!strcmp(init_units[i].name, name))
			return i;
	return -1;
}

int services_is_data(int unit)
{
	return unit >= 0 && unit == data_unit;
}
