/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is seen from outside of our network: the addresses of gateways.
 *
 * An address is worth telling when somebody outside has reached us by it.  We tell
 * our relays where a gateway says that it is, as we would tell a peer; they dial it;
 * and a path that comes in so, with our session's keys, shows that it can be.
 */
#ifndef LAYAD_OUTSIDE_H
#define LAYAD_OUTSIDE_H

#include "forwarder.h"
#include "node.h"
#include "peer.h"

bool outside_reached(const struct node *node,
		     const struct laya_address *address);
bool outside_seen(const struct node *node, const struct laya_address *address);
bool outside_may_ask(const struct node *node);
bool outside_can_ask(const struct node *node);
bool outside_offers(const struct forwarder *gateway,
		    const struct laya_address *address);
int outside_start(struct node *node);
void outside_stop(struct node *node);
void outside_told(struct node *node);
void outside_forget(struct node *node);
void outside_again(struct forwarder *relay);

void outside_asked(struct peer *host, const struct laya_candidates *candidates);
void outside_done(struct peer *host);

#endif /* LAYAD_OUTSIDE_H */
