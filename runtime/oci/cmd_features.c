/* cmd_features.c - features: what this runtime does, truthfully (features.md).
 * The lists stand here in one place each, or are read from the tables that the parsers use. */
#include <stdio.h>
#include "lib/cdefs.h"
#include "runtime/oci/args.h"
#include "runtime/oci/caps.h"
#include "runtime/oci/mount_options.h"
#include "runtime/oci/verbs.h"

static const char *const HOOKS[] = { "prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop" };
static const char *const NAMESPACES[] = { "cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts" };

static const char *const SECCOMP_ACTIONS[] = {
	"SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD",
	"SCMP_ACT_LOG", "SCMP_ACT_NOTIFY", "SCMP_ACT_TRACE", "SCMP_ACT_TRAP",
};
static const char *const SECCOMP_OPERATORS[] = {
	"SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_LE", "SCMP_CMP_LT", "SCMP_CMP_MASKED_EQ", "SCMP_CMP_NE",
};
static const char *const SECCOMP_ARCHS[] = {
	"SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM", "SCMP_ARCH_LOONGARCH64", "SCMP_ARCH_M68K", "SCMP_ARCH_MIPS", "SCMP_ARCH_MIPS64",
	"SCMP_ARCH_MIPS64N32", "SCMP_ARCH_MIPSEL", "SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PARISC", "SCMP_ARCH_PARISC64",
	"SCMP_ARCH_PPC", "SCMP_ARCH_PPC64", "SCMP_ARCH_PPC64LE", "SCMP_ARCH_RISCV64", "SCMP_ARCH_S390", "SCMP_ARCH_S390X", "SCMP_ARCH_SH",
	"SCMP_ARCH_SHEB", "SCMP_ARCH_X32", "SCMP_ARCH_X86", "SCMP_ARCH_X86_64",
};
static const char *const SECCOMP_FLAGS[] = {
	"SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV",
};
/* Annotations of config.json that change how a container is confined: whoever passes on what users write should look at them. */
static const char *const UNSAFE_ANNOTATIONS[] = { SPEC_SECCOMP_ANNOTATION, "org.systemd.property." };

static void list(const char *indent, const char *key, const char *const *names, size_t n)
{
	printf("%s\"%s\": [", indent, key);
	for (size_t i = 0; i < n; i++)
		printf("%s\"%s\"", i ? ", " : "", names[i]);
	puts("],");
}

/* Names from a parser's table; next(i) is NULL at the end. */
static void table(const char *indent, const char *key, const char *(*next)(size_t), const char *end)
{
	const char *name;

	printf("%s\"%s\": [", indent, key);
	for (size_t i = 0; (name = next(i)); i++)
		printf("%s\"%s\"", i ? ", " : "", name);
	printf("]%s\n", end);
}

static const char *capability(size_t i)
{
	return caps_name((int)i);
}

static void seccomp(void)
{
	puts("    \"seccomp\": {\n      \"enabled\": true,");
	list("      ", "actions", SECCOMP_ACTIONS, ARRAY_SIZE(SECCOMP_ACTIONS));
	list("      ", "operators", SECCOMP_OPERATORS, ARRAY_SIZE(SECCOMP_OPERATORS));
	list("      ", "archs", SECCOMP_ARCHS, ARRAY_SIZE(SECCOMP_ARCHS));
	list("      ", "knownFlags", SECCOMP_FLAGS, ARRAY_SIZE(SECCOMP_FLAGS));
	printf("      \"supportedFlags\": [");
	for (size_t i = 0; i < ARRAY_SIZE(SECCOMP_FLAGS); i++)
		printf("%s\"%s\"", i ? ", " : "", SECCOMP_FLAGS[i]);
	puts("]\n    },");
}

int verb_features(const struct globals *g, int argc, char **argv, struct err *err)
{
	(void)g;
	if (argc && (argc = args_parse(argc, argv, NULL, 0, false, err)) < 0)
		return argc;
	if (argc)
		return verb_usage(err, "features");
	puts("{\n  \"ociVersionMin\": \"1.0.0\",\n  \"ociVersionMax\": \"" SPEC_VERSION "\",");
	list("  ", "hooks", HOOKS, ARRAY_SIZE(HOOKS));
	table("  ", "mountOptions", mount_options_name, ",");
	puts("  \"linux\": {");
	list("    ", "namespaces", NAMESPACES, ARRAY_SIZE(NAMESPACES));
	table("    ", "capabilities", capability, ",");
	puts("    \"cgroup\": {\"v1\": true, \"v2\": true, \"systemd\": true, \"systemdUser\": true, \"rdma\": true},");
	seccomp();
	puts("    \"apparmor\": {\"enabled\": true},\n    \"selinux\": {\"enabled\": true},\n    \"memoryPolicy\": {");
	table("      ", "modes", spec_memory_mode_name, ",");
	table("      ", "flags", spec_memory_flag_name, "\n    },");
	puts("    \"intelRdt\": {\"enabled\": true, \"schemata\": true, \"monitoring\": true},\n"
	     "    \"mountExtensions\": {\"idmap\": {\"enabled\": true}},\n"
	     "    \"netDevices\": {\"enabled\": true}\n  },");
	list("  ", "potentiallyUnsafeConfigAnnotations", UNSAFE_ANNOTATIONS, ARRAY_SIZE(UNSAFE_ANNOTATIONS));
	puts("  \"annotations\": {\"org.coracle.version\": \"" CORACLE_VERSION "\", \"" SPEC_SECCOMP_ANNOTATION "\": \"default\", "
	     "\"org.opencontainers.runc.checkpoint.enabled\": \"false\"}\n}");
	return 0;
}
