// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>

#include <sodium.h>

#include "control_port.h"
#include "forwarder.h"
#include "log.h"
#include "offer.h"

/* How often we look whether we can begin */
#define WAIT_STEP_MS	50
/* For a courier to be connected, or to connect again */
#define WAIT_SERVER_MS	3000
/* For labels, without which the peer may have no way to us */
#define WAIT_LABELS_MS	2000
/* After the offer was sent first */
#define GIVE_UP_MS	5000

static void step(struct peer *peer);

static void on_timer(void *data)
{
	step(data);
}

static void wipe(struct peer *peer)
{
	struct offer *offer = &peer->offer;

	laya_offer_wipe(&offer->state);
	sodium_memzero(offer->body, sizeof(offer->body));
	offer->len = 0;
	offer->phase = OFFER_NONE;
	offer->channel = NULL;
	if (offer->timer)
		timer_stop(offer->timer);
}

static void fail(struct peer *peer, const char *reason)
{
	enum via via = peer->offer.via;

	wipe(peer);
	peer_offer_failed(peer, via, reason);
}

static int make(struct peer *peer)
{
	struct node *node = peer->node;
	struct offer *offer = &peer->offer;
	struct laya_candidates candidates;
	uint64_t stamp;
	int ret;

	ret = laya_stamp_next(&node->stamp, &stamp);
	if (ret && node->stamp.path[0] != '\0') {
		laya_warning("cannot write %s: %s; stamps go on by the clock alone, so do not set it back",
			     node->stamp.path, strerror(-ret));
		node->stamp.path[0] = '\0';
		ret = laya_stamp_next(&node->stamp, &stamp);
	}
	if (ret)
		return ret;
	node_candidates(node, peer, true, &candidates);
	ret = laya_offer_make(&offer->state, peer->self, &peer->handshake,
			      stamp, node_random_index(), &candidates,
			      offer->body, sizeof(offer->body), &offer->len);
	if (ret) {
		laya_error("%s: cannot make an offer: %s", peer_text(peer),
			   strerror(-ret));
		return ret;
	}
	randombytes_buf(&offer->id, sizeof(offer->id));
	offer->sent = 0;
	offer->refused = 0;
	offer->tries = 0;
	offer->sent_at = node_now(node);
	offer->phase = OFFER_SENT;
	return 0;
}

static void describe(const struct peer *peer, struct laya_message *message)
{
	const struct offer *offer = &peer->offer;

	memset(message, 0, sizeof(*message));
	message->type = LAYA_MESSAGE_OFFER;
	message->id = offer->id;
	memcpy(message->sealed.key, peer->handshake.key, LAYA_KEY_SIZE);
	message->sealed.body = offer->body;
	message->sealed.body_len = offer->len;
}

static void send_by(struct peer *peer, struct courier *courier)
{
	struct laya_message message;

	describe(peer, &message);
	if (courier_send(courier, peer, &message))
		return;
	peer->offer.sent |= courier->bit;
	peer->offer.refused &= ~courier->bit;
}

static void send_by_all(struct peer *peer)
{
	struct courier *courier;

	TAILQ_FOREACH(courier, &peer->node->couriers, entry) {
		/* One that does not know the peer need not be asked twice. */
		if (!(peer->offer.refused & courier->bit))
			send_by(peer, courier);
	}
	peer->offer.tries++;
}

static int begin(struct peer *peer, enum via via)
{
	struct offer *offer = &peer->offer;

	offer_cancel(peer);
	if (!offer->timer)
		offer->timer = timer_new(peer->node->loop, on_timer, peer);
	if (!offer->timer)
		return -ENOMEM;
	offer->via = via;
	offer->began = node_now(peer->node);
	return 0;
}

/* Every courier that was asked has said no. */
static bool all_refused(const struct peer *peer)
{
	return peer->offer.sent != 0 && peer->offer.sent == peer->offer.refused;
}

static void wait_step(struct peer *peer)
{
	struct node *node = peer->node;
	uint64_t waited = node_now(node) - peer->offer.began;

	if (courier_state(node, peer) != COURIER_READY) {
		if (waited >= WAIT_SERVER_MS) {
			fail(peer, TAILQ_EMPTY(&node->rendezvous) ?
			     "it is not connected" :
			     "no rendezvous is connected");
			return;
		}
	} else if (!peer->configured || waited >= WAIT_LABELS_MS ||
		   forwarder_settled(node, peer)) {
		if (make(peer)) {
			fail(peer, "no offer could be made");
			return;
		}
		laya_debug("%s: offer by courier", peer_text(peer));
		send_by_all(peer);
		timer_start(peer->offer.timer, 1000);
		return;
	}
	timer_start(peer->offer.timer, WAIT_STEP_MS);
}

static void step(struct peer *peer)
{
	struct offer *offer = &peer->offer;
	uint64_t since = node_now(peer->node) - offer->sent_at;

	if (offer->phase == OFFER_WAITING) {
		wait_step(peer);
		return;
	}
	if (since >= GIVE_UP_MS) {
		fail(peer, "no answer");
		return;
	}
	if (all_refused(peer) &&
	    node_now(peer->node) - offer->began >= WAIT_SERVER_MS) {
		fail(peer, "no rendezvous knows it: is layad running there?");
		return;
	}
	if (offer->via == VIA_COURIER && offer->tries < 3) {
		send_by_all(peer);
		timer_start(offer->timer, offer->tries < 3 ? 2000 :
			    GIVE_UP_MS - 3000);
		return;
	}
	timer_start(offer->timer, GIVE_UP_MS - since);
}

/**
 * offer_by_courier() - begin a handshake by all couriers that there are
 * @peer: a configured peer, or a forwarder; peer_offer_failed() if it comes to
 *	nothing
 */
void offer_by_courier(struct peer *peer)
{
	if (begin(peer, VIA_COURIER)) {
		peer_offer_failed(peer, VIA_COURIER, "no memory");
		return;
	}
	if (courier_state(peer->node, peer) == COURIER_NONE) {
		fail(peer, "the configuration has neither a [Rendezvous] nor its Endpoint");
		return;
	}
	courier_wanted(peer);
	peer->offer.phase = OFFER_WAITING;
	wait_step(peer);
}

/**
 * offer_through_channel() - begin a handshake with who is at the other end
 * @peer: who that is
 * @channel: the channel
 *
 * Return: 0, or a negative errno.
 */
int offer_through_channel(struct peer *peer, struct laya_channel *channel)
{
	struct laya_message message;
	int ret;

	ret = begin(peer, VIA_CHANNEL);
	if (!ret)
		ret = make(peer);
	if (ret)
		return ret;
	peer->offer.channel = channel;
	describe(peer, &message);
	ret = laya_channel_send(channel, &message);
	if (ret) {
		wipe(peer);
		return ret;
	}
	timer_start(peer->offer.timer, GIVE_UP_MS);
	return 0;
}

static void on_session_done(struct peer *peer, int error)
{
	if (error && peer->offer.phase == OFFER_SENT &&
	    peer->offer.via == VIA_SESSION)
		fail(peer, "no answer in the session");
}

/**
 * offer_in_session() - begin the handshake that replaces a session, inside it
 * @peer: a peer with a session
 *
 * Return: 0, or a negative errno.
 */
int offer_in_session(struct peer *peer)
{
	struct laya_message message;
	int ret;

	ret = begin(peer, VIA_SESSION);
	if (!ret)
		ret = make(peer);
	if (ret)
		return ret;
	laya_debug("%s: offer in the session", peer_text(peer));
	describe(peer, &message);
	ret = control_port_request(peer, &message, on_session_done);
	if (ret)
		wipe(peer);
	return ret;
}

/**
 * offer_cancel() - never mind
 * @peer: the peer
 */
void offer_cancel(struct peer *peer)
{
	if (peer->offer.phase != OFFER_NONE)
		wipe(peer);
}

/**
 * offer_courier_ready() - one more courier can be sent by
 * @peer: to this peer
 * @courier: it
 */
void offer_courier_ready(struct peer *peer, struct courier *courier)
{
	if (peer->offer.phase == OFFER_SENT && peer->offer.via == VIA_COURIER)
		send_by(peer, courier);
}

/**
 * offer_courier_lost() - do not wait for what a courier says
 * @peer: of this peer
 * @courier: it
 */
void offer_courier_lost(struct peer *peer, struct courier *courier)
{
	peer->offer.sent &= ~courier->bit;
	peer->offer.refused &= ~courier->bit;
}

static struct peer *find(struct node *node, uint64_t id, enum via via)
{
	struct peer *peer;

	TAILQ_FOREACH(peer, &node->peers, entry) {
		if (peer->offer.phase == OFFER_SENT && peer->offer.id == id &&
		    peer->offer.via == via)
			return peer;
	}
	return NULL;
}

static void send_followup(struct peer *peer, struct laya_session_keys *keys,
			  uint64_t id, const struct origin *origin)
{
	struct laya_message message = {
		.type = LAYA_MESSAGE_FOLLOWUP,
		.id = id,
	};
	struct laya_candidates candidates;
	uint8_t body[LAYA_MAX_BODY];
	size_t len;
	int ret;

	node_candidates(peer->node, peer, false, &candidates);
	ret = laya_followup_make(keys, &candidates, body, sizeof(body), &len);
	if (ret) {
		laya_error("%s: cannot make a follow-up: %s", peer_text(peer),
			   strerror(-ret));
		return;
	}
	memcpy(message.sealed.key, peer->handshake.key, LAYA_KEY_SIZE);
	message.sealed.body = body;
	message.sealed.body_len = len;
	switch (origin->via) {
	case VIA_COURIER:
		ret = courier_send(origin->courier, peer, &message);
		break;
	case VIA_CHANNEL:
		ret = laya_channel_send(origin->channel, &message);
		break;
	case VIA_SESSION:
		ret = control_port_request(peer, &message, NULL);
		break;
	}
	/* The first packet confirms as well; candidates can be told again. */
	peer->told_valid = !ret && origin->via != VIA_CHANNEL;
	peer->told = candidates;
}

/**
 * offer_answered() - an answer came
 * @node: ours
 * @message: the answer
 * @origin: how it came
 * @claimed: who it says that it is from; whether it is, the handshake shows
 */
void offer_answered(struct node *node, const struct laya_message *message,
		    const struct origin *origin,
		    const uint8_t claimed[LAYA_KEY_SIZE])
{
	struct peer *peer = find(node, message->id, origin->via);
	struct laya_candidates candidates;
	struct laya_session_keys keys;
	uint64_t id = message->id;
	int ret;

	if (!peer || (origin->via == VIA_CHANNEL &&
		      peer->offer.channel != origin->channel))
		return;
	if (origin_is_certain(origin) &&
	    !laya_key_equal(claimed, peer->handshake.key))
		return;
	ret = laya_answer_read(&keys, &candidates, &peer->offer.state,
			       message->sealed.body, message->sealed.body_len);
	if (ret) {
		laya_warning("%s: its answer does not open; is PresharedKeyFile the same on both sides?",
			     peer_text(peer));
		peer->unreadable = true;
		return;
	}
	peer->unreadable = false;
	wipe(peer);
	ret = peer_established(peer, &keys, &candidates, true, origin->via);
	if (!ret)
		send_followup(peer, &keys, id, origin);
	laya_session_keys_wipe(&keys);
	if (ret)
		peer_offer_failed(peer, origin->via,
				  "the kernel refused the session");
}

/**
 * offer_refused() - a courier or channel says that an offer has failed
 * @node: ours
 * @message: the error
 * @origin: how it came
 */
void offer_refused(struct node *node, const struct laya_message *message,
		   const struct origin *origin)
{
	struct peer *peer = find(node, message->id, origin->via);
	struct courier *courier;

	if (!peer)
		return;
	laya_debug("%s: offer refused: %s", peer_text(peer),
		   laya_message_error_text(message->code));
	if (origin->via == VIA_CHANNEL &&
	    peer->offer.channel == origin->channel) {
		fail(peer, laya_message_error_text(message->code));
		return;
	}
	/* A limit passes; the offer is sent again anyway. */
	if (origin->via != VIA_COURIER ||
	    message->code == LAYA_MESSAGE_ERROR_RATE_LIMITED)
		return;
	peer->offer.refused |= origin->courier->bit;
	if (!all_refused(peer))
		return;
	/* Others may know it that are just connecting. */
	TAILQ_FOREACH(courier, &node->couriers, entry) {
		if (courier->ops->state(courier, peer) == COURIER_TRYING &&
		    node_now(node) - peer->offer.began < WAIT_SERVER_MS)
			return;
	}
	fail(peer, "no rendezvous knows it: is layad running there?");
}
