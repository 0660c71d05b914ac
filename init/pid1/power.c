/* power.c - power buttons: input devices that have the key KEY_POWER.
 *
 * Runs in PID 1, after the first services have been started: nobody presses the button that early. */
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
#include "sys.h"

#define BUTTONS_MAX 8
#define INPUTS_MAX 32

static int buttons[BUTTONS_MAX];
static int count;

/* The file holds words of 64 bits in hexadecimal, highest first, leading zero words left out. */
static int has_power_key(const char *text)
{
	const char *at = text + strlen(text);
	int word = KEY_POWER / 64;

	for (;;) {
		while (at > text && at[-1] != ' ')
			at--;
		if (word-- == 0)
			return (int)(strtoull(at, NULL, 16) >> (KEY_POWER % 64) & 1);
		if (at == text)
			return 0;
		at--;
	}
}

void power_open_buttons(void)
{
	for (int i = 0; i < INPUTS_MAX && count < BUTTONS_MAX; i++) {
		char path[80];
		char keys[256];
		int fd;

		snprintf(path, sizeof(path), "/sys/class/input/event%d/device/capabilities/key", i);
		if (fd_read_small(AT_FDCWD, path, keys, sizeof(keys)) < 0)
			break;
		if (!has_power_key(keys))
			continue;
		snprintf(path, sizeof(path), "/dev/input/event%d", i);
		fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_NONBLOCK, 0);
		if (fd < 0)
			continue;
		buttons[count] = fd;
		if (loop_add(fd, WATCH_POWER, count, EPOLLIN) == 0)
			count++;
		else
			close(fd);
	}
}

void power_on_event(int index)
{
	struct input_event events[8];
	ssize_t n = read(buttons[index], events, sizeof(events));

	if (n <= 0) {
		close(buttons[index]); /* the device is gone, and with the descriptor its place in epoll */
		return;
	}
	for (size_t i = 0; i < (size_t)n / sizeof(events[0]); i++)
		if (events[i].type == EV_KEY && events[i].code == KEY_POWER && events[i].value == 1)
			shutdown_begin(SHUTDOWN_POWEROFF, "power button");
}
