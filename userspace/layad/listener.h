/* SPDX-License-Identifier: GPL-2.0 */
/* How this node listens: all transports, with the certificate that it has. */
#ifndef LAYAD_LISTENER_H
#define LAYAD_LISTENER_H

#include "listen.h"
#include "node.h"

int listener_open(struct node *node, struct laya_listener **listener,
		  const struct laya_listener_ops *ops, void *data);

#endif /* LAYAD_LISTENER_H */
