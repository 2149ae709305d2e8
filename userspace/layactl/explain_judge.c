// SPDX-License-Identifier: GPL-2.0
/*
 * From what layad and the kernel know of a peer to what is the matter.  Adds to
 * the facts, and asks nobody:
 *
 *	candidates-*[]	"verdict" and "evidence"; likewise detours[]
 *	connected	whether packets go through now
 *	path		the path in use
 *	why		why not another way
 *	problems	what is wrong, the likeliest cause first
 */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "explain.h"

/* A whole packet of the device with two labels; LAYA_PATH_MAX_MTU */
#define WHOLE_MTU	1436
/* What a path is thought to carry before it is known: LAYA_PATH_BASE_MTU */
#define BASE_MTU	1200
/* Differences that are worth telling */
#define RTT_MORE_US	1000
#define LOSS_MORE	10
/* A session without a path may still get one */
#define YOUNG_MS	10000

/* The better ones first, all else being equal: enum laya_path_kind */
static const char *const kinds[] = {
	"lan", "direct", "mapped", "gateway", "peer-relay", "relay",
};

/**
 * json_text() - a text in an object
 * @object: the object
 * @name: of the member
 *
 * Return: the text; empty if there is none.
 */
const char *json_text(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

static json_int_t number(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

static bool is(const json_t *object, const char *name)
{
	return json_is_true(json_object_get(object, name));
}

static void add(json_t *list, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Said once, however often it is found */
static void add(json_t *list, const char *format, ...)
{
	char text[2 * EXPLAIN_SIZE];
	const json_t *old;
	va_list args;
	size_t i;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	json_array_foreach(list, i, old) {
		if (!strcmp(json_string_value(old), text))
			return;
	}
	json_array_append_new(list, json_string(text));
}

/* "40 ms", "2 s", "3 minutes, 20 seconds" */
static const char *duration(char text[FORMAT_SIZE], uint64_t ms)
{
	if (ms >= 120000)
		return format_ago(text, ms);
	if (ms < 1000)
		snprintf(text, FORMAT_SIZE, "%" PRIu64 " ms", ms);
	else
		snprintf(text, FORMAT_SIZE, "%" PRIu64 " s", (ms + 500) / 1000);
	return text;
}

static const char *carrier(char text[FORMAT_SIZE], const json_t *path)
{
	const char *name = json_text(path, "carrier");
	size_t i;

	for (i = 0; i < FORMAT_SIZE - 1 && name[i]; i++)
		text[i] = toupper(name[i]);
	text[i] = '\0';
	return text;
}

static json_t *find_path(const json_t *facts, const json_t *candidate)
{
	const json_t *id = json_object_get(candidate, "path-id");
	json_t *path;
	size_t i;

	if (!id)
		return NULL;
	json_array_foreach(json_object_get(facts, "paths"), i, path) {
		if (json_equal(id, json_object_get(path, "path-id")))
			return path;
	}
	return NULL;
}

static json_t *find_in_use(const json_t *facts)
{
	json_t *path;
	size_t i;

	json_array_foreach(json_object_get(facts, "paths"), i, path) {
		if (is(path, "in-use"))
			return path;
	}
	return NULL;
}

static bool has_state(const json_t *path, const char *state)
{
	return !strcmp(json_text(path, "state"), state);
}

/* "no answer to 3 probes over 2 s, last heard of 1 minute ago" */
static void silence(const json_t *path, char text[EXPLAIN_SIZE])
{
	const json_t *heard = json_object_get(path, "last-rx-ms");
	json_int_t n = number(path, "unanswered");
	char name[FORMAT_SIZE], ms[FORMAT_SIZE];
	int len;

	if (n)
		len = snprintf(text, EXPLAIN_SIZE,
			       "%s: no answer to %" JSON_INTEGER_FORMAT
			       " probe%s over %s", carrier(name, path), n,
			       n == 1 ? "" : "s",
			       duration(ms, number(path, "unanswered-ms")));
	else if (strcmp(json_text(path, "carrier"), "udp"))
		len = snprintf(text, EXPLAIN_SIZE, "%s: the connection ended",
			       carrier(name, path));
	else
		len = snprintf(text, EXPLAIN_SIZE, "%s: nothing comes any more",
			       carrier(name, path));
	if (heard && len < EXPLAIN_SIZE)
		snprintf(text + len, EXPLAIN_SIZE - len,
			 "; last heard of %s ago",
			 duration(ms, json_integer_value(heard)));
}

/* "answers in 12.3 ms, path MTU 1420, loss 1.2%, 3.00 MiB/s arrived" */
static void figures(const json_t *path, char text[EXPLAIN_SIZE])
{
	json_int_t loss = number(path, "loss-permille");
	json_int_t rtt = number(path, "rtt-us");
	char value[FORMAT_SIZE];
	int len;

	if (rtt)
		len = snprintf(text, EXPLAIN_SIZE, "answers in %s",
			       format_rtt(value, rtt));
	else
		len = snprintf(text, EXPLAIN_SIZE, "answers");
	len += snprintf(text + len, EXPLAIN_SIZE - len,
			", path MTU %" JSON_INTEGER_FORMAT,
			number(path, "mtu"));
	if (loss)
		len += snprintf(text + len, EXPLAIN_SIZE - len,
				", loss %" JSON_INTEGER_FORMAT
				".%" JSON_INTEGER_FORMAT "%%", loss / 10,
				loss % 10);
	if (number(path, "goodput"))
		snprintf(text + len, EXPLAIN_SIZE - len, ", %s/s arrived",
			 format_bytes(value, number(path, "goodput")));
}

static const char *judge_path(const json_t *path, char text[EXPLAIN_SIZE])
{
	char name[FORMAT_SIZE];

	if (has_state(path, "usable")) {
		figures(path, text);
		return is(path, "in-use") ? "in use" : "usable";
	}
	if (has_state(path, "probing")) {
		if (number(path, "unanswered"))
			snprintf(text, EXPLAIN_SIZE, "%s: %" JSON_INTEGER_FORMAT
				 " probes sent, no answer yet", carrier(name, path),
				 number(path, "unanswered"));
		else
			snprintf(text, EXPLAIN_SIZE,
				 "%s: no probe was sent yet",
				 carrier(name, path));
		return "probing";
	}
	silence(path, text);
	return has_state(path, "suspect") ? "suspect" : "no answer";
}

static void judge_candidate(const json_t *facts, json_t *candidate, bool ours)
{
	const char *refused = json_text(candidate, "refused");
	const json_t *path = find_path(facts, candidate);
	const char *verdict = "not dialled";
	char text[EXPLAIN_SIZE];

	if (*refused) {
		snprintf(text, sizeof(text), "not dialled: %s", refused);
	} else if (path) {
		verdict = judge_path(path, text);
	} else if (!ours) {
		verdict = "nothing came";
		snprintf(text, sizeof(text),
			 "no packet of the peer has come this way");
	} else {
		snprintf(text, sizeof(text), "not dialled: %s",
			 is(facts, "session") ? "it has no path in the kernel" :
			 "there is no session");
	}
	if (is(candidate, "no-route") && !(path && has_state(path, "usable"))) {
		verdict = "no route";
		snprintf(text, sizeof(text),
			 "this machine has no route to that address");
	}
	json_object_set_new(candidate, "verdict", json_string(verdict));
	json_object_set_new(candidate, "evidence", json_string(text));
}

static size_t kind_rank(const json_t *path)
{
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kinds[i], json_text(path, "kind")))
			break;
	return i;
}

/* What decides between two paths that answer; see kernel/path_rank.c */
static void compare(const json_t *best, const json_t *other,
		    char text[EXPLAIN_SIZE])
{
	json_int_t loss = number(other, "loss-permille");
	json_int_t rate = number(other, "goodput");
	json_int_t rtt = number(other, "rtt-us");
	char value[FORMAT_SIZE];

	if (loss >= number(best, "loss-permille") + LOSS_MORE)
		snprintf(text, EXPLAIN_SIZE, "that loses %"
			 JSON_INTEGER_FORMAT ".%" JSON_INTEGER_FORMAT
			 "%% of the packets", loss / 10, loss % 10);
	else if (rate && number(best, "goodput") / 4 * 3 > rate)
		snprintf(text, EXPLAIN_SIZE, "by that only %s/s arrived",
			 format_bytes(value, rate));
	else if (rtt > number(best, "rtt-us") + RTT_MORE_US)
		snprintf(text, EXPLAIN_SIZE, "that takes %s",
			 format_rtt(value, rtt));
	else if (strcmp(json_text(other, "carrier"), "udp") &&
		 !strcmp(json_text(best, "carrier"), "udp"))
		snprintf(text, EXPLAIN_SIZE,
			 "in a stream, what is lost holds up what comes after");
	else if (kind_rank(best) < kind_rank(other))
		snprintf(text, EXPLAIN_SIZE,
			 "it is no faster, and a detour");
	else
		snprintf(text, EXPLAIN_SIZE,
			 "the difference is not worth a move");
}

/* "relay 12.0 ms is preferred to direct: direct does not answer" */
static void explain_choice(const json_t *facts, const json_t *best, json_t *why)
{
	const char *const lists[] = { "candidates-received", "detours",
				      "candidates-told" };
	const size_t theirs = 2;
	char text[EXPLAIN_SIZE], mine[FORMAT_SIZE], rtt[FORMAT_SIZE];
	const json_t *candidate;
	const json_t *path;
	const char *kind;
	size_t i, j;

	snprintf(mine, sizeof(mine), "%s %s", json_text(best, "kind"),
		 format_rtt(rtt, number(best, "rtt-us")));
	for (i = 0; i <= theirs; i++) {
		json_array_foreach(json_object_get(facts, lists[i]), j,
				   candidate) {
			path = find_path(facts, candidate);
			if (path == best)
				continue;
			if (path && has_state(path, "usable")) {
				compare(best, path, text);
				add(why, "%s is preferred to %s/%s %s%s: %s",
				    mine, json_text(path, "kind"),
				    json_text(path, "carrier"),
				    json_text(candidate, "address"),
				    i == theirs ? ", dialled by the peer" : "",
				    text);
				continue;
			}
			/* What the peer tries is the peer's to explain. */
			kind = json_text(candidate, "kind");
			if (i == theirs || kind_rank(candidate) >= kind_rank(best))
				continue;
			if (path && !is(candidate, "no-route"))
				add(why, "%s is preferred to %s: %s %s", mine,
				    kind, kind, has_state(path, "probing") ?
				    "has not answered yet" : "does not answer");
			else
				add(why, "%s is preferred to %s: %s",
				    mine, kind,
				    json_text(candidate, "evidence"));
		}
	}
}

/* The address is said before it: "cannot connect to 192.0.2.1: refused" */
static const char *shorten(const char *failure)
{
	const char *colon;

	if (strncmp(failure, "cannot connect to ", 18))
		return failure;
	colon = strstr(failure, ": ");
	return colon ? colon + 2 : failure;
}

/* Return: how many there are that work. */
static unsigned int judge_servers(const json_t *list, const char *title,
				  const char *works, json_t *problems)
{
	const json_t *server;
	const char *failure;
	unsigned int n = 0;
	size_t i;

	json_array_foreach(list, i, server) {
		failure = shorten(json_text(server, "failure"));
		if (is(server, works))
			n++;
		/* Hardly any network has a gateway. */
		else if (*failure && !is(server, "gateway"))
			add(problems, "%s %s: %s", title,
			    json_text(server, "address"), failure);
	}
	return n;
}

/**
 * explain_udp() - has a forwarder answered by UDP
 * @paths: of the kernel, with keys
 * @server: the forwarder
 * @text: what was seen, if it has not
 *
 * Return: 1 if it has, 0 if not, -1 if it was not tried.
 */
int explain_udp(const json_t *paths, const json_t *server,
		char text[EXPLAIN_SIZE])
{
	const json_t *path;
	int found = -1;
	size_t i;

	json_array_foreach(paths, i, path) {
		if (strcmp(json_text(path, "carrier"), "udp") ||
		    strcmp(json_text(path, "public-key"),
			   json_text(server, "public-key")))
			continue;
		if (has_state(path, "usable"))
			return 1;
		/* A late answer may still come. */
		if (has_state(path, "probing"))
			continue;
		silence(path, text);
		found = 0;
	}
	return found;
}

/* Attached all the same: by a stream */
static void judge_udp(const json_t *facts, json_t *problems)
{
	const json_t *paths = json_object_get(facts, "other-paths");
	const json_t *server;
	char text[EXPLAIN_SIZE];
	size_t i;

	json_array_foreach(json_object_get(facts, "forwarders"), i, server) {
		if (is(server, "attached") &&
		    !explain_udp(paths, server, text))
			add(problems, "relay %s: %s",
			    json_text(server, "address"), text);
	}
}

static void judge_handshake(const json_t *facts, json_t *problems)
{
	const char *failure = json_text(facts, "failure");
	char ago[FORMAT_SIZE];

	if (is(facts, "unreadable"))
		add(problems,
		    "the peer's answer does not open: is PresharedKeyFile the same on both sides?");
	/* Why, those say that are not. */
	if (!*failure || !strcmp(failure, "no rendezvous is connected") ||
	    (!strcmp(failure, "it is not connected") &&
	     json_array_size(json_object_get(facts, "signalling"))))
		return;
	if (!strncmp(failure, "no rendezvous knows it", 22))
		add(problems,
		    "no rendezvous knows the peer: its layad is not running, or is not connected to the same rendezvous, or its key is not %s",
		    json_text(facts, "public-key"));
	else if (!strcmp(failure, "no answer") && !is(facts, "unreadable"))
		add(problems,
		    "the peer does not answer our offer: has its configuration a [Peer] with this node's key, %s?",
		    json_text(facts, "own-key"));
	else if (strcmp(failure, "no answer") &&
		 strcmp(failure, "no path came up"))
		add(problems, "handshake: %s", failure);
	if (json_object_get(facts, "stranger"))
		add(problems,
		    "an offer was ignored that claims to be of the key %s: is that the peer's?",
		    json_text(facts, "stranger"));
	if (is(facts, "session"))
		add(problems, "the session is %s old, and no path answers",
		    duration(ago, number(facts, "session-age-ms")));
}

/* There are keys, but no way */
static void judge_no_path(const json_t *facts, unsigned int attached,
			  json_t *problems)
{
	const json_t *candidate;
	bool relayed = false;
	size_t i;

	json_array_foreach(json_object_get(facts, "candidates-received"), i,
			   candidate) {
		relayed |= number(candidate, "labels") > 0;
	}
	if (!relayed)
		add(problems, "the peer is attached to no relay or gateway");
	if (!attached)
		add(problems, "this node is attached to no relay or gateway");
	if (!*json_text(facts, "failure"))
		add(problems, "there is a session, and no path answers");
}

/* Where our forwarder is to lead to the peer's */
static void judge_detours(const json_t *facts, json_t *problems)
{
	char text[EXPLAIN_SIZE];
	json_t *detour;
	size_t i;

	json_array_foreach(json_object_get(facts, "detours"), i, detour) {
		judge_candidate(facts, detour, true);
		snprintf(text, sizeof(text), "%s; to the peer's forwarder %s",
			 json_text(detour, "evidence"),
			 json_text(detour, "far-forwarder"));
		if (*json_text(detour, "refused") && !is(facts, "connected"))
			add(problems, "no way from the forwarder %s to the peer's %s: %s",
			    json_text(detour, "address"),
			    json_text(detour, "far-forwarder"),
			    json_text(detour, "refused"));
		json_object_set_new(detour, "evidence", json_string(text));
	}
}

static void judge_mtu(const json_t *path, json_t *problems)
{
	json_int_t mtu = number(path, "mtu");

	if (mtu && mtu < WHOLE_MTU)
		add(problems, "path MTU %" JSON_INTEGER_FORMAT
		    ": a whole packet takes %d, so they are cut", mtu,
		    WHOLE_MTU);
}

/**
 * explain_judge() - draw conclusions
 * @facts: layad's answer to "explain", and "paths" of the peer as the kernel
 *	has them; without layad, "layad" says why it did not answer
 */
void explain_judge(json_t *facts)
{
	json_t *problems = json_array();
	json_t *why = json_array();
	unsigned int attached = 0;
	json_t *best = find_in_use(facts);
	json_t *candidate;
	bool connected;
	size_t i;

	connected = best && has_state(best, "usable");
	json_object_set_new(facts, "connected", json_boolean(connected));
	if (best)
		json_object_set(facts, "path", best);
	json_array_foreach(json_object_get(facts, "candidates-received"), i,
			   candidate) {
		judge_candidate(facts, candidate, true);
	}
	json_array_foreach(json_object_get(facts, "candidates-told"), i,
			   candidate) {
		judge_candidate(facts, candidate, false);
	}
	judge_detours(facts, problems);
	if (connected)
		explain_choice(facts, best, why);

	if (*json_text(facts, "layad"))
		add(problems, "%s", json_text(facts, "layad"));
	judge_servers(json_object_get(facts, "signalling"), "endpoint",
		      "connected", problems);
	judge_servers(json_object_get(facts, "rendezvous"), "rendezvous",
		      "connected", problems);
	attached = judge_servers(json_object_get(facts, "forwarders"), "relay",
				 "attached", problems);
	judge_udp(facts, problems);
	if (!connected)
		judge_handshake(facts, problems);
	if (!connected && is(facts, "session"))
		judge_no_path(facts, attached, problems);
	if (connected)
		judge_mtu(best, problems);
	json_object_set_new(facts, "why", why);
	json_object_set_new(facts, "problems", problems);
}

/**
 * servers_settled() - have all servers been tried
 * @facts: with "signalling", "rendezvous" and "forwarders" of layad
 *
 * Return: false while one is being tried for the first time. Gateways are not
 * waited for.
 */
bool servers_settled(const json_t *facts)
{
	const json_t *server;
	size_t i;

	json_array_foreach(json_object_get(facts, "signalling"), i, server) {
		if (!is(server, "connected") && !*json_text(server, "failure"))
			return false;
	}
	json_array_foreach(json_object_get(facts, "rendezvous"), i, server) {
		if (!is(server, "connected") && !*json_text(server, "failure"))
			return false;
	}
	json_array_foreach(json_object_get(facts, "forwarders"), i, server) {
		if (!is(server, "attached") && !is(server, "gateway") &&
		    !*json_text(server, "failure") &&
		    strcmp(json_text(server, "state"), "idle"))
			return false;
	}
	return true;
}

/**
 * explain_settled() - will waiting tell more
 * @facts: as for explain_judge()
 *
 * Return: false while a handshake is under way, a server is being tried without
 * which there is no way, or an answer to a probe may still come.
 */
bool explain_settled(const json_t *facts)
{
	const json_t *best = find_in_use(facts);
	const json_t *path;
	size_t i;

	if (is(facts, "busy") || (!best && !servers_settled(facts)))
		return false;
	/* A peer that has only just attached to a relay tells it now. */
	if (!best && is(facts, "session") &&
	    number(facts, "session-age-ms") < YOUNG_MS)
		return false;
	json_array_foreach(json_object_get(facts, "paths"), i, path) {
		if (has_state(path, "probing") || has_state(path, "suspect"))
			return false;
	}
	/* What it carries is being found out. */
	return !best || number(best, "mtu") != BASE_MTU;
}
