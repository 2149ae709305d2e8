// SPDX-License-Identifier: GPL-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../check.h"
#include "../explain.h"

static json_t *facts(const char *text)
{
	json_error_t error;
	json_t *json = json_loads(text, 0, &error);

	if (!json)
		fail_msg("%s: %s", error.text, text);
	return json;
}

/* What is printed for these facts; and they are judged after this */
static char *explained(json_t *json)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	explain_judge(json);
	explain_text(json, stream);
	fclose(stream);
	return text;
}

#define has(text, what)							\
	do {								\
		if (!strstr(text, what))				\
			fail_msg("no \"%s\" in:\n%s", what, text);	\
	} while (0)

#define RELAY_IN_USE							\
	"{'path-id': 1, 'kind': 'relay', 'carrier': 'udp',"		\
	" 'state': 'usable', 'in-use': true, 'remote': '192.0.2.1:5292',"\
	" 'rtt-us': 12000, 'mtu': 1436}"

/* Single quotes are easier to read in C. */
static json_t *quoted(const char *text)
{
	char *copy = strdup(text);
	json_t *json;
	size_t i;

	for (i = 0; copy[i]; i++)
		if (copy[i] == '\'')
			copy[i] = '"';
	json = facts(copy);
	free(copy);
	return json;
}

static void explain__path_in_use(void **state)
{
	json_t *json = quoted("{'public-key': 'KEY', 'name': 'b',"
		"'session': true, 'handshake': 'done', 'paths': ["
		RELAY_IN_USE ", {'path-id': 2, 'kind': 'direct',"
		" 'carrier': 'udp', 'state': 'dead', 'unanswered': 3,"
		" 'unanswered-ms': 2100}],"
		"'candidates-received': [{'type': 'host', 'kind': 'direct',"
		"'address': '192.0.2.9:1', 'path-id': 2},"
		"{'type': 'relay', 'kind': 'relay', 'address': "
		"'192.0.2.1:5292', 'path-id': 1},"
		"{'type': 'mapped', 'kind': 'mapped', 'address': "
		"'192.0.2.8:7', 'refused': 'ProbeMapped = no'}]}");
	char *text = explained(json);

	(void)state;
	has(text, "b, KEY: connected, relay/udp 192.0.2.1:5292");
	has(text, "UDP: no answer to 3 probes over 2 s");
	has(text, "answers in 12.0 ms, path MTU 1436");
	has(text, "not dialled: ProbeMapped = no");
	has(text, "relay 12.0 ms is preferred to direct: direct does not answer");
	has(text, "relay 12.0 ms is preferred to mapped: not dialled: ProbeMapped = no");
	assert_true(json_is_true(json_object_get(json, "connected")));
	assert_int_equal(json_array_size(json_object_get(json, "problems")), 0);
	free(text);
	json_decref(json);
}

/* Which figure decided between two that answer */
static void explain__why(void **state)
{
	static const struct {
		const char *other;
		const char *why;
	} cases[] = {
		{ "'loss-permille': 55, 'rtt-us': 12000", "that loses 5.5%" },
		{ "'rtt-us': 80000", "that takes 80.0 ms" },
		{ "'rtt-us': 12000", "the difference is not worth a move" },
	};
	char buf[1024];
	json_t *json;
	char *text;
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		snprintf(buf, sizeof(buf), "{'public-key': 'KEY', 'paths': ["
			 RELAY_IN_USE ", {'path-id': 2, 'kind': 'direct',"
			 "'carrier': 'udp', 'state': 'usable', %s}],"
			 "'candidates-received': [{'type': 'host',"
			 "'kind': 'direct', 'address': '192.0.2.9:1',"
			 "'path-id': 2}]}", cases[i].other);
		json = quoted(buf);
		text = explained(json);
		has(text, cases[i].why);
		free(text);
		json_decref(json);
	}
}

static void explain__problems(void **state)
{
	static const struct {
		const char *facts;
		const char *problem;
	} cases[] = {
		{ "'rendezvous': [{'address': '198.51.100.6:443', 'connected':"
		  "false, 'failure': 'cannot connect to 198.51.100.6:443: Connection refused'}]",
		  "rendezvous 198.51.100.6:443: Connection refused" },
		{ "'rendezvous': [{'address': 'h:443', 'connected': false,"
		  "'failure': 'proxy answered 407'}]",
		  "rendezvous h:443: proxy answered 407" },
		{ "'forwarders': [{'address': '192.0.2.1:5292', 'attached':"
		  "false, 'gateway': false, 'failure': 'no packet comes back from it by UDP; is its port open?'}]",
		  "relay 192.0.2.1:5292: no packet comes back" },
		{ "'failure': 'no rendezvous knows it: is layad running there?'",
		  "no rendezvous knows the peer: its layad is not running" },
		{ "'failure': 'no answer', 'own-key': 'OWN'",
		  "has its configuration a [Peer] with this node's key, OWN?" },
		{ "'failure': 'no answer', 'unreadable': true",
		  "the peer's answer does not open" },
		{ "'failure': 'no memory'", "handshake: no memory" },
		{ "'forwarders': [{'address': 'r1:1', 'attached': true, 'public-key': 'K'}],"
		  "'other-paths': [{'public-key': 'K', 'carrier': 'udp', 'state': 'dead', 'unanswered': 4, 'unanswered-ms': 2000}]",
		  "relay r1:1: UDP: no answer to 4 probes over 2 s" },
		{ "'failure': 'no answer', 'stranger': 'OTHER'",
		  "claims to be of the key OTHER" },
		{ "'session': true", "this node is attached to no relay" },
		{ "'layad': 'no layad runs'", "no layad runs" },
	};
	char buf[1024];
	json_t *json;
	char *text;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(buf, sizeof(buf),
			 "{'public-key': 'KEY', 'paths': [], %s}",
			 cases[i].facts);
		json = quoted(buf);
		text = explained(json);
		has(text, "KEY: not connected");
		has(text, cases[i].problem);
		free(text);
		json_decref(json);
	}
}

static void explain__by_two_forwarders(void **state)
{
	json_t *json = quoted("{'public-key': 'KEY', 'name': 'b',"
		"'session': true, 'handshake': 'done', 'paths': ["
		"{'path-id': 1, 'kind': 'relay', 'carrier': 'udp',"
		" 'state': 'usable', 'in-use': true, 'labels': 2,"
		" 'remote': '192.0.2.1:5292', 'rtt-us': 12000, 'mtu': 1436},"
		"{'path-id': 2, 'kind': 'relay', 'carrier': 'udp',"
		" 'state': 'dead', 'unanswered': 3, 'unanswered-ms': 2100}],"
		"'candidates-received': [{'type': 'relay', 'kind': 'relay',"
		"'address': '192.0.2.9:5292', 'path-id': 2}],"
		"'detours': [{'type': 'relay', 'kind': 'relay', 'labels': 2,"
		"'address': '192.0.2.1:5292', 'far-forwarder': 'FAR',"
		"'path-id': 1}]}");
	char *text = explained(json);

	(void)state;
	has(text, "relay/udp 192.0.2.1:5292, by two forwarders");
	has(text, "answers in 12.0 ms, path MTU 1436; to the peer's forwarder FAR");
	free(text);
	json_decref(json);

	json = quoted("{'public-key': 'KEY', 'session': true,"
		"'handshake': 'done', 'paths': [],"
		"'candidates-received': [], 'detours': [{'type': 'relay',"
		"'kind': 'relay', 'address': '192.0.2.1:5292',"
		"'far-forwarder': 'FAR', 'refused': 'it does not'}]}");
	text = explained(json);
	has(text, "no way from the forwarder 192.0.2.1:5292 to the peer's FAR: it does not");
	free(text);
	json_decref(json);
}

static void explain__small_mtu(void **state)
{
	json_t *json = quoted("{'paths': [{'path-id': 1, 'kind': 'relay',"
			      "'carrier': 'udp', 'state': 'usable',"
			      "'in-use': true, 'mtu': 1096}]}");
	char *text = explained(json);

	(void)state;
	has(text, "path MTU 1096: a whole packet takes 1436");
	free(text);
	json_decref(json);
}

/* A gateway that is not there is nothing to complain of. */
static void explain__no_gateway(void **state)
{
	json_t *json = quoted("{'paths': [" RELAY_IN_USE "], 'forwarders':"
			      "[{'address': '192.0.0.10:5292', 'gateway': true,"
			      "'attached': false, 'failure': 'refused'}]}");
	char *text = explained(json);

	(void)state;
	assert_int_equal(json_array_size(json_object_get(json, "problems")), 0);
	free(text);
	json_decref(json);
}

static void explain__nothing_is_known(void **state)
{
	json_t *json = json_object();
	char *text = explained(json);

	(void)state;
	has(text, "not connected");
	free(text);
	json_decref(json);
}

static void explain__settled(void **state)
{
	static const struct {
		const char *facts;
		bool settled;
	} cases[] = {
		{ "{'busy': true, 'paths': []}", false },
		{ "{'busy': false, 'paths': []}", true },
		{ "{'paths': [{'state': 'probing'}]}", false },
		{ "{'paths': [{'state': 'dead'}]}", true },
		{ "{'paths': [{'state': 'dead'}], 'session': true, 'session-age-ms': 3000}", false },
		{ "{'paths': [{'state': 'dead'}], 'session': true, 'session-age-ms': 20000}", true },
		{ "{'paths': [{'state': 'usable', 'in-use': true, 'mtu': 1200}]}", false },
		{ "{'paths': [{'state': 'usable', 'in-use': true, 'mtu': 1252}]}", true },
		{ "{'paths': [], 'forwarders': [{'attached': false, 'gateway': false, 'state': 'binding'}]}", false },
		{ "{'paths': [], 'forwarders': [{'attached': false, 'gateway': true, 'state': 'connecting'}]}", true },
		{ "{'paths': [], 'rendezvous': [{'connected': false}]}", false },
	};
	json_t *json;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json = quoted(cases[i].facts);
		if (explain_settled(json) != cases[i].settled)
			fail_msg("%s", cases[i].facts);
		json_decref(json);
	}
}

/* What a check says of these facts: "verdict: text", or NULL */
static char *checked(const char *text, const char *name)
{
	json_t *json = quoted(text);
	json_t *checks = check_judge(json);
	const json_t *check;
	char *found = NULL;
	size_t i;

	json_array_foreach(checks, i, check) {
		if (strcmp(json_text(check, "check"), name))
			continue;
		found = malloc(EXPLAIN_SIZE);
		snprintf(found, EXPLAIN_SIZE, "%s: %s",
			 json_text(check, "verdict"), json_text(check, "text"));
		break;
	}
	json_decref(checks);
	json_decref(json);
	return found;
}

#define TWO(first, second)						\
	"'addresses': ['10.0.0.2', '192.0.2.7'], 'forwarders': ["	\
	"{'address': 'r1', 'attached': true, 'observed': '" first "'},"	\
	"{'address': 'r2', 'attached': true, 'observed': '" second "'}]"

static void check__cases(void **state)
{
	static const struct {
		const char *facts;
		const char *check;
		const char *text;
	} cases[] = {
		{ "{'module': 'not loaded'}", "module", "bad: not loaded" },
		{ "{'device': ''}", "device", "bad: there is no Laya device" },
		{ "{'layad': 'no layad runs'}", "layad", "bad: no layad runs" },
		{ "{'device-ipv6-disabled': true, 'device': 'laya0'}",
		  "IPv6 on the device", "bad: disabled" },
		{ "{'ipv4': {'source': '10.0.0.2'}, 'routers': ['10.0.0.1 (eth0)', 'fe80::1 (eth0)']}",
		  "IPv4", "ok: 10.0.0.2 leads outside by 10.0.0.1 (eth0)" },
		{ "{'ipv6': {'disabled': true}}", "IPv6", "note: disabled" },
		{ "{}", "network", "bad: no default route" },
		{ "{'nat64': {'prefix': '64:ff9b::/96'}}", "NAT64",
		  "ok: prefix 64:ff9b::/96" },
		{ "{}", "NAT64", "note: none, and no IPv4" },
		{ "{'proxy': {'https_proxy': 'http://p:3128'}}", "proxy",
		  "ok: https_proxy http://p:3128" },
		{ "{'clock': {'time': 'T', 'synchronised': true}}", "clock",
		  "ok: T, synchronised" },
		{ "{}", "rendezvous", "bad: the configuration has no" },
		{ "{'rendezvous': [{'address': 'h:443', 'connected': true}]}",
		  "rendezvous", "ok: h:443: connected by tcp" },
		{ "{'rendezvous': [{'address': 'h:443', 'failure': 'refused'}]}",
		  "rendezvous", "bad: h:443: refused" },
		{ "{'forwarders': [{'address': 'r1', 'attached': true, 'public-key': 'K'}],"
		  "'paths': [{'public-key': 'K', 'carrier': 'udp', 'state': 'dead', 'unanswered': 3, 'unanswered-ms': 900}]}",
		  "UDP", "note: r1, which is attached to by a stream: UDP: no answer to 3 probes over 900 ms" },
		{ "{'forwarders': [{'address': 'r1', 'attached': true, 'public-key': 'K'}],"
		  "'paths': [{'public-key': 'K', 'in-use': true, 'carrier': 'udp', 'state': 'usable'}]}",
		  "UDP", "ok: r1 answers" },
		{ "{'forwarders': [{'address': 'r1', 'attached': true, 'public-key': 'K'}],"
		  "'paths': [{'public-key': 'K', 'in-use': true, 'carrier': 'udp', 'state': 'usable', 'mtu': 1252}]}",
		  "path MTU", "ok: 1252 to r1" },
		{ "{" TWO("192.0.2.7:5", "192.0.2.7:5") "}", "NAT", "ok: none" },
		{ "{" TWO("198.51.100.1:5", "198.51.100.1:5") "}", "mapping",
		  "ok: endpoint-independent" },
		{ "{" TWO("198.51.100.1:5", "198.51.100.1:6") "}", "mapping",
		  "ok: depends on the destination (symmetric)" },
		{ "{'forwarders': [{'attached': true, 'observed': '198.51.100.1:5'}]}",
		  "mapping", "unknown: one relay sees" },
		{ "{'forwarders': [{'address': 'g', 'gateway': true, 'attached': true}]}",
		  "gateway", "ok: attached to g" },
		{ "{'rendezvous': [{'address': 'h', 'connected': true, 'evidence': 'certificate replaced by CN=Box'}]}",
		  "TLS", "note: h: certificate replaced by CN=Box" },
	};
	char *text;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		text = checked(cases[i].facts, cases[i].check);
		if (!text || strncmp(text, cases[i].text,
				     strlen(cases[i].text)))
			fail_msg("%s: \"%s\" instead of \"%s\"", cases[i].check,
				 text ? text : "(nothing)", cases[i].text);
		free(text);
	}
}

static void check_passed__cases(void **state)
{
	json_t *good = quoted("[{'verdict': 'ok'}, {'verdict': 'note'}]");
	json_t *bad = quoted("[{'verdict': 'ok'}, {'verdict': 'bad'}]");

	(void)state;
	assert_true(check_passed(good));
	assert_false(check_passed(bad));
	json_decref(good);
	json_decref(bad);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(explain__path_in_use),
		cmocka_unit_test(explain__why),
		cmocka_unit_test(explain__problems),
		cmocka_unit_test(explain__by_two_forwarders),
		cmocka_unit_test(explain__small_mtu),
		cmocka_unit_test(explain__no_gateway),
		cmocka_unit_test(explain__nothing_is_known),
		cmocka_unit_test(explain__settled),
		cmocka_unit_test(check__cases),
		cmocka_unit_test(check_passed__cases),
	};

	setenv("NO_COLOR", "1", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
