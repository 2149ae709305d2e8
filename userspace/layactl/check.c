// SPDX-License-Identifier: GPL-2.0
/* What this network lets through, without a peer. */
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "control.h"
#include "explain.h"
#include "nat64.h"

/* An attachment takes at most 10 seconds (layad/forwarder.c). */
#define WAIT_NAPS	75

/* The first line of a small file; empty when there is none */
static void read_line(const char *path, char *text, size_t size)
{
	FILE *file = fopen(path, "re");

	text[0] = '\0';
	if (!file)
		return;
	if (fgets(text, size, file))
		text[strcspn(text, "\n")] = '\0';
	fclose(file);
}

static bool ipv6_disabled(const char *device)
{
	char path[128], text[16];

	snprintf(path, sizeof(path),
		 "/proc/sys/net/ipv6/conf/%s/disable_ipv6", device);
	read_line(path, text, sizeof(text));
	/* Not there at all: the kernel has no IPv6. */
	return strcmp(text, "0") != 0;
}

/*
 * The address that we would speak from to anywhere.  Connecting sends nothing;
 * the addresses are for documentation, so only a default route leads there.
 */
static json_t *family(int af, const char *anywhere)
{
	struct laya_address to, from = {};
	json_t *object = json_object();
	struct sockaddr_storage ss;
	char text[INET6_ADDRSTRLEN];
	socklen_t len;
	int fd;

	if (af == AF_INET6)
		json_object_set_new(object, "disabled",
				    json_boolean(ipv6_disabled("all")));
	fd = socket(af, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || laya_address_parse(&to, anywhere))
		goto out;
	len = laya_address_to_sockaddr(&to, &ss);
	if (connect(fd, (struct sockaddr *)&ss, len))
		goto out;
	len = sizeof(ss);
	if (!getsockname(fd, (struct sockaddr *)&ss, &len) &&
	    !laya_address_from_sockaddr(&from, (struct sockaddr *)&ss) &&
	    inet_ntop(af, from.addr, text, sizeof(text)))
		json_object_set_new(object, "source", json_string(text));
out:
	if (fd >= 0)
		close(fd);
	return object;
}

static json_t *addresses(void)
{
	struct laya_address address;
	char text[INET6_ADDRSTRLEN];
	json_t *list = json_array();
	struct ifaddrs *first, *at;

	if (getifaddrs(&first))
		return list;
	for (at = first; at; at = at->ifa_next) {
		if (at->ifa_addr &&
		    !laya_address_from_sockaddr(&address, at->ifa_addr) &&
		    inet_ntop(address.family, address.addr, text, sizeof(text)))
			json_array_append_new(list, json_string(text));
	}
	freeifaddrs(first);
	return list;
}

static void on_nat64(struct laya_nat64_query *query, int error,
		     const struct laya_nat64_prefix *prefix, void *data)
{
	char text[INET6_ADDRSTRLEN];

	(void)query;
	if (!error)
		json_object_set_new(data, "prefix", json_sprintf("%s/%u",
			inet_ntop(AF_INET6, &prefix->addr, text, sizeof(text)),
			prefix->len));
	else if (error != -ENOENT)
		json_object_set_new(data, "error", json_sprintf(
			"%s cannot be looked up: %s", LAYA_NAT64_NAME,
			error == -EAGAIN ? "no name server answers" :
			strerror(-error)));
}

static json_t *nat64(void)
{
	struct laya_nat64_query query = { .done = on_nat64 };
	json_t *object = json_object();
	uv_loop_t loop;

	query.data = object;
	/* Where nobody answers, half a minute would be too long to wait. */
	setenv("RES_OPTIONS", "timeout:1 attempts:1", 0);
	if (uv_loop_init(&loop))
		return object;
	if (laya_nat64_discover(&query, &loop))
		json_object_set_new(object, "error",
				    json_string("it could not be asked for"));
	uv_run(&loop, UV_RUN_DEFAULT);
	uv_loop_close(&loop);
	return object;
}

static json_t *clock_facts(void)
{
	struct timex timex = {};
	time_t now = time(NULL);
	char text[64];
	struct tm tm;

	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC",
		 gmtime_r(&now, &tm));
	return json_pack("{s:s, s:b}", "time", text, "synchronised",
			 adjtimex(&timex) != TIME_ERROR);
}

static int each_path(void *ctx, const struct laya_nl_path *path)
{
	json_t *object = json_path(path);

	json_object_set_new(object, "public-key", json_key(path->public_key));
	return json_array_append_new(ctx, object) ? -ENOMEM : 0;
}

static int each_device(void *ctx, const struct laya_nl_device *device)
{
	const struct ctl *ctl = ((void **)ctx)[0];
	struct laya_nl_device *found = ((void **)ctx)[1];

	if (!found->ifindex &&
	    (!ctl->device || !strcmp(ctl->device, device->ifname)))
		*found = *device;
	return 0;
}

static void kernel_facts(const struct ctl *ctl, json_t *facts)
{
	struct laya_nl_device device = {};
	void *context[] = { (void *)ctl, &device };
	json_t *paths = json_array();
	struct laya_nl *nl;
	char text[256];

	json_object_set_new(facts, "paths", paths);
	if (laya_nl_open(&nl, text, sizeof(text))) {
		json_object_set_new(facts, "module", json_string(text));
		json_object_set_new(facts, "device", json_string(""));
		return;
	}
	read_line("/sys/module/laya/version", text, sizeof(text));
	json_object_set_new(facts, "version", json_string(text));
	laya_nl_device_dump(nl, each_device, context);
	json_object_set_new(facts, "device", json_string(device.ifname));
	if (device.ifindex) {
		json_object_set_new(facts, "device-ipv6-disabled", json_boolean(
			ipv6_disabled(device.ifname)));
		laya_nl_path_dump(nl, device.ifindex, NULL, each_path, paths);
	}
	laya_nl_close(nl);
}

static void layad_facts(json_t *facts)
{
	const char *device = json_text(facts, "device");
	json_t *reply = NULL;
	json_t *request;
	char msg[512];
	int fd;

	fd = laya_control_connect(*device ? device : LAYA_DEFAULT_DEVICE, msg,
				  sizeof(msg));
	if (fd >= 0) {
		request = json_pack("{s:s}", "cmd", "status");
		laya_control_request(fd, request, &reply, msg, sizeof(msg));
		json_decref(request);
		close(fd);
	}
	if (!reply) {
		json_object_set_new(facts, "layad", json_string(msg));
		return;
	}
	json_object_del(reply, "ok");
	json_object_del(reply, "peers");
	json_object_del(facts, "layad");
	json_object_update(facts, reply);
	json_decref(reply);
}

/* What layad is trying for the first time is worth waiting for. */
static void wait_for_layad(json_t *facts)
{
	const struct timespec nap = { .tv_nsec = 200 * 1000000 };
	unsigned int i;

	layad_facts(facts);
	for (i = 0; i < WAIT_NAPS && !servers_settled(facts); i++) {
		nanosleep(&nap, NULL);
		layad_facts(facts);
	}
}

static void print(const json_t *checks)
{
	const json_t *check;
	enum colour which;
	const char *text;
	size_t i;

	json_array_foreach(checks, i, check) {
		text = json_text(check, "verdict");
		which = !strcmp(text, "ok") ? GREEN :
			!strcmp(text, "bad") ? RED : YELLOW;
		printf("%s%-8s%s %s%s%s: %s\n", colour(which), text,
		       colour(PLAIN), colour(BOLD), json_text(check, "check"),
		       colour(PLAIN), json_text(check, "text"));
	}
}

static int run(const struct verb *verb, int argc, char **argv)
{
	static const struct option options[] = { CTL_LONG, {} };
	struct ctl ctl = {};
	json_t *checks;
	json_t *facts;
	int option;
	int status;
	int err;

	while ((option = getopt_long(argc, argv, CTL_SHORT, options,
				     NULL)) != -1) {
		err = ctl_option(&ctl, verb, option);
		if (err != CTL_GO_ON)
			return err;
	}
	if (optind < argc)
		return ctl_usage(verb, "no arguments, please");
	facts = json_object();
	json_object_set_new(facts, "device", json_string(ctl.device ?
							 ctl.device : ""));
	wait_for_layad(facts);
	kernel_facts(&ctl, facts);
	json_object_set_new(facts, "ipv4", family(AF_INET, "192.0.2.1:9"));
	json_object_set_new(facts, "ipv6", family(AF_INET6, "[2001:db8::1]:9"));
	json_object_set_new(facts, "addresses", addresses());
	json_object_set_new(facts, "nat64", nat64());
	json_object_set_new(facts, "clock", clock_facts());
	checks = check_judge(facts);
	status = check_passed(checks) ? CTL_OK : CTL_FAILURE;
	if (ctl.json) {
		json_object_set_new(facts, "checks", checks);
		return ctl_print_json(facts, JSON_INDENT(2)) ? : status;
	}
	print(checks);
	json_decref(checks);
	json_decref(facts);
	return status;
}

const struct verb verb_check = {
	.name = "check",
	.run = run,
	.synopsis = "[-j] [-d NAME]",
	.summary = "Tell what this network lets through, and whether Laya can work here",
	.help = "  -d, --device NAME   device, if there are several\n"
		CTL_HELP_JSON CTL_HELP_HELP
		"\nThe exit status is 0 if Laya can work here.\n",
};
