// SPDX-License-Identifier: GPL-2.0
/* What is said of one peer: its sessions, its paths, its labels. */
#include <errno.h>
#include <string.h>

#include <sodium.h>

#include "kernel.h"
#include "log.h"

/**
 * kernel_peer_update() - let the kernel know a peer, and what it may do
 * @peer: the peer
 * @flags: enum laya_peer_flags
 *
 * Return: 0, or a negative errno, which was logged.
 */
int kernel_peer_update(struct peer *peer, uint32_t flags)
{
	const uint8_t *local_key = NULL;
	struct node *node = peer->node;
	int ret = 0;

	if (peer->self != &node->self)
		local_key = peer->self->public_key;
	if (!node->nl)
		return -ENODEV;
	if (!peer->in_kernel) {
		ret = laya_nl_peer_new(node->nl, node->ifindex,
				       peer->handshake.key, local_key, flags);
		/* It may have been there all along: then only set it. */
		if (ret == -EEXIST)
			ret = laya_nl_peer_set_flags(node->nl, node->ifindex,
						     peer->handshake.key,
						     flags);
	} else if (peer->flags != flags) {
		ret = laya_nl_peer_set_flags(node->nl, node->ifindex,
					     peer->handshake.key, flags);
	}
	if (ret) {
		laya_error("%s: the kernel refuses the peer: %s",
			   peer_text(peer), laya_nl_strerror(node->nl));
		return ret;
	}
	peer->in_kernel = true;
	peer->flags = flags;
	return 0;
}

/**
 * kernel_peer_del() - let the kernel forget a peer
 * @peer: the peer
 */
void kernel_peer_del(struct peer *peer)
{
	if (!peer->in_kernel || !peer->node->nl)
		return;
	laya_nl_peer_del(peer->node->nl, peer->node->ifindex,
			 peer->handshake.key);
	peer->in_kernel = false;
	peer->session = false;
}

/**
 * kernel_peer_fail() - what waits for a session with a peer waits in vain
 * @peer: the peer
 * @error: positive errno for the sockets
 */
void kernel_peer_fail(struct peer *peer, uint32_t error)
{
	if (peer->in_kernel &&
	    laya_nl_peer_set_error(peer->node->nl, peer->node->ifindex,
				   peer->handshake.key, error))
		laya_debug("%s: cannot set an error: %s", peer_text(peer),
			   laya_nl_strerror(peer->node->nl));
}

/**
 * kernel_session_new() - install keys
 * @peer: with whom
 * @keys: the keys
 * @confirmed: the peer has shown that it has them: we began
 *
 * Return: 0, or a negative errno, which was logged.
 */
int kernel_session_new(struct peer *peer, const struct laya_session_keys *keys,
		       bool confirmed)
{
	struct laya_nl_session session = {
		.ifindex = peer->node->ifindex,
		.cipher = keys->cipher,
		.rx_index = keys->rx_index,
		.tx_index = keys->tx_index,
	};
	int ret;

	memcpy(session.public_key, peer->handshake.key, LAYA_KEY_SIZE);
	memcpy(session.rx_key, keys->rx_key, LAYA_KEY_SIZE);
	memcpy(session.tx_key, keys->tx_key, LAYA_KEY_SIZE);
	laya_nl_set(&session, LAYA_A_SESSION_IFINDEX);
	laya_nl_set(&session, LAYA_A_SESSION_PUBLIC_KEY);
	laya_nl_set(&session, LAYA_A_SESSION_CIPHER);
	laya_nl_set(&session, LAYA_A_SESSION_RX_INDEX);
	laya_nl_set(&session, LAYA_A_SESSION_TX_INDEX);
	laya_nl_set(&session, LAYA_A_SESSION_RX_KEY);
	laya_nl_set(&session, LAYA_A_SESSION_TX_KEY);
	if (keys->initiator)
		laya_nl_set(&session, LAYA_A_SESSION_INITIATOR);
	if (confirmed)
		laya_nl_set(&session, LAYA_A_SESSION_CONFIRMED);
	ret = laya_nl_session_new(peer->node->nl, &session);
	sodium_memzero(&session, sizeof(session));
	if (ret)
		laya_error("%s: the kernel refuses the session: %s",
			   peer_text(peer), laya_nl_strerror(peer->node->nl));
	return ret;
}

/**
 * kernel_session_confirm() - the initiator has shown that it has the keys
 * @peer: who
 * @rx_index: the session
 */
void kernel_session_confirm(struct peer *peer, uint32_t rx_index)
{
	/* A packet may have confirmed it already, or a newer have replaced. */
	if (laya_nl_session_confirm(peer->node->nl, peer->node->ifindex,
				    peer->handshake.key, rx_index))
		laya_debug("%s: cannot confirm the session: %s",
			   peer_text(peer), laya_nl_strerror(peer->node->nl));
}

/**
 * kernel_path_new() - dial
 * @peer: whom
 * @kind: enum laya_path_kind
 * @carrier_id: over what; KERNEL_CARRIER_UDP or that of a stream
 * @remote: where; over a stream for people, if it is known
 * @candidate: whose labels and forwarder to use, or NULL
 *
 * Return: 0, or a negative errno, which was logged.
 */
int kernel_path_new(struct peer *peer, uint32_t kind, uint32_t carrier_id,
		    const struct laya_address *remote,
		    const struct laya_candidate *candidate)
{
	struct laya_nl_path path = {
		.ifindex = peer->node->ifindex,
		.kind = kind,
		.carrier_id = carrier_id,
		.remote = *remote,
	};
	char text[LAYA_ADDRESS_TEXT_SIZE];
	int ret;

	memcpy(path.public_key, peer->handshake.key, LAYA_KEY_SIZE);
	laya_nl_set(&path, LAYA_A_PATH_IFINDEX);
	laya_nl_set(&path, LAYA_A_PATH_PUBLIC_KEY);
	laya_nl_set(&path, LAYA_A_PATH_KIND);
	laya_nl_set(&path, LAYA_A_PATH_CARRIER_ID);
	if (remote->family)
		laya_nl_set(&path, LAYA_A_PATH_REMOTE);
	if (candidate && candidate->n_labels > 0) {
		path.n_labels = candidate->n_labels;
		memcpy(path.labels, candidate->labels, sizeof(path.labels));
		laya_nl_set(&path, LAYA_A_PATH_LABELS);
	}
	if (candidate && candidate->have_forwarder) {
		memcpy(path.forwarder, candidate->forwarder, LAYA_KEY_SIZE);
		laya_nl_set(&path, LAYA_A_PATH_FORWARDER);
	}
	laya_address_format(text, remote);
	ret = laya_nl_path_new(peer->node->nl, &path);
	if (ret)
		laya_warning("%s: cannot dial %s (%s): %s", peer_text(peer),
			     text, laya_nl_kind_name(kind),
			     laya_nl_strerror(peer->node->nl));
	else
		laya_debug("%s: dialling %s (%s) over carrier %u, path %u",
			   peer_text(peer), text, laya_nl_kind_name(kind),
			   carrier_id, path.path_id);
	return ret;
}

static int look_for_usable(void *ctx, const struct laya_nl_path *path)
{
	if (path->state == LAYA_PATH_STATE_USABLE)
		*(bool *)ctx = true;
	return 0;
}

/**
 * kernel_has_usable_path() - is there a way to a peer now
 * @peer: the peer
 *
 * Return: whether there is.
 */
bool kernel_has_usable_path(struct peer *peer)
{
	bool usable = false;

	if (!peer->in_kernel || !peer->node->nl)
		return false;
	if (laya_nl_path_dump(peer->node->nl, peer->node->ifindex,
			      peer->handshake.key, look_for_usable, &usable))
		laya_debug("%s: cannot look at its paths: %s", peer_text(peer),
			   laya_nl_strerror(peer->node->nl));
	return usable;
}

/**
 * kernel_last_rx_ms() - when was a peer last heard of
 * @peer: the peer
 *
 * Return: milliseconds since then; negative if never.
 */
int64_t kernel_last_rx_ms(struct peer *peer)
{
	struct laya_nl_peer found;

	if (laya_nl_peer_get(peer->node->nl, peer->node->ifindex,
			     peer->handshake.key, &found) ||
	    !laya_nl_has(&found, LAYA_A_PEER_LAST_RX_MS) ||
	    found.last_rx_ms > INT64_MAX)
		return -1;
	return found.last_rx_ms;
}

/**
 * kernel_label_new() - forward what comes with a label
 * @peer: to whom
 * @label: the label
 * @for_key: who was given it
 * @rate: bytes a second; 0 is no limit
 * @burst: bytes
 * @expires_ms: unless it is renewed
 * @bound: @for_key is attached here as well, and nobody else may send with it
 *
 * Return: 0, -EEXIST for a label of another pair, or another negative errno,
 * which was logged.
 */
int kernel_label_new(struct peer *peer, const uint8_t *label,
		     const uint8_t *for_key, uint64_t rate, uint32_t burst,
		     uint32_t expires_ms, bool bound)
{
	struct laya_nl_label new = {
		.ifindex = peer->node->ifindex,
		.rate = rate,
		.burst = burst,
		.expires_ms = expires_ms,
	};
	int ret;

	memcpy(new.label, label, sizeof(new.label));
	memcpy(new.public_key, peer->handshake.key, LAYA_KEY_SIZE);
	memcpy(new.for_key, for_key, LAYA_KEY_SIZE);
	laya_nl_set(&new, LAYA_A_LABEL_IFINDEX);
	laya_nl_set(&new, LAYA_A_LABEL_LABEL);
	laya_nl_set(&new, LAYA_A_LABEL_PUBLIC_KEY);
	laya_nl_set(&new, LAYA_A_LABEL_FOR_KEY);
	laya_nl_set(&new, LAYA_A_LABEL_RATE);
	laya_nl_set(&new, LAYA_A_LABEL_BURST);
	laya_nl_set(&new, LAYA_A_LABEL_EXPIRES_MS);
	if (bound)
		laya_nl_set(&new, LAYA_A_LABEL_BOUND);
	ret = laya_nl_label_new(peer->node->nl, &new);
	if (ret && ret != -EEXIST)
		laya_warning("%s: the kernel refuses a label: %s",
			     peer_text(peer), laya_nl_strerror(peer->node->nl));
	return ret;
}

/**
 * kernel_label_del() - forward no more what comes with a label
 * @node: ours
 * @label: the label
 */
void kernel_label_del(struct node *node, const uint8_t *label)
{
	if (laya_nl_label_del(node->nl, node->ifindex, label))
		laya_debug("cannot delete a label: %s",
			   laya_nl_strerror(node->nl));
}
