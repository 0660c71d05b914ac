/* boottime_svg.c - coracle boot-time as a chart (SVG 1.1). Names have no characters but those of units and containers; they are escaped all the same. */
#include "boottime.h"

#include <math.h>

#include "cdefs.h"

#define ROW 22
#define LEFT 170
#define WIDTH 900
#define TOP 70

static void put_text(FILE *to, const char *s)
{
	for (; *s; s++) {
		if (*s == '<' || *s == '>' || *s == '&' || *s == '"')
			fprintf(to, "&#%d;", *s);
		else
			fputc(*s, to);
	}
}

/* The time of the whole, rounded up to a tenth of its power of ten; at least a millisecond. */
static double axis_end(const struct boot *b)
{
	double end = 1, step = 1;

	for (int i = 0; i < b->n; i++)
		end = MAX(end, MAX(b->item[i].start, b->item[i].ready));
	while (step * 10 < end)
		step *= 10;
	return ceil(end / step * 2) * step / 2;
}

static void draw_axis(FILE *to, double end, int height)
{
	for (int i = 0; i <= 10; i++) {
		double x = LEFT + WIDTH * i / 10.0;

		fprintf(to, "<line x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\" stroke=\"#ddd\"/>\n", x, TOP - 6, x, height - 10);
		fprintf(to, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\" fill=\"#666\">%g ms</text>\n", x, TOP - 12, end * i / 10);
	}
}

static void draw_item(FILE *to, const struct boot_item *it, int y, double end)
{
	static const char *const colour[] = { [BOOT_STAGE] = "#8fb8de", [BOOT_UNIT] = "#5a9e6f", [BOOT_CONTAINER] = "#d98c3f" };
	double x = LEFT + it->start / end * WIDTH;
	double took = it->ready >= 0 ? it->ready - it->start : 0;
	double w = MAX(2.0, took / end * WIDTH);

	fprintf(to, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">", LEFT - 8, y + 14);
	put_text(to, it->name);
	fprintf(to, "</text>\n<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"%s\"><title>", x, y + 2, w, ROW - 5, colour[it->kind]);
	put_text(to, it->name);
	fprintf(to, ": began at %.1f ms", it->start);
	if (it->ready >= 0 && it->kind != BOOT_CONTAINER)
		fprintf(to, ", took %.1f ms", took);
	fprintf(to, "</title></rect>\n");
	if (took > 0)
		fprintf(to, "<text x=\"%.1f\" y=\"%d\" fill=\"#666\">%.1f</text>\n", x + w + 4, y + 14, took);
}

void boot_draw_svg(const struct boot *b, FILE *to)
{
	double end = axis_end(b);
	int rows = 0, height;

	for (int i = 0; i < b->n; i++)
		rows += b->item[i].start >= 0;
	height = TOP + rows * ROW + 20;
	fprintf(to, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
		"font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n", LEFT + WIDTH + 80, height);
	fprintf(to, "<text x=\"10\" y=\"24\" font-size=\"16\">Coracle " CORACLE_VERSION ": the way up</text>\n");
	if (b->firmware >= 0)
		fprintf(to, "<text x=\"%d\" y=\"24\" fill=\"#666\">firmware %.0f ms, loader %.0f ms before the kernel</text>\n", LEFT + 200, b->firmware,
			MAX(b->loader, 0.0));
	draw_axis(to, end, height);
	rows = 0;
	for (int i = 0; i < b->n; i++)
		if (b->item[i].start >= 0)
			draw_item(to, &b->item[i], TOP + ROW * rows++, end);
	fprintf(to, "</svg>\n");
}
