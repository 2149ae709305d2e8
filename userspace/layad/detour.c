// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "control_port.h"
#include "detour.h"
#include "kernel.h"
#include "log.h"

#define RENEW_MS	60000
/* Between two requests for the same */
#define ASK_MS		5000
/* What a forwarder leads one host to (lib/trunk.h) */
#define MAX_OF_ONE	4

/**
 * struct detour - from a forwarder of ours to one of a peer's
 * @entry: in node->detours
 * @node: ours
 * @via: ours
 * @far: the peer's
 * @addresses: where peers say that @far is
 * @waiting: for an answer
 * @id: of the request
 * @asked: when it was made; 0 is never
 * @up: @label is good
 * @label: leads from @via to @far, and is for us alone
 * @timer: is it still needed
 * @failure: why it is not @up, for people
 */
struct detour {
	TAILQ_ENTRY(detour) entry;
	struct node *node;
	uint8_t via[LAYA_KEY_SIZE];
	uint8_t far[LAYA_KEY_SIZE];
	struct laya_addresses addresses;
	bool waiting;
	uint64_t id;
	uint64_t asked;
	bool up;
	uint8_t label[LAYA_LABEL_SIZE];
	struct timer *timer;
	char failure[160];
};

static void on_timer(void *data);

/* Return: whether we are attached to a relay, or a peer, of that key. */
static struct forwarder *attached(const struct node *node, const uint8_t *key)
{
	struct forwarder *forwarder;

	TAILQ_FOREACH(forwarder, &node->forwarders, entry) {
		if (forwarder->state == FORWARDER_UP && !forwarder->gateway &&
		    laya_key_equal(forwarder->key, key))
			return forwarder;
	}
	return NULL;
}

/* The peer is there, and we are not; and there is room for a second label. */
static bool leads_from(const struct node *node,
		       const struct laya_candidate *candidate)
{
	return (candidate->type == LAYA_CANDIDATE_RELAY ||
		candidate->type == LAYA_CANDIDATE_PEER_RELAY) &&
	       candidate->n_labels == 1 && candidate->have_forwarder &&
	       !laya_key_equal(candidate->forwarder, node->self.public_key) &&
	       !attached(node, candidate->forwarder);
}

static struct detour *find(const struct node *node, const uint8_t *via,
			   const uint8_t *far)
{
	struct detour *detour;

	TAILQ_FOREACH(detour, &node->detours, entry) {
		if (laya_key_equal(detour->via, via) &&
		    laya_key_equal(detour->far, far))
			return detour;
	}
	return NULL;
}

static struct detour *find_id(const struct peer *from, uint64_t id)
{
	struct detour *detour;

	TAILQ_FOREACH(detour, &from->node->detours, entry) {
		if (detour->waiting && detour->id == id &&
		    laya_key_equal(detour->via, from->handshake.key))
			return detour;
	}
	return NULL;
}

static void remove_detour(struct detour *detour)
{
	TAILQ_REMOVE(&detour->node->detours, detour, entry);
	timer_free(detour->timer);
	free(detour);
}

static struct detour *add(struct node *node, const uint8_t *via,
			  const uint8_t *far)
{
	struct detour *detour;
	unsigned int n = 0;

	TAILQ_FOREACH(detour, &node->detours, entry)
		n += laya_key_equal(detour->via, via);
	if (n >= MAX_OF_ONE)
		return NULL;
	detour = calloc(1, sizeof(*detour));
	if (!detour)
		return NULL;
	detour->timer = timer_new(node->loop, on_timer, detour);
	if (!detour->timer) {
		free(detour);
		return NULL;
	}
	detour->node = node;
	memcpy(detour->via, via, LAYA_KEY_SIZE);
	memcpy(detour->far, far, LAYA_KEY_SIZE);
	TAILQ_INSERT_TAIL(&node->detours, detour, entry);
	return detour;
}

/* The newest first: where it was before it may not be any more. */
static void note_address(struct detour *detour,
			 const struct laya_address *address)
{
	struct laya_addresses *list = &detour->addresses;
	unsigned int i;

	for (i = 0; i < list->n; i++) {
		if (laya_address_equal(&list->list[i], address))
			break;
	}
	if (i == LAYA_MAX_ADDRESSES)
		i--;
	else if (i == list->n)
		list->n++;
	memmove(list->list + 1, list->list, i * sizeof(list->list[0]));
	list->list[0] = *address;
}

static void failed(struct detour *detour, const char *reason)
{
	detour->waiting = false;
	detour->up = false;
	snprintf(detour->failure, sizeof(detour->failure), "%s", reason);
	timer_start(detour->timer, RENEW_MS);
	laya_debug("a detour: %s", reason);
}

static void on_answered(struct peer *from, int error)
{
	struct node *node = from->node;
	struct detour *detour;

	if (!error)
		return;
	TAILQ_FOREACH(detour, &node->detours, entry) {
		if (detour->waiting &&
		    laya_key_equal(detour->via, from->handshake.key) &&
		    node_now(node) - detour->asked >= ASK_MS)
			failed(detour, "our forwarder does not answer; perhaps it leads to no other");
	}
}

static void ask(struct detour *detour)
{
	struct laya_message message = { .type = LAYA_MESSAGE_TRUNK_REQUEST };
	struct forwarder *forwarder = attached(detour->node, detour->via);
	uint64_t now = node_now(detour->node);

	if (!forwarder || (detour->asked && now - detour->asked < ASK_MS))
		return;
	randombytes_buf(&message.id, sizeof(message.id));
	memcpy(message.trunk_request.key, detour->far, LAYA_KEY_SIZE);
	message.trunk_request.addresses = detour->addresses;
	if (control_port_request(forwarder->peer, &message, on_answered))
		return;
	detour->waiting = true;
	detour->id = message.id;
	detour->asked = now;
}

/* Return: the peer's candidate at the far end, the first of those that are one. */
static const struct laya_candidate *at_far(const struct detour *detour,
					   const struct peer *peer)
{
	const struct laya_candidate *candidate;
	unsigned int i;

	for (i = 0; i < peer->remote.n; i++) {
		candidate = &peer->remote.list[i];
		if (leads_from(peer->node, candidate) &&
		    laya_key_equal(candidate->forwarder, detour->far))
			return candidate;
	}
	return NULL;
}

/**
 * detour_again() - ask for the detours that were asked for before
 * @peer: the peer, which has no path
 */
void detour_again(struct peer *peer)
{
	struct detour *detour;

	TAILQ_FOREACH(detour, &peer->node->detours, entry) {
		if (at_far(detour, peer))
			ask(detour);
	}
}

/**
 * detour_ask() - have our forwarders lead to those of a peer
 * @peer: the peer, which no path reaches
 */
void detour_ask(struct peer *peer)
{
	struct node *node = peer->node;
	const struct laya_candidate *candidate;
	struct forwarder *forwarder;
	struct detour *detour;
	unsigned int i;

	TAILQ_FOREACH(forwarder, &node->forwarders, entry) {
		if (forwarder->state != FORWARDER_UP || forwarder->gateway)
			continue;
		for (i = 0; i < peer->remote.n; i++) {
			candidate = &peer->remote.list[i];
			if (!leads_from(node, candidate))
				continue;
			detour = find(node, forwarder->key,
				      candidate->forwarder);
			if (!detour)
				detour = add(node, forwarder->key,
					     candidate->forwarder);
			if (detour)
				note_address(detour, &candidate->address);
		}
	}
	/* Once for all its addresses */
	detour_again(peer);
}

struct look {
	const struct detour *detour;
	bool found;
};

static int look(void *ctx, const struct laya_nl_path *path)
{
	struct look *look = ctx;

	look->found |= laya_nl_has(path, LAYA_A_PATH_IN_USE) &&
		       path->n_labels == 2 &&
		       memcmp(path->labels[0], look->detour->label,
			      LAYA_LABEL_SIZE) == 0;
	return 0;
}

static bool in_use(const struct detour *detour)
{
	struct look looking = { .detour = detour };
	struct node *node = detour->node;
	struct peer *peer;

	TAILQ_FOREACH(peer, &node->peers, entry) {
		if (peer->configured && peer->session && at_far(detour, peer))
			laya_nl_path_dump(node->nl, node->ifindex,
					  peer->handshake.key, look, &looking);
	}
	return looking.found;
}

static void release(struct detour *detour)
{
	struct forwarder *forwarder = attached(detour->node, detour->via);
	struct laya_message message = {
		.type = LAYA_MESSAGE_LABEL_RELEASE,
		.label_release.n = 1,
	};

	if (!forwarder || !detour->up)
		return;
	randombytes_buf(&message.id, sizeof(message.id));
	memcpy(message.label_release.labels[0], detour->label,
	       LAYA_LABEL_SIZE);
	control_port_request(forwarder->peer, &message, NULL);
}

static void on_timer(void *data)
{
	struct detour *detour = data;

	if (!in_use(detour)) {
		release(detour);
		remove_detour(detour);
		return;
	}
	ask(detour);
	timer_start(detour->timer, RENEW_MS);
}

/**
 * detour_told() - a forwarder of ours leads to another
 * @from: ours
 * @message: TRUNK
 */
void detour_told(struct peer *from, const struct laya_message *message)
{
	struct detour *detour = find_id(from, message->id);
	struct node *node = from->node;
	struct peer *peer;

	/* Another forwarder than the one that we have named is no use. */
	if (!detour || !laya_key_equal(message->trunk.label.key, detour->far))
		return;
	detour->waiting = false;
	detour->up = true;
	detour->failure[0] = '\0';
	memcpy(detour->label, message->trunk.label.label, LAYA_LABEL_SIZE);
	timer_start(detour->timer, RENEW_MS);
	TAILQ_FOREACH(peer, &node->peers, entry) {
		if (peer->configured && peer->session &&
		    at_far(detour, peer) && !kernel_has_usable_path(peer))
			peer_dial(peer);
	}
}

/**
 * detour_refused() - a forwarder of ours does not do what it was asked for
 * @from: ours
 * @message: ERROR
 */
void detour_refused(struct peer *from, const struct laya_message *message)
{
	struct detour *detour = find_id(from, message->id);

	if (!detour)
		return;
	failed(detour, message->code == LAYA_MESSAGE_ERROR_RATE_LIMITED ?
	       "our forwarder leads to no more others for now" :
	       "our forwarder does not reach that one, or leads to no other");
}

/**
 * detour_attached() - one more forwarder may lead to those of our peers
 * @forwarder: ours
 */
void detour_attached(struct forwarder *forwarder)
{
	struct peer *peer;

	TAILQ_FOREACH(peer, &forwarder->node->peers, entry) {
		if (peer->configured && peer->session &&
		    !kernel_has_usable_path(peer))
			detour_ask(peer);
	}
}

/**
 * detour_lost() - a forwarder leads nowhere any more
 * @forwarder: which was ours
 */
void detour_lost(struct forwarder *forwarder)
{
	struct detour *detour, *next;

	for (detour = TAILQ_FIRST(&forwarder->node->detours); detour;
	     detour = next) {
		next = TAILQ_NEXT(detour, entry);
		if (laya_key_equal(detour->via, forwarder->key))
			remove_detour(detour);
	}
}

/**
 * detour_views() - the detours to a peer
 * @peer: the peer
 * @views: where to put them
 * @max: how many there is room for
 *
 * Return: how many were put there.
 */
unsigned int detour_views(const struct peer *peer, struct detour_view *views,
			  unsigned int max)
{
	const struct laya_candidate *far;
	const struct forwarder *via;
	const struct detour *detour;
	struct detour_view *view;
	unsigned int n = 0;

	TAILQ_FOREACH(detour, &peer->node->detours, entry) {
		via = attached(peer->node, detour->via);
		far = at_far(detour, peer);
		if (!via || !far || n == max)
			continue;
		view = &views[n++];
		memset(view, 0, sizeof(*view));
		view->candidate.type = LAYA_CANDIDATE_RELAY;
		view->candidate.address = via->dialled;
		view->candidate.have_forwarder = true;
		memcpy(view->candidate.forwarder, detour->via, LAYA_KEY_SIZE);
		memcpy(view->far, detour->far, LAYA_KEY_SIZE);
		view->up = detour->up;
		view->waiting = detour->waiting;
		view->failure = detour->failure;
		if (!detour->up)
			continue;
		view->candidate.n_labels = 2;
		memcpy(view->candidate.labels[0], detour->label,
		       LAYA_LABEL_SIZE);
		memcpy(view->candidate.labels[1], far->labels[0],
		       LAYA_LABEL_SIZE);
	}
	return n;
}

/**
 * detour_candidates() - where a peer is reached by detours
 * @peer: the peer
 * @candidates: where to put them
 */
void detour_candidates(const struct peer *peer,
		       struct laya_candidates *candidates)
{
	struct detour_view views[LAYA_MAX_CANDIDATES];
	unsigned int i, n;

	candidates->n = 0;
	n = detour_views(peer, views, LAYA_MAX_CANDIDATES);
	for (i = 0; i < n; i++) {
		if (views[i].up)
			laya_candidates_add(candidates, &views[i].candidate);
	}
}

/**
 * detour_stop() - forget all; forwarders do so in time
 * @node: ours
 */
void detour_stop(struct node *node)
{
	struct detour *detour;

	while ((detour = TAILQ_FIRST(&node->detours)))
		remove_detour(detour);
}
