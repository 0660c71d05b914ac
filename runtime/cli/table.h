/* table.h - columns that fit the terminal. The widest column that may shrink is cut, with "..." at its end. */
#ifndef CORACLE_CLI_TABLE_H
#define CORACLE_CLI_TABLE_H

#include <stddef.h>

#define TABLE_COLUMNS 8

struct table {
	size_t columns, rows, cap;
	char **cell;		/* rows * columns, owned */
};

/* The first row is the header. */
void table_init(struct table *t, size_t columns);
/* NULL cells are empty. Text is copied. */
void table_add(struct table *t, const char *const cell[]);
/* Prints to standard output, at most width wide (0: the terminal's, unlimited when it is none), and frees. */
void table_print(struct table *t, size_t width);

#endif
