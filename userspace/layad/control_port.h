/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Messages inside of sessions: datagrams between the AF_LAYA ports 1 of two
 * nodes.  What wants an answer is sent again until it comes.
 */
#ifndef LAYAD_CONTROL_PORT_H
#define LAYAD_CONTROL_PORT_H

#include "message.h"
#include "node.h"
#include "peer.h"

/**
 * typedef control_port_done - a request is over
 * @peer: to whom it was
 * @error: 0 when an answer or acknowledgement came, else -ETIMEDOUT
 */
typedef void (*control_port_done)(struct peer *peer, int error);

int control_port_start(struct node *node);
void control_port_stop(struct node *node);
int control_port_send(struct peer *peer, const struct laya_message *message);
int control_port_request(struct peer *peer, const struct laya_message *message,
			 control_port_done done);
void control_port_forget(struct peer *peer);

#endif /* LAYAD_CONTROL_PORT_H */
