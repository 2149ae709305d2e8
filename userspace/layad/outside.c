// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include "attach.h"
#include "gateway.h"
#include "kernel.h"
#include "log.h"
#include "outside.h"

/* Of what a host tells, so much is dialled */
#define MAX_ASKED	2
/* 200, 600, 1400, 3000 and 6200 ms after they were told */
#define FIRST_LOOK_MS	200
#define LOOKS		5

/* Somebody outside, or who may be */
static bool is_relay(const struct forwarder *forwarder)
{
	return !forwarder->gateway;
}

/**
 * outside_reached() - has somebody outside reached us by an address
 * @node: ours
 * @address: a gateway's
 *
 * Return: whether somebody has, in this network.
 */
bool outside_reached(const struct node *node,
		     const struct laya_address *address)
{
	return laya_addresses_have(&node->reached, address);
}

/**
 * outside_seen() - has somebody outside seen us at an address of our own
 * @node: ours, a gateway
 * @address: the address
 *
 * Its probes come to where it sees us: a NAT above would have another address.
 *
 * Return: whether a relay does.
 */
bool outside_seen(const struct node *node, const struct laya_address *address)
{
	const struct forwarder *forwarder;

	TAILQ_FOREACH(forwarder, &node->forwarders, entry) {
		if (is_relay(forwarder) && forwarder->have_observed &&
		    laya_address_equal(&forwarder->observed, address))
			return true;
	}
	return false;
}

/**
 * outside_may_ask() - is there somebody who can be asked
 * @node: ours
 *
 * Return: whether a relay is there, or is being tried for the first time.
 */
bool outside_may_ask(const struct node *node)
{
	const struct forwarder *forwarder;

	TAILQ_FOREACH(forwarder, &node->forwarders, entry) {
		if (is_relay(forwarder) &&
		    (forwarder->state == FORWARDER_UP ||
		     (forwarder->state != FORWARDER_IDLE &&
		      forwarder->backoff.tries == 0)))
			return true;
	}
	return false;
}

/**
 * outside_can_ask() - is there somebody who answers
 * @node: ours
 *
 * Return: whether we are attached to a relay.
 */
bool outside_can_ask(const struct node *node)
{
	const struct forwarder *forwarder;

	TAILQ_FOREACH(forwarder, &node->forwarders, entry) {
		if (is_relay(forwarder) && forwarder->state == FORWARDER_UP)
			return true;
	}
	return false;
}

/**
 * outside_offers() - do we tell peers that we are reached by a gateway
 * @gateway: the gateway
 * @address: where it says that it is
 *
 * Where nobody can be asked, neither by us nor by it, the peers' probes show it.
 *
 * Return: whether we do.
 */
bool outside_offers(const struct forwarder *gateway,
		    const struct laya_address *address)
{
	return outside_reached(gateway->node, address) ||
	       (!gateway->above_told && !outside_may_ask(gateway->node));
}

/* A path that a relay dialled by a gateway: it has seen us at which address? */
static int look_at(void *ctx, const struct laya_nl_path *path)
{
	struct node *node = ctx;
	struct laya_addresses *reached = &node->reached;
	char text[LAYA_ADDRESS_TEXT_SIZE];

	if (!laya_nl_has(path, LAYA_A_PATH_ANSWERED) ||
	    !laya_nl_has(path, LAYA_A_PATH_OBSERVED) ||
	    path->kind != LAYA_PATH_KIND_GATEWAY ||
	    path->state != LAYA_PATH_STATE_USABLE ||
	    outside_reached(node, &path->observed))
		return 0;
	/* The oldest makes room: more than a few are none of one network. */
	if (reached->n == LAYA_MAX_ADDRESSES)
		memmove(reached->list, reached->list + 1,
			--reached->n * sizeof(reached->list[0]));
	reached->list[reached->n++] = path->observed;
	laya_address_format(text, &path->observed);
	laya_info("reached from outside at %s", text);
	node_candidates_changed(node);
	return 0;
}

/* The kernel does not tell of paths that are not in use. */
static void on_look(void *data)
{
	struct node *node = data;
	struct forwarder *forwarder;

	TAILQ_FOREACH(forwarder, &node->forwarders, entry) {
		if (is_relay(forwarder) && forwarder->peer)
			laya_nl_path_dump(node->nl, node->ifindex,
					  forwarder->key, look_at, node);
	}
	if (++node->looks < LOOKS)
		timer_start(node->look, FIRST_LOOK_MS << node->looks);
}

/**
 * outside_told() - a relay is being told where gateways say that we are reached
 * @node: ours
 */
void outside_told(struct node *node)
{
	node->looks = 0;
	timer_start(node->look, FIRST_LOOK_MS);
}

/**
 * outside_start() - get ready to look what comes from outside
 * @node: ours
 *
 * Return: 0 or -ENOMEM.
 */
int outside_start(struct node *node)
{
	node->look = timer_new(node->loop, on_look, node);
	return node->look ? 0 : -ENOMEM;
}

/**
 * outside_stop() - look no more
 * @node: ours
 */
void outside_stop(struct node *node)
{
	timer_free(node->look);
	node->look = NULL;
}

/**
 * outside_forget() - we are somewhere else
 * @node: ours
 */
void outside_forget(struct node *node)
{
	struct forwarder *forwarder;

	node->reached.n = 0;
	TAILQ_FOREACH(forwarder, &node->forwarders, entry)
		outside_again(forwarder);
}

/**
 * outside_again() - ask once more for what has not been reached
 * @relay: whom
 */
void outside_again(struct forwarder *relay)
{
	struct laya_candidates *told;
	unsigned int i;

	if (!is_relay(relay) || !relay->peer || !relay->peer->told_valid)
		return;
	told = &relay->peer->told;
	for (i = 0; i < told->n; i++) {
		if (told->list[i].type == LAYA_CANDIDATE_GATEWAY &&
		    !outside_reached(relay->node, &told->list[i].address))
			break;
	}
	if (i == told->n)
		return;
	relay->peer->told_valid = false;
	node_candidates_changed(relay->node);
}

struct seen {
	const struct laya_address *claimed;
	bool theirs;
};

static int look(void *ctx, const struct laya_nl_path *path)
{
	struct seen *seen = ctx;

	if (path->state == LAYA_PATH_STATE_USABLE && path->n_labels == 0 &&
	    laya_nl_has(path, LAYA_A_PATH_REMOTE) &&
	    laya_address_is_near(seen->claimed, &path->remote))
		seen->theirs = true;
	return 0;
}

/**
 * outside_asked() - a host that is attached to us tells where it may be reached
 * @host: the host, which is none of our peers
 * @candidates: there
 *
 * It is dialled as a peer would be, with three small probes, and only where we see
 * the host, or anybody who attaches could point us at anybody.
 */
void outside_asked(struct peer *host, const struct laya_candidates *candidates)
{
	const struct laya_candidate *candidate;
	char text[LAYA_ADDRESS_TEXT_SIZE];
	struct node *node = host->node;
	unsigned int left = MAX_ASKED;
	unsigned int i;

	/* A host of our gateway is not outside of it. */
	if (attach_is_inside(host) || !attach_may_ask(host))
		return;
	for (i = 0; i < candidates->n && left > 0; i++) {
		struct seen seen = { .claimed = &candidates->list[i].address };

		candidate = &candidates->list[i];
		if (candidate->type != LAYA_CANDIDATE_GATEWAY ||
		    candidate->address.port != LAYA_DEFAULT_PORT ||
		    candidate_refused(candidate, &node->locals, node->port,
				      false) ||
		    laya_nl_path_dump(node->nl, node->ifindex,
				      host->handshake.key, look, &seen))
			continue;
		if (!seen.theirs) {
			laya_address_format(text, &candidate->address);
			laya_debug("%s: is not seen at its gateway's %s, which is not dialled",
				   peer_text(host), text);
			continue;
		}
		kernel_path_new(host, LAYA_PATH_KIND_GATEWAY,
				KERNEL_CARRIER_UDP, &candidate->address,
				candidate);
		left--;
	}
}

struct dialled {
	unsigned int n;
	uint16_t ids[4 * MAX_ASKED];
};

static int collect(void *ctx, const struct laya_nl_path *path)
{
	struct dialled *dialled = ctx;

	if (!laya_nl_has(path, LAYA_A_PATH_ANSWERED) &&
	    dialled->n < sizeof(dialled->ids) / sizeof(dialled->ids[0]))
		dialled->ids[dialled->n++] = path->path_id;
	return 0;
}

/**
 * outside_done() - the host knows what it asked for; or it never will
 * @host: the host; what was dialled for it is of no other use
 */
void outside_done(struct peer *host)
{
	struct dialled dialled = {};
	struct node *node = host->node;
	unsigned int i;

	laya_nl_path_dump(node->nl, node->ifindex, host->handshake.key,
			  collect, &dialled);
	for (i = 0; i < dialled.n; i++)
		laya_nl_path_del(node->nl, node->ifindex, host->handshake.key,
				 dialled.ids[i]);
}
