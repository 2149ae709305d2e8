// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "answer.h"
#include "attach.h"
#include "carrier.h"
#include "control_port.h"
#include "detour.h"
#include "forwarder.h"
#include "gateway.h"
#include "kernel.h"
#include "log.h"
#include "offer.h"
#include "outside.h"
#include "peer.h"
#include "signalling.h"

/* A path that has not answered by then will not */
#define WATCH_MS		3000
/* How long UDP has before streams are dialled as well */
#define FALLBACK_MS		500
/* How long all of that has before forwarders of ours are to lead to the peer's */
#define DETOUR_MS		1000
/* The responder leaves the initiator so much time to do that for both */
#define DETOUR_RESPONDER_MS	2000
/* Handshakes without a path after them, before the peer is unreachable */
#define MAX_ATTEMPTS		3
/* Of a rekey that failed everywhere */
#define REKEY_RETRY_MS		20000
/* The responder leaves the initiator so much time to begin */
#define REKEY_RESPONDER_MS	10000
/* A session that is older is replaced when this machine is resumed */
#define REKEY_AFTER_MS		120000
/* When paths have had time to answer */
#define RESUMED_MS		1000
/* How often a lost peer is looked for without being wanted */
#define LOST_TRIES		8

static void on_aging(void *data);
static void on_watch(void *data);
static void on_fallback(void *data);

/**
 * peer_new() - know another node
 * @node: ours
 * @self: who we are to it, as long as it is known
 * @key: its public key
 * @psk: pre-shared key, NULL for none
 *
 * Return: the peer; NULL for a key that is ours or not valid, or without
 * memory.
 */
struct peer *peer_new(struct node *node, const struct laya_identity *self,
		      const uint8_t key[LAYA_KEY_SIZE], const uint8_t *psk)
{
	struct peer *peer = calloc(1, sizeof(*peer));

	if (!peer)
		return NULL;
	peer->node = node;
	peer->self = self;
	if (laya_handshake_peer_init(&peer->handshake, self, key, psk))
		goto err_free;
	peer->aging = timer_new(node->loop, on_aging, peer);
	peer->watch = timer_new(node->loop, on_watch, peer);
	peer->fallback = timer_new(node->loop, on_fallback, peer);
	if (!peer->aging || !peer->watch || !peer->fallback ||
	    peer_table_add(&node->by_key, peer))
		goto err_timers;
	backoff_init(&peer->retry, 4000, 60000);
	TAILQ_INSERT_TAIL(&node->peers, peer, entry);
	return peer;

err_timers:
	timer_free(peer->aging);
	timer_free(peer->watch);
	timer_free(peer->fallback);
err_free:
	sodium_memzero(peer, sizeof(*peer));
	free(peer);
	return NULL;
}

/**
 * peer_del() - forget another node, here and in the kernel
 * @peer: the peer; gone after this
 */
void peer_del(struct peer *peer)
{
	signalling_forget(peer);
	offer_cancel(peer);
	answer_forget(peer);
	control_port_forget(peer);
	known_forget(peer);
	kernel_peer_del(peer);
	timer_free(peer->aging);
	timer_free(peer->watch);
	timer_free(peer->fallback);
	timer_free(peer->offer.timer);
	timer_free(peer->answer.timer);
	TAILQ_REMOVE(&peer->node->peers, peer, entry);
	peer_table_remove(&peer->node->by_key, peer);
	sodium_memzero(peer, sizeof(*peer));
	free(peer);
}

/**
 * peer_find() - by key
 * @node: ours
 * @key: its public key
 *
 * Return: the peer, or NULL.
 */
struct peer *peer_find(const struct node *node,
		       const uint8_t key[LAYA_KEY_SIZE])
{
	return peer_table_find(&node->by_key, key);
}

/**
 * peer_find_name() - by name or by key in base64
 * @node: ours
 * @name: the text
 *
 * Return: the configured peer, or NULL.
 */
struct peer *peer_find_name(const struct node *node, const char *name)
{
	uint8_t key[LAYA_KEY_SIZE];
	struct peer *peer;

	TAILQ_FOREACH(peer, &node->peers, entry) {
		if (peer->configured && peer->name[0] != '\0' &&
		    strcmp(peer->name, name) == 0)
			return peer;
	}
	if (laya_key_decode_public(key, name))
		return NULL;
	peer = peer_find(node, key);
	return peer && peer->configured ? peer : NULL;
}

/**
 * peer_text() - what to call a peer in a message
 * @peer: the peer
 *
 * Return: its name, or its key; valid until a few calls later.
 */
const char *peer_text(const struct peer *peer)
{
	static char texts[4][LAYA_KEY_TEXT_SIZE];
	static unsigned int next;
	char *text;

	if (peer->name[0] != '\0')
		return peer->name;
	text = texts[next++ % 4];
	laya_key_encode(text, peer->handshake.key);
	return text;
}

/**
 * peer_update_kernel() - tell the kernel what a peer may do now
 * @peer: the peer
 *
 * Return: 0, or a negative errno, which was logged.
 */
int peer_update_kernel(struct peer *peer)
{
	uint32_t flags = 0;

	if (peer->configured)
		flags |= LAYA_PEER_FLAGS_ALLOW;
	if (peer->forwarder)
		flags |= LAYA_PEER_FLAGS_FORWARDER;
	if (peer->attachment)
		flags |= LAYA_PEER_FLAGS_ATTACHMENT;
	return kernel_peer_update(peer, flags);
}

/**
 * peer_configure() - take a peer as one that may exchange data with us
 * @node: ours
 * @name: its name, or empty
 * @key: its key
 * @psk: pre-shared key, NULL for none
 * @msg: where to put what to tell a person, if it fails
 * @msg_size: size of @msg
 *
 * Return: the peer, or NULL.
 */
struct peer *peer_configure(struct node *node, const char *name,
			    const uint8_t key[LAYA_KEY_SIZE],
			    const uint8_t *psk, char *msg, size_t msg_size)
{
	struct peer *peer = peer_find(node, key);
	char text[LAYA_KEY_TEXT_SIZE];

	laya_key_encode(text, key);
	if (peer && peer->configured) {
		snprintf(msg, msg_size, "there is a peer with the key %s", text);
		return NULL;
	}
	if (name[0] != '\0' && peer_find_name(node, name)) {
		snprintf(msg, msg_size, "there is a peer named %s", name);
		return NULL;
	}
	if (laya_key_equal(key, node->self.public_key)) {
		snprintf(msg, msg_size, "%s is this node's own key", text);
		return NULL;
	}
	/* To a peer we are who we are. */
	if (peer && peer->self != &node->self) {
		forwarder_lost(peer->forwarder, "it is a peer now");
		peer = NULL;
	}
	if (!peer)
		peer = peer_new(node, &node->self, key, psk);
	else if (psk)
		memcpy(peer->handshake.psk, psk, LAYA_KEY_SIZE);
	if (!peer) {
		snprintf(msg, msg_size, "%s is not a valid key", text);
		return NULL;
	}
	snprintf(peer->name, sizeof(peer->name), "%s", name);
	peer->configured = true;
	return peer;
}

/**
 * peer_release() - a peer has lost one of its roles
 * @peer: the peer; gone after this if that was the last one
 *
 * Return: whether it is gone.
 */
bool peer_release(struct peer *peer)
{
	if (!peer->configured && !peer->forwarder && !peer->attachment) {
		peer_del(peer);
		return true;
	}
	peer_update_kernel(peer);
	return false;
}

/**
 * peer_unconfigure() - a peer may not exchange data with us any more
 * @peer: the peer; perhaps gone after this
 */
void peer_unconfigure(struct peer *peer)
{
	signalling_forget(peer);
	known_forget(peer);
	peer->configured = false;
	peer->name[0] = '\0';
	peer_release(peer);
}

/**
 * peer_live() - can it be spoken to inside of the session
 * @peer: the peer
 *
 * Return: whether there are a session and a path.
 */
bool peer_live(struct peer *peer)
{
	return peer->session && kernel_has_usable_path(peer);
}

static void dial_by_udp(struct peer *peer,
			const struct laya_candidates *candidates)
{
	struct node *node = peer->node;
	const struct laya_candidate *candidate;
	struct laya_candidate here;
	char text[LAYA_ADDRESS_TEXT_SIZE];
	const char *refused;
	unsigned int i;

	for (i = 0; i < candidates->n; i++) {
		here = candidates->list[i];
		node_translate(node, &here.address);
		candidate = &here;
		laya_address_format(text, &candidate->address);
		refused = candidate_refused(candidate, &node->locals,
					    node->port,
					    node->config.probe_mapped);
		if (refused) {
			laya_debug("%s: %s candidate %s is not dialled: %s",
				   peer_text(peer),
				   laya_candidate_type_name(candidate->type),
				   text, refused);
			continue;
		}
		kernel_path_new(peer, candidate_kind(candidate, &node->locals),
				KERNEL_CARRIER_UDP, &candidate->address,
				candidate);
	}
}

/**
 * peer_dial() - try all candidates of a peer, those that were tried too
 * @peer: the peer
 */
void peer_dial(struct peer *peer)
{
	struct laya_candidates detours;

	if (node_has_udp(peer->node)) {
		dial_by_udp(peer, &peer->remote);
		detour_candidates(peer, &detours);
		dial_by_udp(peer, &detours);
	}
	/* Where UDP does not pass there are carriers, or will be. */
	carrier_join(peer);
	if (!peer->configured || kernel_has_usable_path(peer))
		return;
	peer->streams = false;
	timer_start(peer->fallback, FALLBACK_MS);
}

static void on_fallback(void *data)
{
	struct peer *peer = data;

	if (!peer->session || kernel_has_usable_path(peer))
		return;
	if (peer->streams) {
		detour_ask(peer);
		return;
	}
	carrier_reach(peer);
	peer->streams = true;
	timer_start(peer->fallback, peer->initiator ? DETOUR_MS :
		    DETOUR_RESPONDER_MS);
}

static void watch(struct peer *peer)
{
	if (peer->configured && !timer_pending(peer->watch))
		timer_start(peer->watch, WATCH_MS);
}

static void unreachable(struct peer *peer)
{
	if (peer->wanted)
		kernel_peer_fail(peer, EHOSTUNREACH);
	peer->wanted = false;
	peer->attempts = 0;
	/* Look again later: streams that are open may still be saved. */
	if (peer->lost && peer->retry.tries < LOST_TRIES)
		timer_start(peer->watch, backoff_next(&peer->retry));
}

static void on_watch(void *data)
{
	struct peer *peer = data;

	if (peer->offer.phase != OFFER_NONE && peer->offer.via != VIA_SESSION)
		return;
	if (peer_live(peer)) {
		peer->attempts = 0;
		return;
	}
	if (peer->attempts++ >= MAX_ATTEMPTS) {
		laya_warning("%s: %u handshakes, but no path came up; does one of the two sides reach a relay by UDP?",
			     peer_text(peer), MAX_ATTEMPTS);
		snprintf(peer->last_failure, sizeof(peer->last_failure),
			 "no path came up");
		unreachable(peer);
		return;
	}
	laya_debug("%s: no path is usable; new handshake", peer_text(peer));
	offer_by_courier(peer);
}

/**
 * peer_wanted() - the kernel has packets for a peer and no way to send them
 * @peer: the peer
 */
void peer_wanted(struct peer *peer)
{
	peer->wanted = true;
	if (!peer->configured) {
		/* Forwarders and attachments are not called. */
		kernel_peer_fail(peer, EHOSTUNREACH);
		peer->wanted = false;
		return;
	}
	if (peer->offer.phase != OFFER_NONE && peer->offer.via != VIA_SESSION)
		return;
	if (peer->session) {
		if (kernel_has_usable_path(peer))
			return;
		/* Right after a handshake paths are on their way. */
		if (node_now(peer->node) - peer->session_at < WATCH_MS) {
			watch(peer);
			return;
		}
	}
	offer_by_courier(peer);
}

/**
 * peer_offer_failed() - a handshake of ours came to nothing
 * @peer: the peer; perhaps gone after this
 * @via: what carried it
 * @reason: why, for people
 */
void peer_offer_failed(struct peer *peer, enum via via, const char *reason)
{
	snprintf(peer->last_failure, sizeof(peer->last_failure), "%s", reason);
	if (via == VIA_SESSION && peer->configured) {
		laya_debug("%s: %s; asking by courier",
			   peer_text(peer), reason);
		offer_by_courier(peer);
		return;
	}
	if (peer->forwarder && (via == VIA_CHANNEL || !peer->configured)) {
		forwarder_lost(peer->forwarder, reason);
		return;
	}
	if (!peer->configured)
		return;
	if (!peer->complained)
		laya_info("%s cannot be reached: %s", peer_text(peer), reason);
	else
		laya_debug("%s cannot be reached: %s", peer_text(peer), reason);
	peer->complained = true;
	if (peer->session)
		timer_start(peer->aging, REKEY_RETRY_MS);
	unreachable(peer);
}

/**
 * peer_established() - a handshake is done: give it to the kernel
 * @peer: the peer
 * @keys: its session
 * @candidates: where the peer can be reached
 * @initiator: we began
 * @via: what carried the handshake
 *
 * Return: 0, or a negative errno, which was logged.
 */
int peer_established(struct peer *peer, const struct laya_session_keys *keys,
		     const struct laya_candidates *candidates, bool initiator,
		     enum via via)
{
	bool first = !peer->session;
	int ret;

	ret = peer_update_kernel(peer);
	if (!ret)
		ret = kernel_session_new(peer, keys, initiator);
	if (ret)
		return ret;

	peer->session = true;
	peer->initiator = initiator;
	peer->rx_index = keys->rx_index;
	peer->session_at = node_now(peer->node);
	peer->complained = false;
	peer->last_failure[0] = '\0';
	timer_stop(peer->aging);
	laya_log(first && peer->configured ? LAYA_LOG_INFO : LAYA_LOG_DEBUG,
		 "%s: new session, %s began, %s", peer_text(peer),
		 initiator ? "we" : "it", laya_nl_cipher_name(keys->cipher));

	if (peer->configured && via != VIA_CHANNEL) {
		/* A responder knows only forwarders until the follow-up. */
		if (initiator || candidates->n > 0 || peer->remote.n == 0)
			peer->remote = *candidates;
		known_learn(peer, candidates);
		peer_dial(peer);
	}
	if (peer->forwarder && initiator && via != VIA_SESSION)
		forwarder_established(peer->forwarder);
	if (peer->configured && !peer->forwarder && !peer->attachment)
		watch(peer);
	return 0;
}

/**
 * peer_aging() - the kernel says that a session is old, or gone
 * @peer: the peer
 * @rx_index: which session
 * @initiator: we began it
 * @reason: enum laya_session_aging_reason
 */
void peer_aging(struct peer *peer, uint32_t rx_index, bool initiator,
		uint32_t reason)
{
	bool current = peer->session && rx_index == peer->rx_index;

	if (reason == LAYA_SESSION_AGING_REASON_REKEY) {
		if (!current)
			return;
		peer_rekey_soon(peer, initiator ? randombytes_uniform(500) :
				REKEY_RESPONDER_MS +
				randombytes_uniform(REKEY_RESPONDER_MS));
		return;
	}

	laya_info("%s: the session ended: %s", peer_text(peer),
		  laya_nl_aging_name(reason));
	if (!current)
		return;
	peer->session = false;
	timer_stop(peer->aging);
	if (peer->offer.phase != OFFER_NONE && peer->offer.via == VIA_SESSION)
		offer_cancel(peer);
	if (peer->forwarder)
		forwarder_lost(peer->forwarder, "the session ended");
	else if (peer->attachment && !peer->configured)
		attach_end(peer, "the session ended");
	else if (peer->configured && peer->offer.phase == OFFER_NONE)
		offer_by_courier(peer);
}

/**
 * peer_rekey_soon() - make a new session, unless the peer is first
 * @peer: the peer
 * @ms: in so many milliseconds
 */
void peer_rekey_soon(struct peer *peer, unsigned int ms)
{
	timer_start(peer->aging, ms);
}

static void on_aging(void *data)
{
	struct peer *peer = data;

	if (!peer->session || peer->offer.phase != OFFER_NONE)
		return;
	if (!peer_live(peer)) {
		if (peer->configured)
			offer_by_courier(peer);
		return;
	}
	if (offer_in_session(peer))
		timer_start(peer->aging, REKEY_RETRY_MS);
}

/**
 * peer_resumed() - this machine was suspended
 * @peer: a peer
 * @slept_ms: for how long, which the kernel counts as age of its sessions
 */
void peer_resumed(struct peer *peer, uint64_t slept_ms)
{
	uint64_t age = node_now(peer->node) - peer->session_at + slept_ms;

	/* Time for the paths to answer, or the handshake takes the long way. */
	if (peer->session && peer->initiator && age >= REKEY_AFTER_MS)
		peer_rekey_soon(peer, RESUMED_MS + randombytes_uniform(500));
}

/**
 * peer_path_changed() - the kernel says that a path of a peer changed
 * @peer: the peer
 * @path: the path
 */
void peer_path_changed(struct peer *peer, const struct laya_nl_path *path)
{
	if (!laya_nl_has(path, LAYA_A_PATH_STATE))
		return;
	if (attach_is_inside(peer) && path->state == LAYA_PATH_STATE_USABLE)
		node_candidates_changed(peer->node);
	if (!peer->configured)
		return;
	if (path->state == LAYA_PATH_STATE_USABLE) {
		if (peer->lost)
			laya_info("%s: there is a path again: %s",
				  peer_text(peer),
				  laya_nl_kind_name(path->kind));
		peer->lost = false;
		peer->wanted = false;
		peer->attempts = 0;
		backoff_reset(&peer->retry);
		timer_stop(peer->watch);
		/* What it was not told while there was no way to. */
		node_candidates_changed(peer->node);
		return;
	}
	if (path->state == LAYA_PATH_STATE_PROBING || !peer->session ||
	    kernel_has_usable_path(peer))
		return;
	if (!peer->lost) {
		laya_info("%s: no path is usable any more; dialling all %u candidates again",
			  peer_text(peer), peer->remote.n);
		peer->lost = true;
		peer_dial(peer);
		/* Traffic waits: no patience with UDP now */
		carrier_reach(peer);
		detour_again(peer);
	}
	if (peer->offer.phase == OFFER_NONE)
		watch(peer);
}

/**
 * peer_remote_candidates() - a peer has told its candidates
 * @peer: the peer
 * @candidates: these
 */
void peer_remote_candidates(struct peer *peer,
			    const struct laya_candidates *candidates)
{
	if (!peer->configured)
		return;
	laya_debug("%s: told us %u candidates", peer_text(peer), candidates->n);
	peer->remote = *candidates;
	known_learn(peer, candidates);
	peer_dial(peer);
}

static void on_candidates_told(struct peer *peer, int error)
{
	/* Told again with the next path or change. */
	if (error)
		peer->told_valid = false;
}

/**
 * peer_tell_candidates() - tell a peer our candidates, if they changed
 * @peer: the peer
 */
void peer_tell_candidates(struct peer *peer)
{
	struct laya_message message = { .type = LAYA_MESSAGE_CANDIDATES };

	if (!peer->session)
		return;
	if (peer->configured)
		node_candidates(peer->node, peer, false, &message.candidates);
	else if (attach_is_inside(peer))
		gateway_candidates(peer->node, peer, &message.candidates);
	if (peer->forwarder && !peer->forwarder->gateway &&
	    !peer->forwarder->trunk)
		forwarder_claims(peer->node, peer, &message.candidates);
	/* Nothing is news of a gateway that has asked what reaches it. */
	if (message.candidates.n == 0 && !peer->told_valid &&
	    !(attach_is_inside(peer) && outside_can_ask(peer->node)))
		return;
	if (peer->told_valid && candidates_equal(&peer->told,
						 &message.candidates))
		return;
	if (!kernel_has_usable_path(peer))
		return;
	randombytes_buf(&message.id, sizeof(message.id));
	if (control_port_request(peer, &message, on_candidates_told))
		return;
	laya_debug("%s: telling it %u candidates", peer_text(peer),
		   message.candidates.n);
	if (peer->forwarder)
		outside_told(peer->node);
	peer->told = message.candidates;
	peer->told_valid = true;
}
