/* freeze.c - freezes a file system (FIFREEZE): who writes there then waits in state D, which no signal ends. For test_shutdown.py. */
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/ioctl.h>

int main(int argc, char **argv)
{
	int fd = argc == 2 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;

	if (fd < 0 || ioctl(fd, (int)FIFREEZE, 0) < 0) {
		perror("freeze");
		return 1;
	}
	return 0;
}
