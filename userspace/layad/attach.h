/* SPDX-License-Identifier: GPL-2.0 */
/* Attachments of others to us, when we forward. */
#ifndef LAYAD_ATTACH_H
#define LAYAD_ATTACH_H

#include "message.h"
#include "node.h"
#include "peer.h"
#include "trunk.h"

int attach_start(struct node *node);
void attach_stop(struct node *node);
void attach_adopt(struct node *node, struct peer *peer);
void attach_adopt_label(struct node *node, const struct laya_nl_label *label);
bool attach_by_courier(struct node *node, const struct laya_message *message,
		       const struct origin *origin);
bool attach_carry_back(struct peer *peer, const struct laya_message *message);
int attach_label_request(struct peer *peer, const struct laya_message *request,
			 struct laya_message *reply);
void attach_label_release(struct peer *peer,
			  const struct laya_message *message);
bool attach_is_inside(const struct peer *peer);
bool attach_may_ask(struct peer *peer);
struct laya_trunk_host *attach_trunks(struct peer *peer);
int attach_label_bound(struct peer *to, const uint8_t label[LAYA_LABEL_SIZE],
		       const struct peer *user);
bool attach_carrier_lost(struct node *node, uint32_t carrier_id);
void attach_end(struct peer *peer, const char *reason);
unsigned int attach_count(const struct node *node, unsigned int *labels);

#endif /* LAYAD_ATTACH_H */
