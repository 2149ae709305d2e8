/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Gateways: routers that forward for the networks behind them.  Finding those
 * above us, and being one.
 */
#ifndef LAYAD_GATEWAY_H
#define LAYAD_GATEWAY_H

#include "forwarder.h"
#include "node.h"
#include "peer.h"

int gateway_start(struct node *node);
void gateway_look(struct node *node);
int gateway_ephemeral(struct forwarder *forwarder);
bool gateway_is_configured(const struct node *node,
			   const uint8_t key[LAYA_KEY_SIZE]);
const char *gateway_refused(const struct forwarder *forwarder,
			    const uint8_t key[LAYA_KEY_SIZE]);
const struct laya_identity *
gateway_self(const struct forwarder *forwarder,
	     const uint8_t key[LAYA_KEY_SIZE]);
void gateway_alias(const struct forwarder *forwarder, const struct peer *peer,
		   uint8_t key[LAYA_KEY_SIZE]);
bool gateway_is_inside(const struct node *node,
		       const struct laya_address *address);
bool gateway_admits(const struct node *node,
		    const uint8_t key[LAYA_KEY_SIZE]);
void gateway_outside(const struct node *node, struct laya_addresses *addresses);
void gateway_candidates(const struct node *node, const struct peer *host,
			struct laya_candidates *candidates);

#endif /* LAYAD_GATEWAY_H */
