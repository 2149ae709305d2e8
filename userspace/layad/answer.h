/* SPDX-License-Identifier: GPL-2.0 */
/* Handshakes that others begin. */
#ifndef LAYAD_ANSWER_H
#define LAYAD_ANSWER_H

#include "message.h"
#include "peer.h"

int answer_offer(struct node *node, const struct laya_message *message,
		 const struct origin *origin,
		 const uint8_t claimed[LAYA_KEY_SIZE]);
bool answer_followup(struct node *node, const struct laya_message *message,
		     const struct origin *origin,
		     const uint8_t claimed[LAYA_KEY_SIZE]);
void answer_forget(struct peer *peer);

#endif /* LAYAD_ANSWER_H */
