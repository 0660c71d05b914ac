/* devices.c - one look at the block devices: /run/coracle/devices, media mounts, is there a data file system?
 *
 * Runs in PID 1. Block devices of synchronous buses (virtio, NVMe, AHCI) are there when init starts; USB and
 * slow disks come later and announce themselves by uevents, for which only `coracle.data=wait` waits. */
#include "init/pid1/init.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include "blkid.h"
#include "err.h"
#include "fd.h"
#include "init/pid1/recover.h"
#include "report.h"
#include "sys.h"

#define MEDIA_MAX 16
#define TEXT_MAX 8192

static struct scan {
	size_t len;
	int have_data;
	int media;			/* mounted so far; a later scan goes on counting */
	char media_nodes[MEDIA_MAX][40];
	char *text;
} scan;

const struct state_section devices_state[] = { STATE_SPAN("medi", scan, media, media_nodes), STATE_END };

/* Labels with blanks stay one word: \040, as in /proc/mounts. */
COLD static void write_line(struct scan *s, const char *node, const struct blkid *b)
{
	char label[4 * sizeof(b->label)];
	size_t n = 0;
	int len;

	for (const char *c = b->label; *c; c++) {
		if (*c == ' ' || *c == '\\') {
			n += (size_t)snprintf(label + n, sizeof(label) - n, "\\%03o", (unsigned)(unsigned char)*c);
		} else {
			label[n++] = *c;
		}
	}
	label[n] = '\0';
	len = snprintf(s->text + s->len, TEXT_MAX - s->len, "%s %s %s\n", node, b->type, label);
	if (len > 0 && (size_t)len < TEXT_MAX - s->len)
		s->len += (size_t)len;
}

static void mount_medium(struct scan *s, const char *node, const char *type)
{
	char where[64];
	int r;

	for (int i = 0; i < s->media; i++)
		if (!strcmp(s->media_nodes[i], node))
			return;
	if (s->media == MEDIA_MAX)
		return;
	snprintf(where, sizeof(where), INIT_RUN "/media/%d", s->media);
	sys_mkdirat(AT_FDCWD, INIT_RUN "/media", 0755);
	sys_mkdirat(AT_FDCWD, where, 0755);
	r = sys_mount(node, where, type, MS_RDONLY | MS_NOSUID | MS_NODEV, NULL);
	if (r < 0) {
		report_problem("init", "mount %s (%s) on %s: %s", node, type, where, err_name(-r));
		return;
	}
	snprintf(s->media_nodes[s->media++], sizeof(s->media_nodes[0]), "%s", node);
}

COLD static int on_device(const char *node, const struct blkid *b, void *arg)
{
	struct scan *s = arg;

	write_line(s, node, b);
	if (!strcmp(b->type, "ext4") && !strcmp(b->label, INIT_DATA_LABEL))
		s->have_data = 1;
	if (blkid_label_is(b->label, "CORACLE-IMAGES"))
		mount_medium(s, node, b->type);
	return 0;
}

int devices_scan(void)
{
	char text[TEXT_MAX];
	int r;
	CLEANUP_FD int fd = -1;

	scan.text = text;
	scan.len = 0;
	scan.have_data = 0;
	if ((r = blkid_scan(on_device, &scan)) < 0)
		report_problem("init", "look for block devices: %s", err_name(-r));
	fd = sys_openat(AT_FDCWD, INIT_RUN "/devices", O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (fd < 0 || (r = fd_write_full(fd, scan.text, scan.len)) < 0)
		report_problem("init", "write " INIT_RUN "/devices: %s", err_name(fd < 0 ? -fd : -r));
	return scan.have_data;
}

int devices_events_open(void)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		int r = -errno;

		close(fd);
		return r;
	}
	return fd;
}

int devices_events_read(int fd)
{
	char text[2048];
	int block = 0;
	ssize_t n;

	/* "add@/devices/.../block/vda\0ACTION=add\0..."; a lost event (ENOBUFS) counts as one that came. */
	while ((n = recv(fd, text, sizeof(text) - 1, 0)) > 0 || (n < 0 && errno == ENOBUFS)) {
		if (n > 0)
			text[n] = '\0';
		if (n < 0 || (!strncmp(text, "add@", 4) && strstr(text, "/block/")) || !strncmp(text, "change@", 7))
			block = 1;
	}
	return block;
}
