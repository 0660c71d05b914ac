/* mime_head.c - the headers of a MIME entity: lines, folding, parameters. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "mime.h"

#define MIME_WINDOW ((size_t)4096)
#define VALUE_MAX ((size_t)1024)	/* bytes of one parameter */

bool is_mime(const char *text, size_t len)
{
	size_t window = MIN(len, MIME_WINDOW);

	for (size_t i = 0; i + 13 <= window; i++)
		if ((text[i] | 32) == 'm' && !strncasecmp(text + i, "mime-version:", 13))
			return true;
	return false;
}

static char *lower(char *s)
{
	for (char *p = s; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p + 32);
	return s;
}

static const char *trim(struct ctx *ctx, const char *s, size_t n)
{
	while (n && (*s == ' ' || *s == '\t'))
		s++, n--;
	while (n && strchr(" \t\r\n", s[n - 1]))
		n--;
	return arena_strndup(ctx->arena, s, n);
}

/* One parameter's value: a token or a quoted string. Returns what follows. */
static const char *read_value(const char *p, char *out)
{
	size_t n = 0;

	if (*p != '"') {
		for (; *p && *p != ';'; p++)
			if (n < VALUE_MAX - 1)
				out[n++] = *p;
		while (n && (out[n - 1] == ' ' || out[n - 1] == '\t'))
			n--;
		out[n] = '\0';
		return p;
	}
	for (p++; *p && *p != '"'; p++) {
		if (*p == '\\' && p[1])
			p++;
		if (n < VALUE_MAX - 1)
			out[n++] = *p;
	}
	out[n] = '\0';
	return p + strcspn(p, ";");
}

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* RFC 2231: utf-8'en'web%20one.sh */
static void decode_extended(char *s)
{
	char *out = s;
	char *from = strchr(s, '\'');

	from = from ? strchr(from + 1, '\'') : NULL;
	from = from ? from + 1 : s;
	for (; *from; from++) {
		int high = from[0] == '%' ? hex(from[1]) : -1;
		int low = high >= 0 ? hex(from[2]) : -1;

		if (low >= 0 && (high || low)) {
			*out++ = (char)(high << 4 | low);
			from += 2;
		} else {
			*out++ = *from;
		}
	}
	*out = '\0';
}

/* The parameter `name` of a header's value ("text/plain; charset=utf-8"), or NULL. */
static const char *parameter(struct ctx *ctx, const char *value, const char *name)
{
	size_t len = strlen(name);
	char text[VALUE_MAX];

	for (const char *p = strchr(value, ';'); p && *p; p = strchr(p, ';')) {
		bool extended;
		size_t n;

		p++;
		p += strspn(p, " \t;");
		n = strcspn(p, "=; \t");
		extended = n == len + 1 && p[len] == '*';
		if ((n != len && !extended) || strncasecmp(p, name, len) != 0) {
			/* a quoted value may hold a semicolon: step over it */
			p += n;
			p += strspn(p, " \t");
			if (*p == '=')
				p = read_value(p + 1 + strspn(p + 1, " \t"), text);
			continue;
		}
		p += n;
		p += strspn(p, " \t");
		if (*p != '=')
			continue;
		p++;
		read_value(p + strspn(p, " \t"), text);
		if (extended)
			decode_extended(text);
		return arena_strndup(ctx->arena, text, strlen(text));
	}
	return NULL;
}

static void read_content_type(struct ctx *ctx, struct mime_head *head, const char *value)
{
	size_t n = strcspn(value, ";");
	const char *type = lower((char *)trim(ctx, value, n));
	const char *slash = strchr(type, '/');

	/* RFC 2045 5.2: what cannot be read counts as text/plain */
	head->type = slash && !strchr(slash + 1, '/') ? type : "text/plain";
	head->boundary = parameter(ctx, value, "boundary");
	if (!head->name)
		head->name = parameter(ctx, value, "name");
}

static void one_header(struct ctx *ctx, struct mime_head *head, const char *name, size_t n, const char *value)
{
	static const char *const names[] = {
		"content-type", "content-disposition", "content-transfer-encoding", "mime-version", "merge-type", "x-merge-type", "launch-index",
	};
	const char *file;
	size_t i = 0;

	while (i < ARRAY_SIZE(names) && (strlen(names[i]) != n || strncasecmp(names[i], name, n) != 0))
		i++;
	switch (i) {
	case 0:
		read_content_type(ctx, head, value);
		break;
	case 1:
		file = parameter(ctx, value, "filename");
		if (file)
			head->name = file;
		break;
	case 2:
		head->encoding = lower(arena_strndup(ctx->arena, value, strlen(value)));
		break;
	case 3:
		head->mime_version = true;
		break;
	case 4:
		head->merge = value;
		break;
	case 5:
		if (!head->merge)
			head->merge = value;
		break;
	case 6:
		head->launch_index = value;
		break;
	default:
		break;
	}
}

/* The end of the header that begins at p: its line and those that continue it. */
static const char *header_end(const char *p, const char *end)
{
	for (;;) {
		p = memchr(p, '\n', (size_t)(end - p));
		if (!p)
			return end;
		p++;
		if (p == end || (*p != ' ' && *p != '\t'))
			return p;
	}
}

static size_t name_length(const char *p, const char *end)
{
	size_t n = 0;

	while (p + n < end && p[n] > 32 && p[n] < 127 && p[n] != ':')
		n++;
	return n && p + n < end && p[n] == ':' ? n : 0;
}

/* Folded lines become one: the line breaks go, the blanks stay. */
static const char *unfold(struct ctx *ctx, const char *p, const char *end)
{
	char *out = arena_strndup(ctx->arena, p, (size_t)(end - p));
	size_t n = 0;

	for (; p < end; p++)
		if (*p != '\r' && *p != '\n' && *p != '\0')
			out[n++] = *p;
	return trim(ctx, out, n);
}

int mime_head_read(struct ctx *ctx, const struct source *source, const char *text, const char *end, unsigned line, struct mime_head *head)
{
	const char *p = text;

	*head = (struct mime_head){ .type = "text/plain" };
	while (p < end) {
		const char *next;
		size_t n;

		if (*p == '\n' || (*p == '\r' && p + 1 < end && p[1] == '\n')) {
			p += *p == '\r' ? 2 : 1;
			line++;
			break;
		}
		next = header_end(p, end);
		n = name_length(p, end);
		if (n == 0 && !(p == text && end - p > 5 && !memcmp(p, "From ", 5)))
			break; /* no header: the body begins here, without its empty line */
		if ((size_t)(next - text) > PARTS_HEADER_MAX) {
			diag_add(ctx->diags, DIAG_ERROR, source, line, 1, NULL, "the headers of this MIME part are larger than 8 KiB; it is left out");
			return -EINVAL;
		}
		if (n)
			one_header(ctx, head, p, n, unfold(ctx, p + n + 1, next));
		for (; p < next; p++)
			line += *p == '\n';
	}
	head->body = p;
	head->body_line = line;
	return 0;
}
