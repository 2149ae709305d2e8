// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include <sodium.h>

#include "answer.h"
#include "attach.h"
#include "control_port.h"
#include "forwarder.h"
#include "kernel.h"
#include "log.h"
#include "offer.h"

/*
 * An offer that comes while our attachments are being made waits for them:
 * without labels in the answer there may be no path.  Less than the second
 * after which it would be sent again.
 */
#define WAIT_LABELS_MS	900
#define WAIT_STEP_MS	50

/* Whose offers may come this way: NULL for all configured peers' */
struct senders {
	struct node *node;
	struct peer *only;
};

static struct peer *peer_of(struct laya_handshake_peer *handshake)
{
	return (struct peer *)((char *)handshake -
			       offsetof(struct peer, handshake));
}

static struct laya_handshake_peer *lookup(void *data, const uint8_t *key)
{
	struct senders *senders = data;
	struct peer *peer = senders->only;

	if (!peer) {
		peer = peer_find(senders->node, key);
		if (!peer || !peer->configured)
			return NULL;
	}
	return &peer->handshake;
}

static struct laya_handshake_peer *at(void *data, size_t index)
{
	struct senders *senders = data;
	struct peer *peer;

	if (senders->only)
		return NULL;
	TAILQ_FOREACH(peer, &senders->node->peers, entry) {
		if (peer->configured && index-- == 0)
			return &peer->handshake;
	}
	return NULL;
}

static int send_back(struct peer *peer, const struct origin *origin,
		     const struct laya_message *message)
{
	switch (origin->via) {
	case VIA_COURIER:
		return courier_send(origin->courier, peer, message);
	case VIA_CHANNEL:
		return laya_channel_send(origin->channel, message);
	case VIA_SESSION:
		/* It is the peer who repeats. */
		return control_port_send(peer, message);
	}
	return -EINVAL;
}

static void send_answer(struct peer *peer, const struct origin *origin,
			uint64_t id)
{
	struct laya_message message = {
		.type = LAYA_MESSAGE_ANSWER,
		.id = id,
	};
	int ret;

	memcpy(message.sealed.key, peer->handshake.key, LAYA_KEY_SIZE);
	message.sealed.body = peer->answer.body;
	message.sealed.body_len = peer->answer.len;
	ret = send_back(peer, origin, &message);
	if (ret)
		laya_debug("%s: cannot send the answer: %s", peer_text(peer),
			   strerror(-ret));
}

static void reply(struct peer *peer, struct laya_request *request,
		  const struct origin *origin, uint64_t id)
{
	struct node *node = peer->node;
	struct answer *answer = &peer->answer;
	struct laya_candidates candidates;
	int ret;

	laya_session_keys_wipe(&answer->keys);
	node_candidates(node, peer, false, &candidates);
	ret = laya_answer_make(&answer->keys, request, peer->self,
			       node_random_index(), &candidates, answer->body,
			       sizeof(answer->body), &answer->len);
	if (ret) {
		answer->len = 0;
		laya_warning("%s: cannot answer its offer: %s",
			     peer_text(peer), strerror(-ret));
		return;
	}
	answer->id = id;
	ret = peer_established(peer, &answer->keys,
			       &request->payload.candidates, false,
			       origin->via);
	if (ret) {
		answer->len = 0;
		laya_session_keys_wipe(&answer->keys);
		return;
	}
	send_answer(peer, origin, id);
	peer->told = candidates;
	peer->told_valid = origin->via != VIA_CHANNEL;
}

static int read_offer(struct node *node, const uint8_t *body, size_t len,
		      uint64_t id, const struct origin *origin,
		      const uint8_t *claimed, struct peer *only)
{
	struct senders senders = { .node = node, .only = only };
	const struct laya_handshake_table table = {
		.lookup = lookup,
		.at = at,
		.data = &senders,
	};
	struct laya_request request;
	struct peer *peer;
	int ret;

	ret = laya_offer_read(&request, only ? only->self : &node->self, &table,
			      claimed, body, len);
	switch (ret) {
	case 0:
		break;
	case -EALREADY:
		peer = peer_of(request.peer);
		if (peer->answer.len > 0)
			send_answer(peer, origin, id);
		goto out;
	case -ESTALE:
		laya_debug("%s: an old offer came again; ignored",
			   peer_text(peer_of(request.peer)));
		goto out;
	default:
		laya_debug("an offer is of none of our peers, or does not open; ignored");
		node->strangers++;
		memcpy(node->stranger, claimed, LAYA_KEY_SIZE);
		goto out;
	}

	peer = peer_of(request.peer);
	node_stamp_seen(node);
	if (peer->offer.phase == OFFER_SENT &&
	    choice_ours_wins(peer->self->public_key, peer->handshake.key,
			     peer->offer.via, origin->via)) {
		laya_debug("%s: offers crossed, ours counts", peer_text(peer));
		/* What is cached is not the answer to this one. */
		peer->answer.len = 0;
		goto out;
	}
	offer_cancel(peer);
	reply(peer, &request, origin, id);
out:
	laya_request_wipe(&request);
	return ret;
}

static void on_waited(void *data)
{
	struct peer *peer = data;
	struct answer *answer = &peer->answer;
	size_t len = answer->waiting_len;

	if (node_now(peer->node) - answer->waiting_since < WAIT_LABELS_MS &&
	    !forwarder_settled(peer->node, peer)) {
		timer_start(answer->timer, WAIT_STEP_MS);
		return;
	}
	answer->waiting_len = 0;
	read_offer(peer->node, answer->waiting, len, answer->waiting_id,
		   &answer->waiting_from, peer->handshake.key,
		   origin_is_certain(&answer->waiting_from) ? peer : NULL);
}

/* Return: whether the offer will be read later. */
static bool wait_for_labels(struct peer *peer,
			    const struct laya_message *message,
			    const struct origin *origin)
{
	struct answer *answer = &peer->answer;

	if (answer->waiting_len > 0) {
		/* The same by another courier, or again; or an older */
		return true;
	}
	if (!peer->configured || forwarder_settled(peer->node, peer))
		return false;
	if (!answer->timer)
		answer->timer = timer_new(peer->node->loop, on_waited, peer);
	if (!answer->timer)
		return false;
	memcpy(answer->waiting, message->sealed.body,
	       message->sealed.body_len);
	answer->waiting_len = message->sealed.body_len;
	answer->waiting_id = message->id;
	answer->waiting_from = *origin;
	answer->waiting_since = node_now(peer->node);
	timer_start(answer->timer, WAIT_STEP_MS);
	return true;
}

/**
 * answer_offer() - an offer came
 * @node: ours
 * @message: the offer
 * @origin: how it came
 * @claimed: who it says that it is from.  If it is certain
 *	(origin_is_certain()), the offer has to be of that node
 *
 * Return: 0, or a negative errno of laya_offer_read(); -ENOENT if we do not
 * know the sender.
 */
int answer_offer(struct node *node, const struct laya_message *message,
		 const struct origin *origin,
		 const uint8_t claimed[LAYA_KEY_SIZE])
{
	struct peer *peer = peer_find(node, claimed);
	bool hint = !origin_is_certain(origin);

	if (message->sealed.body_len == 0 ||
	    message->sealed.body_len > LAYA_MAX_BODY)
		return -EBADMSG;
	/* One who is attached is no peer: if not of him, it is of nobody. */
	if (hint && peer && peer->attachment && !peer->configured)
		hint = false;
	if (!hint && !peer)
		return -ENOENT;
	if (origin->via == VIA_COURIER && peer &&
	    wait_for_labels(peer, message, origin))
		return 0;
	return read_offer(node, message->sealed.body, message->sealed.body_len,
			  message->id, origin, claimed, hint ? NULL : peer);
}

/**
 * answer_followup() - the initiator's last message came
 * @node: ours
 * @message: the follow-up
 * @origin: how it came
 * @claimed: as in answer_offer()
 *
 * Return: whether it is one that was expected, now or before.
 */
bool answer_followup(struct node *node, const struct laya_message *message,
		     const struct origin *origin,
		     const uint8_t claimed[LAYA_KEY_SIZE])
{
	bool certain = origin_is_certain(origin);
	struct laya_candidates candidates;
	struct peer *peer;
	int ret;

	peer = certain ? peer_find(node, claimed) : TAILQ_FIRST(&node->peers);
	for (; peer; peer = certain ? NULL : TAILQ_NEXT(peer, entry)) {
		if (peer->answer.len == 0 || peer->answer.id != message->id)
			continue;
		ret = laya_followup_read(&peer->answer.keys, &candidates,
					 message->sealed.body,
					 message->sealed.body_len);
		if (ret == -EALREADY)
			return true;
		if (ret) {
			laya_debug("%s: a follow-up does not open; ignored",
				   peer_text(peer));
			continue;
		}
		kernel_session_confirm(peer, peer->answer.keys.rx_index);
		if (origin->via != VIA_CHANNEL)
			peer_remote_candidates(peer, &candidates);
		return true;
	}
	return false;
}

/**
 * answer_forget() - wipe what is kept for a handshake of theirs
 * @peer: the peer
 */
void answer_forget(struct peer *peer)
{
	laya_session_keys_wipe(&peer->answer.keys);
	peer->answer.len = 0;
	peer->answer.waiting_len = 0;
}
