// SPDX-License-Identifier: GPL-2.0
/* A judged explanation, for people. */
#include <string.h>

#include "explain.h"

static enum colour verdict_colour(const char *verdict)
{
	if (!strcmp(verdict, "in use") || !strcmp(verdict, "usable"))
		return GREEN;
	if (!strcmp(verdict, "no answer") || !strcmp(verdict, "no route"))
		return RED;
	return YELLOW;
}

static void heading(FILE *stream, const char *text)
{
	fprintf(stream, "\n%s%s%s\n", colour(BOLD), text, colour(PLAIN));
}

static void candidates(FILE *stream, const json_t *list, const char *title)
{
	const json_t *candidate;
	const char *verdict;
	size_t i;

	heading(stream, title);
	if (!json_array_size(list))
		fputs("  (none)\n", stream);
	json_array_foreach(list, i, candidate) {
		verdict = json_text(candidate, "verdict");
		fprintf(stream, "  %-10s %-24s %s%-12s%s %s\n",
			json_text(candidate, "type"),
			json_text(candidate, "address"),
			colour(verdict_colour(verdict)), verdict,
			colour(PLAIN), json_text(candidate, "evidence"));
	}
}

static void sentences(FILE *stream, const json_t *list, const char *title)
{
	const json_t *sentence;
	size_t i;

	if (!json_array_size(list))
		return;
	heading(stream, title);
	json_array_foreach(list, i, sentence) {
		fprintf(stream, "  %s\n", json_string_value(sentence));
	}
}

static void servers(FILE *stream, const json_t *list, const char *title,
		    const char *works)
{
	const json_t *server;
	size_t i;
	bool on;

	heading(stream, title);
	if (!json_array_size(list))
		fputs("  (none)\n", stream);
	json_array_foreach(list, i, server) {
		on = json_is_true(json_object_get(server, works));
		fprintf(stream, "  %-24s %s%s%s%s",
			json_text(server, "address"),
			colour(on ? GREEN : YELLOW), on ? "" : "not ", works,
			colour(PLAIN));
		if (json_is_true(json_object_get(server, "gateway")))
			fputs(", gateway", stream);
		if (*json_text(server, "how"))
			fprintf(stream, ", %s", json_text(server, "how"));
		if (*json_text(server, "observed"))
			fprintf(stream, ", sees this node at %s",
				json_text(server, "observed"));
		if (!on && *json_text(server, "state") &&
		    strcmp(json_text(server, "state"), "idle"))
			fprintf(stream, ", %s", json_text(server, "state"));
		if (!on && *json_text(server, "failure"))
			fprintf(stream, ": %s", json_text(server, "failure"));
		if (*json_text(server, "evidence"))
			fprintf(stream, "; %s", json_text(server, "evidence"));
		fputc('\n', stream);
	}
}

/**
 * explain_text() - print an explanation
 * @facts: after explain_judge()
 * @stream: where to
 */
void explain_text(const json_t *facts, FILE *stream)
{
	bool connected = json_is_true(json_object_get(facts, "connected"));
	const json_t *path = json_object_get(facts, "path");
	const char *name = json_text(facts, "name");

	fprintf(stream, "%s%s%s%s%s: ", colour(BOLD), *name ? name : "",
		*name ? ", " : "", json_text(facts, "public-key"),
		colour(PLAIN));
	if (connected)
		fprintf(stream, "%sconnected%s, %s/%s %s%s\n", colour(GREEN),
			colour(PLAIN), json_text(path, "kind"),
			json_text(path, "carrier"), json_text(path, "remote"),
			json_integer_value(json_object_get(path, "labels")) > 1 ?
			", by two forwarders" : "");
	else
		fprintf(stream, "%snot connected%s\n", colour(RED),
			colour(PLAIN));
	sentences(stream, json_object_get(facts, "problems"),
		  connected ? "not as it should be" : "why not");
	sentences(stream, json_object_get(facts, "why"), "why this path");
	/* Without layad there is nothing else to tell. */
	if (*json_text(facts, "layad"))
		return;
	heading(stream, "handshake");
	fprintf(stream, "  %s\n", json_text(facts, "handshake"));
	candidates(stream, json_object_get(facts, "candidates-received"),
		   "tried by this node: what the peer told");
	if (json_array_size(json_object_get(facts, "detours")))
		candidates(stream, json_object_get(facts, "detours"),
			   "by two forwarders: ours leads to the peer's");
	candidates(stream, json_object_get(facts, "candidates-told"),
		   "tried by the peer: what it was told");
	if (json_array_size(json_object_get(facts, "signalling")))
		servers(stream, json_object_get(facts, "signalling"),
			"direct signalling", "connected");
	servers(stream, json_object_get(facts, "rendezvous"), "rendezvous",
		"connected");
	servers(stream, json_object_get(facts, "forwarders"),
		"relays and gateways", "attached");
}
