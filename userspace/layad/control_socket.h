/* SPDX-License-Identifier: GPL-2.0 */
/* What layactl asks. */
#ifndef LAYAD_CONTROL_SOCKET_H
#define LAYAD_CONTROL_SOCKET_H

#include "node.h"

int control_socket_start(struct node *node);
void control_socket_stop(struct node *node);

#endif /* LAYAD_CONTROL_SOCKET_H */
