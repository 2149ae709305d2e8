// SPDX-License-Identifier: GPL-2.0
/*
 * What the facts about a network mean for Laya.  One check after the other,
 * each with a verdict:
 *
 *	ok	as it should be, or harmless
 *	note	Laya works, but not as well as it could
 *	bad	Laya does not work, or only in part
 *	unknown	nobody could tell
 */
#include <string.h>

#include "check.h"
#include "explain.h"

#define TEXT_SIZE	1024

static bool is(const json_t *object, const char *name)
{
	return json_is_true(json_object_get(object, name));
}

static void add(json_t *checks, const char *name, const char *verdict,
		const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static void add(json_t *checks, const char *name, const char *verdict,
		const char *format, ...)
{
	char text[TEXT_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	json_array_append_new(checks, json_pack("{s:s, s:s, s:s}", "check",
						name, "verdict", verdict,
						"text", text));
}

/* ", " between what is joined */
static void join(char text[TEXT_SIZE], const char *more)
{
	size_t len = strlen(text);

	snprintf(text + len, TEXT_SIZE - len, "%s%s", len ? ", " : "", more);
}

static void judge_module(const json_t *facts, json_t *checks)
{
	const char *device = json_text(facts, "device");
	const char *layad = json_text(facts, "layad");

	if (*json_text(facts, "module"))
		add(checks, "module", "bad", "%s", json_text(facts, "module"));
	else
		add(checks, "module", "ok", "loaded%s%s",
		    *json_text(facts, "version") ? ", version " : "",
		    json_text(facts, "version"));
	if (*device)
		add(checks, "device", "ok", "%s", device);
	else
		add(checks, "device", "bad",
		    "there is no Laya device in this network namespace");
	if (*layad)
		add(checks, "layad", "bad", "%s", layad);
	else
		add(checks, "layad", "ok", "running, UDP port %"
		    JSON_INTEGER_FORMAT,
		    json_integer_value(json_object_get(facts, "port")));
	if (is(facts, "device-ipv6-disabled"))
		add(checks, "IPv6 on the device", "bad",
		    "disabled (net.ipv6.conf.%s.disable_ipv6 = 1): the peers' addresses are IPv6, so streams do not work",
		    *device ? device : "DEVICE");
}

static bool judge_family(const json_t *facts, const char *member,
			 const char *name, json_t *checks)
{
	const json_t *family = json_object_get(facts, member);
	const char *source = json_text(family, "source");
	const json_t *router;
	char text[TEXT_SIZE] = "";
	bool same;
	size_t i;

	if (!*source) {
		add(checks, name, "note", is(family, "disabled") ?
		    "disabled on this machine" : "no default route");
		return false;
	}
	json_array_foreach(json_object_get(facts, "routers"), i, router) {
		same = !strchr(json_string_value(router), ':') ==
			!strcmp(member, "ipv4");
		if (same)
			join(text, json_string_value(router));
	}
	add(checks, name, "ok", "%s leads outside%s%s", source,
	    *text ? " by " : "", text);
	return true;
}

static void judge_nat64(const json_t *facts, bool ipv4, json_t *checks)
{
	const json_t *nat64 = json_object_get(facts, "nat64");

	if (*json_text(nat64, "prefix"))
		add(checks, "NAT64", "ok", "prefix %s",
		    json_text(nat64, "prefix"));
	else if (*json_text(nat64, "error"))
		add(checks, "NAT64", "unknown", "%s", json_text(nat64, "error"));
	else
		add(checks, "NAT64", ipv4 ? "ok" : "note", ipv4 ? "none" :
		    "none, and no IPv4: servers with IPv4 alone are out of reach");
}

/* The path that a forwarder is reached by: the one in use */
static const json_t *path_to(const json_t *facts, const json_t *forwarder)
{
	const char *key = json_text(forwarder, "public-key");
	const json_t *path;
	size_t i;

	json_array_foreach(json_object_get(facts, "paths"), i, path) {
		if (*key && is(path, "in-use") &&
		    !strcmp(json_text(path, "public-key"), key))
			return path;
	}
	return NULL;
}

static void judge_rendezvous(const json_t *facts, json_t *checks)
{
	const json_t *list = json_object_get(facts, "rendezvous");
	const json_t *server;
	const char *transport;
	unsigned int n = 0;
	size_t i;

	json_array_foreach(list, i, server) {
		n += is(server, "connected");
	}
	json_array_foreach(list, i, server) {
		transport = json_text(server, "transport");
		if (is(server, "connected"))
			add(checks, "rendezvous", "ok", "%s: connected by %s",
			    json_text(server, "address"),
			    *transport ? transport : "tcp");
		else
			add(checks, "rendezvous", n ? "note" : "bad",
			    "%s: %s", json_text(server, "address"),
			    *json_text(server, "failure") ?
			    json_text(server, "failure") : "not connected yet");
	}
	if (json_array_size(list) > 0)
		return;
	json_array_foreach(json_object_get(facts, "peers"), i, server) {
		n += json_array_size(json_object_get(server, "signalling")) > 0;
	}
	if (n)
		add(checks, "rendezvous", "note",
		    "the configuration has no [Rendezvous]; %u peers are signalled with directly",
		    n);
	else
		add(checks, "rendezvous", "bad",
		    "the configuration has no [Rendezvous]");
}

static void judge_relays(const json_t *facts, json_t *checks)
{
	const json_t *list = json_object_get(facts, "forwarders");
	const json_t *server, *path;
	unsigned int relays = 0;
	unsigned int up = 0;
	char rtt[FORMAT_SIZE];
	size_t i;

	json_array_foreach(list, i, server) {
		relays += !is(server, "gateway");
		up += is(server, "attached");
	}
	json_array_foreach(list, i, server) {
		if (is(server, "gateway"))
			continue;
		path = path_to(facts, server);
		if (is(server, "attached") && path)
			add(checks, "relay", "ok", "%s: attached by %s, %s",
			    json_text(server, "address"),
			    json_text(path, "carrier"),
			    format_rtt(rtt, json_integer_value(
				json_object_get(path, "rtt-us"))));
		else if (!*json_text(server, "failure"))
			add(checks, "relay", "unknown", "%s: %s",
			    json_text(server, "address"),
			    json_text(server, "state"));
		else
			add(checks, "relay", up ? "note" : "bad", "%s: %s",
			    json_text(server, "address"),
			    json_text(server, "failure"));
	}
	if (!relays && !up)
		add(checks, "relay", "bad", "none is known%s",
		    json_array_size(json_object_get(facts, "rendezvous")) ?
		    ": no rendezvous has told one, and the configuration has no [Relay]" :
		    "");
}

static void judge_udp(const json_t *facts, json_t *checks)
{
	const json_t *paths = json_object_get(facts, "paths");
	const char *failed = NULL;
	char text[EXPLAIN_SIZE];
	const json_t *server;
	size_t i;

	json_array_foreach(json_object_get(facts, "forwarders"), i, server) {
		if (is(server, "gateway") || !is(server, "attached"))
			continue;
		switch (explain_udp(paths, server, text)) {
		case 1:
			add(checks, "UDP", "ok", "%s answers",
			    json_text(server, "address"));
			return;
		case 0:
			failed = json_text(server, "address");
		}
	}
	if (failed)
		add(checks, "UDP", "note",
		    "%s, which is attached to by a stream: %s: is UDP blocked here?",
		    failed, text);
	else
		add(checks, "UDP", "unknown", "no relay was reached to ask");
}

/* Address without the port */
static size_t host_size(const char *address)
{
	const char *colon = strrchr(address, ':');

	return colon ? (size_t)(colon - address) : strlen(address);
}

static bool have_address(const json_t *facts, const char *observed)
{
	const char *host = observed;
	size_t n = host_size(observed);
	const json_t *own;
	const char *text;
	size_t i;

	if (n > 2 && *host == '[') {
		host++;
		n -= 2;
	}
	json_array_foreach(json_object_get(facts, "addresses"), i, own) {
		text = json_string_value(own);
		if (strlen(text) == n && !strncmp(text, host, n))
			return true;
	}
	return false;
}

/* The same socket, seen from several places (RFC 4787, 4.1) */
static void judge_mapping(const json_t *facts, json_t *checks)
{
	const char *observed, *first = NULL;
	const json_t *server;
	bool differ = false;
	unsigned int n = 0;
	size_t i;

	json_array_foreach(json_object_get(facts, "forwarders"), i, server) {
		observed = json_text(server, "observed");
		/* NATs are of IPv4, and a gateway is before ours. */
		if (!*observed || *observed == '[' || is(server, "gateway") ||
		    !is(server, "attached"))
			continue;
		if (!first)
			first = observed;
		else if (strcmp(first, observed))
			differ = true;
		n++;
	}
	if (!first) {
		add(checks, "NAT", "unknown", "no relay has seen our address");
		return;
	}
	if (have_address(facts, first)) {
		add(checks, "NAT", "ok", "none: %.*s is this machine's own",
		    (int)host_size(first), first);
		return;
	}
	add(checks, "NAT", "ok", "this machine is behind one, and is seen at %.*s",
	    (int)host_size(first), first);
	if (n < 2)
		add(checks, "mapping", "unknown",
		    "one relay sees %s; it takes two to compare", first);
	else if (differ)
		add(checks, "mapping", "ok",
		    "depends on the destination (symmetric): %u relays see different ports or addresses",
		    n);
	else
		add(checks, "mapping", "ok",
		    "endpoint-independent: %u relays see %s", n, first);
}

static void judge_gateway(const json_t *facts, json_t *checks)
{
	const json_t *server;
	bool looked = false;
	size_t i;

	json_array_foreach(json_object_get(facts, "forwarders"), i, server) {
		if (!is(server, "gateway"))
			continue;
		looked = true;
		if (is(server, "attached")) {
			add(checks, "gateway", "ok", "attached to %s",
			    json_text(server, "address"));
			return;
		}
	}
	add(checks, "gateway", "ok", looked ? "no router here runs Laya" :
	    "none was looked for");
}

static void judge_mtu(const json_t *facts, json_t *checks)
{
	const json_t *server, *path;
	char text[TEXT_SIZE] = "";
	char one[TEXT_SIZE / 4];
	size_t i;

	json_array_foreach(json_object_get(facts, "forwarders"), i, server) {
		path = path_to(facts, server);
		if (!path || !is(server, "attached"))
			continue;
		snprintf(one, sizeof(one), "%" JSON_INTEGER_FORMAT " to %s",
			 json_integer_value(json_object_get(path, "mtu")),
			 json_text(server, "address"));
		join(text, one);
	}
	if (*text)
		add(checks, "path MTU", "ok", "%s", text);
	else
		add(checks, "path MTU", "unknown", "there is no path to a relay");
}

static void judge_tls(const json_t *facts, json_t *checks)
{
	const char *const lists[] = { "rendezvous", "forwarders" };
	const json_t *server;
	const char *text;
	size_t i, j;

	for (i = 0; i < 2; i++) {
		json_array_foreach(json_object_get(facts, lists[i]), j, server) {
			text = json_text(server, "evidence");
			if (!*text)
				continue;
			add(checks, "TLS", "note", "%s: %s",
			    json_text(server, "address"), text);
			return;
		}
	}
	add(checks, "TLS", "unknown", "no certificate was seen that does not verify");
}

static void judge_proxy(const json_t *facts, json_t *checks)
{
	const json_t *proxy = json_object_get(facts, "proxy");
	const char *key;
	json_t *value;
	char text[TEXT_SIZE] = "";
	char one[TEXT_SIZE / 2];

	json_object_foreach((json_t *)proxy, key, value) {
		snprintf(one, sizeof(one), "%s %s", key,
			 json_string_value(value));
		join(text, one);
	}
	add(checks, "proxy", "ok", "%s", *text ? text :
	    "none in the configuration or the environment");
}

static void judge_clock(const json_t *facts, json_t *checks)
{
	const json_t *clock = json_object_get(facts, "clock");
	const char *text = json_text(clock, "time");

	if (is(clock, "synchronised"))
		add(checks, "clock", "ok", "%s, synchronised", text);
	else
		add(checks, "clock", "unknown",
		    "%s, and nothing on this machine synchronises it; only certificates need it",
		    text);
}

/**
 * check_judge() - draw conclusions
 * @facts: what was found out
 *
 * Return: an array of objects: check, verdict, text.
 */
json_t *check_judge(const json_t *facts)
{
	json_t *checks = json_array();
	bool ipv4, ipv6;

	judge_module(facts, checks);
	ipv4 = judge_family(facts, "ipv4", "IPv4", checks);
	ipv6 = judge_family(facts, "ipv6", "IPv6", checks);
	if (!ipv4 && !ipv6)
		add(checks, "network", "bad",
		    "no default route: only neighbours can be reached");
	judge_nat64(facts, ipv4, checks);
	judge_proxy(facts, checks);
	judge_clock(facts, checks);
	/* All else is what layad has seen. */
	if (*json_text(facts, "layad"))
		return checks;
	judge_rendezvous(facts, checks);
	judge_relays(facts, checks);
	judge_udp(facts, checks);
	judge_mapping(facts, checks);
	judge_gateway(facts, checks);
	judge_mtu(facts, checks);
	judge_tls(facts, checks);
	return checks;
}

/**
 * check_passed() - can Laya work here
 * @checks: of check_judge()
 *
 * Return: false if one is bad.
 */
bool check_passed(const json_t *checks)
{
	const json_t *check;
	size_t i;

	json_array_foreach(checks, i, check) {
		if (!strcmp(json_text(check, "verdict"), "bad"))
			return false;
	}
	return true;
}
