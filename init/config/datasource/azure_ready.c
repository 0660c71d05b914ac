/* azure_ready.c - reports to Azure's fabric that the machine is ready (cloud-init, sources/helpers/azure.py, GoalStateHealthReporter).
 *
 * The goal state names the container and the instance of this machine; the report of its health names them again. */
#include <errno.h>
#include <string.h>

#include "azure.h"
#include "buf.h"
#include "imds.h"
#include "xml.h"

#define REPORT_MAX 8192

static const char *const goal_headers[] = { "x-ms-agent-name: WALinuxAgent", "x-ms-version: 2012-11-30", NULL };
static const char *const report_headers[] = { "x-ms-agent-name: WALinuxAgent", "x-ms-version: 2012-11-30", "Content-Type: text/xml; charset=utf-8", NULL };

/* For XML: the values came out of XML, and go into it. */
static void add_escaped(struct buf *b, const char *s)
{
	for (; *s; s++) {
		if (*s == '<')
			buf_puts(b, "&lt;");
		else if (*s == '&')
			buf_puts(b, "&amp;");
		else
			buf_putc(b, *s);
	}
}

static void add_element(struct buf *b, const char *name, const char *text)
{
	buf_printf(b, "<%s>", name);
	add_escaped(b, text);
	buf_printf(b, "</%s>", name);
}

static void write_report(struct buf *b, const char *incarnation, const char *container, const char *instance)
{
	buf_puts(b, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<Health xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
		    "xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\">");
	add_element(b, "GoalStateIncarnation", incarnation);
	buf_puts(b, "<Container>");
	add_element(b, "ContainerId", container);
	buf_puts(b, "<RoleInstanceList><Role>");
	add_element(b, "InstanceId", instance);
	buf_puts(b, "<Health><State>Ready</State></Health></Role></RoleInstanceList></Container></Health>");
}

static int send_report(struct ctx *ctx, const struct buf *b, struct err *err)
{
	struct http_request q = {
		.method = "POST", .url = AZURE_WIRESERVER "/machine?comp=health", .headers = report_headers, .body = b->data, .body_len = b->len,
		.timeout_ms = 5000, .tries = 5, .total_ms = 30000,
	};
	struct http_answer a;

	return http_get(ctx, &q, &a, err);
}

static int report(struct ctx *ctx, struct err *err)
{
	struct http_request q = { .url = AZURE_WIRESERVER "/machine/?comp=goalstate", .headers = goal_headers, .timeout_ms = 5000, .tries = 5, .total_ms = 30000 };
	CLEANUP_BUF struct buf b = { 0 };
	const char *incarnation, *container, *instance;
	const struct xml *goal;
	struct http_answer a;
	const char *why;
	int r = http_get(ctx, &q, &a, err);

	if (r < 0)
		return r;
	goal = xml_read(ctx->arena, a.body, a.len, &why);
	if (!goal)
		return err_set(err, 0, "goal state: %s", why);
	incarnation = xml_text(goal, "Incarnation");
	container = xml_text(goal, "Container/ContainerId");
	instance = xml_text(goal, "Container/RoleInstanceList/RoleInstance/InstanceId");
	if (!incarnation || !container || !instance)
		return err_set(err, 0, "goal state: Incarnation, ContainerId or InstanceId is missing");
	buf_init(&b, REPORT_MAX);
	write_report(&b, incarnation, container, instance);
	return buf_error(&b) ? err_set(err, E2BIG, "report") : send_report(ctx, &b, err);
}

void azure_report_ready(struct ctx *ctx)
{
	struct err err = ERR_INIT;

	if (report(ctx, &err) < 0)
		diag_add(ctx->diags, DIAG_ERROR, NULL, 0, 0, "Azure will take the machine for one that did not start", "report to Azure that the machine is ready: %s", err.text);
}
