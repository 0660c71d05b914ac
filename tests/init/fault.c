/* fault.c - makes PID 1 fault: init-fault [-p PID] [-a CALL[,CALL...]] FAULT, or the next child that it makes: init-fault [-p PID] -c
 *
 * Attaches with ptrace(2), writes a few instructions where the program counter is, and lets go; nothing is put back. So the product
 * has no hook for its tests, and the fault is a real one. With -a it waits until the process has come back from these system calls, one after
 * the other, the first of them with success: the fault then comes between this instruction and the next. Prints "armed" when it is
 * attached and "done" after the fault. With -c the child jumps to nowhere instead of its first instruction, while it shares PID 1's memory; PID 1
 * itself is left alone. Needs root. */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define CALLS_MAX 4

/* What PID 1 is made to execute. */
__asm__(".pushsection .rodata\n"
	"code_null:	xorl %eax, %eax; movl %eax, (%rax); .quad 0\n"
	"code_jump:	movabsq $0x8000000000000000, %rax; jmp *%rax; .quad 0\n"
	"code_ud2:	ud2; .quad 0\n"
	"code_division:	xorl %ecx, %ecx; movl $1, %eax; cltd; idivl %ecx; .quad 0\n"
	"code_stack:	call code_stack; .quad 0\n"
	"code_trap:	int3; .quad 0\n"
	/* a page of a file that is not that long; the descriptor stays open */
	"code_bus:	movl $319, %eax; leaq 1f(%rip), %rdi; xorl %esi, %esi; syscall\n"
	"		movl %eax, %r8d; movl $9, %eax; xorl %edi, %edi; movl $4096, %esi; movl $3, %edx; movl $1, %r10d; xorl %r9d, %r9d; syscall\n"
	"		movb $1, (%rax); ud2\n"
	"1:		.asciz \"stray\"; .quad 0\n"
	/* abort(3): tgkill(getpid(), gettid(), SIGABRT) */
	"code_abort:	movl $39, %eax; syscall; movl %eax, %edi; movl $186, %eax; syscall; movl %eax, %esi\n"
	"		movl $6, %edx; movl $234, %eax; syscall; ud2; .quad 0\n"
	"code_end:\n"
	".popsection\n");

extern const char code_null[], code_jump[], code_ud2[], code_division[], code_stack[], code_trap[], code_bus[], code_abort[], code_end[];

static const struct fault {
	const char *name;
	const char *code, *end;
} faults[] = {
	{ "null", code_null, code_jump }, { "jump", code_jump, code_ud2 }, { "ud2", code_ud2, code_division },
	{ "division", code_division, code_stack }, { "stack", code_stack, code_trap }, { "trap", code_trap, code_bus },
	{ "bus", code_bus, code_abort }, { "abort", code_abort, code_end },
};

static const struct call {
	const char *name;
	long number;
} calls[] = {
	{ "recvmmsg", SYS_recvmmsg }, { "recvmsg", SYS_recvmsg }, { "sendmmsg", SYS_sendmmsg }, { "clone3", SYS_clone3 }, { "waitid", SYS_waitid },
	{ "wait4", SYS_wait4 }, { "pwrite64", SYS_pwrite64 }, { "pwritev", SYS_pwritev }, { "read", SYS_read }, { "accept4", SYS_accept4 },
	{ "memfd_create", SYS_memfd_create }, { "mlockall", SYS_mlockall }, { "epoll_wait", SYS_epoll_wait }, { "epoll_pwait", SYS_epoll_pwait },
};

static pid_t target = 1;

static int failed(const char *what)
{
	fprintf(stderr, "init-fault: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void wait_stop(void)
{
	int status;

	if (waitpid(target, &status, __WALL) != target || !WIFSTOPPED(status))
		failed("wait for the process");
}

/* Until the process comes back from call with success; other calls and signals pass. */
static void run_to(long call)
{
	int inside = 0;
	int wanted = 0;

	for (;;) {
		struct user_regs_struct regs;
		siginfo_t info;

		if (ptrace(PTRACE_SYSCALL, target, 0, 0) < 0)
			failed("go on");
		wait_stop();
		if (ptrace(PTRACE_GETSIGINFO, target, 0, &info) == 0 && info.si_code != (SIGTRAP | 0x80) && info.si_code != SIGTRAP)
			continue;
		if (ptrace(PTRACE_GETREGS, target, 0, &regs) < 0)
			failed("read the registers");
		inside = !inside;
		if (inside)
			wanted = (long)regs.orig_rax == call;
		else if (wanted && (long long)regs.rax >= 0 && !(call == SYS_waitid && regs.rax))
			return;
	}
}

static void poke(const struct fault *f)
{
	struct user_regs_struct regs;

	if (ptrace(PTRACE_GETREGS, target, 0, &regs) < 0)
		failed("read the registers");
	for (ptrdiff_t i = 0; i < f->end - f->code - 7; i += 8) {
		long word;

		memcpy(&word, f->code + i, sizeof(word));
		if (ptrace(PTRACE_POKETEXT, target, regs.rip + (unsigned long long)i, word) < 0)
			failed("write instructions");
	}
	/* a call that was interrupted must not be begun again, nor the program counter be moved back for it */
	regs.orig_rax = (unsigned long long)-1;
	if (ptrace(PTRACE_SETREGS, target, 0, &regs) < 0)
		failed("write the registers");
}

/* The child's registers are its own, and its memory is not: nothing is written there. */
static void fault_in_child(void)
{
	struct user_regs_struct regs;
	pid_t parent = target;
	unsigned long child = 0;
	int status = 0;

	if (ptrace(PTRACE_SETOPTIONS, parent, 0, PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK) < 0)
		failed("follow children");
	do {
		if (ptrace(PTRACE_CONT, parent, 0, 0) < 0 || waitpid(parent, &status, __WALL) != parent || !WIFSTOPPED(status))
			failed("wait for a child");
	} while (status >> 16 != PTRACE_EVENT_CLONE && status >> 16 != PTRACE_EVENT_FORK && status >> 16 != PTRACE_EVENT_VFORK);
	if (ptrace(PTRACE_GETEVENTMSG, parent, 0, &child) < 0)
		failed("read the child's number");
	target = (pid_t)child;
	wait_stop();
	if (ptrace(PTRACE_GETREGS, target, 0, &regs) < 0)
		failed("read the registers");
	regs.rip = 0;
	regs.orig_rax = (unsigned long long)-1;
	if (ptrace(PTRACE_SETREGS, target, 0, &regs) < 0 || ptrace(PTRACE_DETACH, target, 0, 0) < 0)
		failed("write the child's registers");
	target = parent;
}

static const struct fault *find_fault(const char *name)
{
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		if (!strcmp(faults[i].name, name))
			return &faults[i];
	errno = EINVAL;
	failed(name);
	return NULL;
}

static long find_call(const char *name)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (!strcmp(calls[i].name, name))
			return calls[i].number;
	errno = EINVAL;
	failed(name);
	return -1;
}

int main(int argc, char **argv)
{
	const struct fault *f = NULL;
	long at[CALLS_MAX];
	int n = 0;
	int in_child = 0;
	int option;

	while ((option = getopt(argc, argv, "p:a:c")) > 0) {
		if (option == 'p')
			target = atoi(optarg);
		else if (option == 'c')
			in_child = 1;
		else if (option != 'a')
			return 2;
		else
			for (char *w = strtok(optarg, ","); w && n < CALLS_MAX; w = strtok(NULL, ","))
				at[n++] = find_call(w);
	}
	if (optind + !in_child != argc)
		return 2;
	if (!in_child)
		f = find_fault(argv[optind]);
	setvbuf(stdout, NULL, _IONBF, 0);
	if (ptrace(PTRACE_SEIZE, target, 0, PTRACE_O_TRACESYSGOOD) < 0 || ptrace(PTRACE_INTERRUPT, target, 0, 0) < 0)
		failed("attach");
	wait_stop();
	printf("armed\n");
	for (int i = 0; i < n; i++)
		run_to(at[i]);
	if (in_child)
		fault_in_child();
	else
		poke(f);
	if (ptrace(PTRACE_DETACH, target, 0, 0) < 0)
		failed("detach");
	printf("done\n");
	return 0;
}
