/* SPDX-License-Identifier: GPL-2.0 */
/* What we know of one peer, for those who ask why. */
#ifndef LAYAD_EXPLAIN_H
#define LAYAD_EXPLAIN_H

#include <jansson.h>

#include "peer.h"

const char *explain_handshake(const struct peer *peer);
json_t *explain_peer(struct peer *peer, bool attempt);
void explain_network(const struct node *node, json_t *reply);

#endif /* LAYAD_EXPLAIN_H */
