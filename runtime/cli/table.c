/* table.c - columns that fit the terminal (coracle). */
#include "table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cdefs.h"

#define GAP 3
#define LEAST 8		/* no column is cut below this */

void table_init(struct table *t, size_t columns)
{
	*t = (struct table){ .columns = MIN(columns, (size_t)TABLE_COLUMNS) };
}

void table_add(struct table *t, const char *const cell[])
{
	if ((t->rows + 1) * t->columns > t->cap) {
		size_t cap = t->cap ? t->cap * 2 : 64;
		char **p = realloc(t->cell, cap * sizeof(*p));

		if (!p)
			return;
		t->cell = p;
		t->cap = cap;
	}
	for (size_t i = 0; i < t->columns; i++)
		t->cell[t->rows * t->columns + i] = strdup(cell[i] ? cell[i] : "");
	t->rows++;
}

static size_t terminal_width(void)
{
	struct winsize w;

	return isatty(1) && ioctl(1, TIOCGWINSZ, &w) == 0 && w.ws_col > 0 ? w.ws_col : 0;
}

static void fit(const struct table *t, size_t *w, size_t width)
{
	size_t total = GAP * (t->columns - 1);

	for (size_t i = 0; i < t->columns; i++)
		total += w[i];
	while (width > 0 && total > width) {
		size_t widest = 0;

		for (size_t i = 1; i < t->columns; i++)
			if (w[i] > w[widest])
				widest = i;
		if (w[widest] <= LEAST)
			return;
		w[widest]--;
		total--;
	}
}

static void print_cell(const char *s, size_t w, int last)
{
	size_t n = strlen(s);

	if (n > w && w > 3)
		printf("%.*s...", (int)(w - 3), s);
	else if (last)
		printf("%.*s", (int)w, s);
	else
		printf("%-*.*s", (int)w, (int)w, s);
	if (!last)
		printf("%*s", GAP, "");
}

void table_print(struct table *t, size_t width)
{
	size_t w[TABLE_COLUMNS] = { 0 };

	for (size_t i = 0; i < t->rows * t->columns; i++)
		w[i % t->columns] = MAX(w[i % t->columns], t->cell[i] ? strlen(t->cell[i]) : 0);
	fit(t, w, width ? width : terminal_width());
	for (size_t i = 0; i < t->rows * t->columns; i++) {
		int last = (i + 1) % t->columns == 0;

		print_cell(t->cell[i] ? t->cell[i] : "", w[i % t->columns], last);
		if (last)
			putchar('\n');
		free(t->cell[i]);
	}
	free(t->cell);
	*t = (struct table){ 0 };
}
