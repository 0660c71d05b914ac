/* world.c - simulated processes: they start, become ready, feed, hang, exit, ignore signals, leave children behind, never die. See sim.h. */
#include "tests/sim/sim.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "cdefs.h"

enum { EPOCH = 3000 };

struct sim sim[SUP_UNITS_MAX];
struct sup_unit sim_unit[SUP_UNITS_MAX];
struct sup sim_sup;
int sim_n;
int64_t sim_now;
int sim_down, sim_all_down;
int64_t sim_down_by;
struct sim_counts sim_counts;

static uint64_t rng = 88172645463325252u;
static int pids;

/* Answers and what they cause wait here until all actions of a step have been seen, as in perform.c. */
static struct sup_event todo[SUP_ACTIONS_MAX];
static int todo_n;

uint32_t sim_random(uint32_t n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (uint32_t)(rng >> 20) % n;
}

#define rnd sim_random

static void describe_unit(struct sup_unit *u)
{
	static const int signals[] = { SIGTERM, SIGHUP, SIGQUIT };

	u->type = rnd(10) == 0 ? SUP_TARGET : rnd(3) == 0 ? SUP_ONESHOT : SUP_DAEMON;
	u->restart = (enum sup_restart)rnd(SUP_RESTART_ALWAYS + 1);
	u->flags = rnd(2) ? SUP_NOTIFIES : 0;
	u->flags |= rnd(4) ? 0 : SUP_ON_DEMAND;
	u->flags |= rnd(4) || u->type == SUP_TARGET ? 0 : SUP_LISTENS;
	u->flags |= rnd(4) ? 0 : SUP_CRITICAL;
	u->wait_ms = rnd(3) ? 0 : 1 + rnd(5000);
	u->start_ms = rnd(2) ? 0 : 1 + rnd(5000);
	u->run_ms = rnd(4) ? 0 : 1 + rnd(20000);
	u->stop_ms = rnd(3000);
	u->watchdog_ms = rnd(2) ? 0 : 1 + rnd(10000);
	u->stop_signal = signals[rnd(3)];
	u->watchdog_signal = SIGABRT;
	u->backoff_ms = 1 + rnd(200);
	u->backoff_max_ms = u->backoff_ms + rnd(5000);
	u->decay_ms = rnd(2) ? 0 : 1000 + rnd(10000);
	u->give_up = rnd(4) ? 0 : 1 + (int)rnd(10);
	u->escalate = rnd(4) ? 0 : 1 + (int)rnd(10);
}

/* A graph without circles: unit i may depend on those that come before it in a random order. */
static void describe_units(void)
{
	int order[SUP_UNITS_MAX];

	sim_n = rnd(20) == 0 ? SUP_UNITS_MAX : 1 + (int)rnd(24);
	memset(sim_unit, 0, sizeof(sim_unit));
	for (int i = 0; i < sim_n; i++) {
		int k = (int)rnd((uint32_t)i + 1);

		order[i] = order[k];
		order[k] = i;
	}
	for (int k = 0; k < sim_n; k++) {
		struct sup_unit *u = &sim_unit[order[k]];

		describe_unit(u);
		for (int d = 0; d < k; d++) {
			u->after |= rnd(8) == 0 ? BIT(order[d]) : 0;
			u->needs |= rnd(25) == 0 ? BIT(order[d]) : 0;
			u->finished |= rnd(50) == 0 ? BIT(order[d]) : 0;
			u->healthy |= rnd(50) == 0 ? BIT(order[d]) & ~u->finished : 0;
		}
	}
}

static void later(enum sup_event_type type, int unit, pid_t pid, int status)
{
	assert_true(todo_n < SUP_ACTIONS_MAX);
	todo[todo_n++] = (struct sup_event){ .type = type, .unit = unit, .pid = pid, .status = status };
}

static void start_process(int i)
{
	struct sim *p = &sim[i];

	if (rnd(3000) == 0) /* the shutdown may come before the answer */
		later(rnd(2) ? SUP_EV_SHUTDOWN : SUP_EV_FORCE, 0, 0, 0);
	if (rnd(15) == 0) {
		later(rnd(2) ? SUP_EV_START_FAILED : SUP_EV_SKIPPED, i, 0, ENOENT);
		return;
	}
	p->alive = 1;
	p->ignores_term = rnd(10) == 0;
	p->immortal = rnd(300) == 0;
	p->hangs = rnd(4) == 0;
	p->ends = p->leaky ? sim_now : SUP_NEVER;
	p->empties = p->feeds = SUP_NEVER;
	later(SUP_EV_STARTED, i, ++pids, 0);
}

static void perform(const struct sup_action *a)
{
	struct sim *p = &sim[a->unit >= 0 ? a->unit : 0];

	switch (a->type) {
	case SUP_ACT_START:
		start_process(a->unit);
		break;
	case SUP_ACT_SIGNAL:
		if (!p->ignores_term && !p->immortal && p->ends == SUP_NEVER)
			p->ends = sim_now + rnd(4000);
		break;
	case SUP_ACT_KILL:
		if (p->immortal)
			break;
		if (p->alive)
			p->ends = MIN(p->ends, sim_now + rnd(20));
		if (p->left)
			p->empties = MIN(p->empties, sim_now + rnd(20));
		break;
	case SUP_ACT_LISTEN:
		if (p->leaky) /* whoever came is still there */
			later(SUP_EV_TRIGGER, a->unit, 0, 0);
		break;
	default:
		break;
	}
}

static int one_step(const struct sup_event *ev)
{
	struct sup_actions out;
	int r;

	sim_before(ev);
	r = sup_step(&sim_sup, ev, sim_now, &out);
	sim_counts.steps++;
	sim_after(ev, r, &out);
	for (int k = 0; k < out.n; k++)
		perform(&out.list[k]);
	return r;
}

void sim_event(const struct sup_event *ev)
{
	todo_n = 0;
	one_step(ev);
	for (int done = 0; done < todo_n; done++) {
		struct sup_event next = todo[done];

		one_step(&next);
	}
	if (sup_next(&sim_sup) <= sim_now)
		one_step(&(struct sup_event){ .type = SUP_EV_TICK });
	assert_true(sup_next(&sim_sup) > sim_now);
}

static void say(enum sup_event_type type, int unit)
{
	sim_event(&(struct sup_event){ .type = type, .unit = unit });
}

static void say_number(enum sup_event_type type, int unit, int64_t number)
{
	sim_event(&(struct sup_event){ .type = type, .unit = unit, .number = number });
}

static void end_process(int i)
{
	static const int statuses[] = { 0, 0, 0, 1 << 8, SUCCESS_CODE << 8, SIGTERM, SIGHUP, SIGSEGV | 0x80, SIGKILL, -1 };
	struct sim *p = &sim[i];

	p->alive = 0;
	p->ends = SUP_NEVER;
	p->left = p->left || rnd(4) == 0;
	p->empties = p->left && p->phase == KILLED && !p->immortal ? sim_now + rnd(20) : SUP_NEVER;
	p->status = statuses[rnd(ARRAY_SIZE(statuses))];
	p->success = p->status == SUCCESS_CODE << 8;
	sim_event(&(struct sup_event){ .type = SUP_EV_EXITED, .unit = i, .status = p->status, .clean = p->success, .busy = p->left });
}

static void feed(int i)
{
	sim[i].feeds = sim[i].wd_ms && !sim[i].hangs ? sim_now + MAX(sim[i].wd_ms / 2, 1) : SUP_NEVER;
	say(SUP_EV_FED, i);
}

/* Lets time pass to the next thing that is due, at most so far. Now and then the loop is late and finds several things due at once. */
static void pass(int64_t most)
{
	int64_t next = MIN(sim_now + most, sup_next(&sim_sup));
	int who = -1;

	for (int i = 0; i < sim_n; i++) {
		const struct sim *p = &sim[i];
		int64_t due = p->alive ? MIN(p->ends, p->phase == UP ? p->feeds : SUP_NEVER) : p->left ? p->empties : SUP_NEVER;

		if (due <= next) {
			next = due;
			who = i;
		}
	}
	sim_now = MAX(sim_now, next);
	if (!sim_down && rnd(20) == 0)
		sim_now += rnd(500);
	if (who < 0) {
		say(SUP_EV_TICK, 0);
	} else if (sim[who].alive && sim[who].ends <= sim_now) {
		end_process(who);
	} else if (sim[who].alive) {
		feed(who);
	} else {
		sim[who].left = 0;
		say(SUP_EV_EMPTY, who);
	}
}

/* What fits nothing has no effect. */
static void nonsense(int i)
{
	struct sup before = sim_sup;
	struct sup_event ev = { .type = sim[i].alive ? SUP_EV_EMPTY : SUP_EV_EXITED, .unit = i };
	struct sup_actions out;

	assert_int_equal(sup_step(&sim_sup, &ev, sim_now, &out), -EINVAL);
	assert_int_equal(out.n, 0);
	ev = (struct sup_event){ .type = SUP_EV_STARTED, .unit = i, .pid = 1 };
	assert_int_equal(sup_step(&sim_sup, &ev, sim_now, &out), -EINVAL);
	assert_int_equal(out.n, 0);
	assert_memory_equal(&before, &sim_sup, sizeof(before));
}

static void something(void)
{
	int i = (int)rnd((uint32_t)sim_n);

	switch (rnd(24)) {
	case 0:
		if (sim[i].alive && !sim[i].immortal)
			end_process(i);
		break;
	case 1: case 2: case 3:
		say(SUP_EV_READY, i); /* also at the wrong time */
		break;
	case 4: say(SUP_EV_START, i); break;
	case 5: say(rnd(4) ? SUP_EV_TICK : SUP_EV_STOP, i); break;
	case 6: say(rnd(4) ? SUP_EV_TICK : SUP_EV_RESTART, i); break;
	case 7:
		if (sim[i].left + sim[i].alive < 2)
			nonsense(i);
		break;
	case 8: case 9: say(SUP_EV_TRIGGER, i); break;
	case 10: say(SUP_EV_REACHED, i); break;
	case 11: feed(i); break;
	case 12: say_number(SUP_EV_WATCHDOG_MS, i, rnd(4) ? 1 + rnd(10000) : 0); break;
	case 13: say(rnd(4) ? SUP_EV_FED : SUP_EV_BITES, i); break;
	case 14: say_number(SUP_EV_EXTEND, i, rnd(20) ? rnd(10000) : SUP_NEVER / 2); break;
	case 15: say(rnd(2) ? SUP_EV_STOPPING : SUP_EV_FED, i); break;
	case 16: say(rnd(2) ? SUP_EV_OOM : SUP_EV_TICK, i); break;
	case 17:
		if (sim[i].alive && sim[i].answered)
			sim_event(&(struct sup_event){ .type = SUP_EV_MAIN_PID, .unit = i, .pid = ++pids });
		break;
	default: pass(1 + rnd(3000)); break;
	}
}

/* The bound: what each unit may take one after the other; with a limit for the whole, that and one kill. */
static int64_t bound(void)
{
	int64_t limit = sim_now;

	for (int i = 0; i < sim_n; i++)
		limit += sim_unit[i].stop_ms + 2 * SUP_KILL_MS;
	return limit;
}

static void shut_down(void)
{
	static const enum sup_event_type while_down[] = { SUP_EV_READY, SUP_EV_TRIGGER, SUP_EV_START, SUP_EV_STOP, SUP_EV_RESTART, SUP_EV_REACHED, SUP_EV_BOOT };
	int64_t limit = bound();
	int limited = (int)rnd(2);

	if (sim_down) /* it came before the answer of a start */
		sim_down_by = MIN(sim_down_by, limit);
	if (rnd(5) == 0)
		say(SUP_EV_FORCE, 0);
	else
		say_number(SUP_EV_SHUTDOWN, 0, limited ? 1 + rnd(5000) : 0);
	for (long k = 0; !sim_all_down; k++) {
		int i = (int)rnd((uint32_t)sim_n);

		assert_true(k < 1000000 && sim_now <= (sim_down_by == SUP_NEVER ? limit : sim_down_by + SUP_KILL_MS));
		pass(1000);
		if (rnd(3) == 0)
			say(while_down[rnd(ARRAY_SIZE(while_down))], i);
		if (rnd(3) == 0 && limited)
			say_number(SUP_EV_EXTEND, i, rnd(10000));
		if (rnd(50) == 0)
			say(SUP_EV_FORCE, 0);
	}
	assert_int_equal(sup_still_up(&sim_sup), -1);
	assert_int_equal(sup_ill(&sim_sup), -1);
}

void sim_reset(void)
{
	sim_now = 1 + rnd(100000);
	sim_down = sim_all_down = 0;
	sim_down_by = SUP_NEVER;
	memset(sim, 0, sizeof(sim));
	for (int i = 0; i < SUP_UNITS_MAX; i++) {
		sim[i].start_by = sim[i].run_by = sim[i].feed_by = sim[i].stop_by = sim[i].kill_by = SUP_NEVER;
		sim[i].wait_from = sim[i].feeds = sim[i].ends = sim[i].empties = SUP_NEVER;
		sim[i].leaky = rnd(20) == 0;
	}
	describe_units();
}

/* Half of the table is there at boot, the rest is loaded later, as the machine's own units are. */
void sim_storm(long steps)
{
	while (sim_counts.steps < steps) {
		sim_reset();
		assert_int_equal(sup_init(&sim_sup, sim_unit, sim_n), 0);
		say(SUP_EV_BOOT, 0);
		for (uint32_t k = rnd(EPOCH); k > 0 && !sim_down; k--) {
			something();
			if (rnd(500) == 0)
				say(SUP_EV_BOOT, 0);
		}
		shut_down();
	}
}
