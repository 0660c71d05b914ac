/* floor.c - the smallest useful init: the floor that qemu/bench holds the system against.
 *
 * Runs as PID 1 from an initramfs that holds nothing else. Prints one line and powers the machine off.
 * Must never do anything more: everything the system does beyond this is what the benchmark shows.
 */
#include <sys/reboot.h>
#include <unistd.h>

int main(void)
{
	static const char line[] = "coracle-bench-mark\n";

	if (write(1, line, sizeof line - 1) < 0)
		return 1;
	sync();
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}
