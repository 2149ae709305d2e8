/* SPDX-License-Identifier: GPL-2.0 */
/* Handshakes that we begin. */
#ifndef LAYAD_OFFER_H
#define LAYAD_OFFER_H

#include "message.h"
#include "peer.h"

void offer_by_courier(struct peer *peer);
int offer_through_channel(struct peer *peer, struct laya_channel *channel);
int offer_in_session(struct peer *peer);
void offer_cancel(struct peer *peer);
void offer_courier_ready(struct peer *peer, struct courier *courier);
void offer_courier_lost(struct peer *peer, struct courier *courier);
void offer_answered(struct node *node, const struct laya_message *message,
		    const struct origin *origin,
		    const uint8_t claimed[LAYA_KEY_SIZE]);
void offer_refused(struct node *node, const struct laya_message *message,
		   const struct origin *origin);

#endif /* LAYAD_OFFER_H */
