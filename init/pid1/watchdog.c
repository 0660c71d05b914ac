/* watchdog.c - the machine's watchdog: a timer outside of PID 1 that resets the machine when PID 1 stops feeding it.
 *
 * Runs in PID 1. Hardware is taken before the kernel's own software watchdog, which is always there and cannot help against a
 * hung kernel. It is fed by a completed turn of the loop and only while the critical services are well, no more often than
 * half its time needs. It stays armed until the machine has stopped (watchdog.stop_on_reboot=0 on the kernel's command
 * line): never closed, and disarmed only for `halt`, which asks for a machine that stands still. Armed where the first services have been
 * started, so that it stands in nobody's way. The driver's calls do not wait: they set a register, or a timer of the kernel. */
#include "init/pid1/init.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/watchdog.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cdefs.h"
#include "err.h"
#include "fd.h"
#include "init/pid1/recover.h"
#include "report.h"
#include "sys.h"

#define DEVICES_MAX 8
#define DEFAULT_S 60
#define SHUTDOWN_S 120		/* nothing is short of time then, and disks may be slow */
#define ARM_AFTER_MS 1000
#define SOFTWARE "Software Watchdog"
#define SYSFS "/sys/class/watchdog/watchdog%d/%s"

static struct {
	int tried;		/* armed, or there is nothing to arm */
	int fd;			/* valid when armed */
	int armed;
	int starving;		/* not fed on purpose, and that was said */
	int resigned;		/* never fed again */
	int timeout_s;
	int64_t arm_at;
	int64_t feed_at;
} dog;

const struct state_section watchdog_state[] = { STATE_ONE("wdog", dog), STATE_END };

/* The device is open once only: without its descriptor there is nothing but a fresh start, and the device runs on until then. */
void watchdog_restored(void)
{
	if (dog.armed && !recover_keep(dog.fd))
		dog.armed = dog.tried = 0;
}

/* False when it cannot be read. */
static int read_attribute(int number, const char *name, char *text, size_t size)
{
	char path[64];

	snprintf(path, sizeof(path), SYSFS, number, name);
	return fd_read_small(AT_FDCWD, path, text, size) > 0;
}

static int open_device(int number)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/dev/watchdog%d", number);
	fd = sys_openat(AT_FDCWD, path, O_WRONLY, 0);
	if (fd < 0)
		return fd;
	dog.fd = fd;
	dog.armed = 1;
	return 0;
}

static void set_timeout(int seconds)
{
	int set = seconds;

	if (ioctl(dog.fd, (int)WDIOC_SETTIMEOUT, &set) < 0 && ioctl(dog.fd, (int)WDIOC_GETTIMEOUT, &set) < 0)
		set = MIN(seconds, DEFAULT_S); /* can only be fed then */
	dog.timeout_s = MAX(set, 1);
}

static void feed(int64_t now)
{
	int unused = 0;

	ioctl(dog.fd, (int)WDIOC_KEEPALIVE, &unused);
	dog.feed_at = now + (int64_t)dog.timeout_s * 500;
}

/* Opens hardware, or else the kernel's own. Returns 0, or -errno; *name is whose error that is. */
static int choose(char name[64])
{
	char text[64];
	int software = -1;
	int r = -ENOENT;

	name[0] = '\0';
	for (int i = 0; i < DEVICES_MAX && !init_options.guest && read_attribute(i, "identity", text, sizeof(text)); i++) {
		if (strcmp(text, SOFTWARE) == 0) {
			software = i;
		} else if (!dog.armed && init_options.watchdog_s >= 0) {
			memcpy(name, text, sizeof(text));
			r = open_device(i);
		}
	}
	if (!dog.armed && software >= 0 && init_options.watchdog_s >= 0) {
		snprintf(name, 64, SOFTWARE);
		r = open_device(software);
	}
	return dog.armed ? 0 : r;
}

static void arm(int64_t now)
{
	char name[64];
	int r;

	dog.tried = 1;
	r = choose(name);
	if (dog.armed) {
		set_timeout(init_options.watchdog_s ? init_options.watchdog_s : DEFAULT_S);
		feed(now);
		report_note("init", "watchdog armed: %s, %d s", name, dog.timeout_s);
	} else if (name[0]) {
		report_problem("init", "open the watchdog (%s): %s; nothing resets this machine when it hangs", name, err_name(-r));
	} else {
		report_note("init", "no watchdog: nothing resets this machine when it hangs");
	}
}

static void starve(int unit)
{
	char text[128];
	const struct sup_run *r = &init_sup.run[unit];
	const char *state = r->cause == SUP_WHY_WATCHDOG ? "not feeding its watchdog" : sup_state_name(r->state);

	dog.starving = 1;
	report_problem("init", "critical service %s is %s: the watchdog is not fed and resets the machine within %d s", unit_name(unit), state,
		       dog.timeout_s);
	snprintf(text, sizeof(text), "critical service %s was %s", unit_name(unit), state);
	reason_record("watchdog", text);
}

int64_t watchdog_turn(int64_t now)
{
	int ill = sup_ill(&init_sup);

	if (!dog.tried) {
		if (!dog.arm_at)
			dog.arm_at = now + ARM_AFTER_MS;
		if (now < dog.arm_at)
			return dog.arm_at;
		arm(now);
	}
	if (!dog.armed || dog.resigned)
		return SUP_NEVER;
	if (ill >= 0) {
		if (!dog.starving)
			starve(ill);
		/* looked at again by every turn; it may still recover in time */
		return SUP_NEVER;
	}
	if (dog.starving) {
		dog.starving = 0;
		reason_withdraw("watchdog");
	}
	if (now >= dog.feed_at)
		feed(now);
	return dog.feed_at;
}

void watchdog_arm(void)
{
	dog.arm_at = 1;
}

void watchdog_begin_shutdown(void)
{
	if (!dog.armed)
		return;
	/* never shorter than what the machine's owner has set */
	if (dog.timeout_s < SHUTDOWN_S)
		set_timeout(SHUTDOWN_S);
	feed(loop_now());
}

void watchdog_last_feed(int disarm)
{
	if (!dog.armed || dog.resigned)
		return;
	dog.resigned = 1;
	if (disarm) {
		(void)!write(dog.fd, "V", 1);
		close(dog.fd);
		dog.armed = 0;
		return;
	}
	set_timeout(init_options.watchdog_s ? init_options.watchdog_s : DEFAULT_S);
	feed(loop_now());
}
