/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Trunks: forwarders that hosts of ours have named, to which we attach ourselves,
 * so that what these hosts send with a label for it is forwarded there.
 */
#ifndef LAYAD_TRUNKING_H
#define LAYAD_TRUNKING_H

#include "message.h"
#include "node.h"
#include "peer.h"
#include "trunk.h"

struct trunk;

int trunking_start(struct node *node);
void trunking_stop(struct node *node);
void trunking_asked(struct peer *host, const struct laya_message *request);
bool trunking_release(struct peer *host, const uint8_t label[LAYA_LABEL_SIZE]);
void trunking_host_gone(struct peer *host);
void trunking_care(struct node *node);
void trunk_up(struct trunk *trunk);
void trunk_lost(struct trunk *trunk);

#endif /* LAYAD_TRUNKING_H */
