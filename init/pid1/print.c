/* print.c - snprintf for PID 1: the C library's, with its floating point, wide characters and streams, is 8 KiB of a program of 110.
 *
 * Runs in PID 1, whose lib/ calls it too: the linker takes these before the C library's. Knows the flags - and 0, width and precision (also *), the
 * lengths hh h l ll z j t, and d i u x X o c s p %. Writes nothing but buf; n may be 0. Pure. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef PRINT_TEST	/* the unit test has the C library's beside it */
#define snprintf print_snprintf
#define vsnprintf print_vsnprintf
int snprintf(char *buf, size_t n, const char *fmt, ...);
int vsnprintf(char *buf, size_t n, const char *fmt, va_list ap);
#endif

struct out {
	char *buf;
	size_t n, len;		/* room; what was written or would have been */
};

struct spec {
	int left, zero;
	int width, precision;	/* precision -1: none */
	char length;		/* 'l' for everything of 64 bits, 'h', 'H' (hh), 0 */
};

static void put(struct out *o, char c)
{
	if (o->len + 1 < o->n)
		o->buf[o->len] = c;
	o->len++;
}

static void put_field(struct out *o, const struct spec *s, const char *text, int len, int zeros)
{
	int pad = s->width - len - zeros;

	for (; !s->left && pad > 0; pad--)
		put(o, ' ');
	/* a sign stands before the zeros */
	if (zeros > 0 && len > 0 && *text == '-') {
		put(o, '-');
		text++;
		len--;
	}
	for (; zeros > 0; zeros--)
		put(o, '0');
	while (len-- > 0)
		put(o, *text++);
	for (; pad > 0; pad--)
		put(o, ' ');
}

static void put_text(struct out *o, const struct spec *s, const char *text)
{
	int len = 0;

	if (!text)
		text = "(null)";
	while ((s->precision < 0 || len < s->precision) && text[len])
		len++;
	put_field(o, s, text, len, 0);
}

static void put_number(struct out *o, const struct spec *s, uint64_t v, int negative, unsigned base, char ten)
{
	char digits[26];
	char *at = digits + sizeof(digits);
	int len;
	int zeros;

	for (; v; v /= base) {
		unsigned digit = (unsigned)(v % base);

		*--at = (char)(digit < 10 ? '0' + digit : (unsigned)ten + digit - 10);
	}
	if (at == digits + sizeof(digits) && s->precision != 0)
		*--at = '0';
	len = (int)(digits + sizeof(digits) - at);
	zeros = s->precision >= 0 ? s->precision - len : s->zero && !s->left ? s->width - len - negative : 0;
	if (negative)
		*--at = '-';
	put_field(o, s, at, len + negative, zeros > 0 ? zeros : 0);
}

static uint64_t take(const struct spec *s, va_list *ap, int is_signed)
{
	uint64_t v = s->length == 'l' ? va_arg(*ap, uint64_t) : is_signed ? (uint64_t)(int64_t)va_arg(*ap, int) : va_arg(*ap, unsigned);

	if (s->length == 'h')
		return is_signed ? (uint64_t)(int16_t)v : (uint16_t)v;
	if (s->length == 'H')
		return is_signed ? (uint64_t)(int8_t)v : (uint8_t)v;
	return v;
}

static const char *read_count(const char *f, va_list *ap, int *out)
{
	if (*f == '*') {
		*out = va_arg(*ap, int);
		return f + 1;
	}
	for (*out = 0; *f >= '0' && *f <= '9'; f++)
		*out = *out * 10 + *f - '0';
	return f;
}

static const char *read_spec(const char *f, struct spec *s, va_list *ap)
{
	*s = (struct spec){ .precision = -1 };
	for (; *f == '-' || *f == '0'; f++)
		*(*f == '-' ? &s->left : &s->zero) = 1;
	f = read_count(f, ap, &s->width);
	if (s->width < 0) {
		s->left = 1;
		s->width = -s->width;
	}
	if (*f == '.')
		f = read_count(f + 1, ap, &s->precision);
	for (; *f == 'l' || *f == 'z' || *f == 'j' || *f == 't'; f++)
		s->length = 'l';
	for (; *f == 'h'; f++)
		s->length = s->length ? 'H' : 'h';
	return f;
}

static void convert(struct out *o, const struct spec *s, char c, va_list *ap)
{
	char one[2] = { c, '\0' };
	uint64_t v;

	switch (c) {
	case 'd':
	case 'i':
		v = take(s, ap, 1);
		put_number(o, s, (int64_t)v < 0 ? -v : v, (int64_t)v < 0, 10, 'a');
		break;
	case 'u':
	case 'x':
	case 'X':
	case 'o':
		put_number(o, s, take(s, ap, 0), 0, c == 'u' ? 10 : c == 'o' ? 8 : 16, c == 'X' ? 'A' : 'a');
		break;
	case 'p':
		put(o, '0');
		put(o, 'x');
		put_number(o, s, (uint64_t)(uintptr_t)va_arg(*ap, void *), 0, 16, 'a');
		break;
	case 's':
		put_text(o, s, va_arg(*ap, const char *));
		break;
	case 'c':
		one[0] = (char)va_arg(*ap, int);
		/* fall through */
	default:
		put_field(o, s, one, 1, 0);
	}
}

int vsnprintf(char *buf, size_t n, const char *fmt, va_list list)
{
	struct out o = { buf, n, 0 };
	va_list ap;

	va_copy(ap, list);
	for (const char *f = fmt; *f; f++) {
		struct spec s;

		if (*f != '%') {
			put(&o, *f);
			continue;
		}
		f = read_spec(f + 1, &s, &ap);
		if (!*f)
			break;
		convert(&o, &s, *f, &ap);
	}
	va_end(ap);
	if (n)
		buf[o.len < n ? o.len : n - 1] = '\0';
	return (int)o.len;
}

int snprintf(char *buf, size_t n, const char *fmt, ...)
{
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(buf, n, fmt, ap);
	va_end(ap);
	return len;
}
