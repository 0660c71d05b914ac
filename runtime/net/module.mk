# net: addresses, rules, names and links of container networks; linked into coracle-engine

$(call unit_test,net_parts,$(addprefix runtime/net/,addr.c port.c dns.c nft.c ruleset.c),)
$(call unit_test,dns_fuzz,runtime/net/addr.c runtime/net/dns.c tests/fuzz/fuzz_dns.c tests/unit/fuzz_helper.c,)
$(call fuzzer,dns,runtime/net/addr.c runtime/net/dns.c)
