// SPDX-License-Identifier: GPL-2.0
/*
 * The facts alone: candidates of both directions, each with the path that it
 * became or the reason why it became none, and how the handshake went.  layactl
 * asks the kernel for what it has seen of those paths, and judges.
 */
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "candidates.h"
#include "detour.h"
#include "explain.h"
#include "kernel.h"
#include "routers.h"
#include "signalling.h"

/* Of one peer there are no more (LAYA_MAX_PATHS). */
#define MAX_PATHS	32

/**
 * struct paths - a peer's paths, while candidates are matched with them
 * @list: those that no candidate has taken yet
 * @n: how many
 */
struct paths {
	struct laya_nl_path list[MAX_PATHS];
	unsigned int n;
};

static int take_path(void *ctx, const struct laya_nl_path *path)
{
	struct paths *paths = ctx;

	if (paths->n < MAX_PATHS)
		paths->list[paths->n++] = *path;
	return 0;
}

static bool same_host(const struct laya_address *a,
		      const struct laya_address *b)
{
	return a->family == b->family &&
	       memcmp(a->addr, b->addr, laya_address_size(a)) == 0;
}

/* We dialled it: as the candidate says, labels included. */
static bool is_dialled(const struct laya_nl_path *path,
		       const struct laya_candidate *candidate)
{
	return !laya_nl_has(path, LAYA_A_PATH_ANSWERED) &&
	       laya_address_equal(&path->remote, &candidate->address) &&
	       path->n_labels == candidate->n_labels &&
	       memcmp(path->labels, candidate->labels,
		      path->n_labels * sizeof(path->labels[0])) == 0;
}

/*
 * The peer dialled it.  From a forwarder it comes from where that is; else it
 * came to one of our addresses, or through a NAT in front of them.
 */
static bool is_answered(const struct laya_nl_path *path,
			const struct laya_candidate *candidate,
			const struct locals *locals)
{
	if (!laya_nl_has(path, LAYA_A_PATH_ANSWERED))
		return false;
	if (candidate->n_labels > 0)
		return path->n_labels > 0 &&
		       laya_address_equal(&path->remote, &candidate->address);
	if (path->n_labels > 0)
		return false;
	if (candidate->type != LAYA_CANDIDATE_HOST)
		return path->kind == LAYA_PATH_KIND_MAPPED;
	if (path->kind == LAYA_PATH_KIND_MAPPED)
		return false;
	if (laya_nl_has(path, LAYA_A_PATH_LOCAL))
		return same_host(&path->local, &candidate->address);
	return locals_have(locals, &candidate->address) &&
	       path->remote.family == candidate->address.family;
}

static void set(json_t *object, const char *name, json_t *value)
{
	json_object_set_new(object, name, value);
}

static json_t *address_text(const struct laya_address *address)
{
	char text[LAYA_ADDRESS_TEXT_SIZE];

	laya_address_format(text, address);
	return json_string(text);
}

static json_t *key_text(const uint8_t *key)
{
	char text[LAYA_KEY_TEXT_SIZE];

	laya_key_encode(text, key);
	return json_string(text);
}

static json_t *describe(const struct laya_candidate *candidate)
{
	json_t *item = json_object();

	set(item, "type", json_string(laya_candidate_type_name(candidate->type)));
	set(item, "address", address_text(&candidate->address));
	/* Whoever has a label may use it, so only their number is told. */
	set(item, "labels", json_integer(candidate->n_labels));
	if (candidate->have_forwarder)
		set(item, "forwarder", key_text(candidate->forwarder));
	return item;
}

static void set_path(json_t *item, const struct paths *paths,
		     const struct laya_candidate *candidate)
{
	unsigned int i;

	for (i = 0; i < paths->n; i++) {
		if (!is_dialled(&paths->list[i], candidate))
			continue;
		set(item, "path-id", json_integer(paths->list[i].path_id));
		return;
	}
}

static json_t *received(struct peer *peer, const struct paths *paths)
{
	const struct laya_candidate *candidate;
	struct node *node = peer->node;
	json_t *list = json_array();
	const char *refused;
	uint32_t ifindex;
	unsigned int i;
	json_t *item;

	for (i = 0; i < peer->remote.n; i++) {
		candidate = &peer->remote.list[i];
		item = describe(candidate);
		set(item, "kind", json_string(laya_nl_kind_name(
			candidate_kind(candidate, &node->locals))));
		refused = candidate_refused(candidate, &node->locals,
					    node->port,
					    node->config.probe_mapped);
		if (refused)
			set(item, "refused", json_string(refused));
		else if (routers_interface(&candidate->address, &ifindex))
			set(item, "no-route", json_true());
		set_path(item, paths, candidate);
		json_array_append_new(list, item);
	}
	return list;
}

static json_t *detours(struct peer *peer, const struct paths *paths)
{
	struct detour_view views[LAYA_MAX_CANDIDATES];
	json_t *list = json_array();
	unsigned int i, n;
	json_t *item;

	n = detour_views(peer, views, LAYA_MAX_CANDIDATES);
	for (i = 0; i < n; i++) {
		item = describe(&views[i].candidate);
		set(item, "kind", json_string(laya_nl_kind_name(
			LAYA_PATH_KIND_RELAY)));
		set(item, "far-forwarder", key_text(views[i].far));
		if (views[i].up)
			set_path(item, paths, &views[i].candidate);
		else if (views[i].failure[0] != '\0')
			set(item, "refused", json_string(views[i].failure));
		else
			set(item, "refused",
			    json_string(views[i].waiting ?
					"our forwarder was asked, and has not answered yet" :
					"our forwarder was not asked yet"));
		json_array_append_new(list, item);
	}
	return list;
}

static json_t *told(struct peer *peer, struct paths *paths)
{
	json_t *list = json_array();
	unsigned int i, j;
	json_t *item;

	for (i = 0; peer->told_valid && i < peer->told.n; i++) {
		item = describe(&peer->told.list[i]);
		for (j = 0; j < paths->n; j++) {
			if (!is_answered(&paths->list[j], &peer->told.list[i],
					 &peer->node->locals))
				continue;
			set(item, "path-id",
			    json_integer(paths->list[j].path_id));
			paths->list[j] = paths->list[--paths->n];
			break;
		}
		json_array_append_new(list, item);
	}
	return list;
}

/**
 * explain_handshake() - how far is a handshake
 * @peer: with whom
 *
 * Return: a constant string, for people.
 */
const char *explain_handshake(const struct peer *peer)
{
	switch (peer->offer.phase) {
	case OFFER_WAITING:
		return "waiting for a rendezvous, the peer itself or a forwarder";
	case OFFER_SENT:
		return "offer sent";
	case OFFER_NONE:
		break;
	}
	if (peer->answer.waiting_len > 0)
		return "answering";
	return peer->session ? "done" : "none";
}

/* One that is under way already is not disturbed. */
static bool is_busy(const struct peer *peer)
{
	return (peer->offer.phase != OFFER_NONE &&
		peer->offer.via != VIA_SESSION) ||
	       peer->answer.waiting_len > 0;
}

/**
 * explain_peer() - all that we know about why a peer is reached, or is not
 * @peer: a configured peer
 * @attempt: if it is not reached, try again now, so that there is something to
 *	tell
 *
 * Return: an object; "busy" when more will be known soon.
 */
json_t *explain_peer(struct peer *peer, bool attempt)
{
	struct node *node = peer->node;
	struct paths paths = { .n = 0 };
	json_t *reply = json_object();

	if (attempt && !peer_live(peer) && !is_busy(peer)) {
		if (peer->session)
			peer_dial(peer);
		peer_wanted(peer);
	}
	if (node->nl)
		laya_nl_path_dump(node->nl, node->ifindex, peer->handshake.key,
				  take_path, &paths);
	set(reply, "ok", json_true());
	set(reply, "device", json_string(node->config.device));
	set(reply, "own-key", key_text(node->self.public_key));
	if (peer->name[0] != '\0')
		set(reply, "name", json_string(peer->name));
	set(reply, "public-key", key_text(peer->handshake.key));
	set(reply, "handshake", json_string(explain_handshake(peer)));
	set(reply, "busy", json_boolean(is_busy(peer)));
	set(reply, "session", json_boolean(peer->session));
	if (peer->session)
		set(reply, "session-age-ms",
		    json_integer(node_now(node) - peer->session_at));
	if (peer->last_failure[0] != '\0')
		set(reply, "failure", json_string(peer->last_failure));
	if (peer->unreadable)
		set(reply, "unreadable", json_true());
	if (node->strangers > 0) {
		set(reply, "strangers", json_integer(node->strangers));
		set(reply, "stranger", key_text(node->stranger));
	}
	set(reply, "signalling", signalling_describe(peer));
	set(reply, "probe-mapped", json_boolean(node->config.probe_mapped));
	set(reply, "candidates-received", received(peer, &paths));
	set(reply, "detours", detours(peer, &paths));
	set(reply, "candidates-told", told(peer, &paths));
	return reply;
}

/* A proxy as it may be shown: its password is nobody's business. */
static json_t *proxy_text(const char *url)
{
	const char *scheme = strstr(url, "://");
	const char *host = scheme ? scheme + 3 : url;
	const char *at = strrchr(host, '@');

	if (!at)
		return json_string(url);
	return json_sprintf("%.*s%s", (int)(host - url), url, at + 1);
}

/**
 * explain_network() - what layad was told or has found of this network
 * @node: ours
 * @reply: where to set it
 */
void explain_network(const struct node *node, json_t *reply)
{
	static const char * const names[] = {
		"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY",
	};
	char text[INET6_ADDRSTRLEN], interface[IF_NAMESIZE];
	const char *configured = node->config.proxy;
	json_t *routers = json_array();
	json_t *proxy = json_object();
	const struct router *router;
	const char *value;
	unsigned int i;

	for (i = 0; i < node->routers.n; i++) {
		router = &node->routers.list[i];
		if (!router->address.family ||
		    uv_inet_ntop(router->address.family, router->address.addr,
				 text, sizeof(text)))
			continue;
		if (!if_indextoname(router->ifindex, interface))
			strcpy(interface, "?");
		json_array_append_new(routers, json_sprintf("%s (%s)", text,
							    interface));
	}
	if (configured && strcmp(configured, "environment") != 0) {
		set(proxy, "Proxy", proxy_text(configured));
	} else {
		for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
			value = getenv(names[i]);
			if (value && *value)
				set(proxy, names[i], proxy_text(value));
		}
	}
	set(reply, "routers", routers);
	set(reply, "proxy", proxy);
}
