// SPDX-License-Identifier: GPL-2.0
#include "courier.h"
#include "peer.h"

/**
 * courier_add() - one more, up to COURIERS_MAX
 * @node: ours
 * @courier: it
 * @ops: how it works
 * @owner: what it is a part of
 */
void courier_add(struct node *node, struct courier *courier,
		 const struct courier_ops *ops, void *owner)
{
	const struct courier *last = TAILQ_LAST(&node->couriers, courier_list);

	courier->ops = ops;
	courier->owner = owner;
	courier->bit = last ? last->bit << 1 : 1;
	TAILQ_INSERT_TAIL(&node->couriers, courier, entry);
}

/**
 * courier_state() - what can be done for a peer
 * @node: ours
 * @peer: the peer
 *
 * Return: what the best of all couriers can do.
 */
enum courier_state courier_state(const struct node *node,
				 const struct peer *peer)
{
	enum courier_state best = COURIER_NONE;
	const struct courier *courier;
	enum courier_state state;

	TAILQ_FOREACH(courier, &node->couriers, entry) {
		state = courier->ops->state(courier, peer);
		if (state > best)
			best = state;
	}
	return best;
}

/**
 * courier_wanted() - there will be something to carry
 * @peer: to this peer
 */
void courier_wanted(struct peer *peer)
{
	struct courier *courier;

	TAILQ_FOREACH(courier, &peer->node->couriers, entry) {
		if (courier->ops->wanted)
			courier->ops->wanted(courier, peer);
	}
}

/**
 * courier_send() - send by one
 * @courier: which
 * @peer: to whom
 * @message: what
 *
 * Return: 0, or a negative errno.
 */
int courier_send(struct courier *courier, struct peer *peer,
		 const struct laya_message *message)
{
	return courier->ops->send(courier, peer, message);
}
