/* api_system.c - /_ping, /version, /info (coracle-engine). */
#include "apiint.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "api.h"
#include "api_shared.h"
#include "engine.h"
#include "fd.h"
#include "gotime.h"
#include "jw.h"
#include "text.h"

#define BUILD_TIME "1970-01-01T00:00:00.000000000+00:00"	/* builds are reproducible: they do not know when they are */

void api_ping(struct request *r)
{
	if (strcmp(r->method, "HEAD") == 0)
		api_text(r, 200, "");
	else
		api_text(r, 200, "OK");
	MHD_add_response_header(r->response, "Builder-Version", "1");
	MHD_add_response_header(r->response, "Swarm", "inactive");
	MHD_add_response_header(r->response, "Cache-Control", "no-cache, no-store, must-revalidate");
	MHD_add_response_header(r->response, "Pragma", "no-cache");
}

static const char *go_arch(const char *machine)
{
	if (strcmp(machine, "x86_64") == 0)
		return "amd64";
	if (strcmp(machine, "aarch64") == 0)
		return "arm64";
	return machine;
}

void api_version(struct request *r)
{
	struct utsname u;
	struct buf b;

	uname(&u);
	buf_init(&b, API_REPLY_MAX);
	jw_open(&b, '{');
	jw_kraw(&b, "Platform", "{\"Name\":\"Coracle\"}");
	jw_karr(&b, "Components");
	jw_open(&b, '{');
	jw_kstr(&b, "Name", "Engine");
	jw_kstr(&b, "Version", CORACLE_VERSION);
	jw_kobj(&b, "Details");
	jw_kstr(&b, "ApiVersion", API_VERSION);
	jw_kstr(&b, "Arch", go_arch(u.machine));
	jw_kstr(&b, "BuildTime", BUILD_TIME);
	jw_kstr(&b, "Experimental", "false");
	jw_kstr(&b, "GitCommit", "");
	jw_kstr(&b, "GoVersion", "none (C11)");
	jw_kstr(&b, "KernelVersion", u.release);
	jw_kstr(&b, "MinAPIVersion", API_VERSION_MIN);
	jw_kstr(&b, "Os", "linux");
	jw_close(&b, '}');
	jw_close(&b, '}');
	jw_raw(&b, "{\"Name\":\"coracle-runtime\",\"Version\":\"" CORACLE_VERSION "\",\"Details\":{\"GitCommit\":\"\"}}");
	jw_close(&b, ']');
	jw_kstr(&b, "Version", CORACLE_VERSION);
	jw_kstr(&b, "ApiVersion", API_VERSION);
	jw_kstr(&b, "MinAPIVersion", API_VERSION_MIN);
	jw_kstr(&b, "GitCommit", "");
	jw_kstr(&b, "GoVersion", "none (C11)");
	jw_kstr(&b, "Os", "linux");
	jw_kstr(&b, "Arch", go_arch(u.machine));
	jw_kstr(&b, "KernelVersion", u.release);
	jw_kstr(&b, "BuildTime", BUILD_TIME);
	jw_close(&b, '}');
	api_json(r, 200, &b);
}

static void add_counts(struct buf *b)
{
	struct store_image **all = NULL;
	int running = 0, paused = 0, n = 0, images = store_images(engine.store, &all, NULL);

	for (struct container *c = engine.containers; c; c = c->next, n++) {
		running += c->status == CONTAINER_RUNNING || c->status == CONTAINER_RESTARTING;
		paused += c->status == CONTAINER_PAUSED;
	}
	if (images >= 0)
		store_images_free(all);
	jw_kint(b, "Containers", n);
	jw_kint(b, "ContainersRunning", running);
	jw_kint(b, "ContainersPaused", paused);
	jw_kint(b, "ContainersStopped", n - running - paused);
	jw_kint(b, "Images", MAX(images, 0));
}

static const char *file_system(const char *path)
{
	struct statfs s;

	if (statfs(path, &s) < 0)
		return "unknown";
	switch ((unsigned long)s.f_type) {
	case 0xef53: return "extfs";
	case 0x01021994: return "tmpfs";
	case 0x58465342: return "xfs";
	case 0x9123683e: return "btrfs";
	case 0x794c7630: return "overlayfs";
	default: return "unknown";
	}
}

static int open_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = -1;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return MAX(n - 2, 0);
}

/* PRETTY_NAME of os-release. */
static void operating_system(char *out, size_t size)
{
	CLEANUP_FREE char *text = NULL;
	char *p, *end;
	size_t n;

	text_set(out, size, "Coracle " CORACLE_VERSION);
	if (fd_read_file(AT_FDCWD, "/etc/os-release", 65536, &text, &n, NULL) < 0)
		return;
	p = strstr(text, "PRETTY_NAME=");
	if (!p)
		return;
	p += strlen("PRETTY_NAME=");
	p += *p == '"';
	end = p + strcspn(p, "\"\n");
	text_set(out, size, "%.*s", (int)(end - p), p);
}

static void add_host(struct buf *b)
{
	char text[512];
	struct sysinfo si;
	struct utsname u;

	uname(&u);
	sysinfo(&si);
	jw_kstr(b, "KernelVersion", u.release);
	operating_system(text, sizeof(text));
	jw_kstr(b, "OperatingSystem", text);
	jw_kstr(b, "OSVersion", CORACLE_VERSION);
	jw_kstr(b, "OSType", "linux");
	jw_kstr(b, "Architecture", u.machine);
	jw_kint(b, "NCPU", sysconf(_SC_NPROCESSORS_ONLN));
	jw_kint(b, "MemTotal", (int64_t)si.totalram * si.mem_unit);
	jw_kstr(b, "Name", u.nodename);
	jw_kstr(b, "CgroupDriver", "cgroupfs");
	jw_kstr(b, "CgroupVersion", access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0 ? "2" : "1");
}

static const char info_fixed[] =
	"\"Plugins\":{\"Volume\":[\"local\"],\"Network\":[\"host\",\"null\"],\"Authorization\":null,\"Log\":[\"json-file\"]},"
	"\"MemoryLimit\":true,\"SwapLimit\":true,\"CpuCfsPeriod\":true,\"CpuCfsQuota\":true,\"CPUShares\":true,\"CPUSet\":true,"
	"\"PidsLimit\":true,\"IPv4Forwarding\":true,\"BridgeNfIptables\":true,\"BridgeNfIp6tables\":true,\"Debug\":false,"
	"\"OomKillDisable\":false,\"LoggingDriver\":\"json-file\",\"NEventsListener\":0,\"IndexServerAddress\":\"\","
	"\"RegistryConfig\":{\"AllowNondistributableArtifactsCIDRs\":null,\"AllowNondistributableArtifactsHostnames\":null,"
	"\"InsecureRegistryCIDRs\":[],\"IndexConfigs\":{},\"Mirrors\":null},\"GenericResources\":null,\"HttpProxy\":\"\","
	"\"HttpsProxy\":\"\",\"NoProxy\":\"\",\"Labels\":[],\"ExperimentalBuild\":false,"
	"\"Runtimes\":{\"coracle\":{\"path\":\"coracle-runtime\"}},\"DefaultRuntime\":\"coracle\","
	"\"Swarm\":{\"NodeID\":\"\",\"NodeAddr\":\"\",\"LocalNodeState\":\"inactive\",\"ControlAvailable\":false,\"Error\":\"\","
	"\"RemoteManagers\":null},\"LiveRestoreEnabled\":true,\"Isolation\":\"\",\"InitBinary\":\"\","
	"\"ContainerdCommit\":{\"ID\":\"\",\"Expected\":\"\"},\"RuncCommit\":{\"ID\":\"\",\"Expected\":\"\"},"
	"\"InitCommit\":{\"ID\":\"\",\"Expected\":\"\"},\"SecurityOptions\":[\"name=seccomp,profile=builtin\",\"name=cgroupns\"],"
	"\"CDISpecDirs\":null,\"Warnings\":null";

static void add_driver(struct buf *b)
{
	jw_kstr(b, "Driver", "overlay2");
	jw_karr(b, "DriverStatus");
	jw_open(b, '[');
	jw_str(b, "Backing Filesystem");
	jw_str(b, file_system(engine.opt.root));
	jw_close(b, ']');
	jw_close(b, ']');
	jw_kstr(b, "DockerRootDir", engine.opt.root);
}

void api_info(struct request *r)
{
	char id[48] = "", time[GOTIME_MAX];
	struct buf b;

	/* The machine's id in the form that Docker has had since 23. */
	if (fd_read_small(AT_FDCWD, "/etc/machine-id", id, sizeof(id)) < 0)
		text_set(id, sizeof(id), "%.36s", engine.boot_id);
	buf_init(&b, API_REPLY_MAX);
	jw_open(&b, '{');
	jw_kstr(&b, "ID", id);
	add_counts(&b);
	add_driver(&b);
	jw_kint(&b, "NFd", open_descriptors());
	jw_kint(&b, "NGoroutines", 1);
	jw_kstr(&b, "SystemTime", gotime_format(wall_now(), time));
	add_host(&b);
	jw_kstr(&b, "ServerVersion", CORACLE_VERSION);
	jw_raw(&b, info_fixed);
	jw_close(&b, '}');
	api_json(r, 200, &b);
}
