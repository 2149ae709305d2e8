/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Direct signalling: channels between two nodes that are peers, over which offers
 * go without a rendezvous.
 *
 *	SignalListen  <------- Endpoint, or found on the LAN
 *	              registered ->		we take you
 *	              <- offers, answers ->	for as long as it lasts
 *
 * Who dials is known to the other side by its key, before anything is spent on it
 * but the handshake of the channel; only peers are taken.  All these channels
 * together are one courier.
 *
 * Lifetime: a peer's struct signalling is there while the peer is configured and
 * has an endpoint or a channel; signalling_forget() ends it.
 */
#ifndef LAYAD_SIGNALLING_H
#define LAYAD_SIGNALLING_H

#include <jansson.h>

#include "channel.h"
#include "node.h"
#include "peer.h"

int signalling_start(struct node *node);
void signalling_stop(struct node *node);
void signalling_retry(struct node *node);
uint16_t signalling_port(const struct node *node,
			 const struct laya_address *address);

/* Of one peer */
int signalling_set_endpoint(struct peer *peer, const char *host, uint16_t port);
void signalling_found(struct peer *peer, const struct laya_address *address);
bool signalling_is_up(const struct peer *peer);
void signalling_forget(struct peer *peer);
json_t *signalling_describe(const struct peer *peer);

/* For the port where attachments come in */
bool signalling_shares_port(const struct node *node);
bool signalling_is_at(const struct node *node,
		      const struct laya_address *local);
void signalling_take(struct node *node, struct laya_channel *channel);

#endif /* LAYAD_SIGNALLING_H */
