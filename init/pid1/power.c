/* power.c - power buttons, and Ctrl-Alt-Del where the kernel has no virtual terminals to notice it.
 *
 * Runs in PID 1, after the first services have been started: nobody presses the button that early. Input devices are
 * read as events; a keyboard only when there is no /dev/tty0, whose driver sends SIGINT for Ctrl-Alt-Del itself. */
#include "init/pid1/init.h"

#include <fcntl.h>
#include <linux/input.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "cdefs.h"
#include "fd.h"
#include "init/pid1/recover.h"
#include "sys.h"

#define DEVICES_MAX 8
#define INPUTS_MAX 32

static struct device {
	int fd;
	int keyboard;	/* Ctrl-Alt-Del is looked for */
	int ctrl, alt;	/* held down */
} devices[DEVICES_MAX];
static int count;

const struct state_section power_state[] = { STATE_TABLE("powr", devices, &count), STATE_END };

void power_restored(void)
{
	for (int i = 0; i < count; i++)
		if (recover_keep(devices[i].fd))
			loop_add(devices[i].fd, WATCH_POWER, i, EPOLLIN);
}

/* The file holds words of 64 bits in hexadecimal, highest first, leading zero words left out. */
static int has_key(const char *text, int key)
{
	const char *at = text + strlen(text);
	int word = key / 64;
	size_t nibble = (size_t)key % 64 / 4;
	static const char digits[] = "0123456789abcdef";
	const char *digit;
	size_t n;

	for (;;) {
		while (at > text && at[-1] != ' ')
			at--;
		if (word-- == 0)
			break;
		if (at == text)
			return 0;
		at--;
	}
	n = strcspn(at, " \n");
	if (nibble >= n)
		return 0;
	at += n - 1 - nibble;
	digit = strchr(digits, *at);
	return digit && (unsigned)(digit - digits) >> (key % 4) & 1;
}

static void open_device(int number, int keyboard)
{
	struct device *d = &devices[count];
	char path[32];

	snprintf(path, sizeof(path), "/dev/input/event%d", number);
	d->fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_NONBLOCK, 0);
	d->keyboard = keyboard;
	if (d->fd < 0)
		return;
	if (loop_add(d->fd, WATCH_POWER, count, EPOLLIN) == 0)
		count++;
	else
		close(d->fd);
}

void power_open_buttons(void)
{
	int no_terminals = access("/dev/tty0", F_OK) < 0;

	for (int i = 0; i < INPUTS_MAX && count < DEVICES_MAX; i++) {
		char path[80];
		char keys[256];
		int keyboard;

		snprintf(path, sizeof(path), "/sys/class/input/event%d/device/capabilities/key", i);
		if (fd_read_small(AT_FDCWD, path, keys, sizeof(keys)) < 0)
			break;
		keyboard = no_terminals && has_key(keys, KEY_LEFTCTRL) && has_key(keys, KEY_LEFTALT) && has_key(keys, KEY_DELETE);
		if (keyboard || has_key(keys, KEY_POWER))
			open_device(i, keyboard);
	}
}

static void on_key(struct device *d, const struct input_event *ev)
{
	int down = ev->value != 0;

	switch (ev->code) {
	case KEY_POWER:
		if (ev->value == 1)
			shutdown_begin(SHUTDOWN_POWEROFF, "power button");
		break;
	case KEY_LEFTCTRL:
	case KEY_RIGHTCTRL:
		d->ctrl = down;
		break;
	case KEY_LEFTALT:
	case KEY_RIGHTALT:
		d->alt = down;
		break;
	case KEY_DELETE:
	case KEY_KPDOT:
		if (d->keyboard && ev->value == 1 && d->ctrl && d->alt)
			shutdown_on_ctrl_alt_del();
		break;
	default:
		break;
	}
}

void power_on_event(int index)
{
	struct device *d = &devices[index];
	struct input_event events[8];
	ssize_t n = read(d->fd, events, sizeof(events));

	if (n <= 0) {
		close(d->fd); /* the device is gone, and with the descriptor its place in epoll */
		d->fd = -1;
		return;
	}
	for (size_t i = 0; i < (size_t)n / sizeof(events[0]); i++)
		if (events[i].type == EV_KEY)
			on_key(d, &events[i]);
}
