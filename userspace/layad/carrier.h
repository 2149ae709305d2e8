/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stream carriers that we dial: one to each forwarder that UDP does not reach.
 *
 * A carrier leads to a forwarder, and all that goes to it or through it shares
 * the carrier: our attachment there, and paths with the labels of peers that are
 * attached there.  Transports are tried one after the other until something
 * answers over one.
 */
#ifndef LAYAD_CARRIER_H
#define LAYAD_CARRIER_H

#include "forwarder.h"
#include "node.h"
#include "peer.h"

int carrier_attach(struct forwarder *forwarder);
void carrier_reach(struct peer *peer);
void carrier_join(struct peer *peer);
void carrier_path_changed(struct node *node, const struct laya_nl_path *path);
bool carrier_lost(struct node *node, const struct laya_nl_carrier *event);
void carrier_retry(struct node *node);
void carrier_stop(struct node *node);

#endif /* LAYAD_CARRIER_H */
