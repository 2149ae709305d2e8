/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The node's ORCHID as the address of its device, and the way to all others.
 *
 *	2001:25:...:1/28 dev laya0		address; with it comes
 *	2001:20::/28 dev laya0 metric 256	the way to all peers
 *	unreachable 2001:20::/28		behind it, and after it: without
 *						it an ORCHID would follow the
 *						default route in clear
 *
 * A module cannot do this by itself.
 */
#ifndef LAYAD_ROUTE_H
#define LAYAD_ROUTE_H

#include "node.h"

int route_ensure(struct node *node);

#endif /* LAYAD_ROUTE_H */
