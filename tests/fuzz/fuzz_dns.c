/* fuzz_dns.c - any bytes as a DNS query, and as a server's answer to one: nothing is read or written outside, and what we send can be read again. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <stdint.h>
#include "runtime/net/dns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dns_record one = { .addr = { AF_INET, { 192, 0, 2, 1 } } };
	uint8_t *copy = malloc(size + 1), out[700];
	struct dns_query q;
	struct net_addr a;
	size_t n;

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	if (dns_read_query(copy, size, &q) == 0) {
		dns_reverse_parse(q.name, &a);
		n = dns_write_answer(copy, &q, DNS_NOERROR, &one, 1, 600, out, sizeof(out));
		if (n > sizeof(out) || (n && !dns_is_answer(out, n, q.id, copy, &q)))
			abort();
		dns_is_answer(copy, size, q.id, copy, &q);
		if (dns_cut(copy, size, &q, DNS_UDP_MAX) > size)
			abort();
	} else if (size >= DNS_HEADER) {
		q = (struct dns_query){ .type = DNS_A, .class = 1, .question = DNS_HEADER };
		dns_is_answer(copy, size, (uint16_t)(copy[0] << 8 | copy[1]), copy, &q);
	}
	free(copy);
	return 0;
}
