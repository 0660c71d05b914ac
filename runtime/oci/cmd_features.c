/* cmd_features.c - features: what this runtime does, truthfully (features.md). */
#include <stdio.h>
#include "lib/cdefs.h"
#include "runtime/oci/caps.h"
#include "runtime/oci/mount_options.h"
#include "runtime/oci/verbs.h"

static void mount_options(void)
{
	const char *name;

	fputs("  \"mountOptions\": [", stdout);
	for (size_t i = 0; (name = mount_options_name(i)); i++)
		printf("%s\"%s\"", i ? ", " : "", name);
	puts("],");
}

static void capabilities(void)
{
	fputs("    \"capabilities\": [", stdout);
	for (int i = 0; i < CAPS_KNOWN; i++)
		printf("%s\"%s\"", i ? ", " : "", caps_name(i));
	puts("],");
}

#define SECCOMP_FLAGS "\"SECCOMP_FILTER_FLAG_LOG\", \"SECCOMP_FILTER_FLAG_SPEC_ALLOW\", \"SECCOMP_FILTER_FLAG_TSYNC\", \"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV\""

int verb_features(const struct globals *g, int argc, char **argv, struct err *err)
{
	(void)g;
	(void)argv;
	if (argc)
		return verb_usage(err, "features");
	puts("{\n  \"ociVersionMin\": \"1.0.0\",\n  \"ociVersionMax\": \"" SPEC_VERSION "\",\n"
	     "  \"hooks\": [\"prestart\", \"createRuntime\", \"createContainer\", \"startContainer\", \"poststart\", \"poststop\"],");
	mount_options();
	puts("  \"linux\": {\n"
	     "    \"namespaces\": [\"cgroup\", \"ipc\", \"mount\", \"network\", \"pid\", \"time\", \"user\", \"uts\"],");
	capabilities();
	puts("    \"cgroup\": {\"v1\": true, \"v2\": true, \"systemd\": false, \"systemdUser\": false, \"rdma\": true},\n"
	     "    \"seccomp\": {\n      \"enabled\": true,\n"
	     "      \"actions\": [\"SCMP_ACT_ALLOW\", \"SCMP_ACT_ERRNO\", \"SCMP_ACT_KILL\", \"SCMP_ACT_KILL_PROCESS\", \"SCMP_ACT_KILL_THREAD\", "
	     "\"SCMP_ACT_LOG\", \"SCMP_ACT_NOTIFY\", \"SCMP_ACT_TRACE\", \"SCMP_ACT_TRAP\"],\n"
	     "      \"operators\": [\"SCMP_CMP_EQ\", \"SCMP_CMP_GE\", \"SCMP_CMP_GT\", \"SCMP_CMP_LE\", \"SCMP_CMP_LT\", \"SCMP_CMP_MASKED_EQ\", \"SCMP_CMP_NE\"],\n"
	     "      \"archs\": ["
	     "\"SCMP_ARCH_AARCH64\", \"SCMP_ARCH_ARM\", \"SCMP_ARCH_LOONGARCH64\", \"SCMP_ARCH_M68K\", \"SCMP_ARCH_MIPS\", "
	     "\"SCMP_ARCH_MIPS64\", \"SCMP_ARCH_MIPS64N32\", \"SCMP_ARCH_MIPSEL\", \"SCMP_ARCH_MIPSEL64\", "
	     "\"SCMP_ARCH_MIPSEL64N32\", \"SCMP_ARCH_PARISC\", \"SCMP_ARCH_PARISC64\", \"SCMP_ARCH_PPC\", \"SCMP_ARCH_PPC64\", "
	     "\"SCMP_ARCH_PPC64LE\", \"SCMP_ARCH_RISCV64\", \"SCMP_ARCH_S390\", \"SCMP_ARCH_S390X\", \"SCMP_ARCH_SH\", "
	     "\"SCMP_ARCH_SHEB\", \"SCMP_ARCH_X32\", \"SCMP_ARCH_X86\", \"SCMP_ARCH_X86_64\""
	     "],\n"
	     "      \"knownFlags\": [" SECCOMP_FLAGS "],\n      \"supportedFlags\": [" SECCOMP_FLAGS "]\n    },\n"
	     "    \"apparmor\": {\"enabled\": true},\n    \"selinux\": {\"enabled\": true},\n"
	     "    \"intelRdt\": {\"enabled\": false},\n    \"mountExtensions\": {\"idmap\": {\"enabled\": true}},\n"
	     "    \"netDevices\": {\"enabled\": false}\n  },\n"
	     "  \"annotations\": {\"org.coracle.version\": \"" CORACLE_VERSION "\", \"" SPEC_SECCOMP_ANNOTATION "\": \"default\"}\n}");
	return 0;
}
