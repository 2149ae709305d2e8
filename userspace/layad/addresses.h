/* SPDX-License-Identifier: GPL-2.0 */
/* Our own addresses, by rtnetlink, and news of them. */
#ifndef LAYAD_ADDRESSES_H
#define LAYAD_ADDRESSES_H

#include "node.h"

int addresses_start(struct node *node);
void addresses_stop(struct node *node);
int addresses_refresh(struct node *node);

#endif /* LAYAD_ADDRESSES_H */
