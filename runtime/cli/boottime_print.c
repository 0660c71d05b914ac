/* boottime_print.c - coracle boot-time as text: the tree, and the chain of units that kept the last one waiting. */
#include "boottime.h"

#include <string.h>

#include "cdefs.h"

#define BAR 30

/* "   412 ms" or "  1.42 s": always eight columns. */
static void print_time(double ms)
{
	if (ms < 0)
		printf("       -");
	else if (ms < 10)
		printf("%5.1f ms", ms);
	else if (ms < 10000)
		printf("%5.0f ms", ms);
	else
		printf("%6.1f s", ms / 1000);
}

static double end_of(const struct boot *b)
{
	double end = 0;

	for (int i = 0; i < b->n; i++)
		end = MAX(end, MAX(b->item[i].start, b->item[i].ready));
	return end;
}

/* Where in the whole the item lies. */
static void print_bar(const struct boot_item *it, double end)
{
	int from = end > 0 && it->start >= 0 ? (int)(it->start / end * (BAR - 1)) : 0;
	int to = end > 0 && it->ready >= 0 ? (int)(it->ready / end * (BAR - 1)) : from;

	if (it->start < 0)
		return;
	printf("  ");
	for (int i = 0; i < from; i++)
		putchar('.');
	for (int i = from; i <= to && i < BAR; i++)
		putchar('#');
}

static void print_item(const struct boot_item *it, double end)
{
	const char *name = it->name;

	printf("  %-22.22s ", name);
	print_time(it->start);
	if (it->kind == BOOT_CONTAINER) {
		printf("           ");
	} else if (it->start < 0) {
		printf("  %s", it->state);
	} else {
		printf("  +");
		print_time(it->ready >= 0 ? it->ready - it->start : BOOT_NEVER);
	}
	print_bar(it, end);
	putchar('\n');
}

static void print_kind(const struct boot *b, enum boot_kind kind, const char *head, double end)
{
	int any = 0;

	for (int i = 0; i < b->n; i++) {
		if (b->item[i].kind != kind)
			continue;
		if (!any++)
			printf("%-24s %9s %9s\n", head, "began", kind == BOOT_CONTAINER ? "" : "took");
		print_item(&b->item[i], end);
	}
}

static void print_head(const struct boot *b)
{
	int last = -1;

	if (b->firmware >= 0) {
		printf("firmware ");
		print_time(b->firmware);
		printf(", loader ");
		print_time(b->loader);
		printf(" before the kernel\n");
	}
	for (int i = 0; i < b->n; i++)
		if (b->item[i].kind == BOOT_UNIT && b->item[i].ready >= 0 && (last < 0 || b->item[i].ready > b->item[last].ready))
			last = i;
	if (last >= 0) {
		printf("The last unit, %s, was ready ", b->item[last].name);
		print_time(b->item[last].ready);
		printf(" after the kernel's start.\n");
	}
	putchar('\n');
}

static void print_chain(const struct boot *b, int unit)
{
	for (int depth = 0; unit >= 0 && depth < BOOT_ITEMS_MAX; depth++) {
		const struct boot_item *it = &b->item[unit];

		printf("  %*s%s%s at", depth * 2, "", depth ? "`-" : "", it->name);
		print_time(it->start);
		printf(" +");
		print_time(it->ready >= 0 && it->start >= 0 ? it->ready - it->start : BOOT_NEVER);
		putchar('\n');
		unit = boot_blocked_by(b, unit);
	}
}

static int last_ready(const struct boot *b)
{
	int last = -1;

	for (int i = 0; i < b->n; i++)
		if (b->item[i].kind == BOOT_UNIT && b->item[i].ready >= 0 && (last < 0 || b->item[i].ready > b->item[last].ready))
			last = i;
	return last;
}

void boot_print(const struct boot *b, int unit)
{
	double end = end_of(b);

	if (unit < 0)
		unit = last_ready(b);
	print_head(b);
	print_kind(b, BOOT_STAGE, "stage", end);
	print_kind(b, BOOT_UNIT, "unit", end);
	print_kind(b, BOOT_CONTAINER, "container", end);
	if (unit < 0)
		return;
	printf("\nThe chain that %s waited for, last one first:\n", b->item[unit].name);
	print_chain(b, unit);
}
